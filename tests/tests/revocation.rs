//! The revocation endpoint (RFC 7009).

use std::sync::Arc;

use http::Method;
use proofkey_conformance::shows;
use proofkey_tests::{Call, Rows, SignedIn, World, assert_well_formed, secret_of};
use serde_json::json;

fn inactive(world: &World, token: &str) -> bool {
    world.introspect("portal", token).json() == json!({"active": false})
}

/// A world in which the client `portal`, which may introspect its own tokens, has signed Ada in.
fn portal() -> (World, SignedIn) {
    let world = World::new();
    let tokens = world.sign_in_as("portal", &json!({}));
    (world, tokens)
}

fn refresh_as_portal(world: &World, refresh_token: &str) -> proofkey_tests::Reply {
    world.form_as("portal", "/auth/token", &[("grant_type", "refresh_token"), ("refresh_token", refresh_token)])
}

#[test]
fn a_refresh_token_is_revoked_with_every_access_token_of_its_grant() {
    let _rows = shows(&["rfc7009-2-1", "rfc7009-2.1-5"]);
    let (world, first) = portal();
    let second = SignedIn::of(&refresh_as_portal(&world, &first.refresh));
    let third = refresh_as_portal(&world, &second.refresh);
    let third = SignedIn::of(&third);
    for token in [&first.access, &second.access, &third.access, &third.refresh] {
        assert!(!inactive(&world, token));
    }
    let reply = world.form_as("portal", "/auth/revoke", &[("token", &third.refresh)]);
    assert_eq!(reply.status, 200);
    assert_eq!(refresh_as_portal(&world, &third.refresh).outcome(), (400, "invalid_grant".to_owned()));
    for token in [&first.access, &second.access, &third.access, &third.refresh, &first.refresh] {
        assert!(inactive(&world, token));
    }
    assert!(!world.works(&first.access) && !world.works(&third.access));
}

#[test]
fn an_access_token_is_revoked_alone() {
    let _rows = shows(&["rfc7009-2-2"]);
    let (world, tokens) = portal();
    assert_eq!(world.form_as("portal", "/auth/revoke", &[("token", &tokens.access)]).status, 200);
    assert_eq!(world.get("/auth/userinfo", &tokens.access).outcome(), (401, "invalid_token".to_owned()));
    assert!(inactive(&world, &tokens.access));
    assert_eq!(refresh_as_portal(&world, &tokens.refresh).status, 200);
}

#[test]
fn a_confidential_client_authenticates_and_a_public_one_says_who_it_is() {
    let _rows = shows(&["rfc7009-2.1-1"]);
    let (world, tokens) = portal();
    let secret = secret_of("portal");
    let refused = [
        world.form("/auth/revoke", &[("client_id", "portal"), ("token", &tokens.refresh)]),
        world.form("/auth/revoke", &[("client_id", "portal"), ("client_secret", &secret), ("token", &tokens.refresh)]),
        world.form("/auth/revoke", &[("client_id", "nobody"), ("token", &tokens.refresh)]),
    ];
    for reply in refused {
        assert_eq!(reply.outcome(), (401, "invalid_client".to_owned()));
        assert_well_formed(&reply, "revoke");
    }
    let nameless = world.form("/auth/revoke", &[("token", &tokens.refresh)]);
    assert_eq!(nameless.outcome(), (400, "invalid_request".to_owned()));
    assert!(!inactive(&world, &tokens.refresh));
    assert_eq!(world.revoke(&world.sign_in().refresh).status, 200);
}

#[test]
fn a_token_of_another_client_is_left_alone() {
    let _rows = shows(&["rfc7009-2.1-2"]);
    let (world, tokens) = portal();
    for token in [&tokens.refresh, &tokens.access] {
        // 200 without effect: the answer does not tell whether the token exists (design section 11).
        let reply = world.revoke(token);
        assert_eq!((reply.status.as_u16(), reply.body.len()), (200, 0));
        assert!(!inactive(&world, token));
    }
    assert_eq!(refresh_as_portal(&world, &tokens.refresh).status, 200);
}

#[test]
fn a_hint_that_is_wrong_or_unknown_changes_nothing() {
    let _rows = shows(&["rfc7009-2.1-3"]);
    for hint in ["access_token", "refresh_token", "foo", ""] {
        let world = World::new();
        let tokens = world.sign_in();
        let fields = [("client_id", "web"), ("token", &*tokens.refresh), ("token_type_hint", hint)];
        assert_eq!(world.form("/auth/revoke", &fields).status, 200);
        assert_eq!(world.refresh(&tokens.refresh).outcome(), (400, "invalid_grant".to_owned()), "{hint}");
        assert!(!world.works(&tokens.access), "{hint}");
    }
}

