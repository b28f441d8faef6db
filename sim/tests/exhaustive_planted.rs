//! Every planted defect that concerns one grant breaks an invariant in some small world.
//!
//! ```sh
//! RUSTFLAGS="--cfg proofkey_planted" CARGO_TARGET_DIR=target/planted \
//!   cargo test --release --package proofkey-sim --test exhaustive_planted -- --nocapture
//! ```
#![cfg(proofkey_planted)]
#![expect(clippy::print_stderr, reason = "the figures are what this is run for")]

use std::collections::BTreeSet;

use proofkey_core::planted::{Defect, plant};
use proofkey_sim::exhaustive::{Bounds, explore};

/// Whether it takes more than one grant, or a sign-in, to see it.
fn is_beyond_one_grant(defect: Defect) -> bool {
    defect.invariants() == "I14"
}

#[test]
fn every_planted_defect_of_one_grant_is_found_by_its_invariant() {
    let mut missed = Vec::new();
    for defect in Defect::ALL {
        plant(Some(defect));
        let summary = explore(Bounds::QUICK, |_| ());
        let broken: BTreeSet<&str> = summary.violations.iter().map(|one| one.invariant).collect();
        eprintln!("{:32} {:>9} of {:>9} schedules {broken:?}", defect.name(), summary.broken(), summary.schedules());
        let is_found = defect.invariants().split(", ").any(|invariant| broken.contains(invariant));
        if is_found == is_beyond_one_grant(defect) {
            missed.push(defect.name());
        }
    }
    plant(None);
    assert!(missed.is_empty(), "{missed:?}");
    assert!(explore(Bounds::QUICK, |_| ()).violations.is_empty());
}
