//! Native applications (RFC 8252): where they may be called back, and that a secret in them is none.

use proofkey::{Client, ClientSecret, GrantType, Secret};
use proofkey_conformance::shows;
use proofkey_tests::{CHALLENGE, Reply, VERIFIER, World, secret_of};
use serde_json::{Value, json};

const PRIVATE: &str = "com.example.app:/cb";
const CLAIMED: &str = "https://app.example/cb";

fn native(id: &str, redirect_uris: &[&str]) -> Client {
    redirect_uris.iter().fold(Client::public(id).native().first_party(), |client, uri| client.redirect_uri(*uri))
}

fn world(redirect_uris: &[&str]) -> World {
    let client = native("app", redirect_uris);
    World::with(|builder| builder.client(client))
}

fn authorize(world: &World, redirect_uri: &str) -> Reply {
    world.authorize(&json!({"client_id": "app", "redirect_uri": redirect_uri}))
}

fn redeem(world: &World, code: &str, redirect_uri: &str) -> Reply {
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", "app"),
        ("code", code),
        ("redirect_uri", redirect_uri),
        ("code_verifier", VERIFIER),
    ];
    world.form("/auth/token", &fields)
}

#[test]
fn a_private_scheme_a_claimed_https_url_and_loopback_all_work() {
    let _rows = shows(&["rfc8252-7-1"]);
    let world = world(&[PRIVATE, CLAIMED, "http://127.0.0.1/cb"]);
    for uri in [PRIVATE, CLAIMED, "http://127.0.0.1/cb", "http://127.0.0.1:49152/cb"] {
        let answer = authorize(&world, uri);
        assert_eq!(answer.text("redirect_uri"), uri);
        assert_eq!(redeem(&world, &answer.text("code"), uri).status, 200, "{uri}");
    }
}

#[test]
fn a_loopback_address_matches_with_any_port_and_nothing_else_does() {
    let _rows = shows(&["rfc8252-7.3-1"]);
    let world = world(&["http://127.0.0.1/cb", "http://[::1]/cb"]);
    for uri in ["http://127.0.0.1:49152/cb", "http://127.0.0.1:80/cb", "http://[::1]:49152/cb", "http://[::1]:80/cb"] {
        assert_eq!(authorize(&world, uri).text("redirect_uri"), uri);
    }
    for uri in [
        "http://127.0.0.1:49152/other",
        "http://127.0.0.1:49152/cb/",
        "http://127.0.0.1:49152/cb?x=y",
        "http://127.0.0.2:49152/cb",
        "https://127.0.0.1:49152/cb",
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:65536/cb",
        "http://127.0.0.1:80@evil.example/cb",
        "http://localhost:49152/cb",
        "http://[::2]:80/cb",
    ] {
        assert_eq!(authorize(&world, uri).outcome(), (400, "invalid_request".to_owned()), "{uri}");
    }
}

#[test]
fn the_token_request_names_the_port_that_was_used() {
    let _rows = shows(&["rfc8252-7.3-2"]);
    let world = world(&["http://127.0.0.1/cb"]);
    let code = authorize(&world, "http://127.0.0.1:5000/cb").text("code");
    for uri in ["http://127.0.0.1:5001/cb", "http://127.0.0.1/cb"] {
        assert_eq!(redeem(&world, &code, uri).outcome(), (400, "invalid_grant".to_owned()), "{uri}");
    }
    assert_eq!(redeem(&world, &code, "http://127.0.0.1:5000/cb").status, 200);
}

#[test]
fn localhost_is_a_loopback_name_of_native_clients_alone() {
    let _rows = shows(&["rfc8252-8.3-1"]);
    let world = world(&["http://localhost/cb"]);
    for uri in ["http://localhost/cb", "http://localhost:5000/cb"] {
        assert_eq!(authorize(&world, uri).text("redirect_uri"), uri);
    }
    for uri in ["http://127.0.0.1:5000/cb", "http://localhost.example/cb", "http://localhost:5000/other"] {
        assert_eq!(authorize(&world, uri).outcome(), (400, "invalid_request".to_owned()), "{uri}");
    }
    let web = Client::public("app").redirect_uri("http://localhost/cb");
    assert!(!web.problems().is_empty(), "design section 11: only if the client is registered native");
}

#[test]
fn a_scheme_without_a_period_or_one_that_runs_something_cannot_be_registered() {
    let _rows = shows(&["rfc8252-8.4-1"]);
    let world = World::new();
    for uri in ["myapp:/cb", "javascript:alert(1)", "data:text/html,x", "about:blank", "vbscript:x", "file:///etc/x"] {
        for client in [native("app", &[uri]), Client::public("app").redirect_uri(uri)] {
            assert!(!client.problems().is_empty(), "{uri}");
            let refused = world.server.create_client(client).unwrap_err();
            assert!(refused.to_string().contains(uri), "{refused}");
        }
    }
    assert!(!Client::public("app").redirect_uri(PRIVATE).problems().is_empty(), "a web client has no private scheme");
    world.server.create_client(native("app", &[PRIVATE])).unwrap();
}

#[test]
fn a_secret_does_not_make_a_native_application_confidential() {
    let _rows = shows(&["rfc8252-8.5-1"]);
    let secret = || ClientSecret::from_text(&Secret::from(&*secret_of("app")));
    let app = || Client::confidential("app", secret()).native().first_party().redirect_uri("http://127.0.0.1/cb");
    assert!(!app().is_confidential());
    assert!(!app().grant_types([GrantType::ClientCredentials]).problems().is_empty());
    assert!(!app().may_introspect().problems().is_empty());
    let world = World::with(|builder| builder.client(app()));
    let changes = |more: Value| {
        let mut changes = json!({"client_id": "app", "redirect_uri": "http://127.0.0.1:5000/cb"});
        changes.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        changes
    };
    let without = world.authorize(&changes(json!({"code_challenge": null, "code_challenge_method": null})));
    assert_eq!(without.outcome(), (400, "invalid_request".to_owned()));
    let code = world.authorize(&changes(json!({"code_challenge": CHALLENGE}))).text("code");
    let fields = [("grant_type", "authorization_code"), ("code", &*code), ("redirect_uri", "http://127.0.0.1:5000/cb")];
    assert_eq!(world.form_as("app", "/auth/token", &fields).outcome(), (400, "invalid_grant".to_owned()));
    let with_verifier = [fields.as_slice(), &[("code_verifier", VERIFIER)]].concat();
    assert_eq!(world.form_as("app", "/auth/token", &with_verifier).status, 200);
}
