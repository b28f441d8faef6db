//! What must hold, judged from outside: by what was asked, what was answered, what the host said of its users, and
//! which flow's write landed. It knows nothing of the core, and none of its types.
//!
//! Time is counted twice. A *tick* orders what happened; "after" means a later tick. *Seconds* are what the clock of a
//! process showed when a request reached it.
//!
//! Two words of each grant carry the rules. It is *dead* from the tick at which somebody was told so, or must have been:
//! nothing that starts later may accept it. It is *doomed* as soon as something under way may kill it: from then on a
//! refusal needs no other cause. A refusal of what is neither is a violation, as is any success that was not due.

mod access;
mod begin;
mod consent;
mod facts;
mod form;
mod redeem;
mod refresh;
mod session;
mod sign_in;
mod visit;

use std::fmt;

use serde::Serialize;

use crate::answer::{Answer, Body};
use crate::call::{Call, Operation};
use crate::house::{Terms, USERS};
use crate::visit::Errand;
use crate::wallet::Paper;

use facts::{Fact, Flight, Grant, SignOut};
use session::Browsers;

/// Writes that only end something lose at most so many races (invariant I19).
const ENDING_ATTEMPTS: u32 = 16;
/// Store calls of one request about one record: attempts of writes, each with a read and what an unknown outcome takes.
const CALLS: u32 = 100;

/// Sign-ins of one user that fail before the next is held off, where there is a limit.
const ATTEMPTS: usize = 10;

/// A request under way or answered, by its number.
pub(crate) type FlightNumber = usize;

/// An invariant that did not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Violation {
    /// Its number, as `I12`.
    pub invariant: &'static str,
    /// What happened.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} does not hold: {}", self.invariant, self.what)
    }
}

type Judged = Result<(), Violation>;

fn broken(invariant: &'static str, what: impl Into<String>) -> Judged {
    Err(Violation { invariant, what: what.into() })
}

/// All that is known from outside.
pub(crate) struct Model {
    terms: Terms,
    tick: u64,
    flights: Vec<Flight>,
    grants: Vec<Grant>,
    facts: Vec<Option<Fact>>,
    sign_outs: Vec<SignOut>,
    browsers: Browsers,
    dismissed: [Option<u64>; USERS],
    /// Whether somebody has guessed at passwords or secrets: limits may hold anybody off.
    guessed: bool,
}

impl Model {
    pub(crate) fn new(terms: Terms) -> Self {
        Self {
            terms,
            tick: 0,
            flights: Vec::new(),
            grants: Vec::new(),
            facts: Vec::new(),
            sign_outs: Vec::new(),
            browsers: Browsers::default(),
            dismissed: [None; USERS],
            guessed: false,
        }
    }

    /// The host said who the user is that signs in.
    pub(crate) fn found_user(&mut self, flight: FlightNumber) {
        self.tick += 1;
        self.flights[flight].user_found = Some(self.tick);
    }

    /// A fault touched the request: it may be answered by 503.
    pub(crate) fn hurt(&mut self, flight: FlightNumber) {
        self.flights[flight].hurt = true;
    }

    /// A write of the request lost its race.
    pub(crate) fn lost_race(&mut self, flight: FlightNumber) {
        self.flights[flight].lost += 1;
    }

    /// The host will not have the user any more.
    pub(crate) fn dismissed(&mut self, user: usize) {
        self.tick += 1;
        self.dismissed[user] = Some(self.tick);
        self.doom_where("its user was dismissed", |grant| grant.user == user);
    }

    /// The answer to a request, after so many store calls.
    pub(crate) fn end(&mut self, flight: FlightNumber, answer: &Answer, calls: u32) -> Judged {
        self.tick += 1;
        let Flight { call, hurt, lost, .. } = self.flights[flight];
        if let Some(fault) = answer.fault {
            let (invariant, what) = fault.split_once(": ").unwrap_or(("I24", fault));
            return broken(invariant, what);
        }
        let records = match call.operation() {
            Operation::EndSession
            | Operation::Everywhere
            | Operation::LogOut
            | Operation::Look
            | Operation::SignOut
            | Operation::Withdraw => self.grants.len() + self.browsers.sign_ins.len() + 6,
            _ => 1,
        };
        if calls > CALLS * u32::try_from(records).unwrap_or(u32::MAX) {
            return broken("I19", format!("{calls} store calls"));
        }
        if let Call::Browse(visit) = call {
            return self.browsed(flight, &visit, answer);
        }
        match answer.status {
            200 => self.granted(flight, answer),
            503 => {
                let ends = matches!(call.operation(), Operation::Revoke | Operation::RevokeGrant | Operation::SignOut);
                let most = if ends { ENDING_ATTEMPTS } else { self.terms.attempts };
                if !hurt && lost < most {
                    return broken("I24", "503, and nothing was wrong");
                }
                if answer.error != "temporarily_unavailable" {
                    return broken("I17", format!("503 says {}", answer.error));
                }
                Ok(())
            }
            429 => self.held_off(flight),
            400..=499 => self.refused(flight, answer),
            status => broken("I24", format!("status {status}")),
        }
    }

