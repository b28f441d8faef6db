// The pages as people meet them: `proofkey serve` behind TLS, in Chromium, with all policies of the pages in force.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { LOOKS, assertAccessible, visitor } from "./browser.mjs";
import { CRM, ISSUER, PASSWORD, SHOP, ask, open } from "./front-door.mjs";
import { shows } from "./shows.mjs";
import { back, button, enter, heading, look, sign } from "./steps.mjs";

let world;

before(async () => {
  world = await open({ limit_user: "3/15m" });
});

after(() => world?.close());

for (const how of LOOKS) {
  test(`from the first sign-in to the last sign-out: ${how.name}`, async (t) => {
    const context = await visitor(t, world.browser, how);
    const page = await context.newPage();
    const name = world.somebody();

    const first = ask(CRM);
    await page.goto(first.url);
    await heading(page, "Sign in").waitFor();
    await page.getByText("To continue to Contacts Ltd").waitFor();
    await look(page, how, "sign-in");

    await sign(page, name, "not her password at all");
    await page.getByRole("alert").getByText("The user name or the password is wrong.").waitFor();
    assert.equal(await page.getByLabel("User name").inputValue(), name);
    assert.equal(await page.getByLabel("Password").inputValue(), "");
    await look(page, how, "wrong-password");

    await sign(page, name);
    await heading(page, "Allow Contacts Ltd access to your account?").waitFor();
    for (const text of ["See your contacts", "Afterwards you go back to crm.example.", name]) {
      await page.getByText(text).waitFor();
    }
    await look(page, how, "consent");
    await button(page, "Allow").click();
    const tokens = await world.redeem(first, (await back(page, first)).code);
    assert.equal(tokens.status, 200);
    assert.equal(tokens.scope, "contacts:read");

    const second = ask(CRM);
    await page.goto(second.url);
    assert.ok((await back(page, second)).code, "consent is not remembered");

    const wider = ask(CRM, { scope: "contacts:read contacts:write" });
    await page.goto(wider.url);
    await page.getByText("Change your contacts").waitFor();
    await button(page, "Deny").click();
    const denied = await back(page, wider);
    assert.equal(denied.error, "access_denied");
    assert.equal(denied.code, undefined);

    await page.goto(`${ISSUER}/applications`);
    await page.getByRole("heading", { name: "Contacts Ltd" }).waitFor();
    await look(page, how, "applications");
    await page.getByRole("button", { name: "Withdraw access" }).click();
    await page.getByText("The application no longer has access.").waitFor();
    await page.getByText("No application has access to your account.").waitFor();
    await look(page, how);
    assert.equal((await world.refresh(first, tokens.refresh_token)).error, "invalid_grant");

    const third = ask(CRM);
    await page.goto(third.url);
    await heading(page, "Allow Contacts Ltd access to your account?").waitFor();

    await page.goto(`${ISSUER}/logout`);
    await heading(page, "Do you want to sign out?").waitFor();
    await look(page, how);
    await button(page, "Sign out").click();
    await heading(page, "You are signed out").waitFor();
    await look(page, how, "signed-out");
    await page.goto(`${ISSUER}/applications`);
    await heading(page, "Sign in").waitFor();
  });
}

test("a sign-in takes no more than a keyboard", shows(["web-page-4"], async (t) => {
  const context = await visitor(t, world.browser);
  const page = await context.newPage();
  const name = world.somebody();
  const asked = ask(CRM);
  await page.goto(asked.url);
  await page.keyboard.type(name); // the field has the focus
  await page.keyboard.press("Tab");
  await page.keyboard.type("wrong on the first try");
  await page.keyboard.press("Enter");
  const summary = page.getByRole("alert");
  await summary.waitFor();
  assert.ok(await summary.evaluate((element) => element === document.activeElement), "the summary has no focus");
  await page.keyboard.press("Tab"); // the link of the summary
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.name), "username");
  await page.keyboard.press("Tab");
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Space");
  await heading(page, "Allow Contacts Ltd access to your account?").waitFor();
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.value), "allow");
  await page.keyboard.press("Enter");
  assert.ok((await back(page, asked)).code);
}));

test("too many attempts lock a stranger's browser out, and not the one that somebody signs in with", async (t) => {
  const name = world.somebody();
  const own = await (await visitor(t, world.browser)).newPage();
  await enter(own, name);
  await own.goto(`${ISSUER}/logout`);
  await button(own, "Sign out").click();
  await heading(own, "You are signed out").waitFor();

  for (const how of LOOKS.slice(1, 3)) {
    const stranger = await (await visitor(t, world.browser, how)).newPage();
    await stranger.goto(ask(SHOP).url);
    for (let attempts = 0; attempts < 3; attempts += 1) {
      await sign(stranger, name, "a guess at her password");
      await stranger.getByRole("alert").waitFor();
    }
    await sign(stranger, name);
    await stranger.getByRole("alert").getByText(/Too many attempts\. Please try again in (a|\d+) minutes?\./).waitFor();
    await look(stranger, how, "locked-out");
  }
  assert.ok((await enter(own, name)).answer.code);
});

