//! Many worlds, on as many threads as there are processors.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde::Serialize;

use crate::model::Violation;
use crate::report::Tally;
use crate::run::Ground;

/// A world in which an invariant did not hold.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Failure {
    /// Its seed.
    pub seed: u64,
    /// What did not hold.
    pub violation: Violation,
}

/// What many worlds came to.
#[derive(Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// All that was counted.
    pub tally: Tally,
    /// The world of the lowest seed that failed, if one did.
    pub failure: Option<Failure>,
}

/// Seeds that a thread takes at once.
const BATCH: u64 = 64;

/// Plays worlds from the seed `first` on, each for `steps` steps, until `worlds` of them count or one fails.
///
/// Each thread plays on a ground of its own.
pub fn play_many(first: u64, worlds: u64, steps: u64, threads: usize, ground: impl Fn() -> Ground + Sync) -> Summary {
    let (next, counted, failed) = (AtomicU64::new(first), AtomicU64::new(0), AtomicBool::new(false));
    let summary = Mutex::new(Summary::default());
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                let mut ground = ground();
                while counted.load(Ordering::Relaxed) < worlds && !failed.load(Ordering::Relaxed) {
                    let from = next.fetch_add(BATCH, Ordering::Relaxed);
                    let batch = play_batch(&mut ground, from, steps);
                    counted.fetch_add(batch.tally.worlds, Ordering::Relaxed);
                    failed.fetch_or(batch.failure.is_some(), Ordering::Relaxed);
                    if let Ok(mut summary) = summary.lock() {
                        summary.tally.add(&batch.tally);
                        let lowest = summary.failure.as_ref().map_or(u64::MAX, |failure| failure.seed);
                        if batch.failure.as_ref().is_some_and(|failure| failure.seed < lowest) {
                            summary.failure = batch.failure;
                        }
                    }
                }
            });
        }
    });
    summary.into_inner().unwrap_or_default()
}

fn play_batch(ground: &mut Ground, from: u64, steps: u64) -> Summary {
    let mut summary = Summary::default();
    for seed in from..from + BATCH {
        let ending = ground.play(seed, steps, false);
        summary.tally.add(&ending.tally);
        if let Some(violation) = ending.violation {
            summary.failure = Some(Failure { seed, violation });
            break;
        }
    }
    summary
}
