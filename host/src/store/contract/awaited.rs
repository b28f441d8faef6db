//! Asynchronous stores under the suite.

use proofkey_core::{Key, Query, Record, StoreError, UnixTime, Version, Write};
use tokio::runtime::Handle;

use crate::store::{AsyncStore, Store};

/// An [`AsyncStore`] as a [`Store`] whose calls wait, on a runtime, for their futures.
///
/// The suite calls it from threads of its own, so the runtime must not be one that runs on the thread of the test:
/// a plain `#[test]` with a runtime of several threads is fine.
pub(super) struct Awaited<S> {
    pub(super) store: S,
    pub(super) runtime: Handle,
}

impl<S: AsyncStore> Store for Awaited<S> {
    fn get(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        self.runtime.block_on(self.store.get(key))
    }

    fn put(&self, write: &Write) -> Result<bool, StoreError> {
        self.runtime.block_on(self.store.put(write))
    }

    fn delete(&self, key: &Key, expect: &Version) -> Result<bool, StoreError> {
        self.runtime.block_on(self.store.delete(key, expect))
    }

    fn find(&self, query: &Query) -> Result<Vec<Key>, StoreError> {
        self.runtime.block_on(self.store.find(query))
    }

    fn sweep(&self, now: UnixTime, limit: usize) -> Result<usize, StoreError> {
        self.runtime.block_on(self.store.sweep(now, limit))
    }
}
