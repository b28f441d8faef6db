//! A write whose answer was an error, and which is done after all when the request is long answered: before or after
//! whoever was refused has tried again (invariants I1, I9, I16, I17).

use std::sync::Arc;

use proofkey_tests::{Call, Fault, Held, Keeper, Operation, Reply, World, assert_aftermath, assert_unavailable};

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

    /// Where the operation writes, among its calls.
    fn writes(operation: Operation, keeper: Keeper) -> Vec<usize> {
        let scene = Self::of(operation, keeper);
        assert!(operation.is_done(&scene.act()), "{operation:?} {keeper:?}");
        let calls = scene.world.store.take_calls();
        let writes = calls.iter().enumerate().filter(|(_, call)| matches!(call, Call::Delete | Call::Put));
        writes.map(|(at, _)| at).collect()
    }
}

/// What happens to the write, and to the calls after it.
const ENDS: [&[Fault]; 4] = [
    // The repetition is done.
    &[Fault::Late],
    // So is the repetition late, and the record is found as it was.
    &[Fault::Late, Fault::Late],
    // The store is gone from then on.
    &[Fault::Late, Fault::Fail, Fault::Fail],
    // The repetition is told that somebody was first, and the record is found as it was.
    &[Fault::Late, Fault::Conflict],
];

/// When the write lands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lands {
    AfterTheRetry,
    BeforeTheRetry,
}

fn each_write(mut check: impl FnMut(Operation, Keeper, &[Fault], Lands, &str)) -> usize {
    let mut writes = 0;
    for (operation, keeper) in Operation::at_the_store() {
        for at in Scene::writes(operation, keeper) {
            for end in ENDS {
                let plan = [&vec![Fault::None; at], end].concat();
                for lands in [Lands::AfterTheRetry, Lands::BeforeTheRetry] {
                    let context = format!("{operation:?} {keeper:?} {end:?} at call {at}, landing {lands:?}");
                    check(operation, keeper, &plan, lands, &context);
                    writes += 1;
                }
            }
        }
    }
    writes
}

/// Lets what is under way land. Counters of limits do not count: one that is empty again is deleted, so that a late one
/// can be there once more, and holds one attempt against somebody until its window ends.
fn land(world: &World) -> usize {
    world.store.land().iter().filter(|key| !key.as_str().starts_with("l.")).count()
}

#[test]
fn a_write_that_lands_late_is_never_two_answers() {
    let (mut landed, mut unavailable) = (0, 0);
    let writes = each_write(|operation, keeper, plan, lands, context| {
        let scene = Scene::of(operation, keeper);
        scene.world.store.plan(plan.to_vec());
        let reply = scene.act();
        scene.world.store.plan([]);
        if !operation.is_done(&reply) {
            unavailable += 1;
            assert_unavailable(operation, &reply, context);
        }
        let mut may_be_done = false;
        if lands == Lands::BeforeTheRetry {
            let done = land(&scene.world);
            may_be_done = done > 0;
            landed += done;
            // That limits are lifted after a password was set is no part of the answer.
            let claimed = operation.is_done(&reply) && operation != Operation::Reset;
            assert!(done == 0 || !claimed, "what is done lands no second time: {context}");
        }
        assert_aftermath(&scene.world, &scene.held, operation, &reply, may_be_done, context);
    });
    assert!(writes > 500 && landed > 100 && unavailable > 100, "{writes} {landed} {unavailable}");
}

/// What a write may bring that lands after all is over: a row that nobody refers to, or the end of something once more.
#[test]
fn a_write_that_lands_after_the_retry_changes_no_answer() {
    let mut checked = 0;
    each_write(|operation, keeper, plan, lands, context| {
        if lands == Lands::BeforeTheRetry {
            return;
        }
        let scene = Scene::of(operation, keeper);
        scene.world.store.plan(plan.to_vec());
        let reply = scene.act();
        scene.world.store.plan([]);
        let first = if operation.is_done(&reply) { reply } else { scene.act() };
        land(&scene.world);
        // A link works once, and who has signed out everywhere is somebody who is not signed in.
        if operation.is_done(&first) {
            checked += 1;
            assert_aftermath(&scene.world, &scene.held, operation, &first, false, context);
        }
    });
    assert!(checked > 300, "{checked}");
}
