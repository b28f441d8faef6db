//! Authorization codes: short-lived, used once, bound to what they were issued for (invariants I1 to I4).

use proofkey::EventKind;
use proofkey_tests::{ADA, SERVICE_URI, SignedIn, World};
use serde_json::json;

fn is_active(world: &World, token: &str) -> bool {
    world.introspect("portal", token).json()["active"] == true
}

/// Signs Ada in to the client `portal`, which may introspect; the code that was spent comes with the tokens.
fn sign_in_to_portal(world: &World) -> (String, SignedIn) {
    let code = world.code_with(&json!({"client_id": "portal"}));
    let tokens = SignedIn::of(&world.redeem_as("portal", &code, &[]));
    (code, tokens)
}

fn invalid_grant() -> (u16, String) {
    (400, "invalid_grant".to_owned())
}

#[test]
fn a_code_works_until_its_lifetime_is_over_and_not_a_second_longer() {
    let _rows = proofkey_conformance::shows(&["rfc6749-4.1.2-1"]);
    for (lifetime, age, works) in [("60", 59, true), ("60", 60, false), ("10", 10, false), ("600", 599, true)] {
        let world = World::with(|builder| builder.set("code_lifetime", lifetime));
        let code = world.code();
        world.wait(age);
        let reply = world.redeem(&code);
        assert_eq!(reply.status == 200, works, "{age} s into {lifetime} s: {reply:?}");
        assert!(works || reply.outcome() == invalid_grant());
    }
}

#[test]
fn a_code_lives_a_minute_by_default_and_ten_at_most() {
    let _rows = proofkey_conformance::shows(&["rfc6749-4.1.2-2"]);
    let world = World::new();
    assert_eq!(world.server.with_config(|config| config.settings().text("code_lifetime")), Some("1m".to_owned()));
    let mut settings = proofkey::Settings::new();
    settings.set("code_lifetime", "10m").unwrap();
    let problem = settings.set("code_lifetime", "601").unwrap_err();
    assert!(problem.to_string().contains("code_lifetime"), "{problem}");
}

#[test]
fn a_second_redemption_is_refused_and_ends_what_the_first_one_gave() {
    let _rows = proofkey_conformance::shows(&["rfc6749-4.1.2-3", "rfc6749-4.1.2-4"]);
    let world = World::new();
    let (code, tokens) = sign_in_to_portal(&world);
    assert!(is_active(&world, &tokens.access) && is_active(&world, &tokens.refresh));
    world.take_events();
    let again = world.redeem_as("portal", &code, &[]);
    assert_eq!(again.outcome(), invalid_grant());
    assert!(world.take_events().contains(&EventKind::CodeReplayed));
    assert!(!is_active(&world, &tokens.access) && !is_active(&world, &tokens.refresh));
    assert!(!world.works(&tokens.access));
    let fields = [("grant_type", "refresh_token"), ("refresh_token", &*tokens.refresh)];
    assert_eq!(world.form_as("portal", "/auth/token", &fields).outcome(), invalid_grant());
}

#[test]
fn a_replay_long_after_the_code_expired_is_a_replay_all_the_same() {
    let world = World::new();
    let code = world.code();
    let tokens = SignedIn::of(&world.redeem(&code));
    world.wait(3000);
    assert_eq!(world.redeem(&code).outcome(), invalid_grant());
    assert!(!world.works(&tokens.access));
}

#[test]
fn a_replay_that_would_not_have_been_a_valid_redemption_revokes_nothing() {
    let _rows = proofkey_conformance::shows(&["oauth21-7.5.2-1"]);
    let world = World::new();
    let (code, tokens) = sign_in_to_portal(&world);
    let wrong = "W".repeat(43);
    let attempts = [
        ("a wrong verifier", world.redeem_as("portal", &code, &[("code_verifier", &wrong)]), 400),
        ("no verifier", world.redeem_as("portal", &code, &[("code_verifier", "")]), 400),
        ("another redirect URI", world.redeem_as("portal", &code, &[("redirect_uri", SERVICE_URI)]), 400),
        ("another client", world.redeem_as("service", &code, &[]), 400),
        ("a wrong secret", world.redeem_with(&code, &[("client_id", "portal"), ("client_secret", "x")]), 401),
        ("no secret", world.redeem_with(&code, &[("client_id", "portal")]), 401),
    ];
    for (what, reply, status) in attempts {
        assert_eq!(reply.status.as_u16(), status, "{what}");
        assert!(is_active(&world, &tokens.access) && is_active(&world, &tokens.refresh), "{what}");
    }
    assert_eq!(world.redeem_as("portal", &code, &[]).outcome(), invalid_grant());
    assert!(!is_active(&world, &tokens.access) && !is_active(&world, &tokens.refresh));
}

