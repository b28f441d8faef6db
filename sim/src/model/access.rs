//! Access tokens at APIs, `/userinfo` and introspection: I10 to I12.

use super::facts::{AccessFact, Fact, Flight};
use super::{FlightNumber, Judged, Model, broken};
use crate::answer::Shown;
use crate::call::Call;
use crate::wallet::Paper;

/// The most access tokens of one grant.
const MOST: usize = 32;

impl Model {
    /// Somebody was told that a token is good.
    pub(super) fn accepted(&self, number: FlightNumber, shown: &Shown) -> Judged {
        let Flight { call, now, began, .. } = self.flights[number];
        let Some(token) = shown_token(call) else { return Ok(()) };
        let Some(fact) = self.fact(token).copied() else {
            return broken("I2", format!("{token} is not one of ours, and was taken for one"));
        };
        let at = fact.grant();
        let grant = &self.grants[at];
        self.not_dead(at, number)?;
        if let Call::Introspect { by, .. } = call
            && (!by.proven || by.client != grant.client)
        {
            return broken("I13", format!("{token} was described to another client"));
        }
        if now >= grant.ends_at {
            return broken("I11", format!("{token} is good after the end of its grant"));
        }
        let (scope, resources) = match fact {
            Fact::Code { .. } => return broken("I2", format!("{token} was taken for a token")),
            Fact::Refresh { at: place, .. } => {
                let link = &grant.chain[place];
                if !matches!(call, Call::Introspect { .. }) {
                    return broken("I2", format!("{token} was taken for an access token"));
                }
                if self.terms.rotates(grant.client) && link.retired.is_some_and(|retired| retired.tick < began) {
                    return broken("I7", format!("{token} is called good after it was used"));
                }
                if now >= link.expires_at && !grant.far_off {
                    return broken("I11", format!("{token} is called good after its end"));
                }
                (grant.scope, grant.resources)
            }
            Fact::Access(access) => {
                if access.revoked.is_some_and(|tick| tick < began) {
                    return broken("I12", format!("{token} is good after it was revoked"));
                }
                if access.expires_at.is_some_and(|end| now >= end) {
                    return broken("I11", format!("{token} is good after its end"));
                }
                if !meant_for(call, &access) {
                    return broken("I10", format!("{token} was taken where it is not meant for"));
                }
                (access.scope, access.resources)
            }
        };
        let same = shown.scope == scope
            && shown.user.is_none_or(|user| user == grant.user)
            && shown.client.is_none_or(|client| client == grant.client)
            && shown.resources.is_none_or(|shown| shown == resources);
        if same { Ok(()) } else { broken("I10", format!("{token} is described as {shown:?}")) }
    }

    /// Somebody was told that a token is not good.
    pub(super) fn rejected(&self, number: FlightNumber) -> Judged {
        let Flight { call, now, .. } = self.flights[number];
        let Some(token) = shown_token(call) else { return Ok(()) };
        let Some(fact) = self.fact(token).copied() else { return Ok(()) };
        let grant = &self.grants[fact.grant()];
        if let Call::Introspect { by, .. } = call
            && by.client != grant.client
        {
            return Ok(());
        }
        if grant.may_be_refused(now) {
            return Ok(());
        }
        let caused = match fact {
            Fact::Code { .. } => true,
            Fact::Refresh { at, .. } => {
                let link = &grant.chain[at];
                !matches!(call, Call::Introspect { .. }) || link.retired.is_some() || now >= link.expires_at
            }
            Fact::Access(access) => {
                // Whoever rotates drops what has expired by its own clock.
                let latest = grant.rotations.iter().copied().max().unwrap_or(0).max(now);
                access.doomed
                    || !meant_for(call, &access)
                    || access.expires_at.is_none_or(|end| latest >= end)
                    || grant.accesses - access.place > MOST
                    || (matches!(call, Call::Userinfo { .. }) && self.dismissed[grant.user].is_some())
            }
        };
        if caused { Ok(()) } else { broken("I9", format!("a good {token} was refused")) }
    }
}

const fn shown_token(call: Call) -> Option<Paper> {
    match call {
        Call::Check { token, .. } | Call::Introspect { token, .. } | Call::Userinfo { token } => Some(token),
        _ => None,
    }
}

/// A token without resources is for the issuer itself, one with resources for those alone.
fn meant_for(call: Call, access: &AccessFact) -> bool {
    match call {
        Call::Check { resource: Some(at), .. } => access.resources >> at & 1 == 1,
        Call::Check { resource: None, .. } | Call::Userinfo { .. } => access.resources == 0,
        _ => true,
    }
}
