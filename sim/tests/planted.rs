//! The simulator sees: each defect that is planted in the core, and each flaw of a store, is found within 10,000 worlds.
//!
//! Runs under `--cfg proofkey_planted` (`make test-planted`).

#![cfg(proofkey_planted)]
#![expect(clippy::print_stdout, reason = "the figures are what this is run for")]

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use proofkey_core::planted::{Defect, plant};
use proofkey_sim::{Flaw, Ground, play_many};

const WORLDS: u64 = 10_000;
const STEPS: u64 = 200;

/// Something that is broken on purpose.
#[derive(Clone, Copy)]
enum Broken {
    Core(Defect),
    Store(Flaw),
}

impl Broken {
    fn name(self) -> &'static str {
        match self {
            Self::Core(defect) => defect.name(),
            Self::Store(flaw) => flaw.name(),
        }
    }

    fn ground(self) -> Ground {
        match self {
            Self::Core(defect) => {
                plant(Some(defect));
                Ground::default()
            }
            Self::Store(flaw) => Ground::over(flaw),
        }
    }
}

#[test]
fn every_planted_defect_is_found_within_ten_thousand_worlds() {
    let all: Vec<Broken> =
        Defect::ALL.into_iter().map(Broken::Core).chain(Flaw::ALL.into_iter().map(Broken::Store)).collect();
    assert!(Defect::ALL.len() >= 10 && all.len() >= 16, "too few defects to show anything");
    let (next, missed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(broken) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let summary = play_many(0, WORLDS, STEPS, 1, || broken.ground());
                    match summary.failure {
                        Some(found) => {
                            println!("| {} | {} | {} |", broken.name(), summary.tally.worlds, found.violation);
                        }
                        None => missed.lock().unwrap().push(broken.name()),
                    }
                }
            });
        }
    });
    let missed = missed.into_inner().unwrap();
    assert!(missed.is_empty(), "not found: {missed:?}");
}
