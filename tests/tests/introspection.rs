//! The introspection endpoint (RFC 7662).

use std::time::Duration;

use http::Method;
use proofkey::{Client, ClientSecret, GrantType, Secret};
use proofkey_conformance::shows;
use proofkey_tests::{ADA, ISSUER, Reply, START, World, assert_well_formed, secret_of};
use serde_json::{Value, json};

const API: &str = "https://api.example/";
const INACTIVE: &[u8] = b"{\"active\":false}";

fn post(world: &World, fields: &[(&str, &str)]) -> Reply {
    world.form("/auth/introspect", fields)
}

/// Changes the last characters, so that the token's check is wrong.
fn forged(token: &str) -> String {
    let (start, end) = token.split_at(token.len() - 4);
    format!("{start}{}", if end == "AAAA" { "BBBB" } else { "AAAA" })
}

#[test]
fn whoever_asks_is_an_authenticated_client() {
    let _rows = shows(&["rfc7662-2.1-1", "rfc7662-2.3-1"]);
    let world = World::new();
    let tokens = world.sign_in_as("portal", &json!({"resource": API}));
    let token = ("token", &*tokens.access);
    let secret = secret_of("portal");
    let bearer = [("authorization", &*format!("Bearer {}", tokens.access))];
    let nonsense = [("authorization", "Bearer nonsense")];
    let refused = [
        ("without credentials", post(&world, &[token]), "invalid_client"),
        ("a public client", post(&world, &[token, ("client_id", "web")]), "invalid_client"),
        ("an unknown client", post(&world, &[token, ("client_id", "nobody")]), "invalid_client"),
        ("no secret", post(&world, &[token, ("client_id", "portal")]), "invalid_client"),
        ("a wrong secret", post(&world, &[token, ("client_id", "poster"), ("client_secret", "x")]), "invalid_client"),
        (
            "in a wrong way",
            post(&world, &[token, ("client_id", "portal"), ("client_secret", &secret)]),
            "invalid_client",
        ),
        ("a wrong bearer", world.form_with("/auth/introspect", &nonsense, &[token]), "invalid_token"),
        ("a bearer at all", world.form_with("/auth/introspect", &bearer, &[token]), "invalid_token"),
    ];
    for (case, reply, error) in refused {
        assert_eq!(reply.outcome(), (401, error.to_owned()), "{case}");
        assert_well_formed(&reply, case);
    }
    assert_eq!(world.introspect("portal", &tokens.access).json()["active"], true);
}

#[test]
fn a_form_is_posted_and_nothing_else_asked() {
    let _rows = shows(&["rfc7662-2.1-2", "rfc7662-2.1-3"]);
    let world = World::new();
    let token = world.sign_in_as("portal", &json!({})).access;
    let reply = world.introspect("portal", &token);
    assert_eq!((reply.status.as_u16(), reply.header("content-type")), (200, "application/json"));
    assert_eq!(reply.header("cache-control"), "no-store");
    let get = world.request(Method::GET, &format!("/auth/introspect?token={token}"), &[], "");
    assert_eq!((get.status.as_u16(), get.header("allow")), (405, "POST, OPTIONS"));
    for fields in [[].as_slice(), &[("token", "")], &[("token_type_hint", "access_token")]] {
        let reply = world.form_as("portal", "/auth/introspect", fields);
        assert_eq!(reply.outcome(), (400, "invalid_request".to_owned()));
    }
}

#[test]
fn a_wrong_hint_does_not_hide_a_token() {
    let _rows = shows(&["rfc7662-2.1-4"]);
    let world = World::new();
    let tokens = world.sign_in_as("portal", &json!({}));
    for (token, hint) in [(&tokens.refresh, "access_token"), (&tokens.access, "refresh_token"), (&tokens.access, "x")] {
        let reply = world.form_as("portal", "/auth/introspect", &[("token", token), ("token_type_hint", hint)]);
        assert_eq!(reply.json()["active"], true, "{hint}");
    }
}

#[test]
fn an_active_token_is_described() {
    let _rows = shows(&["rfc7662-2.2-1", "rfc7662-2.2-4"]);
    let world = World::new();
    let tokens = world.sign_in_as("portal", &json!({"resource": API, "scope": "write profile read"}));
    let described = world.introspect("portal", &tokens.access).json();
    let expected = json!({
        "active": true, "scope": "profile read write", "client_id": "portal", "username": "ada@example.com",
        "token_type": "Bearer", "exp": START + 3600, "iat": START, "sub": ADA, "aud": [API], "iss": ISSUER,
    });
    assert_eq!(described, expected);
    let refresh = world.introspect("portal", &tokens.refresh).json();
    assert_eq!(
        (&refresh["active"], &refresh["sub"], &refresh["client_id"]),
        (&json!(true), &json!(ADA), &json!("portal"))
    );
    assert_eq!(refresh["exp"], json!(START + 30 * 86_400));
    let own = world.form_as("portal", "/auth/token", &[("grant_type", "client_credentials"), ("scope", "read")]);
    let own = world.introspect("portal", &own.text("access_token")).json();
    assert_eq!((&own["active"], own.get("sub"), own.get("username")), (&json!(true), None, None));
}

