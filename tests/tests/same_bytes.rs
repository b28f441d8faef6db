//! Every flow twice: the server that blocks and the one for tokio, with the same seed and clock, give the same bytes, in
//! their answers, in their events and in the store; and so does the same server a second time.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proofkey::core::{Key, Query, Record, UnixTime, Version, Write};
use proofkey::store::{AsyncStore, Store};
use proofkey::testing::FakeClock;
use proofkey::{
    AsyncServer, AuthMethod, BoxFuture, Builder, Client, ClientCredentials, ClientSecret, CodeExchange, GrantType,
    Keys, Request, Requirement, Scope, Secret, Server, StoreError, User, UserChange,
};
use proofkey_tests::{
    CHALLENGE, Form, ISSUER, Jar, PASSWORD, REDIRECT_URI, Reply, Rows, START, VERIFIER, authorize_path, configure,
    secret_of,
};
use serde::Serialize;
use serde_json::{Value, json};

/// A ring of two keys, so that the second can be retired.
const RING: &str = "cJ8nAnXkXgY0R0hcJ3E4bZQf3t7x1s6pUo5v2wKq9dE=,Zm9yIHRoZSB0ZXN0cyBvZiBwcm9vZmtleSBvbmx5ISE=";

/// What came of a walk.
#[derive(Default)]
struct Seen {
    answers: Vec<String>,
    calls: BTreeSet<&'static str>,
    paths: BTreeSet<String>,
}

impl Seen {
    /// Notes the outcome of a typed call that can be written as JSON, secrets and all.
    fn call<T: Serialize, E: Debug>(&mut self, name: &'static str, outcome: Result<T, E>) -> Value {
        self.calls.insert(name);
        let value = outcome.map(|value| serde_json::to_value(value).unwrap());
        self.answers.push(format!("{name}: {value:?}"));
        value.unwrap_or_default()
    }

    /// Notes one that cannot.
    fn call_of<T: Debug, E: Debug>(&mut self, name: &'static str, outcome: &Result<T, E>) {
        self.calls.insert(name);
        self.answers.push(format!("{name}: {outcome:?}"));
    }

    fn http(&mut self, path: &str, response: proofkey::Response) -> Reply {
        let reply = Reply::from(response);
        self.paths.insert(path.to_owned());
        self.answers.push(format!("{path}: {} {:?} {:?}", reply.status, reply.headers, reply.body));
        reply
    }
}

fn get(path: &str, bearer: &str) -> http::Request<bytes::Bytes> {
    let request = http::Request::get(path).header("origin", "https://app.example");
    request.header("authorization", format!("Bearer {bearer}")).body(bytes::Bytes::new()).unwrap()
}

fn post(path: &str, body: &Value) -> http::Request<bytes::Bytes> {
    let request = http::Request::post(path).header("content-type", "application/json");
    request.body(body.to_string().into()).unwrap()
}

fn form(path: &str, body: String) -> http::Request<bytes::Bytes> {
    let request = http::Request::post(path).header("content-type", "application/x-www-form-urlencoded");
    request.body(body.into()).unwrap()
}

/// What a browser with these cookies asks for.
fn browse(jar: &Jar, path: &str) -> http::Request<bytes::Bytes> {
    let cookies = jar.header(path.split('?').next().unwrap(), 0).unwrap_or_default();
    http::Request::get(path).header("cookie", cookies).body(bytes::Bytes::new()).unwrap()
}

/// What it sends once somebody has filled in a form.
fn submit(jar: &Jar, filled: &Form, fields: &[(&str, &str)]) -> http::Request<bytes::Bytes> {
    let all = filled.fields.iter().map(|(name, value)| (&**name, &**value));
    let all = all.filter(|(name, _)| fields.iter().all(|(typed, _)| typed != name)).chain(fields.iter().copied());
    let pairs: Vec<String> = all.map(|(name, value)| format!("{name}={}", value.replace(' ', "+"))).collect();
    let mut request = form(&filled.action, pairs.join("&"));
    let cookies = jar.header(&filled.action, 0).unwrap_or_default();
    request.headers_mut().insert("cookie", cookies.parse().unwrap());
    request
}

