//! How a connection is opened, and what the database looks like.

use std::path::Path;
use std::time::Duration;

use proofkey_core::StoreError;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::Synchronous;

/// The version of the tables below. A newer one is refused: it may mean something else.
const SCHEMA: i64 = 1;
/// How long a connection waits for a writer of another process; less than the default `store_timeout`.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Rows live in the tree of their key. The tags' indexes hold only rows that carry one; each of them is followed by
/// the key, so that a page of `find` is one range of each.
const TABLES: &str = "
    create table if not exists proofkey_schema (version integer not null);
    create table if not exists proofkey (
        key text not null primary key,
        version text not null,
        body blob not null,
        expires_at integer not null,
        owner1 text,
        owner2 text,
        owner3 text
    ) without rowid;
    create index if not exists proofkey_expires_at on proofkey (expires_at);
    create index if not exists proofkey_owner1 on proofkey (owner1) where owner1 is not null;
    create index if not exists proofkey_owner2 on proofkey (owner2) where owner2 is not null;
    create index if not exists proofkey_owner3 on proofkey (owner3) where owner3 is not null;
";

pub(super) fn failed(error: rusqlite::Error) -> StoreError {
    StoreError::new(error)
}

/// Makes the file if there is none, readable and writable by its owner alone; SQLite gives its log the same mode.
pub(super) fn create(path: &Path) -> Result<(), StoreError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(StoreError::new(format!("{}: {error}", path.display()))),
    }
}

/// What tells a file from another that has taken its name.
pub(super) type Identity = (u64, u64);

/// The identity of the file at a path; nothing if there is none, or the system has no such thing.
pub(super) fn identity(path: &Path) -> Option<Identity> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}

fn open(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(PATIENCE).map_err(failed)?;
    Ok(connection)
}

/// A connection that only reads.
pub(super) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let connection = open(path)?;
    connection.pragma_update(None, "query_only", true).map_err(failed)?;
    Ok(connection)
}

/// The connection that writes; makes the tables where there are none.
pub(super) fn open_writer(path: &Path, synchronous: Synchronous) -> Result<Connection, StoreError> {
    let mut connection = open(path)?;
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0)).map_err(failed)?;
    if mode != "wal" {
        return Err(StoreError::new(format!("{} cannot be kept in WAL mode: the mode is {mode}", path.display())));
    }
    let level = match synchronous {
        Synchronous::Full => "full",
        Synchronous::Normal => "normal",
    };
    connection.pragma_update(None, "synchronous", level).map_err(failed)?;
    if version(&connection).ok() != Some(SCHEMA) {
        prepare(&mut connection)?;
    }
    Ok(connection)
}

fn version(connection: &Connection) -> Result<i64, rusqlite::Error> {
    connection.query_row("select max(version) from proofkey_schema", [], |row| row.get(0))
}

/// Makes the tables in one transaction, so that of several processes that start at once one does it.
fn prepare(connection: &mut Connection) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    transaction.execute_batch(TABLES).map_err(failed)?;
    let known: Option<i64> =
        transaction.query_row("select max(version) from proofkey_schema", [], |row| row.get(0)).map_err(failed)?;
    match known {
        None => {
            transaction.execute("insert into proofkey_schema values (?1)", [SCHEMA]).map_err(failed)?;
        }
        Some(SCHEMA) => {}
        Some(other) => {
            let text = format!("the database has schema {other}, this proofkey knows {SCHEMA}; use a newer proofkey");
            return Err(StoreError::new(text));
        }
    }
    transaction.commit().map_err(failed)
}