#[test]
fn what_is_unknown_expired_revoked_or_foreign_is_the_same_to_the_byte() {
    let _rows = shows(&["rfc7662-2.2-2", "rfc7662-2.2-3"]);
    let world = World::new();
    let expired = world.sign_in_as("portal", &json!({}));
    world.clock.advance(Duration::from_secs(31 * 86_400));
    let tokens = world.sign_in_as("portal", &json!({}));
    let foreign = world.sign_in();
    let revoked = world.sign_in_as("portal", &json!({}));
    world.form_as("portal", "/auth/revoke", &[("token", &revoked.refresh)]);
    let rotated =
        world.form_as("portal", "/auth/token", &[("grant_type", "refresh_token"), ("refresh_token", &tokens.refresh)]);
    assert_eq!(rotated.status, 200);
    for (case, token) in [
        ("unknown", "x"),
        ("forged", &forged(&tokens.access)),
        ("a code", &world.code()),
        ("expired", &expired.access),
        ("an expired refresh token", &expired.refresh),
        ("revoked", &revoked.access),
        ("a revoked refresh token", &revoked.refresh),
        ("a rotated refresh token", &tokens.refresh),
        ("foreign", &foreign.access),
        ("a foreign refresh token", &foreign.refresh),
    ] {
        let reply = world.introspect("portal", token);
        assert_eq!((reply.status.as_u16(), &reply.body[..]), (200, INACTIVE), "{case}");
    }
    // To ask changes nothing: a rotated token that is introspected is no theft.
    assert_eq!(world.introspect("portal", &rotated.text("refresh_token")).json()["active"], true);
}

#[test]
fn a_token_is_active_only_where_all_holds() {
    let _rows = shows(&["rfc7662-4-1"]);
    let states =
        ["good", "expired", "revoked", "with a wrong check", "for another audience", "of a user who was signed out"];
    for state in states {
        let world = World::new();
        let mut token = world.sign_in_as("portal", &json!({"resource": API})).access;
        match state {
            "expired" => world.clock.advance(Duration::from_secs(3600)),
            "revoked" => assert_eq!(world.form_as("portal", "/auth/revoke", &[("token", &token)]).status, 200),
            "with a wrong check" => token = forged(&token),
            "for another audience" => {
                token = world.sign_in_as("portal", &json!({"resource": "https://files.example/"})).access;
            }
            "of a user who was signed out" => assert_eq!(world.server.revoke_all(ADA).unwrap(), 1),
            _ => {}
        }
        let described = world.introspect("api", &token).json();
        assert_eq!(described["active"], state == "good", "{state}");
        // A token works from the second in which it is issued, so there is no moment before it to be checked.
        assert_eq!(described.get("nbf"), None);
    }
}

#[test]
fn only_clients_that_may_introspect_are_told() {
    let _rows = shows(&["rfc7662-4-2"]);
    let world = World::new();
    let token = world.sign_in_as("scoped", &json!({"resource": API})).access;
    let refused = world.introspect("service", &token);
    assert_eq!(refused.outcome(), (403, "unauthorized_client".to_owned()));
    assert_well_formed(&refused, "introspect");
    assert_eq!(world.introspect("api", &token).json()["sub"], ADA);
}

#[test]
fn a_token_for_one_resource_server_is_active_for_no_other() {
    let _rows = shows(&["rfc7662-4-3"]);
    let secret = ClientSecret::from_text(&Secret::from(&*secret_of("files")));
    let files = Client::confidential("files", secret).serves("https://files.example/");
    let world = World::with(|builder| builder.client(files.grant_types([GrantType::ClientCredentials])));
    let for_api = world.sign_in_as("scoped", &json!({"resource": API})).access;
    let for_both = world.sign_in_as("scoped", &json!({"resource": [API, "https://files.example/"]})).access;
    let active = |client: &str, token: &str| world.introspect(client, token).json()["active"] == Value::Bool(true);
    assert!(active("api", &for_api) && !active("files", &for_api));
    assert!(active("api", &for_both) && active("files", &for_both));
    assert!(!active("api", &world.sign_in().access), "a token for the server itself is nobody else's");
}

#[test]
fn the_name_of_a_user_is_told_only_where_the_scope_shows_it() {
    let _rows = shows(&["rfc7662-5-1"]);
    let world = World::new();
    let described = |scope: &str| {
        let token = world.sign_in_as("scoped", &json!({"resource": API, "scope": scope})).access;
        world.introspect("api", &token).json()
    };
    let narrow = described("read");
    assert_eq!((narrow.get("username"), &narrow["sub"]), (None, &json!(ADA)));
    assert!(!narrow.to_string().contains("ada@example.com"));
    assert_eq!(described("read profile")["username"], "ada@example.com");
}
