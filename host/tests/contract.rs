//! The stores that come with proofkey keep the contract, and the suite sees those that do not.
#![cfg(all(feature = "contract", feature = "memory", feature = "sqlite"))]

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use proofkey::StoreError;
use proofkey::core::{Key, Owner, Query, Record, UnixTime, Version, Write};
use proofkey::store::{MemoryStore, SqliteStore, Store, Synchronous, contract};

mod directory;

use directory::Directory;

#[test]
fn the_memory_store_keeps_the_contract() {
    contract::check(MemoryStore::new);
}

#[test]
fn the_sqlite_store_keeps_the_contract() {
    let directory = Directory::new("contract");
    let files = AtomicUsize::new(0);
    let next = || directory.file(&format!("{}.db", files.fetch_add(1, Ordering::Relaxed)));
    contract::check(|| SqliteStore::new(next()));
    contract::check_durable(|clause| SqliteStore::new(directory.file(&format!("durable-{clause}.db"))));
}

#[test]
fn the_sqlite_store_keeps_the_contract_without_waiting_for_the_disk() {
    let directory = Directory::new("contract-normal");
    let files = AtomicUsize::new(0);
    let next = || directory.file(&format!("{}.db", files.fetch_add(1, Ordering::Relaxed)));
    contract::check(|| SqliteStore::new(next()).synchronous(Synchronous::Normal));
}

/// A good store, but for one fault.
struct Flawed {
    inner: MemoryStore,
    flaw: Flaw,
    cache: Mutex<Vec<(Key, Option<Record>)>>,
}

#[derive(Clone, Copy, Debug)]
enum Flaw {
    AnswersFromAStaleCache,
    ConfusesLetterCase,
    DeletesBlindly,
    FailsAsNothing,
    ForgetsOldTags,
    LosesOwners,
    RepeatsAPage,
    SweepsTooEarly,
    WritesBlindly,
}

impl Flawed {
    fn new(flaw: Flaw) -> Self {
        Self { inner: MemoryStore::new(), flaw, cache: Mutex::default() }
    }

    fn current(&self, key: &Key) -> Option<Version> {
        self.inner.get(key).unwrap().map(|record| *record.version())
    }

    /// A write like `write`, with other tags and another expectation.
    fn rewritten(write: &Write, key: Key, expect: Option<Version>, owners: Vec<Owner>) -> Write {
        let fresh = Write::new(key, *write.version(), write.body().clone(), write.expires_at()).owned_by(owners);
        match expect {
            None => fresh,
            Some(version) => fresh.expecting(version),
        }
    }
}

impl Store for Flawed {
    fn get(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        let key = match self.flaw {
            Flaw::ConfusesLetterCase => Key::parse(&key.as_str().to_lowercase()).unwrap(),
            _ => key.clone(),
        };
        let found = self.inner.get(&key)?;
        if matches!(self.flaw, Flaw::AnswersFromAStaleCache) {
            let mut cache = self.cache.lock().unwrap();
            if let Some((_, kept)) = cache.iter().find(|(cached, _)| *cached == key) {
                return Ok(kept.clone());
            }
            cache.push((key, found.clone()));
        }
        Ok(found)
    }

    fn put(&self, write: &Write) -> Result<bool, StoreError> {
        let (key, expect, owners) = (write.key().clone(), write.expect().copied(), write.owners().to_vec());
        match self.flaw {
            Flaw::WritesBlindly => {
                let current = self.current(&key);
                self.inner.put(&Self::rewritten(write, key, current, owners))
            }
            Flaw::LosesOwners => {
                self.inner.put(&Self::rewritten(write, key, expect, owners.into_iter().take(1).collect()))
            }
            Flaw::ForgetsOldTags => self.inner.put(&write.clone().keeping_index()),
            Flaw::ConfusesLetterCase => {
                let lower = Key::parse(&key.as_str().to_lowercase()).unwrap();
                self.inner.put(&Self::rewritten(write, lower, expect, owners))
            }
            Flaw::FailsAsNothing if write.body().len() > 1000 => Ok(true),
            _ => self.inner.put(write),
        }
    }

    fn delete(&self, key: &Key, expect: &Version) -> Result<bool, StoreError> {
        match (self.flaw, self.current(key)) {
            (Flaw::DeletesBlindly, Some(current)) => self.inner.delete(key, &current),
            _ => self.inner.delete(key, expect),
        }
    }

    fn find(&self, query: &Query) -> Result<Vec<Key>, StoreError> {
        match self.flaw {
            Flaw::RepeatsAPage => self.inner.find(&Query::new(query.owner().clone(), query.limit())),
            _ => self.inner.find(query),
        }
    }

    fn sweep(&self, now: UnixTime, limit: usize) -> Result<usize, StoreError> {
        match self.flaw {
            Flaw::SweepsTooEarly => self.inner.sweep(UnixTime::from_seconds(now.seconds() + 1), limit),
            _ => self.inner.sweep(now, limit),
        }
    }
}

fn sentence(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string))
        .unwrap_or_default()
}

#[test]
fn the_suite_sees_each_flaw_and_names_the_clause() {
    for (flaw, clause) in [
        (Flaw::AnswersFromAStaleCache, "a record is replaced only at the expected version"),
        (Flaw::ConfusesLetterCase, "keys differ by letter case"),
        (Flaw::DeletesBlindly, "a record is deleted only at the expected version"),
        (Flaw::FailsAsNothing, "keys and bodies of every allowed size"),
        (Flaw::ForgetsOldTags, "a sweep goes by the expiry that was written last"),
        (Flaw::LosesOwners, "tag"),
        (Flaw::RepeatsAPage, "find never comes to an end"),
        (Flaw::SweepsTooEarly, "a sweep drops only what has expired"),
        (Flaw::WritesBlindly, "a record is created once"),
    ] {
        let outcome = catch_unwind(AssertUnwindSafe(|| contract::check(|| Flawed::new(flaw))));
        let panic = outcome.expect_err(&format!("the suite passes a store that {flaw:?}"));
        let told = sentence(panic.as_ref());
        assert!(told.contains(clause), "{flaw:?}: {told}");
    }
}
