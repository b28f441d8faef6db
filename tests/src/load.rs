//! Clients by the dozen at one worker process, all of them waiting for an answer at any time.

use std::path::Path;
use std::sync::Arc;

use proofkey::Server;
use proofkey::testing::FakeClock;

use crate::session::quick;
use crate::{Admitted, CHALLENGE, ISSUER, Ledger, REDIRECT_URI, Reply, START, Session, WorkerProcess, configure};

/// Orders from this number on are not those of a client.
const OTHERS: usize = 1_000_000;

/// A server in this process that lets Ada in without a hash, over a file that workers use as well.
///
/// # Panics
/// If the file cannot be opened.
#[must_use]
pub fn minting(file: &Path) -> Server {
    let builder = configure(Server::builder(ISSUER)).store(quick(file)).authenticator(Admitted);
    let server = builder.clock(FakeClock::at(START)).build().unwrap_or_else(|misuse| panic!("{misuse}"));
    server.check_in().unwrap_or_else(|error| panic!("{error}"));
    server
}

/// Clients with a fresh code each.
///
/// # Panics
/// If one gets none.
#[must_use]
pub fn sessions(file: &Path, count: usize) -> Vec<Session> {
    let server = minting(file);
    (0..count).map(|number| Session::new(code(&server), number)).collect()
}

fn code(server: &Server) -> String {
    let body = serde_json::json!({
        "client_id": "web", "redirect_uri": REDIRECT_URI, "code_challenge": CHALLENGE, "code_challenge_method": "S256",
        "scope": "read write", "username": "ada", "password": "x",
    });
    let request = http::Request::post("/auth/authorize").header("content-type", "application/json");
    let request = request.body(body.to_string().into()).unwrap_or_else(|error| panic!("a request: {error}"));
    let reply: Reply = server.handle(request, None).into();
    reply.text("code")
}

/// A worker and its clients.
pub struct Load {
    worker: WorkerProcess,
    sessions: Vec<Session>,
    /// Those that begin when another one's life is over.
    spare: Vec<Session>,
    ledger: Arc<Ledger>,
    /// How many clients there are at any time.
    at_once: usize,
    /// Whether clients go on after an answer.
    runs: bool,
    acknowledged: usize,
    unavailable: usize,
    /// Checks under way: the client, and whether its grant had ended when they were ordered.
    checks: Vec<(usize, Option<bool>)>,
    /// Orders that are not those of a client, since the last look, and how many were answered.
    others: usize,
    checked: usize,
}

impl Load {
    /// Has the first `at_once` of the clients begin.
    #[must_use]
    pub fn begin(worker: WorkerProcess, spare: Vec<Session>, at_once: usize, ledger: &Arc<Ledger>) -> Self {
        let sessions = Vec::new();
        let ledger = Arc::clone(ledger);
        let (checks, others, checked, runs, acknowledged, unavailable) = (Vec::new(), 0, 0, true, 0, 0);
        let mut load =
            Self { worker, sessions, spare, ledger, at_once, runs, acknowledged, unavailable, checks, others, checked };
        load.resume();
        load
    }

    /// Takes the next answer, and has its client go on; nothing when the process has ended.
    pub fn answer(&mut self) -> Option<()> {
        let (number, performed) = self.worker.answer()?;
        if number >= OTHERS {
            self.note_check(number - OTHERS, performed.status);
            return Some(());
        }
        let session = &mut self.sessions[number];
        let free = session.acknowledge(&performed, &self.ledger);
        match performed.status {
            503 => self.unavailable += 1,
            _ => self.acknowledged += 1,
        }
        if free && self.runs {
            self.go_on(number);
        }
        Some(())
    }

    /// Takes so many answers.
    ///
    /// # Panics
    /// If the process ends before.
    pub fn answers(&mut self, count: usize) {
        for _ in 0..count {
            self.must_answer();
        }
    }

    fn must_answer(&mut self) {
        let waiting = self.sessions.iter().any(Session::is_waiting) || self.checked < self.others;
        assert!(waiting, "somebody waits for an answer: there are too few clients for so long a load");
        self.answer().unwrap_or_else(|| panic!("the worker lives until it is killed"));
    }

