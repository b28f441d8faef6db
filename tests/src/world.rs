//! One server with its store, its clock, its users, and what a client does with it over HTTP values.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, Method, StatusCode};
use proofkey::core::{Core, KeyRing, Pages, SessionKeys, StoreCalls, UserSource};
use proofkey::store::Store;
use proofkey::testing::FakeClock;
use proofkey::{
    Builder, Client, ClientSecret, Config, Event, EventKind, Keys, Request, Response, Secret, Server, Settings,
};
use serde_json::Value;

use crate::surroundings::{Events, Surroundings};
use crate::world_file::{ClientEntry, world_file};
use crate::{Faulty, Keeper, People, Rows};

/// The issuer of the tests.
pub const ISSUER: &str = "https://as.example/auth";
/// 2026-01-01T12:00:00Z.
pub const START: u64 = 1_767_268_800;
/// Ada's password.
pub const PASSWORD: &str = "correct horse battery staple";
/// The verifier of RFC 7636 appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// Its challenge.
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// Where the client `web` is called back.
pub const REDIRECT_URI: &str = "https://app.example/cb";
/// Where the confidential client `service` is called back.
pub const SERVICE_URI: &str = "https://service.example/cb";

/// The key that seals everything.
pub const KEY: &str = "cJ8nAnXkXgY0R0hcJ3E4bZQf3t7x1s6pUo5v2wKq9dE=";

/// The secret of a confidential client of the tests; one that is not in `tests/world.toml` gets one made of its name.
#[must_use]
pub fn secret_of(client_id: &str) -> String {
    let configured = world_file().clients.iter().find(|client| client.client_id == client_id);
    if let Some(secret) = configured.and_then(|client| client.client_secret.as_ref()) {
        return secret.clone();
    }
    let mut random = [0; 32];
    for (to, from) in random.iter_mut().zip(client_id.bytes().cycle()) {
        *to = from;
    }
    ClientSecret::generate(random).1.expose_text().unwrap_or_default().to_owned()
}

/// The clients of the tests.
#[must_use]
pub fn clients() -> Vec<Client> {
    world_file().clients.iter().map(ClientEntry::client).collect()
}

/// A key ring, with the session keys of the tests.
///
/// # Panics
/// If the list is no ring.
#[must_use]
pub fn keys(list: &str) -> Keys {
    let keys = Keys::parse(&Secret::from(list));
    let keys = keys.and_then(|keys| keys.with_session(&Secret::from(&*world_file().session_keys)));
    keys.unwrap_or_else(|error| panic!("the keys of the tests: {error}"))
}

/// A builder with everything but a store: keys, clients, scopes, a cheap hash.
pub fn configure<S>(builder: Builder<S>) -> Builder<S> {
    let file = world_file();
    let keys = keys(&file.encryption_keys);
    let builder = clients().into_iter().fold(builder.keys(keys), Builder::client);
    let builder =
        file.scopes.iter().fold(builder, |builder, scope| builder.scope_text(&scope.name, scope.scope_text()));
    builder.password_cost_for_tests(file.password_cost)
}

/// The core of the world's server, without the server: for tests that answer its steps by hand.
///
/// # Panics
/// If the configuration of the tests is wrong.
#[must_use]
pub fn core() -> Core {
    core_with(UserSource::Find, world_file().password_cost, &[])
}

/// The same with users from elsewhere, another cost of bcrypt, and further settings.
///
/// # Panics
/// If the configuration of the tests is wrong.
#[must_use]
pub fn core_with(users: UserSource, password_cost: u32, further: &[(&str, &str)]) -> Core {
    let file = world_file();
    let mut settings = Settings::new();
    for (name, text) in [("issuer", &*file.issuer)].iter().chain(further) {
        settings.set(name, text).unwrap_or_else(|problem| panic!("{problem}"));
    }
    settings.password_cost_for_tests(password_cost);
    for scope in &file.scopes {
        settings.scope(&*scope.name, scope.scope_text());
    }
    let ring = KeyRing::parse(&Secret::from(&*file.encryption_keys));
    let ring = ring.unwrap_or_else(|error| panic!("the keys of the tests: {error}"));
    let mut pages = Pages::default();
    pages.session_keys = SessionKeys::parse(&Secret::from(&*file.session_keys)).ok();
    Core::new(Config::new(settings, ring, users, clients(), pages).unwrap_or_else(|misuse| panic!("{misuse}")))
}

