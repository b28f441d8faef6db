//! What has expired is dead before it is swept, what is swept was dead, and a clock that steps back revives nothing.

use std::sync::Arc;
use std::time::Duration;

use proofkey::EventKind;
use proofkey_tests::{Reply, Rows, SignedIn, World};
use serde_json::json;

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

fn later(world: &World, seconds: u64) {
    world.clock.advance(Duration::from_secs(seconds));
}

fn unswept() -> (Arc<Rows>, World) {
    let rows = Arc::new(Rows::default());
    (rows.clone(), World::over(rows, |builder| builder.sweep("manual")))
}

fn invalid_grant() -> (u16, String) {
    (400, "invalid_grant".to_owned())
}

fn introspected(world: &World, token: &str) -> Reply {
    world.form_as("inspector", "/auth/introspect", &[("token", token)])
}

#[test]
fn expired_values_are_refused_though_nothing_is_swept() {
    let _rows = proofkey_conformance::shows(&["secrets-store-6"]);
    let (rows, world) = unswept();
    let late = world.code();
    later(&world, 60);
    assert_eq!(world.redeem(&late).outcome(), invalid_grant());
    let tokens = world.sign_in();
    later(&world, HOUR - 1);
    assert!(world.works(&tokens.access));
    later(&world, 1);
    assert!(!world.works(&tokens.access));
    assert_eq!(introspected(&world, &tokens.access).json(), json!({ "active": false }));
    later(&world, 30 * DAY - HOUR);
    assert_eq!(world.refresh(&tokens.refresh).outcome(), invalid_grant());
    assert!(rows.len() >= 2, "all of it is still there");
}

#[test]
fn a_family_ends_at_its_absolute_end_though_it_is_refreshed_all_the_time() {
    let _rows = proofkey_conformance::shows(&["secrets-store-6"]);
    let (_, world) = unswept();
    let mut tokens = world.sign_in();
    for _ in 0..89 {
        later(&world, DAY);
        tokens = SignedIn::of(&world.refresh(&tokens.refresh));
    }
    later(&world, DAY - 1);
    let last = world.refresh(&tokens.refresh);
    assert_eq!(last.json()["expires_in"], json!(1));
    later(&world, 1);
    assert!(!world.works(&last.text("access_token")));
    assert_eq!(world.refresh(&last.text("refresh_token")).outcome(), invalid_grant());
}

#[test]
fn a_sweep_removes_what_expired_and_nothing_else() {
    let _rows = proofkey_conformance::shows(&["secrets-store-6"]);
    let (rows, world) = unswept();
    let sweep = || world.server.sweep(1000).unwrap();
    let grants = || rows.all().iter().filter(|(key, _)| key.as_str().starts_with("g.")).count();
    let unredeemed = world.code();
    let revoked = world.sign_in();
    world.revoke(&revoked.refresh);
    let live = world.sign_in();
    let rotated = SignedIn::of(&world.refresh(&live.refresh));
    assert_eq!((sweep(), grants()), (0, 3), "nothing has expired");
    later(&world, 2 * HOUR);
    assert_eq!(sweep(), 1, "the sightings of code challenges: a limit slot");
    assert_eq!(world.redeem(&unredeemed).outcome(), invalid_grant());
    later(&world, 2 * HOUR);
    assert_eq!((sweep(), grants()), (1, 2), "the code's grant, two hours and more after the code");
    // A token rotated long ago is still recognised: reuse detection does not end at a sweep.
    later(&world, 29 * DAY);
    sweep();
    assert_eq!(world.refresh(&live.refresh).outcome(), invalid_grant());
    assert!(world.take_events().contains(&EventKind::RefreshReplayed));
    assert_eq!(world.refresh(&rotated.refresh).outcome(), invalid_grant());
    later(&world, 2 * DAY);
    sweep();
    assert_eq!(grants(), 0, "the store is as small as before");
}

#[test]
fn a_client_that_was_deleted_leaves_a_mark_for_two_hours() {
    let _rows = proofkey_conformance::shows(&["secrets-store-6"]);
    let (rows, world) = unswept();
    world.server.create_client(proofkey::Client::public("gone").redirect_uri("https://gone.example/cb")).unwrap();
    world.server.delete_client("gone").unwrap();
    let marks = || rows.all().iter().filter(|(key, _)| key.as_str().starts_with("c.")).count();
    later(&world, 2 * HOUR - 1);
    world.server.sweep(1000).unwrap();
    assert_eq!(marks(), 1);
    later(&world, HOUR + 1);
    world.server.sweep(1000).unwrap();
    assert_eq!(marks(), 0);
}

#[test]
fn a_clock_that_steps_back_revives_nothing() {
    let _rows = proofkey_conformance::shows(&["secrets-time-1"]);
    let world = World::new();
    let now = proofkey_tests::START + DAY;
    world.clock.set(now);
    let code = world.code();
    let tokens = SignedIn::of(&world.redeem(&code));
    let next = SignedIn::of(&world.refresh(&tokens.refresh));
    let revoked = world.sign_in();
    world.revoke(&revoked.access);
    for back in [1, 30, HOUR, DAY] {
        world.clock.set(now - back);
        assert!(!world.works(&revoked.access), "{back}");
        assert!(world.works(&next.access), "what was issued is not lost, either: {back}");
    }
    assert_eq!(world.refresh(&next.refresh).status, 200);
    world.clock.set(now - HOUR);
    assert_eq!(world.redeem(&code).outcome(), invalid_grant(), "a used code stays used");
    assert!(world.take_events().contains(&EventKind::CodeReplayed));
    assert!(!world.works(&next.access));
    // Dead by the clock before: still dead, for the record says revoked.
    world.clock.set(now);
    assert_eq!(world.refresh(&next.refresh).outcome(), invalid_grant());
}

/// Our own tokens carry no time that a reader could misjudge: what counts is the record and the clock of who asks.
#[test]
fn times_are_those_of_the_servers_clock_and_no_token_is_too_young() {
    let _rows = proofkey_conformance::shows(&["secrets-time-1"]);
    let world = World::new();
    world.clock.set(1_000_000_000);
    let fields = [("grant_type", "client_credentials"), ("scope", "read")];
    let token = world.form_as("inspector", "/auth/token", &fields).text("access_token");
    for now in [1_000_000_000, 1_000_003_599, 999_999_000] {
        world.clock.set(now);
        let about = introspected(&world, &token).json();
        assert_eq!(about["active"], json!(true), "{now}");
        assert_eq!((&about["iat"], &about["exp"]), (&json!(1_000_000_000), &json!(1_000_003_600)));
    }
    world.clock.set(1_000_003_600);
    assert_eq!(introspected(&world, &token).json(), json!({ "active": false }));
}