test("two tabs that began before anybody was signed in both arrive, each at its own request", async (t) => {
  const context = await visitor(t, world.browser);
  const name = world.somebody();
  const [one, other] = [await context.newPage(), await context.newPage()];
  const [shop, crm] = [ask(SHOP), ask(CRM)];
  await one.goto(shop.url);
  await other.goto(crm.url);
  await sign(one, name);
  const first = await back(one, shop);
  await sign(other, name);
  await button(other, "Allow").click();
  const second = await back(other, crm);
  // The second sign-in replaces the session of the first one in this browser; what both clients got is theirs.
  assert.notEqual(first.code, second.code);
  assert.equal((await world.redeem(crm, second.code)).status, 200);
});

test("two tabs that ask for consent at once can be answered in either order", async (t) => {
  const context = await visitor(t, world.browser);
  const name = world.somebody();
  const [one, other] = [await context.newPage(), await context.newPage()];
  await enter(one, name);
  const [read, write] = [ask(CRM), ask(CRM, { scope: "contacts:write" })];
  await one.goto(read.url);
  await other.goto(write.url);
  await button(other, "Allow").click();
  const second = await back(other, write);
  await button(one, "Allow").click();
  const first = await back(one, read);
  assert.equal((await world.redeem(read, first.code)).scope, "contacts:read");
  assert.equal((await world.redeem(write, second.code)).scope, "contacts:write");
});

for (const how of LOOKS.slice(1, 3)) {
  test(`a double click sends a form twice and does the thing once: ${how.name}`, async (t) => {
    const context = await visitor(t, world.browser, how);
    const page = await context.newPage();
    const name = world.somebody();
    const asked = ask(CRM);
    let posts = 0;
    page.on("request", (request) => (posts += request.method() === "POST" ? 1 : 0));
    await page.goto(asked.url);
    await page.getByLabel("User name").fill(name);
    await page.getByLabel("Password").fill(PASSWORD);
    await button(page, "Sign in").dblclick();
    await heading(page, "Allow Contacts Ltd access to your account?").waitFor();
    await button(page, "Allow").dblclick();
    const { code } = await back(page, asked);
    assert.ok(posts >= 2);
    assert.equal((await world.redeem(asked, code)).status, 200);
    await page.goto(`${ISSUER}/applications`);
    assert.equal(await page.getByRole("button", { name: "Withdraw access" }).count(), 1);
  });
}

test("the back button leads to the same code while it is unspent, and then to a page that says so", async (t) => {
  const context = await visitor(t, world.browser);
  const page = await context.newPage();
  const name = world.somebody();
  const asked = ask(CRM);
  await page.goto(asked.url);
  await sign(page, name);
  await button(page, "Allow").click();
  const { code } = await back(page, asked);
  await page.goBack();
  await button(page, "Allow").click();
  assert.equal((await back(page, asked)).code, code);
  assert.equal((await world.redeem(asked, code)).status, 200);
  await page.goBack();
  await button(page, "Allow").click();
  await heading(page, "This page was used already").waitFor();
  await look(page, LOOKS[0]);
});

test("a page that stood open too long says so, and signs nobody in", async (t) => {
  for (const how of LOOKS.slice(0, 2)) {
    const context = await visitor(t, world.browser, how);
    const page = await context.newPage();
    const name = world.somebody();
    await page.goto(ask(CRM).url);
    const field = page.locator("input[name=request]");
    const fresh = await field.getAttribute("value");
    await field.evaluate((input, value) => (input.value = value), world.aged(fresh, 600));
    await sign(page, name, "a wrong one, to stay on this page");
    await page.getByRole("alert").waitFor();
    await field.evaluate((input, value) => (input.value = value), world.aged(fresh, 901));
    await sign(page, name);
    await heading(page, "This page has expired").waitFor();
    await page.getByRole("link", { name: /crm\.example/ }).waitFor();
    await look(page, how, "expired");
    assert.ok(!(await context.cookies()).some((cookie) => cookie.name === "__Host-proofkey"));
  }
});

test("a form without the cookie of its browser is not accepted", async (t) => {
  const context = await visitor(t, world.browser);
  const page = await context.newPage();
  await page.goto(ask(CRM).url);
  await context.clearCookies();
  await sign(page, world.somebody());
  await heading(page, "This form cannot be accepted").waitFor();
  await look(page, LOOKS[0]);
});

