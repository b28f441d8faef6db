//! A store of futures that takes its time, or does not answer at all.

use std::collections::VecDeque;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use proofkey::core::{Key, Query, Record, UnixTime, Version, Write};
use proofkey::store::{AsyncStore, Store};
use proofkey::{BoxFuture, StoreError};

use crate::{Call, Rows};

/// How long a call takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "tests match on all of them")]
pub enum Pause {
    /// It is done after this time, and answered at once.
    Before(Duration),
    /// It is done at once, and never answered.
    HangAfter,
    /// It is neither done nor answered.
    HangBefore,
    /// It takes no time.
    None,
}

#[derive(Default)]
struct State {
    calls: Vec<Call>,
    plan: VecDeque<Pause>,
}

/// Rows behind calls that wait.
pub struct Slow {
    rows: Arc<Rows>,
    state: Mutex<State>,
}

impl Slow {
    /// In front of `rows`; nothing waits until it is told to.
    #[must_use]
    pub fn around(rows: Arc<Rows>) -> Self {
        Self { rows, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long the next calls take, one after the other; those after them take no time.
    pub fn plan(&self, pauses: impl IntoIterator<Item = Pause>) {
        self.state().plan = pauses.into_iter().collect();
    }

    /// The calls since the last time this was asked.
    pub fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.state().calls)
    }

    async fn call<T>(&self, call: Call, act: impl FnOnce(&Rows) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let pause = {
            let mut state = self.state();
            state.calls.push(call);
            state.plan.pop_front().unwrap_or(Pause::None)
        };
        match pause {
            Pause::Before(span) => {
                tokio::time::sleep(span).await;
                act(&self.rows)
            }
            Pause::HangAfter => {
                let _ = act(&self.rows);
                pending().await
            }
            Pause::HangBefore => pending().await,
            Pause::None => act(&self.rows),
        }
    }
}

impl AsyncStore for Slow {
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        Box::pin(self.call(Call::Get, |rows| rows.get(key)))
    }

    fn put<'a>(&'a self, write: &'a Write) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(self.call(Call::Put, |rows| rows.put(write)))
    }

    fn delete<'a>(&'a self, key: &'a Key, expect: &'a Version) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(self.call(Call::Delete, |rows| rows.delete(key, expect)))
    }

    fn find<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Result<Vec<Key>, StoreError>> {
        Box::pin(self.call(Call::Find, |rows| rows.find(query)))
    }

    fn sweep(&self, now: UnixTime, limit: usize) -> BoxFuture<'_, Result<usize, StoreError>> {
        Box::pin(self.call(Call::Sweep, move |rows| rows.sweep(now, limit)))
    }
}
