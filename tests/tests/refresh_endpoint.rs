//! `/refresh` is `/token` for one grant type: the same table for both, by form and by JSON (design section 11).

use proofkey_tests::{Reply, SignedIn, World};
use serde_json::Value;

fn refused(code: &str) -> (u16, String) {
    (400, code.to_owned())
}

#[test]
fn refresh_and_token_are_one_endpoint_by_form_and_by_json() {
    // What is changed in a good refresh, and the outcome: `{access}` and `{old}` stand for tokens.
    let everywhere = |changes: &[(&str, &str)], status: u16, error: &str| {
        let answers: Vec<_> = ["/auth/token", "/auth/refresh"]
            .into_iter()
            .flat_map(|path| [false, true].map(|as_json| (path, as_json)))
            .map(|(path, as_json)| {
                let reply = refresh(path, as_json, changes);
                assert_eq!(reply.outcome(), (status, error.to_owned()), "{path} json={as_json} {changes:?}");
                (reply.body, reply.headers)
            })
            .collect();
        assert!(answers.windows(2).all(|two| two[0] == two[1]), "the same bytes: {changes:?}");
    };
    everywhere(&[], 200, "");
    everywhere(&[("scope", "read")], 200, "");
    everywhere(&[("scope", "")], 200, "");
    everywhere(&[("foo", "bar")], 200, "");
    everywhere(&[("scope", "admin")], 400, "invalid_scope");
    everywhere(&[("scope", "re\"ad")], 400, "invalid_scope");
    everywhere(&[("resource", "https://api.example/")], 400, "invalid_target");
    everywhere(&[("refresh_token", "")], 400, "invalid_request");
    everywhere(&[("refresh_token", "pfk_refresh_x")], 400, "invalid_grant");
    everywhere(&[("refresh_token", "{access}")], 400, "invalid_grant");
    everywhere(&[("refresh_token", "{old}")], 400, "invalid_grant");
    everywhere(&[("client_id", "")], 400, "invalid_request");
    everywhere(&[("client_id", "other")], 400, "invalid_grant");
    everywhere(&[("client_id", "brief")], 400, "unauthorized_client");
    everywhere(&[("client_id", "nobody")], 401, "invalid_client");
    everywhere(&[("client_secret", "x")], 401, "invalid_client");
    everywhere(&[("grant_type", "password")], 400, "unsupported_grant_type");
    let world = World::new();
    let named = [("client_id", "web"), ("refresh_token", "x"), ("grant_type", "authorization_code"), ("code", "x")];
    assert_eq!(world.form("/auth/refresh", &named).outcome(), refused("unsupported_grant_type"));
    let unnamed = [("client_id", "web"), ("refresh_token", &*world.sign_in().refresh)];
    assert_eq!(world.form("/auth/refresh", &unnamed).status, 200, "the grant type may be left out");
    assert_eq!(world.form("/auth/token", &unnamed).outcome(), refused("invalid_request"));
}

/// A refresh in a world of its own, with one long retired token.
fn refresh(path: &str, as_json: bool, changes: &[(&str, &str)]) -> Reply {
    let world = World::new();
    let first = world.sign_in();
    let live = SignedIn::of(&world.refresh(&first.refresh));
    world.wait(100);
    let mut fields = vec![
        ("grant_type", "refresh_token".to_owned()),
        ("client_id", "web".to_owned()),
        ("refresh_token", live.refresh.clone()),
    ];
    for (name, value) in changes {
        let value = value.replace("{old}", &first.refresh).replace("{access}", &live.access);
        fields.retain(|(kept, _)| kept != name);
        fields.push((name, value));
    }
    if as_json {
        let members: serde_json::Map<String, Value> =
            fields.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect();
        return world.json(path, &Value::Object(members));
    }
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, &**value)).collect();
    world.form(path, &fields)
}
