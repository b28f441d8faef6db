//! Bearer tokens at a protected resource (RFC 6750): `/userinfo`, `/me`, and the guard of the host's own API.

use std::time::Duration;

use http::Method;
use proofkey::{Requirement, Scope, Server};
use proofkey_conformance::shows;
use proofkey_tests::{ADA, ISSUER, Reply, Rows, START, World, challenge, configure};
use serde_json::json;

const USERINFO: &str = "/auth/userinfo";
const API: &str = "https://api.example/";
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// The scheme and the parameters of a reply's challenge.
fn challenge_of(reply: &Reply) -> (String, Vec<(String, String)>) {
    challenge(reply.header("www-authenticate")).unwrap_or_else(|| panic!("a challenge: {reply:?}"))
}

/// The `error` parameter of a reply's challenge; empty if there is none.
fn told(reply: &Reply) -> String {
    let (scheme, parameters) = challenge_of(reply);
    assert_eq!(scheme, "Bearer");
    parameters.into_iter().find(|(name, _)| name == "error").map(|(_, value)| value).unwrap_or_default()
}

fn with_authorization(world: &World, value: &str) -> Reply {
    world.request(Method::GET, USERINFO, &[("authorization", value)], "")
}

/// What the guard of the host's own API answers to a request with this token.
fn guard(world: &World, token: &str, requirement: Requirement) -> Reply {
    let request = http::Request::get("/contacts").header("authorization", format!("Bearer {token}"));
    let request = proofkey::Request::new(request.body(bytes::Bytes::new()).unwrap(), None);
    match world.server.check_access(request, requirement) {
        Ok(_) => world.get_plain("/auth/.well-known/oauth-authorization-server"),
        Err(refusal) => world.server.refused(&refusal).into(),
    }
}

fn scope(text: &str) -> Scope {
    Scope::parse(text).unwrap()
}

#[test]
fn a_token_in_the_authorization_header_is_accepted_under_any_spelling_of_the_scheme() {
    let _rows = shows(&["rfc6750-2.1-1"]);
    let world = World::new();
    let token = world.sign_in().access;
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        let reply = with_authorization(&world, &format!("{scheme} {token}"));
        assert_eq!((reply.status.as_u16(), reply.text("sub")), (200, "u-ada".to_owned()), "{scheme}");
    }
    for malformed in ["Bearer".to_owned(), "Bearer ".to_owned(), format!("Bearer {token} {token}")] {
        let reply = with_authorization(&world, &malformed);
        assert_eq!(reply.outcome(), (400, "invalid_request".to_owned()), "{malformed}");
        assert_eq!(told(&reply), "invalid_request");
    }
}

#[test]
fn a_token_in_a_body_or_in_the_query_is_ignored_and_not_logged() {
    let _rows = shows(&["rfc6750-2.2-1", "rfc6750-2.3-1"]);
    let world = World::new();
    let token = world.sign_in().access;
    world.take_full_events();
    let form = format!("access_token={token}");
    let part = format!("--b\r\nContent-Disposition: form-data; name=\"access_token\"\r\n\r\n{token}\r\n--b--\r\n");
    let replies = [
        world.request(Method::GET, USERINFO, &[FORM], form.clone()),
        world.request(Method::POST, USERINFO, &[FORM], form.clone()),
        world.json(USERINFO, &json!({"access_token": token})),
        world.request(Method::POST, USERINFO, &[("content-type", "multipart/form-data; boundary=b")], part),
        world.get_plain(&format!("{USERINFO}?{form}")),
    ];
    for reply in replies {
        assert_eq!(reply.status, 401, "{reply:?}");
        assert_eq!(told(&reply), "");
        assert!(!String::from_utf8_lossy(&reply.body).contains(&token));
    }
    assert!(!format!("{:?}", world.take_full_events()).contains(&token));
}

#[test]
fn a_token_that_is_sent_in_two_ways_makes_the_request_invalid() {
    let _rows = shows(&["rfc6750-2-1"]);
    let world = World::new();
    let token = world.sign_in().access;
    let (header, form) = (format!("Bearer {token}"), format!("access_token={token}"));
    let with_query = format!("{USERINFO}?{form}");
    for (method, path, body) in
        [(Method::POST, USERINFO, form.as_str()), (Method::GET, USERINFO, &form), (Method::GET, &with_query, "")]
    {
        let reply = world.request(method, path, &[FORM, ("authorization", &header)], body.to_owned());
        assert_eq!(reply.outcome(), (400, "invalid_request".to_owned()), "{path} {body}");
    }
    let twice = world.request(Method::GET, USERINFO, &[("authorization", &header), ("authorization", &header)], "");
    assert_eq!(twice.outcome(), (400, "invalid_request".to_owned()));
}

#[test]
fn a_request_without_credentials_is_challenged_with_a_realm_and_no_error() {
    let _rows = shows(&["rfc6750-3-1", "rfc6750-3.1-2"]);
    let world = World::new();
    for path in [USERINFO, "/auth/me"] {
        let basic = world.request(Method::GET, path, &[("authorization", "Basic eDp5")], "");
        for reply in [world.get_plain(path), basic] {
            assert_eq!(reply.status, 401);
            let realm = ("realm".to_owned(), ISSUER.to_owned());
            assert_eq!(challenge_of(&reply), ("Bearer".to_owned(), vec![realm]));
        }
    }
}

