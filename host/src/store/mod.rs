//! The persistence contract, five calls on single records, and the stores that come with proofkey.
//!
//! Whoever writes a store of their own starts at [`Store`] or [`AsyncStore`], and shows that it keeps the contract by
//! the suite in `contract` (a feature of that name). `docs/store-contract.md` is the guide.

use std::sync::Arc;

use proofkey_core::{Key, Query, Record, StoreError, UnixTime, Version, Write};

#[cfg(feature = "tokio")]
use crate::BoxFuture;

#[cfg(feature = "contract")]
pub mod contract;
#[cfg(feature = "memory")]
mod memory;
mod open;
#[cfg(feature = "sqlite")]
mod sqlite;

#[cfg(feature = "memory")]
pub use memory::MemoryStore;
pub use open::{OpenError, open};
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteStore, Synchronous};

/// Where records are kept: five calls, one record each, no transactions.
///
/// Keys and tags are printable ASCII up to 80 bytes, versions up to 16, bodies any bytes up to 64 KiB, times seconds
/// since 1970. Calls come from many threads at once. A call that cannot be answered is an error, and an error is never
/// "nothing": the client is told to try again. Every call must end; [`crate::Server`] sets no timeout of its own.
pub trait Store: Send + Sync {
    /// The version and body under a key, or nothing. Expired rows too: whether a record still counts is decided by its
    /// body.
    ///
    /// # Errors
    /// If the store cannot tell. "Nothing" and "failed" are never the same answer.
    ///
    /// # Security
    /// Reads what the last `put` wrote: an answer from a replica or a cache lets a revoked token live on.
    fn get(&self, key: &Key) -> Result<Option<Record>, StoreError>;

    /// Stores a record with its version, expiry and tags if the stored version is still `write.expect()`; `None` means
    /// that the key must not exist. Whether it was stored.
    ///
    /// # Errors
    /// If the outcome is unknown: the same write comes again, and what is then found decides.
    ///
    /// # Security
    /// A `true` for two callers with the same `expect` lets one code be redeemed twice. A spurious `false` costs one
    /// retry and is always safe; a `false` for what was stored all the same makes an honest redemption a replay, so a
    /// store that repeats statements looks whose version it met. Losing an acknowledged write may revive a revoked
    /// token.
    fn put(&self, write: &Write) -> Result<bool, StoreError>;

    /// Removes a record if its version is still `expect`; whether it was removed.
    ///
    /// # Errors
    /// If the outcome is unknown.
    ///
    /// # Security
    /// Removing another version forgets failures that limits had counted.
    fn delete(&self, key: &Key, expect: &Version) -> Result<bool, StoreError>;

    /// Up to `query.limit()` keys whose row carries the tag `query.owner()` and that follow `query.after()`, in some
    /// fixed order of the store's choice; an empty `after` is the start.
    ///
    /// # Errors
    /// If the store cannot tell.
    ///
    /// # Security
    /// Must see every `put` that ended before it began: what it misses survives the signing-out of its owner.
    fn find(&self, query: &Query) -> Result<Vec<Key>, StoreError>;

    /// Drops up to `limit` rows whose `expires_at` is `now` or earlier at that instant; returns how many.
    ///
    /// # Errors
    /// If the store failed. What it dropped before stays dropped.
    ///
    /// # Security
    /// Dropping a row whose expiry was just moved on logs somebody out, or forgets that a token was used.
    fn sweep(&self, now: UnixTime, limit: usize) -> Result<usize, StoreError>;

    /// Whether calls may wait for a disk or a network; [`crate::AsyncServer`] then makes them where blocking is fine.
    fn blocks(&self) -> bool {
        true
    }
}

impl<S: Store + ?Sized> Store for Arc<S> {
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

/// A [`Store`] whose calls are futures: the same five, with the same clauses. `Box::pin(async move { .. })` makes one.
///
/// A future may be dropped before it is done, when `store_timeout` has passed; from `put` and `delete` that is an
/// unknown outcome, as an error is.
#[cfg(feature = "tokio")]
pub trait AsyncStore: Send + Sync {
    /// As [`Store::get`].
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, StoreError>>;

    /// As [`Store::put`].
    fn put<'a>(&'a self, write: &'a Write) -> BoxFuture<'a, Result<bool, StoreError>>;

    /// As [`Store::delete`].
    fn delete<'a>(&'a self, key: &'a Key, expect: &'a Version) -> BoxFuture<'a, Result<bool, StoreError>>;

    /// As [`Store::find`].
    fn find<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Result<Vec<Key>, StoreError>>;

    /// As [`Store::sweep`].
    fn sweep(&self, now: UnixTime, limit: usize) -> BoxFuture<'_, Result<usize, StoreError>>;
}

#[cfg(feature = "tokio")]
impl<S: AsyncStore + ?Sized> AsyncStore for Arc<S> {
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        (**self).get(key)
    }

    fn put<'a>(&'a self, write: &'a Write) -> BoxFuture<'a, Result<bool, StoreError>> {
        (**self).put(write)
    }

    fn delete<'a>(&'a self, key: &'a Key, expect: &'a Version) -> BoxFuture<'a, Result<bool, StoreError>> {
        (**self).delete(key, expect)
    }

    fn find<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Result<Vec<Key>, StoreError>> {
        (**self).find(query)
    }

    fn sweep(&self, now: UnixTime, limit: usize) -> BoxFuture<'_, Result<usize, StoreError>> {
        (**self).sweep(now, limit)
    }
}