fn sign_in(password: &str) -> Value {
    json!({
        "client_id": "web", "redirect_uri": REDIRECT_URI, "code_challenge": CHALLENGE, "code_challenge_method": "S256",
        "state": "s", "scope": "read write profile", "username": "ada@example.com", "password": password,
    })
}

fn exchange(code: &str) -> CodeExchange {
    CodeExchange::new(Secret::from(code), Secret::from(VERIFIER)).redirect_uri(REDIRECT_URI)
}

fn secret(of: &Value, name: &str) -> Secret {
    Secret::from(of[name].as_str().unwrap_or_default())
}

fn web() -> ClientCredentials {
    ClientCredentials::public("web")
}

fn inspector() -> ClientCredentials {
    ClientCredentials::secret("inspector", Secret::from(&*secret_of("inspector")))
}

/// Walks through every typed call and every endpoint; `$wait` is what an answer of the server is passed through.
macro_rules! walk {
    ($server:expr, $clock:expr, $wait:path) => {{
        let (server, clock, mut seen) = ($server, $clock, Seen::default());
        let ada = "ada@example.com";

        // What an operator does.
        seen.call("check_in", $wait(server.check_in()));
        let stored = Client::public("stored").redirect_uri(REDIRECT_URI);
        seen.call("create_client", $wait(server.create_client(stored.clone())));
        seen.call("create_client", $wait(server.create_client(stored.clone())));
        seen.call("update_client", $wait(server.update_client(stored.name("Stored"))));
        seen.call_of("stored_client", &$wait(server.stored_client("stored")));
        seen.call_of("stored_clients", &$wait(server.stored_clients()));
        let user = User::new(ada).with_username(ada).with_claim("name", "Ada L.");
        let subject = seen.call("create_user", $wait(server.create_user(user, Secret::from(PASSWORD))));
        let subject = subject.as_str().unwrap();
        seen.call("stored_user", $wait(server.stored_user(ada)));
        seen.call("stored_users", $wait(server.stored_users()));
        for name in ["user:ada@example.com", "client:stored", "grant:unknown", "x"] {
            seen.call("record", $wait(server.record(name)));
        }
        seen.call("change_user", $wait(server.change_user(ada, UserChange::Disable)));
        seen.http("/auth/authorize", $wait(server.handle(post("/auth/authorize", &sign_in(PASSWORD)), None)));
        seen.call("change_user", $wait(server.change_user(ada, UserChange::Enable)));
        let other = UserChange::Password(Secret::from("another long passphrase"));
        seen.call("change_user", $wait(server.change_user(ada, other)));
        let sign_in = || sign_in("another long passphrase");
        seen.call("unlock_user", $wait(server.unlock_user(ada)));
        let link = $wait(server.reset_link(ada));
        seen.call_of("reset_link", &link);
        let link = link.unwrap().unwrap();
        let link = link.expose_text().unwrap().strip_prefix("https://as.example").unwrap();
        seen.http("/auth/reset", $wait(server.handle(get(link, "x"), None)));

        // The typed calls of a client.
        seen.call("pkce", $wait(server.pkce()));
        let code = seen.http("/auth/authorize", $wait(server.handle(post("/auth/authorize", &sign_in()), None)));
        let tokens = seen.call("redeem", $wait(server.redeem(web(), exchange(&code.text("code")))));
        let request = Request::new(get("/things", tokens["access_token"].as_str().unwrap()), None);
        let scope = Scope::parse("read").unwrap();
        seen.call_of("check_access", &$wait(server.check_access(request, Requirement::scope(scope.clone()))));
        seen.call("introspect", $wait(server.introspect(inspector(), secret(&tokens, "access_token"))));
        let refresh = || secret(&tokens, "refresh_token");
        let narrow = seen.call("refresh", $wait(server.refresh(web(), refresh(), Some(scope))));
        seen.call("refresh", $wait(server.refresh(web(), refresh(), None)));
        seen.call("grants_of_client", $wait(server.grants_of_client("web")));
        seen.call("revoke", $wait(server.revoke(web(), secret(&narrow, "refresh_token"))));
        seen.call("redeem", $wait(server.redeem(web(), exchange("pfk_code_forged"))));

        // The same over HTTP.
        clock.advance(Duration::from_secs(7));
        seen.http("/auth/challenge", $wait(server.handle(post("/auth/challenge", &json!({})), None)));
        let code = seen.http("/auth/authorize", $wait(server.handle(post("/auth/authorize", &sign_in()), None)));
        let redeem = json!({
            "grant_type": "authorization_code", "client_id": "web", "code": code.text("code"),
            "redirect_uri": REDIRECT_URI, "code_verifier": VERIFIER,
        });
        let tokens = seen.http("/auth/token", $wait(server.handle(post("/auth/token", &redeem), None)));
        let (access, refresh) = (tokens.text("access_token"), tokens.text("refresh_token"));
        seen.http("/auth/userinfo", $wait(server.handle(get("/auth/userinfo", &access), None)));
        seen.http("/auth/me", $wait(server.handle(get("/auth/me", &access), None)));
        let again = json!({ "client_id": "web", "refresh_token": refresh });
        let first = seen.http("/auth/refresh", $wait(server.handle(post("/auth/refresh", &again), None)));
        let repeat = seen.http("/auth/refresh", $wait(server.handle(post("/auth/refresh", &again), None)));
        assert_eq!(first.body, repeat.body);
        let service = format!("client_id=teller&client_secret={}", secret_of("teller"));
        let own = format!("grant_type=client_credentials&{service}&scope=read");
        let own = seen.http("/auth/token", $wait(server.handle(form("/auth/token", own), None)));
        let question = format!("{service}&token={}", own.text("access_token"));
        seen.http("/auth/introspect", $wait(server.handle(form("/auth/introspect", question), None)));
        let revocation = format!("client_id=web&token={}", first.text("refresh_token"));
        seen.http("/auth/revoke", $wait(server.handle(form("/auth/revoke", revocation), None)));
        seen.http("/auth/me", $wait(server.handle(get("/auth/me", &access), None)));
        seen.http("/auth/token", $wait(server.handle(post("/auth/token", &redeem), None)));
        // What people see.
        let mut jar = Jar::default();
        let asked = [("client_id", "third"), ("redirect_uri", "https://third.example/cb")];
        let page = $wait(server.handle(browse(&jar, &authorize_path(&asked)), None));
        let page = seen.http("/auth/authorize", page);
        jar.take(&page, 0);
        let typed = [("username", ada), ("password", "another long passphrase")];
        let to_consent = seen.http("/auth/login", $wait(server.handle(submit(&jar, &page.form(), &typed), None)));
        jar.take(&to_consent, 0);
        let consent = to_consent.header("location").strip_prefix("https://as.example").unwrap();
        let page = seen.http("/auth/consent", $wait(server.handle(browse(&jar, consent), None)));
        let allow = [("decision", "allow")];
        seen.http("/auth/consent", $wait(server.handle(submit(&jar, &page.form(), &allow), None)));
        let applications = "/auth/applications";
        let page = seen.http(applications, $wait(server.handle(browse(&jar, applications), None)));
        let withdraw = submit(&jar, &page.form_with("action", "withdraw"), &[("client_id", "third")]);
        seen.http(applications, $wait(server.handle(withdraw, None)));
        let page = seen.http("/auth/logout", $wait(server.handle(browse(&jar, "/auth/logout"), None)));
        seen.http("/auth/logout", $wait(server.handle(submit(&jar, &page.form(), &[]), None)));
        // Every place with nothing, with rubbish, and as a browser asks beforehand.
        for path in server.with_config(|config| config.paths()) {
            seen.http(&path, $wait(server.handle(get(&path, "x"), None)));
            seen.http(&path, $wait(server.handle(form(&path, "a=b&a=c&%".to_owned()), None)));
            let ask = http::Request::options(&path).header("origin", "https://app.example");
            let ask = ask.header("access-control-request-method", "POST").body(bytes::Bytes::new()).unwrap();
            seen.http(&path, $wait(server.handle(ask, None)));
        }

        // What a host ends.
        for _ in 0..3 {
            $wait(server.handle(post("/auth/authorize", &sign_in()), None));
        }
        let grants = seen.call("grants_of", $wait(server.grants_of(subject)));
        let one = grants[0]["id"].as_str().unwrap_or("none");
        seen.call("revoke_grant", $wait(server.revoke_grant(one)));
        seen.call("revoke_client", $wait(server.revoke_client("web")));
        seen.call("revoke_all", $wait(server.revoke_all(subject)));
        seen.call("delete_user", $wait(server.delete_user(ada)));
        seen.call("delete_client", $wait(server.delete_client("stored")));
        let retired = Keys::parse(&Secret::from(RING)).unwrap().ids()[1];
        seen.call("retire_key", $wait(server.retire_key(retired)));
        seen
    }};
}