    fn go_on(&mut self, number: usize) {
        let mut number = number;
        if self.sessions[number].is_over() {
            let Some(next) = self.spare.pop() else { return };
            number = self.sessions.len();
            self.sessions.push(next);
        }
        for (operation, token) in self.sessions[number].orders() {
            assert!(self.worker.order(number, operation, &token), "the worker takes an order");
        }
    }

    /// Takes the answers to what was ordered, and orders nothing more.
    pub fn pause(&mut self) {
        self.runs = false;
        while self.sessions.iter().any(Session::is_waiting) {
            self.must_answer();
        }
    }

    /// Has all go on, and others begin in the place of those whose life is over.
    pub fn resume(&mut self) {
        self.runs = true;
        let live: Vec<usize> = (0..self.sessions.len()).filter(|at| !self.sessions[*at].is_over()).collect();
        let missing = self.at_once.saturating_sub(live.len()).min(self.spare.len());
        self.sessions.extend(self.spare.drain(..missing));
        for number in live.into_iter().chain(self.sessions.len() - missing..self.sessions.len()) {
            self.go_on(number);
        }
    }

    /// Runs until everybody who goes on has been refused.
    ///
    /// # Panics
    /// If nobody goes on.
    pub fn until_all_are_refused(&mut self) {
        while self.sessions.iter().any(|session| !session.is_over() && !session.is_refused()) {
            self.must_answer();
        }
        assert!(self.sessions.iter().any(Session::is_refused), "somebody goes on");
    }

    /// Shows every access token while the load goes on: those of live grants are accepted, those of ended ones are not.
    pub fn look(&mut self) {
        self.checks.clear();
        (self.others, self.checked) = (0, 0);
        for at in 0..self.sessions.len() {
            let ended = self.sessions[at].has_ended();
            for access in self.sessions[at].accesses().to_vec() {
                self.checks.push((at, ended));
                let number = OTHERS + self.checks.len() - 1;
                assert!(self.worker.order(number, "check", &access), "the worker takes an order");
                self.others += 1;
            }
        }
        assert!(!self.checks.is_empty(), "there is something to look at");
        while self.checked < self.others {
            self.must_answer();
        }
    }

    fn note_check(&mut self, check: usize, status: u16) {
        self.checked += 1;
        let Some((number, before)) = self.checks.get(check).copied() else { return };
        match (before, self.sessions[number].has_ended()) {
            (Some(true), _) => assert_eq!(status, 401, "I12: a token of a grant that had ended"),
            (_, Some(false)) => assert_eq!(status, 200, "I15: a token of a grant that lives"),
            // It ended meanwhile, or may end at any moment; but an answer there is.
            _ => assert!(matches!(status, 200 | 401), "an access check is answered: {status}"),
        }
    }

    /// Bounds how far the worker's files reach: as if the disk were full from there on.
    ///
    /// # Panics
    /// If the process has ended.
    pub fn bound_files(&mut self, bytes: Option<u64>) {
        self.checks.clear();
        self.sessions.iter_mut().for_each(Session::forget_refusal);
        (self.others, self.checked) = (1, 0);
        let room = bytes.map_or_else(|| "-".to_owned(), |bytes| bytes.to_string());
        assert!(self.worker.order(OTHERS, "room", &room), "the worker takes an order");
        while self.checked < self.others {
            self.must_answer();
        }
    }

    /// Another process in the place of this one, which has ended while its clients paused; they go on there.
    pub fn move_to(&mut self, worker: WorkerProcess) {
        self.worker = worker;
        self.sessions.iter_mut().for_each(Session::forget_refusal);
        self.resume();
    }

    /// Kills the process while its clients pause.
    pub fn kill_worker(&mut self) {
        self.worker.kill();
    }

    /// Has the process end in peace while its clients pause.
    pub fn end_worker(&mut self) {
        self.worker.end();
    }

    /// Kills the process (SIGKILL). Answers on their way when it died are acknowledgements like the others. Returns the
    /// clients that had begun.
    #[must_use]
    pub fn kill(mut self) -> Vec<Session> {
        self.worker.kill();
        self.runs = false;
        while self.answer().is_some() {}
        self.sessions
    }

    /// Outcomes that were acknowledged.
    #[must_use]
    pub const fn acknowledged(&self) -> usize {
        self.acknowledged
    }

    /// Answers 503.
    #[must_use]
    pub const fn unavailable(&self) -> usize {
        self.unavailable
    }
}
