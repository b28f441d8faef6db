// Chromium as Debian packages it, and how pages are looked at.

import assert from "node:assert/strict";
import { accessSync, constants, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import axe from "axe-core";
import { chromium } from "playwright-core";
import { withPalette } from "./png.mjs";

/// Screens that pages have to fit.
export const SCREENS = { wide: { width: 1280, height: 800 }, narrow: { width: 360, height: 640 } };

/// A look is a screen, a colour scheme, and whether pages may run script.
export const LOOKS = [
  { name: "wide, light", screen: "wide", scheme: "light", script: true },
  { name: "narrow, dark", screen: "narrow", scheme: "dark", script: true },
  { name: "wide, dark, without script", screen: "wide", scheme: "dark", script: false },
  { name: "narrow, light, without script", screen: "narrow", scheme: "light", script: false },
];

/// Starts the browser; `hosts` are names that it looks up at ports of this machine.
export async function launch(hosts = {}) {
  const rules = Object.entries(hosts).map(([name, port]) => `MAP ${name} 127.0.0.1:${port}`);
  return chromium.launch({
    executablePath: program(),
    args: [
      `--host-resolver-rules=${[...rules, "MAP * ~NOTFOUND", "EXCLUDE 127.0.0.1"].join(", ")}`,
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []), // as root there is none
    ],
  });
}

function program() {
  const named = process.env.CHROMIUM;
  if (named) return named;
  const found = (process.env.PATH ?? "").split(delimiter).map((place) => join(place, "chromium")).find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  assert(found, "there is no chromium; run scripts/install-browser, or name one: CHROMIUM=/path/to/chromium");
  return found;
}

/// Somebody's browser: cookies and storage of its own. It ends with the test.
export async function visitor(t, browser, look = LOOKS[0]) {
  const context = await browser.newContext({
    viewport: SCREENS[look.screen],
    colorScheme: look.scheme,
    javaScriptEnabled: look.script,
    ignoreHTTPSErrors: true,
    reducedMotion: "reduce",
    locale: "en-GB",
  });
  context.setDefaultTimeout(15_000);
  t.after(() => context.close());
  return context;
}

/// No violation of WCAG 2.2 A and AA, nor of the checker's best practice. It needs a page that may run script; the
/// policy of the page stays in force. Nor is there anything to scroll sideways.
export async function assertAccessible(page) {
  await page.evaluate(axe.source);
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const violations = await page.evaluate(async (values) => {
    const found = await window.axe.run(document, { runOnly: { type: "tag", values } });
    return found.violations.map(({ id, help, nodes }) => `${id}: ${help}\n  ${nodes.map((node) => node.html).join("\n  ")}`);
  }, tags);
  assert.deepEqual(violations, [], `${page.url()} is not accessible`);
  const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(sideways, 0, `${page.url()} has to be scrolled sideways`);
}

/// Writes a picture for the documents, if `PROOFKEY_SCREENSHOTS` is set.
export async function picture(page, name) {
  if (!process.env.PROOFKEY_SCREENSHOTS) return;
  const directory = join(import.meta.dirname, "../../docs/screenshots");
  mkdirSync(directory, { recursive: true });
  const taken = await page.screenshot({ fullPage: true, animations: "disabled", caret: "hide" });
  writeFileSync(join(directory, `${name}.png`), withPalette(taken));
}
