//! What one client of a server that is in trouble knows, and what must hold of it afterwards.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use proofkey::store::{SqliteStore, Synchronous};
use proofkey::testing::FakeClock;
use proofkey::{EventKind, Server};

use crate::{ISSUER, Ledger, People, Performed, START, configure, perform};

/// After the workers' clock by more than the span of the rotation limit, and by less than the leeway.
const AFTERWARDS: u64 = START + 20;

/// One thing that a client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Redeem,
    Refresh,
    /// The code once more, which ends the grant.
    Replay,
    Revoke,
    /// Two tabs refresh at once.
    Tabs,
}

/// What clients do with a code: four lives, each cut off at any of its steps.
const LIVES: [&[Step]; 4] = [
    &[Step::Redeem, Step::Refresh, Step::Tabs, Step::Refresh],
    &[Step::Redeem, Step::Tabs, Step::Revoke],
    &[Step::Redeem, Step::Revoke],
    &[Step::Redeem, Step::Refresh, Step::Replay],
];

impl Step {
    const fn operation(self) -> &'static str {
        match self {
            Self::Redeem | Self::Replay => "redeem",
            Self::Refresh | Self::Tabs => "refresh",
            Self::Revoke => "revoke",
        }
    }

    const fn ends(self) -> bool {
        matches!(self, Self::Replay | Self::Revoke)
    }
}

/// One client.
#[derive(Debug)]
pub struct Session {
    code: String,
    life: &'static [Step],
    /// How much of its life was acknowledged.
    done: usize,
    accesses: Vec<String>,
    refresh: String,
    /// The refresh token before, whose successor is the one that it holds.
    previous: Option<String>,
    /// What its orders present.
    presented: String,
    /// Orders without an answer yet.
    waiting: usize,
    /// One of the orders of this step was acknowledged.
    acknowledged: bool,
    /// The last answer was 503.
    refused: bool,
}

impl Session {
    /// A client with a fresh code; its number chooses its life.
    #[must_use]
    pub const fn new(code: String, number: usize) -> Self {
        Self {
            code,
            life: LIVES[number % LIVES.len()],
            done: 0,
            accesses: Vec::new(),
            refresh: String::new(),
            previous: None,
            presented: String::new(),
            waiting: 0,
            acknowledged: false,
            refused: false,
        }
    }

    fn step(&self) -> Option<Step> {
        self.life.get(self.done).copied()
    }

    /// The next orders: an operation and what it presents, once or twice. Nothing at the end of its life.
    pub(crate) fn orders(&mut self) -> Vec<(&'static str, String)> {
        let Some(step) = self.step() else { return Vec::new() };
        self.presented = if step.operation() == "redeem" { self.code.clone() } else { self.refresh.clone() };
        self.waiting = if step == Step::Tabs { 2 } else { 1 };
        vec![(step.operation(), self.presented.clone()); self.waiting]
    }

    /// Takes an answer; whether it was the last one that it waited for.
    pub(crate) fn acknowledge(&mut self, performed: &Performed, ledger: &Ledger) -> bool {
        let step = self.step().unwrap_or_else(|| panic!("an answer without an order: {performed}"));
        ledger.note(step.operation(), &self.presented, performed);
        self.waiting -= 1;
        self.refused = performed.status == 503;
        if self.refused {
            let error = performed.error.as_deref();
            assert_eq!(error, Some("temporarily_unavailable"), "I17: the body of a 503: {performed}");
            assert!(performed.access.is_none() && performed.refresh.is_none(), "I17: a 503 gives nothing");
        } else {
            let expected = if step == Step::Replay { 400 } else { 200 };
            assert_eq!(performed.status, expected, "I9, I17: {step:?} of a good token: {performed}");
            self.acknowledged = true;
            if let Some(refresh) = performed.refresh.clone().filter(|refresh| *refresh != self.refresh) {
                self.previous = Some(std::mem::replace(&mut self.refresh, refresh)).filter(|token| !token.is_empty());
            }
            self.accesses.extend(performed.access.clone().filter(|access| !self.accesses.contains(access)));
        }
        if self.waiting == 0 && self.acknowledged {
            self.acknowledged = false;
            self.done += 1;
        }
        self.waiting == 0
    }

    /// Whether it has orders without an answer.
    pub(crate) const fn is_waiting(&self) -> bool {
        self.waiting > 0
    }