fn given<T>(value: T) -> T {
    value
}

fn awaited<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(future)
}

/// Everything that a walk leaves behind.
struct Trace {
    seen: Seen,
    events: Vec<String>,
    /// Key, version and sealed body.
    rows: Vec<(Key, Version, bytes::Bytes)>,
}

/// Builds a server over `rows` and has it walked.
fn trace<S>(
    seed: u64,
    store: impl FnOnce(Builder<S>, Arc<Rows>) -> Builder<S>,
    walk: impl FnOnce(Builder<S>, &FakeClock) -> Seen,
    begin: fn(&str) -> Builder<S>,
) -> Trace {
    let (rows, clock, events) = (Arc::new(Rows::default()), FakeClock::at(START), Arc::new(Mutex::new(Vec::new())));
    let noted = Arc::clone(&events);
    let builder = configure(begin(ISSUER)).keys(proofkey_tests::keys(RING));
    let teller = Client::confidential("teller", ClientSecret::from_text(&Secret::from(&*secret_of("teller"))));
    let teller = teller.auth_method(AuthMethod::ClientSecretPost).may_introspect();
    let builder = builder.client(teller.grant_types([GrantType::ClientCredentials])).clock(clock.clone()).seed(seed);
    let builder = builder.on_event(move |event| noted.lock().unwrap().push(format!("{event:?}")));
    let seen = walk(store(builder, Arc::clone(&rows)), &clock);
    let events = std::mem::take(&mut *events.lock().unwrap());
    let rows = rows.all().into_iter().map(|(key, record)| (key, *record.version(), record.body().clone()));
    Trace { seen, events, rows: rows.collect() }
}

