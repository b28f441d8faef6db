//! A lock-out is lifted: all counters of a name begin anew, whoever has it.

use std::sync::Arc;

use proofkey::{EventKind, Secret, User};
use proofkey_tests::{Call, PASSWORD, Rows, Visit, World};
use serde_json::json;

const WRONG: &str = "a wrong one, this";

fn guess(world: &World, name: &str, password: &str) -> u16 {
    world.authorize(&json!({ "username": name, "password": password })).status.as_u16()
}

fn lock_out(world: &World, name: &str) {
    for _ in 0..10 {
        assert_eq!(guess(world, name, WRONG), 400);
    }
    assert_eq!(guess(world, name, WRONG), 429);
}

#[test]
fn who_is_locked_out_signs_in_at_once_and_can_be_locked_out_again() {
    let world = World::new();
    for _ in 0..3 {
        lock_out(&world, "ada@example.com");
        world.take_events();
        world.server.unlock_user("ADA@example.com").unwrap();
        assert_eq!(world.take_events(), [EventKind::LimitsLifted]);
        assert_eq!(guess(&world, "ada@example.com", WRONG), 400);
        assert_eq!(guess(&world, "ada@example.com", PASSWORD), 200);
    }
}

#[test]
fn the_counter_of_the_name_alone_begins_anew_too() {
    let mut world = World::new();
    for address in 1..=10 {
        world.peer = Some(format!("198.51.100.{address}").parse().unwrap());
        for _ in 0..10 {
            assert_eq!(guess(&world, "ada@example.com", WRONG), 400);
        }
    }
    world.peer = Some("192.0.2.1".parse().unwrap());
    assert_eq!(guess(&world, "ada@example.com", PASSWORD), 429);
    world.server.unlock_user("ada@example.com").unwrap();
    assert_eq!(guess(&world, "ada@example.com", PASSWORD), 200);
}

#[test]
fn the_counter_of_a_known_browser_begins_anew_too() {
    let world = World::new();
    let visit = Visit::new(&world);
    assert_eq!(visit.sign_in("ada@example.com", PASSWORD).status, 303);
    for _ in 0..10 {
        assert_eq!(visit.sign_in("ada@example.com", WRONG).status, 403);
    }
    assert_eq!(visit.sign_in("ada@example.com", PASSWORD).status, 429);
    world.server.unlock_user("ada@example.com").unwrap();
    assert_eq!(visit.sign_in("ada@example.com", PASSWORD).status, 303);
}

#[test]
fn other_names_and_addresses_stay_as_they_are() {
    let world = World::with(|builder| builder.limit_address("15/15m"));
    lock_out(&world, "bob");
    world.server.unlock_user("ada@example.com").unwrap();
    assert_eq!(guess(&world, "bob", "another long passphrase"), 429);
    for _ in 0..5 {
        assert_eq!(guess(&world, "ada@example.com", WRONG), 400);
    }
    assert_eq!(guess(&world, "ada@example.com", PASSWORD), 429, "the address has used up its own");
    world.server.unlock_user("ada@example.com").unwrap();
    assert_eq!(guess(&world, "ada@example.com", PASSWORD), 429);
}

#[test]
fn a_name_that_is_nobodys_costs_the_same_and_can_be_unlocked() {
    let _rows = proofkey_conformance::shows(&["passwords-login-1"]);
    let rows = Arc::new(Rows::default());
    let world = World::with_own_users(rows, |builder| builder);
    world.server.create_user(User::new("grace"), Secret::from(PASSWORD)).unwrap();
    let calls = |name: &str| -> Vec<Call> {
        world.store.take_calls();
        assert_eq!(guess(&world, name, WRONG), 400);
        world.store.take_calls()
    };
    assert_eq!(calls("grace"), calls("nobody"));
    world.server.unlock_user("nobody").unwrap();
    world.server.unlock_user("grace").unwrap();
    assert_eq!(calls("grace"), calls("nobody"));
}
