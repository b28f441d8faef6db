//! A server process that is killed under load, again and again, over one SQLite file (invariants I1, I9, I12, I15, I16).
//!
//! The moment of each death is a number of answers seen, so that a write is always under way. What the dead process
//! acknowledged, and what it had begun, is then asked of a fresh server. `PROOFKEY_KILLS` makes it longer than the ten
//! deaths of every commit, and `PROOFKEY_KILLS_REPORT` names a file for the figures (`make sudden-death`).

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use proofkey::store::SqliteStore;
use proofkey::testing::FakeClock;
use proofkey::{EventKind, Server};
use proofkey_tests::{
    Admitted, CHALLENGE, ISSUER, People, Performed, REDIRECT_URI, Reply, START, WorkerProcess, configure, perform,
};

#[path = "../../host/tests/directory/mod.rs"]
mod directory;

use directory::Directory;

const THREADS: usize = 8;
/// Clients that wait for an answer at any time: three orders for each thread.
const CLIENTS: usize = 24;
const KILLS: usize = 10;
/// After the worker's clock by more than the span of the rotation limit, and by less than the leeway.
const AFTERWARDS: u64 = START + 20;

/// What clients do with a code: four lives, each cut off at any of its operations.
const LIVES: [&[&str]; 4] = [
    &["redeem", "refresh", "refresh", "refresh"],
    &["redeem", "refresh", "revoke"],
    &["redeem", "revoke"],
    // The code once more: a replay, which ends the grant.
    &["redeem", "refresh", "redeem"],
];

#[test]
fn killed_under_load_a_server_loses_doubles_and_revives_nothing_and_logs_nobody_out() {
    let _shows = proofkey_conformance::shows(&["rfc6749-4.1.2-3", "secrets-store-5"]);
    let kills = std::env::var("PROOFKEY_KILLS").map_or(KILLS, |text| text.parse().expect("PROOFKEY_KILLS is a number"));
    let directory = Directory::new("sudden-death");
    let file = directory.file("auth.db");
    let (mut figures, mut settled) = (Figures::default(), Vec::new());
    for kill in 0..kills {
        // Every other time another process lives on with the file open: then nobody recovers it from the start.
        let survivor = (kill % 2 == 1).then(|| minting(&file));
        let sessions = load_and_kill(&file, 3 + kill * 37 % 151, &mut figures);
        let server = Inquiry::new(&file);
        for (number, session) in sessions.iter().enumerate() {
            settled.push(session.check(&server, number % 2 == 0, &mut figures));
        }
        drop(survivor);
        figures.kills += 1;
    }
    // No later death undid anything.
    let server = Inquiry::new(&file);
    for Settled { access, alive } in settled.iter().flatten() {
        assert_eq!(server.works(access), *alive, "{access}");
    }
    assert!(figures.refreshes > 0 && figures.redemptions > 0 && figures.endings > 0, "each was under way: {figures}");
    if let Ok(path) = std::env::var("PROOFKEY_KILLS_REPORT") {
        std::fs::write(path, figures.to_string()).unwrap();
    }
}

/// Runs the load until `answers` have come, and kills the process. Returns what its clients know by then.
fn load_and_kill(file: &Path, answers: usize, figures: &mut Figures) -> Vec<Session> {
    let server = minting(file);
    let mut fresh = (0..answers + CLIENTS).map(|number| Session::new(code(&server), LIVES[number % LIVES.len()]));
    let mut sessions: Vec<Session> = fresh.by_ref().take(CLIENTS).collect();
    let spare: Vec<Session> = fresh.collect();
    drop(server);
    let mut spare = spare.into_iter();
    let mut worker = WorkerProcess::start(env!("CARGO_BIN_EXE_worker"), file, THREADS);
    for (number, session) in sessions.iter().enumerate() {
        let (operation, token) = session.order().unwrap();
        assert!(worker.order(number, operation, token));
    }
    for _ in 0..answers {
        let (mut number, performed) = worker.answer().expect("the worker lives until it is killed");
        sessions[number].acknowledge(&performed);
        figures.acknowledged += 1;
        if sessions[number].order().is_none() {
            number = sessions.len();
            sessions.extend(spare.next());
        }
        let (operation, token) = sessions[number].order().unwrap();
        assert!(worker.order(number, operation, token));
    }
    worker.kill();
    // Answers on their way when the process died are acknowledgements like the others.
    while let Some((number, performed)) = worker.answer() {
        sessions[number].acknowledge(&performed);
        figures.acknowledged += 1;
    }
    sessions
}

