//! Small worlds, as far as a test has the time: all pairs with two faults, all triples without. `PROOFKEY_SMALL_WORLDS=all`
//! walks through all of them (`make simulate`).

#![expect(clippy::print_stdout, reason = "the figures are what this is run for")]

use proofkey_sim::exhaustive::{Bounds, explore};

#[test]
fn no_order_of_two_or_three_operations_on_one_grant_breaks_an_invariant() {
    let all = std::env::var("PROOFKEY_SMALL_WORLDS").is_ok_and(|which| which == "all");
    let summary = explore(if all { Bounds::FULL } else { Bounds::QUICK }, |_| ());
    println!("{summary}");
    assert!(summary.violations.is_empty(), "{summary}");
    let counted = |kinds: &[&str]| -> u64 {
        summary.explored.iter().filter(|one| one.kinds == kinds).map(|one| one.schedules).sum()
    };
    // Two flows of a get and a put each have six orders, and with faults many more.
    assert!(counted(&["redeem", "redeem"]) > 1000 && counted(&["refresh", "refresh", "revoke"]) > 1000, "{summary}");
    assert_eq!(summary.explored.iter().map(|one| one.schedules).sum::<u64>(), summary.schedules());
}
