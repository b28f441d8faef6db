//! Refresh tokens: I6 to I11.

use super::facts::{Fact, Flight, Link};
use super::{FlightNumber, Judged, Model, broken};
use crate::answer::{Answer, Issued};
use crate::call::Call;
use crate::house::SKEW;

impl Model {
    pub(super) fn refreshed(&mut self, number: FlightNumber, issued: &Issued) -> Judged {
        let Flight { call, now, began, .. } = self.flights[number];
        let Call::Refresh { by, token, wish } = call else { return Ok(()) };
        let Some(&Fact::Refresh { grant: at, at: place }) = self.fact(token) else {
            return broken("I2", format!("{token} is no refresh token, and was taken for one"));
        };
        let grant = &self.grants[at];
        if !by.proven || by.client != grant.client {
            return broken("I10", format!("{token} was taken from another client"));
        }
        self.not_dead(at, number)?;
        let link = grant.chain[place];
        if now >= grant.ends_at {
            return broken("I11", format!("grant {at} was refreshed after its end"));
        }
        if link.overdue && !grant.far_off {
            return broken("I11", format!("{token} was refreshed after its end"));
        }
        if self.terms.checks_user && self.dismissed[grant.user].is_some_and(|tick| tick < began) {
            return broken("I14", format!("grant {at} was refreshed, and its user is dismissed"));
        }
        if let Some(scope) = wish.scope
            && scope & !grant.scope != 0
        {
            return broken("I10", "the scope grew");
        }
        if let Some(resources) = wish.resources
            && resources & !grant.resources != 0
        {
            return broken("I10", "the audience grew");
        }
        let (scope, resources) = (wish.scope.unwrap_or(grant.scope), wish.resources.unwrap_or(grant.resources));
        if self.terms.rotates(by.client) {
            self.succeeded(number, at, place, issued)?;
        } else if issued.refresh.is_some_and(|(refresh, _)| refresh != token) {
            return broken("I6", format!("{token} does not rotate, and has a successor"));
        }
        self.note_access(number, at, issued, scope, resources)
    }

    /// The successor in an answer is the only one, and nobody was told of it who should not be.
    fn succeeded(&mut self, number: FlightNumber, at: usize, place: usize, issued: &Issued) -> Judged {
        let Flight { now, began, .. } = self.flights[number];
        let grant = &self.grants[at];
        let Link { token, retired, .. } = grant.chain[place];
        let Some((refresh, seen)) = issued.refresh else {
            return broken("I6", format!("{token} was rotated, and has no successor"));
        };
        let Some(retired) = retired else {
            return broken("I17", "tokens left before the write that holds them landed");
        };
        let age = now.saturating_sub(retired.at);
        if retired.tick < began && age > self.terms.leeway {
            return broken("I8", format!("{token} was answered {age} s after it was retired"));
        }
        match grant.chain.get(place + 1) {
            Some(next) if next.token != refresh => {
                broken("I6", format!("{token} has two successors, {} and {refresh}", next.token))
            }
            Some(next) if next.retired.is_some_and(|retired| retired.tick < began) => {
                broken("I7", format!("{token} was answered after its successor was used"))
            }
            Some(_) => Ok(()),
            None if seen => broken("I6", format!("{refresh} is the successor of two")),
            None => {
                let expires_at = (retired.at + self.terms.refresh_lifetime).min(grant.ends_at);
                self.grants[at].chain.push(Link {
                    token: refresh,
                    expires_at,
                    retired: None,
                    overdue: false,
                    presented: 0,
                });
                self.set_fact(refresh, Fact::Refresh { grant: at, at: place + 1 });
                Ok(())
            }
        }
    }

    pub(super) fn not_refreshed(&mut self, number: FlightNumber, answer: &Answer) -> Judged {
        let Flight { call, now, .. } = self.flights[number];
        let Call::Refresh { by, token, wish } = call else { return Ok(()) };
        let Some(&Fact::Refresh { grant: at, at: place }) = self.fact(token) else { return Ok(()) };
        let grant = &self.grants[at];
        if !by.proven || by.client != grant.client {
            return Ok(());
        }
        let Link { expires_at, retired, .. } = grant.chain[place];
        let grows = wish.scope.is_some_and(|scope| scope & !grant.scope != 0)
            || wish.resources.is_some_and(|resources| resources & !grant.resources != 0);
        let caused = grant.may_be_refused(now) || now >= expires_at || (grows && answer.error != "invalid_grant");
        let Some(retired) = retired else {
            return if caused { Ok(()) } else { broken("I9", format!("a good {token} was refused: {answer}")) };
        };
        if answer.error != "invalid_grant" || grant.far_off {
            return Ok(());
        }
        let age = now.saturating_sub(retired.at);
        // What this very request retired is no old token to it.
        let its_own = retired.by == number;
        if !its_own && (self.terms.leeway == 0 || age > self.terms.leeway + SKEW) {
            self.die(at, "I8: an old refresh token was presented");
            return Ok(());
        }
        let last = grant.chain.get(place + 1).is_none_or(|next| next.retired.is_none() && next.presented == 0);
        // A repeat is refused where its access token was revoked.
        let repeats = self.terms.leeway > 0;
        if (its_own || age <= self.terms.leeway) && last && !caused && !(repeats && grant.access_revoked) {
            return broken("I9", format!("{token} was refused {age} s after it was retired"));
        }
        Ok(())
    }

    /// Whether whoever holds this refresh token, and got it in the last answer, must get through at `now`.
    pub(crate) fn must_refresh(&self, token: crate::wallet::Paper, now: u64) -> bool {
        let Some(&Fact::Refresh { grant: at, at: place }) = self.fact(token) else { return false };
        let grant = &self.grants[at];
        let link = &grant.chain[place];
        let fresh = link.retired.is_none() || !self.terms.rotates(grant.client);
        fresh && !grant.may_be_refused(now) && now < link.expires_at
    }
}