/// A form as a request to the core.
///
/// # Panics
/// If the request cannot be written down.
#[must_use]
pub fn form_request(path: &str, fields: &[(&str, &str)]) -> Request {
    let builder = http::Request::post(path).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    Request::new(builder.body(encode(fields).into()).unwrap_or_else(|error| panic!("a request: {error}")), None)
}

/// An answer, with its body at hand.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// How many store calls the core says it made; zero for an answer without a flow.
    pub store_calls: u32,
}

impl From<Response> for Reply {
    fn from(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let store_calls = parts.extensions.get::<StoreCalls>().map_or(0, |calls| calls.count());
        Self { status: parts.status, headers: parts.headers, body, store_calls }
    }
}

impl Reply {
    /// The body as JSON.
    ///
    /// # Panics
    /// If it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("the body is JSON: {self:?}"))
    }

    /// A member of the JSON body that is a text.
    ///
    /// # Panics
    /// If there is no such text.
    #[must_use]
    pub fn text(&self, name: &str) -> String {
        let value = self.json().get(name).and_then(Value::as_str).map(str::to_owned);
        value.unwrap_or_else(|| panic!("the answer has {name}: {self:?}"))
    }

    /// The OAuth error code; empty if the body has none.
    #[must_use]
    pub fn error(&self) -> String {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        body.get("error").and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// A header field as text; empty if it is absent.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The status as a number and the error code: what most tests ask for.
    #[must_use]
    pub fn outcome(&self) -> (u16, String) {
        (self.status.as_u16(), self.error())
    }
}

/// What a client holds after a sign-in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SignedIn {
    /// The access token.
    pub access: String,
    /// The refresh token.
    pub refresh: String,
}

type Listener = Box<dyn Fn(&http::Request<Bytes>, &Reply) + Send>;

/// A server and its surroundings.
#[non_exhaustive]
pub struct World {
    /// The server.
    pub server: Server,
    /// Its store: notes calls, and fails where it is told to.
    pub store: Arc<Faulty>,
    /// Its clock.
    pub clock: FakeClock,
    /// Its users.
    pub people: People,
    /// Whom requests come from.
    pub peer: Option<IpAddr>,
    events: Events,
    listener: Mutex<Option<Listener>>,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// A world of defaults over the smallest store.
    #[must_use]
    pub fn new() -> Self {
        Self::with(|builder| builder)
    }

    /// A world whose server is configured further.
    #[must_use]
    pub fn with(further: impl FnOnce(Builder<Server>) -> Builder<Server>) -> Self {
        Self::over(Arc::new(Rows::default()), further)
    }

    /// A world over a store.
    ///
    /// # Panics
    /// If the configuration is wrong.
    #[must_use]
    pub fn over(store: Arc<dyn Store>, further: impl FnOnce(Builder<Server>) -> Builder<Server>) -> Self {
        let (builder, surroundings) = Surroundings::of(Server::builder(ISSUER), store);
        Self::build(further(builder.users(surroundings.people.clone())), surroundings)
    }

    /// A world whose server keeps its users itself, in the store.
    ///
    /// # Panics
    /// If the configuration is wrong.
    #[must_use]
    pub fn with_own_users(store: Arc<dyn Store>, further: impl FnOnce(Builder<Server>) -> Builder<Server>) -> Self {
        let (builder, surroundings) = Surroundings::of(Server::builder(ISSUER), store);
        Self::build(further(builder), surroundings)
    }

    /// A world whose users are kept by the host's table, or by the server.
    ///
    /// # Panics
    /// If the configuration is wrong.
    #[must_use]
    pub fn kept_by(
        keeper: Keeper,
        store: Arc<dyn Store>,
        further: impl FnOnce(Builder<Server>) -> Builder<Server>,
    ) -> Self {
        match keeper {
            Keeper::Host => Self::over(store, further),
            Keeper::Server => Self::with_own_users(store, further),
        }
    }

