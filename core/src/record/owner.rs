//! The epoch of an owner: a user or a client whose grants were all revoked, at least once, lately; or a name whose
//! failed attempts at a password were all forgotten.
//!
//! | state | raise |
//! | --- | --- |
//! | no record | raised once |
//! | raised n times | raised n + 1 times |
//!
//! Whoever creates a grant compares the record's version before authentication and after the write (invariant I14);
//! the row may go once no flow can be under way that read it, and no browser is signed in that an earlier epoch let in.

use minicbor::{Decode, Encode};
use serde_json::{Value, json};

use super::{Body, Kind, outlived};
use crate::UnixTime;
use crate::name::Names;
use crate::store::Owner;

/// How often, and when last, everything of an owner was ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub(crate) struct OwnerRecord {
    #[n(0)]
    raised: u64,
    #[n(1)]
    at: u64,
    /// Until when browsers may be signed in under an earlier epoch: the row lasts as long.
    #[n(2)]
    matters_until: Option<u64>,
}

impl OwnerRecord {
    /// The next epoch of an owner that has this one, or none; what was made under an earlier one is over by `until`.
    pub(crate) fn raise(current: Option<&Self>, now: UnixTime, until: UnixTime) -> Self {
        let raised = current.map_or(0, |record| record.raised).saturating_add(1);
        Self { raised, at: now.seconds(), matters_until: Some(until.seconds()) }
    }

    /// Whether everything was ended after that moment, in seconds since 1970.
    pub(crate) const fn ended_after(&self, moment: u64) -> bool {
        self.at > moment
    }
}

impl Body for OwnerRecord {
    const KIND: Kind = Kind::Owner;

    fn expires_at(&self) -> UnixTime {
        outlived(self.matters_until.unwrap_or(self.at))
    }

    fn owners(&self, _: &Names) -> Vec<Owner> {
        Vec::new()
    }

    fn shown(&self) -> Value {
        json!({ "raised": self.raised, "at": self.at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_raise_is_a_new_epoch() {
        let (first, later) = (UnixTime::from_seconds(100), UnixTime::from_seconds(101));
        let until = UnixTime::from_seconds(900);
        let record = |raised, at, matters_until| OwnerRecord { raised, at, matters_until };
        let table = [
            (None, record(1, 100, Some(900))),
            (Some(record(1, 90, None)), record(2, 100, Some(900))),
            (Some(record(u64::MAX, 90, None)), record(u64::MAX, 100, Some(900))),
        ];
        for (current, next) in table {
            assert_eq!(OwnerRecord::raise(current.as_ref(), first, until), next);
            assert_ne!(OwnerRecord::raise(Some(&next), later, until), next);
        }
    }

    #[test]
    fn it_ends_what_was_begun_before_it_and_lasts_as_long_as_that_matters() {
        let record = OwnerRecord { raised: 1, at: 100, matters_until: Some(90_000) };
        assert!(record.ended_after(99) && !record.ended_after(100));
        assert_eq!(record.expires_at(), outlived(90_000));
        assert_eq!(record.owners(&Names::new("")), []);
        assert_eq!(record.shown(), json!({ "raised": 1, "at": 100 }));
        assert_eq!(OwnerRecord { matters_until: None, ..record }.expires_at(), outlived(100), "of an earlier release");
    }
}
