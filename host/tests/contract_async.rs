//! The suite runs over asynchronous stores as well, and sees the same flaws.
#![cfg(all(feature = "contract", feature = "memory", feature = "sqlite", feature = "tokio"))]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use proofkey::core::{Key, Query, Record, UnixTime, Version, Write};
use proofkey::store::{AsyncStore, MemoryStore, SqliteStore, Store, contract};
use proofkey::{BoxFuture, StoreError};
use tokio::runtime::{Builder, Runtime};
use tokio::task::spawn_blocking;

mod directory;

use directory::Directory;

/// A store whose calls go through the runtime's own threads.
struct Spawned<S> {
    store: Arc<S>,
    /// Whether what a put expects is looked at.
    blind: bool,
}

impl<S: Store + 'static> Spawned<S> {
    fn new(store: S) -> Self {
        Self { store: Arc::new(store), blind: false }
    }

    fn call<'a, R: Send + 'static>(
        &'a self,
        call: impl FnOnce(&S) -> Result<R, StoreError> + Send + 'static,
    ) -> BoxFuture<'a, Result<R, StoreError>> {
        let store = Arc::clone(&self.store);
        Box::pin(async move { spawn_blocking(move || call(&store)).await.unwrap_or_else(|e| Err(StoreError::new(e))) })
    }
}

impl<S: Store + 'static> AsyncStore for Spawned<S> {
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        let key = key.clone();
        self.call(move |store| store.get(&key))
    }

    fn put<'a>(&'a self, write: &'a Write) -> BoxFuture<'a, Result<bool, StoreError>> {
        let (write, blind) = (write.clone(), self.blind);
        self.call(move |store| {
            let stored = store.put(&write)?;
            Ok(stored || blind)
        })
    }

    fn delete<'a>(&'a self, key: &'a Key, expect: &'a Version) -> BoxFuture<'a, Result<bool, StoreError>> {
        let (key, expect) = (key.clone(), *expect);
        self.call(move |store| store.delete(&key, &expect))
    }

    fn find<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Result<Vec<Key>, StoreError>> {
        let query = query.clone();
        self.call(move |store| store.find(&query))
    }

    fn sweep(&self, now: UnixTime, limit: usize) -> BoxFuture<'_, Result<usize, StoreError>> {
        self.call(move |store| store.sweep(now, limit))
    }
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).build().unwrap()
}

#[test]
fn an_asynchronous_store_is_checked_as_any_other() {
    let (runtime, directory, files) = (runtime(), Directory::new("contract-async"), AtomicUsize::new(0));
    contract::check_async(runtime.handle(), || Spawned::new(MemoryStore::new()));
    let next = || directory.file(&format!("{}.db", files.fetch_add(1, Ordering::Relaxed)));
    contract::check_async(runtime.handle(), || Spawned::new(SqliteStore::new(next())));
    contract::check_async_durable(runtime.handle(), |clause| {
        Spawned::new(SqliteStore::new(directory.file(&format!("durable-{clause}.db"))))
    });
}

#[test]
fn an_asynchronous_store_that_calls_every_write_done_is_seen() {
    let runtime = runtime();
    let lying = || Spawned { blind: true, ..Spawned::new(MemoryStore::new()) };
    let outcome = catch_unwind(AssertUnwindSafe(|| contract::check_async(runtime.handle(), lying)));
    let told = outcome.unwrap_err().downcast::<String>().unwrap();
    assert!(told.contains("a record is created once"), "{told}");
}
