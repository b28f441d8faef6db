//! A server process that is killed under load, again and again, over one SQLite file (invariants I1, I3, I6, I9, I12,
//! I15, I16, I17).
//!
//! The moment of each death is a number of answers seen and some microseconds after the last, so that writes are always
//! under way and it falls anywhere into a commit. What the dead process acknowledged, and what it had begun, is then
//! asked of a fresh server; `tests/src/session.rs` says what must hold, by the numbers of the invariants.
//! `PROOFKEY_KILLS` makes it longer than the ten deaths of every commit, and `PROOFKEY_KILLS_REPORT` names a file for
//! the figures (`make sudden-death`).

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use proofkey_tests::{Figures, Inquiry, Ledger, Load, Session, WorkerProcess, minting, sessions, works};

#[path = "../../host/tests/directory/mod.rs"]
mod directory;

use directory::Directory;

const WRITERS: usize = 16;
/// Clients that wait for an answer at any time: three for each writer.
const CLIENTS: usize = 48;
const KILLS: usize = 10;
/// The longest time from the last answer to the kill: longer than a commit takes.
const MOMENTS: u64 = 6000;

#[test]
fn killed_under_load_a_server_loses_doubles_and_revives_nothing_and_logs_nobody_out() {
    let _shows = proofkey_conformance::shows(&["rfc6749-4.1.2-3", "secrets-store-5"]);
    let kills = std::env::var("PROOFKEY_KILLS").map_or(KILLS, |text| text.parse().expect("PROOFKEY_KILLS is a number"));
    let directory = Directory::new("sudden-death");
    let file = directory.file("auth.db");
    let (mut report, mut settled) = (Report::default(), Vec::new());
    let ledger = Arc::new(Ledger::default());
    for kill in 0..kills {
        // Every other time another process lives on with the file open: then nobody recovers it from the start.
        let survivor = (kill % 2 == 1).then(|| minting(&file));
        let sessions = load_and_kill(&file, kill, &ledger, &mut report);
        let server = Inquiry::new(&file, &ledger);
        let before = settled.len();
        for (number, session) in sessions.iter().enumerate() {
            settled.extend(session.check(&server, number % 2 == 0, &mut report.under_way));
        }
        for one in survivor.iter().flat_map(|survivor| settled.iter().skip(before).map(move |one| (survivor, one))) {
            assert_eq!(works(one.0, &one.1.access), one.1.alive, "I12: in any process: {}", one.1.access);
        }
        report.kills += 1;
    }
    let server = Inquiry::new(&file, &ledger);
    for one in &settled {
        assert_eq!(server.works(&one.access), one.alive, "I12, I15: no later death undid it: {}", one.access);
    }
    report.repeated = ledger.repeated();
    let Figures { redemptions, refreshes, endings, .. } = report.under_way;
    assert!(redemptions > 0 && refreshes > 0 && endings > 0, "each was under way: {report}");
    assert!(report.unavailable > 0 && report.repeated > 0, "writers were refused, and refreshes repeated: {report}");
    if let Ok(path) = std::env::var("PROOFKEY_KILLS_REPORT") {
        std::fs::write(path, report.to_string()).unwrap();
    }
}

/// Runs the load for a while, and kills the process. Returns what its clients know by then.
fn load_and_kill(file: &Path, kill: usize, ledger: &Arc<Ledger>, report: &mut Report) -> Vec<Session> {
    let answers = 3 + kill * 37 % 151;
    let sessions = sessions(file, answers + 2 * CLIENTS);
    let worker = WorkerProcess::start(env!("CARGO_BIN_EXE_worker"), file, WRITERS);
    let mut load = Load::begin(worker, sessions, CLIENTS, ledger);
    load.answers(answers);
    if kill % 10 == 3 {
        // Another process holds the write lock for longer than a writer waits.
        let other = rusqlite::Connection::open(file).unwrap();
        other.busy_timeout(Duration::from_secs(30)).unwrap();
        other.execute_batch("begin immediate").unwrap();
        while load.unavailable() < WRITERS {
            load.answers(1);
        }
        load.look();
        other.execute_batch("rollback").unwrap();
        load.answers(2 * CLIENTS);
    }
    let (last, moment) = (Instant::now(), Duration::from_micros(kill as u64 * 7919 % MOMENTS));
    while last.elapsed() < moment {
        std::hint::spin_loop();
    }
    report.unavailable += load.unavailable();
    report.acknowledged += load.acknowledged();
    load.kill()
}

/// How much was seen.
#[derive(Default)]
struct Report {
    kills: usize,
    acknowledged: usize,
    unavailable: usize,
    repeated: usize,
    under_way: Figures,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Figures { redemptions, redemptions_done, refreshes, refreshes_done, endings, endings_done } =
            self.under_way;
        write!(
            f,
            "# Sudden death

What `make sudden-death` saw: a process with {WRITERS} writers over one SQLite file, killed (SIGKILL) under a load of
redemptions, refreshes, refreshes by two tabs at once, revocations and replays by {CLIENTS} clients. At every tenth kill
another process held the write lock for longer than a writer waits. Every outcome was then asked of a fresh server, and
of a process that had lived on; `tests/src/session.rs` and `tests/src/ledger.rs` say what must hold (invariants I1, I3,
I6, I9, I12, I15, I16, I17), and all of it held.

| | | of these, done without an answer |
| --- | --- | --- |
| kills | {} | |
| outcomes acknowledged before them | {} | |
| answers 503 while the write lock was held | {} | |
| refresh tokens answered more than once, each time by the same successor | {} | |
| redemptions under way | {redemptions} | {redemptions_done} |
| refreshes under way | {refreshes} | {refreshes_done} |
| revocations and replays under way | {endings} | {endings_done} |
",
            self.kills, self.acknowledged, self.unavailable, self.repeated
        )
    }
}
