//! Records of every kind as bytes: what each transition makes of what was read.

use std::time::Duration;

use minicbor::Encode;
use serde_json::Value;

use crate::UnixTime;
use crate::keys::KeyId;
use crate::record::{
    Body, ClientRecord, Consent, End, Grant, LimitSlot, OwnerRecord, Registration, Sentinel, Session, Taken,
    UserRecord, UserState,
};
use crate::scope::Scope;
use crate::secret::SecretDigest;
use crate::server::Core;
use crate::store::Owner;

/// The kinds of records, by the letters in their keys.
pub const LETTERS: [char; 8] = ['a', 'b', 'c', 'g', 'l', 'o', 's', 'u'];

/// What the row of a record shows, and what can become of the record.
#[derive(Debug)]
#[non_exhaustive]
pub struct RecordRead {
    /// When a sweep may drop the row.
    pub expires_at: UnixTime,
    /// The tags of the row.
    pub owners: Vec<Owner>,
    /// What an operator sees.
    pub shown: Value,
    /// The record after each transition that changes it.
    pub next: Vec<Vec<u8>>,
}

/// Collects next states as CBOR.
#[derive(Default)]
struct Next(Vec<Vec<u8>>);

impl Next {
    fn add(&mut self, state: Option<impl Encode<()>>) {
        self.0.extend(state.and_then(|state| minicbor::to_vec(state).ok()));
    }
}

impl Core {
    /// Reads a record of the kind of this letter and takes every transition that needs no tokens; nothing if it cannot
    /// be read. `word` stands for what a transition is told: a scope, a name.
    #[must_use]
    pub fn read_record(&self, letter: char, plain: &[u8], word: &str, now: UnixTime) -> Option<RecordRead> {
        match letter {
            'a' => self.read::<Consent>(plain, |record, next| {
                let scope = Scope::parse(word).unwrap_or_default();
                next.add(Some(Consent::give(Some(record), &record.subject, &record.client_id, &scope, now)));
                next.add(Some(Consent::withdraw(Some(record), &record.subject, &record.client_id, now)));
                let _ = record.covers(&scope, now);
            }),
            'b' => self.read::<Session>(plain, |record, next| {
                next.add(record.end(now, End::Replaced));
                next.add(record.end(now, End::SignedOut));
                let _ = (record.active(&SecretDigest::of(word.as_bytes()), now), record.grants(now));
                next.add(
                    record.listed(now).and_then(|one| one.used(now, Duration::from_secs(900))).map(Session::Active),
                );
            }),
            'c' => self.read::<ClientRecord>(plain, |record, next| {
                for change in [
                    ClientRecord::delete(Some(record), now),
                    record.client().map_or(Registration::Conflict, |client| {
                        let _ = (client.problems_when_stored(), client.scope_limit(), client.shown_name());
                        ClientRecord::update(Some(record), client.clone().name(word))
                    }),
                ] {
                    if let Registration::Next(one) = change {
                        next.add(Some(one));
                    }
                }
            }),
            'g' => self.read::<Grant>(plain, |record, next| {
                next.add(record.revoke(now));
                let digest = SecretDigest::of(word.as_bytes());
                next.add(record.revoke_access(&digest));
                let _ = (record.access(&digest, now), record.current_refresh(0, &digest, now), record.is_usable(now));
                let _ = record.names_key(KeyId([0; 4]));
            }),
            'l' => self.read::<LimitSlot>(plain, |record, next| {
                let tag = word.as_bytes().first_chunk::<8>().copied().unwrap_or_default();
                if let Taken::Counted(slot) = record.take(tag, 10, Duration::from_secs(900), now) {
                    next.add(Some(slot));
                }
                next.add(record.refund(tag, now));
                next.add(record.clear(tag, now));
            }),
            'o' => self.read::<OwnerRecord>(plain, |record, next| {
                next.add(Some(OwnerRecord::raise(Some(record), now, now.after(Duration::from_secs(900)))));
            }),
            's' => self.read::<Sentinel>(plain, |record, next| {
                let primary = self.config.ring.primary().map(|key| key.id);
                next.add(primary.and_then(|key| Sentinel::check_in(Some((record, KeyId([0; 4]))), key, now)));
            }),
            'u' => self.read::<UserRecord>(plain, |record, next| {
                next.add(record.delete(now));
                next.add(record.change(|account| account.state = UserState::Disabled));
                next.add(record.change(|account| account.password_hash = word.to_owned()));
                let _ = record.answer();
            }),
            _ => None,
        }
    }

    fn read<B: Body>(&self, plain: &[u8], changes: impl FnOnce(&B, &mut Next)) -> Option<RecordRead> {
        let record: B = minicbor::decode(plain).ok()?;
        let mut next = Next::default();
        changes(&record, &mut next);
        let owners = record.owners(&self.config.names);
        Some(RecordRead { expires_at: record.expires_at(), owners, shown: record.shown(), next: next.0 })
    }
}
