//! Where the floor keeps its rows: a map, or SQLite without anything around it.

use std::collections::HashMap;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, params};

/// 64 random bits in base64url.
pub(crate) type Version = [u8; 11];

/// A row as it is read.
pub(crate) struct Found {
    pub(crate) version: Version,
    pub(crate) body: Vec<u8>,
}

/// A row as it is written.
pub(crate) struct Row {
    pub(crate) version: Version,
    pub(crate) body: Vec<u8>,
    pub(crate) expires_at: u64,
    pub(crate) owners: [String; 2],
}

pub(crate) trait Table {
    fn get(&self, key: &str) -> Option<Found>;
    fn insert(&mut self, key: String, row: Row) -> bool;
    fn replace(&mut self, key: &str, expect: &Version, row: Row) -> bool;
}

impl Table for HashMap<String, Row> {
    fn get(&self, key: &str) -> Option<Found> {
        self.get(key).map(|row| Found { version: row.version, body: row.body.clone() })
    }

    fn insert(&mut self, key: String, row: Row) -> bool {
        self.insert(key, row).is_none()
    }

    fn replace(&mut self, key: &str, expect: &Version, row: Row) -> bool {
        match self.get_mut(key) {
            Some(stored) if stored.version == *expect => {
                *stored = row;
                true
            }
            _ => false,
        }
    }
}

pub(crate) const GET: &str = "select version, body from proofkey where key = ?1";
pub(crate) const INSERT: &str = "
    insert into proofkey (key, version, body, expires_at, owner1, owner2, owner3)
    values (?1, ?2, ?3, ?4, ?5, ?6, null) on conflict do nothing";
pub(crate) const REPLACE: &str = "
    update proofkey set version = ?2, body = ?3, expires_at = ?4, owner1 = ?5, owner2 = ?6, owner3 = null
    where key = ?1 and version = ?7";

/// A connection to a file whose tables and indexes a store has made.
pub(crate) fn open(path: &Path, synchronous: &str) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "synchronous", synchronous)?;
    Ok(connection)
}

impl Table for Connection {
    fn get(&self, key: &str) -> Option<Found> {
        let mut statement = self.prepare_cached(GET).ok()?;
        let found = statement
            .query_row([key], |row| Ok(Found { version: version(row.get_ref(0)?.as_str()?), body: row.get(1)? }));
        found.optional().ok()?
    }

    fn insert(&mut self, key: String, row: Row) -> bool {
        insert(self, &key, &row) == Ok(1)
    }

    fn replace(&mut self, key: &str, expect: &Version, row: Row) -> bool {
        replace(self, key, expect, &row) == Ok(1)
    }
}

pub(crate) fn insert(connection: &Connection, key: &str, row: &Row) -> rusqlite::Result<usize> {
    let [one, two] = &row.owners;
    let expires_at = i64::try_from(row.expires_at).unwrap_or(i64::MAX);
    connection.prepare_cached(INSERT)?.execute(params![key, text(&row.version), row.body, expires_at, one, two])
}

pub(crate) fn replace(connection: &Connection, key: &str, expect: &Version, row: &Row) -> rusqlite::Result<usize> {
    let [one, two] = &row.owners;
    let expires_at = i64::try_from(row.expires_at).unwrap_or(i64::MAX);
    connection.prepare_cached(REPLACE)?.execute(params![
        key,
        text(&row.version),
        row.body,
        expires_at,
        one,
        two,
        text(expect)
    ])
}

fn version(text: &str) -> Version {
    text.as_bytes().try_into().unwrap_or_default()
}

fn text(version: &Version) -> &str {
    std::str::from_utf8(version).unwrap_or_default()
}