/// A server in this process that lets Ada in without a hash.
fn minting(file: &Path) -> Server {
    let builder = configure(Server::builder(ISSUER)).store(SqliteStore::new(file)).authenticator(Admitted::default());
    let server = builder.clock(FakeClock::at(START)).build().unwrap();
    server.check_in().unwrap();
    server
}

fn code(server: &Server) -> String {
    let body = serde_json::json!({
        "client_id": "web", "redirect_uri": REDIRECT_URI, "code_challenge": CHALLENGE, "code_challenge_method": "S256",
        "scope": "read write", "username": "ada", "password": "x",
    });
    let request = http::Request::post("/auth/authorize").header("content-type", "application/json");
    let reply: Reply = server.handle(request.body(body.to_string().into()).unwrap(), None).into();
    reply.text("code")
}

/// A fresh server over the file that a dead one left.
struct Inquiry {
    server: Server,
    /// Refreshes that it recognised as repeats.
    repeats: Arc<AtomicUsize>,
}

impl Inquiry {
    fn new(file: &Path) -> Self {
        let repeats = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&repeats);
        let builder = configure(Server::builder(ISSUER)).store(SqliteStore::new(file)).users(People::default());
        let builder = builder.clock(FakeClock::at(AFTERWARDS)).on_event(move |event| {
            counted.fetch_add(usize::from(event.kind() == EventKind::RefreshRepeated), Ordering::Relaxed);
        });
        Self { server: builder.build().unwrap(), repeats }
    }

    fn ask(&self, operation: &str, token: &str) -> Performed {
        perform(&self.server, operation, token)
    }

    fn works(&self, access: &str) -> bool {
        let status = self.ask("check", access).status;
        assert!(matches!(status, 200 | 401), "{status}");
        status == 200
    }

    fn repeats(&self) -> usize {
        self.repeats.load(Ordering::Relaxed)
    }
}

/// An access token, and whether it is to work from now on.
struct Settled {
    access: String,
    alive: bool,
}

/// What one client knows.
struct Session {
    code: String,
    life: &'static [&'static str],
    /// How much of its life was acknowledged.
    done: usize,
    accesses: Vec<String>,
    refresh: String,
}