fn walked_by_a_thread(seed: u64) -> Trace {
    let walk = |builder: Builder<Server>, clock: &FakeClock| walk!(builder.build().unwrap(), clock, given);
    trace(seed, |builder, rows| builder.store(rows), walk, Server::builder)
}

fn walked_by_tokio(seed: u64, store: fn(Builder<AsyncServer>, Arc<Rows>) -> Builder<AsyncServer>) -> Trace {
    let walk = |builder: Builder<AsyncServer>, clock: &FakeClock| walk!(builder.build().unwrap(), clock, awaited);
    trace(seed, store, walk, AsyncServer::builder)
}

/// Rows that are said to wait for a disk: called where blocking is fine.
struct Slow(Arc<Rows>);

/// Rows whose calls are futures.
struct Remote(Arc<Rows>);

impl Store for Slow {
    fn get(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        self.0.get(key)
    }

    fn put(&self, write: &Write) -> Result<bool, StoreError> {
        self.0.put(write)
    }

    fn delete(&self, key: &Key, expect: &Version) -> Result<bool, StoreError> {
        self.0.delete(key, expect)
    }

    fn find(&self, query: &Query) -> Result<Vec<Key>, StoreError> {
        self.0.find(query)
    }

    fn sweep(&self, now: UnixTime, limit: usize) -> Result<usize, StoreError> {
        self.0.sweep(now, limit)
    }
}