test("a request that names another redirect URI is shown on a page, and not followed", async (t) => {
  for (const how of LOOKS) {
    const page = await (await visitor(t, world.browser, how)).newPage();
    await page.goto(ask({ ...CRM, redirect_uri: "https://crm.example.net/callback" }).url);
    await heading(page, "This request is not valid").waitFor();
    assert.ok(page.url().startsWith(`${ISSUER}/authorize?`));
    await look(page, how);
  }
});

test("a form of another site is not accepted, and signs nobody in", shows(["web-csrf-4"], async (t) => {
  const context = await visitor(t, world.browser);
  const page = await context.newPage();
  await page.goto(ask(SHOP).url);
  const request = await page.locator("input[name=request]").getAttribute("value");
  await page.goto(CRM.redirect_uri);
  await page.evaluate(([action, fields]) => {
    const form = Object.assign(document.createElement("form"), { method: "post", action });
    for (const [name, value] of Object.entries(fields)) form.append(Object.assign(document.createElement("input"), { name, value }));
    document.body.append(form);
    form.submit();
  }, [`${ISSUER}/login`, { request, username: world.somebody(), password: PASSWORD }]);
  await heading(page, "This form cannot be accepted").waitFor();
  assert.ok(!(await context.cookies()).some((cookie) => cookie.name === "__Host-proofkey"));
}));

test("no page can be framed", shows(["rfc9700-4.16-1"], async (t) => {
  const context = await visitor(t, world.browser);
  const page = await context.newPage();
  await enter(page, world.somebody());
  for (const address of [ask(CRM).url, `${ISSUER}/login`, `${ISSUER}/applications`, `${ISSUER}/logout`]) {
    await page.goto(CRM.redirect_uri);
    const refused = page.waitForEvent("console", (message) => /frame-ancestors|X-Frame-Options/.test(message.text()));
    await page.evaluate((src) => document.body.append(Object.assign(document.createElement("iframe"), { src })), address);
    await refused;
  }
}));

test("the cookies are those that only https can set, and no script can read", shows(["web-cookie-2"], async (t) => {
  const context = await visitor(t, world.browser);
  const page = await context.newPage();
  const name = world.somebody();
  await page.goto(ask(SHOP).url);
  const before = await context.cookies();
  await sign(page, name);
  await heading(page, "Back at the client").waitFor();
  const cookies = await context.cookies();
  assert.deepEqual(cookies.map((cookie) => cookie.name).sort(), ["__Host-proofkey", "__Host-proofkey-browser"]);
  for (const { httpOnly, secure, sameSite, path, domain } of [...before, ...cookies]) {
    assert.deepEqual({ httpOnly, secure, sameSite, path, domain }, { httpOnly: true, secure: true, sameSite: "Lax", path: "/", domain: "id.example" });
  }
  await page.goto(`${ISSUER}/applications`);
  assert.equal(await page.evaluate(() => document.cookie), "");
}));

test("an application on the device is asked for each time, with a warning", async (t) => {
  for (const how of LOOKS.slice(0, 2)) {
    const context = await visitor(t, world.browser, how);
    const page = await context.newPage();
    await enter(page, world.somebody());
    for (let time = 0; time < 2; time += 1) {
      const asked = ask(world.tool);
      await page.goto(asked.url);
      await page.getByText("This is an application on this device.").waitFor();
      await look(page, how, "consent-device");
      await button(page, "Allow").click();
      assert.ok((await back(page, asked)).code);
    }
  }
});

test("who is somebody else signs in as another", async (t) => {
  const context = await visitor(t, world.browser);
  const page = await context.newPage();
  const [one, other] = [world.somebody(), world.somebody()];
  await enter(page, one);
  const asked = ask(CRM);
  await page.goto(asked.url);
  await page.getByText(one).waitFor();
  await button(page, "Not you? Sign in as somebody else").click();
  await sign(page, other);
  await page.getByText(other).waitFor();
  await button(page, "Allow").click();
  assert.ok((await back(page, asked)).code);
});

test("pages speak the language that the client asks for, and are as accessible in it", async (t) => {
  const context = await visitor(t, world.browser);
  const page = await context.newPage();
  const name = world.somebody();
  await page.goto(ask(CRM, { ui_locales: "fr de-AT" }).url);
  assert.equal(await page.locator("html").getAttribute("lang"), "de");
  await assertAccessible(page);
  await page.getByLabel("Benutzername").fill(name);
  await page.getByLabel("Passwort").fill(PASSWORD);
  await button(page, "Anmelden").click();
  await button(page, "Erlauben").waitFor();
  await look(page, LOOKS[0], "consent-german");
});