impl Session {
    const fn new(code: String, life: &'static [&'static str]) -> Self {
        Self { code, life, done: 0, accesses: Vec::new(), refresh: String::new() }
    }

    /// The operation that is under way, or would be next, and what it presents.
    fn order(&self) -> Option<(&'static str, &str)> {
        let operation = *self.life.get(self.done)?;
        Some((operation, if operation == "redeem" { &self.code } else { &self.refresh }))
    }

    fn acknowledge(&mut self, performed: &Performed) {
        let (operation, _) = self.order().expect("an answer belongs to an order");
        let expected = if self.is_replay() { 400 } else { 200 };
        assert_eq!(performed.status, expected, "{operation}: {performed}");
        self.done += 1;
        self.accesses.extend(performed.access.clone());
        if let Some(refresh) = &performed.refresh {
            self.refresh.clone_from(refresh);
        }
    }

    /// Whether the operation under way is the second redemption.
    fn is_replay(&self) -> bool {
        self.done > 0 && self.life.get(self.done) == Some(&"redeem")
    }

    /// Asks a fresh server about everything that the client was told, and about what it was not told.
    fn check(&self, server: &Inquiry, end: bool, figures: &mut Figures) -> Vec<Settled> {
        let acknowledged = &self.life[..self.done];
        let ended = acknowledged.contains(&"revoke") || acknowledged.iter().filter(|one| **one == "redeem").count() > 1;
        match self.order() {
            _ if ended => self.is_dead(server),
            None => self.goes_on(server, &self.refresh, end),
            Some(("refresh", token)) => {
                figures.refreshes += 1;
                let before = server.repeats();
                let reply = server.ask("refresh", token);
                assert_eq!(reply.status, 200, "a client whose refresh was under way is not logged out");
                figures.refreshes_done += server.repeats() - before;
                assert_eq!(server.ask("refresh", token), reply, "the same tokens as often as it is repeated");
                let next = reply.refresh.as_ref().unwrap();
                assert!(server.works(reply.access.as_ref().unwrap()));
                self.goes_on(server, next, end)
            }
            Some(("redeem", code)) if self.done == 0 => {
                figures.redemptions += 1;
                let reply = server.ask("redeem", code);
                if reply.status == 200 {
                    assert!(server.works(reply.access.as_ref().unwrap()));
                    assert_eq!(server.ask("refresh", reply.refresh.as_ref().unwrap()).status, 200);
                } else {
                    assert_eq!(reply.status, 400, "{reply}");
                    figures.redemptions_done += 1;
                }
                assert_eq!(server.ask("redeem", code).status, 400, "one code, one token set");
                let alive = false;
                reply.access.into_iter().map(|access| Settled { access, alive }).collect()
            }
            // A revocation, or a replay: done or not, but not by halves.
            Some((operation, token)) => {
                figures.endings += 1;
                let working = self.accesses.iter().filter(|access| server.works(access)).count();
                assert!(working == 0 || working == self.accesses.len(), "{working} of {}", self.accesses.len());
                figures.endings_done += usize::from(working == 0);
                let expected = if working == 0 { 400 } else { 200 };
                assert_eq!(server.ask("refresh", &self.refresh).status, expected, "the leaf is as the others");
                assert_eq!(server.ask(operation, token).status, if operation == "revoke" { 200 } else { 400 });
                self.is_dead(server)
            }
        }
    }

    /// Everything works, the chain goes on from `refresh`, and the code gives nothing more.
    fn goes_on(&self, server: &Inquiry, refresh: &str, end: bool) -> Vec<Settled> {
        assert!(self.accesses.iter().all(|access| server.works(access)), "nothing acknowledged is lost");
        let next = server.ask("refresh", refresh);
        assert_eq!(next.status, 200, "the chain goes on");
        let after = server.ask("refresh", next.refresh.as_ref().unwrap());
        assert_eq!(after.status, 200);
        assert!(server.works(after.access.as_ref().unwrap()));
        if end {
            assert_eq!(server.ask("redeem", &self.code).status, 400, "a spent code gives nothing");
            assert!(!server.works(after.access.as_ref().unwrap()), "and its grant ends");
            return self.is_dead(server);
        }
        let known = self.accesses.iter().cloned().chain(after.access);
        known.map(|access| Settled { access, alive: true }).collect()
    }

    fn is_dead(&self, server: &Inquiry) -> Vec<Settled> {
        assert!(!self.accesses.iter().any(|access| server.works(access)), "an acknowledged end holds");
        assert_eq!(server.ask("refresh", &self.refresh).status, 400);
        assert_eq!(server.ask("redeem", &self.code).status, 400);
        self.accesses.iter().map(|access| Settled { access: access.clone(), alive: false }).collect()
    }
}

/// How much was seen; "done" are those under way whose write was found in the file, though nobody was told.
#[derive(Default)]
struct Figures {
    kills: usize,
    acknowledged: usize,
    redemptions: usize,
    redemptions_done: usize,
    refreshes: usize,
    refreshes_done: usize,
    endings: usize,
    endings_done: usize,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# Sudden death\n")?;
        writeln!(
            f,
            "What `make sudden-death` saw: a process with {THREADS} threads over one SQLite file, killed (SIGKILL)"
        )?;
        writeln!(
            f,
            "under a load of redemptions, refreshes, revocations and replays by {CLIENTS} clients at once. Every outcome"
        )?;
        writeln!(
            f,
            "was then asked of a fresh server; `tests/tests/sudden_death.rs` says what must hold, and all of it held.\n"
        )?;
        writeln!(f, "| | | of these, done without an answer |")?;
        writeln!(f, "| --- | --- | --- |")?;
        writeln!(f, "| kills | {} | |", self.kills)?;
        writeln!(f, "| outcomes acknowledged before them | {} | |", self.acknowledged)?;
        writeln!(f, "| redemptions under way | {} | {} |", self.redemptions, self.redemptions_done)?;
        writeln!(f, "| refreshes under way | {} | {} |", self.refreshes, self.refreshes_done)?;
        writeln!(f, "| revocations and replays under way | {} | {} |", self.endings, self.endings_done)
    }
}
