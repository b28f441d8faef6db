//! Registrations of clients as JSON: what is read can be written and read again, and one without problems is one that
//! a server can be built with.

use proofkey_core::{ApplicationType, Client, RedirectUri, Scope};
use serde_json::{Map, Value};

pub(super) fn target(bytes: &[u8]) {
    let Ok(fields) = serde_json::from_slice::<Map<String, Value>>(bytes) else { return };
    let client = match Client::from_json(&fields) {
        Ok(client) => client,
        Err(error) => {
            assert!(error.name() == "client_id" || fields.contains_key(error.name()), "{error} names a field");
            return;
        }
    };
    let written = as_json(&client);
    if let Some(secret) = fields.get("client_secret").and_then(Value::as_str).filter(|secret| secret.len() >= 12) {
        let elsewhere = Value::Object(written.clone()).to_string().contains(secret);
        assert!(elsewhere || !format!("{client:?}").contains(secret), "no secret is printed");
    }
    assert!(!written.contains_key("client_secret"), "a secret is not written");
    // Blanks within a word of a list are told as a malformed scope.
    let scope_is_sound = client.allowed_scope().is_empty() || Scope::parse(client.allowed_scope()).is_ok();
    let again = Client::from_json(&written).unwrap_or_else(|error| panic!("read again: {error}"));
    let problems = client.problems();
    assert!(scope_is_sound || !problems.is_empty());
    if scope_is_sound {
        assert_eq!(as_json(&again.with_secrets_of(&client)), written, "written and read again");
    }
    assert!(problems.iter().all(|problem| !problem.to_string().is_empty()));
    if problems.is_empty() {
        assert_sound(&client);
    }
}

fn as_json(client: &Client) -> Map<String, Value> {
    match serde_json::to_value(client) {
        Ok(Value::Object(fields)) => fields,
        other => panic!("a client is written as an object: {other:?}"),
    }
}

fn assert_sound(client: &Client) {
    let id = client.client_id();
    assert!((1..=255).contains(&id.len()) && id.bytes().all(|byte| (0x20..=0x7e).contains(&byte)));
    let kind = if client.is_native() { ApplicationType::Native } else { ApplicationType::Web };
    assert!(client.redirect_uris().iter().all(|uri| RedirectUri::parse(uri, kind).is_ok()));
    let scope = client.allowed_scope();
    assert!(scope.is_empty() || Scope::parse(scope).is_ok());
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    super::texts(&[
        r#"{"client_id":"a","redirect_uris":["https://c.example/cb"]}"#,
        r#"{"client_id":"a","client_secret":"pfk_secret_x","token_endpoint_auth_method":"client_secret_post","grant_types":"client_credentials authorization_code","redirect_uris":"https://c.example/cb https://d.example/cb?x=1","scope":["read","write"],"introspect":true,"serves":["https://api.example/"],"access_token_lifetime":"15m"}"#,
        r#"{"client_id":"a b","application_type":"native","redirect_uris":["http://127.0.0.1/cb","com.example.app:/cb"],"resources":["urn:a"],"default_resources":["https://api.example/"],"first_party":true,"oauth21":true}"#,
        r#"{"client_id":"a","refresh_token_lifetime":0,"grant_lifetime":7200,"client_name":null,"scope":"a\"b"}"#,
        r#"{"client_id":"a","colour":"blue"}"#,
        r#"{"client_name":"a"}"#,
        r#"{"client_id":"a","grant_lifetime":18446744073709551615,"access_token_lifetime":1e3}"#,
    ])
}
