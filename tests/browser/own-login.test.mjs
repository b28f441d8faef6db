// examples/own-login in a browser: a login page of the host's own, with a password and a code.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, test } from "node:test";
import { LOOKS, assertAccessible, launch, visitor } from "./browser.mjs";
import { start } from "./process.mjs";

const EMAIL = "ada@example.com";
const PASSWORD = "a walk by the sea in May";
const CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

let browser, issuer, stop;

before(async () => {
  const program = await start("proofkey-example-own-login", /issuer (\S+)\n/, {}, "127.0.0.1:0");
  [, issuer] = program.match;
  stop = program.stop;
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await stop?.();
});

function authorize(client_id, changes = {}) {
  const query = { response_type: "code", client_id, scope: "contacts:read", state: "s", code_challenge: CHALLENGE };
  return `${issuer}/authorize?${new URLSearchParams({ ...query, code_challenge_method: "S256", ...changes })}`;
}

/// What an authenticator app shows, `periods` from now (RFC 6238). Of each code a test uses another one: none works twice.
function codeOf(periods) {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + periods));
  const mac = createHmac("sha1", "12345678901234567890").update(counter).digest();
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

/// Does something that leads to a client, which nobody runs here; resolves to where the browser was sent.
async function sent(page, host, act) {
  const asked = page.waitForRequest((request) => new URL(request.url()).host === host);
  await act();
  return new URL((await asked).url());
}

const press = (page, name) => page.getByRole("button", { name }).click();

for (const look of [LOOKS[0], LOOKS[3]]) {
  test(`the host asks for a password and a code, and we for consent: ${look.name}`, async (t) => {
    const context = await visitor(t, browser, look);
    const page = await context.newPage();
    await page.goto(authorize("crm", { login_hint: EMAIL }));
    assert.equal(new URL(page.url()).pathname, "/signin");
    await page.getByText("to go on to The CRM at crm.example").waitFor();
    if (look.script) await assertAccessible(page);
    await page.getByLabel("Password").fill("a wrong one");
    await press(page, "Go on");
    await page.getByRole("alert").waitFor();
    await page.getByLabel("E-mail").fill(EMAIL);
    await page.getByLabel("Password").fill(PASSWORD);
    await press(page, "Go on");
    await page.getByLabel("six digits").fill("000000");
    await press(page, "Go on");
    await page.getByRole("alert").waitFor();
    if (look.script) await assertAccessible(page);
    await page.getByLabel("six digits").fill(codeOf(LOOKS.indexOf(look) === 0 ? 0 : 1));
    const back = await sent(page, "crm.example", () => press(page, "Go on"));
    assert.match(back.searchParams.get("code"), /^pfk_code_/);
    assert.deepEqual([back.searchParams.get("state"), back.searchParams.get("iss")], ["s", issuer]);

    // The host's own sign-in holds, so a client of others meets nothing but our page of consent.
    const second = await context.newPage();
    await second.goto(authorize("partner", { prompt: "consent" }));
    assert.equal(new URL(second.url()).pathname, "/auth/consent");
    await second.getByRole("heading", { name: "Allow A partner access to your account?" }).waitFor();
    if (look.script) await assertAccessible(second);
    const allowed = await sent(second, "partner.example", () => press(second, "Allow"));
    assert.match(allowed.searchParams.get("code"), /^pfk_code_/);
  });
}

test("a request that another browser began signs nobody in on the host's page", async (t) => {
  const attacker = await (await visitor(t, browser)).newPage();
  await attacker.goto(authorize("crm"));
  const victim = await (await visitor(t, browser)).newPage();
  await victim.goto(attacker.url());
  await victim.getByRole("heading", { name: "This form cannot be accepted" }).waitFor();
  await assertAccessible(victim);
});
