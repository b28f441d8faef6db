//! Rows as large as grants, by number, and the directory where their files are.

use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use proofkey::UnixTime;
use proofkey::core::{Key, Owner, Version, Write};
use proofkey::store::{SqliteStore, Store as _};
use rusqlite::Connection;

use crate::floor::name;
use crate::floor::table::{self, Row};
use crate::world::START;

/// A sealed grant with one access token is about as large.
const BODY: usize = 330;
/// Grants a user.
const GRANTS: usize = 4;

/// The row of this number, and its key.
pub(crate) fn row(number: usize) -> (String, Row) {
    let mut version = *b"AAAAAAAAAAA";
    for (at, digit) in version.iter_mut().zip(number.to_string().bytes()) {
        *at = digit;
    }
    let hours = u64::try_from(number % 720).unwrap_or(0);
    let row = Row {
        version,
        body: vec![u8::try_from(number % 251).unwrap_or(0); BODY],
        expires_at: (START / 3600 + 720 + hours) * 3600,
        owners: [name("user", &(number / GRANTS).to_be_bytes()), name("client", b"web")],
    };
    (name("key", &number.to_be_bytes()), row)
}

/// The same row as a write of a new key.
pub(crate) fn write(number: usize) -> Write {
    let (key, row) = row(number);
    let owners = row.owners.iter().map(|owner| Owner::parse(owner).expect("a hash is a tag"));
    let version = std::str::from_utf8(&row.version).expect("digits and letters");
    let version = Version::parse(version).expect("eleven characters are a version");
    let key = Key::parse(&key).expect("a hash is a key");
    Write::new(key, version, Bytes::from(row.body), UnixTime::from_seconds(row.expires_at)).owned_by(owners.collect())
}

/// The same write, over the row that is there.
pub(crate) fn replacement(number: usize) -> Write {
    let write = write(number);
    let version = *write.version();
    write.expecting(version)
}

/// Fills a file with the rows below `rows`, in the order of their keys and its indexes last: the quickest way.
pub(crate) fn fill(raw: &Connection, rows: usize) -> rusqlite::Result<()> {
    let indexes: Vec<(String, String)> = {
        let mut statement =
            raw.prepare("select name, sql from sqlite_master where type = 'index' and sql is not null")?;
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?
    };
    let mut keys: Vec<(String, usize)> = (0..rows).map(|number| (name("key", &number.to_be_bytes()), number)).collect();
    keys.sort_unstable();
    raw.pragma_update(None, "synchronous", "off")?;
    for (index, _) in &indexes {
        raw.execute_batch(&format!("drop index {index}"))?;
    }
    for some in keys.chunks(20_000) {
        let transaction = raw.unchecked_transaction()?;
        for (key, number) in some {
            table::insert(&transaction, key, &row(*number).1)?;
        }
        transaction.commit()?;
    }
    for (_, create) in &indexes {
        raw.execute_batch(create)?;
    }
    raw.execute_batch("pragma wal_checkpoint(truncate)")
}

/// A directory of this process that goes with the value.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new(name: &str) -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("proofkey-bench-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A store of ours, its tables made.
    pub(crate) fn store(&self, name: &str) -> SqliteStore {
        let store = SqliteStore::new(self.file(name));
        let nothing = Key::parse("nothing").expect("a word is a key");
        // Readers do not make tables; the first write does.
        store.delete(&nothing, &Version::parse("none").expect("a word is a version")).expect("the store opens");
        store
    }

    /// A connection of rusqlite's to a file with the same tables and indexes.
    pub(crate) fn raw(&self, name: &str) -> Connection {
        drop(self.store(name));
        open(&self.file(name))
    }
}

fn open(path: &Path) -> Connection {
    table::open(path, "full").expect("the file is there")
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
