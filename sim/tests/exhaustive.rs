//! Small worlds, as far as a test has the time: all pairs with a fault, all triples without.

use proofkey_sim::{Bounds, explore};

#[test]
fn no_order_of_two_or_three_operations_on_one_grant_breaks_an_invariant() {
    let summary = explore(Bounds::QUICK, |explored| eprintln!("{explored}"));
    for violation in &summary.violations {
        eprintln!("{violation}");
    }
    assert!(summary.violations.is_empty(), "{} schedules of {}", summary.broken(), summary.schedules());
}