    fn build(builder: Builder<Server>, surroundings: Surroundings) -> Self {
        let server = builder.build().unwrap_or_else(|misuse| panic!("{misuse}"));
        let Surroundings { store, clock, people, events } = surroundings;
        Self { server, store, clock, people, peer: Some(world_file().peer), events, listener: Mutex::default() }
    }

    /// Lets so many seconds pass.
    pub fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// The kinds of the events since the last time this was asked.
    pub fn take_events(&self) -> Vec<EventKind> {
        self.events.take().iter().map(Event::kind).collect()
    }

    /// The events since the last time this was asked.
    pub fn take_full_events(&self) -> Vec<Event> {
        self.events.take()
    }

    /// Has somebody listen to every request and its answer.
    pub fn listen(&self, listener: impl Fn(&http::Request<Bytes>, &Reply) + Send + 'static) {
        *self.listener.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(listener));
    }

    /// Sends a request.
    pub fn send(&self, request: http::Request<Bytes>) -> Reply {
        let sent = request.clone();
        let reply = self.server.handle(request, self.peer).into();
        if let Some(listener) = &*self.listener.lock().unwrap_or_else(PoisonError::into_inner) {
            listener(&sent, &reply);
        }
        reply
    }

    /// Sends a request with these header fields.
    ///
    /// # Panics
    /// If the request cannot be written down.
    pub fn request(&self, method: Method, path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Reply {
        let builder = http::Request::builder().method(method).uri(path);
        let builder = headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value));
        self.send(builder.body(body.into()).unwrap_or_else(|error| panic!("a request: {error}")))
    }

    /// `POST` of a form.
    pub fn form(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        self.form_with(path, &[], fields)
    }

    /// `POST` of a form with further header fields.
    pub fn form_with(&self, path: &str, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Reply {
        let mut all = vec![(CONTENT_TYPE.as_str(), "application/x-www-form-urlencoded")];
        all.extend(headers);
        self.request(Method::POST, path, &all, encode(fields))
    }

    /// `POST` of a form by a confidential client that authenticates by HTTP Basic.
    pub fn form_as(&self, client_id: &str, path: &str, fields: &[(&str, &str)]) -> Reply {
        self.form_with(path, &[(AUTHORIZATION.as_str(), &basic(client_id, &secret_of(client_id)))], fields)
    }

    /// `POST` of JSON.
    pub fn json(&self, path: &str, body: &Value) -> Reply {
        self.request(Method::POST, path, &[(CONTENT_TYPE.as_str(), "application/json")], body.to_string())
    }

    /// `GET` with a bearer token.
    pub fn get(&self, path: &str, bearer: &str) -> Reply {
        self.request(Method::GET, path, &[(AUTHORIZATION.as_str(), &format!("Bearer {bearer}"))], "")
    }

    /// `GET` without anything.
    pub fn get_plain(&self, path: &str) -> Reply {
        self.request(Method::GET, path, &[], "")
    }

    /// The authorization request of Ada by the client `web`; `null` removes a member.
    pub fn authorize(&self, changes: &Value) -> Reply {
        let mut body = serde_json::json!({
            "client_id": "web",
            "redirect_uri": REDIRECT_URI,
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            "state": "af0ifjsldkj",
            "scope": "read write profile email",
            "username": "ada@example.com",
            "password": PASSWORD,
        });
        if let (Some(body), Some(changes)) = (body.as_object_mut(), changes.as_object()) {
            for (name, value) in changes {
                if value.is_null() {
                    body.remove(name);
                } else {
                    body.insert(name.clone(), value.clone());
                }
            }
        }
        self.json("/auth/authorize", &body)
    }

    /// A fresh code of Ada's for the client `web`.
    pub fn code(&self) -> String {
        self.authorize(&Value::Null).text("code")
    }

    /// A fresh code of Ada's; `changes` as for [`World::authorize`].
    pub fn code_with(&self, changes: &Value) -> String {
        self.authorize(changes).text("code")
    }

    /// Redeems a code as the client `web`.
    pub fn redeem(&self, code: &str) -> Reply {
        self.redeem_with(code, &[])
    }

    /// Redeems a code as the client `web`, with some fields changed; an empty text leaves one out.
    pub fn redeem_with(&self, code: &str, changes: &[(&str, &str)]) -> Reply {
        self.form("/auth/token", &with_changes(&redemption(code), changes))
    }

    /// Redeems a code as a confidential client that authenticates by HTTP Basic.
    pub fn redeem_as(&self, client_id: &str, code: &str, changes: &[(&str, &str)]) -> Reply {
        let fields = with_changes(&redemption(code), &[("client_id", "")]);
        self.form_as(client_id, "/auth/token", &with_changes(&fields, changes))
    }

    /// Refreshes as the client `web`.
    pub fn refresh(&self, refresh_token: &str) -> Reply {
        self.form(
            "/auth/token",
            &[("grant_type", "refresh_token"), ("client_id", "web"), ("refresh_token", refresh_token)],
        )
    }

    /// Revokes as the client `web`.
    pub fn revoke(&self, token: &str) -> Reply {
        self.form("/auth/revoke", &[("client_id", "web"), ("token", token)])
    }

    /// Signs Ada in to the client `web`.
    pub fn sign_in(&self) -> SignedIn {
        SignedIn::of(&self.redeem(&self.code()))
    }

    /// Signs Ada in to another client that is called back at [`REDIRECT_URI`]; one that has a secret shows it.
    pub fn sign_in_as(&self, client_id: &str, changes: &Value) -> SignedIn {
        let mut all = serde_json::json!({"client_id": client_id});
        if let (Some(all), Some(changes)) = (all.as_object_mut(), changes.as_object()) {
            all.extend(changes.clone());
        }
        let code = self.code_with(&all);
        let public = clients().iter().any(|client| client.client_id() == client_id && !client.is_confidential());
        SignedIn::of(&if public {
            self.redeem_with(&code, &[("client_id", client_id)])
        } else {
            self.redeem_as(client_id, &code, &[])
        })
    }

    /// What introspection tells a confidential client about a token.
    pub fn introspect(&self, client_id: &str, token: &str) -> Reply {
        self.form_as(client_id, "/auth/introspect", &[("token", token)])
    }

    /// Whether an access token works at `/userinfo`.
    pub fn works(&self, access_token: &str) -> bool {
        self.get("/auth/userinfo", access_token).status == StatusCode::OK
    }
}

