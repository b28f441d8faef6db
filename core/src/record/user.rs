//! Users of the built-in store.
//!
//! | state | change | disable | enable | delete |
//! | --- | --- | --- | --- | --- |
//! | no record | refused | refused | refused | refused |
//! | active | changed | disabled | unchanged | gone |
//! | disabled | changed | unchanged | active | gone |
//! | gone | refused | refused | refused | refused |
//!
//! Creating is possible where there is no record or a gone one; the new user gets a new subject.

use minicbor::{Decode, Encode};
use serde_json::{Map, Value, json};

use super::{Body, Kind, outlived};
use crate::UnixTime;
use crate::name::Names;
use crate::store::Owner;
use crate::user::{User, UserAnswer};

/// Whether a user may sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) enum UserState {
    #[n(0)]
    Active,
    #[n(1)]
    Disabled,
}

/// A user of the built-in store.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub(crate) struct Account {
    /// Random, never given to anybody else.
    #[n(0)]
    pub(crate) subject: String,
    /// As it was entered; the record's key is made of its lower-case form.
    #[n(1)]
    pub(crate) username: String,
    #[n(2)]
    pub(crate) password_hash: String,
    /// A JSON object.
    #[n(3)]
    pub(crate) claims: String,
    #[n(4)]
    pub(crate) state: UserState,
    #[n(5)]
    pub(crate) created_at: u64,
}

/// A record under a user's name.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub(crate) enum UserRecord {
    #[n(0)]
    Present(#[n(0)] Account),
    /// A tombstone, so that a slow writer cannot bring the user back.
    #[n(1)]
    Gone(#[n(0)] u64),
}

impl UserRecord {
    /// The account, if there is one.
    pub(crate) const fn account(&self) -> Option<&Account> {
        match self {
            Self::Present(account) => Some(account),
            Self::Gone(_) => None,
        }
    }

    /// The record after `change`; nothing if there is no account to change, or nothing to change in it.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Account)) -> Option<Self> {
        let mut account = self.account()?.clone();
        change(&mut account);
        let next = Self::Present(account);
        (next != *self).then_some(next)
    }

    /// The tombstone of the account; nothing if there is none.
    pub(crate) fn delete(&self, now: UnixTime) -> Option<Self> {
        self.account().map(|_| Self::Gone(now.seconds()))
    }

    /// What a flow is told about the user.
    pub(crate) fn answer(&self) -> UserAnswer {
        match self {
            Self::Present(account) if account.state == UserState::Active => UserAnswer::Found(account.to_user()),
            Self::Present(_) | Self::Gone(_) => UserAnswer::Dismissed,
        }
    }
}

impl Account {
    pub(crate) fn to_user(&self) -> User {
        let claims = serde_json::from_str::<Map<String, Value>>(&self.claims).unwrap_or_default();
        User {
            subject: self.subject.clone(),
            username: Some(self.username.clone()),
            password_hash: Some(self.password_hash.clone()),
            claims,
        }
    }
}

impl Body for UserRecord {
    const KIND: Kind = Kind::User;

    fn expires_at(&self) -> UnixTime {
        match self {
            Self::Present(_) => UnixTime::NEVER,
            Self::Gone(at) => outlived(*at),
        }
    }

    fn owners(&self, names: &Names) -> Vec<Owner> {
        match self {
            Self::Present(account) => vec![names.all_tag(Kind::User), names.user_tag(&account.subject)],
            // Listed still, so that a tombstone can be sealed again before its key is retired.
            Self::Gone(_) => vec![names.all_tag(Kind::User)],
        }
    }

    fn shown(&self) -> Value {
        match self {
            Self::Present(account) => json!({
                "state": match account.state { UserState::Active => "active", UserState::Disabled => "disabled" },
                "subject": account.subject,
                "username": account.username,
                "claims": account.to_user().claims,
                "created_at": account.created_at,
            }),
            Self::Gone(at) => json!({ "state": "gone", "at": at }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(state: UserState) -> UserRecord {
        UserRecord::Present(Account {
            subject: "s".into(),
            username: "ada".into(),
            password_hash: "h".into(),
            claims: "{}".into(),
            state,
            created_at: 1,
        })
    }

    #[test]
    fn every_state_and_every_event() {
        let (active, disabled, gone) = (account(UserState::Active), account(UserState::Disabled), UserRecord::Gone(5));
        let now = UnixTime::from_seconds(9);
        let set = |record: &UserRecord, state| record.change(|account| account.state = state);
        assert_eq!(set(&active, UserState::Disabled), Some(disabled.clone()));
        assert_eq!(set(&active, UserState::Active), None);
        assert_eq!(active.delete(now), Some(UserRecord::Gone(9)));
        assert_eq!(set(&disabled, UserState::Active), Some(active.clone()));
        assert_eq!(set(&disabled, UserState::Disabled), None);
        assert_eq!(disabled.delete(now), Some(UserRecord::Gone(9)));
        assert_eq!(set(&gone, UserState::Active), None);
        assert_eq!(gone.delete(now), None);
        for record in [&active, &disabled] {
            assert!(record.change(|account| account.password_hash = "other".into()).is_some());
        }
        assert!(gone.change(|account| account.password_hash = "other".into()).is_none());
        assert!(matches!(active.answer(), UserAnswer::Found(user) if user.subject() == "s"));
        assert!(matches!(disabled.answer(), UserAnswer::Dismissed));
        assert!(matches!(gone.answer(), UserAnswer::Dismissed));
    }

    #[test]
    fn its_row_is_found_by_its_subject_until_it_is_gone() {
        let (names, present, gone) = (Names::new(""), account(UserState::Active), UserRecord::Gone(5));
        assert_eq!(present.owners(&names), [names.all_tag(Kind::User), names.user_tag("s")]);
        assert_eq!(gone.owners(&names), [names.all_tag(Kind::User)]);
        assert_eq!((present.expires_at(), gone.expires_at()), (UnixTime::NEVER, outlived(5)));
        assert_eq!(present.shown()["state"], "active");
        assert_eq!(account(UserState::Disabled).shown()["state"], "disabled");
        assert_eq!(gone.shown(), json!({ "state": "gone", "at": 5 }));
    }
}