impl AsyncStore for Remote {
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        Box::pin(async { self.0.get(key) })
    }

    fn put<'a>(&'a self, write: &'a Write) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async { self.0.put(write) })
    }

    fn delete<'a>(&'a self, key: &'a Key, expect: &'a Version) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async { self.0.delete(key, expect) })
    }

    fn find<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Result<Vec<Key>, StoreError>> {
        Box::pin(async { self.0.find(query) })
    }

    fn sweep(&self, now: UnixTime, limit: usize) -> BoxFuture<'_, Result<usize, StoreError>> {
        Box::pin(async move { self.0.sweep(now, limit) })
    }
}

fn assert_same(one: &Trace, other: &Trace, whose: &str) {
    assert_eq!(one.seen.answers.len(), other.seen.answers.len());
    for (one, other) in one.seen.answers.iter().zip(&other.seen.answers) {
        assert_eq!(one, other, "{whose}");
    }
    assert_eq!(one.events, other.events, "{whose}");
    assert_eq!(one.rows, other.rows, "{whose}");
}

#[test]
fn every_flow_gives_the_same_bytes_on_a_thread_and_on_tokio_over_every_kind_of_store() {
    let thread = walked_by_a_thread(5);
    assert_same(&thread, &walked_by_a_thread(5), "the same server again");
    assert_same(&thread, &walked_by_tokio(5, |builder, rows| builder.store(rows)), "tokio, rows in place");
    assert_same(&thread, &walked_by_tokio(5, |builder, rows| builder.store(Slow(rows))), "tokio, blocking store");
    assert_same(&thread, &walked_by_tokio(5, |builder, rows| builder.async_store(Remote(rows))), "tokio, futures");
}

#[test]
fn another_seed_gives_other_tokens() {
    let _shows = proofkey_conformance::shows(&["rfc6749-10.10-1"]);
    let (one, other) = (walked_by_a_thread(5), walked_by_a_thread(6));
    let tokens = |trace: &Trace| -> Vec<String> {
        let given = |answer: &&String| {
            let pair = answer.starts_with("pkce: Ok") || answer.starts_with("/auth/challenge: 200");
            pair || answer.contains("pfk_access_")
        };
        trace.seen.answers.iter().filter(given).cloned().collect()
    };
    assert!(tokens(&one).len() >= 8 && tokens(&one).len() == tokens(&other).len());
    assert!(tokens(&one).iter().zip(tokens(&other)).all(|(one, other)| *one != other));
}

#[test]
fn the_walk_leaves_out_no_call_and_no_endpoint() {
    let seen = walked_by_a_thread(1).seen;
    // The typed calls of both servers are declared in one table: `    name(arguments) -> answer;`
    let declared: BTreeSet<&str> = include_str!("../../host/src/calls.rs")
        .lines()
        .filter(|line| line.starts_with("    ") && line.contains(") -> ") && line.ends_with(';'))
        .filter_map(|line| line.trim_start().split_once('(').map(|(name, _)| name))
        .collect();
    assert!(declared.len() >= 23, "{declared:?}");
    assert_eq!(declared.difference(&seen.calls).collect::<Vec<_>>(), Vec::<&&str>::new(), "never called");
    let server = configure(Server::builder(ISSUER)).store(Arc::new(Rows::default())).build().unwrap();
    let paths: BTreeSet<String> = server.with_config(|config| config.paths()).into_iter().collect();
    assert_eq!(paths.difference(&seen.paths).collect::<Vec<_>>(), Vec::<&String>::new(), "never requested");
    let works = |path: &str| seen.answers.iter().any(|answer| answer.starts_with(&format!("{path}: 200")));
    for path in &paths {
        assert!(works(path), "{path} never answers 200: {:#?}", seen.answers);
    }
    let called = |name: &str| seen.answers.iter().any(|answer| answer.starts_with(&format!("{name}: Ok(")));
    for name in &seen.calls {
        assert!(called(name), "{name} never succeeds: {:#?}", seen.answers);
    }
}
