//! Every order in which flows can meet at one store, and every place where the store can fail them.
//!
//! A flow cannot be copied, but it is a function of its request, its seed and its answers: so each order is run from
//! the start. The orders are counted through like the digits of a number: a run takes its choices from the digits it
//! was given and 0 after them, and notes how many there were at each point.

use proofkey::core::{Response, Step, Write};
use proofkey::store::Store;
use proofkey::{StoreError, UserAnswer, UserQuestion, Users as _};

use crate::faulty::Fault;
use crate::{People, Rows};

/// One thing that happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Move {
    /// A write whose answer was an error lands after all.
    Land,
    /// Flow `.0` takes its step, and the store does `.1` to it.
    Take(usize, Fault),
    /// As a lost answer, but the write lands only later.
    TakeLate(usize),
}

impl Move {
    /// The flow that takes a step.
    const fn flow(self) -> Option<usize> {
        match self {
            Self::Land => None,
            Self::Take(at, _) | Self::TakeLate(at) => Some(at),
        }
    }
}

/// How one order ended.
#[derive(Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// What each flow answered.
    pub replies: Vec<Response>,
    /// The store afterwards.
    pub rows: Rows,
    /// What happened, one after the other.
    pub moves: Vec<Move>,
}

impl Outcome {
    /// Whether nothing failed.
    #[must_use]
    pub fn is_faultless(&self) -> bool {
        self.moves.iter().all(|one| matches!(one, Move::Take(_, Fault::None)))
    }
}

/// Walks through all orders of some flows.
pub struct Explorer<'a> {
    rows: &'a Rows,
    people: &'a People,
    faults: usize,
    switches: usize,
}

impl<'a> Explorer<'a> {
    /// Starts each order from a copy of `rows`; the store fails at most `faults` times in each.
    #[must_use]
    pub const fn new(rows: &'a Rows, people: &'a People, faults: usize) -> Self {
        Self { rows, people, faults, switches: usize::MAX }
    }

    /// Leaves a flow that could go on for another one at most so often in each order: flows of many steps have more
    /// orders than there is time, and what goes wrong between two of them does so with few switches.
    #[must_use]
    pub const fn switching(mut self, most: usize) -> Self {
        self.switches = most;
        self
    }

    /// Runs every order of the flows that `start` begins, and shows `check` how each ended. Returns how many there are.
    pub fn run(&self, start: impl Fn() -> Vec<Step>, mut check: impl FnMut(&Outcome)) -> usize {
        let mut digits: Vec<usize> = Vec::new();
        let mut orders = 0;
        loop {
            let (outcome, bases) = self.once(start(), &digits);
            check(&outcome);
            orders += 1;
            // The next number: the last digit that can grow does, and what follows it falls away.
            digits.resize(bases.len(), 0);
            let Some(at) = (0..bases.len()).rev().find(|at| digits[*at] + 1 < bases[*at]) else { return orders };
            digits.truncate(at + 1);
            digits[at] += 1;
        }
    }

    fn once(&self, steps: Vec<Step>, digits: &[usize]) -> (Outcome, Vec<usize>) {
        let mut flows: Vec<Option<Step>> = steps.into_iter().map(Some).collect();
        let (rows, mut late, mut faults) = (self.rows.clone(), Vec::<Write>::new(), self.faults);
        let (mut moves, mut bases) = (Vec::new(), Vec::new());
        let (mut current, mut switches) = (None, self.switches);
        loop {
            let mut options = options(&flows, !late.is_empty(), faults);
            let goes_on = |at: &usize| flows.get(*at).is_some_and(|flow| !matches!(flow, None | Some(Step::Done(_))));
            current = current.filter(goes_on);
            if let (Some(current), 0) = (current, switches) {
                options.retain(|one| one.flow().is_none_or(|at| at == current));
            }
            let Some(fallback) = options.first() else { break };
            let digit = digits.get(bases.len()).copied().unwrap_or(0);
            let taken = options.get(digit).copied().unwrap_or(*fallback);
            bases.push(options.len());
            moves.push(taken);
            if let Some(at) = taken.flow() {
                switches -= usize::from(current.is_some_and(|current| current != at));
                current = Some(at);
            }
            match taken {
                Move::Land => {
                    let write = late.remove(0);
                    let _ = rows.put(&write); // an outdated write does not land
                }
                Move::Take(at, fault) => {
                    faults -= usize::from(fault != Fault::None);
                    let step = flows[at].take();
                    flows[at] = step.map(|step| answer(&rows, self.people, step, fault));
                }
                Move::TakeLate(at) => {
                    faults -= 1;
                    flows[at] = match flows[at].take() {
                        Some(Step::Put(put)) => {
                            late.push(put.write().clone());
                            Some(put.answer(Err(failed())))
                        }
                        other => other,
                    };
                }
            }
        }
        let replies = flows.into_iter().flatten().filter_map(|step| match step {
            Step::Done(reply) => Some(reply.into_value()),
            _ => None,
        });
        (Outcome { replies: replies.collect(), rows, moves }, bases)
    }
}

