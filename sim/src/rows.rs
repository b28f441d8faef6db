//! The store that all server processes of a world share: in memory, exact, and with nothing to hide.

use std::collections::BTreeMap;

use proofkey_core::{Key, Owner, Query, Record, UnixTime, Version, Write};

struct Row {
    record: Record,
    expires_at: UnixTime,
    owners: Vec<Owner>,
}

/// Rows by their keys.
#[derive(Default)]
pub(crate) struct Rows(BTreeMap<Key, Row>);

impl Rows {
    pub(crate) fn get(&self, key: &Key) -> Option<Record> {
        self.0.get(key).map(|row| row.record.clone())
    }

    /// Whether `put` would store this write now.
    pub(crate) fn takes(&self, write: &Write) -> bool {
        self.0.get(write.key()).map(|row| row.record.version()) == write.expect()
    }

    pub(crate) fn put(&mut self, write: &Write) -> bool {
        if !self.takes(write) {
            return false;
        }
        let record = Record::new(*write.version(), write.body().clone());
        let row = Row { record, expires_at: write.expires_at(), owners: write.owners().to_vec() };
        self.0.insert(write.key().clone(), row);
        true
    }

    pub(crate) fn has(&self, key: &Key, version: &Version) -> bool {
        self.0.get(key).is_some_and(|row| row.record.version() == version)
    }

    pub(crate) fn delete(&mut self, key: &Key, expect: &Version) -> bool {
        self.has(key, expect) && self.0.remove(key).is_some()
    }

    pub(crate) fn find(&self, query: &Query) -> Vec<Key> {
        let carries = |row: &Row| row.owners.contains(query.owner());
        let after = self.0.iter().filter(|(key, row)| carries(row) && key.as_str() > query.after());
        after.take(query.limit()).map(|(key, _)| key.clone()).collect()
    }

    /// Drops expired rows; how many.
    pub(crate) fn sweep(&mut self, now: UnixTime, limit: usize) -> usize {
        let expired: Vec<Key> =
            self.0.iter().filter(|(_, row)| row.expires_at <= now).map(|(key, _)| key.clone()).take(limit).collect();
        expired.iter().filter(|key| self.0.remove(*key).is_some()).count()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}
