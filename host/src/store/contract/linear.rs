//! Linearizability: whatever many threads were answered, one register answers one after the other.
//!
//! Histories of gets, puts and deletes are recorded with the order in which calls began and ended, and each key's is
//! compared with a compare-and-swap register (`register`). Some writes are answered by an error although they were
//! done, were not, or are done later by another thread (`unsure`): they may take effect at any time after they began,
//! or never. The seed decides what each thread does; how the threads meet is up to the machine.

mod dice;
mod history;
mod register;
mod report;
mod thread;
mod unsure;

use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use self::dice::Dice;
use self::history::{Answer, Call};
use self::register::{MOST_CALLS, Verdict, judge};
use self::thread::Thread;
use self::unsure::Unsure;
use super::{found, key};
use crate::store::Store;

/// Which histories [`check_linearizable`](super::check_linearizable) records: how many, of how many threads, keys and
/// operations.
///
/// Short ones in great number find more than long ones, and are quick to judge. A failure names the seed and the number
/// of its history.
#[derive(Clone, Copy, Debug)]
pub struct Histories {
    seed: u64,
    count: usize,
    threads: usize,
    keys: usize,
    operations: usize,
    spurious: bool,
}

impl Histories {
    /// Fifty histories of eight threads with eight operations each, on one to four keys in turn.
    #[must_use]
    pub const fn of_seed(seed: u64) -> Self {
        Self { seed, count: 50, threads: 8, keys: 0, operations: 8, spurious: false }
    }

    /// How many.
    #[must_use]
    pub const fn count(mut self, count: usize) -> Self {
        self.count = count;
        self
    }

    /// How many threads there are.
    #[must_use]
    pub const fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// On how many keys they meet; 0 is one to four, in turn.
    #[must_use]
    pub const fn keys(mut self, keys: usize) -> Self {
        self.keys = keys;
        self
    }

    /// How many operations each thread has; all threads together at most 120.
    #[must_use]
    pub const fn operations(mut self, operations: usize) -> Self {
        self.operations = operations;
        self
    }

    /// Lets a store answer `false` to a write that it could have done, as the contract allows. A `false` to a write
    /// that was done is still refused.
    #[must_use]
    pub const fn allowing_spurious_refusals(mut self) -> Self {
        self.spurious = true;
        self
    }

    /// Records and judges all of them.
    pub(super) fn check<S: Store>(&self, handles: &[S]) -> Tally {
        assert!(!handles.is_empty(), "{CLAUSE}: there is no store");
        assert!(
            self.threads * self.operations <= MOST_CALLS - 8,
            "{CLAUSE}: {} threads with {} operations are more than can be judged at once",
            self.threads,
            self.operations
        );
        let mut tally = Tally::default();
        for number in 0..self.count {
            self.one(number, handles, &mut tally);
        }
        let failed = "no write was answered by true, so that nothing is shown";
        assert!(tally.done > 0 || self.count == 0, "{CLAUSE}: {failed}");
        tally
    }

    fn one<S: Store>(&self, number: usize, handles: &[S], tally: &mut Tally) {
        let keys = if self.keys == 0 { 1 + number % 4 } else { self.keys };
        let names: Vec<_> = (0..keys).map(|at| key(&format!("lin.{:x}.{number}.{at}", self.seed))).collect();
        for name in &names {
            let fresh = found(CLAUSE, &handles[0], name.as_str()).is_none();
            assert!(fresh, "{CLAUSE}: {name} is there already; take another seed, or a store that is new");
        }
        let shared = Shared { names, clock: Clock::default(), issued: AtomicUsize::new(0), unsure: Unsure::default() };
        let start = std::sync::Barrier::new(self.threads);
        let mut calls: Vec<Call> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..self.threads)
                .map(|at| {
                    let dice = Dice::new(self.seed, [number, at]);
                    let mut thread = Thread::new(at, dice, &shared, &handles[at % handles.len()]);
                    let start = &start;
                    scope.spawn(move || {
                        start.wait();
                        thread.run(self.operations)
                    })
                })
                .collect();
            threads
                .into_iter()
                .flat_map(|thread| thread.join().unwrap_or_else(|_| panic!("{CLAUSE}: a call panicked")))
                .collect()
        });
        // What the registers hold in the end is a part of the history.
        let mut last = Thread::new(self.threads, Dice::new(self.seed, [number, self.threads]), &shared, &handles[0]);
        last.read_all();
        calls.append(&mut last.calls);
        tally.histories += 1;
        tally.add(&calls);
        for (at, name) in shared.names.iter().enumerate() {
            let of_key: Vec<Call> = calls.iter().filter(|call| call.key == at).copied().collect();
            match judge(&of_key, self.spurious) {
                Verdict::Linearizable { steps } => tally.most_steps = tally.most_steps.max(steps),
                Verdict::Impossible => {
                    let story = report::Story::of(&of_key, self.spurious);
                    panic!("{CLAUSE}: seed {}, history {number}, key {name}:\n{story}", self.seed)
                }
                Verdict::Undecided => panic!(
                    "{CLAUSE}: seed {}, history {number}, key {name}: not decided in {} steps; take fewer operations",
                    self.seed,
                    register::MOST_STEPS
                ),
            }
        }
    }
}

/// The sentence of the clause.
const CLAUSE: &str = "many threads are answered as by one register";

/// What the threads of one history share.
struct Shared {
    names: Vec<proofkey_core::Key>,
    clock: Clock,
    /// Numbers of writes that were given out; none is used twice.
    issued: AtomicUsize,
    unsure: Unsure,
}

/// The order in which calls began and ended.
#[derive(Default)]
struct Clock(AtomicU64);

impl Clock {
    fn tick(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

/// What was recorded.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Tally {
    /// Histories.
    pub histories: usize,
    /// Calls in them, without reads that failed.
    pub calls: usize,
    /// Writes and deletions that were answered by `true`.
    pub done: usize,
    /// Those that were answered by `false`.
    pub refused: usize,
    /// Those whose outcome the caller was not told.
    pub unknown: usize,
    /// Pairs of calls on one key, by two threads, neither of which ended before the other began.
    pub overlaps: usize,
    /// The most steps that it took to judge one key's calls.
    pub most_steps: usize,
}

impl Tally {
    fn add(&mut self, calls: &[Call]) {
        self.calls += calls.len();
        let answered = |answer| calls.iter().filter(|call| call.answer == answer).count();
        self.done += answered(Answer::Done(true));
        self.refused += answered(Answer::Done(false));
        self.unknown += answered(Answer::Unknown);
        for (at, one) in calls.iter().enumerate() {
            let others = calls.iter().skip(at + 1).filter(|other| other.key == one.key && other.thread != one.thread);
            self.overlaps += others.filter(|other| one.began < other.ended && other.began < one.ended).count();
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { histories, calls, done, refused, unknown, overlaps, most_steps } = self;
        write!(f, "{histories} histories, {calls} calls ({done} done, {refused} refused, {unknown} unknown), ")?;
        write!(f, "{overlaps} pairs at once, at most {most_steps} steps to judge")
    }
}