    fn granted(&mut self, flight: FlightNumber, answer: &Answer) -> Judged {
        self.flights[flight].granted = true;
        match (self.flights[flight].call, answer.body) {
            (Call::Authorize { .. }, Body::Code { code, seen }) => self.signed_in(flight, code, seen),
            (Call::Redeem { .. }, Body::Tokens(issued)) => self.redeemed(flight, &issued),
            (Call::Refresh { .. }, Body::Tokens(issued)) => self.refreshed(flight, &issued),
            (Call::Check { .. } | Call::Introspect { .. } | Call::Userinfo { .. }, Body::Active(shown)) => {
                self.accepted(flight, &shown)
            }
            (Call::Introspect { .. }, Body::Inactive) => self.rejected(flight),
            (Call::Revoke { by, token }, _) => {
                if by.proven {
                    self.revoked(by.client, token);
                    return Ok(());
                }
                broken("I13", "a client that did not prove itself was heard")
            }
            (Call::RevokeGrant { of }, _) => {
                if let Some(grant) = self.grant_of(of) {
                    self.die(grant, "I12: it was revoked");
                }
                Ok(())
            }
            (Call::SignOutClient { .. } | Call::SignOutUser { .. }, _) => {
                self.signed_out(flight);
                Ok(())
            }
            (call, body) => broken("I24", format!("{call} was answered by {body:?}")),
        }
    }

    fn refused(&mut self, flight: FlightNumber, answer: &Answer) -> Judged {
        match self.flights[flight].call {
            Call::Authorize { .. } => self.not_signed_in(flight, answer),
            Call::Redeem { .. } => self.not_redeemed(flight, answer),
            Call::Refresh { .. } => self.not_refreshed(flight, answer),
            // Judged as an answer to a browser.
            Call::Browse(_) => Ok(()),
            Call::Check { .. } | Call::Userinfo { .. } => self.rejected(flight),
            Call::Introspect { by, .. } if by.proven => broken("I24", "introspection was refused"),
            Call::Revoke { by, .. } if by.proven => broken("I13", format!("a revocation was refused: {answer}")),
            Call::Introspect { .. } | Call::Revoke { .. } => Ok(()),
            Call::RevokeGrant { .. } | Call::SignOutClient { .. } | Call::SignOutUser { .. } => {
                broken("I12", format!("the operator was refused: {answer}"))
            }
        }
    }

    /// 429 without a cause holds somebody off for nothing.
    fn held_off(&self, number: FlightNumber) -> Judged {
        let flight = &self.flights[number];
        let grant = match flight.call {
            Call::Refresh { token, .. } => self.grant_of(token),
            call if signs_in(call).is_some_and(|user| {
                self.guessed || flight.lost > 0 || flight.hurt || self.attempts(user) >= ATTEMPTS
            }) =>
            {
                return Ok(());
            }
            Call::Redeem { by, .. } | Call::Introspect { by, .. } | Call::Revoke { by, .. } if !by.proven => {
                return Ok(());
            }
            _ => None,
        };
        if let Call::Refresh { by, .. } = flight.call
            && !by.proven
        {
            return Ok(());
        }
        match grant.map(|at| &self.grants[at]) {
            Some(grant) if grant.may_be_too_many(flight.now) => Ok(()),
            _ => broken("I9", "429, and nobody was too quick"),
        }
    }

    /// Sign-ins of a user that did not succeed, or have not yet: whoever dies takes nothing back.
    fn attempts(&self, user: usize) -> usize {
        let is_one = |flight: &&Flight| signs_in(flight.call) == Some(user) && !flight.granted;
        self.flights.iter().filter(is_one).count()
    }

    /// From now on nothing accepts the grant.
    fn die(&mut self, grant: usize, why: &'static str) {
        let tick = self.tick;
        let grant = &mut self.grants[grant];
        grant.dead.get_or_insert((tick, why));
        grant.doomed.get_or_insert(why);
    }

    fn doom(&mut self, grant: usize, why: &'static str) {
        self.grants[grant].doomed.get_or_insert(why);
    }

    fn doom_where(&mut self, why: &'static str, which: impl Fn(&Grant) -> bool) {
        for grant in self.grants.iter_mut().filter(|grant| which(grant)) {
            grant.doomed.get_or_insert(why);
        }
    }

    fn fact(&self, paper: Paper) -> Option<&Fact> {
        self.facts.get(paper.number)?.as_ref()
    }

    fn set_fact(&mut self, paper: Paper, fact: Fact) {
        if self.facts.len() <= paper.number {
            self.facts.resize_with(paper.number + 1, || None);
        }
        self.facts[paper.number] = Some(fact);
    }

    /// The grant that a code or a token belongs to.
    pub(crate) fn grant_of(&self, paper: Paper) -> Option<usize> {
        self.fact(paper).map(Fact::grant)
    }

    /// Verifier and client that belong to a code.
    pub(crate) fn binding_of(&self, code: Paper) -> Option<(usize, usize)> {
        self.grant_of(code).map(|at| (self.grants[at].pair, self.grants[at].client))
    }

    /// A success of what was dead before the request began.
    fn not_dead(&self, grant: usize, flight: FlightNumber) -> Judged {
        match self.grants[grant].dead {
            Some((tick, why)) if tick < self.flights[flight].began => {
                let (invariant, why) = why.split_once(": ").unwrap_or(("I12", why));
                broken(invariant, format!("grant {grant} is used, though {why}"))
            }
            _ => Ok(()),
        }
    }
}

/// Whom a request is to sign in.
const fn signs_in(call: Call) -> Option<usize> {
    match call {
        Call::Authorize { user, .. } => Some(user),
        Call::Browse(visit) => match visit.errand {
            Errand::SignIn { user, .. } => Some(user),
            _ => None,
        },
        _ => None,
    }
}
