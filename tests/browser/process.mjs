// Programs of this repository, started for a test and ended with it.

import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");
const binaries = join(process.env.CARGO_TARGET_DIR ?? join(root, "target"), "debug");

/// A directory that ends with the test process's use of it.
export function directory() {
  const path = mkdtempSync(join(tmpdir(), "proofkey-browser-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/// Runs a program to its end; what it prints on its standard output.
export function run(name, options, ...given) {
  return execFileSync(join(binaries, name), given, { encoding: "utf8", env: environment(), stdio: "pipe", ...options });
}

/// Starts a program and waits until it prints a line that `ready` matches; resolves to the match and to a way to stop.
export async function start(name, ready, options, ...given) {
  const child = spawn(join(binaries, name), given, { env: environment(), stdio: ["ignore", "pipe", "pipe"], ...options });
  let printed = "";
  const ended = new Promise((resolve) => child.once("close", resolve));
  const match = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => reject(new Error(`${name} ended with ${code}:\n${printed}`)));
    child.stderr.on("data", (text) => (printed += text));
    child.stdout.on("data", (text) => {
      printed += text;
      const found = ready.exec(printed);
      if (found) resolve(found);
    });
  });
  const stop = async () => {
    child.kill();
    await ended;
  };
  return { match, stop, printed: () => printed };
}

/// Without settings of whoever runs the tests.
function environment() {
  const ours = /^(PROOFKEY_|DATABASE_URL|OAUTH2_|SECRET_ENCRYPTION_KEY|RSA_PRIVATE_KEY_PEM|AUDIT_LOG|RATE_LIMIT)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
}
