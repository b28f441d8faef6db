//! A browser's sign-in.
//!
//! | state | use | end |
//! | --- | --- | --- |
//! | active, within both lifetimes | used again: idle anew | ended |
//! | active, idle or too old | nothing | ended |
//! | ended | nothing | nothing to do |
//!
//! One that has ended keeps the tag of the grants that end with it. A repetition finds those that a failure left over;
//! and a browser that never heard of the sign-in that took its place goes on with them, or ends them.
//!
//! It holds while the user's epoch is the one it was made under, so that signing a user out ends it at once.

use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};
use serde_json::{Value, json};

use super::{Body, Kind, outlived};
use crate::UnixTime;
use crate::name::Names;
use crate::secret::SecretDigest;
use crate::store::{Owner, Version};

/// A sign-in that holds.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub(crate) struct Active {
    #[n(0)]
    pub(crate) secret: ByteArray<32>,
    #[n(1)]
    pub(crate) subject: String,
    #[n(2)]
    pub(crate) username: Option<String>,
    /// The version of the user's owner record when the password was looked at.
    #[n(3)]
    pub(crate) epoch: Option<String>,
    /// The tag of the grants that were made in this browser's sign-in; kept when the same user signs in again.
    #[n(4)]
    pub(crate) sid: ByteArray<16>,
    #[n(5)]
    pub(crate) amr: Vec<String>,
    #[n(6)]
    pub(crate) signed_in_at: u64,
    #[n(7)]
    pub(crate) used_at: u64,
    #[n(8)]
    pub(crate) idle_until: u64,
    #[n(9)]
    pub(crate) ends_at: u64,
    /// The travelling request that it was made for.
    #[n(10)]
    pub(crate) occasion: ByteArray<8>,
}

/// A sign-in with the state it is in.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub(crate) enum Session {
    #[n(0)]
    Active(#[n(0)] Active),
    /// A tombstone, so that a slow writer cannot bring it back.
    #[n(1)]
    Ended(#[n(0)] Ended),
}

/// How a sign-in ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Another one goes on with its grants.
    Replaced,
    /// Its grants end with it.
    SignedOut,
}

/// A sign-in that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Ended {
    #[n(0)]
    pub(crate) at: u64,
    /// The grants that ended with it.
    #[n(1)]
    pub(crate) signed_out: Option<Grants>,
    /// The grants that another sign-in goes on with.
    #[n(2)]
    pub(crate) replaced: Option<Grants>,
}

/// Whose grants end with a sign-in, and their tag.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Grants {
    #[n(0)]
    pub(crate) subject: String,
    #[n(1)]
    pub(crate) sid: ByteArray<16>,
}

/// Whether somebody who signed in under the epoch `then` is signed in still. Where there is no epoch any more, none was
/// raised for longer than a sign-in lasts.
pub(crate) fn is_of_epoch(then: Option<&str>, current: Option<&Version>) -> bool {
    current.is_none_or(|current| then == Some(current.as_str()))
}

impl Session {
    /// The sign-in, if it holds at `now` for whoever has the secret.
    pub(crate) fn active(&self, secret: &SecretDigest, now: UnixTime) -> Option<&Active> {
        let Self::Active(active) = self else { return None };
        let known = SecretDigest::from_bytes(*active.secret).matches(secret);
        (known && active.holds(now)).then_some(active)
    }

    /// The sign-in that holds at `now`, for listings.
    pub(crate) fn listed(&self, now: UnixTime) -> Option<&Active> {
        match self {
            Self::Active(active) => Some(active).filter(|active| active.holds(now)),
            Self::Ended(_) => None,
        }
    }

    /// Ends it; nothing if that has been done.
    pub(crate) fn end(&self, now: UnixTime, end: End) -> Option<Self> {
        let Self::Active(active) = self else { return None };
        let grants = Grants { subject: active.subject.clone(), sid: active.sid };
        let (signed_out, replaced) = match end {
            End::Replaced => (None, Some(grants)),
            End::SignedOut => (Some(grants), None),
        };
        Some(Self::Ended(Ended { at: now.seconds(), signed_out, replaced }))
    }

    /// Whose grants end with it, and their tag: of a sign-in that holds, or one that was ended.
    pub(crate) fn grants(&self, now: UnixTime) -> Option<(&str, [u8; 16])> {
        match self {
            Self::Active(active) => Some(active).filter(|one| one.holds(now)).map(|one| (&*one.subject, *one.sid)),
            Self::Ended(ended) => {
                ended.signed_out.as_ref().or(ended.replaced.as_ref()).map(|one| (&*one.subject, *one.sid))
            }
        }
    }

    /// The tag of the grants of this user that another sign-in goes on with.
    pub(crate) fn replaced(&self, subject: &str) -> Option<[u8; 16]> {
        let Self::Ended(Ended { replaced: Some(grants), .. }) = self else { return None };
        (grants.subject == subject).then_some(*grants.sid)
    }
}

impl Active {
    const fn holds(&self, now: UnixTime) -> bool {
        self.idle_until > now.seconds() && self.ends_at > now.seconds()
    }

    /// Whether it was made under this epoch of its user.
    pub(crate) fn is_of_epoch(&self, current: Option<&Version>) -> bool {
        is_of_epoch(self.epoch.as_deref(), current)
    }