    /// Whether it goes on, and was refused when it tried last.
    pub(crate) fn is_refused(&self) -> bool {
        self.step().is_some() && self.refused
    }

    pub(crate) const fn forget_refusal(&mut self) {
        self.refused = false;
    }

    pub(crate) fn is_over(&self) -> bool {
        self.step().is_none()
    }

    pub(crate) fn accesses(&self) -> &[String] {
        &self.accesses
    }

    /// Whether its grant has ended: nothing if that is under way.
    pub(crate) fn has_ended(&self) -> Option<bool> {
        let ended = self.life.iter().take(self.done).any(|step| step.ends());
        match self.step() {
            Some(step) if step.ends() && !ended => None,
            _ => Some(ended),
        }
    }

    /// Asks a fresh server about everything that the client was told, and about what it was not told. Returns its
    /// access tokens, and whether they are to work from then on. `end`: its code is used once more.
    ///
    /// # Panics
    /// If an invariant does not hold; the text begins with its number.
    pub fn check(&self, server: &Inquiry, end: bool, figures: &mut Figures) -> Vec<Settled> {
        match self.step() {
            _ if self.has_ended() == Some(true) => self.is_dead(server),
            None => self.goes_on(server, self.previous.as_ref(), &self.refresh, end),
            // No order was given for what would be next.
            Some(_) if self.waiting == 0 && self.done > 0 => {
                self.goes_on(server, self.previous.as_ref(), &self.refresh, end)
            }
            Some(Step::Refresh | Step::Tabs) => {
                figures.refreshes += 1;
                let before = server.repeats();
                let reply = server.ask("refresh", &self.presented);
                assert_eq!(reply.status, 200, "I9: a client whose refresh was under way is not logged out");
                let repeated = server.repeats() > before;
                assert!(repeated || !self.acknowledged, "I15: an acknowledged refresh was lost");
                figures.refreshes_done += usize::from(repeated);
                assert_eq!(
                    server.ask("refresh", &self.presented),
                    reply,
                    "I6, I9: the same as often as it is repeated"
                );
                assert!(server.works(reply.access.as_ref().unwrap_or(&self.code)), "I17: a token without its record");
                self.goes_on(server, Some(&self.presented), reply.refresh.as_ref().unwrap_or(&self.code), end)
            }
            Some(Step::Redeem) => self.redeems(server, figures),
            Some(step @ (Step::Replay | Step::Revoke)) => {
                figures.endings += 1;
                let working = self.accesses.iter().filter(|access| server.works(access)).count();
                let halves = working != 0 && working != self.accesses.len();
                assert!(!halves, "I16: an end by halves: {working} of {} live", self.accesses.len());
                figures.endings_done += usize::from(working == 0);
                let (expected, again) = (if working == 0 { 400 } else { 200 }, server.ask("refresh", &self.refresh));
                assert_eq!(again.status, expected, "I16: the leaf is as the others");
                let expected = if step == Step::Revoke { 200 } else { 400 };
                assert_eq!(server.ask(step.operation(), &self.presented).status, expected, "I17: a retry is safe");
                self.is_dead(server)
            }
        }
    }

    /// The first redemption may have been done; then the retry is a replay.
    fn redeems(&self, server: &Inquiry, figures: &mut Figures) -> Vec<Settled> {
        figures.redemptions += usize::from(self.waiting > 0);
        let reply = server.ask("redeem", &self.code);
        match (reply.status, &reply.access, &reply.refresh) {
            (200, Some(access), Some(refresh)) => {
                assert!(server.works(access), "I17: a token without its record");
                assert_eq!(server.ask("refresh", refresh).status, 200, "I16: the token set is whole");
            }
            _ => {
                assert_eq!(reply.error.as_deref(), Some("invalid_grant"), "{reply}");
                assert!(self.waiting > 0, "I17: a code that nobody redeemed is good");
                figures.redemptions_done += 1;
            }
        }
        assert_eq!(server.ask("redeem", &self.code).status, 400, "I1: one code, one token set");
        reply.access.into_iter().map(|access| Settled { access, alive: false }).collect()
    }

