//! At a refresh the host is asked for the user (design section 4): what it says, and what a failure is not.

use std::sync::Arc;

use proofkey::store::Store as _;
use proofkey::{EventKind, Secret, User};
use proofkey_tests::{ADA, Call, PASSWORD, Rows, SignedIn, World};
use serde_json::json;

fn invalid_grant() -> (u16, String) {
    (400, "invalid_grant".to_owned())
}

#[test]
fn a_dismissed_user_ends_the_grant_at_the_next_refresh() {
    let world = World::new();
    let tokens = world.sign_in();
    world.people.dismiss(ADA);
    world.take_events();
    assert_eq!(world.refresh(&tokens.refresh).outcome(), invalid_grant());
    assert!(world.take_events().contains(&EventKind::GrantDismissed));
    world.people.restore(ADA);
    assert_eq!(world.refresh(&tokens.refresh).outcome(), invalid_grant(), "for good");
    assert!(!world.works(&tokens.access));
}

#[test]
fn an_absent_user_is_refused_and_loses_nothing() {
    let world = World::new();
    let tokens = world.sign_in();
    world.people.remove(ADA);
    world.store.take_calls();
    assert_eq!(world.refresh(&tokens.refresh).outcome(), invalid_grant());
    assert_eq!(world.store.take_calls(), [Call::Get], "nothing is written");
    world.people.restore(ADA);
    assert!(world.works(&tokens.access));
    assert_eq!(world.refresh(&tokens.refresh).status, 200);
}

#[test]
fn a_table_of_users_that_fails_is_an_outage_and_no_verdict() {
    let world = World::new();
    let tokens = world.sign_in();
    let next = SignedIn::of(&world.refresh(&tokens.refresh));
    world.people.lose(ADA);
    world.store.take_calls();
    for token in [&next.refresh, &tokens.refresh] {
        let reply = world.refresh(token);
        assert_eq!(reply.outcome(), (503, "temporarily_unavailable".to_owned()));
        assert_eq!(reply.header("retry-after"), "1");
    }
    assert_eq!(world.store.take_calls(), [Call::Get, Call::Get]);
    world.people.restore(ADA);
    assert_eq!(world.refresh(&next.refresh).status, 200);
}

#[test]
fn a_repeat_asks_for_the_user_as_well() {
    let world = World::new();
    let tokens = world.sign_in();
    let next = SignedIn::of(&world.refresh(&tokens.refresh));
    world.people.dismiss(ADA);
    assert_eq!(world.refresh(&tokens.refresh).outcome(), invalid_grant());
    world.people.restore(ADA);
    assert_eq!(world.refresh(&next.refresh).outcome(), invalid_grant(), "the grant is over");
}

#[test]
fn for_a_refresh_that_is_refused_anyway_nobody_is_asked() {
    let world = World::new();
    let tokens = world.sign_in();
    world.people.dismiss(ADA);
    let fields = [("grant_type", "refresh_token"), ("client_id", "web"), ("refresh_token", &*tokens.refresh)];
    let wider = [fields.as_slice(), &[("scope", "read admin")]].concat();
    assert_eq!(world.form("/auth/token", &wider).outcome(), (400, "invalid_scope".to_owned()));
    world.people.restore(ADA);
    assert_eq!(world.refresh(&tokens.refresh).status, 200, "and nothing has ended");
}

#[test]
fn without_refresh_checks_user_nobody_is_asked() {
    let world = World::with(|builder| builder.set("refresh_checks_user", "off"));
    let tokens = world.sign_in();
    for stand in [proofkey_tests::People::dismiss, proofkey_tests::People::lose, proofkey_tests::People::remove] {
        stand(&world.people, ADA);
        assert_eq!(world.refresh(&tokens.refresh).status, 200);
    }
}

/// A deletion ends the grants of a user; a row that a back-up brings back is one that it did not find.
#[test]
fn a_grant_of_an_earlier_user_of_the_same_name_ends_at_its_refresh() {
    let world = |seed| {
        let rows = Arc::new(Rows::default());
        let world = World::with_own_users(rows.clone(), |builder| builder.seed(seed));
        world.server.create_user(User::new("ada"), Secret::from(PASSWORD)).unwrap();
        (world, rows)
    };
    let (before, rows) = world(1);
    let tokens = SignedIn::of(&before.redeem(&before.code_with(&json!({ "username": "ada" }))));
    let (world, now) = world(2);
    for write in rows.as_writes().iter().filter(|write| write.key().as_str().starts_with('g')) {
        assert!(now.put(write).unwrap());
    }
    for ends in [true, false] {
        assert_eq!(world.refresh(&tokens.refresh).outcome(), invalid_grant());
        assert_eq!(world.take_events().contains(&EventKind::GrantDismissed), ends, "once, and for good");
    }
}
