//! A store that notes every call and fails where it is told to.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use proofkey::core::{Key, Query, Record, UnixTime, Version, Write};
use proofkey::{StoreError, store::Store};

/// One of the five calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the contract has five calls")]
pub enum Call {
    /// `delete`
    Delete,
    /// `find`
    Find,
    /// `get`
    Get,
    /// `put`
    Put,
    /// `sweep`
    Sweep,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Delete => "delete",
            Self::Find => "find",
            Self::Get => "get",
            Self::Put => "put",
            Self::Sweep => "sweep",
        })
    }
}

/// What happens to a call instead of its doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "tests match on all of them")]
pub enum Fault {
    /// A conditional write is answered by "somebody was first", and is not done.
    Conflict,
    /// It fails, and is not done.
    Fail,
    /// It fails, and a write is done later, by [`Faulty::land`].
    Late,
    /// It is done, and its answer is lost.
    Lost,
    /// It goes through.
    None,
}

/// A write whose answer was an error, and which is under way still.
enum UnderWay {
    Delete(Key, Version),
    Put(Write),
}

#[derive(Default)]
struct State {
    calls: Vec<Call>,
    late: Vec<UnderWay>,
    plan: VecDeque<Fault>,
    down: bool,
}

/// A store around another one.
pub struct Faulty {
    inner: Arc<dyn Store>,
    state: Mutex<State>,
}

impl Faulty {
    /// Around `inner`; nothing fails until it is told to.
    #[must_use]
    pub fn around(inner: Arc<dyn Store>) -> Self {
        Self { inner, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What happens to the next calls, one after the other; those after them go through.
    pub fn plan(&self, faults: impl IntoIterator<Item = Fault>) {
        self.state().plan = faults.into_iter().collect();
    }

    /// Whether every call fails from now on.
    pub fn set_down(&self, down: bool) {
        self.state().down = down;
    }

    /// The calls since the last time this was asked.
    pub fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.state().calls)
    }

    /// Does what is under way still. Returns the keys of what was done: those of which the condition holds still.
    pub fn land(&self) -> Vec<Key> {
        let late = std::mem::take(&mut self.state().late);
        let land = |one| match one {
            UnderWay::Delete(key, expect) => self.inner.delete(&key, &expect).is_ok_and(|done| done).then_some(key),
            UnderWay::Put(write) => self.inner.put(&write).is_ok_and(|done| done).then(|| write.key().clone()),
        };
        late.into_iter().filter_map(land).collect()
    }

    fn next(&self, call: Call) -> Fault {
        let mut state = self.state();
        state.calls.push(call);
        let planned = state.plan.pop_front().unwrap_or(Fault::None);
        if state.down { Fault::Fail } else { planned }
    }

    fn write(
        &self,
        call: Call,
        late: impl FnOnce() -> UnderWay,
        act: impl FnOnce() -> Result<bool, StoreError>,
    ) -> Result<bool, StoreError> {
        match self.next(call) {
            Fault::Conflict => Ok(false),
            Fault::Fail => Err(failed()),
            Fault::Late => {
                self.state().late.push(late());
                Err(failed())
            }
            Fault::Lost => act().and_then(|_| Err(failed())),
            Fault::None => act(),
        }
    }

    fn read<T>(&self, call: Call, act: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        match self.next(call) {
            Fault::Fail | Fault::Late | Fault::Lost => Err(failed()),
            Fault::Conflict | Fault::None => act(),
        }
    }
}

fn failed() -> StoreError {
    StoreError::new("the store was told to fail")
}

impl Store for Faulty {
    fn get(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        self.read(Call::Get, || self.inner.get(key))
    }

    fn put(&self, write: &Write) -> Result<bool, StoreError> {
        self.write(Call::Put, || UnderWay::Put(write.clone()), || self.inner.put(write))
    }

    fn delete(&self, key: &Key, expect: &Version) -> Result<bool, StoreError> {
        self.write(Call::Delete, || UnderWay::Delete(key.clone(), *expect), || self.inner.delete(key, expect))
    }

    fn find(&self, query: &Query) -> Result<Vec<Key>, StoreError> {
        self.read(Call::Find, || self.inner.find(query))
    }

    fn sweep(&self, now: UnixTime, limit: usize) -> Result<usize, StoreError> {
        self.read(Call::Sweep, || self.inner.sweep(now, limit))
    }

    fn blocks(&self) -> bool {
        self.inner.blocks()
    }
}
