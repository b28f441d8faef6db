//! What a request may come to from the moment at which it is sent, and what its writes do.

use super::facts::{Fact, Flight, Retired, SignOut, Whom};
use super::{FlightNumber, Model};
use crate::call::Call;
use crate::house::SKEW;

impl Model {
    /// A request reaches a process whose clock shows `now`.
    pub(crate) fn begin(&mut self, call: Call, now: u64, far_off: bool) -> FlightNumber {
        self.tick += 1;
        self.flights.push(Flight {
            call,
            now,
            far_off,
            began: self.tick,
            user_found: None,
            hurt: false,
            lost: 0,
            landed: 0,
            granted: false,
        });
        let number = self.flights.len() - 1;
        match call {
            Call::Authorize { password, .. } => self.guessed |= !password,
            Call::Redeem { .. } => {
                if let Some(grant) = self.redeems(call) {
                    self.grants[grant].redeems += 1;
                    if self.grants[grant].redeems > 1 {
                        self.doom(grant, "its code was presented twice");
                    }
                }
            }
            Call::Refresh { by, token, .. } => {
                if let Some(&Fact::Refresh { grant, at }) = self.fact(token)
                    && by.proven
                    && by.client == self.grants[grant].client
                {
                    self.grants[grant].chain[at].presented += 1;
                    if self.terms.leeway == 0 && self.grants[grant].chain[at].presented > 1 {
                        self.doom(grant, "a refresh token was presented twice");
                    }
                    self.doom_if_old(grant, at, now);
                }
            }
            Call::Revoke { by, token } if by.proven => match self.fact(token).copied() {
                Some(Fact::Refresh { grant, .. }) if self.grants[grant].client == by.client => {
                    self.doom(grant, "it is being revoked");
                }
                Some(Fact::Access(mut access)) if self.grants[access.grant].client == by.client => {
                    access.doomed = true;
                    self.grants[access.grant].access_revoked = true;
                    self.set_fact(token, Fact::Access(access));
                }
                _ => {}
            },
            Call::RevokeGrant { of } => {
                if let Some(grant) = self.grant_of(of) {
                    self.doom(grant, "it is being revoked");
                }
            }
            Call::Browse(visit) => self.begin_visit(number, visit),
            Call::SignOutClient { client } => self.begin_sign_out(number, Whom::Client(client)),
            Call::SignOutUser { user } => self.begin_sign_out(number, Whom::User(user)),
            Call::Check { .. } | Call::Introspect { .. } | Call::Revoke { .. } | Call::Userinfo { .. } => {}
        }
        number
    }

    pub(super) fn begin_sign_out(&mut self, flight: FlightNumber, whom: Whom) {
        self.sign_outs.push(SignOut { flight, whom, began: self.tick, done: None });
        self.doom_where("its owner is being signed out", |grant| whom.is_of(grant.client, grant.user));
        if let Whom::User(user) = whom {
            self.doom_sign_ins(user);
        }
    }

    /// An old refresh token kills (design section 4).
    fn doom_if_old(&mut self, grant: usize, at: usize, now: u64) {
        let Some(retired) = self.grants[grant].chain[at].retired else { return };
        if self.terms.leeway == 0 || now.saturating_sub(retired.at) >= self.terms.leeway + SKEW {
            self.doom(grant, "an old refresh token was presented");
        }
    }

    /// The grant whose code a request redeems, if all that belongs to the code is right.
    pub(super) fn redeems(&self, call: Call) -> Option<usize> {
        let Call::Redeem { by, code, pair, redirect, wish } = call else { return None };
        let Some(Fact::Code { grant: number }) = self.fact(code) else { return None };
        let grant = &self.grants[*number];
        let within = wish.resources.is_none_or(|wish| wish & !grant.resources == 0);
        let right =
            by.proven && by.client == grant.client && pair == grant.pair && redirect == Some(grant.client) && within;
        right.then_some(*number)
    }

    /// A write of a grant's record landed: that of a request under way, or a late one.
    pub(crate) fn landed(&mut self, flight: FlightNumber) {
        self.tick += 1;
        self.flights[flight].landed += 1;
        let Flight { call, now, far_off, .. } = self.flights[flight];
        self.grant_written(flight);
        let grant = match call {
            Call::Redeem { code, .. } => self.grant_of(code),
            Call::Refresh { token, .. } | Call::Revoke { token, .. } => self.grant_of(token),
            Call::RevokeGrant { of } => self.grant_of(of),
            _ => None,
        };
        let Some(grant) = grant else { return };
        self.grants[grant].far_off |= far_off;
        let Call::Refresh { token, .. } = call else { return };
        let Some(&Fact::Refresh { at, .. }) = self.fact(token) else { return };
        self.grants[grant].rotations.push(now);
        if let Some(retired) = self.grants[grant].chain[at].retired {
            if retired.by != flight {
                self.doom_if_old(grant, at, now);
            }
            return;
        }
        let (rotates, ends_at) = (self.terms.rotates(self.grants[grant].client), self.grants[grant].ends_at);
        let link = &mut self.grants[grant].chain[at];
        link.overdue |= now >= link.expires_at;
        if rotates {
            link.retired = Some(Retired { at: now, tick: self.tick, by: flight });
        } else {
            link.expires_at = (now + self.terms.refresh_lifetime).min(ends_at);
        }
    }
}
