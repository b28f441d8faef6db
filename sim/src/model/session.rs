//! Browsers' sign-ins: when they begin, what ends with them, and when they are over (I14).

use std::collections::BTreeMap;

use super::consent::{Agreement, Withdrawal};
use super::facts::{Flight, Whom};
use super::form::{FormFact, Id, Travelling};
use super::{FlightNumber, Judged, Model, broken};
use crate::call::Call;
use crate::visit::Errand;
use crate::wallet::Paper;

/// What is known of browsers.
#[derive(Default)]
pub(super) struct Browsers {
    pub(super) sign_ins: Vec<SignIn>,
    /// Sign-ins by their cookie.
    pub(super) cookies: BTreeMap<Paper, usize>,
    /// Sign-ins by the name under which pages list them.
    pub(super) names: BTreeMap<Paper, usize>,
    /// The sign-in that a request has written.
    pub(super) written: BTreeMap<FlightNumber, usize>,
    /// Until when the sign-in that a request came with held surely, as the request began, in seconds.
    pub(super) sure: BTreeMap<FlightNumber, u64>,
    pub(super) log_outs: Vec<LogOut>,
    /// Groups of grants that end together, by the request that somebody signed in for.
    groups: BTreeMap<(Paper, usize), usize>,
    pub(super) agreements: Vec<Agreement>,
    pub(super) withdrawals: Vec<Withdrawal>,
    pub(super) ids: BTreeMap<Paper, Id>,
    pub(super) forms: BTreeMap<Paper, FormFact>,
    pub(super) requests: BTreeMap<Paper, Travelling>,
}

/// A browser's sign-in, from the write of its record on.
pub(super) struct SignIn {
    pub(super) user: usize,
    /// The request that it was made for.
    pub(super) occasion: Paper,
    /// The group of grants that ends with it; several where it is not known which.
    pub(super) groups: Vec<usize>,
    /// The tick at which the host found the user, before the record was written.
    pub(super) approved: u64,
    /// When it was made, in seconds.
    pub(super) at: u64,
    /// Until when it holds surely, unless somebody ends it, in seconds.
    pub(super) sure_until: u64,
    /// Requests that came with it, and their seconds.
    pub(super) uses: Vec<(FlightNumber, u64)>,
    /// A clock that is an hour off made it.
    pub(super) far_off: bool,
    pub(super) dead: Option<(u64, &'static str)>,
    pub(super) doomed: Option<&'static str>,
    /// Sign-ins in the same browser that take its place, or may have.
    pub(super) replacers: Vec<FlightNumber>,
}

/// Where a grant came from that a browser got.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    /// The sign-in in which it was written; nothing where that is not known.
    pub(super) sign_in: Option<usize>,
    /// The sign-ins in which its code was given.
    pub(super) given: Vec<usize>,
    /// Another request wrote it than the one that gave its code first, and may take it back.
    pub(super) lent: bool,
    /// It outlives the sign-in.
    pub(super) offline: bool,
}

/// Somebody signs a browser out, in it or from another.
pub(super) struct LogOut {
    pub(super) flight: FlightNumber,
    pub(super) sign_in: usize,
    pub(super) began: u64,
    /// The tick at which it was acknowledged.
    pub(super) done: Option<u64>,
    /// It was acknowledged, and the sign-in held before.
    pub(super) surely: bool,
}

impl SignIn {
    /// Whether nobody has ended it, or may have, beside the request that takes its place.
    fn is_sure(&self, beside: FlightNumber) -> bool {
        self.is_not_ended() && self.dead.is_none() && self.replacers.iter().all(|one| *one == beside)
    }

    /// Whether nobody has ended it, or may have, but for sign-ins that take its place.
    fn is_not_ended(&self) -> bool {
        self.doomed.is_none() && !self.far_off
    }
}

impl Model {
    /// The sign-in whose cookie a request came with.
    pub(super) fn sign_in_of(&self, cookie: Option<Paper>) -> Option<usize> {
        self.browsers.cookies.get(&cookie?).copied()
    }

