//! Codes: I1 to I4.

use super::facts::{AccessFact, Fact, Flight, Link};
use super::{FlightNumber, Judged, Model, broken};
use crate::answer::{Answer, Issued};
use crate::call::{Call, Set};
use crate::house::SKEW;

impl Model {
    pub(super) fn redeemed(&mut self, number: FlightNumber, issued: &Issued) -> Judged {
        let Flight { call, now, landed, .. } = self.flights[number];
        let Call::Redeem { code, wish, .. } = call else { return Ok(()) };
        let Some(at) = self.redeems(call) else {
            return broken("I2", format!("{code} was redeemed without all that belongs to it"));
        };
        let grant = &self.grants[at];
        if grant.redeemed.is_some() {
            return broken("I1", format!("{code} gave tokens twice"));
        }
        if now >= grant.code_expires_at {
            return broken("I4", format!("{code} was redeemed {} s after its end", now - grant.code_expires_at));
        }
        self.not_dead(at, number)?;
        if landed == 0 {
            return broken("I17", "tokens left before the write that holds them landed");
        }
        let Some((refresh, false)) = issued.refresh else {
            return broken("I6", "no refresh token, or one that was seen before");
        };
        if issued.access_seen {
            return broken("I1", format!("{} was seen before", issued.access));
        }
        let expires_at = (now + self.terms.refresh_lifetime).min(grant.ends_at);
        let link = Link { token: refresh, expires_at, retired: None, overdue: false, presented: 0 };
        let (tick, scope) = (self.tick, self.grants[at].scope);
        self.grants[at].redeemed = Some(tick);
        self.grants[at].chain.push(link);
        self.set_fact(refresh, Fact::Refresh { grant: at, at: 0 });
        let resources = wish.resources.unwrap_or(self.grants[at].resources);
        self.note_access(number, at, issued, scope, resources)
    }

    pub(super) fn not_redeemed(&mut self, number: FlightNumber, answer: &Answer) -> Judged {
        let flight = self.flights[number];
        let Some(at) = self.redeems(flight.call) else { return Ok(()) };
        let grant = &self.grants[at];
        let in_time = flight.now < grant.code_expires_at;
        if in_time && !grant.may_be_refused(flight.now) {
            return broken("I17", format!("a good code was refused: {answer}"));
        }
        // What was right in everything and came too late is a replay, and kills; an expired code that nobody has
        // redeemed is only that.
        if answer.error == "invalid_grant" && (in_time || grant.redeemed.is_some_and(|tick| tick < flight.began)) {
            self.die(at, "I3: its code was presented again");
        }
        Ok(())
    }

    /// Remembers an access token, or compares it with what is known of it.
    pub(super) fn note_access(
        &mut self,
        number: FlightNumber,
        grant: usize,
        issued: &Issued,
        scope: Set,
        resources: Set,
    ) -> Judged {
        let Flight { now, far_off, .. } = self.flights[number];
        let token = issued.access;
        if issued.scope != scope {
            return broken("I10", format!("{token} has scope {:#b} and not {scope:#b}", issued.scope));
        }
        let longest = self.terms.access_lifetime.min(self.grants[grant].ends_at.saturating_sub(now));
        // A repeat says what remains, by a clock that may be behind that of the rotation, and since it began.
        let far_off = far_off || self.grants[grant].far_off;
        if issued.expires_in > longest + SKEW + self.terms.deadline && !issued.access_seen && !far_off {
            return broken("I11", format!("{token} lives {} s, and may {longest}", issued.expires_in));
        }
        match self.fact(token).copied() {
            None => {
                let place = self.grants[grant].accesses;
                self.grants[grant].accesses += 1;
                // Where nothing remains, the true end may lie before.
                let expires_at = (issued.expires_in > 0).then_some(now + issued.expires_in);
                let access = AccessFact { grant, scope, resources, expires_at, revoked: None, doomed: false, place };
                self.set_fact(token, Fact::Access(access));
                Ok(())
            }
            Some(Fact::Access(known))
                if known.grant == grant && (known.scope, known.resources) == (scope, resources) =>
            {
                Ok(())
            }
            Some(_) => broken("I10", format!("{token} was answered for another request")),
        }
    }
}
