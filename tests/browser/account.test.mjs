// Somebody's account: where they are signed in, and their password. `proofkey serve` behind TLS, in Chromium.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { LOOKS, visitor } from "./browser.mjs";
import { CRM, ISSUER, PASSWORD, SHOP, ask, open } from "./front-door.mjs";
import { back, button, enter, heading, look, sign } from "./steps.mjs";

const NEXT = "another walk by the sea";

let world;

before(async () => {
  world = await open({ endpoints: "authorize token refresh revoke forgot", limit_user: "3/15m" });
});

after(() => world?.close());

test("the back button shows nothing of an account after signing out", async (t) => {
  const context = await visitor(t, world.browser);
  const page = await context.newPage();
  await enter(page, world.somebody());
  await page.goto(`${ISSUER}/applications`);
  await heading(page, "Your account").waitFor();
  await page.getByRole("link", { name: "Sign out" }).click();
  await button(page, "Sign out").click();
  await heading(page, "You are signed out").waitFor();
  await page.goBack();
  await page.goBack();
  await heading(page, "Sign in").waitFor();
  assert.equal(await page.getByText("Where you are signed in").count(), 0);
});

test("signing out everywhere ends the other browser and all tokens", async (t) => {
  const name = world.somebody();
  const here = await (await visitor(t, world.browser)).newPage();
  const there = await (await visitor(t, world.browser)).newPage();
  await enter(here, name);
  const { asked, answer } = await enter(there, name);
  const tokens = await world.redeem(asked, answer.code);
  assert.equal(tokens.status, 200);
  await here.goto(`${ISSUER}/applications`);
  await here.getByRole("heading", { name: "Another browser" }).waitFor();
  await look(here, LOOKS[0]);
  await button(here, "Sign out everywhere").click();
  await heading(here, "You are signed out").waitFor();
  for (const page of [here, there]) {
    await page.goto(`${ISSUER}/applications`);
    await heading(page, "Sign in").waitFor();
  }
  assert.equal((await world.refresh(asked, tokens.refresh_token)).error, "invalid_grant");
});

test("another browser can be signed out alone", async (t) => {
  const name = world.somebody();
  const here = await (await visitor(t, world.browser)).newPage();
  const there = await (await visitor(t, world.browser)).newPage();
  await enter(here, name);
  await enter(there, name);
  await here.goto(`${ISSUER}/applications`);
  await here.getByRole("button", { name: "Sign out there" }).click();
  await here.getByText("The other browser is signed out.").waitFor();
  await heading(here, "Your account").waitFor();
  await there.goto(`${ISSUER}/applications`);
  await heading(there, "Sign in").waitFor();
});

for (const how of LOOKS.slice(1, 3)) {
  test(`a password is changed, and other browsers are signed out: ${how.name}`, async (t) => {
    const name = world.somebody();
    const here = await (await visitor(t, world.browser, how)).newPage();
    const there = await (await visitor(t, world.browser)).newPage();
    await enter(here, name);
    await enter(there, name);
    await here.goto(`${ISSUER}/applications`);
    await here.getByRole("link", { name: "Change password" }).click();
    await heading(here, "Change password").waitFor();
    await look(here, how, "password");

    const change = async (current, next) => {
      await here.getByLabel("Current password").fill(current);
      await here.getByLabel("New password").fill(next);
      await button(here, "Change password").click();
    };
    await change(PASSWORD, "short");
    await here.getByRole("alert").getByText("The new password is too short").waitFor();
    await look(here, how);
    await change("not her password", NEXT);
    await here.getByRole("alert").getByText("The current password is wrong.").waitFor();
    await look(here, how);
    await change(PASSWORD, NEXT);
    await here.getByText("Your password is changed.").waitFor();
    await look(here, how);
    await there.goto(`${ISSUER}/applications`);
    await heading(there, "Sign in").waitFor();
    await sign(there, name);
    await there.getByRole("alert").waitFor();
    await sign(there, name, NEXT);
    await heading(there, "Your account").waitFor();
  });

  test(`a forgotten password is set anew by a link that works once: ${how.name}`, async (t) => {
    const name = world.somebody();
    const page = await (await visitor(t, world.browser, how)).newPage();
    const asked = ask(SHOP);
    await page.goto(asked.url);
    await page.getByRole("link", { name: "Forgot your password?" }).click();
    await heading(page, "Forgot your password?").waitFor();
    await look(page, how, "forgot");
    await page.getByLabel("User name").fill(name);
    await button(page, "Send the link").click();
    await heading(page, "Look for our message").waitFor();
    await look(page, how);

    const link = world.resetLink(name);
    await page.goto(link);
    await heading(page, "Choose a new password").waitFor();
    await look(page, how, "reset");
    await page.getByLabel("New password").fill(NEXT);
    await button(page, "Save the password").click();
    await heading(page, "Your new password is saved").waitFor();
    await look(page, how);
    assert.notEqual((await page.goto(link)).status(), 200);
    assert.equal(await page.getByLabel("New password").count(), 0);
    await look(page, how);
    const again = ask(SHOP);
    await page.goto(again.url);
    await sign(page, name, NEXT);
    assert.ok((await back(page, again)).code);
  });
}

test("an operator lifts a lock-out", async (t) => {
  const name = world.somebody();
  const page = await (await visitor(t, world.browser)).newPage();
  const asked = ask(SHOP);
  await page.goto(asked.url);
  for (let attempts = 0; attempts < 3; attempts += 1) {
    await sign(page, name, "a guess at her password");
    await page.getByRole("alert").getByText("is wrong").waitFor();
  }
  await sign(page, name);
  await page.getByRole("alert").getByText("Too many attempts.").waitFor();
  world.operator("users", "unlock", name);
  await sign(page, name);
  assert.ok((await back(page, asked)).code);
});
