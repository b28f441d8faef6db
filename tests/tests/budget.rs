//! How many store calls each operation costs (design section 3): bounded by a stated constant (invariant I19).

use http::StatusCode;
use proofkey_tests::{Call, Reply, World};

/// Runs `act` and returns the store calls that it cost.
fn calls_of(world: &World, act: impl FnOnce(&World) -> StatusCode) -> (u16, String) {
    world.store.take_calls();
    let status = act(world).as_u16();
    let calls: Vec<String> = world.store.take_calls().iter().map(ToString::to_string).collect();
    (status, calls.join(" "))
}

fn cost(status: u16, calls: &str) -> (u16, String) {
    (status, calls.to_owned())
}

#[test]
fn redemption_and_refresh_are_one_get_and_one_put() {
    let world = World::new();
    let code = world.code();
    assert_eq!(calls_of(&world, |world| world.redeem(&code).status), cost(200, "get put"));
    let tokens = world.sign_in();
    assert_eq!(calls_of(&world, |world| world.refresh(&tokens.refresh).status), cost(200, "get put"));
}

#[test]
fn a_repeat_within_the_leeway_and_an_access_check_are_one_get() {
    let world = World::new();
    let tokens = world.sign_in();
    world.refresh(&tokens.refresh);
    assert_eq!(calls_of(&world, |world| world.refresh(&tokens.refresh).status), cost(200, "get"));
    assert_eq!(calls_of(&world, |world| world.get("/auth/userinfo", &tokens.access).status), cost(200, "get"));
}

#[test]
fn a_forged_or_malformed_token_costs_no_store_call_anywhere() {
    let world = World::new();
    let tokens = world.sign_in();
    let forge = |token: &str| {
        let mut bytes = token.as_bytes().to_vec();
        let last = bytes.len() - 1;
        bytes[last] = if bytes[last] == b'A' { b'Q' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    let (access, refresh) = (forge(&tokens.access), forge(&tokens.refresh));
    for token in [access.as_str(), "pfk_access_short", "x", &"a".repeat(4000)] {
        assert_eq!(calls_of(&world, |world| world.get("/auth/me", token).status), cost(401, ""), "{token}");
    }
    for token in [refresh.as_str(), tokens.access.as_str(), "pfk_refresh_", "x"] {
        assert_eq!(calls_of(&world, |world| world.refresh(token).status), cost(400, ""), "{token}");
    }
    assert_eq!(calls_of(&world, |world| world.redeem("pfk_code_x").status), cost(400, ""));
    assert_eq!(calls_of(&world, |world| world.revoke(&refresh).status), cost(200, ""));
    let introspect = |world: &World| world.form_as("inspector", "/auth/introspect", &[("token", &access)]).status;
    assert_eq!(calls_of(&world, introspect), cost(200, ""));
}

#[test]
fn a_stored_client_costs_one_get_more_and_a_built_in_user_one_get_where_it_is_asked_for() {
    let world = World::new();
    let stored = proofkey::Client::public("stored").redirect_uri(proofkey_tests::REDIRECT_URI).first_party();
    world.server.create_client(stored).unwrap();
    let reply = world.form(
        "/auth/token",
        &[("grant_type", "refresh_token"), ("client_id", "stored"), ("refresh_token", "pfk_refresh_x")],
    );
    assert_eq!(reply.outcome(), (400, "invalid_grant".to_owned()));
    world.store.take_calls();
    world.form("/auth/token", &[("grant_type", "refresh_token"), ("client_id", "stored"), ("refresh_token", "x")]);
    assert_eq!(world.store.take_calls(), [Call::Get]);
}

#[test]
fn challenge_and_metadata_cost_no_store_call() {
    let world = World::new();
    let challenge = |world: &World| world.json("/auth/challenge", &serde_json::json!({})).status;
    assert_eq!(calls_of(&world, challenge), cost(200, ""));
    let metadata = |world: &World| world.get_plain("/.well-known/oauth-authorization-server/auth").status;
    assert_eq!(calls_of(&world, metadata), cost(200, ""));
    assert_eq!(calls_of(&world, |world| world.get_plain("/health").status), cost(200, "get"));
}

#[test]
fn an_answer_says_how_many_store_calls_it_cost() {
    let world = World::new();
    let mut costs = Vec::new();
    let mut note = |reply: &Reply| {
        assert_eq!(reply.store_calls as usize, world.store.take_calls().len());
        costs.push(reply.store_calls);
    };
    let code = world.authorize(&serde_json::Value::Null);
    note(&code);
    let tokens = world.redeem(&code.text("code"));
    note(&tokens);
    note(&world.get("/auth/userinfo", &tokens.text("access_token")));
    note(&world.get("/auth/userinfo", "forged"));
    assert!(costs[0] > 2 && costs[1..] == [2, 1, 0], "{costs:?}");
}

#[test]
fn signing_out_again_reads_no_grant_that_is_revoked() {
    let world = World::new();
    for _ in 0..3 {
        world.sign_in();
    }
    let sign_out = |world: &World| {
        world.server.revoke_all(proofkey_tests::ADA).unwrap();
        StatusCode::OK
    };
    assert_eq!(calls_of(&world, sign_out), cost(200, "get put find get put get put get put find"));
    // The second search is for sign-ins of browsers.
    assert_eq!(calls_of(&world, sign_out), cost(200, "get put find find"));
}