    /// Everything works, the chain goes on from `refresh`, which came of `previous`, and the code gives nothing more.
    fn goes_on(&self, server: &Inquiry, previous: Option<&String>, refresh: &str, end: bool) -> Vec<Settled> {
        assert!(self.accesses.iter().all(|access| server.works(access)), "I15: an acknowledged token was lost");
        if let Some(previous) = previous {
            let repeated = server.ask("refresh", previous);
            assert_eq!(repeated.refresh.as_deref(), Some(refresh), "I6, I9: a reply that was lost: {repeated}");
        }
        let next = server.ask("refresh", refresh);
        assert_eq!(next.status, 200, "I9: the chain goes on");
        let after = server.ask("refresh", next.refresh.as_ref().unwrap_or(&self.code));
        assert_eq!(after.status, 200, "I9: and on");
        assert!(after.access.as_ref().is_some_and(|access| server.works(access)), "I17: a token without its record");
        if end {
            assert_eq!(server.ask("redeem", &self.code).status, 400, "I1: a spent code gives nothing");
            assert!(!after.access.as_ref().is_some_and(|access| server.works(access)), "I3: and its grant ends");
            return self.is_dead(server);
        }
        let known = self.accesses.iter().cloned().chain(after.access);
        known.map(|access| Settled { access, alive: true }).collect()
    }

    fn is_dead(&self, server: &Inquiry) -> Vec<Settled> {
        let alive = self.accesses.iter().any(|access| server.works(access));
        assert!(!alive, "I12: an access token outlived the end of its grant");
        assert_eq!(server.ask("refresh", &self.refresh).status, 400, "I12: so did a refresh token");
        assert_eq!(server.ask("redeem", &self.code).status, 400, "I1: so did the code");
        self.accesses.iter().map(|access| Settled { access: access.clone(), alive: false }).collect()
    }
}

/// An access token, and whether it is to work from now on.
#[derive(Debug)]
#[non_exhaustive]
pub struct Settled {
    /// The token.
    pub access: String,
    /// Whether it works.
    pub alive: bool,
}

/// What was under way when a process died; "done" are those whose write was found, though nobody was told.
#[derive(Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "tests make them")]
pub struct Figures {
    /// Redemptions.
    pub redemptions: usize,
    /// Of these, done.
    pub redemptions_done: usize,
    /// Refreshes.
    pub refreshes: usize,
    /// Of these, done.
    pub refreshes_done: usize,
    /// Revocations and replays.
    pub endings: usize,
    /// Of these, done.
    pub endings_done: usize,
}

/// A fresh server over the file that another one left.
pub struct Inquiry {
    server: Server,
    ledger: Arc<Ledger>,
    /// Refreshes that it recognised as repeats.
    repeats: Arc<AtomicUsize>,
}

impl Inquiry {
    /// Opens the file.
    ///
    /// # Panics
    /// If the configuration of the tests is wrong.
    #[must_use]
    pub fn new(file: &Path, ledger: &Arc<Ledger>) -> Self {
        let repeats = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&repeats);
        let builder = configure(Server::builder(ISSUER)).store(quick(file)).users(People::default());
        let builder = builder.clock(FakeClock::at(AFTERWARDS)).on_event(move |event| {
            counted.fetch_add(usize::from(event.kind() == EventKind::RefreshRepeated), Ordering::Relaxed);
        });
        let server = builder.build().unwrap_or_else(|misuse| panic!("{misuse}"));
        Self { server, ledger: Arc::clone(ledger), repeats }
    }

    fn ask(&self, operation: &str, token: &str) -> Performed {
        let performed = perform(&self.server, operation, token);
        self.ledger.note(operation, token, &performed);
        performed
    }

    /// Whether an access token is accepted.
    ///
    /// # Panics
    /// If the server cannot tell.
    #[must_use]
    pub fn works(&self, access: &str) -> bool {
        works(&self.server, access)
    }

    fn repeats(&self) -> usize {
        self.repeats.load(Ordering::Relaxed)
    }
}

/// A store that does not wait for the disk, as the tests' own servers need not: they are not killed.
pub(crate) fn quick(file: &Path) -> SqliteStore {
    SqliteStore::new(file).synchronous(Synchronous::Normal)
}

/// Whether a server accepts an access token.
///
/// # Panics
/// If it cannot tell.
#[must_use]
pub fn works(server: &Server, access: &str) -> bool {
    let status = perform(server, "check", access).status;
    assert!(matches!(status, 200 | 401), "{status}");
    status == 200
}