    /// The record of a sign-in landed.
    pub(crate) fn sign_in_landed(&mut self, number: FlightNumber, name: Paper) {
        self.tick += 1;
        let Flight { call, now, far_off, began, user_found, .. } = self.flights[number];
        let Call::Browse(visit) = call else { return };
        let Errand::SignIn { request, user, .. } = visit.errand else { return };
        let next = self.browsers.groups.len();
        let own = *self.browsers.groups.entry((request, user)).or_insert(next);
        let before = self.sign_in_of(visit.cookies.session).map(|at| &self.browsers.sign_ins[at]);
        let before = before.filter(|before| before.user == user);
        let in_time = self.browsers.sure.get(&number).is_some_and(|until| now < *until);
        let groups = match before {
            None => vec![own],
            // Also where the answer was lost of one that took its place.
            Some(before) if before.is_not_ended() && in_time && !far_off => before.groups.clone(),
            Some(before) => before.groups.iter().copied().chain([own]).collect(),
        };
        let idle = self.terms.session_idle;
        let approved = user_found.unwrap_or(0);
        self.browsers.sign_ins.push(SignIn {
            user,
            occasion: request,
            groups,
            approved,
            at: now,
            sure_until: now + idle,
            uses: Vec::new(),
            far_off,
            dead: None,
            doomed: None,
            replacers: Vec::new(),
        });
        let at = self.browsers.sign_ins.len() - 1;
        self.browsers.names.insert(name, at);
        self.browsers.written.insert(number, at);
        for sign_out in self.sign_outs.clone() {
            if sign_out.whom != Whom::User(user) {
                continue;
            }
            if sign_out.done.is_none_or(|done| done > began) {
                self.browsers.sign_ins[at].doomed.get_or_insert("its user was being signed out");
            }
            if sign_out.done.is_some() && sign_out.began > approved {
                self.end_sign_in(at, "its user was signed out while it was made");
            }
        }
    }

    /// A browser was given the cookie of a sign-in.
    pub(super) fn signed_in_here(&mut self, number: FlightNumber, cookie: Paper) -> Judged {
        let Flight { call, now, began, .. } = self.flights[number];
        let Call::Browse(visit) = call else { return Ok(()) };
        let Errand::SignIn { user, password, .. } = visit.errand else {
            return broken("I14", format!("{cookie}, and nobody has signed in"));
        };
        if !password {
            return broken("I14", format!("{cookie} for a wrong password"));
        }
        if self.dismissed[user].is_some_and(|tick| tick < began) {
            return broken("I14", format!("user{user} signed in after being dismissed"));
        }
        let Some(&at) = self.browsers.written.get(&number) else {
            return broken("I17", format!("{cookie} left before its record was written"));
        };
        if self.flights[number].user_found.is_none() {
            return broken("I14", format!("{cookie}, and the host was not asked for the user"));
        }
        if self.browsers.cookies.insert(cookie, at).is_some() {
            return broken("I2", format!("{cookie} was given twice"));
        }
        self.flights[number].granted = true;
        // Another sign-in of the browser is over; what the clock ended may go on by another clock.
        let in_time = self.browsers.sure.get(&number).is_some_and(|until| now < *until);
        if let Some(before) = self.sign_in_of(visit.cookies.session)
            && in_time
            && !self.browsers.sign_ins[before].far_off
        {
            let tick = self.tick;
            self.browsers.sign_ins[before].dead.get_or_insert((tick, "the next one took its place"));
        }
        Ok(())
    }

    /// From now on nobody is signed in by it.
    pub(super) fn end_sign_in(&mut self, at: usize, why: &'static str) {
        let tick = self.tick;
        let sign_in = &mut self.browsers.sign_ins[at];
        sign_in.dead.get_or_insert((tick, why));
        sign_in.doomed.get_or_insert(why);
    }

