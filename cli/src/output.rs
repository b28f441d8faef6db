//! Where commands answer: text for people, or one JSON value for programs.

use std::fmt::Display;
use std::io::{ErrorKind, Write};

use serde::Serialize;

use crate::failure::Failure;

/// The two streams of a command.
pub(crate) struct Output<'a> {
    json: bool,
    stdout: &'a mut dyn Write,
    stderr: &'a mut dyn Write,
}

impl<'a> Output<'a> {
    pub(crate) fn new(json: bool, stdout: &'a mut dyn Write, stderr: &'a mut dyn Write) -> Self {
        Self { json, stdout, stderr }
    }

    /// Whether a program reads the answer.
    pub(crate) const fn is_json(&self) -> bool {
        self.json
    }

    /// The answer of a command: `value` with `--json`, else `text`.
    pub(crate) fn answer(&mut self, value: &impl Serialize, text: impl Display) -> Result<(), Failure> {
        let text = if self.json { serde_json::to_string(value)? } else { text.to_string() };
        match writeln!(self.stdout, "{}", text.trim_end()).and_then(|()| self.stdout.flush()) {
            // Whoever reads has seen enough: `proofkey check | head`.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            written => Ok(written?),
        }
    }

    /// Something for the operator that is no part of the answer.
    pub(crate) fn note(&mut self, text: impl Display) -> Result<(), Failure> {
        writeln!(self.stderr, "{text}")?;
        Ok(self.stderr.flush()?)
    }

    /// Says what went wrong; a stream that is closed hears nothing.
    pub(crate) fn fail(&mut self, failure: &Failure) {
        let _ = if self.json {
            serde_json::to_writer(&mut *self.stderr, failure).map_err(Into::into).and_then(|()| writeln!(self.stderr))
        } else {
            writeln!(self.stderr, "{failure}")
        };
    }
}
