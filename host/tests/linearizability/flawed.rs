//! A store that answers as a register does, but for one flaw.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ThreadId};

use proofkey::core::{Key, Query, Record, UnixTime, Version, Write};
use proofkey::store::{AsyncStore, MemoryStore, Store};
use proofkey::{BoxFuture, StoreError};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// A write is answered by `true`, and made when the next one comes.
    AnswersBeforeItWrites,
    /// What was read is read again, eight times.
    AnswersFromAStaleCache,
    /// Whoever is refused is told that it was done.
    CallsALostRaceDone,
    /// The comparison and the write are two steps.
    ComparesAndThenWrites,
    DeletesBlindly,
    LosesAWriteInHundred,
    /// Each thread has a cache, which only its own writes empty.
    RemembersForEachThread,
    /// A statement that is repeated after an error of its own finds what it did itself, and is refused.
    RefusesWhatItDid,
    WritesBlindly,
}

struct Cached {
    thread: Option<ThreadId>,
    key: Key,
    found: Option<Record>,
}

pub(crate) struct Flawed {
    inner: MemoryStore,
    flaw: Option<Flaw>,
    calls: AtomicUsize,
    cache: Mutex<Vec<Cached>>,
    waiting: Mutex<Option<Write>>,
}

impl Flawed {
    pub(crate) fn new(flaw: Option<Flaw>) -> Self {
        let (inner, calls) = (MemoryStore::new(), AtomicUsize::new(0));
        Self { inner, flaw, calls, cache: Mutex::default(), waiting: Mutex::default() }
    }

    fn current(&self, key: &Key) -> Option<Version> {
        self.inner.get(key).unwrap().map(|record| *record.version())
    }

    /// Stores whatever is there.
    fn overwrite(&self, write: &Write) {
        loop {
            let fresh = Write::new(write.key().clone(), *write.version(), write.body().clone(), write.expires_at());
            let fresh = match self.current(write.key()) {
                None => fresh,
                Some(version) => fresh.expecting(version),
            };
            if self.inner.put(&fresh).unwrap() {
                return;
            }
        }
    }

    /// Once in so many calls.
    fn once_in(&self, times: usize) -> bool {
        self.calls.fetch_add(1, Ordering::Relaxed) % times == times - 1
    }

    fn read(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        let mine = match self.flaw {
            Some(Flaw::AnswersFromAStaleCache) => None,
            Some(Flaw::RemembersForEachThread) => Some(thread::current().id()),
            _ => return self.inner.get(key),
        };
        let mut cache = self.cache.lock().unwrap();
        if self.once_in(8) {
            cache.clear();
        }
        if let Some(cached) = cache.iter().find(|cached| cached.key == *key && cached.thread == mine) {
            return Ok(cached.found.clone());
        }
        let found = self.inner.get(key)?;
        cache.push(Cached { thread: mine, key: key.clone(), found: found.clone() });
        Ok(found)
    }

    /// What a write empties.
    fn forget(&self) {
        if self.flaw == Some(Flaw::RemembersForEachThread) {
            self.cache.lock().unwrap().retain(|cached| cached.thread != Some(thread::current().id()));
        }
    }
}

impl Store for Flawed {
    fn get(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        self.read(key)
    }

    fn put(&self, write: &Write) -> Result<bool, StoreError> {
        self.forget();
        match self.flaw {
            Some(Flaw::AnswersBeforeItWrites) => {
                let earlier = self.waiting.lock().unwrap().replace(write.clone());
                if let Some(earlier) = earlier {
                    self.inner.put(&earlier)?;
                }
                Ok(self.current(write.key()) == write.expect().copied())
            }
            Some(Flaw::CallsALostRaceDone) => self.inner.put(write).map(|_| true),
            Some(Flaw::ComparesAndThenWrites) => {
                if self.current(write.key()) != write.expect().copied() {
                    return Ok(false);
                }
                thread::yield_now();
                self.overwrite(write);
                Ok(true)
            }
            Some(Flaw::LosesAWriteInHundred) if self.once_in(100) => {
                Ok(self.current(write.key()) == write.expect().copied())
            }
            Some(Flaw::RefusesWhatItDid) if self.once_in(10) => self.inner.put(write).map(|_| false),
            Some(Flaw::WritesBlindly) => {
                self.overwrite(write);
                Ok(true)
            }
            _ => self.inner.put(write),
        }
    }

    fn delete(&self, key: &Key, expect: &Version) -> Result<bool, StoreError> {
        self.forget();
        match (self.flaw, self.current(key)) {
            (Some(Flaw::DeletesBlindly), Some(current)) => self.inner.delete(key, &current),
            _ => self.inner.delete(key, expect),
        }
    }

    fn find(&self, query: &Query) -> Result<Vec<Key>, StoreError> {
        self.inner.find(query)
    }

    fn sweep(&self, now: UnixTime, limit: usize) -> Result<usize, StoreError> {
        self.forget();
        self.inner.sweep(now, limit)
    }
}

/// The same, awaited.
impl AsyncStore for Flawed {
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        Box::pin(async move { Store::get(self, key) })
    }

    fn put<'a>(&'a self, write: &'a Write) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move { Store::put(self, write) })
    }

    fn delete<'a>(&'a self, key: &'a Key, expect: &'a Version) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move { Store::delete(self, key, expect) })
    }

    fn find<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Result<Vec<Key>, StoreError>> {
        Box::pin(async move { Store::find(self, query) })
    }

    fn sweep(&self, now: UnixTime, limit: usize) -> BoxFuture<'_, Result<usize, StoreError>> {
        Box::pin(async move { Store::sweep(self, now, limit) })
    }
}