#[test]
fn each_failure_has_its_status_and_its_error_and_no_parameter_twice() {
    let _rows = shows(&["rfc6750-3-2", "rfc6750-3-3", "rfc6750-3.1-1"]);
    let world = World::new();
    let (expired, revoked) = (world.sign_in().access, world.sign_in().access);
    world.revoke(&revoked);
    world.clock.advance(Duration::from_secs(3600));
    let narrow = world.sign_in_as("web", &json!({"scope": "read"})).access;
    let own = world.form_as("service", "/auth/token", &[("grant_type", "client_credentials"), ("scope", "read")]);
    let table = [
        ("malformed", with_authorization(&world, "Bearer a b"), 400, "invalid_request"),
        ("no token", world.get(USERINFO, "nonsense"), 401, "invalid_token"),
        ("expired", world.get(USERINFO, &expired), 401, "invalid_token"),
        ("revoked", world.get(USERINFO, &revoked), 401, "invalid_token"),
        ("no user's", world.get(USERINFO, &own.text("access_token")), 403, "insufficient_scope"),
        ("too narrow", guard(&world, &narrow, Requirement::scope(scope("read write"))), 403, "insufficient_scope"),
    ];
    for (case, reply, status, error) in table {
        assert_eq!((reply.outcome(), told(&reply)), ((status, error.to_owned()), error.to_owned()), "{case}");
        let (_, parameters) = challenge_of(&reply);
        let mut names: Vec<&str> = parameters.iter().map(|(name, _)| &**name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), parameters.len(), "{case}: {parameters:?}");
        let wanted = parameters.iter().find(|(name, _)| name == "scope").map(|(_, value)| &**value);
        assert_eq!(wanted.is_some(), status == 403, "{case}: the scope that would do is told");
    }
    assert_eq!(guard(&world, &narrow, Requirement::scope(scope("read"))).status, 200);
}

#[test]
fn nothing_that_would_break_the_challenge_can_be_configured_or_asked_for() {
    let _rows = shows(&["rfc6750-3-4"]);
    for issuer in ["https://as.example/\"x", "https://as.example/a\r\nSet-Cookie: a=b", "https://as.example/\\"] {
        let built = configure(Server::builder(issuer)).store(Rows::default()).build();
        let problems = built.unwrap_err();
        assert!(problems.problems().iter().any(|problem| problem.setting() == "issuer"), "{issuer:?}: {problems}");
    }
    for text in ["a\"b", "a\\b", "a\r\nb"] {
        assert!(Scope::parse(text).is_err(), "{text:?}");
    }
    let world = World::new();
    let reply = world.get(USERINFO, "\"\\");
    assert_eq!((reply.status.as_u16(), told(&reply)), (401, "invalid_token".to_owned()));
}

#[test]
fn every_access_token_expires_and_within_an_hour_unless_configured_otherwise() {
    let _rows = shows(&["rfc6750-5.2-1", "rfc6750-5.3-1"]);
    for endless in ["0", "never", "2d", ""] {
        let builder = configure(Server::builder(ISSUER)).store(Rows::default());
        let built = builder.set("access_token_lifetime", endless).build();
        let problems = built.unwrap_err();
        assert_eq!(problems.problems()[0].setting(), "access_token_lifetime", "{endless:?}");
    }
    for endless in [Duration::ZERO, Duration::from_secs(100 * 86_400), Duration::MAX] {
        let client = proofkey::Client::public("x").redirect_uri("https://x.example/cb").access_token_lifetime(endless);
        assert!(!client.problems().is_empty(), "{endless:?}");
    }
    let world = World::new();
    let first = world.redeem(&world.code());
    let refreshed = world.refresh(&first.text("refresh_token"));
    let own = world.form_as("service", "/auth/token", &[("grant_type", "client_credentials"), ("scope", "read")]);
    for reply in [first, refreshed, own] {
        let expires_in = reply.json()["expires_in"].as_u64();
        assert!(expires_in.is_some_and(|seconds| (1..=3600).contains(&seconds)), "{reply:?}");
    }
}

#[test]
fn a_token_for_one_resource_opens_no_other() {
    let _rows = shows(&["rfc6750-5.3-2"]);
    let world = World::new();
    let token = world.sign_in_as("scoped", &json!({"resource": "https://api.example/"})).access;
    let at = |resource: &str| guard(&world, &token, Requirement::any().for_resource(resource));
    assert_eq!(at("https://api.example/").status, 200);
    let elsewhere = at("https://files.example/");
    assert_eq!((elsewhere.status.as_u16(), told(&elsewhere)), (401, "invalid_token".to_owned()));
    // The server's own resources are one more audience.
    assert_eq!(world.get(USERINFO, &token).outcome(), (401, "invalid_token".to_owned()));
    assert_eq!(world.introspect("api", &token).json()["aud"], json!(["https://api.example/"]));
}

#[test]
fn a_checked_token_tells_whose_it_is_for_what_and_until_when() {
    let world = World::new();
    let tokens = world.sign_in_as("scoped", &json!({ "scope": "read write", "resource": API }));
    let check = |token: &str, requirement| {
        let request = http::Request::get("/api").header("authorization", format!("Bearer {token}"));
        let request = proofkey::Request::new(request.body(bytes::Bytes::new()).unwrap(), None);
        world.server.check_access(request, requirement).unwrap()
    };
    let token = check(&tokens.access, Requirement::any().for_resource(API));
    assert_eq!(token.grant_id(), world.server.grants_of(ADA).unwrap()[0].id());
    assert_eq!((token.client_id(), token.subject()), ("scoped", Some(ADA)));
    assert_eq!((token.scope().as_str(), token.audience()), ("read write", &[API.to_owned()][..]));
    assert_eq!(token.expires_at(), START + 3600);
    let itself = world.form_as("service", "/auth/token", &[("grant_type", "client_credentials"), ("scope", "read")]);
    let itself = check(&itself.text("access_token"), Requirement::any());
    assert_eq!((itself.client_id(), itself.subject(), itself.audience()), ("service", None, &[][..]));
}
