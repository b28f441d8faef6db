//! The vectors that all languages share, through whole servers: PKCE, Basic, forms, redirect URIs.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proofkey::{AuthMethod, Client, ClientSecret, GrantType, Secret};
use proofkey_tests::World;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use toml::Table;

/// The vectors of one kind.
fn vectors(kind: &str) -> Vec<Table> {
    let all: Table = toml::from_str(include_str!("../conformance/vectors.toml")).unwrap();
    let all = all["vector"].as_array().unwrap().iter().filter_map(|vector| vector.as_table());
    let found: Vec<Table> = all.filter(|vector| vector["kind"].as_str() == Some(kind)).cloned().collect();
    assert!(!found.is_empty(), "{kind}");
    found
}

fn text<'a>(vector: &'a Table, name: &str) -> &'a str {
    vector[name].as_str().unwrap()
}

fn is_valid(vector: &Table) -> bool {
    vector["valid"].as_bool().unwrap()
}

fn itself(id: &str, secret: &str) -> Client {
    let secret = ClientSecret::from_text(&Secret::from(secret));
    Client::confidential(id, secret).grant_types([GrantType::ClientCredentials])
}

#[test]
fn verifiers_and_challenges() {
    let _rows = proofkey_conformance::shows(&["rfc7636-4.1-1", "rfc7636-4.2-2"]);
    let world = World::new();
    for vector in vectors("pkce") {
        let verifier = text(&vector, "code_verifier");
        let computed = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
        let challenge = vector.get("code_challenge").map_or(computed, |given| given.as_str().unwrap().to_owned());
        let method = text(&vector, "code_challenge_method");
        let code = world.code_with(&json!({"code_challenge": challenge, "code_challenge_method": method}));
        let reply = world.redeem_with(&code, &[("code_verifier", verifier)]);
        assert_eq!(reply.status == 200, is_valid(&vector), "{vector:?}: {reply:?}");
    }
}

#[test]
fn basic_headers() {
    let _rows = proofkey_conformance::shows(&["rfc6749-2.3.1-1", "rfc6749-2.3.1-2"]);
    for vector in vectors("basic-auth") {
        let client = itself(text(&vector, "client_id"), text(&vector, "client_secret"));
        let world = World::with(|builder| builder.client(client));
        let fields = [("grant_type", "client_credentials"), ("scope", "read")];
        let reply = world.form_with("/auth/token", &[("authorization", text(&vector, "header"))], &fields);
        assert_eq!(reply.status, 200, "{vector:?}");
    }
}

#[test]
fn form_encoding() {
    let _rows = proofkey_conformance::shows(&["rfc6749-B-1"]);
    for vector in vectors("form") {
        let client = itself("odd", text(&vector, "decoded")).auth_method(AuthMethod::ClientSecretPost);
        let world = World::with(|builder| builder.client(client));
        let secret = text(&vector, "encoded");
        let body = format!("grant_type=client_credentials&scope=read&client_id=odd&client_secret={secret}");
        let form = [("content-type", "application/x-www-form-urlencoded")];
        assert_eq!(world.request(http::Method::POST, "/auth/token", &form, body).status, 200, "{vector:?}");
    }
}

#[test]
fn redirect_uris() {
    let _rows = proofkey_conformance::shows(&["rfc6749-3.1.2.3-2"]);
    for vector in vectors("redirect-match") {
        let registered = text(&vector, "registered");
        let client = Client::public("app").redirect_uri(registered).first_party();
        let client = if registered.starts_with("https:") { client } else { client.native() };
        let world = World::with(|builder| builder.client(client));
        let reply = world.authorize(&json!({"client_id": "app", "redirect_uri": text(&vector, "requested")}));
        assert_eq!(reply.status == 200, is_valid(&vector), "{vector:?}: {reply:?}");
        assert!(is_valid(&vector) || reply.error() == "invalid_request");
    }
}
