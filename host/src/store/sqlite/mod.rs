//! A store in one SQLite file, for any number of threads and for several processes.
//!
//! WAL, so that readers and the writer do not wait for each other. Writers are gathered: whoever finds nobody writing
//! commits everything that waits as one transaction, so that one `fsync` acknowledges them all.

mod connection;
mod readers;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use proofkey_core::{Key, Query, Record, StoreError, UnixTime, Version, Write};

use self::readers::Readers;
use self::writer::{Change, Writer};
use super::Store;

/// What an acknowledged write survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Synchronous {
    /// A loss of power: each commit reaches the disk. The default, for an acknowledged revocation must not come undone.
    #[default]
    Full,
    /// A crash of the process, but not a loss of power, which may undo the last moments. About seven times as many
    /// writes a second by a single writer.
    Normal,
}

/// Records in one SQLite file.
///
/// The file is opened, and made with mode 0600 if need be, at the first call. A forked child opens it anew, and never
/// touches its parent's connections.
pub struct SqliteStore {
    path: PathBuf,
    synchronous: Synchronous,
    opened: Mutex<Opened>,
}

/// What was opened by which process.
struct Opened {
    process: u32,
    parts: Option<std::sync::Arc<Parts>>,
}

struct Parts {
    writer: Writer,
    readers: Readers,
}

impl SqliteStore {
    /// The store in the file at `path`.
    #[must_use]
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self {
            path: path.as_ref().to_owned(),
            synchronous: Synchronous::Full,
            opened: Mutex::new(Opened { process: std::process::id(), parts: None }),
        }
    }

    /// The same store, with another promise of durability.
    #[must_use]
    pub const fn synchronous(mut self, synchronous: Synchronous) -> Self {
        self.synchronous = synchronous;
        self
    }

    pub(crate) fn directory_exists(&self) -> bool {
        self.path.parent().is_none_or(|directory| directory.as_os_str().is_empty() || directory.is_dir())
    }

    fn parts(&self) -> Result<std::sync::Arc<Parts>, StoreError> {
        let mut opened = self.opened.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let process = std::process::id();
        if opened.process != process {
            // Connections must not be used, nor closed, on this side of a fork (SQLite, "How to corrupt", 2.6).
            std::mem::forget(opened.parts.take());
            opened.process = process;
        }
        if let Some(parts) = &opened.parts {
            return Ok(std::sync::Arc::clone(parts));
        }
        connection::create(&self.path)?;
        let writer = Writer::open(&self.path, self.synchronous)?;
        let parts = std::sync::Arc::new(Parts { writer, readers: Readers::new(&self.path) });
        opened.parts = Some(std::sync::Arc::clone(&parts));
        Ok(parts)
    }
}

impl Store for SqliteStore {
    fn get(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        self.parts()?.readers.get(key)
    }

    fn put(&self, write: &Write) -> Result<bool, StoreError> {
        Ok(self.parts()?.writer.submit(Change::Put(write.clone()))? == 1)
    }

    fn delete(&self, key: &Key, expect: &Version) -> Result<bool, StoreError> {
        Ok(self.parts()?.writer.submit(Change::Delete(key.clone(), *expect))? == 1)
    }

    fn find(&self, query: &Query) -> Result<Vec<Key>, StoreError> {
        self.parts()?.readers.find(query)
    }

    fn sweep(&self, now: UnixTime, limit: usize) -> Result<usize, StoreError> {
        self.parts()?.writer.submit(Change::Sweep(now, limit))
    }
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore")
            .field("path", &self.path)
            .field("synchronous", &self.synchronous)
            .finish_non_exhaustive()
    }
}
