use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use crate::Unreadable;

/// What one run of the tests said about the rows.
#[derive(Debug, Default)]
pub struct Run {
    passed: BTreeMap<String, BTreeSet<String>>,
    failed: BTreeMap<String, BTreeSet<String>>,
}

/// How a test that shows a row ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// It was executed and panicked.
    Fail,
    /// It was executed to its end.
    Pass,
}

impl Run {
    /// Reads what the tests wrote; a directory that does not exist is a run without any test.
    ///
    /// # Errors
    /// A file that cannot be read, or holds something else than outcomes.
    pub fn read(directory: &Path) -> Result<Self, Unreadable> {
        let mut run = Self::default();
        if !directory.exists() {
            return Ok(run);
        }
        for entry in fs::read_dir(directory).map_err(Unreadable::io(directory))? {
            let path = entry.map_err(Unreadable::io(directory))?.path();
            for line in fs::read_to_string(&path).map_err(Unreadable::io(&path))?.lines() {
                let (outcome, id, test) =
                    parse(line).ok_or_else(|| Unreadable::Line { path: path.clone(), line: line.to_owned() })?;
                run.add(outcome, id, test);
            }
        }
        Ok(run)
    }

    /// Adds that `test` ended so, having declared the row `id`.
    pub fn add(&mut self, outcome: Outcome, id: &str, test: &str) {
        let side = match outcome {
            Outcome::Fail => &mut self.failed,
            Outcome::Pass => &mut self.passed,
        };
        side.entry(id.to_owned()).or_default().insert(test.to_owned());
    }

    /// The tests that declared the row and ended so, by name.
    pub fn tests(&self, outcome: Outcome, id: &str) -> impl Iterator<Item = &str> {
        let side = match outcome {
            Outcome::Fail => &self.failed,
            Outcome::Pass => &self.passed,
        };
        side.get(id).into_iter().flatten().map(String::as_str)
    }

    /// Every id that a test declared.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.passed.keys().chain(self.failed.keys()).map(String::as_str)
    }
}

fn parse(line: &str) -> Option<(Outcome, &str, &str)> {
    let (outcome, rest) = line.split_once(' ')?;
    let (id, test) = rest.split_once(' ')?;
    let outcome = match outcome {
        "fail" => Outcome::Fail,
        "pass" => Outcome::Pass,
        _ => return None,
    };
    Some((outcome, id, test))
}
