//! A store of the host's own: the five calls over a map.
//!
//! `tests/contract.rs` runs the suite that every store must pass, and `src/main.rs` a server over it.
//! `docs/own-store.md` explains each line.

#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use proofkey::StoreError;
use proofkey::core::{Key, Query, Record, UnixTime, Version, Write};
use proofkey::store::Store;

/// Rows in a map: the last write of each, which holds the body, the version, the expiry and the tags.
#[derive(Debug, Default)]
pub struct Rows(Mutex<BTreeMap<Key, Write>>);

impl Rows {
    fn rows(&self) -> MutexGuard<'_, BTreeMap<Key, Write>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many rows there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.rows().len()
    }
}

impl Store for Rows {
    fn get(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        Ok(self.rows().get(key).map(|row| Record::new(*row.version(), row.body().clone())))
    }

    fn put(&self, write: &Write) -> Result<bool, StoreError> {
        let mut rows = self.rows();
        let expected = rows.get(write.key()).map(Write::version) == write.expect();
        if expected {
            rows.insert(write.key().clone(), write.clone());
        }
        Ok(expected)
    }

    fn delete(&self, key: &Key, expect: &Version) -> Result<bool, StoreError> {
        let mut rows = self.rows();
        let expected = rows.get(key).is_some_and(|row| row.version() == expect);
        if expected {
            rows.remove(key);
        }
        Ok(expected)
    }

    fn find(&self, query: &Query) -> Result<Vec<Key>, StoreError> {
        let rows = self.rows();
        let tagged =
            rows.iter().filter(|(key, row)| key.as_str() > query.after() && row.owners().contains(query.owner()));
        Ok(tagged.map(|(key, _)| key.clone()).take(query.limit()).collect())
    }

    fn sweep(&self, now: UnixTime, limit: usize) -> Result<usize, StoreError> {
        let mut rows = self.rows();
        let expired = rows.iter().filter(|(_, row)| row.expires_at() <= now).map(|(key, _)| key.clone());
        let expired: Vec<Key> = expired.take(limit).collect();
        expired.iter().for_each(|key| drop(rows.remove(key)));
        Ok(expired.len())
    }

    /// It never waits for a disk or a network.
    fn blocks(&self) -> bool {
        false
    }
}
