//! Nothing that a server tells its log, or a client that it refuses, holds a secret.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use proofkey::{Client, ClientCredentials, ClientSecret, CodeExchange, Refusal, Secret, User, UserChange};
use proofkey_tests::{ADA, CHALLENGE, Fault, REDIRECT_URI, Reply, Rows, SignedIn, World, secret_of};
use serde_json::json;
use sha2::{Digest as _, Sha256};

const PASSWORD: &str = "a canary that is sung as a password";
const NEXT_PASSWORD: &str = "a canary that is sung as the next one";
const WRONG: &str = "a canary of a password that is wrong";
const SHORT: &str = "brief-canary";
const VERIFIER: &str = "canaryverifiercanaryverifiercanaryverifier0";

/// Collects what was said, and what must not be in it.
struct Run {
    world: World,
    secrets: Vec<String>,
    said: Vec<String>,
}

impl Run {
    fn new(world: World) -> Self {
        let typed = [PASSWORD, NEXT_PASSWORD, WRONG, SHORT, VERIFIER].map(str::to_owned);
        Self { world, secrets: typed.to_vec(), said: Vec::new() }
    }

    /// A reply: a refusal is for anybody's eyes, header fields always are.
    fn note(&mut self, reply: Reply) -> Reply {
        self.said.push(format!("{:?}", reply.headers));
        if !reply.status.is_success() {
            self.said.push(String::from_utf8_lossy(&reply.body).into_owned());
        }
        self.hear();
        reply
    }

    fn hear(&mut self) {
        self.said.extend(self.world.take_full_events().iter().map(|event| format!("{event:?}")));
    }

    fn tell(&mut self, refusal: &Refusal) {
        self.said.extend([format!("{refusal}"), format!("{refusal:?}"), format!("{:?}", refusal.cause())]);
        self.hear();
    }

    fn secret(&mut self, secret: &str) -> String {
        self.secrets.push(secret.to_owned());
        secret.to_owned()
    }

    fn authorize(&mut self, password: &str) -> Reply {
        let changes = json!({ "password": password, "code_challenge": challenge() });
        let reply = self.world.authorize(&changes);
        self.note(reply)
    }

    fn redeem(&mut self, code: &str, verifier: &str, redirect_uri: &str) -> Reply {
        let reply = self.world.form(
            "/auth/token",
            &[
                ("grant_type", "authorization_code"),
                ("client_id", "web"),
                ("code", code),
                ("redirect_uri", redirect_uri),
                ("code_verifier", verifier),
            ],
        );
        self.note(reply)
    }

    fn refresh(&mut self, token: &str) -> Reply {
        let reply = self.world.refresh(token);
        self.note(reply)
    }

    fn signed_in(&mut self, reply: &Reply) -> SignedIn {
        let tokens = SignedIn::of(reply);
        self.secret(&tokens.access);
        self.secret(&tokens.refresh);
        tokens
    }

    fn assert_silent(&self) {
        assert!(!self.said.is_empty(), "something was said");
        for line in &self.said {
            for secret in &self.secrets {
                assert!(!line.contains(secret.as_str()), "{secret} in {line}");
                // Neither what stands behind a token's prefix.
                let tail = &secret[secret.len().saturating_sub(30)..];
                assert!(!line.contains(tail), "the end of {secret} in {line}");
            }
        }
    }
}

fn challenge() -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER))
}

/// A server that keeps its users, in which Ada has [`PASSWORD`] by a cheap hash.
fn world() -> World {
    let rows = Arc::new(Rows::default());
    let user = User::new("ada").with_username("ada@example.com");
    let cheap = World::with_own_users(rows.clone(), |builder| builder);
    cheap.server.create_user(user, Secret::from(PASSWORD)).unwrap();
    World::with_own_users(rows, |builder| builder.password_cost_for_tests(5).seed(2))
}

#[test]
fn a_life_full_of_failures_tells_no_secret() {
    let _rows = proofkey_conformance::shows(&["secrets-log-1", "passwords-login-7"]);
    let mut run = Run::new(world());
    for password in [WRONG, "", &WRONG.repeat(200)] {
        run.authorize(password);
    }
    let code = run.authorize(PASSWORD).text("code");
    run.secret(&code);
    run.redeem(&code, &VERIFIER.replace('0', "1"), REDIRECT_URI);
    run.redeem(&code, "canary too short", REDIRECT_URI);
    run.redeem(&code, VERIFIER, "https://elsewhere.example/cb");
    run.redeem(&format!("{code}x"), VERIFIER, REDIRECT_URI);
    let reply = run.redeem(&code, VERIFIER, REDIRECT_URI);
    let tokens = run.signed_in(&reply);
    let reply = run.refresh(&tokens.refresh);
    let next = run.signed_in(&reply);
    run.refresh(&tokens.refresh);
    run.world.clock.advance(std::time::Duration::from_secs(33));
    run.refresh(&tokens.refresh);
    for token in [&next.refresh, &tokens.access, "pfk_access_canary-of-a-token-that-is-none-at-all"] {
        let reply = run.world.get("/auth/userinfo", token);
        run.note(reply);
    }
    run.world.clock.advance(std::time::Duration::from_secs(60));
    run.refresh(&tokens.refresh);
    run.redeem(&code, VERIFIER, REDIRECT_URI);
    run.secret("pfk_access_canary-of-a-token-that-is-none-at-all");
    run.assert_silent();
}