/// Answers the steps of one flow from a store that does not fail.
#[must_use]
pub fn drive<T>(rows: &Rows, people: &People, mut step: Step<T>) -> T {
    loop {
        match step {
            Step::Done(reply) => return reply.into_value(),
            other => step = answer(rows, people, other, Fault::None),
        }
    }
}

/// Answers one step from a store and a table of users, with or without a fault.
pub fn answer<T>(rows: &Rows, people: &People, step: Step<T>, fault: Fault) -> Step<T> {
    match step {
        Step::Delete(delete) => {
            let removed = conditional(fault, || rows.delete(delete.key(), delete.expect()));
            delete.answer(removed)
        }
        Step::Find(find) if fault == Fault::None => {
            let keys = rows.find(find.query());
            find.answer(keys)
        }
        Step::Find(find) => find.answer(Err(failed())),
        Step::Get(get) if fault == Fault::None => {
            let found = rows.get(get.key());
            get.answer(found)
        }
        Step::Get(get) => get.answer(Err(failed())),
        Step::Put(put) => {
            let stored = conditional(fault, || rows.put(put.write()));
            put.answer(stored)
        }
        Step::User(user) => {
            let answer = match user.question() {
                UserQuestion::Find { subject } if fault == Fault::None => people.find(subject),
                UserQuestion::FindByName { name } if fault == Fault::None => people.find_by_name(name),
                UserQuestion::StorePasswordHash { subject, hash, replaces } if fault == Fault::None => {
                    let kept = people.store_password_hash(subject, hash, replaces.as_deref());
                    kept.map(|kept| if kept { UserAnswer::Stored } else { UserAnswer::Absent })
                }
                _ => Err::<UserAnswer, _>(failed()),
            };
            user.answer(answer)
        }
        Step::Work(work) => work.run(),
        other => other,
    }
}

fn failed() -> StoreError {
    StoreError::new("the store was told to fail")
}

fn conditional(fault: Fault, act: impl FnOnce() -> Result<bool, StoreError>) -> Result<bool, StoreError> {
    match fault {
        Fault::Conflict => Ok(false),
        Fault::Fail | Fault::Late => Err(failed()), // what lands late is a move of its own here
        Fault::Lost => act().and_then(|_| Err(failed())),
        Fault::None => act(),
    }
}

fn options(flows: &[Option<Step>], late: bool, faults: usize) -> Vec<Move> {
    let mut options = Vec::new();
    for (at, flow) in flows.iter().enumerate() {
        let writes = match flow {
            None | Some(Step::Done(_)) => continue,
            Some(Step::Delete(_) | Step::Put(_)) => true,
            Some(_) => false,
        };
        options.push(Move::Take(at, Fault::None));
        if faults > 0 {
            options.push(Move::Take(at, Fault::Fail));
            if writes {
                options.extend([Move::Take(at, Fault::Conflict), Move::Take(at, Fault::Lost), Move::TakeLate(at)]);
            }
        }
    }
    if late {
        options.push(Move::Land);
    }
    options
}
