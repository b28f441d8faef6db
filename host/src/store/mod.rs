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

    /// Whether calls may wait for a disk or a network.
    fn blocks(&self) -> bool {
        true
    }
}

impl<S: Store + ?Sized> Store for std::sync::Arc<S> {
    fn get(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        (**self).get(key)
    }
    fn put(&self, write: &Write) -> Result<bool, StoreError> {
        (**self).put(write)
    }
    fn delete(&self, key: &Key, expect: &Version) -> Result<bool, StoreError> {
        (**self).delete(key, expect)
    }
    fn find(&self, query: &Query) -> Result<Vec<Key>, StoreError> {
        (**self).find(query)
    }
    fn sweep(&self, now: UnixTime, limit: usize) -> Result<usize, StoreError> {
        (**self).sweep(now, limit)
    }
    fn blocks(&self) -> bool {
        (**self).blocks()
    }
}

/// Async.
#[cfg(feature = "tokio")]
pub trait AsyncStore: Send + Sync {
    /// get
    fn get<'a>(&'a self, key: &'a Key) -> crate::BoxFuture<'a, Result<Option<Record>, StoreError>>;
    /// put
    fn put<'a>(&'a self, write: &'a Write) -> crate::BoxFuture<'a, Result<bool, StoreError>>;
    /// delete
    fn delete<'a>(&'a self, key: &'a Key, expect: &'a Version) -> crate::BoxFuture<'a, Result<bool, StoreError>>;
    /// find
    fn find<'a>(&'a self, query: &'a Query) -> crate::BoxFuture<'a, Result<Vec<Key>, StoreError>>;
    /// sweep
    fn sweep(&self, now: UnixTime, limit: usize) -> crate::BoxFuture<'_, Result<usize, StoreError>>;
}

/// open
pub fn open(url: &str) -> Result<std::sync::Arc<dyn Store>, StoreError> {
    Err(StoreError::new(url.to_owned()))
}
