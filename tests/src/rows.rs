//! The smallest store that keeps the contract; it can be copied, so that a test can go back to an earlier moment.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use proofkey::core::{Key, Owner, Query, Record, UnixTime, Version, Write};
use proofkey::{StoreError, store::Store};

#[derive(Clone, Debug)]
struct Row {
    record: Record,
    expires_at: UnixTime,
    owners: Vec<Owner>,
    /// Somebody has changed its tags.
    edited: bool,
}

/// Rows in a map.
#[derive(Debug, Default)]
pub struct Rows(Mutex<BTreeMap<Key, Row>>);

impl Clone for Rows {
    fn clone(&self) -> Self {
        Self(Mutex::new(self.rows().clone()))
    }
}

impl Rows {
    fn rows(&self) -> MutexGuard<'_, BTreeMap<Key, Row>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows().len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows().is_empty()
    }

    /// All keys, with versions and bodies.
    #[must_use]
    pub fn all(&self) -> Vec<(Key, Record)> {
        self.rows().iter().map(|(key, row)| (key.clone(), row.record.clone())).collect()
    }

    /// Each row as the write that would make it in an empty store.
    #[must_use]
    pub fn as_writes(&self) -> Vec<Write> {
        let write = |(key, row): (&Key, &Row)| {
            let record = &row.record;
            let write = Write::new(key.clone(), *record.version(), record.body().clone(), row.expires_at);
            write.owned_by(row.owners.clone())
        };
        self.rows().iter().map(write).collect()
    }

    /// Which records there are, in which version, but for the counters of limits: what a refused request must leave as
    /// it was.
    #[must_use]
    pub fn lasting(&self) -> Vec<(Key, Version)> {
        let all = self.all().into_iter().filter(|(key, _)| !key.as_str().starts_with("l."));
        all.map(|(key, record)| (key, *record.version())).collect()
    }

    /// Puts a record there, whatever was there: what somebody who owns the database can do.
    pub fn overwrite(&self, key: &Key, record: Record) {
        if let Some(row) = self.rows().get_mut(key) {
            row.record = record;
        }
    }
}

impl Rows {
    /// Has every row carry every tag: what a store can do whose index is wrong, or somebody who owns it.
    pub fn tag_all_with_all(&self) {
        let mut rows = self.rows();
        let mut all: Vec<Owner> = rows.values().flat_map(|row| row.owners.clone()).collect();
        all.sort();
        all.dedup();
        for row in rows.values_mut() {
            (row.owners, row.edited) = (all.clone(), true);
        }
    }
}

impl Store for Rows {
    fn get(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        Ok(self.rows().get(key).map(|row| row.record.clone()))
    }

    fn put(&self, write: &Write) -> Result<bool, StoreError> {
        let mut rows = self.rows();
        let old = rows.get(write.key());
        if old.map(|row| row.record.version()) != write.expect() {
            return Ok(false);
        }
        // A store that believes it leaves the row's index as it is.
        let same =
            old.is_some_and(|row| row.edited || (row.expires_at == write.expires_at() && row.owners == write.owners()));
        assert!(same || !write.index_kept(), "the index of {} is not kept", write.key());
        let record = Record::new(*write.version(), write.body().clone());
        let owners = write.owners().to_vec();
        let row = Row { record, expires_at: write.expires_at(), owners, edited: false };
        rows.insert(write.key().clone(), row);
        Ok(true)
    }

    fn delete(&self, key: &Key, expect: &Version) -> Result<bool, StoreError> {
        let mut rows = self.rows();
        let same = rows.get(key).is_some_and(|row| row.record.version() == expect);
        if same {
            rows.remove(key);
        }
        Ok(same)
    }

    fn find(&self, query: &Query) -> Result<Vec<Key>, StoreError> {
        let rows = self.rows();
        let carrying =
            rows.iter().filter(|(key, row)| key.as_str() > query.after() && row.owners.contains(query.owner()));
        Ok(carrying.map(|(key, _)| key.clone()).take(query.limit()).collect())
    }

    fn sweep(&self, now: UnixTime, limit: usize) -> Result<usize, StoreError> {
        let mut rows = self.rows();
        let expired: Vec<Key> =
            rows.iter().filter(|(_, row)| row.expires_at <= now).map(|(key, _)| key.clone()).take(limit).collect();
        for key in &expired {
            rows.remove(key);
        }
        Ok(expired.len())
    }

    fn blocks(&self) -> bool {
        false
    }
}
