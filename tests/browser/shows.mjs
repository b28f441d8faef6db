// Which conformance rows a test shows: the part of `proofkey_conformance::shows` for tests in JavaScript, with the same
// files in the directory of a run.

import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, readFileSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";

const rows = join(import.meta.dirname, "../conformance");

const known = new Set(
  readdirSync(rows)
    .filter((name) => name.endsWith(".toml") && !["deferred.toml", "vectors.toml"].includes(name))
    .flatMap((name) => [...readFileSync(join(rows, name), "utf8").matchAll(/^id = "([^"]+)"/gm)].map(([, id]) => id)),
);

/// The body of a test that shows these rows: after it, each of them is noted as passed or failed. `PROOFKEY_CONFORMANCE`
/// names the directory of the run; without it nothing is written.
export function shows(ids, body) {
  assert(ids.length > 0, "a test that shows rows names at least one");
  for (const id of ids) assert(known.has(id), `there is no conformance row ${id} in tests/conformance`);
  return async (t) => {
    let outcome = "fail";
    try {
      await body(t);
      outcome = "pass";
    } finally {
      note(outcome, ids, `tests/browser/${basename(process.argv[1])}: ${t.name.replaceAll(/[\r\n]/g, " ")}`);
    }
  };
}

function note(outcome, ids, test) {
  const directory = process.env.PROOFKEY_CONFORMANCE;
  if (!directory) return;
  mkdirSync(directory, { recursive: true });
  appendFileSync(join(directory, `${process.pid}-browser`), ids.map((id) => `${outcome} ${id} ${test}\n`).join(""));
}
