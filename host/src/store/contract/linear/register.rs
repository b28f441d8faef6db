//! Whether calls on one key can have been those of a register.
//!
//! A history is linearizable if its calls can be put into one order in which each took effect between its beginning and
//! its end (Herlihy and Wing, 1990). The order is searched for call by call (Wing and Gong, 1993), and what was reached
//! once is not searched again: the set of calls placed so far, with what the register then holds (Lowe, 2017). Calls
//! that change nothing are placed as soon as they fit, since no later order needs them; so there is a choice only
//! between writes that expect the same.

use std::collections::HashSet;

use super::history::{Act, Answer, Call};

/// The most calls that are judged together: a set of them is a number.
pub(super) const MOST_CALLS: usize = 128;
/// The most steps of a search; histories of eight threads take some hundreds.
pub(super) const MOST_STEPS: usize = 1_000_000;

/// What a search found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Impossible,
    Linearizable {
        steps: usize,
    },
    /// The search was given up.
    Undecided,
}

/// A point of the search.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Point {
    /// The calls that have been placed, a bit each.
    placed: u128,
    holds: Option<usize>,
}

impl Call {
    /// What a register that holds `state` holds after this call; nothing if it would have answered otherwise.
    /// `spurious`: it may refuse what it could do.
    fn after(&self, state: Option<usize>, spurious: bool) -> Option<Option<usize>> {
        let (expect, new) = match (self.act, self.answer) {
            (Act::Get, Answer::Found(found)) => return (found == state).then_some(state),
            (Act::Get, _) => return None,
            (Act::Put { expect, new }, _) => (expect, Some(new)),
            (Act::Delete { expect }, _) => (Some(expect), None),
        };
        match self.answer {
            Answer::Done(false) => (spurious || state != expect).then_some(state),
            Answer::Done(true) | Answer::Unknown => (state == expect).then_some(new),
            Answer::Found(_) => None,
        }
    }

    const fn changes_nothing(&self) -> bool {
        matches!(self.answer, Answer::Done(false) | Answer::Found(_))
    }

    /// When it must have taken effect; an unknown one need not.
    const fn deadline(&self) -> u64 {
        match self.answer {
            Answer::Unknown => u64::MAX,
            Answer::Done(_) | Answer::Found(_) => self.ended,
        }
    }
}

/// Judges the calls on one key that held nothing before. Reads that failed are left out.
///
/// # Panics
/// If there are more than [`MOST_CALLS`].
pub(super) fn judge(calls: &[Call], spurious: bool) -> Verdict {
    assert!(calls.len() <= MOST_CALLS, "{} calls are more than a search takes", calls.len());
    let search = Search { calls, spurious };
    let mut steps = 0;
    let mut seen = HashSet::new();
    let mut open = vec![Point { placed: 0, holds: None }];
    while let Some(point) = open.pop() {
        steps += 1;
        if steps > MOST_STEPS {
            return Verdict::Undecided;
        }
        let point = search.settled(point);
        if search.is_complete(point) {
            return Verdict::Linearizable { steps };
        }
        open.extend(search.choices(point).filter(|next| seen.insert(*next)));
    }
    Verdict::Impossible
}

struct Search<'a> {
    calls: &'a [Call],
    spurious: bool,
}

impl Search<'_> {
    fn left(&self, point: Point) -> impl Iterator<Item = (u128, &Call)> {
        let with_bits = self.calls.iter().enumerate().map(|(at, call)| (1_u128 << at, call));
        with_bits.filter(move |(bit, _)| point.placed & bit == 0)
    }

    /// The calls that may be next: those that began before any other had to be over. With what the register then holds.
    fn choices(&self, point: Point) -> impl Iterator<Item = Point> {
        let bound = self.left(point).map(|(_, call)| call.deadline()).min().unwrap_or(u64::MAX);
        let next = self.left(point).filter(move |(_, call)| call.began < bound);
        next.filter_map(move |(bit, call)| {
            let holds = call.after(point.holds, self.spurious)?;
            Some(Point { placed: point.placed | bit, holds })
        })
    }

    /// The same point with every call placed that fits there and changes nothing.
    fn settled(&self, mut point: Point) -> Point {
        loop {
            let bound = self.left(point).map(|(_, call)| call.deadline()).min().unwrap_or(u64::MAX);
            let fits = |call: &Call| {
                call.changes_nothing() && call.began < bound && call.after(point.holds, self.spurious).is_some()
            };
            let placed = self.left(point).filter(|(_, call)| fits(call)).fold(0, |placed, (bit, _)| placed | bit);
            if placed == 0 {
                return point;
            }
            point.placed |= placed;
        }
    }

    /// Whether all calls are placed but those that need not be.
    fn is_complete(&self, point: Point) -> bool {
        self.left(point).all(|(_, call)| call.answer == Answer::Unknown)
    }
}

#[cfg(test)]
#[path = "register_tests.rs"]
mod tests;
