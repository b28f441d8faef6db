//! What a user lets a client do without being asked again, and how often that was taken back.
//!
//! | state | give | withdraw |
//! | --- | --- | --- |
//! | no record | given | withdrawn once, nothing given |
//! | given | given, with the further scope | withdrawn once more, nothing given |
//! | withdrawn | given | withdrawn once more |
//!
//! Whoever creates a grant compares the number of withdrawals before and after the write (invariant I14).

use std::time::Duration;

use minicbor::{Decode, Encode};
use serde_json::{Value, json};

use super::{Body, Kind, outlived};
use crate::UnixTime;
use crate::name::Names;
use crate::scope::Scope;
use crate::store::Owner;

/// How long consent is remembered; then people are asked again.
const REMEMBERED: Duration = Duration::from_secs(365 * 86_400);

/// One user's consent to one client.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Consent {
    #[n(0)]
    pub(crate) subject: String,
    #[n(1)]
    pub(crate) client_id: String,
    /// Empty: nothing is given.
    #[n(2)]
    pub(crate) scope: Scope,
    #[n(3)]
    pub(crate) given_at: u64,
    #[n(4)]
    pub(crate) withdrawals: u64,
    #[n(5)]
    pub(crate) changed_at: u64,
}

impl Consent {
    fn none(subject: &str, client_id: &str) -> Self {
        Self {
            subject: subject.to_owned(),
            client_id: client_id.to_owned(),
            scope: Scope::default(),
            given_at: 0,
            withdrawals: 0,
            changed_at: 0,
        }
    }

    /// Gives `scope` beside what was given already.
    pub(crate) fn give(current: Option<&Self>, subject: &str, client_id: &str, scope: &Scope, now: UnixTime) -> Self {
        let current = current.cloned().unwrap_or_else(|| Self::none(subject, client_id));
        let kept = if current.is_given(now) { current.scope.clone() } else { Scope::default() };
        Self { scope: kept.union(scope), given_at: now.seconds(), changed_at: now.seconds(), ..current }
    }

    /// Takes everything back.
    pub(crate) fn withdraw(current: Option<&Self>, subject: &str, client_id: &str, now: UnixTime) -> Self {
        let current = current.cloned().unwrap_or_else(|| Self::none(subject, client_id));
        let withdrawals = current.withdrawals.saturating_add(1);
        Self { scope: Scope::default(), withdrawals, changed_at: now.seconds(), ..current }
    }

    /// Whether all of `scope` may be had without asking.
    pub(crate) fn covers(&self, scope: &Scope, now: UnixTime) -> bool {
        self.is_given(now) && scope.is_subset_of(&self.scope)
    }

    /// Whether anything is given at `now`.
    pub(crate) fn is_given(&self, now: UnixTime) -> bool {
        !self.scope.is_empty() && UnixTime::from_seconds(self.given_at).after(REMEMBERED) > now
    }
}

impl Body for Consent {
    const KIND: Kind = Kind::Consent;

    fn expires_at(&self) -> UnixTime {
        if self.scope.is_empty() {
            return outlived(self.changed_at);
        }
        outlived(UnixTime::from_seconds(self.given_at).after(REMEMBERED).seconds())
    }

    fn owners(&self, names: &Names) -> Vec<Owner> {
        let tags = [names.all_tag(Kind::Consent), names.user_tag(&self.subject), names.client_tag(&self.client_id)];
        if self.scope.is_empty() { tags.into_iter().take(1).collect() } else { tags.into() }
    }

    fn shown(&self) -> Value {
        json!({
            "subject": self.subject,
            "client_id": self.client_id,
            "scope": self.scope.as_str(),
            "given_at": self.given_at,
            "withdrawals": self.withdrawals,
            "changed_at": self.changed_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(text: &str) -> Scope {
        Scope::parse(text).unwrap()
    }

    #[test]
    fn every_state_and_every_event() {
        let (now, later) = (UnixTime::from_seconds(100), UnixTime::from_seconds(200));
        let given = Consent::give(None, "s", "c", &scope("a"), now);
        assert!(given.covers(&scope("a"), later) && !given.covers(&scope("a b"), later));
        let more = Consent::give(Some(&given), "s", "c", &scope("b"), later);
        assert!(more.covers(&scope("a b"), later));
        let withdrawn = Consent::withdraw(Some(&more), "s", "c", later);
        assert!(!withdrawn.is_given(later));
        assert_eq!(withdrawn.withdrawals, 1);
        let again = Consent::give(Some(&withdrawn), "s", "c", &scope("b"), later);
        assert!(again.covers(&scope("b"), later) && !again.covers(&scope("a"), later));
        assert_eq!(again.withdrawals, 1);
        assert_eq!(Consent::withdraw(Some(&withdrawn), "s", "c", later).withdrawals, 2);
        assert_eq!(Consent::withdraw(None, "s", "c", now).withdrawals, 1);
    }

    #[test]
    fn its_row_is_found_by_both_while_something_is_given_and_lasts_as_long() {
        let names = Names::new("");
        let all = names.all_tag(Kind::Consent);
        let given = Consent::give(None, "s", "c", &scope("a"), UnixTime::from_seconds(100));
        assert_eq!(given.owners(&names), [all.clone(), names.user_tag("s"), names.client_tag("c")]);
        assert_eq!(given.expires_at(), outlived(100 + 365 * 86_400));
        let withdrawn = Consent::withdraw(Some(&given), "s", "c", UnixTime::from_seconds(90_000));
        assert_eq!(withdrawn.owners(&names), [all]);
        assert_eq!(withdrawn.expires_at(), outlived(90_000));
        let shown = json!({
            "subject": "s", "client_id": "c", "scope": "a", "given_at": 100, "withdrawals": 0, "changed_at": 100,
        });
        assert_eq!(given.shown(), shown);
        assert_eq!((&*withdrawn.subject, &*withdrawn.client_id), ("s", "c"));
        let again = Consent::give(Some(&withdrawn), "s", "c", &scope("a"), UnixTime::from_seconds(90_001));
        assert_eq!((again.given_at, again.changed_at), (90_001, 90_001));
    }

    #[test]
    fn after_a_year_people_are_asked_again_and_about_all_of_it() {
        let given = Consent::give(None, "s", "c", &scope("a"), UnixTime::from_seconds(0));
        let (before, after) = (REMEMBERED - Duration::from_secs(1), REMEMBERED);
        assert!(given.covers(&scope("a"), UnixTime::from_seconds(0).after(before)));
        let over = UnixTime::from_seconds(0).after(after);
        assert!(!given.covers(&scope("a"), over));
        assert!(!Consent::give(Some(&given), "s", "c", &scope("b"), over).covers(&scope("a"), over));
    }
}
