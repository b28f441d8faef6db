//! A store that fails at each step of each operation, once or from then on, before or after it did what it was asked
//! (invariants I9, I16, I17).

use std::sync::Arc;

use proofkey::EventKind;
use proofkey_conformance::shows;
use proofkey_tests::{ADA, Call, Fault, Held, Keeper, Operation, Reply, World, assert_aftermath, assert_unavailable};

/// A world in which something is about to go wrong; each is the same as the others.
struct Scene {
    world: World,
    held: Held,
    operation: Operation,
}

impl Scene {
    fn of(operation: Operation, keeper: Keeper) -> Self {
        let (rows, held) = Held::ready(keeper);
        let world = World::kept_by(keeper, Arc::new(rows), |builder| Held::with_all_endpoints(builder).seed(1000));
        Self { world, held, operation }
    }

    fn act(&self) -> Reply {
        self.world.send(self.operation.request(&self.held))
    }
}

/// What the store does to one call and to those after it.
#[derive(Clone, Copy, Debug)]
struct Trouble {
    fault: Fault,
    at: usize,
    lasts: bool,
}

impl Trouble {
    fn plan(self, scene: &Scene) {
        let times = if self.lasts { 100 } else { 1 };
        let before = std::iter::repeat_n(Fault::None, self.at);
        scene.world.store.plan(before.chain(std::iter::repeat_n(self.fault, times)));
    }
}

/// Every trouble that an operation can meet.
fn troubles(operation: Operation, keeper: Keeper) -> Vec<(Trouble, Call)> {
    let scene = Scene::of(operation, keeper);
    assert_eq!(scene.act().status, operation.status(), "{operation:?} {keeper:?}");
    let calls = scene.world.store.take_calls();
    let faults = [Fault::Fail, Fault::Lost];
    let each = calls.iter().enumerate().flat_map(|(at, call)| {
        faults
            .into_iter()
            .flat_map(move |fault| [true, false].into_iter().map(move |lasts| (Trouble { fault, at, lasts }, *call)))
    });
    each.collect()
}

#[test]
fn a_failure_is_survived_or_answered_by_503_and_a_retry_is_safe() {
    let _rows = shows(&["rfc7009-2.2.1-2"]);
    fail_everywhere(Keeper::Host);
}

#[test]
fn so_it_is_where_users_are_records_too() {
    fail_everywhere(Keeper::Server);
}

fn fail_everywhere(keeper: Keeper) {
    for (operation, _) in Operation::at_the_store().filter(|(_, one)| *one == keeper) {
        let troubles = troubles(operation, keeper);
        assert!(!troubles.is_empty(), "{operation:?} {keeper:?} asks the store for something");
        let mut unavailable = 0;
        for (trouble, call) in troubles {
            let context = format!("{operation:?} {keeper:?} {trouble:?} at {call}");
            let scene = Scene::of(operation, keeper);
            trouble.plan(&scene);
            let reply = scene.act();
            scene.world.store.plan([]);
            assert!(scene.world.take_events().contains(&EventKind::StoreFailed), "{context}");
            if !operation.is_done(&reply) {
                unavailable += 1;
                assert_unavailable(operation, &reply, &context);
                // A code is redeemed once: where that may have been done, no retry is invited.
                let redeems = matches!(operation, Operation::Redeem | Operation::Replay);
                let invited = !(redeems && call == Call::Put) && reply.status == 503;
                assert_eq!(!reply.header("retry-after").is_empty(), invited, "{context}");
            }
            let may_be_done = trouble.fault == Fault::Lost;
            assert_aftermath(&scene.world, &scene.held, operation, &reply, may_be_done, &context);
        }
        assert!(unavailable > 0, "{operation:?} {keeper:?} cannot do without the store");
    }
}

#[test]
fn an_unknown_put_is_decided_by_what_is_found_and_never_by_hope() {
    for (operation, keeper) in Operation::at_the_store() {
        let scene = Scene::of(operation, keeper);
        scene.act();
        let calls = scene.world.store.take_calls();
        for (at, _) in calls.iter().enumerate().filter(|(_, call)| **call == Call::Put) {
            for first in [Fault::Fail, Fault::Lost] {
                // The answer of the first put is lost, and the repetition is told that somebody was first.
                let context = format!("{operation:?} {keeper:?} {first:?} at call {at}");
                let scene = Scene::of(operation, keeper);
                let before = std::iter::repeat_n(Fault::None, at);
                scene.world.store.plan(before.chain([first, Fault::Conflict]));
                let reply = scene.act();
                if first == Fault::Lost {
                    assert!(operation.is_done(&reply), "its own version is found there: {context}: {reply:?}");
                } else if !operation.is_done(&reply) {
                    assert_unavailable(operation, &reply, &context);
                }
                assert_aftermath(&scene.world, &scene.held, operation, &reply, first == Fault::Lost, &context);
            }
        }
    }
}

#[test]
fn a_good_token_or_code_is_never_called_invalid_while_the_store_is_down() {
    for (operation, keeper) in Operation::at_the_store() {
        let scene = Scene::of(operation, keeper);
        scene.world.store.set_down(true);
        for _ in 0..3 {
            let reply = scene.act();
            assert_unavailable(operation, &reply, "");
            assert!(reply.status == 303 || reply.header("retry-after") == "1", "{operation:?} {keeper:?}");
        }
        scene.world.store.set_down(false);
        let reply = scene.act();
        assert!(operation.is_done(&reply), "{operation:?}: {reply:?}");
    }
}

