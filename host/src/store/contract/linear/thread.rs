//! What one thread of a history does.

use std::sync::atomic::Ordering;

use proofkey_core::Record;

use super::Shared;
use super::dice::Dice;
use super::history::{Act, Answer, Call, NEVER_WRITTEN};
use super::unsure::Change;
use crate::store::Store;
use crate::store::contract::{version, write};

pub(super) struct Thread<'a, S> {
    number: usize,
    dice: Dice,
    shared: &'a Shared,
    store: &'a S,
    /// What it believes each key to hold: what it read or wrote last.
    believes: Vec<Option<usize>>,
    pub(super) calls: Vec<Call>,
}

impl<'a, S: Store> Thread<'a, S> {
    pub(super) fn new(number: usize, dice: Dice, shared: &'a Shared, store: &'a S) -> Self {
        Self { number, dice, shared, store, believes: vec![None; shared.names.len()], calls: Vec::new() }
    }

    pub(super) fn run(&mut self, operations: usize) -> Vec<Call> {
        let mut again = None;
        for _ in 0..operations {
            if self.dice.once_in(3) {
                self.shared.unsure.catch_up(self.store);
            }
            let (key, act) = again.take().unwrap_or_else(|| self.choose());
            let answer = self.call(key, act);
            again = match (act, answer) {
                // The core repeats an identical write whose outcome it was not told; other callers give up.
                (Act::Delete { .. } | Act::Put { .. }, Answer::Unknown) if self.dice.once_in(2) => Some((key, act)),
                // Whoever lost a race reads again, or tries its luck.
                (_, Answer::Done(false)) if self.dice.once_in(2) => Some((key, Act::Get)),
                _ => None,
            };
        }
        std::mem::take(&mut self.calls)
    }

    /// Reads every key once.
    pub(super) fn read_all(&mut self) {
        for key in 0..self.shared.names.len() {
            self.call(key, Act::Get);
        }
    }

    fn choose(&mut self) -> (usize, Act) {
        let key = self.dice.below(self.shared.names.len());
        let expect = self.expectation(key);
        let act = match (self.dice.below(20), expect) {
            (0..8, _) => Act::Get,
            (8..11, Some(expect)) => Act::Delete { expect },
            _ => Act::Put { expect, new: self.shared.issued.fetch_add(1, Ordering::Relaxed) },
        };
        (key, act)
    }

    /// What it believes, or a blind guess.
    fn expectation(&mut self, key: usize) -> Option<usize> {
        match self.dice.below(12) {
            0 => None,
            1 => self.shared.issued.load(Ordering::Relaxed).checked_sub(1).map(|last| self.dice.below(last + 1)),
            _ => self.believes[key],
        }
    }

    fn call(&mut self, key: usize, act: Act) -> Answer {
        let began = self.shared.clock.tick();
        self.pause();
        let answer = self.ask(key, act);
        self.pause();
        let ended = self.shared.clock.tick();
        match (act, answer) {
            (Act::Put { new, .. }, Answer::Done(true)) => self.believes[key] = Some(new),
            (Act::Delete { .. }, Answer::Done(true)) => self.believes[key] = None,
            (_, Answer::Found(found)) => self.believes[key] = found,
            (_, Answer::Done(_) | Answer::Unknown) => {}
        }
        // A read that failed says nothing.
        if (act, answer) != (Act::Get, Answer::Unknown) {
            self.calls.push(Call { thread: self.number, key, act, answer, began, ended });
        }
        answer
    }

    /// Lets others come between, on machines with few cores.
    fn pause(&mut self) {
        if self.dice.once_in(2) {
            std::thread::yield_now();
        }
    }

    fn ask(&mut self, key: usize, act: Act) -> Answer {
        let name = &self.shared.names[key];
        let change = match act {
            Act::Get => {
                return match self.store.get(name) {
                    Ok(found) => Answer::Found(found.map(|record| number(&record))),
                    Err(_) => Answer::Unknown,
                };
            }
            Act::Delete { expect } => Change::Delete(name.clone(), version(expect)),
            Act::Put { expect: None, new } => Change::Put(write(name.as_str(), new)),
            // All writes have the same expiry and no tags, so that the index is kept; some say so.
            Act::Put { expect: Some(expect), new } if new % 2 == 0 => {
                Change::Put(write(name.as_str(), new).expecting(version(expect)).keeping_index())
            }
            Act::Put { expect: Some(expect), new } => Change::Put(write(name.as_str(), new).expecting(version(expect))),
        };
        match self.shared.unsure.make(&change, self.store, &mut self.dice) {
            Ok(done) => Answer::Done(done),
            Err(_) => Answer::Unknown,
        }
    }
}

/// The number of the write that a record is of: version and body must be of the same one.
fn number(record: &Record) -> usize {
    let number = record.version().as_str().strip_prefix('v').and_then(|digits| digits.parse().ok());
    number.filter(|number| *record.body() == format!("body {number}")).unwrap_or(NEVER_WRITTEN)
}
