//! The store that all server processes of a world share: in memory, exact, and with nothing to hide.

use std::collections::BTreeMap;

use proofkey_core::{Key, Owner, Query, Record, UnixTime, Version, Write};

struct Row {
    record: Record,
    expires_at: UnixTime,
    owners: Vec<Owner>,
}

/// What may be wrong with a store, to show that it is noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Flaw {
    /// A put does not look at the stored version.
    ComparesNothing,
    /// A put keeps the expiry of the row's first write, and a sweep goes by that.
    KeepsFirstExpiry,
    /// A find does not see the row that was written last.
    MissesNewest,
}

impl Flaw {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::ComparesNothing, Self::KeepsFirstExpiry, Self::MissesNewest];

    /// Its name, in words joined by hyphens.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ComparesNothing => "store-compares-nothing",
            Self::KeepsFirstExpiry => "store-sweeps-by-first-expiry",
            Self::MissesNewest => "store-finds-not-the-newest",
        }
    }
}

/// Rows by their keys.
#[derive(Default)]
pub(crate) struct Rows {
    rows: BTreeMap<Key, Row>,
    newest: Option<Key>,
    flaw: Option<Flaw>,
}

impl Rows {
    pub(crate) fn flawed(flaw: Option<Flaw>) -> Self {
        Self { flaw, ..Self::default() }
    }

    pub(crate) fn get(&self, key: &Key) -> Option<Record> {
        self.rows.get(key).map(|row| row.record.clone())
    }

    /// Whether `put` would store this write now.
    pub(crate) fn takes(&self, write: &Write) -> bool {
        self.rows.get(write.key()).map(|row| row.record.version()) == write.expect()
    }

    pub(crate) fn put(&mut self, write: &Write) -> bool {
        if !self.takes(write) && self.flaw != Some(Flaw::ComparesNothing) {
            return false;
        }
        let before = self.rows.get(write.key()).filter(|_| self.flaw == Some(Flaw::KeepsFirstExpiry));
        let expires_at = before.map_or_else(|| write.expires_at(), |row| row.expires_at);
        let record = Record::new(*write.version(), write.body().clone());
        self.rows.insert(write.key().clone(), Row { record, expires_at, owners: write.owners().to_vec() });
        if self.flaw == Some(Flaw::MissesNewest) {
            self.newest = Some(write.key().clone());
        }
        true
    }

    pub(crate) fn has(&self, key: &Key, version: &Version) -> bool {
        self.rows.get(key).is_some_and(|row| row.record.version() == version)
    }

    pub(crate) fn delete(&mut self, key: &Key, expect: &Version) -> bool {
        self.has(key, expect) && self.rows.remove(key).is_some()
    }

    pub(crate) fn find(&self, query: &Query) -> Vec<Key> {
        let carries = |row: &Row| row.owners.contains(query.owner());
        let after = self.rows.iter().filter(|(key, row)| carries(row) && key.as_str() > query.after());
        let after = after.filter(|(key, _)| self.newest.as_ref() != Some(*key));
        after.take(query.limit()).map(|(key, _)| key.clone()).collect()
    }

    /// Drops expired rows; how many.
    pub(crate) fn sweep(&mut self, now: UnixTime, limit: usize) -> usize {
        let expired: Vec<Key> =
            self.rows.iter().filter(|(_, row)| row.expires_at <= now).map(|(key, _)| key.clone()).take(limit).collect();
        expired.iter().filter(|key| self.rows.remove(*key).is_some()).count()
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }
}