#[test]
fn secrets_in_the_wrong_place_are_not_told_either() {
    let _rows = proofkey_conformance::shows(&["secrets-log-1", "passwords-login-7"]);
    let mut run = Run::new(world());
    let secret = run.secret(&secret_of("service"));
    let form = ("content-type", "application/x-www-form-urlencoded");
    let queries = [
        format!("/auth/token?client_secret={secret}&code={VERIFIER}"),
        format!("/auth/authorize?password={SHORT}"),
        format!("/auth/{SHORT}"),
        format!("/auth/userinfo?access_token={SHORT}"),
    ];
    for target in &queries {
        for method in [Method::POST, Method::GET, Method::PUT] {
            let reply = run.world.request(method, target, &[form], format!("client_id=service&client_secret={secret}"));
            run.note(reply);
        }
    }
    let broken = [
        format!("client_secret={secret}&client_secret={secret}&grant_type={SHORT}"),
        format!("%zz{SHORT}={SHORT}"),
        format!("{{\"password\": \"{SHORT}\", \"password\": 1}}"),
        format!("grant_type={SHORT}&scope={SHORT}&client_id=web&token_type_hint={SHORT}&token={SHORT}"),
    ];
    for body in &broken {
        for content_type in ["application/x-www-form-urlencoded", "application/json", "text/plain"] {
            for path in ["/auth/token", "/auth/authorize", "/auth/revoke", "/auth/introspect", "/auth/refresh"] {
                let headers = [("content-type", content_type)];
                let reply = run.world.request(Method::POST, path, &headers, body.clone());
                run.note(reply);
            }
        }
    }
    for header in
        [format!("Basic {secret}"), format!("Bearer {SHORT} {SHORT}"), SHORT.to_owned(), format!("DPoP {SHORT}")]
    {
        for path in ["/auth/token", "/auth/me"] {
            let method = if path == "/auth/me" { Method::GET } else { Method::POST };
            let reply =
                run.world.request(method, path, &[("authorization", &header), form], "grant_type=refresh_token");
            run.note(reply);
        }
    }
    run.assert_silent();
}

#[test]
fn a_store_that_fails_in_the_middle_tells_no_secret() {
    let _rows = proofkey_conformance::shows(&["secrets-log-1", "passwords-login-7"]);
    for at in 0..14 {
        let mut run = Run::new(world());
        let code = run.authorize(PASSWORD).text("code");
        run.secret(&code);
        let faults = || vec![Fault::None; at].into_iter().chain([Fault::Lost, Fault::Fail, Fault::Fail]);
        run.world.store.plan(faults());
        run.authorize(PASSWORD);
        run.world.store.plan(faults());
        run.redeem(&code, VERIFIER, REDIRECT_URI);
        run.refresh("pfk_refresh_canary");
        run.assert_silent();
    }
}

#[test]
fn what_an_operator_is_refused_tells_no_secret() {
    let _rows = proofkey_conformance::shows(&["secrets-log-1", "passwords-login-7"]);
    let mut run = Run::new(world());
    for password in [SHORT, &WRONG.repeat(3), "passwordpassword"] {
        let change = UserChange::Password(Secret::from(password));
        let error = run.world.server.change_user("ada@example.com", change).unwrap_err();
        run.said.extend([error.to_string(), format!("{error:?}")]);
    }
    let user = User::new("x").with_username("ada@example.com");
    let error = run.world.server.create_user(user, Secret::from(NEXT_PASSWORD)).unwrap_err();
    run.said.extend([error.to_string(), format!("{error:?}")]);
    let change = UserChange::Password(Secret::from(NEXT_PASSWORD));
    run.world.server.change_user("ada@example.com", change).unwrap();
    let kept = ClientSecret::from_text(&Secret::from(NEXT_PASSWORD));
    let error = run.world.server.create_client(Client::confidential("bad id\n", kept)).unwrap_err();
    run.said.extend([error.to_string(), format!("{error:?}")]);
    let credentials = || ClientCredentials::secret("service", Secret::from(WRONG));
    let exchange = CodeExchange::new(Secret::from(SHORT), Secret::from(VERIFIER));
    let refusals = [
        run.world.server.redeem(credentials(), exchange).unwrap_err(),
        run.world.server.revoke(credentials(), Secret::from(SHORT)).unwrap_err(),
        run.world.server.introspect(credentials(), Secret::from(SHORT)).unwrap_err(),
    ];
    for refusal in &refusals {
        run.tell(refusal);
    }
    run.assert_silent();
}

/// The host's own table of users may fail with a text of its own; what the host puts there is the host's.
#[test]
fn a_users_table_that_fails_is_told_of_without_the_password() {
    let _rows = proofkey_conformance::shows(&["passwords-login-7"]);
    let mut run = Run::new(World::new());
    run.world.people.lose(ADA);
    let reply = run.world.authorize(&json!({ "password": WRONG, "code_challenge": CHALLENGE }));
    assert_eq!(run.note(reply).status, 503);
    run.world.people.restore(ADA);
    run.world.people.set_hash(ADA, "not a hash, but a canary of one");
    run.secret("not a hash, but a canary of one");
    let reply = run.world.authorize(&json!({ "password": WRONG, "code_challenge": CHALLENGE }));
    assert_eq!(run.note(reply).status, 400);
    run.assert_silent();
}
