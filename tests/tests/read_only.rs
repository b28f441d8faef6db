//! A database that may only be read, under a server that is to go on (invariants I9, I12, I15, I17).
//!
//! The files get the mode 0444 and their directory 0555. The superuser writes all the same, so the worker is then
//! another user, and lives in the directory for temporary files, into which any user can look.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use proofkey_tests::{Figures, Inquiry, Ledger, Load, WorkerProcess, sessions};

const WRITERS: usize = 16;
const CLIENTS: usize = 48;
/// The user and group `nobody`.
const NOBODY: u32 = 65534;

/// A directory whose files a worker can be kept from writing.
struct Place {
    directory: PathBuf,
    worker: PathBuf,
    superuser: bool,
}

impl Place {
    fn new(name: &str) -> Self {
        let superuser = rustix::process::geteuid().is_root();
        let parent = if superuser { std::env::temp_dir() } else { PathBuf::from(env!("CARGO_TARGET_TMPDIR")) };
        let directory = parent.join(format!("proofkey-{name}-{}", std::process::id()));
        let (built, copy) = (PathBuf::from(env!("CARGO_BIN_EXE_worker")), directory.join("worker"));
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory).unwrap();
        let place = Self { worker: if superuser { copy } else { built.clone() }, directory, superuser };
        if superuser {
            fs::copy(built, &place.worker).unwrap();
        }
        place.set_modes(0o755, 0o600);
        place
    }

    fn file(&self) -> PathBuf {
        self.directory.join("auth.db")
    }

    fn files(&self) -> impl Iterator<Item = PathBuf> {
        let all = fs::read_dir(&self.directory).unwrap().map(|entry| entry.unwrap().path());
        all.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("auth.db"))
    }

    /// Gives everything to the worker's user, with these modes.
    fn set_modes(&self, directory: u32, file: u32) {
        let give = |path: &Path, mode: u32| {
            if self.superuser {
                std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
            }
            fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        };
        self.files().for_each(|path| give(&path, file));
        give(&self.directory, directory);
    }

    fn worker(&self) -> WorkerProcess {
        let mut command = Command::new(&self.worker);
        if self.superuser {
            command.uid(NOBODY).gid(NOBODY);
        }
        WorkerProcess::spawn(command.arg(self.file()).arg(WRITERS.to_string()))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::set_permissions(&self.directory, Permissions::from_mode(0o755));
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// A load that has run for a while, and stands still.
fn begun(place: &Place, ledger: &Arc<Ledger>) -> Load {
    let sessions = sessions(&place.file(), 8 * CLIENTS);
    place.set_modes(0o755, 0o600);
    let mut load = Load::begin(place.worker(), sessions, CLIENTS, ledger);
    load.answers(2 * CLIENTS);
    load.pause();
    load
}

/// Everybody goes on, nobody is refused, and all that was promised holds.
fn goes_on(place: &Place, mut load: Load, ledger: &Arc<Ledger>) {
    let before = load.unavailable();
    load.resume();
    load.answers(2 * CLIENTS);
    assert_eq!(load.unavailable(), before, "I9, I17: a retry succeeds as soon as the files can be written");
    load.pause();
    load.look();
    load.resume();
    let sessions = load.kill();
    let (server, mut figures) = (Inquiry::new(&place.file(), ledger), Figures::default());
    for (number, session) in sessions.iter().enumerate() {
        for one in session.check(&server, number % 2 == 0, &mut figures) {
            assert_eq!(server.works(&one.access), one.alive, "I12, I15: {}", one.access);
        }
    }
}

#[test]
fn files_that_cannot_be_written_are_read_and_writes_are_503_until_they_can() {
    let place = Place::new("read-only");
    let ledger = Arc::new(Ledger::default());
    let mut load = begun(&place, &ledger);
    // As a process that was killed leaves it: with its log. Once it is the file alone, once all and their directory.
    for directory in [0o755, 0o555] {
        load.kill_worker();
        place.set_modes(directory, 0o444);
        load.move_to(place.worker());
        let before = load.unavailable();
        load.until_all_are_refused();
        assert!(load.unavailable() >= before + CLIENTS, "everybody was told");
        load.look();
        load.pause();
        place.set_modes(0o755, 0o600);
        load.resume();
        load.answers(CLIENTS);
        load.pause();
    }
    goes_on(&place, load, &ledger);
}

#[test]
fn a_log_that_cannot_be_made_is_a_503_for_everything_until_it_can() {
    let place = Place::new("no-log");
    let ledger = Arc::new(Ledger::default());
    let mut load = begun(&place, &ledger);
    // As a server that was stopped in peace leaves it: the file alone. SQLite reads none in WAL mode without its log.
    load.end_worker();
    assert_eq!(place.files().count(), 1);
    place.set_modes(0o555, 0o444);
    load.move_to(place.worker());
    load.until_all_are_refused();
    load.pause();
    place.set_modes(0o755, 0o600);
    goes_on(&place, load, &ledger);
}