    /// The same sign-in, used at `now`; nothing if its last use is so recent that a write would tell little.
    pub(crate) fn used(&self, now: UnixTime, idle: std::time::Duration) -> Option<Self> {
        let quiet = idle.as_secs().checked_div(10).unwrap_or_default().min(60);
        let worthwhile = now.seconds() >= self.used_at.saturating_add(quiet);
        worthwhile.then(|| Self { used_at: now.seconds(), idle_until: now.after(idle).seconds(), ..self.clone() })
    }
}

impl Body for Session {
    const KIND: Kind = Kind::Session;

    fn expires_at(&self) -> UnixTime {
        match self {
            Self::Active(active) => outlived(active.idle_until.min(active.ends_at)),
            Self::Ended(ended) => outlived(ended.at),
        }
    }

    fn owners(&self, names: &Names) -> Vec<Owner> {
        match self {
            Self::Active(active) => vec![names.all_tag(Kind::Session), names.user_tag(&active.subject)],
            Self::Ended(_) => vec![names.all_tag(Kind::Session)],
        }
    }

    fn shown(&self) -> Value {
        match self {
            Self::Active(active) => json!({
                "state": "active",
                "subject": active.subject,
                "username": active.username,
                "amr": active.amr,
                "signed_in_at": active.signed_in_at,
                "used_at": active.used_at,
                "ends_at": active.ends_at,
            }),
            Self::Ended(ended) => json!({ "state": "ended", "at": ended.at }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const IDLE: Duration = Duration::from_secs(600);

    fn at(seconds: u64) -> UnixTime {
        UnixTime::from_seconds(seconds)
    }

    fn active() -> Active {
        Active {
            secret: ByteArray::from(*SecretDigest::of(b"secret").as_bytes()),
            subject: "s".into(),
            username: None,
            epoch: None,
            sid: [1; 16].into(),
            amr: Vec::new(),
            signed_in_at: 1000,
            used_at: 1000,
            idle_until: 1600,
            ends_at: 5000,
            occasion: [0; 8].into(),
        }
    }

    #[test]
    fn every_state_and_every_event() {
        let (right, wrong) = (SecretDigest::of(b"secret"), SecretDigest::of(b"other"));
        let session = Session::Active(active());
        assert!(session.active(&right, at(1599)).is_some());
        assert!(session.active(&wrong, at(1599)).is_none());
        assert!(session.active(&right, at(1600)).is_none(), "idle");
        let busy = Session::Active(Active { idle_until: 9000, ..active() });
        assert!(busy.active(&right, at(4999)).is_some());
        assert!(busy.active(&right, at(5000)).is_none(), "too old");
        for end in [End::SignedOut, End::Replaced] {
            let ended = session.end(at(1100), end).unwrap();
            assert_eq!(ended.shown(), json!({ "state": "ended", "at": 1100 }));
            assert!(ended.active(&right, at(1100)).is_none() && ended.listed(at(1100)).is_none());
            assert_eq!(ended.end(at(1200), End::SignedOut), None);
            assert_eq!(ended.grants(at(1200)), Some(("s", [1; 16])));
            assert_eq!(ended.replaced("s"), (end == End::Replaced).then_some([1; 16]));
            assert_eq!(ended.replaced("another"), None);
        }
        assert_eq!(session.grants(at(1599)), Some(("s", [1; 16])));
        assert_eq!(session.grants(at(1600)), None, "what ran out by the clock ends no grant");
    }

    #[test]
    fn a_use_is_written_down_once_a_minute() {
        assert_eq!(active().used(at(1059), IDLE), None);
        let used = active().used(at(1060), IDLE).unwrap();
        assert_eq!((used.used_at, used.idle_until, used.ends_at), (1060, 1660, 5000));
        let short = Duration::from_secs(100);
        assert_eq!(active().used(at(1009), short), None, "or at a tenth of a short lifetime");
        assert!(active().used(at(1010), short).is_some());
    }

    #[test]
    fn its_row_is_listed_under_its_user_while_it_is_active_and_outlives_both_ends() {
        let names = Names::new("");
        let session = Session::Active(active());
        assert!(session.listed(at(1599)).is_some() && session.listed(at(1600)).is_none());
        assert_eq!(session.owners(&names), [names.all_tag(Kind::Session), names.user_tag("s")]);
        assert_eq!(session.expires_at(), outlived(1600));
        let old = Session::Active(Active { idle_until: 90_000, ..active() });
        assert_eq!(old.expires_at(), outlived(5000));
        let ended = session.end(at(80_000), End::SignedOut).unwrap();
        assert_eq!(ended.owners(&names), [names.all_tag(Kind::Session)]);
        assert_eq!(ended.expires_at(), outlived(80_000));
    }

    #[test]
    fn a_raised_epoch_ends_it_and_a_forgotten_one_does_not() {
        let (one, two) = (Version::parse("AAAAAAAAAAA").unwrap(), Version::parse("BAAAAAAAAAA").unwrap());
        assert!(active().is_of_epoch(None));
        assert!(!active().is_of_epoch(Some(&one)));
        let under_one = Active { epoch: Some("AAAAAAAAAAA".into()), ..active() };
        assert!(under_one.is_of_epoch(Some(&one)));
        assert!(!under_one.is_of_epoch(Some(&two)));
        assert!(under_one.is_of_epoch(None));
    }
}
