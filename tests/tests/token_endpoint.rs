//! The answers and errors of the token endpoint (RFC 6749 sections 3.2 and 5).

use std::collections::BTreeSet;

use http::Method;
use proofkey_tests::{ADA, REDIRECT_URI, Reply, SignedIn, VERIFIER, World, basic, secret_of};
use serde_json::{Value, json};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

#[test]
fn only_post_is_taken() {
    let _rows = proofkey_conformance::shows(&["rfc6749-3.2-1"]);
    let world = World::new();
    let code = world.code();
    let query = format!(
        "grant_type=authorization_code&client_id=web&code={code}&code_verifier={VERIFIER}&redirect_uri={REDIRECT_URI}"
    );
    for method in [Method::GET, Method::HEAD, Method::PUT, Method::DELETE, Method::PATCH] {
        for path in ["/auth/token", "/auth/refresh"] {
            let reply = world.request(method.clone(), &format!("{path}?{query}"), &[FORM], query.clone());
            assert_eq!(reply.status, 405, "{method} {path}");
            assert_eq!(reply.header("allow"), "POST, OPTIONS");
            assert!(!String::from_utf8_lossy(&reply.body).contains("pfk_access"));
        }
    }
    assert_eq!(world.redeem(&code).status, 200, "the code is unused");
}

#[test]
fn a_success_is_json_with_a_bearer_token_and_the_seconds_it_lives() {
    let _rows = proofkey_conformance::shows(&["rfc6749-5.1-1"]);
    for (lifetime, seconds) in [("1h", 3600), ("15m", 900)] {
        let world = World::with(|builder| builder.set("access_token_lifetime", lifetime));
        let reply = world.redeem(&world.code());
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("content-type"), "application/json");
        let body = reply.json();
        assert!(body["access_token"].is_string() && body["refresh_token"].is_string() && body["scope"].is_string());
        assert!(body["token_type"].as_str().unwrap().eq_ignore_ascii_case("bearer"));
        assert_eq!(body["expires_in"], seconds);
    }
}

/// One answer of each kind, good and bad, of each endpoint that handles tokens or credentials.
fn one_of_each(world: &World) -> Vec<(&'static str, Reply)> {
    let code = world.code();
    let redeemed = world.redeem(&code);
    let tokens = SignedIn::of(&redeemed);
    let itself = [("grant_type", "client_credentials"), ("scope", "read")];
    let own = world.form_as("inspector", "/auth/token", &itself).text("access_token");
    let wrong = basic("inspector", "wrong");
    vec![
        ("authorize", world.authorize(&Value::Null)),
        ("authorize, refused", world.authorize(&json!({"password": "wrong"}))),
        ("token", redeemed),
        ("token, refused", world.redeem("x")),
        ("token, as JSON", world.json("/auth/token", &json!({}))),
        ("refresh", world.form("/auth/refresh", &[("client_id", "web"), ("refresh_token", &tokens.refresh)])),
        ("refresh, refused", world.form("/auth/refresh", &[("client_id", "web"), ("refresh_token", "x")])),
        ("introspect", world.form_as("inspector", "/auth/introspect", &[("token", &own)])),
        ("introspect, inactive", world.form_as("inspector", "/auth/introspect", &[("token", "x")])),
        ("introspect, refused", world.form_with("/auth/introspect", &[("authorization", &wrong)], &[("token", "x")])),
        ("userinfo", world.get("/auth/userinfo", &tokens.access)),
        ("userinfo, refused", world.get("/auth/userinfo", "x")),
        ("me", world.get("/auth/me", &tokens.access)),
        ("me, refused", world.get_plain("/auth/me")),
        ("revoke", world.revoke(&tokens.access)),
        ("revoke, refused", world.form("/auth/revoke", &[("token", "x")])),
        ("challenge", world.json("/auth/challenge", &json!({}))),
        ("not a method", world.get_plain("/auth/token")),
    ]
}

#[test]
fn no_answer_that_holds_tokens_or_credentials_may_be_kept() {
    let _rows = proofkey_conformance::shows(&["rfc6749-5.1-2"]);
    let world = World::new();
    for (what, reply) in one_of_each(&world) {
        assert_eq!((reply.header("cache-control"), reply.header("pragma")), ("no-store", "no-cache"), "{what}");
    }
    world.store.set_down(true);
    let reply = world.redeem("pfk_code_x");
    assert_eq!(reply.header("cache-control"), "no-store");
    let reply = world.authorize(&Value::Null);
    assert_eq!((reply.status.as_u16(), reply.header("cache-control")), (503, "no-store"));
}

