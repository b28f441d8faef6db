// examples/spa in a browser.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { LOOKS, assertAccessible, launch, picture, visitor } from "./browser.mjs";
import { directory, start } from "./process.mjs";

let browser, origin, stop, data;

before(async () => {
  data = directory();
  const spa = await start("proofkey-example-spa", /Open (\S+)\/\n/, {}, "127.0.0.1:0", "--data", data.path);
  [, origin] = spa.match;
  stop = spa.stop;
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await stop?.();
  data.remove();
});

/// Signs in from the application, as somebody who has not before.
async function signIn(page) {
  await page.goto(origin);
  await press(page, "Sign in");
  await page.getByLabel("User name").fill("ada@example.com");
  await page.getByLabel("Password").fill("correct horse battery staple");
  await press(page, "Sign in");
  await contacts(page);
}

/// Waits for what only the API knows.
async function contacts(page) {
  await page.getByText("Mary Somerville").waitFor();
}

async function signedOut(page) {
  await page.getByText("Sign in to see your contacts.").waitFor();
  assert.equal(await page.getByRole("listitem").count(), 0, "contacts are still shown");
}

/// Presses a button, in the tab that somebody has in front of them.
async function press(page, name) {
  await page.bringToFront();
  await page.getByRole("button", { name }).click();
}

/// Waits until the tokens are others than `old`.
async function renewed(page, old) {
  const others = (token) => ![token, undefined].includes(JSON.parse(localStorage.getItem("tokens"))?.refresh_token);
  await page.waitForFunction(others, old.refresh_token, { polling: 50 });
}

const tokens = (page) => page.evaluate(() => JSON.parse(localStorage.getItem("tokens")));

/// Holds the requests to the token endpoint, or, `answered`, their answers; tells when `count` of them wait, and lets all
/// go.
async function hold(context, count, answered = false) {
  const held = [];
  let full, open;
  const all = new Promise((resolve) => (full = resolve));
  const opened = new Promise((resolve) => (open = resolve));
  await context.route("**/auth/token", async (route) => {
    const response = answered ? await route.fetch() : undefined;
    held.push(route);
    if (held.length === count) full();
    await opened;
    await (answered ? route.fulfill({ response }) : route.continue());
  });
  return { all, count: () => held.length, release: open };
}

for (const look of LOOKS.filter(({ script }) => script)) {
  test(`somebody signs in, sees what the API knows, and signs out: ${look.name}`, async (t) => {
    const context = await visitor(t, browser, look);
    const page = await context.newPage();
    const complaints = [];
    page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    await page.goto(origin);
    await signedOut(page);
    await assertAccessible(page);
    await picture(page, `spa-signed-out-${look.screen}-${look.scheme}`);
    await signIn(page);
    assert.equal(page.url(), `${origin}/`, "the code stays in the address");
    await assertAccessible(page);
    await picture(page, `spa-signed-in-${look.screen}-${look.scheme}`);
    const held = await tokens(page);

    await press(page, "Sign out");
    await page.waitForURL(`${origin}/auth/logout`);
    const answer = await context.request.get(`${origin}/api/contacts`, { headers: { authorization: `Bearer ${held.access_token}` } });
    assert.equal(answer.status(), 401, "the access token outlives the sign-out");
    await press(page, "Sign out");
    await page.getByText("You are signed out").first().waitFor();
    assert.deepEqual(complaints, []);

    await page.goto(origin);
    await signedOut(page);
    await press(page, "Sign in");
    await page.getByLabel("Password").waitFor();
  });
}

test("a reload keeps the sign-in, and sends no code again", async (t) => {
  const context = await visitor(t, browser);
  const page = await context.newPage();
  await signIn(page);
  const before = await tokens(page);
  const asked = [];
  page.on("request", (request) => request.url().includes("/auth/") && asked.push(request.url()));
  await page.reload();
  await contacts(page);
  assert.deepEqual(await tokens(page), before);
  assert.deepEqual(asked, []);
});

test("an access token that the API refuses is refreshed once, and the call repeated", async (t) => {
  const context = await visitor(t, browser);
  const page = await context.newPage();
  await signIn(page);
  const before = await tokens(page);
  await page.evaluate((set) => localStorage.setItem("tokens", JSON.stringify({ ...set, access_token: "of-yesterday" })), before);
  await page.reload();
  await contacts(page);
  const fresh = await tokens(page);
  assert.notEqual(fresh.access_token, before.access_token);
  assert.notEqual(fresh.refresh_token, before.refresh_token);
});

test("a second tab is signed in from its start, and follows when the first signs out", async (t) => {
  const context = await visitor(t, browser);
  const [first, second] = [await context.newPage(), await context.newPage()];
  await second.goto(origin);
  await signedOut(second);
  await signIn(first);
  await press(second, "Load again");
  await contacts(second);
  await press(first, "Sign out");
  await signedOut(second);
});

