//! Connections that read, as many as threads read at once.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, RwLock};

use bytes::Bytes;
use proofkey_core::{Key, Query, Record, StoreError, Version};
use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Row, params};

use super::connection::{failed, open_reader};

/// Idle connections that are kept.
const KEPT: usize = 16;

const GET: &str = "select version, body from proofkey where key = ?1";
const FIND: &str = "
    select key from proofkey where owner1 = ?1 and key > ?2
    union select key from proofkey where owner2 = ?1 and key > ?2
    union select key from proofkey where owner3 = ?1 and key > ?2
    order by key limit ?3";

pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    /// Held for reading while a connection is in use.
    used: RwLock<()>,
}

impl Readers {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), idle: Mutex::new(Vec::new()), used: RwLock::new(()) }
    }

    pub(super) fn get(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        self.with(GET, |statement| {
            statement.query_row([key.as_str()], |row| Ok(record(row))).optional().map_err(failed)?.transpose()
        })
    }

    pub(super) fn find(&self, query: &Query) -> Result<Vec<Key>, StoreError> {
        let limit = i64::try_from(query.limit()).unwrap_or(i64::MAX);
        self.with(FIND, |statement| {
            let rows = statement
                .query_map(params![query.owner().as_str(), query.after(), limit], |row| row.get::<_, String>(0));
            rows.map_err(failed)?.map(|key| Key::parse(&key.map_err(failed)?).map_err(StoreError::new)).collect()
        })
    }

    /// Runs something while no connection of these is open.
    pub(super) fn while_closed<R>(&self, run: impl FnOnce() -> R) -> R {
        let _none = self.used.write().unwrap_or_else(PoisonError::into_inner);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
        run()
    }

    /// Runs a statement on an idle connection, or on a new one. A connection that failed is not used again.
    fn with<R>(
        &self,
        statement: &str,
        run: impl FnOnce(&mut CachedStatement<'_>) -> Result<R, StoreError>,
    ) -> Result<R, StoreError> {
        let _used = self.used.read().unwrap_or_else(PoisonError::into_inner);
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => open_reader(&self.path)?,
        };
        let answer = run(&mut connection.prepare_cached(statement).map_err(failed)?)?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            idle.push(connection);
        }
        Ok(answer)
    }
}

fn record(row: &Row<'_>) -> Result<Record, StoreError> {
    let version = row.get_ref(0).and_then(|text| Ok(text.as_str()?)).map_err(failed)?;
    let version = Version::parse(version).map_err(StoreError::new)?;
    let body = row.get_ref(1).and_then(|blob| Ok(blob.as_blob()?)).map_err(failed)?;
    Ok(Record::new(version, Bytes::copy_from_slice(body)))
}