    /// Somebody who signed in before this tick was signed out.
    pub(super) fn end_sign_ins(&mut self, user: usize, began: u64) {
        for at in 0..self.browsers.sign_ins.len() {
            let sign_in = &self.browsers.sign_ins[at];
            if sign_in.user == user && sign_in.approved < began {
                self.end_sign_in(at, "its user was signed out");
            }
        }
    }

    /// A request comes that signs somebody in where somebody is signed in.
    pub(super) fn begin_replacing(&mut self, flight: FlightNumber, sign_in: usize) {
        self.browsers.sign_ins[sign_in].replacers.push(flight);
        for grant in &mut self.grants {
            if grant.origin.as_ref().is_some_and(|origin| origin.lent && origin.sign_in == Some(sign_in)) {
                grant.doomed.get_or_insert("whoever wrote it may take it back");
            }
        }
    }

    /// A request comes that may sign a user out everywhere.
    pub(super) fn doom_sign_ins(&mut self, user: usize) {
        for sign_in in self.browsers.sign_ins.iter_mut().filter(|sign_in| sign_in.user == user) {
            sign_in.doomed.get_or_insert("its user is being signed out");
        }
    }

    /// A request comes that may sign a browser out.
    pub(super) fn begin_log_out(&mut self, flight: FlightNumber, sign_in: usize) {
        let began = self.tick;
        self.browsers.log_outs.push(LogOut { flight, sign_in, began, done: None, surely: false });
        self.browsers.sign_ins[sign_in].doomed.get_or_insert("it is being ended");
        let groups = self.browsers.sign_ins[sign_in].groups.clone();
        for at in 0..self.grants.len() {
            if self.may_end_with(at, &groups) {
                self.doom(at, "its sign-in is being ended");
            }
        }
    }

    /// Whether a grant may belong to one of these groups.
    fn may_end_with(&self, grant: usize, groups: &[usize]) -> bool {
        let Some(origin) = self.grants[grant].origin.as_ref().filter(|origin| !origin.offline) else { return false };
        let mut of = origin.sign_in.iter().chain(&origin.given).map(|at| &self.browsers.sign_ins[*at].groups);
        of.any(|of| of.iter().any(|group| groups.contains(group)))
    }

    /// Signing a browser out was acknowledged: it is over, and so is what was made in it. What was made meanwhile in
    /// another sign-in of the same group need not be.
    pub(super) fn logged_out(&mut self, flight: FlightNumber) {
        let tick = self.tick;
        let Flight { now, far_off, .. } = self.flights[flight];
        for at in 0..self.browsers.log_outs.len() {
            let LogOut { flight: whose, sign_in, began, .. } = self.browsers.log_outs[at];
            if whose != flight {
                continue;
            }
            self.browsers.log_outs[at].done = Some(tick);
            let over = &self.browsers.sign_ins[sign_in];
            let sure_until = self.browsers.sure.get(&flight).copied().unwrap_or(0).min(over.sure_until);
            if now >= sure_until || far_off || over.far_off {
                continue;
            }
            self.browsers.log_outs[at].surely = true;
            self.end_sign_in(sign_in, "it was ended");
            for grant in 0..self.grants.len() {
                let Some(origin) = self.grants[grant].origin.as_ref().filter(|origin| !origin.offline) else {
                    continue;
                };
                let own = origin.sign_in == Some(sign_in) || origin.given.contains(&sign_in);
                let of = origin.sign_in.map(|at| &self.browsers.sign_ins[at].groups);
                let same = of.is_some_and(|of| of.len() == 1 && *of == self.browsers.sign_ins[sign_in].groups);
                if own || (same && self.grants[grant].made < began) {
                    self.die(grant, "I14: its sign-in was ended");
                }
            }
        }
    }

