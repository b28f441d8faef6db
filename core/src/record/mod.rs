//! What outlives a request: one enum of states a kind, with total, pure transitions.

mod client;
mod consent;
mod grant;
mod limit_slot;
mod owner;
mod sentinel;
mod session;
mod shared;
mod user;

use minicbor::{Decode, Encode};
use serde_json::Value;

use crate::UnixTime;
use crate::keys::KeyId;
use crate::name::Names;
use crate::store::{Key, Owner, Version};

pub use client::{AuthMethod, Client, ClientSecret, GrantType, InvalidClient, InvalidField};
pub(crate) use client::{ClientRecord, Registration};
pub(crate) use consent::Consent;
pub(crate) use grant::{
    Approval, Binding, Fresh, Grant, Issued, Presented, Redeem, Redemption, RefreshAsk, Refreshed, Rotate, Terms,
    parse_grant_id,
};
pub(crate) use limit_slot::{LimitSlot, Taken};
pub(crate) use owner::OwnerRecord;
pub(crate) use sentinel::Sentinel;
pub(crate) use session::{Active, End, Session, is_of_epoch};
pub(crate) use user::{Account, UserRecord, UserState};

/// How long a row outlives the last moment at which it could matter.
const MARGIN: std::time::Duration = std::time::Duration::from_secs(2 * 3600);

/// When the row of something that mattered last at `at` may be dropped: a full hour, so that most writes
/// leave the row's index as it is.
pub(crate) fn outlived(at: u64) -> UnixTime {
    UnixTime::from_seconds(at).after(MARGIN).to_full_hour()
}

/// A kind of record: its letter stands in the record's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Client,
    Consent,
    Grant,
    LimitSlot,
    Owner,
    Sentinel,
    Session,
    User,
}

impl Kind {
    pub(crate) const ALL: [Self; 8] = [
        Self::Client,
        Self::Consent,
        Self::Grant,
        Self::LimitSlot,
        Self::Owner,
        Self::Sentinel,
        Self::Session,
        Self::User,
    ];

    /// Its name, as operators see it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Consent => "consent",
            Self::Grant => "grant",
            Self::LimitSlot => "limit slot",
            Self::Owner => "owner",
            Self::Sentinel => "sentinel",
            Self::Session => "session",
            Self::User => "user",
        }
    }

    pub(crate) const fn letter(self) -> char {
        match self {
            Self::Client => 'c',
            Self::Consent => 'a',
            Self::Grant => 'g',
            Self::LimitSlot => 'l',
            Self::Owner => 'o',
            Self::Sentinel => 's',
            Self::Session => 'b',
            Self::User => 'u',
        }
    }
}

/// The body of a record, and the row's index that follows from it.
///
/// Releases share a store, so the structures only grow: a new field takes the next index and is an `Option` or has
/// `#[cbor(default)]`; no index is used twice (golden records are under `tests/golden`).
pub(crate) trait Body: Encode<()> + for<'b> Decode<'b, ()> {
    const KIND: Kind;

    /// When a sweep may drop the row.
    fn expires_at(&self) -> UnixTime;

    /// The tags of the row.
    fn owners(&self, names: &Names) -> Vec<Owner>;

    /// What an operator may see of it: no digest, no hash of a password, no bytes that tokens are derived from.
    fn shown(&self) -> Value;

    /// Whether the tags are those of `old`.
    fn keeps_owners(&self, old: &Self, names: &Names) -> bool {
        self.owners(names) == old.owners(names)
    }
}

/// A record as it was read: what the next write of it has to expect.
pub(crate) struct Stored<B> {
    pub(crate) key: Key,
    pub(crate) version: Version,
    pub(crate) sealed_under: KeyId,
    pub(crate) body: B,
}

#[cfg(test)]
mod tests {
    use minicbor::{Decode, Encode};

    #[derive(Encode)]
    struct Yesterday {
        #[n(0)]
        kept: u64,
    }

    #[derive(Debug, PartialEq, Decode)]
    struct Today {
        #[n(0)]
        kept: u64,
        #[n(1)]
        optional: Option<u64>,
        #[n(2)]
        #[cbor(default)]
        listed: Vec<u64>,
    }

    #[test]
    fn a_field_that_was_added_is_read_from_an_older_record_as_its_default() {
        let old = minicbor::to_vec(Yesterday { kept: 7 }).unwrap();
        let read: Today = minicbor::decode(&old).unwrap();
        assert_eq!(read, Today { kept: 7, optional: None, listed: Vec::new() });
    }
}
