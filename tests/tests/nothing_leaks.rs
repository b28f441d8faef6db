//! Thousands of requests and calls at whole servers over memory and SQLite, in which everything that leaves is heard: what
//! the store is called with and what is in its files, events, whatever prints itself, errors with their causes, and every
//! answer. None of it holds a code, token, verifier, password, secret of a client, cookie, form token, link or key that
//! is not handed over right there (invariant I20).

#[path = "nothing_leaks/life.rs"]
mod life;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use proofkey::store::{MemoryStore, SqliteStore, Store as _};
use proofkey::{ClientCredentials, UserChange};
use proofkey_tests::{Recorder, Visit};

use crate::life::{Life, hidden};

/// The files of a database, as they are on the disk.
fn hear_files(recorder: &Recorder, path: &Path) {
    for (place, end) in [("database", ""), ("its log", "-wal"), ("its index", "-shm")] {
        let bytes = fs::read(format!("{}{end}", path.display())).unwrap();
        assert!(!bytes.is_empty() || end == "-wal", "{place}");
        recorder.said(place, &bytes);
    }
}

/// Has a secret said at every place, through the same ways, and hears whether it is found there.
fn plant(life: &Life, files: Option<&PathBuf>) {
    const PLANTED: &str = "pfk_access_cGxhbnRlZHBsYW50ZWRwbGFudGVkcGxhbnRlZHBsYW50ZWRwbGFudGVkcGxh";
    let Life { world, recorder, .. } = life;
    recorder.secret("planted", PLANTED);
    // A name that is a token: names are told in events, pages and errors, and client identifiers print themselves.
    world.server.unlock_user(PLANTED).unwrap();
    recorder.events(&world.take_full_events());
    recorder.printed(&ClientCredentials::public(PLANTED));
    life.told(world.server.change_user(PLANTED, UserChange::Enable));
    let visit = Visit::new(world);
    let request = hidden(&visit.get("/auth/login"), "request").unwrap();
    visit.post("/auth/login", &[("request", &request), ("username", PLANTED), ("password", "whatever")]);
    let tag = proofkey::core::Owner::parse(PLANTED).unwrap();
    let key = proofkey::core::Key::parse("g.planted").unwrap();
    let version = proofkey::core::Version::parse("AAAAAAAAAAA").unwrap();
    let write = proofkey::core::Write::new(key, version, b"body".as_slice().into(), proofkey::UnixTime::NEVER);
    assert!(world.store.put(&write.owned_by(vec![tag])).unwrap());
    let mut expected = vec!["answers", "errors", "events", "printed", "store"];
    if let Some(path) = files {
        hear_files(recorder, path);
        // The log holds what was just written; the database gets it at a checkpoint.
        expected.push("its log");
    }
    let found = recorder.leaks();
    for place in expected {
        assert!(found.get(place).is_some_and(|leak| leak.contains("planted")), "{place}: {found:?}");
    }
}

#[test]
fn a_long_life_over_memory_leaves_no_secret_anywhere() {
    let _rows = proofkey_conformance::shows(&["secrets-log-1", "secrets-store-2", "secrets-mem-1"]);
    let mut life = Life::new(Arc::new(MemoryStore::new()), 1);
    for _ in 0..2500 {
        life.act();
    }
    let ((secrets, exchanges), sizes) = (life.recorder.counts(), life.recorder.sizes());
    assert!(life.issued > 500 && secrets > 3000 && exchanges > 8000, "{} {secrets} {exchanges}", life.issued);
    assert!(sizes.values().all(|size| *size > 10_000), "{sizes:?}");
    let leaks = life.recorder.leaks();
    assert!(leaks.is_empty(), "{leaks:#?}");
    life.world.store.plan([]);
    plant(&life, None);
}

#[test]
fn a_long_life_over_sqlite_leaves_no_secret_in_its_files() {
    let _rows = proofkey_conformance::shows(&["secrets-store-2"]);
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("nothing_leaks");
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).unwrap();
    let path = directory.join("auth.db");
    let mut life = Life::new(Arc::new(SqliteStore::new(&path)), 2);
    for at in 1..=1000 {
        life.act();
        if at % 200 == 0 {
            hear_files(&life.recorder, &path);
        }
    }
    let sizes = life.recorder.sizes();
    assert!(["database", "its log", "its index"].iter().all(|place| sizes[place] > 30_000), "{sizes:?}");
    let leaks = life.recorder.leaks();
    assert!(leaks.is_empty(), "{leaks:#?}");
    life.world.store.plan([]);
    plant(&life, Some(&path));
}
