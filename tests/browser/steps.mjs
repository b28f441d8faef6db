// What people do on the pages, and how it is seen that they arrived.

import assert from "node:assert/strict";
import { assertAccessible, picture } from "./browser.mjs";
import { ISSUER, PASSWORD, SHOP, ask } from "./front-door.mjs";

export const button = (page, name) => page.getByRole("button", { name, exact: true });
export const heading = (page, name) => page.getByRole("heading", { level: 1, name });

/// Fills the form and sends it.
export async function sign(page, name, password = PASSWORD) {
  await page.getByLabel("User name").fill(name);
  await page.getByLabel("Password").fill(password);
  await button(page, "Sign in").click();
}

/// Waits until the browser is back at the client; what the client is told.
export async function back(page, asked) {
  await page.waitForURL((url) => url.href.startsWith(`${asked.redirect_uri}?`));
  await heading(page, "Back at the client").waitFor();
  const answer = Object.fromEntries(new URL(page.url()).searchParams);
  assert.equal(answer.state, asked.state);
  assert.equal(answer.iss, ISSUER);
  return answer;
}

/// Signs in at the operator's own client, which needs no consent.
export async function enter(page, name) {
  const asked = ask(SHOP);
  await page.goto(asked.url);
  await sign(page, name);
  return { asked, answer: await back(page, asked) };
}

/// Looks at a page, where it may run the checker; with a name, a picture of it stands in the documents.
export async function look(page, how, name) {
  if (!how.script) return;
  await assertAccessible(page);
  if (name) await picture(page, `${name}-${how.screen}-${how.scheme}`);
}
