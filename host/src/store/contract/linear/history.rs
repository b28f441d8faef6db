//! Calls as they were recorded.

use std::fmt;

/// One call of one thread, and what it was answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub(super) thread: usize,
    pub(super) key: usize,
    pub(super) act: Act,
    pub(super) answer: Answer,
    /// Before the call.
    pub(super) began: u64,
    /// After it.
    pub(super) ended: u64,
}

/// What was asked. Writes have numbers; a number stands for the version and body of its write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Delete { expect: usize },
    Get,
    Put { expect: Option<usize>, new: usize },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Whether it was done.
    Done(bool),
    Found(Option<usize>),
    /// It may have been done, be done later, or never.
    Unknown,
}

/// What a read gives that nobody wrote: no number of a write.
pub(super) const NEVER_WRITTEN: usize = usize::MAX;

fn name(number: Option<usize>) -> String {
    match number {
        None => "nothing".to_owned(),
        Some(NEVER_WRITTEN) => "what nobody wrote".to_owned(),
        Some(number) => format!("w{number}"),
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>4}..{:<4} thread {}: ", self.began, self.ended, self.thread)?;
        match self.act {
            Act::Delete { expect } => write!(f, "delete {}", name(Some(expect)))?,
            Act::Get => f.write_str("get")?,
            Act::Put { expect, new } => write!(f, "put {} over {}", name(Some(new)), name(expect))?,
        }
        match self.answer {
            Answer::Done(done) => write!(f, " -> {done}"),
            Answer::Found(found) => write!(f, " -> {}", name(found)),
            Answer::Unknown => f.write_str(" -> unknown"),
        }
    }
}
