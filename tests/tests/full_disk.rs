//! A disk that is full, under a server that goes on (invariants I1, I6, I9, I12, I15, I16, I17).
//!
//! The worker's files cannot grow beyond a bound (`RLIMIT_FSIZE`, with `SIGXFSZ` ignored): what it writes fails in the
//! middle of SQLite's own calls, as it does when a disk is full, and goes through again when the bound is lifted. It
//! needs neither privileges nor a file system of its own. With a bound of 0 nothing can be written at all, not even over
//! what is there, as on a file system that was remounted read-only. `make full-disk` does the same on a small file system
//! that is really full (`PROOFKEY_SMALL_DISK` names a directory on it).

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use proofkey_tests::{Figures, Inquiry, Ledger, Load, Session, WorkerProcess, minting, sessions};

#[path = "../../host/tests/directory/mod.rs"]
mod directory;

use directory::Directory;

const WRITERS: usize = 16;
const CLIENTS: usize = 48;

/// How much of the log's file is left when the disk is full, in bytes: nothing at all, less than a frame of the log,
/// some frames, some commits. SQLite's pages have 4096 bytes, and its frames 24 more.
const ROOM: [Option<u64>; 5] = [None, Some(0), Some(3000), Some(4 * 4120 + 100), Some(150_000)];

/// A worker that is not ended by a file that cannot grow.
fn worker(file: &Path) -> WorkerProcess {
    let mut command = Command::new("sh");
    let script = "trap '' XFSZ; exec \"$@\"";
    command.args(["-c", script, "sh", env!("CARGO_BIN_EXE_worker")]);
    WorkerProcess::spawn(command.arg(file).arg(WRITERS.to_string()))
}

/// What makes the disk full.
enum Disk {
    Bounded(Directory),
    Small(PathBuf),
}

impl Disk {
    fn new(name: &str) -> Self {
        match std::env::var_os("PROOFKEY_SMALL_DISK") {
            None => Self::Bounded(Directory::new(name)),
            Some(disk) => {
                let directory = Path::new(&disk).join(name);
                fs::create_dir_all(&directory).unwrap();
                Self::Small(directory)
            }
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        match self {
            Self::Bounded(directory) => directory.file(name),
            Self::Small(directory) => directory.join(name),
        }
    }

    /// Fills it under a load, with so much room left in the log.
    fn fill(&self, load: &mut Load, file: &Path, room: Option<u64>) {
        // A log that begins anew is written over, and needs no room for a long time: this one ends where its file does.
        load.pause();
        let other = rusqlite::Connection::open(file).unwrap();
        let busy: i64 = other.query_row("pragma wal_checkpoint(truncate)", [], |row| row.get(0)).unwrap();
        assert_eq!(busy, 0);
        drop(other);
        load.resume();
        load.answers(CLIENTS);
        match self {
            Self::Bounded(_) => {
                let length = fs::metadata(file.with_extension("db-wal")).unwrap().len();
                load.bound_files(Some(room.map_or(0, |room| length + room)));
            }
            Self::Small(directory) => {
                load.pause();
                fs::write(directory.join("room"), vec![1; usize::try_from(room.unwrap_or(0)).unwrap()]).unwrap();
                let mut ballast = fs::File::create(directory.join("ballast")).unwrap();
                while ballast.write_all(&[1; 4096]).and_then(|()| ballast.sync_all()).is_ok() {}
                fs::remove_file(directory.join("room")).unwrap();
                load.resume();
            }
        }
        load.until_all_are_refused();
    }

    /// There is room again.
    fn empty(&self) {
        if let Self::Small(directory) = self {
            fs::remove_file(directory.join("ballast")).unwrap();
        }
    }
}

fn check(file: &Path, sessions: &[Session], ledger: &Arc<Ledger>) -> Figures {
    let (server, mut figures) = (Inquiry::new(file, ledger), Figures::default());
    let settled: Vec<_> =
        (0..).zip(sessions).flat_map(|(at, one)| one.check(&server, at % 2 == 0, &mut figures)).collect();
    for one in settled {
        assert_eq!(server.works(&one.access), one.alive, "I12, I15: {}", one.access);
    }
    figures
}

#[test]
fn on_a_full_disk_reads_go_on_writes_are_503_and_with_room_the_same_retries_succeed() {
    let disk = Disk::new("full-disk");
    let file = disk.file("auth.db");
    let ledger = Arc::new(Ledger::default());
    let mut load = Load::begin(worker(&file), sessions(&file, 20 * CLIENTS), CLIENTS, &ledger);
    for room in ROOM {
        let before = load.unavailable();
        disk.fill(&mut load, &file, room);
        assert!(load.unavailable() >= before + CLIENTS, "everybody was told: {room:?}");
        load.look();
        load.pause();
        let before = load.unavailable();
        load.bound_files(None);
        disk.empty();
        load.resume();
        load.answers(3 * CLIENTS);
        assert_eq!(load.unavailable(), before, "I9, I17: with room again a retry succeeds at once: {room:?}");
        load.pause();
        load.look();
    }
    load.resume();
    check(&file, &load.kill(), &ledger);
}

#[test]
fn what_a_full_disk_left_of_a_write_harms_nobody_after_a_crash() {
    let disk = Disk::new("full-disk-crash");
    for (number, room) in ROOM.into_iter().enumerate() {
        let file = disk.file(&format!("{number}.db"));
        let ledger = Arc::new(Ledger::default());
        // Another process that lives on finds what is left without any recovery.
        let survivor = (number % 2 == 0).then(|| minting(&file));
        let mut load = Load::begin(worker(&file), sessions(&file, 4 * CLIENTS), CLIENTS, &ledger);
        load.answers(CLIENTS);
        disk.fill(&mut load, &file, room);
        let sessions = load.kill();
        disk.empty();
        let figures = check(&file, &sessions, &ledger);
        let done = figures.redemptions_done + figures.refreshes_done + figures.endings_done;
        // Where no frame fits, nothing can have been done. Where some do, a small write may find room after a large one.
        let fits = room.is_some_and(|room| room > 4120);
        assert!(done == 0 || fits, "I16: what was refused for want of room was not done: {room:?} {figures:?}");
        assert!(figures.redemptions + figures.refreshes + figures.endings > 0, "{figures:?}");
        drop(survivor);
    }
}
