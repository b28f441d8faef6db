//! Requests that must not get anywhere, or not further than they ask for: each on a copy.

use super::flows::Wanted;
use super::model::Model;
use super::wire::Token;

/// The audiences of the grant, and the one that is asked for.
const BOTH: &str = "read write for https://api.example https://id.example";
const ONE: &str = "read write for https://id.example";

impl Model<'_> {
    /// Wrong verifier, wrong client, too much: refused, and nothing has changed.
    pub(super) fn strangers(&mut self) {
        let mut all = vec![("I2", Wanted::RedeemWrongly), ("I2", Wanted::RedeemAsStranger)];
        if let Some(refresh) = self.current() {
            all.push(("I10", Wanted::RefreshAsStranger(refresh)));
            all.push(("I10", Wanted::RefreshWider(refresh)));
            all.push(("I13", Wanted::RevokeAsStranger(refresh)));
        }
        for (invariant, wanted) in all {
            let (reply, next) = self.tell(wanted, self.start.later, self.content);
            let expected = if matches!(wanted, Wanted::RevokeAsStranger(_)) { 200 } else { 400 };
            if reply.status != expected {
                self.breaks(invariant, format!("{wanted:?} is answered {}", reply.status));
            }
            if next != self.content {
                self.breaks(invariant, format!("{wanted:?} has an effect"));
            }
        }
    }

    /// One access token is revoked: it is dead, and all else lives.
    pub(super) fn one_access_token(&mut self) {
        let all: Vec<Token> = self.known().into_iter().map(|(access, _)| access).collect();
        let all: Vec<Token> = all.into_iter().filter(|access| self.access_works(*access, self.content)).collect();
        for revoked in &all {
            let (reply, next) = self.tell(Wanted::Revoke(*revoked), self.start.later, self.content);
            if reply.status != 200 || self.access_works(*revoked, next) {
                self.breaks("I12", "an access token outlives its revocation");
            }
            if all.iter().any(|access| access != revoked && !self.access_works(*access, next)) {
                self.breaks("I9", "the revocation of one access token ends another");
            }
        }
    }

    /// A refresh, and its repeat for one audience alone: another access token, and no wider one.
    pub(super) fn one_audience(&mut self) {
        let Some(refresh) = self.current().filter(|_| !self.start.strict) else { return };
        let later = self.start.later;
        let (whole, next) = self.tell(Wanted::Refresh(refresh), later, self.content);
        let (one, next) = self.tell(Wanted::RefreshForOne(refresh), later, next);
        let (Some(whole), Some(one)) = (whole.access, one.access) else { return };
        let extents = [(whole, BOTH), (one, ONE)];
        for (access, expected) in extents {
            let extent = self.tell(Wanted::Access(access), later, next).0.scope;
            if extent != expected {
                self.breaks("I10", format!("an access token is for {extent:?}, not {expected:?}"));
            }
        }
    }

    /// The refresh token that was given out last, or that was current at the start and may be presented still.
    fn current(&self) -> Option<Token> {
        let given = self.given().last().copied();
        let begun = self.start.tokens.last().copied().filter(|_| !(self.start.strict && self.rotated()));
        given.or(begun).map(|(_, refresh)| refresh)
    }
}
