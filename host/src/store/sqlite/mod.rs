//! A store in one SQLite file, for any number of threads and for several processes.
//!
//! WAL, so that readers and the writer do not wait for each other. Writers are gathered: whoever finds nobody writing
//! commits everything that waits as one transaction, so that one `fsync` acknowledges them all.

mod connection;
mod readers;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use proofkey_core::{Key, Query, Record, StoreError, UnixTime, Version, Write};

use self::connection::Identity;
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
/// The file is opened, and made with mode 0600 if need be, at the first call: so a process may fork before it. In a
/// child that was forked after it every call fails: SQLite remembers the parent's locks as its own, and a write that
/// it acknowledges there may be lost.
pub struct SqliteStore {
    path: PathBuf,
    synchronous: Synchronous,
    opened: Mutex<Opened>,
}

/// What was opened by which process.
struct Opened {
    process: u32,
    parts: Option<std::sync::Arc<Parts>>,
    file: Option<Identity>,
    looked: Instant,
    /// What is at the path is not what is open.
    gone: bool,
}

/// How often the file at the path is looked at.
const LOOK: Duration = Duration::from_secs(1);

struct Parts {
    writer: Writer,
    readers: std::sync::Arc<Readers>,
}

impl SqliteStore {
    /// The store in the file at `path`.
    #[must_use]
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self {
            path: path.as_ref().to_owned(),
            synchronous: Synchronous::Full,
            opened: Mutex::new(Opened {
                process: std::process::id(),
                parts: None,
                file: None,
                looked: Instant::now(),
                gone: false,
            }),
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
        match &opened.parts {
            Some(parts) if opened.process == process => {
                let parts = std::sync::Arc::clone(parts);
                opened.look(&self.path)?;
                return Ok(parts);
            }
            // Nor would a new connection do: the locks of a process are kept once for each file, and those that this
            // side of the fork remembers are not held (SQLite, "How to corrupt", 2.6).
            Some(_) => {
                return Err(StoreError::new(
                    "the store was opened before this process was forked; fork first, and make the first call after it",
                ));
            }
            None => opened.process = process,
        }
        connection::create(&self.path)?;
        let readers = std::sync::Arc::new(Readers::new(&self.path));
        let writer = Writer::open(&self.path, self.synchronous, std::sync::Arc::clone(&readers))?;
        let parts = std::sync::Arc::new(Parts { writer, readers });
        opened.parts = Some(std::sync::Arc::clone(&parts));
        opened.file = connection::identity(&self.path);
        Ok(parts)
    }
}

impl Opened {
    /// A file that was removed or replaced goes on being read and written by whoever has it open, and what is written
    /// there is lost: so it is a failure, until the file is back.
    fn look(&mut self, path: &Path) -> Result<(), StoreError> {
        if self.looked.elapsed() >= LOOK {
            self.looked = Instant::now();
            self.gone = connection::identity(path) != self.file;
        }
        if self.gone {
            let text = "was removed or replaced while it was open; put it back, or start anew on what is there now";
            return Err(StoreError::new(format!("{} {text}", path.display())));
        }
        Ok(())
    }
}

/// Connections must not even be closed on the other side of a fork.
impl Drop for Opened {
    fn drop(&mut self) {
        if self.process != std::process::id() {
            std::mem::forget(self.parts.take());
        }
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

#[cfg(test)]
mod tests {
    use std::sync::PoisonError;

    use proofkey_core::Key;

    use super::{SqliteStore, Store as _};

    #[test]
    fn a_child_that_was_forked_after_the_first_call_is_refused() {
        let directory = std::env::temp_dir().join(format!("proofkey-fork-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let (store, key) = (SqliteStore::new(directory.join("auth.db")), Key::parse("g.a").unwrap());
        // What a fork leaves in the child: the same state under another process number.
        let becomes = |process| store.opened.lock().unwrap_or_else(PoisonError::into_inner).process = process;
        becomes(std::process::id() ^ 1);
        assert!(store.get(&key).unwrap().is_none(), "nothing was opened before the fork");
        becomes(std::process::id() ^ 1);
        for _ in 0..2 {
            let told = store.get(&key).unwrap_err().to_string();
            assert!(told.contains("before this process was forked"), "{told}");
        }
        becomes(std::process::id());
        assert!(store.get(&key).unwrap().is_none(), "the parent goes on");
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