impl SignedIn {
    /// The tokens of an answer of the token endpoint.
    ///
    /// # Panics
    /// If it holds none.
    #[must_use]
    pub fn of(reply: &Reply) -> Self {
        Self { access: reply.text("access_token"), refresh: reply.text("refresh_token") }
    }
}

/// A redemption by the client `web`.
fn redemption(code: &str) -> [(&str, &str); 5] {
    [
        ("grant_type", "authorization_code"),
        ("client_id", "web"),
        ("code", code),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ]
}

/// Fields, of which some are replaced, added or, by an empty text, left out.
pub(crate) fn with_changes<'a>(
    fields: &[(&'a str, &'a str)],
    changes: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let kept = fields.iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    kept.chain(changes.iter().filter(|(_, value)| !value.is_empty())).copied().collect()
}

/// A form body, or a query.
#[must_use]
pub fn encode(fields: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect();
    pairs.join("&")
}

fn escape(text: &str) -> String {
    text.bytes().fold(String::new(), |mut escaped, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
        escaped
    })
}

/// The value of an `Authorization` header of the Basic scheme (RFC 6749 section 2.3.1).
#[must_use]
pub fn basic(client_id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{}:{}", escape(client_id), escape(secret))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_that_tests_write_are_those_of_the_file() {
        let file = world_file();
        let named = |name: &str| file.names.get(name).map(String::as_str);
        assert_eq!((&*file.issuer, file.start), (ISSUER, START));
        assert_eq!(named("password"), Some(PASSWORD));
        assert_eq!(named("verifier"), Some(VERIFIER));
        assert_eq!(named("challenge"), Some(CHALLENGE));
        assert_eq!(named("redirect_uri"), Some(REDIRECT_URI));
        let subjects: Vec<&str> = file.users.iter().map(|user| &*user.subject).collect();
        assert_eq!(subjects, [crate::ADA, crate::BOB]);
    }
}
