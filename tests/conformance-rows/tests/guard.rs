//! What a test that declares rows leaves behind, seen by running this very binary again as a test of its own.

use std::{env, path::Path, process::Command};

use proofkey_conformance::{Outcome, RUN_DIRECTORY, Run, shows, shows_as};

const INNER: &str = "PROOFKEY_CONFORMANCE_INNER";

#[test]
fn a_guard_leaves_the_outcome_of_each_row_under_the_name_of_its_test() {
    let run = rerun("outcomes", "inner_");
    let passed: Vec<_> = run.tests(Outcome::Pass, "rfc6749-2.1-1").collect();
    assert_eq!(passed, ["tests/conformance-rows/tests/guard.rs: inner_that_passes"]);
    assert_eq!(run.tests(Outcome::Pass, "rfc6749-2.2-1").count(), 1);
    assert_eq!(run.tests(Outcome::Fail, "rfc6749-2.2-1").collect::<Vec<_>>(), ["scenario x"]);
    assert_eq!(run.tests(Outcome::Fail, "rfc6749-2.1-1").count(), 0);
}

#[test]
fn an_unknown_row_panics() {
    let panic = std::panic::catch_unwind(|| drop(shows(&["rfc6749-0-1"]))).unwrap_err();
    assert!(panic.downcast_ref::<String>().unwrap().contains("no conformance row \"rfc6749-0-1\""));
}

#[test]
fn inner_that_passes() {
    if env::var_os(INNER).is_some() {
        let _rows = shows(&["rfc6749-2.1-1", "rfc6749-2.2-1"]);
    }
}

#[test]
fn inner_that_fails() {
    if env::var_os(INNER).is_some() {
        let _rows = shows_as("scenario x", &["rfc6749-2.2-1"]);
        panic!("on purpose");
    }
}

/// Runs the tests of this binary that are named so, in a fresh run directory, and reads what they wrote.
fn rerun(name: &str, filter: &str) -> Run {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&directory);
    let child = Command::new(env::current_exe().unwrap())
        .args([filter, "--test-threads=1"])
        .env(INNER, "1")
        .env(RUN_DIRECTORY, &directory)
        .output()
        .unwrap();
    assert!(!child.status.success(), "the inner test that fails must fail");
    Run::read(&directory).unwrap()
}
