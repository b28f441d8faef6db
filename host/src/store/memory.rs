//! A store in this process's memory: for tests, demonstrations and single processes that may forget.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
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
    expiry: BTreeSet<(UnixTime, Key)>,
}

impl Index {
    fn add(&mut self, key: &Key, row: &Row) {
        self.expiry.insert((row.expires_at, key.clone()));
        self.owners.extend(row.owners.iter().map(|owner| (owner.clone(), key.clone())));
    }

    fn remove(&mut self, key: &Key, row: &Row) {
        self.expiry.remove(&(row.expires_at, key.clone()));
        for owner in &row.owners {
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
        match (rows.entry(write.key().clone()), write.expect()) {
            (Entry::Vacant(vacant), None) => {
                let row = new();
                self.index().add(write.key(), &row);
                vacant.insert(row);
                Ok(true)
            }
            (Entry::Occupied(mut occupied), Some(expect)) if occupied.get().record.version() == expect => {
                if write.index_kept() {
                    occupied.get_mut().record = record;
                } else {
                    let row = new();
                    let mut index = self.index();
                    index.remove(write.key(), occupied.get());
                    index.add(write.key(), &row);
                    drop(index);
                    occupied.insert(row);
                }
                Ok(true)
            }
            (Entry::Vacant(_), Some(_)) | (Entry::Occupied(_), _) => Ok(false),
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
            index.expiry.iter().take_while(|(at, _)| *at <= now).take(limit).map(|(_, key)| key.clone()).collect()
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