#[test]
fn the_next_request_at_any_instance_over_the_store_is_refused() {
    let _rows = shows(&["rfc7009-2.1-4"]);
    let rows = Arc::new(Rows::default());
    let here = World::over(rows.clone(), |builder| builder);
    let there = World::over(rows, |builder| builder.seed(2));
    let (whole, alone) = (here.sign_in(), here.sign_in());
    assert!(there.works(&whole.access) && there.works(&alone.access));
    assert_eq!(here.revoke(&whole.refresh).status, 200);
    assert_eq!(here.revoke(&alone.access).status, 200);
    for world in [&here, &there] {
        assert!(!world.works(&whole.access) && !world.works(&alone.access));
        assert_eq!(world.refresh(&whole.refresh).outcome(), (400, "invalid_grant".to_owned()));
    }
}

#[test]
fn a_request_without_a_token_is_invalid() {
    let _rows = shows(&["rfc7009-2.1-6"]);
    let world = World::new();
    for fields in [[("client_id", "web")].as_slice(), &[("client_id", "web"), ("token", "")]] {
        assert_eq!(world.form("/auth/revoke", fields).outcome(), (400, "invalid_request".to_owned()));
    }
    assert_eq!(world.json("/auth/revoke", &json!({"client_id": "web"})).outcome(), (400, "invalid_request".to_owned()));
}

#[test]
fn a_token_that_does_not_work_is_as_good_as_revoked() {
    let _rows = shows(&["rfc7009-2.2-1"]);
    let world = World::new();
    let (tokens, code) = (world.sign_in(), world.code());
    let expired = world.sign_in();
    for token in
        ["x", "random text", "pfk_access_", &code, &tokens.access, &tokens.access, &tokens.refresh, &tokens.refresh]
    {
        let reply = world.revoke(token);
        assert_eq!((reply.status.as_u16(), reply.body.len()), (200, 0), "{token}");
    }
    world.clock.advance(std::time::Duration::from_secs(100 * 86_400));
    for token in [&expired.access, &expired.refresh] {
        let reply = world.revoke(token);
        assert_eq!((reply.status.as_u16(), reply.body.len()), (200, 0), "{token}");
    }
    let json = world.json("/auth/revoke", &json!({"client_id": "web", "token": "x"}));
    assert_eq!(json.json(), json!({"message": "Token revoked successfully"}), "JSON in, the original's answer out");
}

#[test]
fn no_hint_costs_more_than_one_look_up_and_failed_authentication_is_limited() {
    let _rows = shows(&["rfc7009-5-1"]);
    let world = World::new();
    let (tokens, other) = (world.sign_in(), world.sign_in_as("portal", &json!({})));
    world.revoke(&tokens.refresh);
    world.store.take_calls();
    for token in ["x", &tokens.access, &tokens.refresh, &other.access, &other.refresh] {
        for hint in ["access_token", "refresh_token", "code", "access_token refresh_token", &"h".repeat(2000)] {
            world.form("/auth/revoke", &[("client_id", "web"), ("token", token), ("token_type_hint", hint)]);
            let calls = world.store.take_calls();
            assert!(calls.is_empty() || calls == [Call::Get], "{token} {hint}: {calls:?}");
        }
    }
    let guess = || world.form("/auth/revoke", &[("client_id", "portal"), ("token", "x")]);
    let mut statuses: Vec<u16> = (0..31).map(|_| guess().status.as_u16()).collect();
    statuses.dedup();
    assert_eq!(statuses, [401, 429]);
    assert!(!guess().header("retry-after").is_empty());
    // Whoever knows the secret is not locked out by the guesses of others.
    assert_eq!(world.form_as("portal", "/auth/revoke", &[("token", "x")]).status, 200);
}

#[test]
fn only_post_revokes() {
    let world = World::new();
    let tokens = world.sign_in();
    let query = format!("/auth/revoke?client_id=web&token={}", tokens.refresh);
    assert_eq!(world.request(Method::GET, &query, &[], "").status, 405);
    assert_eq!(world.form(&query, &[]).outcome(), (400, "invalid_request".to_owned()));
    assert!(world.works(&tokens.access));
}
