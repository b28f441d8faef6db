//! What many worlds came to.

use std::fmt;

use serde::Serialize;

use crate::answer::Answer;
use crate::call::Operation;
use crate::fault::Fault;

/// Fewer tokens than this make no world: what happened there says nothing.
pub const FEWEST_TOKENS: u64 = 10;

/// Answers to one operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Answers {
    /// Requests that were granted.
    pub granted: u64,
    /// Requests that were refused.
    pub refused: u64,
    /// Requests that came too often.
    pub held_off: u64,
    /// Requests that could not be answered, 503.
    pub unavailable: u64,
}

/// Counts of one world, or of many.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Tally {
    /// By [`Operation::ALL`].
    pub answers: [Answers; Operation::ALL.len()],
    /// Worlds in which a fault changed an outcome, by [`Fault::ALL`].
    pub faulty_worlds: [u64; Fault::ALL.len()],
    /// How often a fault changed an outcome, by [`Fault::ALL`].
    pub faults: [u64; Fault::ALL.len()],
    /// Worlds that issued at least ten tokens.
    pub worlds: u64,
    /// Worlds that issued fewer, and do not count.
    pub idle_worlds: u64,
    /// Tokens that were issued.
    pub tokens: u64,
    /// Steps: store calls, questions to the host, moves of actors.
    pub steps: u64,
}

impl Tally {
    pub(crate) fn answered(&mut self, operation: Operation, answer: &Answer) {
        let answers = &mut self.answers[operation as usize];
        let count = match answer.status {
            200 => &mut answers.granted,
            429 => &mut answers.held_off,
            500.. => &mut answers.unavailable,
            _ => &mut answers.refused,
        };
        *count += 1;
    }

    pub(crate) fn struck(&mut self, fault: Fault) {
        self.faults[fault as usize] += 1;
    }

    /// Closes the counts of one world.
    pub(crate) fn close(&mut self) {
        if self.tokens < FEWEST_TOKENS {
            *self = Self { idle_worlds: 1, ..Self::default() };
            return;
        }
        self.worlds = 1;
        self.faulty_worlds = self.faults.map(|count| u64::from(count > 0));
    }

    /// Adds the counts of other worlds.
    pub fn add(&mut self, other: &Self) {
        for (to, from) in self.answers.iter_mut().zip(other.answers) {
            to.granted += from.granted;
            to.refused += from.refused;
            to.held_off += from.held_off;
            to.unavailable += from.unavailable;
        }
        for (to, from) in self.faulty_worlds.iter_mut().zip(other.faulty_worlds) {
            *to += from;
        }
        for (to, from) in self.faults.iter_mut().zip(other.faults) {
            *to += from;
        }
        self.worlds += other.worlds;
        self.idle_worlds += other.idle_worlds;
        self.tokens += other.tokens;
        self.steps += other.steps;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mean = self.steps.checked_div(self.worlds).unwrap_or(0);
        writeln!(f, "worlds          {:>12}   of {mean} steps, {} tokens in all", self.worlds, self.tokens)?;
        writeln!(f, "not counted     {:>12}   issued fewer than {FEWEST_TOKENS} tokens", self.idle_worlds)?;
        writeln!(f, "\n{:<16}{:>12}{:>12}{:>12}{:>12}", "operation", "granted", "refused", "429", "503")?;
        for (operation, answers) in Operation::ALL.into_iter().zip(self.answers) {
            let Answers { granted, refused, held_off, unavailable } = answers;
            writeln!(f, "{:<16}{granted:>12}{refused:>12}{held_off:>12}{unavailable:>12}", operation.name())?;
        }
        writeln!(f, "\n{:<32}{:>14}{:>16}", "fault that changed an outcome", "times", "share of worlds")?;
        for (fault, (times, worlds)) in Fault::ALL.into_iter().zip(self.faults.into_iter().zip(self.faulty_worlds)) {
            let share = (worlds * 1000).checked_div(self.worlds).unwrap_or(0);
            writeln!(f, "{:<32}{times:>14}{:>13}.{} %", fault.name(), share / 10, share % 10)?;
        }
        Ok(())
    }
}
