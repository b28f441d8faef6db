//! The stores that come with proofkey answer many threads as one register would, and the check sees those that do not.
//!
//! `PROOFKEY_HISTORIES` records more than the histories of every commit, and `PROOFKEY_HISTORIES_REPORT` names a file
//! for the figures (`make linearizability`).
#![cfg(all(feature = "contract", feature = "memory", feature = "sqlite", feature = "tokio"))]

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use proofkey::store::contract::{self, Histories, Tally};
use proofkey::store::{MemoryStore, SqliteStore, Synchronous};

mod directory;
#[path = "linearizability/flawed.rs"]
mod flawed;

use directory::Directory;
use flawed::{Flaw, Flawed};

/// How many histories are recorded: `quick` of them for every commit, `times` what is asked for by command.
fn count(quick: usize, times: usize) -> usize {
    let asked = std::env::var("PROOFKEY_HISTORIES");
    asked.map_or(quick, |text| times * text.parse::<usize>().expect("PROOFKEY_HISTORIES is a number"))
}

/// Every call met others, and every kind of answer came.
fn assert_tried(tally: &Tally) {
    assert!(tally.overlaps > tally.calls / 4, "the threads met: {tally}");
    assert!(tally.done > 0 && tally.refused > 0 && tally.unknown > 0, "{tally}");
}

#[test]
fn the_stores_answer_many_threads_as_one_register_would() {
    let directory = Directory::new("linearizability");
    let file = |name: &str| SqliteStore::new(directory.file(name));
    let mut report = String::new();
    let mut note = |what: &str, begin: Instant, tally: Tally| {
        assert_tried(&tally);
        let Tally { histories, calls, done, refused, unknown, overlaps, most_steps, .. } = tally;
        let seconds = begin.elapsed().as_secs();
        let figures = format!("{histories} | {calls} | {done} | {refused} | {unknown} | {overlaps} | {most_steps}");
        writeln!(report, "| {what} | {figures} | {seconds} s |").unwrap();
    };

    let begin = Instant::now();
    let histories = Histories::of_seed(1).count(count(400, 10));
    note("memory", begin, contract::check_linearizable([MemoryStore::new()], histories));

    let begin = Instant::now();
    let histories = Histories::of_seed(2).count(count(30, 1));
    note("SQLite, one object with its connections", begin, contract::check_linearizable([file("one.db")], histories));

    // As many processes would: each object has a writer and readers of its own.
    let begin = Instant::now();
    let objects = [(); 4].map(|()| file("four.db").synchronous(Synchronous::Normal));
    let histories = Histories::of_seed(3).count(count(20, 1));
    note("SQLite, four objects on one file", begin, contract::check_linearizable(objects, histories));

    let begin = Instant::now();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let histories = Histories::of_seed(4).count(count(50, 10));
    let awaited = Flawed::new(None);
    note("memory, awaited", begin, contract::check_async_linearizable(runtime.handle(), [awaited], histories));

    if let Ok(path) = std::env::var("PROOFKEY_HISTORIES_REPORT") {
        let flaws: String = WITHIN.iter().map(|(flaw, within)| format!("| {flaw:?} | {within} |\n")).collect();
        std::fs::write(path, format!("{HEAD}{report}{FLAWS}{flaws}")).unwrap();
    }
}

/// Within how many histories each flaw is seen, at the latest.
const WITHIN: [(Flaw, usize); 9] = [
    (Flaw::AnswersBeforeItWrites, 10),
    (Flaw::AnswersFromAStaleCache, 10),
    (Flaw::CallsALostRaceDone, 10),
    (Flaw::ComparesAndThenWrites, 10),
    (Flaw::DeletesBlindly, 10),
    (Flaw::LosesAWriteInHundred, 200),
    (Flaw::RefusesWhatItDid, 20),
    (Flaw::RemembersForEachThread, 10),
    (Flaw::WritesBlindly, 10),
];

#[test]
fn a_store_that_is_no_register_is_seen_within_a_stated_number_of_histories() {
    for (flaw, within) in WITHIN {
        for seed in 0..4 {
            let histories = Histories::of_seed(seed).count(within).allowing_spurious_refusals();
            let checked = || contract::check_linearizable([Flawed::new(Some(flaw))], histories);
            let panic = catch_unwind(AssertUnwindSafe(checked)).expect_err(&format!("{flaw:?} passes"));
            let told = panic.downcast::<String>().unwrap();
            assert!(told.contains("cannot be"), "{flaw:?}: {told}");
            assert!(told.contains(&format!("seed {seed}, history ")), "{flaw:?}: {told}");
        }
    }
}

#[test]
fn the_suite_sees_a_store_whose_every_other_clause_holds() {
    let checked = || contract::check(|| Flawed::new(Some(Flaw::RemembersForEachThread)));
    let told = catch_unwind(AssertUnwindSafe(checked)).unwrap_err().downcast::<String>().unwrap();
    assert!(told.contains("many threads are answered as by one register"), "{told}");
}

#[test]
fn a_store_that_fails_always_has_shown_nothing() {
    let directory = Directory::new("linearizability-failing");
    let nowhere = SqliteStore::new(directory.file("no/such/directory/auth.db"));
    let checked = || contract::check_linearizable([nowhere], Histories::of_seed(1).count(1));
    assert!(catch_unwind(AssertUnwindSafe(checked)).is_err());
}

const HEAD: &str = "# Linearizability

What `make linearizability` saw: histories of eight threads with eight operations each (get, put, delete) on one to four
keys, of which one write in seven is answered by an error although it was done, was not, or is done later by another
thread. The calls on each key were compared with a compare-and-swap register; all of them are those of one. \"At once\"
are pairs of calls by two threads on one key, neither of which ended before the other began; \"steps\" are the most that
the search took for one key. `host/src/store/contract/linear.rs` says how it is done;
`contract::check_linearizable` does it for any store.

| store | histories | calls | done | refused | unknown | at once | steps | time |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
";

const FLAWS: &str = "
A store with one of these flaws (`host/tests/linearizability/flawed.rs`) is seen within so many histories, at each commit:

| flaw | histories |
| --- | --- |
";
