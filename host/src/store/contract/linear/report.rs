//! A history that no register gives, cut short where it went wrong.

use std::fmt;

use super::history::{Answer, Call};
use super::register::{Verdict, judge};

/// The calls up to the answer that cannot be.
pub(super) struct Story {
    calls: Vec<Call>,
    last: Option<Call>,
}

impl Story {
    pub(super) fn of(calls: &[Call], spurious: bool) -> Self {
        let mut ends: Vec<u64> = calls.iter().map(|call| call.ended).collect();
        ends.sort_unstable();
        // What began a history that a register gives is one, too: so the first end that does not fit can be halved for.
        let at = ends.partition_point(|end| judge(&until(calls, *end), spurious) != Verdict::Impossible);
        let end = ends.get(at).copied().unwrap_or(u64::MAX);
        let mut shown = until(calls, end);
        shown.sort_by_key(|call| call.began);
        Self { last: calls.iter().find(|call| call.ended == end).copied(), calls: shown }
    }
}

/// What had been seen when a call ended: those that were under way are unknown, for all that was known then.
fn until(calls: &[Call], end: u64) -> Vec<Call> {
    let begun = calls.iter().filter(|call| call.began <= end);
    let as_seen = begun.map(|call| match call.answer {
        _ if call.ended <= end => *call,
        _ => Call { answer: Answer::Unknown, ..*call },
    });
    as_seen.filter(|call| !call.is_a_read_without_answer()).collect()
}

impl Call {
    fn is_a_read_without_answer(&self) -> bool {
        self.act == super::history::Act::Get && self.answer == Answer::Unknown
    }
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "no order of these calls is that of a register (began..ended; a write is named by its number):")?;
        for call in &self.calls {
            let mark = if self.last.is_some_and(|last| last.ended == call.ended) { "   <- cannot be" } else { "" };
            writeln!(f, "{call}{mark}")?;
        }
        Ok(())
    }
}
