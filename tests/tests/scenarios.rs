//! Replays every scenario over every store and driver, and compares the whole exchange with the recorded one, byte by
//! byte.
//!
//! `PROOFKEY_RECORD=1 cargo test -p proofkey-tests --test scenarios smallest` writes the exchanges anew.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use proofkey::store::{MemoryStore, SqliteStore, Store, Synchronous};
use proofkey_tests::{Driver, Rows, Scenario, replay};

#[path = "../../host/tests/directory/mod.rs"]
mod directory;

use directory::Directory;

fn scenarios_directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

/// The names of the files with this extension, without it.
fn names(extension: &str) -> BTreeSet<String> {
    let paths = fs::read_dir(scenarios_directory()).unwrap().map(|entry| entry.unwrap().path());
    let wanted = paths.filter(|path| path.extension().is_some_and(|found| found == extension));
    wanted.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect()
}

fn scenarios() -> Vec<(String, Scenario)> {
    let read = |name: String| {
        let text = fs::read_to_string(scenarios_directory().join(format!("{name}.toml"))).unwrap();
        let scenario = Scenario::parse(&text);
        (name.clone(), scenario.unwrap_or_else(|error| panic!("{name}: {error}")))
    };
    names("toml").into_iter().map(read).collect()
}

fn replay_all(driver: Driver, store: impl Fn() -> Arc<dyn Store>) {
    let record = std::env::var_os("PROOFKEY_RECORD").is_some();
    for (name, scenario) in scenarios() {
        let shows = scenario.shows();
        let _shows = (!shows.is_empty()).then(|| proofkey_conformance::shows_as(&format!("scenario {name}"), &shows));
        let exchange = replay(&scenario, driver, store());
        let path = scenarios_directory().join(format!("{name}.http"));
        if record {
            fs::write(&path, exchange).unwrap();
            continue;
        }
        let recorded = fs::read_to_string(&path).unwrap_or_default();
        if let Some((line, (now, before))) = difference(&exchange, &recorded) {
            panic!("{name}.http, line {line}: recorded is\n{before}\nand now it was\n{now}");
        }
    }
}

/// The first line in which two texts differ, by its number.
fn difference<'a>(now: &'a str, before: &'a str) -> Option<(usize, (&'a str, &'a str))> {
    let end = std::iter::once("(the end)");
    let lines = now.split('\n').chain(end.clone()).zip(before.split('\n').chain(end));
    (1..).zip(lines).find(|(_, (now, before))| now != before)
}

/// A new file for each scenario. Not waiting for the disk changes when a write is durable, and nothing that is seen.
fn sqlite_files(directory: &Directory) -> impl Fn() -> Arc<dyn Store> {
    let files = AtomicUsize::new(0);
    move || {
        let file = directory.file(&format!("{}.db", files.fetch_add(1, Ordering::Relaxed)));
        Arc::new(SqliteStore::new(file).synchronous(Synchronous::Normal))
    }
}

#[test]
fn every_scenario_goes_as_recorded_over_the_smallest_store() {
    replay_all(Driver::Blocking, || Arc::new(Rows::default()));
}

#[test]
fn every_scenario_goes_as_recorded_over_the_memory_store() {
    replay_all(Driver::Blocking, || Arc::new(MemoryStore::new()));
}

#[test]
fn every_scenario_goes_as_recorded_over_sqlite() {
    replay_all(Driver::Blocking, sqlite_files(&Directory::new("scenarios")));
}

#[test]
fn every_scenario_goes_as_recorded_on_tokio() {
    replay_all(Driver::Tokio, || Arc::new(MemoryStore::new()));
}

#[test]
fn every_scenario_goes_as_recorded_on_tokio_over_sqlite() {
    replay_all(Driver::Tokio, sqlite_files(&Directory::new("scenarios-tokio")));
}

#[test]
fn every_recording_belongs_to_a_scenario() {
    assert_eq!(names("http"), names("toml"));
}
