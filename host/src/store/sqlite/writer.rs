//! The one writer of a process: it commits whatever is waiting as one transaction.
//!
//! There is no thread for it. A caller puts its change into the queue; if nobody leads, it does: it takes the whole
//! queue, commits it, hands each caller its result, and passes the lead on to the first who came meanwhile.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use proofkey_core::{Key, StoreError, UnixTime, Version, Write};
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior, params};

use super::Synchronous;
use super::connection::{failed, open_writer};
use super::readers::Readers;

/// The most changes of one transaction.
const MAX_BATCH: usize = 256;
/// How long a leader waits for as many callers as the last batch had: they have just been answered, and come again.
const GATHERING: Duration = Duration::from_micros(150);

const INSERT: &str = "
    insert into proofkey (key, version, body, expires_at, owner1, owner2, owner3)
    values (?1, ?2, ?3, ?4, ?5, ?6, ?7) on conflict do nothing";
const REPLACE: &str = "
    update proofkey set version = ?2, body = ?3, expires_at = ?4, owner1 = ?5, owner2 = ?6, owner3 = ?7
    where key = ?1 and version = ?8";
const REPLACE_BODY: &str = "update proofkey set version = ?2, body = ?3 where key = ?1 and version = ?4";
const DELETE: &str = "delete from proofkey where key = ?1 and version = ?2";
const SWEEP: &str = "
    delete from proofkey where key in
    (select key from proofkey where expires_at <= ?1 order by expires_at limit ?2)";

/// One change of one caller. Its result is the number of rows that it changed.
pub(super) enum Change {
    Delete(Key, Version),
    Put(Write),
    Sweep(UnixTime, usize),
}

impl Change {
    fn run(&self, transaction: &Transaction<'_>) -> Result<usize, rusqlite::Error> {
        let run = |statement: &str, parameters: &[&dyn rusqlite::ToSql]| {
            transaction.prepare_cached(statement)?.execute(parameters)
        };
        match self {
            Self::Delete(key, expect) => run(DELETE, params![key.as_str(), expect.as_str()]),
            Self::Put(write) => {
                let (key, version, body) = (write.key().as_str(), write.version().as_str(), &write.body()[..]);
                let owner = |at: usize| write.owners().get(at).map(|owner| owner.as_str());
                let expires_at = seconds(write.expires_at());
                let owners = (owner(0), owner(1), owner(2));
                match write.expect() {
                    None => run(INSERT, params![key, version, body, expires_at, owners.0, owners.1, owners.2]),
                    Some(expect) if write.index_kept() => {
                        run(REPLACE_BODY, params![key, version, body, expect.as_str()])
                    }
                    Some(expect) => run(
                        REPLACE,
                        params![key, version, body, expires_at, owners.0, owners.1, owners.2, expect.as_str()],
                    ),
                }
            }
            Self::Sweep(now, limit) => run(SWEEP, params![seconds(*now), i64::try_from(*limit).unwrap_or(i64::MAX)]),
        }
    }
}

fn seconds(time: UnixTime) -> i64 {
    i64::try_from(time.seconds()).unwrap_or(i64::MAX)
}

/// Where a caller stands.
enum Standing {
    Done(Result<usize, StoreError>),
    /// Nobody leads any more: this caller does.
    Leads,
    Waits,
}

/// A change in the queue, and the place where its caller waits.
struct Ticket {
    change: Change,
    standing: Mutex<Standing>,
    changed: Condvar,
}

impl Ticket {
    fn set(&self, standing: Standing) {
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner) = standing;
        self.changed.notify_one();
    }

    /// Waits until there is a result, or the lead has passed to this caller.
    fn wait(&self) -> Option<Result<usize, StoreError>> {
        let standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = |standing: &mut Standing| matches!(standing, Standing::Waits);
        let mut standing = self.changed.wait_while(standing, waits).unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *standing, Standing::Waits) {
            Standing::Done(result) => Some(result),
            Standing::Leads | Standing::Waits => None,
        }
    }
}

