//! The timing test runs, and measures every comparison that it promises (invariant I21). What it finds on a machine that
//! does other things meanwhile is no test's business: `make timing` is.

use std::process::Command;

const COMPARISONS: [&str; 6] = ["digests", "secrets", "the keyed check", "the secret of a client", "PKCE", "the MAC"];

#[test]
fn every_comparison_is_measured_beside_a_twin_that_leaks() {
    let run = Command::new(env!("CARGO_BIN_EXE_proofkey-timing")).args(["--samples", "3000"]).output().unwrap();
    let told = String::from_utf8(run.stdout).unwrap();
    assert!(run.status.code().is_some_and(|code| code < 2), "{}", String::from_utf8_lossy(&run.stderr));
    for comparison in COMPARISONS {
        let lines = told.lines().filter(|line| line.starts_with(comparison) && line.contains("twin's t")).count();
        assert_eq!(lines, 2, "{comparison} under both pairs of classes: {told}");
    }
    let well = told.lines().filter(|line| line.ends_with("keeps it")).count();
    assert!(told.contains(&format!("{well} of 12 as they should be")), "{told}");
    assert_eq!(run.status.success(), well == 12, "{told}");
}
