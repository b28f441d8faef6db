//! One small record that shows, before anything else does, that the store answers and the keys are the right ones.
//!
//! | state | check in |
//! | --- | --- |
//! | no record | written |
//! | written under the primary key | unchanged |
//! | written under another key of the ring | written again |

use minicbor::{Decode, Encode};
use serde_json::{Value, json};

use super::{Body, Kind};
use crate::UnixTime;
use crate::keys::KeyId;
use crate::name::Names;
use crate::store::Owner;

/// Says nothing; that it opens is the message.
#[derive(Clone, Debug, Encode, Decode)]
pub(crate) struct Sentinel {
    #[n(0)]
    since: u64,
}

impl Sentinel {
    /// The record to write at a start, if one has to be written.
    pub(crate) fn check_in(current: Option<(&Self, KeyId)>, primary: KeyId, now: UnixTime) -> Option<Self> {
        match current {
            None => Some(Self { since: now.seconds() }),
            Some((_, under)) if under == primary => None,
            Some((sentinel, _)) => Some(sentinel.clone()),
        }
    }
}

impl Body for Sentinel {
    const KIND: Kind = Kind::Sentinel;

    fn expires_at(&self) -> UnixTime {
        UnixTime::NEVER
    }

    fn owners(&self, _: &Names) -> Vec<Owner> {
        Vec::new()
    }

    fn shown(&self) -> Value {
        json!({ "since": self.since })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentinel_is_written_once_for_each_primary_key() {
        let (now, one, two) = (UnixTime::from_seconds(5), KeyId([1; 4]), KeyId([2; 4]));
        let first = Sentinel::check_in(None, one, now).unwrap();
        assert!(Sentinel::check_in(Some((&first, one)), one, now).is_none());
        assert_eq!(Sentinel::check_in(Some((&first, one)), two, now).unwrap().since, 5);
    }
}