#[test]
fn what_needs_no_store_goes_on_without_one() {
    let scene = Scene::of(Operation::Health, Keeper::Host);
    let world = &scene.world;
    world.store.set_down(true);
    assert_eq!(world.get_plain("/auth/.well-known/oauth-authorization-server").status, 200);
    assert_eq!(world.json("/auth/challenge", &serde_json::json!({})).status, 200);
    // What is refused without the store is refused still: a forged token is not the store's affair.
    assert_eq!(world.refresh("pfk_refresh_x").outcome(), (400, "invalid_grant".to_owned()));
    assert_eq!(world.get("/auth/userinfo", "x").outcome(), (401, "invalid_token".to_owned()));
    assert_eq!(world.get_plain("/health").status, 503);
}

#[test]
fn a_race_that_is_always_lost_ends_in_503_and_nothing_is_half_done() {
    for (operation, most) in [(Operation::Redeem, 4), (Operation::Refresh, 4), (Operation::Revoke, 16)] {
        let scene = Scene::of(operation, Keeper::Host);
        scene.world.store.plan(std::iter::repeat_n(Fault::Conflict, 200));
        let reply = scene.act();
        let puts = scene.world.store.take_calls().iter().filter(|call| **call == Call::Put).count();
        assert_eq!(puts, most, "{operation:?} gives up");
        assert_unavailable(operation, &reply, "");
        assert_eq!(reply.header("retry-after"), "1", "{operation:?}: nothing can have been done");
        scene.world.store.plan([]);
        assert_eq!(scene.act().status, 200, "{operation:?}");
    }
}

#[test]
fn a_race_that_a_page_loses_once_is_decided_again_or_answered_by_503() {
    let mut answered = 0;
    for (operation, keeper) in Operation::at_the_store().filter(|(operation, _)| operation.is_of_a_browser()) {
        let scene = Scene::of(operation, keeper);
        scene.act();
        let calls = scene.world.store.take_calls();
        for (at, _) in calls.iter().enumerate().filter(|(_, call)| **call == Call::Put) {
            let context = format!("{operation:?} {keeper:?} at call {at}");
            let scene = Scene::of(operation, keeper);
            scene.world.store.plan(std::iter::repeat_n(Fault::None, at).chain([Fault::Conflict]));
            let reply = scene.act();
            answered += 1;
            if !operation.is_done(&reply) {
                assert_unavailable(operation, &reply, &context);
            }
            assert_aftermath(&scene.world, &scene.held, operation, &reply, false, &context);
        }
    }
    assert!(answered > 20, "{answered} writes");
}

#[test]
fn a_table_of_users_that_cannot_be_reached_is_a_503_and_nobody_is_signed_out() {
    let asking = [Operation::Authorize, Operation::Refresh, Operation::Userinfo, Operation::SignIn, Operation::Consent];
    let further = [Operation::AskForLink, Operation::Me, Operation::OpenReset, Operation::Repeat, Operation::Reset];
    for operation in asking.into_iter().chain(further) {
        let scene = Scene::of(operation, Keeper::Host);
        scene.world.people.lose(ADA);
        let reply = scene.act();
        assert_unavailable(operation, &reply, "");
        assert_eq!(reply.header("retry-after"), "1", "{operation:?}");
        assert!(scene.world.take_events().contains(&EventKind::StoreFailed), "{operation:?}");
        scene.world.people.restore(ADA);
        assert!(operation.is_done(&scene.act()), "{operation:?}");
    }
}

#[test]
fn a_sweep_that_fails_is_nobodys_trouble_and_the_next_one_drops_what_it_left() {
    let ask = |world: &World| {
        let fields = [("grant_type", "client_credentials"), ("scope", "read")];
        assert_eq!(world.form_as("portal", "/auth/token", &fields).status, 200);
        world.store.take_calls()
    };
    // So many calls until the first sweep, and from there to the next.
    let world = World::new();
    let mut until = Vec::new();
    let mut calls = 0;
    while until.len() < 2 {
        for call in ask(&world) {
            calls += 1;
            if call == Call::Sweep {
                until.push(calls);
            }
        }
    }
    for fault in [Fault::Fail, Fault::Lost] {
        let world = World::new();
        world.store.plan([vec![Fault::None; until[0] - 1], vec![fault]].concat());
        let mut sweeps = 0;
        while sweeps < 2 {
            sweeps += ask(&world).iter().filter(|call| **call == Call::Sweep).count();
        }
        assert!(world.take_events().iter().all(|kind| *kind != EventKind::StoreFailed), "no request failed");
    }
}

#[test]
fn each_failure_is_an_event_of_its_own() {
    let scene = Scene::of(Operation::Redeem, Keeper::Host);
    scene.world.store.plan([Fault::None, Fault::Fail, Fault::Fail]);
    scene.act();
    assert_eq!(scene.world.store.take_calls(), [Call::Get, Call::Put, Call::Put]);
    assert_eq!(scene.world.take_events()[..2], [EventKind::StoreFailed; 2]);
}
