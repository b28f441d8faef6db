//! Unknown outcomes: writes that are answered by an error, whatever became of them.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use proofkey_core::{Key, StoreError, Version, Write};

use super::dice::Dice;
use crate::store::Store;

/// One change, on its way to a store.
#[derive(Clone)]
pub(super) enum Change {
    Delete(Key, Version),
    Put(Write),
}

impl Change {
    fn make(&self, store: &impl Store) -> Result<bool, StoreError> {
        match self {
            Self::Delete(key, expect) => store.delete(key, expect),
            Self::Put(write) => store.put(write),
        }
    }
}

/// Changes that were answered by an error, and that another thread makes later.
#[derive(Default)]
pub(super) struct Unsure(Mutex<VecDeque<Change>>);

impl Unsure {
    /// Makes a change. One in seven is answered by an error: it was made all the same, was not, or is made later.
    pub(super) fn make(&self, change: &Change, store: &impl Store, dice: &mut Dice) -> Result<bool, StoreError> {
        let unknown = || StoreError::new("the answer was lost");
        match dice.below(21) {
            0 => Err(unknown()),
            1 => change.make(store).and_then(|_| Err(unknown())),
            2 => {
                self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(change.clone());
                Err(unknown())
            }
            _ => change.make(store),
        }
    }

    /// Makes the oldest of the changes that were put off; nobody hears of its outcome.
    pub(super) fn catch_up(&self, store: &impl Store) {
        let change = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        if let Some(change) = change {
            let _ = change.make(store);
        }
    }
}