    /// A grant was made for a browser: whether its sign-in is over already.
    pub(super) fn judge_origin(&mut self, number: FlightNumber, grant: usize) {
        let began = self.flights[number].began;
        let Some(origin) = self.grants[grant].origin.clone() else { return };
        let sign_ins: Vec<usize> = origin.sign_in.into_iter().chain(origin.given).collect();
        for at in &sign_ins {
            if let Some(why) = self.browsers.sign_ins[*at].doomed {
                self.doom(grant, why);
            }
        }
        if origin.lent && origin.sign_in.is_none_or(|at| !self.browsers.sign_ins[at].replacers.is_empty()) {
            self.doom(grant, "whoever wrote it may take it back");
        }
        for at in 0..self.browsers.log_outs.len() {
            let LogOut { sign_in: ended, done, surely, .. } = self.browsers.log_outs[at];
            let groups = self.browsers.sign_ins[ended].groups.clone();
            if done.is_none_or(|done| done > began) && self.may_end_with(grant, &groups) {
                self.doom(grant, "its sign-in was being ended");
            }
            if surely && sign_ins.contains(&ended) && !origin.offline {
                self.die(grant, "I14: its sign-in was ended while it was made");
            }
        }
    }

    /// Somebody was taken for signed in by a cookie; as this user, if the page says so.
    pub(super) fn taken(&mut self, number: FlightNumber, user: Option<usize>) -> Judged {
        let Flight { call, now, far_off, began, .. } = self.flights[number];
        let Call::Browse(visit) = call else { return Ok(()) };
        let Some(cookie) = visit.cookies.session else {
            return broken("I14", "somebody without a cookie was taken for signed in");
        };
        let Some(at) = self.sign_in_of(Some(cookie)) else {
            return broken("I2", format!("{cookie} is not one of ours, and was taken for one"));
        };
        let terms = self.terms;
        let sign_in = &mut self.browsers.sign_ins[at];
        if let Some((tick, why)) = sign_in.dead
            && tick < began
        {
            return broken("I14", format!("{cookie} was taken for a sign-in, though {why}"));
        }
        let used = sign_in.uses.iter().filter(|(one, _)| *one != number).map(|(_, now)| *now);
        let used = used.max().unwrap_or(0).max(sign_in.at);
        if now >= used + terms.session_idle || now >= sign_in.at + terms.session_lifetime {
            return broken("I11", format!("{cookie} was taken for a sign-in after its end"));
        }
        if user.is_some_and(|user| user != sign_in.user) {
            return broken("I14", format!("{cookie} was taken for a sign-in of somebody else"));
        }
        if !far_off {
            let quiet = (terms.session_idle / 10).min(60);
            let until = (now + terms.session_idle).saturating_sub(quiet).min(sign_in.at + terms.session_lifetime);
            sign_in.sure_until = sign_in.sure_until.max(until);
        }
        Ok(())
    }

    /// Somebody was not taken for signed in: whether that has a cause.
    pub(super) fn not_taken(&self, number: FlightNumber) -> Judged {
        let Flight { call, .. } = self.flights[number];
        let Call::Browse(visit) = call else { return Ok(()) };
        if self.may_not_be_signed_in(number) {
            return Ok(());
        }
        let cookie = visit.cookies.session.map(|cookie| cookie.to_string()).unwrap_or_default();
        broken("I9", format!("{cookie} was not taken for a sign-in, and it holds"))
    }

    /// Whether the sign-in that a request came with may be over.
    pub(super) fn may_not_be_signed_in(&self, number: FlightNumber) -> bool {
        let Flight { call, now, far_off, .. } = self.flights[number];
        let Call::Browse(visit) = call else { return true };
        let Some(at) = self.sign_in_of(visit.cookies.session) else { return true };
        let in_time = self.browsers.sure.get(&number).is_some_and(|until| now < *until);
        let sign_in = &self.browsers.sign_ins[at];
        sign_in.dead.is_some() || !sign_in.is_sure(number) || !in_time || far_off
    }

    /// Whether whoever comes with this cookie is surely signed in at `now`.
    pub(crate) fn must_be_signed_in(&self, cookie: Option<Paper>, now: u64) -> bool {
        let Some(at) = self.sign_in_of(cookie) else { return false };
        let sign_in = &self.browsers.sign_ins[at];
        sign_in.is_sure(FlightNumber::MAX) && now < sign_in.sure_until && self.dismissed[sign_in.user].is_none()
    }
}