#[test]
fn a_code_is_of_use_to_its_own_client_only() {
    let _rows = proofkey_conformance::shows(&["rfc6749-4.1.2-5"]);
    let world = World::new();
    let code = world.code();
    let foreign = [
        world.redeem_as("service", &code, &[]),
        world.redeem_with(&code, &[("client_id", "other")]),
        world.redeem_with(&code, &[("client_id", "modern")]),
    ];
    for reply in foreign {
        assert_eq!(reply.outcome(), invalid_grant());
    }
    assert_eq!(world.redeem(&code).status, 200, "the attempts of others used nothing up");
    let code = world.code_with(&json!({"client_id": "service", "redirect_uri": SERVICE_URI}));
    assert_eq!(world.redeem_with(&code, &[("redirect_uri", SERVICE_URI)]).outcome(), invalid_grant());
    assert_eq!(world.redeem_as("service", &code, &[("redirect_uri", SERVICE_URI)]).status, 200);
}

#[test]
fn every_code_that_does_not_work_gets_the_same_answer() {
    let _rows = proofkey_conformance::shows(&["rfc6749-4.1.3-2"]);
    let world = World::new();
    let unknown = World::with(|builder| builder.seed(2)).code();
    let expired = world.code();
    world.wait(61);
    let used = world.code();
    world.redeem(&used);
    let foreign = world.code_with(&json!({"client_id": "other", "redirect_uri": "https://other.example/cb"}));
    let revoked = world.code();
    world.server.revoke_all(ADA).unwrap();
    let fresh = world.code();
    let cases = [
        ("unknown", unknown),
        ("expired", expired),
        ("used", used),
        ("of another client", foreign),
        ("revoked", revoked),
        ("truncated", fresh[..fresh.len() - 1].to_owned()),
        ("over-long", format!("{fresh}A")),
        ("very long", "a".repeat(10_000)),
        ("of no kind", "x".to_owned()),
    ];
    let bodies: Vec<_> = cases
        .iter()
        .map(|(what, code)| {
            let reply = world.redeem(code);
            assert_eq!(reply.outcome(), invalid_grant(), "{what}");
            reply.body
        })
        .collect();
    assert!(bodies.windows(2).all(|two| two[0] == two[1]), "{bodies:?}");
}

#[test]
fn invalid_grant_is_the_answer_for_every_code_or_refresh_token_that_is_not_good() {
    let _rows = proofkey_conformance::shows(&["rfc6749-5.2-3"]);
    let world = World::new();
    let unknown = World::with(|builder| builder.seed(2)).code();
    let expired = world.code();
    world.wait(60);
    let revoked = world.code();
    for grant in world.server.grants_of(ADA).unwrap() {
        assert!(world.server.revoke_grant(grant.id()).unwrap());
    }
    let (good, tokens) = (world.code(), world.sign_in());
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", &*tokens.refresh), ("client_id", "other")];
    let cases = [
        ("an unknown code", world.redeem(&unknown)),
        ("an expired code", world.redeem(&expired)),
        ("a revoked code", world.redeem(&revoked)),
        ("a code of another client", world.redeem_with(&good, &[("client_id", "other")])),
        ("a refresh token of another client", world.form("/auth/token", &refresh)),
        ("another redirect URI", world.redeem_with(&good, &[("redirect_uri", "https://app.example/other")])),
    ];
    for (what, reply) in cases {
        assert_eq!(reply.outcome(), invalid_grant(), "{what}");
    }
    assert_eq!(world.redeem(&good).status, 200);
    assert_eq!(world.refresh(&tokens.refresh).status, 200);
}
