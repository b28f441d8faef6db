// A server as an operator runs it, behind TLS, with the clients of the tests beside it. All hosts are on this machine.

import { execFileSync } from "node:child_process";
import { createHash, createHmac, hkdfSync, randomBytes } from "node:crypto";
import { appendFileSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { launch } from "./browser.mjs";
import { directory, run, start } from "./process.mjs";

export const ISSUER = "https://id.example";
export const PASSWORD = "correct horse battery staple";
const SECRET = "a secret of the tests of this repository";

/// A third party that keeps a secret, and the operator's own page.
export const CRM = { client_id: "crm", redirect_uri: "https://crm.example/callback" };
export const SHOP = { client_id: "shop", redirect_uri: "https://shop.example/callback" };

const SETTINGS = `
"contacts:read" = "See your contacts"
"contacts:write" = "Change your contacts"

[[clients]]
client_id = "crm"
client_name = "Contacts Ltd"
client_secret = "${SECRET}"
redirect_uris = ["${CRM.redirect_uri}"]

[[clients]]
client_id = "shop"
client_name = "The shop"
redirect_uris = ["${SHOP.redirect_uri}"]
first_party = true

[[clients]]
client_id = "tool"
client_name = "A tool"
redirect_uris = ["http://127.0.0.1/callback"]
application_type = "native"
`;

/// Starts all of it, with these settings besides.
export async function open(settings = {}) {
  const data = directory();
  const file = join(data.path, "proofkey.toml");
  const at = ["--config", file];
  run("proofkey", {}, "init", ...at, "--issuer", ISSUER, "--store", `sqlite:///${join(data.path, "auth.db")}`);
  appendFileSync(file, SETTINGS);
  const given = Object.entries({ password_cost: "10", page_name: "Example", ...settings });
  const set = given.flatMap(([name, value]) => ["--set", `${name}=${value}`]);
  const server = await start("proofkey", /listen +127\.0\.0\.1:(\d+)\n/, {}, "serve", ...at, "--listen", "127.0.0.1:0", ...set);
  const client = await listen(createServer((request, response) => {
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.end("<!doctype html><html lang=en><title>Back</title><main><h1>Back at the client</h1></main></html>");
  }));
  const port = Number(server.match[1]);
  const ports = { "id.example": port, "crm.example": client.port, "shop.example": client.port };
  const gate = await listen(createTlsServer(certificate(data.path), (socket) => {
    const onward = connect(ports[socket.servername], "127.0.0.1");
    const end = () => [socket, onward].forEach((one) => one.destroy());
    [socket, onward].forEach((one) => one.on("error", end).on("close", end));
    socket.pipe(onward).pipe(socket);
  }));
  const token = async (client_id, fields) => {
    const body = new URLSearchParams(client_id === "crm" ? fields : { ...fields, client_id });
    const headers = client_id === "crm" ? { authorization: `Basic ${btoa(`crm:${encodeURIComponent(SECRET)}`)}` } : {};
    const answer = await fetch(`http://127.0.0.1:${port}/token`, { method: "POST", headers, body });
    return { status: answer.status, ...(await answer.json()) };
  };
  let people = 0;
  const browser = await launch(Object.fromEntries(Object.keys(ports).map((host) => [host, gate.port])));
  return {
    browser,
    /// Adds somebody whom no other test knows, and who can sign in; their name.
    somebody: () => {
      people += 1;
      const name = `ada-${people}@example.com`;
      run("proofkey", { input: `${PASSWORD}\n` }, "users", "add", name, ...at, ...set, "--password-stdin");
      return name;
    },
    /// A command of the operator.
    operator: (...command) => run("proofkey", {}, ...command, ...at, ...set),
    /// What the operator sends to somebody who forgot a password.
    resetLink: (name) => /https:\S+/.exec(run("proofkey", {}, "users", "reset-link", name, ...at, ...set))[0],
    /// An application on the device, which listens at a port of its own.
    tool: { client_id: "tool", redirect_uri: `http://127.0.0.1:${client.port}/callback` },
    /// Redeems a code as its client does, past the browser.
    redeem: (asked, code) => token(asked.client_id, {
      grant_type: "authorization_code", code, redirect_uri: asked.redirect_uri, code_verifier: asked.verifier,
    }),
    refresh: (asked, refresh_token) => token(asked.client_id, { grant_type: "refresh_token", refresh_token }),
    /// A travelling request as it would be if it had been made `seconds` before.
    aged: (sealed, seconds) => aged(sealed, seconds, sessionKey(data.path)),
    close: async () => {
      await browser.close();
      gate.close();
      client.close();
      await server.stop();
      data.remove();
    },
  };
}

/// Begins an authorization request; its address, and what the client keeps.
export function ask({ client_id, redirect_uri }, more = {}) {
  const verifier = randomBytes(32).toString("base64url");
  const query = {
    response_type: "code", client_id, redirect_uri, scope: "contacts:read", state: randomBytes(8).toString("base64url"),
    code_challenge: createHash("sha256").update(verifier).digest("base64url"), code_challenge_method: "S256", ...more,
  };
  return { url: `${ISSUER}/authorize?${new URLSearchParams(query)}`, state: query.state, verifier, client_id, redirect_uri };
}

async function listen(server) {
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const sockets = new Set();
  server.on("connection", (socket) => sockets.add(socket.on("close", () => sockets.delete(socket))));
  const close = () => {
    server.close();
    sockets.forEach((socket) => socket.destroy());
  };
  return { port: server.address().port, close };
}

/// Fernet: version, time, and the rest, with a MAC under the first half of the key.
function aged(sealed, seconds, key) {
  const token = Buffer.from(sealed, "base64url");
  token.writeBigUInt64BE(token.readBigUInt64BE(1) - BigInt(seconds), 1);
  const signed = token.subarray(0, -32);
  const mac = createHmac("sha256", key.subarray(0, 16)).update(signed).digest();
  return Buffer.concat([signed, mac]).toString("base64url");
}

/// The key of travelling requests, derived as the server does it.
function sessionKey(path) {
  const [, text] = /^SECRET_ENCRYPTION_KEY="?([^"\n]+)/m.exec(readFileSync(join(path, "proofkey.env"), "utf8"));
  const derive = (key, label) => Buffer.from(hkdfSync("sha256", key, "", label, 32));
  return derive(derive(Buffer.from(text, "base64"), "proofkey session 1"), "proofkey travelling request 1");
}

/// A certificate of its own for this run; the browser is told to accept it.
function certificate(path) {
  const [key, cert] = ["key.pem", "cert.pem"].map((name) => join(path, name));
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const subject = ["-subj", "/CN=tests", "-addext", "subjectAltName=DNS:id.example,DNS:crm.example,DNS:shop.example"];
  execFileSync("openssl", ["req", "-x509", ...curve, ...subject, "-days", "2", "-keyout", key, "-out", cert], { stdio: "ignore" });
  return { key: readFileSync(key), cert: readFileSync(cert) };
}
