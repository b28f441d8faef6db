//! The second phase: the faults are off, and whoever holds valid state gets through (invariants I26 and I27).

use proofkey_core::UnixTime;

use crate::answer::{Answer, Body};
use crate::call::{Call, Wish};
use crate::client::Holding;
use crate::fault::Weather;
use crate::flight::Sender;
use crate::house::USERS;
use crate::model::Violation;
use crate::world::World;

/// A login, a refresh or a revocation takes no more store calls and questions than this (invariant I26).
const PATIENCE: u64 = 60;
/// The window of `limit_user` and `limit_address`, and the hour that a clock may have been ahead, in milliseconds.
const LIMIT_WINDOW: u64 = (3600 + 15 * 60) * 1000;
/// Longer than any span of a configuration and than consent is remembered, with the margins of rows (invariant I27).
const LONG_AFTER: u64 = 400 * 24 * 3600 * 1000;

impl World<'_> {
    /// Ends what is under way, heals clocks and store, and lets everybody do what they may.
    pub(crate) fn calm(&mut self) -> Result<(), Violation> {
        self.story.tell(self.clock, || "the faults are off".to_owned());
        self.weather = Weather::default();
        self.heal();
        while !self.flights.is_empty() {
            self.advance(0)?;
        }
        self.sweep();
        for session in 0..self.sessions.len() {
            self.proceed(session)?;
        }
        for browser in 0..self.browsers.len() {
            self.goes_on(browser)?;
        }
        // Attempts that died with their process hold nobody off for longer than the window of the limit.
        self.clock += LIMIT_WINDOW;
        if let Some(user) = (0..USERS).find(|user| !self.dismissed[*user]) {
            self.sessions[0].user = user;
            self.sign_in_and_out()?;
            for browser in 0..self.browsers.len() {
                self.browsers[browser].user = user;
                self.comes_anew(browser)?;
            }
        }
        self.clock += LONG_AFTER;
        let now = UnixTime::from_seconds(self.now_at(0));
        while self.rows.sweep(now, 64) > 0 {}
        match self.rows.len() {
            0 => Ok(()),
            left => Err(Violation { invariant: "I27", what: format!("{left} rows stay after everything has expired") }),
        }
    }

    /// Whoever holds a good refresh token refreshes, uses and revokes.
    fn proceed(&mut self, session: usize) -> Result<(), Violation> {
        // What counts as too quick is over.
        self.clock += 20_000;
        let Holding::Tokens { refresh: Some(refresh), .. } = self.sessions[session].holding else { return Ok(()) };
        if !self.model.must_refresh(refresh, self.now_at(0)) {
            return Ok(());
        }
        let answer = self.through(session, self.sessions[session].refresh(refresh, Wish::default()))?;
        let Body::Tokens(issued) = answer.body else { return stuck(&answer, "refresh") };
        let newest = issued.refresh.map_or(refresh, |(refresh, _)| refresh);
        let answer = self.through(session, self.sessions[session].revoke(newest))?;
        if !answer.is_ok() {
            return stuck(&answer, "revoke");
        }
        self.through(session, Call::Userinfo { token: issued.access }).map(drop)
    }

    /// Somebody signs in anew, refreshes and revokes.
    fn sign_in_and_out(&mut self) -> Result<(), Violation> {
        let pairs = self.houses.pairs.len();
        let call = self.sessions[0].sign_in(&mut self.dice, pairs);
        let answer = self.through(0, call)?;
        let (Body::Code { code, .. }, Call::Authorize { pair, .. }) = (answer.body, call) else {
            return stuck(&answer, "sign in");
        };
        let answer = self.through(0, self.sessions[0].redeem(code, pair, Wish::default()))?;
        let Body::Tokens(issued) = answer.body else { return stuck(&answer, "redeem") };
        let Some((refresh, _)) = issued.refresh else { return stuck(&answer, "get a refresh token") };
        let answer = self.through(0, self.sessions[0].refresh(refresh, Wish::default()))?;
        if !answer.is_ok() {
            return stuck(&answer, "refresh");
        }
        let answer = self.through(0, self.sessions[0].revoke(refresh))?;
        if answer.is_ok() { Ok(()) } else { stuck(&answer, "revoke") }
    }

    /// Runs one request to its end.
    fn through(&mut self, session: usize, call: Call) -> Result<Answer, Violation> {
        self.through_by(Sender::Client(session), call)
    }

    pub(crate) fn through_by(&mut self, sender: Sender, call: Call) -> Result<Answer, Violation> {
        self.send_to(0, sender, call);
        for _ in 0..PATIENCE {
            if let Some(answer) = self.advance(0)? {
                return Ok(answer);
            }
            self.tally.steps += 1;
        }
        Err(Violation { invariant: "I26", what: format!("{call} takes more than {PATIENCE} steps") })
    }

    /// Late writes land or are too late; processes have their clocks and keys right.
    fn heal(&mut self) {
        self.land_late(u64::MAX);
        self.store_is_up();
        self.all_read_keys();
        for process in &mut self.processes {
            if process.far_off {
                process.offset = 0;
                process.far_off = false;
            }
        }
    }
}

pub(crate) fn stuck<T>(answer: &Answer, what: &str) -> Result<T, Violation> {
    Err(Violation { invariant: "I26", what: format!("somebody who may could not {what}: {answer}") })
}
