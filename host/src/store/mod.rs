//! The persistence contract and the stores that come with proofkey.

use proofkey_core::{Key, Query, Record, StoreError, UnixTime, Version, Write};

/// Five calls on single records.
pub trait Store: Send + Sync {
    /// Body and version of the record, or nothing.
    ///
    /// # Errors
    /// If the store cannot tell.
    fn get(&self, key: &Key) -> Result<Option<Record>, StoreError>;
    /// Stores a record if the stored version is still `write.expect()`.
    ///
    /// # Errors
    /// If the outcome is unknown.
    fn put(&self, write: &Write) -> Result<bool, StoreError>;
    /// Removes a record if its version is still `expect`.
    ///
    /// # Errors
    /// If the outcome is unknown.
    fn delete(&self, key: &Key, expect: &Version) -> Result<bool, StoreError>;
    /// One page of the keys that carry a tag.
    ///
    /// # Errors
    /// If the store cannot tell.
    fn find(&self, query: &Query) -> Result<Vec<Key>, StoreError>;
    /// Drops up to `limit` rows that have expired by `now`; returns how many.
    ///
    /// # Errors
    /// If the store cannot tell.
    fn sweep(&self, now: UnixTime, limit: usize) -> Result<usize, StoreError>;
}
