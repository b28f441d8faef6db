//! What the SQLite store does beyond the contract: its file, its schema, its writers and readers.
#![cfg(feature = "sqlite")]

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use proofkey::core::{Key, UnixTime, Version, Write};
use proofkey::store::{SqliteStore, Store};
use rusqlite::Connection;

mod directory;

use directory::Directory;

fn write(name: &str, number: usize) -> Write {
    let version = Version::parse(&format!("v{number:010}")).unwrap();
    Write::new(Key::parse(name).unwrap(), version, Bytes::from_static(b"body"), UnixTime::NEVER)
}

#[test]
#[cfg(unix)]
fn the_file_and_its_log_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = Directory::new("mode");
    let store = SqliteStore::new(directory.file("auth.db"));
    assert!(store.put(&write("g.a", 1)).unwrap());
    for name in ["auth.db", "auth.db-wal", "auth.db-shm"] {
        let mode = std::fs::metadata(directory.file(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn nothing_is_opened_before_the_first_call() {
    let directory = Directory::new("lazy");
    let store = SqliteStore::new(directory.file("auth.db"));
    assert!(!directory.file("auth.db").exists());
    assert!(store.get(&Key::parse("g.a").unwrap()).unwrap().is_none());
    assert!(directory.file("auth.db").exists());
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let directory = Directory::new("schema");
    let path = directory.file("auth.db");
    assert!(SqliteStore::new(&path).put(&write("g.a", 1)).unwrap());
    let raw = Connection::open(&path).unwrap();
    raw.execute("update proofkey_schema set version = 2", []).unwrap();
    let error = SqliteStore::new(&path).put(&write("g.b", 1)).unwrap_err().to_string();
    assert!(error.contains("schema 2") && error.contains("newer proofkey"), "{error}");
    let version: i64 = raw.query_row("select version from proofkey_schema", [], |row| row.get(0)).unwrap();
    assert_eq!(version, 2);
}

#[test]
fn a_file_that_is_no_database_is_a_failure_and_not_an_empty_store() {
    let directory = Directory::new("garbage");
    let path = directory.file("auth.db");
    std::fs::write(&path, "this is not a database, but it is long enough to be one: ".repeat(20)).unwrap();
    let store = SqliteStore::new(&path);
    assert!(store.get(&Key::parse("g.a").unwrap()).is_err());
    assert!(store.put(&write("g.a", 1)).is_err());
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("this is not a database"));
}

#[test]
fn the_table_lives_beside_the_tables_of_an_application() {
    let directory = Directory::new("beside");
    let path = directory.file("app.db");
    let app = Connection::open(&path).unwrap();
    app.execute_batch("pragma user_version = 42; create table accounts (id integer primary key);").unwrap();
    let store = SqliteStore::new(&path);
    assert!(store.put(&write("g.a", 1)).unwrap());
    let version: i64 = app.query_row("pragma user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(version, 42);
    app.execute("insert into accounts default values", []).unwrap();
}

#[test]
fn readers_go_on_while_another_holds_a_write_transaction() {
    let directory = Directory::new("readers");
    let path = directory.file("auth.db");
    let store = SqliteStore::new(&path);
    assert!(store.put(&write("g.a", 1)).unwrap());
    let other = Connection::open(&path).unwrap();
    other.execute_batch("begin immediate; update proofkey set body = x'00';").unwrap();
    let seen = store.get(&Key::parse("g.a").unwrap()).unwrap().unwrap();
    assert_eq!(&seen.body()[..], b"body", "an open transaction is invisible");
    other.execute_batch("commit").unwrap();
    let seen = store.get(&Key::parse("g.a").unwrap()).unwrap().unwrap();
    assert_eq!(&seen.body()[..], b"\0", "a committed one is not");
}

#[test]
fn many_writers_share_transactions() {
    const WRITERS: usize = 16;
    const ROUNDS: usize = 40;
    let directory = Directory::new("batches");
    let path = directory.file("auth.db");
    let store = SqliteStore::new(&path);
    assert!(store.put(&write("g.first", 1)).unwrap());
    let frames = |path: &std::path::Path| std::fs::metadata(path).unwrap().len();
    let alone = {
        let before = frames(&directory.file("auth.db-wal"));
        for at in 0..10 {
            assert!(store.put(&write(&format!("g.alone.{at}"), 1)).unwrap());
        }
        (frames(&directory.file("auth.db-wal")) - before) / 10
    };
    let before = frames(&directory.file("auth.db-wal"));
    let start = Barrier::new(WRITERS);
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (store, start) = (&store, &start);
            scope.spawn(move || {
                start.wait();
                for round in 0..ROUNDS {
                    assert!(store.put(&write(&format!("g.{writer}.{round}"), 1)).unwrap());
                }
            });
        }
    });
    // A commit writes each page that it touched once: shared commits make the log grow by less a row.
    let together = (frames(&directory.file("auth.db-wal")) - before) / (WRITERS * ROUNDS) as u64;
    assert!(together * 2 < alone, "{together} bytes of log a row together, {alone} alone");
}

#[test]
fn a_conflict_of_one_writer_does_not_touch_the_others_of_its_transaction() {
    const WRITERS: usize = 8;
    let directory = Directory::new("conflicts");
    let store = SqliteStore::new(directory.file("auth.db"));
    assert!(store.put(&write("g.hot", 0)).unwrap());
    let (start, won) = (Barrier::new(WRITERS), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for writer in 1..=WRITERS {
            let (store, start, won) = (&store, &start, &won);
            scope.spawn(move || {
                start.wait();
                let hot = write("g.hot", writer).expecting(Version::parse("v0000000000").unwrap());
                won.fetch_add(usize::from(store.put(&hot).unwrap()), Ordering::SeqCst);
                assert!(store.put(&write(&format!("g.own.{writer}"), 1)).unwrap());
            });
        }
    });
    assert_eq!(won.load(Ordering::SeqCst), 1);
    for writer in 1..=WRITERS {
        assert!(store.get(&Key::parse(&format!("g.own.{writer}")).unwrap()).unwrap().is_some());
    }
}

#[test]
#[cfg(unix)]
fn a_file_that_is_removed_or_replaced_while_it_is_open_is_a_failure_until_it_is_back() {
    let directory = Directory::new("removed");
    let (path, aside) = (directory.file("auth.db"), directory.file("aside.db"));
    let (store, key) = (SqliteStore::new(&path), Key::parse("g.a").unwrap());
    assert!(store.put(&write("g.a", 1)).unwrap());
    let begin = std::time::Instant::now();
    let comes = |wanted: &dyn Fn() -> bool| {
        while !wanted() {
            assert!(begin.elapsed().as_secs() < 30, "it does not come");
        }
    };
    std::fs::rename(&path, &aside).unwrap();
    comes(&|| store.get(&key).is_err_and(|error| error.to_string().contains("removed or replaced")));
    assert!(store.put(&write("g.b", 1)).is_err());
    std::fs::write(&path, "something else").unwrap();
    assert!(store.get(&key).is_err());
    std::fs::rename(&aside, &path).unwrap();
    comes(&|| store.get(&key).is_ok());
    assert!(store.put(&write("g.b", 1)).unwrap());
}