#[derive(Default)]
struct Queue {
    tickets: VecDeque<Arc<Ticket>>,
    led: bool,
    last_batch: usize,
}

pub(super) struct Writer {
    queue: Mutex<Queue>,
    arrived: Condvar,
    path: PathBuf,
    synchronous: Synchronous,
    readers: Arc<Readers>,
    /// None after a write that met files which may only be read.
    connection: Mutex<Option<Connection>>,
}

impl Writer {
    /// Opens the file, whose readers in this process are `readers`.
    pub(super) fn open(path: &Path, synchronous: Synchronous, readers: Arc<Readers>) -> Result<Self, StoreError> {
        let connection = Mutex::new(Some(open_writer(path, synchronous)?));
        let (queue, arrived, path) = (Mutex::default(), Condvar::new(), path.to_owned());
        Ok(Self { queue, arrived, path, synchronous, readers, connection })
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Commits a change, with whatever else is waiting.
    pub(super) fn submit(&self, change: Change) -> Result<usize, StoreError> {
        let ticket = Arc::new(Ticket { change, standing: Mutex::new(Standing::Waits), changed: Condvar::new() });
        {
            let mut queue = self.queue();
            queue.tickets.push_back(Arc::clone(&ticket));
            if queue.led {
                drop(queue);
                self.arrived.notify_one();
                if let Some(result) = ticket.wait() {
                    return result;
                }
            } else {
                queue.led = true;
            }
        }
        self.lead();
        // The leader's own ticket is the first of the queue, so its batch held it.
        ticket.wait().unwrap_or_else(|| Err(StoreError::new("a change was passed over")))
    }

    /// Commits one batch, and passes the lead on.
    fn lead(&self) {
        let batch = self.gather();
        let outcomes = self.commit(&batch);
        // Whoever leads next begins while the callers of this batch are woken.
        let mut queue = self.queue();
        queue.last_batch = batch.len();
        match queue.tickets.front() {
            Some(next) => next.set(Standing::Leads),
            None => queue.led = false,
        }
        drop(queue);
        match outcomes {
            Ok(changed) => {
                for (ticket, changed) in batch.iter().zip(changed) {
                    ticket.set(Standing::Done(Ok(changed)));
                }
            }
            Err(error) => {
                let text = error.to_string();
                for ticket in &batch {
                    ticket.set(Standing::Done(Err(StoreError::new(text.clone()))));
                }
            }
        }
    }

    fn gather(&self) -> Vec<Arc<Ticket>> {
        let mut queue = self.queue();
        let expected = queue.last_batch.min(MAX_BATCH);
        let until = Instant::now() + GATHERING;
        while queue.tickets.len() < expected {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            queue = self.arrived.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        let size = queue.tickets.len().min(MAX_BATCH);
        queue.tickets.drain(..size).collect()
    }

    /// All or nothing: after an error every outcome of the batch is unknown.
    fn commit(&self, batch: &[Arc<Ticket>]) -> Result<Vec<usize>, StoreError> {
        let mut kept = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let mut connection = match kept.take() {
            Some(connection) => connection,
            // What SQLite opened for reading stays so, and what shares it between connections too, until the last one
            // of this process is closed: so the file is opened anew, for it may be possible to write to it by now.
            None => self.readers.while_closed(|| open_writer(&self.path, self.synchronous))?,
        };
        let changed = run(&mut connection, batch);
        let is_read_only = |error: &rusqlite::Error| error.sqlite_error_code() == Some(ErrorCode::ReadOnly);
        if !changed.as_ref().is_err_and(is_read_only) {
            *kept = Some(connection);
        }
        changed.map_err(failed)
    }
}

fn run(connection: &mut Connection, batch: &[Arc<Ticket>]) -> Result<Vec<usize>, rusqlite::Error> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let changed: Vec<usize> =
        batch.iter().map(|ticket| ticket.change.run(&transaction)).collect::<Result<_, rusqlite::Error>>()?;
    transaction.commit()?;
    Ok(changed)
}