#[test]
fn every_error_of_the_token_endpoint_has_the_status_and_the_form_of_the_rfc() {
    let _rows = proofkey_conformance::shows(&["rfc6749-5.2-1", "rfc6749-5.2-4", "rfc6749-5.2-5", "rfc9700-2.4-1"]);
    let world = World::new();
    let tokens = world.sign_in();
    let web = ("client_id", "web");
    let grant = |name: &'static str| ("grant_type", name);
    let refresh = ("refresh_token", &*tokens.refresh);
    let answers = |fields: &[(&str, &str)], status: u16, error: &str| {
        let reply = world.form("/auth/token", fields);
        assert_eq!(reply.outcome(), (status, error.to_owned()), "{fields:?}");
        assert_eq!(reply.header("content-type"), "application/json");
        let members: BTreeSet<String> = reply.json().as_object().unwrap().keys().cloned().collect();
        assert_eq!(members, ["error", "error_description"].map(str::to_owned).into(), "{fields:?}");
    };
    answers(&[], 400, "invalid_request");
    answers(&[web], 400, "invalid_request");
    answers(&[web, grant("")], 400, "invalid_request");
    answers(&[web, grant("foo")], 400, "unsupported_grant_type");
    answers(&[web, grant("Authorization_Code")], 400, "unsupported_grant_type");
    answers(&[web, grant("password"), ("username", "bob"), ("password", "x")], 400, "unsupported_grant_type");
    answers(&[web, grant("implicit")], 400, "unsupported_grant_type");
    answers(&[web, grant("urn:ietf:params:oauth:grant-type:device_code")], 400, "unsupported_grant_type");
    answers(&[grant("authorization_code"), ("code", "x")], 400, "invalid_request");
    answers(&[web, grant("authorization_code")], 400, "invalid_request");
    answers(&[web, grant("authorization_code"), ("code", "x")], 400, "invalid_grant");
    answers(&[web, grant("refresh_token")], 400, "invalid_request");
    answers(&[web, grant("refresh_token"), ("refresh_token", "x")], 400, "invalid_grant");
    answers(&[web, grant("refresh_token"), refresh, ("scope", "admin")], 400, "invalid_scope");
    answers(&[web, grant("refresh_token"), refresh, ("scope", "a\"b")], 400, "invalid_scope");
    answers(&[web, grant("client_credentials")], 400, "unauthorized_client");
    answers(&[("client_id", "brief"), grant("client_credentials")], 400, "unauthorized_client");
    answers(&[("client_id", "brief"), grant("refresh_token"), refresh], 400, "unauthorized_client");
    answers(&[("client_id", "nobody"), grant("refresh_token"), refresh], 401, "invalid_client");
    answers(&[("client_id", "service"), grant("client_credentials")], 401, "invalid_client");
    answers(&[web, ("client_secret", "x"), grant("refresh_token"), refresh], 401, "invalid_client");
    let metadata = world.get_plain("/auth/.well-known/oauth-authorization-server").json();
    let offered = json!(["authorization_code", "refresh_token", "client_credentials"]);
    assert_eq!(metadata["grant_types_supported"], offered, "no password grant");
    assert!(proofkey::Settings::new().set("legacy_password_login", "on").is_err(), "no setting brings it back");
    assert_eq!(world.refresh(&tokens.refresh).status, 200);
}

/// The characters of RFC 6749 section 5.2.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

#[test]
fn errors_are_plain_text_whatever_the_request_held() {
    let _rows = proofkey_conformance::shows(&["rfc6749-4.1.2.1-2"]);
    let world = World::new();
    let nasty = "a\"b\\c\r\nSet-Cookie: x=y\u{0}ü\u{2028}<zap>";
    let mut replies = Vec::new();
    for name in ["client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method", "username"] {
        replies.push((name, world.authorize(&json!({ name: nasty }))));
    }
    for name in ["grant_type", "client_id", "client_secret", "code", "redirect_uri", "code_verifier", "scope"] {
        replies.push((name, world.redeem_with(&world.code(), &[(name, nasty)])));
        let fields = [("grant_type", "refresh_token"), ("client_id", "web"), ("refresh_token", nasty)];
        replies.push((name, world.form("/auth/token", &[&fields[..], &[("resource", nasty)]].concat())));
    }
    replies.push(("token", world.form_as("inspector", "/auth/introspect", &[("client_id", nasty), ("token", nasty)])));
    replies.push(("bearer", world.get("/auth/me", "a\"b\\c<zap>")));
    for (name, reply) in replies {
        if reply.status == 200 {
            continue; // a state or a scope that came back with the code as it was sent
        }
        let body = reply.json();
        for member in ["error", "error_description"] {
            assert!(is_plain(body[member].as_str().unwrap()), "{name}: {body}");
        }
        assert!(!String::from_utf8_lossy(&reply.body).contains("zap"), "{name}: {body}");
        let challenge = reply.header("www-authenticate");
        assert!(!challenge.contains("zap") && challenge.is_ascii(), "{name}: {challenge}");
        assert!(!reply.headers.contains_key("set-cookie"));
    }
}

#[test]
fn issued_values_stay_within_the_sizes_that_are_published() {
    let _rows = proofkey_conformance::shows(&["rfc6749-5.1-3"]);
    let world = World::new();
    let mut longest = 0;
    for _ in 0..50 {
        let code = world.code();
        let tokens = SignedIn::of(&world.redeem(&code));
        let next = SignedIn::of(&world.refresh(&tokens.refresh));
        for value in [code, tokens.access, tokens.refresh, next.access, next.refresh] {
            assert!(value.len() <= proofkey::core::MAX_TOKEN, "{value}");
            longest = longest.max(value.len());
        }
    }
    assert_eq!(longest, proofkey::core::MAX_TOKEN, "and the published size is no wild guess");
    assert!(world.server.grants_of(ADA).unwrap().iter().all(|grant| grant.id().len() == 22));
    assert_eq!(secret_of("web").len(), 54);
}
