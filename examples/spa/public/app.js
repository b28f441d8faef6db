// Signs in by authorization code and PKCE, calls an API, refreshes, and signs out. Everything that an application has
// to change stands at the top; docs/spa.md explains the rest.

const issuer = `${location.origin}/auth`; // most have it elsewhere: https://id.example.com
const client_id = "spa";
const redirect_uri = `${location.origin}/callback`; // the same page, as it is registered
const scope = "contacts:read";

let server; // the metadata of the authorization server, once it has answered

// The server says itself where its endpoints are (RFC 8414).
async function discover() {
  const { origin, pathname } = new URL(issuer);
  const response = await fetch(`${origin}/.well-known/oauth-authorization-server${pathname === "/" ? "" : pathname}`);
  const metadata = await response.json();
  if (metadata.issuer !== issuer) throw new Error("The authorization server is not the one that was expected.");
  return metadata;
}

// To the pages of the server. State and verifier stay in this tab, so that two tabs can sign in at once.
async function signIn() {
  const begun = { state: random(), verifier: random() };
  sessionStorage.setItem("sign-in", JSON.stringify(begun));
  const query = new URLSearchParams({
    response_type: "code", client_id, redirect_uri, scope, state: begun.state,
    code_challenge: await sha256(begun.verifier), code_challenge_method: "S256",
  });
  location.assign(`${server.authorization_endpoint}?${query}`);
}

// And back, with a code or an error. Whatever comes is believed only if this tab asked this server for it.
async function finishSignIn(answer) {
  const begun = JSON.parse(sessionStorage.getItem("sign-in"));
  if (!begun || answer.get("state") !== begun.state) throw new Error("This tab has not asked to sign in.");
  sessionStorage.removeItem("sign-in");
  if (answer.get("iss") !== issuer) throw new Error("The answer comes from another server."); // RFC 9207
  if (answer.has("error")) throw new Refused(answer.get("error"), answer.get("error_description"));
  save(await request({
    grant_type: "authorization_code", code: answer.get("code"), redirect_uri, code_verifier: begun.verifier,
  }));
}

// Asks the token endpoint.
async function request(fields) {
  const body = new URLSearchParams({ client_id, ...fields });
  const response = await fetch(server.token_endpoint, { method: "POST", body });
  const answer = await response.json();
  if (!response.ok) throw new Refused(answer.error, answer.error_description);
  return { ...answer, ends: Date.now() + answer.expires_in * 1000 };
}

class Refused extends Error {
  constructor(error, description) {
    super(description ? `${error}: ${description}` : error);
    this.error = error;
  }
}

// All tabs share one set of tokens. It is read anew each time, since another tab may have changed it.
function tokens() {
  return JSON.parse(localStorage.getItem("tokens"));
}

function save(set) {
  if (set) localStorage.setItem("tokens", JSON.stringify(set));
  else localStorage.removeItem("tokens");
  show();
}

// Gets new tokens in the place of those with the access token `stale`; null if the sign-in has ended.
function refresh(stale) {
  return oneTabAtATime(async () => {
    const old = tokens();
    if (!old || old.access_token !== stale) return old; // another tab was faster
    let fresh = null;
    try {
      fresh = { ...old, ...(await request({ grant_type: "refresh_token", refresh_token: old.refresh_token })) };
    } catch (error) {
      if (error.error !== "invalid_grant") throw error; // nothing has ended: the network, or a busy server
    }
    // What another tab has left meanwhile, by refreshing or by signing out, is newer.
    if (tokens()?.refresh_token === old.refresh_token) save(fresh);
    return tokens();
  });
}

// Saves requests, and is not needed for more: tabs that refresh at once get the same tokens from the server.
function oneTabAtATime(work) {
  return navigator.locks ? navigator.locks.request("refresh", work) : work();
}

// Calls the API. A token that is refused is refreshed once.
async function api(path) {
  const get = ({ access_token }) => fetch(path, { headers: { authorization: `Bearer ${access_token}` } });
  let held = tokens();
  let response = held && (await get(held));
  if (response?.status === 401) {
    held = await refresh(held.access_token);
    response = held && (await get(held));
  }
  if (!response) throw new Error("Your sign-in has ended.");
  if (!response.ok) throw new Error(`The API answers ${response.status}.`);
  return response.json();
}

// Out of the application first, then, on the server's page, out of the browser's session.
async function signOut() {
  const held = tokens();
  save(null);
  try {
    const body = new URLSearchParams({ client_id, token: held.refresh_token });
    await fetch(server.revocation_endpoint, { method: "POST", body });
  } finally {
    location.assign(`${issuer}/logout`);
  }
}

async function loadContacts() {
  const lines = (await api("/api/contacts")).map(({ name, email }) => {
    const line = document.createElement("li");
    line.textContent = `${name}, ${email}`; // never innerHTML
    return line;
  });
  element("contacts").replaceChildren(...lines);
}

function show() {
  const held = tokens();
  element("signed-out").hidden = Boolean(held);
  element("signed-in").hidden = !held;
  if (held) element("token").textContent = `The access token works until ${new Date(held.ends).toLocaleTimeString()}.`;
  else element("contacts").replaceChildren();
}

// Runs what a button does, and says what went wrong.
async function act(work) {
  let problem = "";
  try {
    await work();
  } catch (error) {
    problem = error.message;
  }
  element("problem").textContent = problem;
  element("problem").hidden = !problem;
  show();
}

async function start() {
  const answer = location.pathname === "/callback" && new URLSearchParams(location.search);
  if (answer) history.replaceState(null, "", "/"); // no code stays in the address, the history or a bookmark
  server = await discover();
  if (answer) await finishSignIn(answer);
  if (tokens()) await loadContacts();
}

const element = (id) => document.getElementById(id);
const base64url = (bytes) => btoa(String.fromCharCode(...bytes)).replace(/[+/=]/g, (sign) => ({ "+": "-", "/": "_" })[sign] ?? "");
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));
const sha256 = async (text) => base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))));

for (const [id, work] of Object.entries({
  "sign-in": signIn, "load": loadContacts, "refresh": () => refresh(tokens()?.access_token), "sign-out": signOut,
})) element(id).addEventListener("click", () => act(work));
addEventListener("storage", show); // another tab has signed in, refreshed or signed out
addEventListener("pageshow", show); // back from the history, where no events arrive
act(start);
