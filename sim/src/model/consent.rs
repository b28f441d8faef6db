//! What people let clients have, and what they take back (I14).

use super::facts::Flight;
use super::{FlightNumber, Judged, Model, broken};
use crate::call::Set;
use crate::house::FIRST_PARTY;
use crate::visit::Wanted;

/// Somebody lets a client have what it asks for.
pub(super) struct Agreement {
    pub(super) flight: FlightNumber,
    pub(super) user: usize,
    pub(super) client: usize,
    pub(super) scope: Set,
    pub(super) began: u64,
    /// The tick of its answer, whatever that was.
    pub(super) ended: Option<u64>,
    /// The client got a code for it.
    pub(super) surely: bool,
}

/// Somebody takes a client's access back.
pub(super) struct Withdrawal {
    pub(super) flight: FlightNumber,
    pub(super) user: usize,
    pub(super) client: usize,
    pub(super) began: u64,
    /// The tick at which it was acknowledged.
    pub(super) done: Option<u64>,
}

impl Model {
    pub(super) fn begin_agreement(&mut self, flight: FlightNumber, user: usize, wanted: Wanted) {
        let Wanted { client, scope, .. } = wanted;
        let began = self.tick;
        self.browsers.agreements.push(Agreement { flight, user, client, scope, began, ended: None, surely: false });
    }

    pub(super) fn begin_withdrawal(&mut self, flight: FlightNumber, user: usize, client: usize) {
        let began = self.tick;
        self.browsers.withdrawals.push(Withdrawal { flight, user, client, began, done: None });
        self.doom_where("access is being withdrawn", |grant| (grant.user, grant.client) == (user, client));
    }

    /// Access was taken back. What was made before is dead, and what was made meanwhile, unless somebody agreed again.
    pub(super) fn withdrawn(&mut self, flight: FlightNumber) {
        let tick = self.tick;
        for at in 0..self.browsers.withdrawals.len() {
            if self.browsers.withdrawals[at].flight != flight {
                continue;
            }
            self.browsers.withdrawals[at].done = Some(tick);
            for grant in 0..self.grants.len() {
                self.judge_withdrawal(at, grant);
            }
        }
    }

    /// A grant was made: whether access is being taken back, or was meanwhile.
    pub(super) fn judge_withdrawals(&mut self, number: FlightNumber, grant: usize) {
        let Flight { began, .. } = self.flights[number];
        for at in 0..self.browsers.withdrawals.len() {
            let Withdrawal { user, client, done, .. } = self.browsers.withdrawals[at];
            if (user, client) != (self.grants[grant].user, self.grants[grant].client)
                || done.is_some_and(|done| done < began)
            {
                continue;
            }
            self.doom(grant, "access was being withdrawn");
            if done.is_some() {
                self.judge_withdrawal(at, grant);
            }
        }
    }

    fn judge_withdrawal(&mut self, at: usize, grant: usize) {
        let Withdrawal { user, client, began, .. } = self.browsers.withdrawals[at];
        if (user, client) != (self.grants[grant].user, self.grants[grant].client) {
            return;
        }
        let again =
            |one: &Agreement| (one.user, one.client) == (user, client) && one.ended.is_none_or(|end| end > began);
        let asked = client >= FIRST_PARTY && !self.browsers.agreements.iter().any(again);
        if self.grants[grant].made < began || asked {
            self.die(grant, "I14: access was withdrawn");
        }
    }

    /// Whether a request ran beside a withdrawal, or one of which nobody knows the end.
    pub(super) fn is_withdrawn_beside(&self, number: FlightNumber, user: usize, client: usize) -> bool {
        let began = self.flights[number].began;
        let beside =
            |one: &Withdrawal| (one.user, one.client) == (user, client) && one.done.is_none_or(|done| done > began);
        self.browsers.withdrawals.iter().any(beside)
    }

    /// A client got a code: somebody must have agreed.
    pub(super) fn agreed(&self, number: FlightNumber, user: usize, wanted: Wanted) -> Judged {
        if wanted.client < FIRST_PARTY {
            return Ok(());
        }
        let began = self.flights[number].began;
        let is_over = |one: &Agreement| {
            let ended = one.ended.unwrap_or(u64::MAX);
            self.browsers.withdrawals.iter().any(|back| {
                (back.user, back.client) == (user, wanted.client)
                    && back.began > ended
                    && back.done.is_some_and(|done| done < began)
            })
        };
        let given = self.browsers.agreements.iter();
        let given = given.filter(|one| (one.user, one.client) == (user, wanted.client) && !is_over(one));
        let given = given.fold(0, |given, one| given | one.scope);
        if wanted.scope & !given == 0 {
            return Ok(());
        }
        broken("I14", format!("a client got more than user{user} agreed to"))
    }

    /// Somebody was asked to agree, who need not be.
    pub(super) fn asked_again(&self, number: FlightNumber, user: usize, wanted: Wanted) -> Judged {
        if wanted.client < FIRST_PARTY {
            return broken("I26", "somebody was asked to let the operator's own client have something");
        }
        let began = self.flights[number].began;
        let is_over = |one: &Agreement| {
            self.browsers.withdrawals.iter().any(|back| {
                (back.user, back.client) == (user, wanted.client) && back.done.is_none_or(|done| done > one.began)
            })
        };
        let holds = |one: &Agreement| {
            (one.user, one.client) == (user, wanted.client)
                && wanted.scope & !one.scope == 0
                && one.surely
                && one.ended.is_some_and(|ended| ended < began)
                && !is_over(one)
        };
        if !self.flights[number].far_off && self.browsers.agreements.iter().any(holds) {
            return broken("I26", format!("user{user} was asked again"));
        }
        Ok(())
    }
}
