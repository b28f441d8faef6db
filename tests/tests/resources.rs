//! Resource indicators (RFC 8707): which API a token is for.

use proofkey::Client;
use proofkey_conformance::shows;
use proofkey_tests::{REDIRECT_URI, Reply, SignedIn, VERIFIER, World};
use serde_json::{Value, json};

const API: &str = "https://api.example/";
const FILES: &str = "https://files.example/";

/// Redeems a code of `portal`, which may ask for both resources and may introspect what it gets.
fn redeem(world: &World, code: &str, resources: &[&str]) -> Reply {
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ];
    world.form_as("portal", "/auth/token", &with(&fields, resources))
}

fn refresh(world: &World, refresh_token: &str, resources: &[&str]) -> Reply {
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
    world.form_as("portal", "/auth/token", &with(&fields, resources))
}

fn for_itself(world: &World, resources: &[&str]) -> Reply {
    world.form_as("portal", "/auth/token", &with(&[("grant_type", "client_credentials"), ("scope", "read")], resources))
}

fn with<'a>(fields: &[(&'a str, &'a str)], resources: &[&'a str]) -> Vec<(&'a str, &'a str)> {
    fields.iter().copied().chain(resources.iter().map(|uri| ("resource", *uri))).collect()
}

fn authorize(world: &World, resource: &Value) -> Reply {
    world.authorize(&json!({"client_id": "portal", "resource": resource}))
}

/// The audience of the access token in an answer.
fn audience(world: &World, reply: &Reply) -> Value {
    world.introspect("portal", &reply.text("access_token")).json().get("aud").cloned().unwrap_or_default()
}

fn assert_invalid_target(reply: &Reply, context: &str) {
    assert_eq!(reply.outcome(), (400, "invalid_target".to_owned()), "{context}");
}

#[test]
fn a_resource_that_is_malformed_or_not_the_clients_to_ask_for_is_an_invalid_target() {
    let _rows = shows(&["rfc8707-2-1", "rfc8707-2-4"]);
    let world = World::new();
    let tokens = world.sign_in_as("portal", &json!({"resource": API}));
    for uri in [
        "foo",
        "/relative",
        "https://api.example/#x",
        "https://unknown.example/",
        "https://API.example/",
        "https://api.example",
    ] {
        assert_invalid_target(&authorize(&world, &json!(uri)), uri);
        assert_invalid_target(&authorize(&world, &json!([API, uri])), uri);
        assert_invalid_target(&for_itself(&world, &[uri]), uri);
        assert_invalid_target(&refresh(&world, &tokens.refresh, &[uri]), uri);
        let code = authorize(&world, &json!(API)).text("code");
        assert_invalid_target(&redeem(&world, &code, &[uri]), uri);
        assert_eq!(redeem(&world, &code, &[]).status, 200, "a refusal spends no code");
    }
    for uri in ["foo", "https://api.example/#x"] {
        let client = Client::public("app").redirect_uri(REDIRECT_URI).resource(uri);
        assert!(!client.problems().is_empty(), "{uri} cannot be registered");
    }
}

#[test]
fn a_token_is_for_the_resources_that_were_asked_for_and_no_others() {
    let _rows = shows(&["rfc8707-2-2", "rfc8707-2-3"]);
    let world = World::new();
    for (asked, expected) in
        [([API].as_slice(), json!([API])), (&[FILES, API], json!([API, FILES])), (&[API, API], json!([API]))]
    {
        assert_eq!(audience(&world, &for_itself(&world, asked)), expected);
        let code = authorize(&world, &json!(asked)).text("code");
        assert_eq!(audience(&world, &redeem(&world, &code, &[])), expected);
    }
    let active =
        |client: &str, reply: &Reply| world.introspect(client, &reply.text("access_token")).json()["active"] == true;
    let code = authorize(&world, &json!(FILES)).text("code");
    assert!(!active("api", &redeem(&world, &code, &[])), "the server of another resource is not told of it");
}

#[test]
fn without_a_resource_the_clients_default_counts_or_none() {
    let _rows = shows(&["rfc8707-2.1-1"]);
    let client = Client::public("app").redirect_uri(REDIRECT_URI).first_party().resource(FILES).default_resource(API);
    let world = World::with(|builder| builder.client(client));
    let sign_in = |changes: &Value| {
        let mut all = json!({"client_id": "app"});
        all.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let code = world.authorize(&all).text("code");
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", "app"),
            ("code", &*code),
            ("redirect_uri", REDIRECT_URI),
            ("code_verifier", VERIFIER),
        ];
        SignedIn::of(&world.form("/auth/token", &fields)).access
    };
    let told = |token: &str| world.introspect("api", token).json()["active"].clone();
    assert_eq!(told(&sign_in(&json!({}))), true);
    assert_eq!(told(&sign_in(&json!({"resource": FILES}))), false);
    // A client without a default gets a token for the server itself.
    let plain = world.sign_in_as("portal", &json!({}));
    assert_eq!(world.introspect("portal", &plain.access).json().get("aud"), None);
    assert!(world.works(&plain.access));
}

#[test]
fn at_the_token_endpoint_the_audience_is_narrowed_and_never_widened() {
    let _rows = shows(&["rfc8707-2.2-1"]);
    let world = World::new();
    let code = authorize(&world, &json!([API, FILES])).text("code");
    let first = redeem(&world, &code, &[API]);
    assert_eq!(audience(&world, &first), json!([API]));
    // Nothing was lost: the grant still holds both.
    let second = refresh(&world, &first.text("refresh_token"), &[FILES]);
    assert_eq!(audience(&world, &second), json!([FILES]));
    let third = refresh(&world, &second.text("refresh_token"), &["https://third.example/"]);
    assert_invalid_target(&third, "more than was granted");
    let fourth = refresh(&world, &second.text("refresh_token"), &[]);
    assert_eq!(audience(&world, &fourth), json!([API, FILES]), "the refresh token lives");
}

#[test]
fn up_to_eight_resources_are_named_by_one_request() {
    let many: Vec<String> = (0..9).map(|number| format!("https://{number}.example/")).collect();
    let client = Client::public("many").redirect_uri(REDIRECT_URI).first_party();
    let world = World::with(|builder| builder.client(many.iter().fold(client, |client, uri| client.resource(uri))));
    let ask = |named: &[String]| world.authorize(&json!({ "client_id": "many", "resource": named }));
    assert_eq!(ask(&many[..8]).status, 200);
    assert_invalid_target(&ask(&many), "nine");
    let repeated: Vec<String> = many[..8].iter().chain(&many[..8]).cloned().collect();
    assert_eq!(ask(&repeated).status, 200, "a repeated one counts once");
}
