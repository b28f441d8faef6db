//! A client's token for itself (RFC 6749 section 4.4): its own scope and lifetime, no refresh token, no user.

use std::time::Duration;

use proofkey::core::Request;
use proofkey::{Client, ClientSecret, EventKind, GrantType, Requirement, Secret};
use proofkey_tests::{Call, Reply, World, secret_of};

const API: &str = "https://api.example/";

fn batch() -> Client {
    let secret = ClientSecret::from_text(&Secret::from(&*secret_of("batch")));
    Client::confidential("batch", secret).grant_types([GrantType::ClientCredentials]).may_introspect()
}

fn ask(world: &World, fields: &[(&str, &str)]) -> Reply {
    world.form_as("batch", "/auth/token", &[&[("grant_type", "client_credentials")], fields].concat())
}

fn is_active(world: &World, token: &str) -> bool {
    world.form_as("batch", "/auth/introspect", &[("token", token)]).json()["active"] == true
}

#[test]
fn a_client_gets_one_access_token_by_one_write_and_no_refresh_token() {
    let _rows = proofkey_conformance::shows(&["clientcred-4.4.3-1"]);
    let types = [GrantType::ClientCredentials, GrantType::RefreshToken];
    let world = World::with(|builder| builder.client(batch().grant_types(types)));
    world.store.take_calls();
    world.take_events();
    let reply = ask(&world, &[("scope", "read write")]);
    assert_eq!(world.store.take_calls().iter().filter(|call| **call == Call::Put).count(), 1);
    assert_eq!(world.take_events(), [EventKind::TokenIssued]);
    let body = reply.json();
    assert_eq!((body["expires_in"].as_u64(), body["scope"].as_str()), (Some(3600), Some("read write")));
    assert!(body.get("refresh_token").is_none());
    assert!(is_active(&world, &reply.text("access_token")));
}

#[test]
fn only_a_confidential_client_that_authenticates_gets_one() {
    let _rows = proofkey_conformance::shows(&["clientcred-4.4-1"]);
    let world = World::with(|builder| builder.client(batch()));
    let fields = [("grant_type", "client_credentials"), ("scope", "read")];
    let named = |client| world.form("/auth/token", &[fields.as_slice(), &[("client_id", client)]].concat()).outcome();
    assert_eq!(named("web"), (400, "unauthorized_client".to_owned()));
    assert_eq!(named("native"), (400, "unauthorized_client".to_owned()));
    assert_eq!(named("batch"), (401, "invalid_client".to_owned()));
    assert_eq!(ask(&world, &[("scope", "read")]).status, 200);
}

#[test]
fn scope_and_lifetime_are_those_of_the_client() {
    let _rows = proofkey_conformance::shows(&["clientcred-4.4.2-1"]);
    let own = batch().scope("read profile").access_token_lifetime(Duration::from_secs(120));
    let world = World::with(|builder| builder.client(own).set("default_scope", "read write"));
    let table = [
        (&[("scope", "read write")][..], Ok("read")),
        (&[("scope", "read profile")], Ok("profile read")),
        (&[], Ok("read")),
        (&[("scope", "")], Ok("read")),
        (&[("scope", "write")], Err("invalid_scope")),
        (&[("scope", "admin")], Err("invalid_scope")),
        (&[("scope", "a\"b")], Err("invalid_scope")),
        (&[("resource", API)], Err("invalid_target")),
    ];
    for (fields, expected) in table {
        let reply = ask(&world, fields);
        match expected {
            Ok(scope) => {
                assert_eq!((reply.text("scope"), reply.json()["expires_in"].as_u64()), (scope.to_owned(), Some(120)))
            }
            Err(error) => assert_eq!(reply.outcome(), (400, error.to_owned()), "{fields:?}"),
        }
    }
    let token = ask(&world, &[]).text("access_token");
    world.wait(119);
    assert!(is_active(&world, &token));
    world.wait(1);
    assert!(!is_active(&world, &token));
}

#[test]
fn the_audience_is_what_was_asked_for_or_the_clients_default() {
    let own = batch().default_resource(API).resource("https://files.example/");
    let world = World::with(|builder| builder.client(own));
    let opens = |token: &str, resource: &str| {
        let request = http::Request::get("/").header("authorization", format!("Bearer {token}"));
        let request = Request::new(request.body(bytes::Bytes::new()).unwrap(), None);
        world.server.check_access(request, Requirement::any().for_resource(resource)).is_ok()
    };
    let scope = ("scope", "read");
    let by_default = ask(&world, &[scope]).text("access_token");
    assert!(opens(&by_default, API) && !opens(&by_default, "https://files.example/"));
    let asked = ask(&world, &[scope, ("resource", "https://files.example/")]).text("access_token");
    assert!(!opens(&asked, API) && opens(&asked, "https://files.example/"));
    let both = ask(&world, &[scope, ("resource", "https://files.example/"), ("resource", API)]).text("access_token");
    assert!(opens(&both, API) && opens(&both, "https://files.example/"));
}

#[test]
fn a_clients_own_token_can_be_revoked_by_it_and_is_none_of_a_users() {
    let _rows = proofkey_conformance::shows(&["clientcred-4.4.3-2"]);
    let world = World::with(|builder| builder.client(batch()));
    let token = ask(&world, &[("scope", "read profile")]).text("access_token");
    assert_eq!(world.get("/auth/userinfo", &token).outcome(), (403, "insufficient_scope".to_owned()));
    let listed = world.server.grants_of_client("batch").unwrap();
    assert_eq!(listed.iter().map(proofkey::GrantSummary::subject).collect::<Vec<_>>(), [None]);
    assert_eq!(world.form_as("service", "/auth/revoke", &[("token", &token)]).status, 200);
    assert!(is_active(&world, &token), "another client revokes nothing");
    assert_eq!(world.form_as("batch", "/auth/revoke", &[("token", &token)]).status, 200);
    assert!(!is_active(&world, &token));
}

#[test]
fn a_store_that_fails_gives_no_token() {
    let world = World::with(|builder| builder.client(batch()));
    world.store.set_down(true);
    let reply = ask(&world, &[("scope", "read")]);
    assert_eq!(reply.outcome(), (503, "temporarily_unavailable".to_owned()));
    world.store.set_down(false);
    assert_eq!(world.server.grants_of_client("batch").unwrap().len(), 0);
}
