//! A store in this process's memory: for tests, demonstrations and single processes that may forget.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockWriteGuard};

use proofkey_core::{Key, Owner, Query, Record, StoreError, UnixTime, Version, Write};

use super::Store;

/// Maps side by side, so that threads seldom meet at one. A power of two.
const SHARDS: usize = 16;

struct Row {
    record: Record,
    expires_at: UnixTime,
    owners: Vec<Owner>,
}

#[derive(Default)]
struct Index {
    owners: BTreeSet<(Owner, Key)>,
    /// Many keys a moment: the core rounds to full hours.
    expiry: BTreeMap<UnixTime, HashSet<Key>>,
}

impl Index {
    fn add(&mut self, key: &Key, row: &Row) {
        self.add_expiry(key, row.expires_at);
        self.add_owners(key, &row.owners);
    }

    fn remove(&mut self, key: &Key, row: &Row) {
        self.remove_expiry(key, row.expires_at);
        self.remove_owners(key, &row.owners);
    }

    /// What differs between two rows of a key, and no more: most writes keep the owners.
    fn replace(&mut self, key: &Key, old: &Row, new: &Row) {
        if old.expires_at != new.expires_at {
            self.remove_expiry(key, old.expires_at);
            self.add_expiry(key, new.expires_at);
        }
        if old.owners != new.owners {
            self.remove_owners(key, &old.owners);
            self.add_owners(key, &new.owners);
        }
    }

    fn add_expiry(&mut self, key: &Key, at: UnixTime) {
        self.expiry.entry(at).or_default().insert(key.clone());
    }

    fn remove_expiry(&mut self, key: &Key, at: UnixTime) {
        if let Some(keys) = self.expiry.get_mut(&at) {
            keys.remove(key);
            if keys.is_empty() {
                self.expiry.remove(&at);
            }
        }
    }

    fn add_owners(&mut self, key: &Key, owners: &[Owner]) {
        self.owners.extend(owners.iter().map(|owner| (owner.clone(), key.clone())));
    }

    fn remove_owners(&mut self, key: &Key, owners: &[Owner]) {
        for owner in owners {
            self.owners.remove(&(owner.clone(), key.clone()));
        }
    }
}

type Shard = RwLock<HashMap<Key, Row>>;

/// Records in maps. Lost with the process, and invisible to any other.
///
/// A lock of the index is only ever taken under the lock of a shard, so the order is the same everywhere.
#[derive(Default)]
pub struct MemoryStore {
    shards: [Shard; SHARDS],
    index: Mutex<Index>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn shard(&self, key: &Key) -> &Shard {
        // Keys end in a hash, so their last characters spread evenly.
        let spread = key.as_str().bytes().rev().take(4).fold(0_usize, |sum, byte| sum * 31 + usize::from(byte));
        &self.shards[spread % SHARDS]
    }

    fn write(&self, key: &Key) -> RwLockWriteGuard<'_, HashMap<Key, Row>> {
        self.shard(key).write().unwrap_or_else(PoisonError::into_inner)
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn get(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        let rows = self.shard(key).read().unwrap_or_else(PoisonError::into_inner);
        Ok(rows.get(key).map(|row| row.record.clone()))
    }

    fn put(&self, write: &Write) -> Result<bool, StoreError> {
        let record = Record::new(*write.version(), write.body().clone());
        let new = || Row { record: record.clone(), expires_at: write.expires_at(), owners: write.owners().to_vec() };
        let mut rows = self.write(write.key());
        match (rows.get_mut(write.key()), write.expect()) {
            (None, None) => {
                let row = new();
                self.index().add(write.key(), &row);
                rows.insert(write.key().clone(), row);
                Ok(true)
            }
            (Some(row), Some(expect)) if row.record.version() == expect => {
                if write.index_kept() {
                    row.record = record;
                } else {
                    let new = new();
                    self.index().replace(write.key(), row, &new);
                    *row = new;
                }
                Ok(true)
            }
            (None, Some(_)) | (Some(_), _) => Ok(false),
        }
    }

    fn delete(&self, key: &Key, expect: &Version) -> Result<bool, StoreError> {
        let mut rows = self.write(key);
        let Entry::Occupied(row) = rows.entry(key.clone()) else { return Ok(false) };
        if row.get().record.version() != expect {
            return Ok(false);
        }
        let row = row.remove();
        self.index().remove(key, &row);
        Ok(true)
    }

    fn find(&self, query: &Query) -> Result<Vec<Key>, StoreError> {
        let after = Key::parse(query.after()).ok();
        let index = self.index();
        let from = match after {
            Some(after) => (Bound::Excluded((query.owner().clone(), after)), Bound::Unbounded),
            // "!" is the first character that a key may have, and no key of ours is that alone.
            None => match Key::parse("!") {
                Ok(first) => (Bound::Included((query.owner().clone(), first)), Bound::Unbounded),
                Err(_) => (Bound::Unbounded, Bound::Unbounded),
            },
        };
        let carrying = index.owners.range(from).take_while(|(owner, _)| owner == query.owner());
        Ok(carrying.take(query.limit()).map(|(_, key)| key.clone()).collect())
    }

    fn sweep(&self, now: UnixTime, limit: usize) -> Result<usize, StoreError> {
        let expired: Vec<Key> = {
            let index = self.index();
            index.expiry.range(..=now).flat_map(|(_, keys)| keys).take(limit).cloned().collect()
        };
        let mut dropped = 0;
        for key in expired {
            let mut rows = self.write(&key);
            // The row may have been written again since it was listed.
            if let Entry::Occupied(row) = rows.entry(key.clone())
                && row.get().expires_at <= now
            {
                let row = row.remove();
                self.index().remove(&key, &row);
                dropped += 1;
            }
        }
        Ok(dropped)
    }

    fn blocks(&self) -> bool {
        false
    }
}

impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}