test("two tabs that refresh at once without locks get the same tokens, and both stay signed in", async (t) => {
  const context = await visitor(t, browser);
  await context.addInitScript(() => delete Navigator.prototype.locks);
  const tabs = [await context.newPage(), await context.newPage()];
  await signIn(tabs[0]);
  await tabs[1].goto(origin);
  await contacts(tabs[1]);
  assert.equal(await tabs[0].evaluate(() => navigator.locks), undefined);
  const before = await tokens(tabs[0]);

  const requests = await hold(context, 2);
  for (const tab of tabs) await press(tab, "Refresh now");
  await requests.all;
  const answers = tabs.map((tab) => tab.waitForResponse("**/auth/token").then((answer) => answer.json()));
  requests.release();
  const [one, other] = await Promise.all(answers);
  assert.equal(one.refresh_token, other.refresh_token);
  assert.equal(one.access_token, other.access_token);
  assert.notEqual(one.refresh_token, before.refresh_token);

  for (const tab of tabs) {
    await renewed(tab, before);
    await tab.reload();
    await contacts(tab);
  }
  for (const tab of tabs) {
    const old = await tokens(tab);
    await press(tab, "Refresh now");
    await renewed(tab, old);
    await press(tab, "Load again");
    await contacts(tab);
    assert.equal(await tab.getByRole("alert").isVisible(), false);
  }
});

test("with locks, a tab that waits for another one takes its tokens and asks for none", async (t) => {
  const context = await visitor(t, browser);
  const tabs = [await context.newPage(), await context.newPage()];
  await signIn(tabs[0]);
  await tabs[1].goto(origin);
  await contacts(tabs[1]);
  const requests = await hold(context, 1);
  await press(tabs[0], "Refresh now");
  await requests.all;
  await press(tabs[1], "Refresh now");
  await tabs[1].waitForFunction(async () => (await navigator.locks.query()).pending.length === 1, null, { polling: 50 });
  requests.release();
  await tabs[1].waitForFunction(async () => {
    const { held, pending } = await navigator.locks.query();
    return held.length + pending.length === 0;
  }, null, { polling: 50 });
  assert.equal(requests.count(), 1);
  assert.equal(await tabs[1].getByRole("alert").isVisible(), false);
});

test("the answer to a refresh that comes after another tab has signed out signs nobody in again", async (t) => {
  const context = await visitor(t, browser);
  const tabs = [await context.newPage(), await context.newPage()];
  await signIn(tabs[0]);
  await tabs[1].goto(origin);
  await contacts(tabs[1]);
  const answers = await hold(context, 1, true);
  await press(tabs[0], "Refresh now");
  await answers.all;
  await press(tabs[1], "Sign out");
  await tabs[1].waitForURL(`${origin}/auth/logout`);
  await signedOut(tabs[0]);
  const answer = tabs[0].waitForResponse("**/auth/token");
  answers.release();
  assert.equal((await answer).status(), 200);
  await tabs[0].waitForFunction(async () => (await navigator.locks.query()).held.length === 0, null, { polling: 50 });
  assert.equal(await tokens(tabs[0]), null);
  await signedOut(tabs[0]);
});

test("a grant that was ended elsewhere signs the application out at the next call", async (t) => {
  const context = await visitor(t, browser);
  const page = await context.newPage();
  await signIn(page);
  const { refresh_token } = await tokens(page);
  await context.request.post(`${origin}/auth/revoke`, { form: { client_id: "spa", token: refresh_token } });
  await press(page, "Load again");
  await page.getByText("Your sign-in has ended.").waitFor();
  await signedOut(page);
});

test("a server that cannot be reached ends no sign-in", async (t) => {
  const context = await visitor(t, browser);
  const page = await context.newPage();
  await signIn(page);
  const before = await tokens(page);
  await context.route("**/auth/token", (route) => route.abort());
  await press(page, "Refresh now");
  await page.getByRole("alert").waitFor();
  assert.deepEqual(await tokens(page), before);
});

test("an answer that this tab did not ask for, or of another server, is not believed", async (t) => {
  const context = await visitor(t, browser);
  const page = await context.newPage();
  const asked = [];
  page.on("request", (request) => request.method() === "POST" && asked.push(request.url()));
  await page.goto(`${origin}/callback?code=pfk_code_x&state=y&iss=${encodeURIComponent(`${origin}/auth`)}`);
  await page.getByText("This tab has not asked to sign in.").waitFor();
  for (const iss of ["https://other.example", ""]) {
    await page.evaluate(() => sessionStorage.setItem("sign-in", JSON.stringify({ state: "y", verifier: "z" })));
    await page.goto(`${origin}/callback?code=pfk_code_x&state=y${iss && `&iss=${encodeURIComponent(iss)}`}`);
    await page.getByText("The answer comes from another server.").waitFor();
  }
  assert.deepEqual(asked, []);
  assert.equal(page.url(), `${origin}/`);
});

test("an error of the server is shown as text, and nothing in it is markup", async (t) => {
  const context = await visitor(t, browser);
  const page = await context.newPage();
  await page.goto(origin);
  await page.evaluate(() => sessionStorage.setItem("sign-in", JSON.stringify({ state: "y", verifier: "z" })));
  const query = new URLSearchParams({
    error: "access_denied", error_description: "<img src=x onerror=alert(1)> no", state: "y", iss: `${origin}/auth`,
  });
  await page.goto(`${origin}/callback?${query}`);
  await page.getByText("access_denied: <img src=x onerror=alert(1)> no").waitFor();
  assert.equal(await page.getByRole("img").count(), 0);
  await assertAccessible(page);
});
