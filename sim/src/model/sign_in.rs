//! Signing in and out: I5, I14.

use super::facts::{Fact, Flight, Grant, Whom};
use super::{FlightNumber, Judged, Model, broken};
use crate::answer::Answer;
use crate::call::Call;
use crate::wallet::Paper;

impl Model {
    pub(super) fn signed_in(&mut self, number: FlightNumber, code: Paper, seen: bool) -> Judged {
        let flight = self.flights[number];
        let Flight { call, now, far_off, began, .. } = flight;
        let Call::Authorize { by, user, password, challenge, pair, scope, resources } = call else { return Ok(()) };
        if !challenge {
            return broken("I5", "a code without a challenge");
        }
        if !password {
            return broken("I14", "a code for a wrong password");
        }
        if seen {
            return broken("I1", format!("{code} was given twice"));
        }
        if flight.landed == 0 {
            return broken("I17", format!("{code} left before its grant was written"));
        }
        if self.dismissed[user].is_some_and(|tick| tick < began) {
            return broken("I14", format!("user{user} signed in after being dismissed"));
        }
        let Some(approved) = flight.user_found else {
            return broken("I14", "a code, and the host was not asked for the user");
        };
        let terms = self.terms;
        self.grants.push(Grant {
            client: by.client,
            user,
            pair,
            scope,
            resources,
            code_expires_at: now + terms.code_lifetime,
            ends_at: now + terms.grant_lifetime,
            approved,
            made: self.tick,
            origin: None,
            redeemed: None,
            redeems: 0,
            chain: Vec::new(),
            accesses: 0,
            dead: None,
            doomed: None,
            rotations: Vec::new(),
            far_off,
            access_revoked: false,
        });
        let grant = self.grants.len() - 1;
        self.set_fact(code, Fact::Code { grant });
        self.judge_made(number, grant, approved);
        Ok(())
    }

    /// A grant was made that a user approved at a tick: whether it is over already, or may be.
    pub(super) fn judge_made(&mut self, number: FlightNumber, grant: usize, approved: u64) {
        let began = self.flights[number].began;
        let Grant { client, user, approved: found, .. } = self.grants[grant];
        if self.dismissed[user].is_some() {
            self.doom(grant, "its user was dismissed");
        }
        self.judge_withdrawals(number, grant);
        for sign_out in self.sign_outs.clone() {
            if !sign_out.whom.is_of(client, user) {
                continue;
            }
            // What a browser got was approved when its user signed in.
            let approved = if sign_out.whom == Whom::User(user) { approved } else { found };
            if sign_out.done.is_none_or(|done| done > began) {
                self.doom(grant, "its owner was being signed out");
            }
            if sign_out.done.is_some() && sign_out.began > approved {
                self.die(grant, "I14: its owner was signed out while it was made");
            }
        }
    }

    /// A sign-in is refused for a wrong password, a dismissed user, a missing challenge, or a sign-out beside it.
    pub(super) fn not_signed_in(&self, number: FlightNumber, answer: &Answer) -> Judged {
        let flight = &self.flights[number];
        let Call::Authorize { by, user, password, challenge, .. } = flight.call else { return Ok(()) };
        let beside = self.sign_outs.iter().any(|sign_out| {
            sign_out.whom.is_of(by.client, user) && sign_out.done.is_none_or(|done| done > flight.began)
        });
        let beside = beside || self.is_withdrawn_beside(number, user, by.client);
        if !password || !challenge || beside || flight.hurt || self.dismissed[user].is_some() {
            return Ok(());
        }
        broken("I26", format!("user{user} could not sign in: {answer}"))
    }

    /// Everything under the owner is dead, and what is being made for a sign-in that is older.
    pub(super) fn signed_out(&mut self, flight: FlightNumber) {
        let tick = self.tick;
        let Some(sign_out) = self.sign_outs.iter_mut().find(|sign_out| sign_out.flight == flight) else { return };
        sign_out.done = Some(tick);
        let (whom, began) = (sign_out.whom, sign_out.began);
        for grant in 0..self.grants.len() {
            let Grant { client, user, mut approved, ref origin, .. } = self.grants[grant];
            if let (Whom::User(_), Some(at)) = (whom, origin.as_ref().and_then(|origin| origin.sign_in)) {
                approved = approved.min(self.browsers.sign_ins[at].approved);
            }
            if whom.is_of(client, user) && approved < began {
                self.die(grant, "I14: its owner was signed out");
            }
        }
        if let Whom::User(user) = whom {
            self.end_sign_ins(user, began);
        }
    }

    /// A revocation was acknowledged.
    pub(super) fn revoked(&mut self, client: usize, token: Paper) {
        match self.fact(token).copied() {
            Some(Fact::Refresh { grant, .. }) if self.grants[grant].client == client => {
                self.die(grant, "I12: it was revoked");
            }
            Some(Fact::Access(mut access)) if self.grants[access.grant].client == client => {
                access.revoked.get_or_insert(self.tick);
                self.set_fact(token, Fact::Access(access));
            }
            _ => {}
        }
    }
}
