//! Small worlds, exhaustively: two and three operations on one grant, in every order of their steps, with a fault at
//! every step.
//!
//! A flow is a function of its request, its time, its entropy and its answers. So an order is gone back to by replaying
//! what was answered, and orders that have come to the same state are gone on from together, and counted each.

mod aftermath;
mod flows;
mod model;
mod report;
mod start;
mod stores;
mod strangers;
mod walk;
mod wire;

use std::collections::HashMap;

use serde::Serialize;
use start::{Operation, Start};
use walk::{Outcomes, Walk};

/// How many faults befall each schedule at most.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Bounds {
    /// One operation alone, and two.
    pub pairs: usize,
    /// Three operations.
    pub triples: usize,
}

impl Bounds {
    /// What a test has the time for.
    pub const QUICK: Self = Self { pairs: 2, triples: 0 };
    /// All that this says: every pair and every triple, with two faults.
    pub const FULL: Self = Self { pairs: 2, triples: 2 };
}

/// Something that does not hold, and how it came about.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Violation {
    /// The number of the invariant.
    pub invariant: &'static str,
    /// What is wrong.
    pub text: String,
    /// What the grant was like.
    pub start: &'static str,
    /// The operations.
    pub operations: Vec<String>,
    /// What happened, one after the other.
    pub moves: Vec<String>,
}

/// Some operations on a grant of some state, in every order.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Explored {
    /// What the grant was like.
    pub start: &'static str,
    /// The operations.
    pub operations: Vec<String>,
    /// Their kinds: redeem, refresh, revoke, sweep.
    pub kinds: Vec<&'static str>,
    /// How many faults there were at most.
    pub faults: usize,
    /// The schedules: sequences of steps, faults and landings that differ in anything.
    pub schedules: u64,
    /// Those of them that break something.
    pub broken: u64,
    /// The states that they lead through.
    pub states: usize,
    /// The states that they end in.
    pub ends: usize,
    /// The most calls of the store that one operation took.
    pub calls: usize,
}

/// What came of it all.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// Each combination.
    pub explored: Vec<Explored>,
    /// Each thing that does not hold, once a combination, with the first schedule that showed it.
    pub violations: Vec<Violation>,
    /// How often a flow was run to find out what it asks.
    pub runs: usize,
}

/// Explores every small world. `told` hears of each combination when it is done.
pub fn explore(bounds: Bounds, mut told: impl FnMut(&Explored)) -> Summary {
    let mut summary = Summary::default();
    for begin in Start::all() {
        let mut start = begin();
        let mut without_sweep: HashMap<Vec<Operation>, Outcomes> = HashMap::new();
        for operations in combinations(&start) {
            let faults = if operations.len() > 2 { bounds.triples } else { bounds.pairs };
            let mut rest = operations.clone();
            rest.retain(|one| !matches!(one, Operation::Sweep(_)));
            let outcomes = if rest.len() < operations.len() { without_sweep.get(&rest) } else { None };
            let mut walk = Walk::new(&mut start, &operations, faults, outcomes);
            let count = walk.run();
            let end = walk.end();
            let explored = Explored {
                start: start.name,
                operations: operations.iter().map(|one| start.describe(*one)).collect(),
                kinds: operations.iter().map(|one| one.kind()).collect(),
                faults,
                schedules: count.schedules,
                broken: count.broken,
                states: end.states,
                ends: end.ends,
                calls: end.calls,
            };
            if rest.len() == operations.len() {
                without_sweep.insert(operations, end.outcomes);
            }
            summary.violations.extend(end.violations);
            told(&explored);
            summary.explored.push(explored);
        }
        summary.runs += start.flows.len();
    }
    summary
}

/// All that can be chosen of two redemptions, two refreshes, a revocation and a sweep: one, two and three at once.
fn combinations(start: &Start) -> Vec<Vec<Operation>> {
    let one_of = |count: usize, make: fn(usize) -> Operation| -> Vec<Vec<Operation>> {
        [Vec::new()].into_iter().chain((0..count).map(|which| vec![make(which)])).collect()
    };
    let redeems = [vec![], vec![Operation::Redeem], vec![Operation::Redeem, Operation::Redeem]];
    let mut refreshes = one_of(start.refreshes.len(), Operation::Refresh);
    for one in 0..start.refreshes.len() {
        refreshes
            .extend((one..start.refreshes.len()).map(|other| vec![Operation::Refresh(one), Operation::Refresh(other)]));
    }
    let revokes = one_of(start.revocations.len(), Operation::Revoke);
    let sweeps = one_of(start.sweeps.len(), Operation::Sweep);
    let mut all = vec![Vec::new()];
    for choices in [&redeems[..], &refreshes, &revokes, &sweeps] {
        let chosen = |before: &Vec<Operation>| -> Vec<Vec<Operation>> {
            choices.iter().map(|choice| [before.as_slice(), choice].concat()).collect()
        };
        all = all.iter().flat_map(chosen).collect();
    }
    all.retain(|operations: &Vec<Operation>| (1..=3).contains(&operations.len()));
    all.sort_by_key(Vec::len);
    all
}
