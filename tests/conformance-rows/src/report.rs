use std::fmt::Write;

use crate::{Deferrals, Document, Matrix, Outcome, Reason, Row, Run};

/// What the rows, the deferrals and a run say together.
#[derive(Debug)]
pub struct Report {
    text: String,
    problems: Vec<String>,
}

impl Report {
    /// Joins the three. The text is the same for the same input, whatever the order of the tests.
    #[must_use]
    pub fn new(matrix: &Matrix, deferrals: &Deferrals, run: &Run) -> Self {
        let mut report = Self { text: String::new(), problems: deferrals.faults(matrix) };
        for id in run.ids().filter(|id| matrix.row(id).is_none()) {
            report.problems.push(format!("{id}: declared by a test, but no row"));
        }
        let mut tables = String::new();
        let mut shown = 0;
        for document in matrix.documents() {
            let _ = write!(tables, "\n## {}\n\n`{}`\n\n{TABLE_HEAD}", document.title, document.id);
            let mut missing = Vec::new();
            for row in &document.rows {
                let state = State::of(document, row, deferrals, run);
                shown += usize::from(matches!(state, State::Shown { .. }));
                if matches!(state, State::Missing) {
                    missing.push(row.id.as_str());
                }
                report.problems.extend(state.problem().map(|problem| format!("{}: {problem}", row.id)));
                let requirement = cell(&row.requirement);
                let _ = writeln!(tables, "| {} | {} | {requirement} | {} |", row.id, row.level, cell(&state.text()));
            }
            if !missing.is_empty() {
                report.problems.push(format!("no executed test shows, and nothing excuses: {}", missing.join(" ")));
            }
        }
        report.text = format!("{PREFACE}\n{shown} of {} rows are shown.\n{tables}", matrix.rows().count());
        report
    }

    /// The page, as Markdown.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What is wrong, a line each; nothing if the page may be believed.
    #[must_use]
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// The first line in which a committed page differs from this one.
    #[must_use]
    pub fn first_difference(&self, committed: &str) -> Option<String> {
        if committed == self.text {
            return None;
        }
        let mut lines = (1..).zip(self.text.lines().map(Some).chain(std::iter::repeat(None)));
        let mut old = committed.lines();
        loop {
            let (number, new) = lines.next()?;
            match (new, old.next()) {
                (None, None) => return Some(format!("line {number}: the end differs")),
                (new, line) if new == line => {}
                (new, line) => {
                    let (new, line) = (new.unwrap_or("nothing"), line.unwrap_or("nothing"));
                    return Some(format!("line {number}:\n  committed: {line}\n  this run:  {new}"));
                }
            }
        }
    }
}

/// Where one row stands.
enum State<'a> {
    Absent(&'a str),
    Failed(Vec<&'a str>),
    Later(&'a str),
    Missing,
    Shown { tests: Vec<&'a str>, reason: Option<&'a Reason> },
}

impl<'a> State<'a> {
    fn of(document: &Document, row: &Row, deferrals: &'a Deferrals, run: &'a Run) -> Self {
        let failed: Vec<_> = run.tests(Outcome::Fail, &row.id).collect();
        if !failed.is_empty() {
            return State::Failed(failed);
        }
        let tests: Vec<_> = run.tests(Outcome::Pass, &row.id).collect();
        let own = deferrals.of_row(row);
        if !tests.is_empty() {
            return State::Shown { tests, reason: own };
        }
        match own.or_else(|| deferrals.of_document(&document.id)) {
            Some(Reason::Absent(feature)) => State::Absent(feature),
            Some(Reason::Issue(title)) => State::Later(title),
            Some(Reason::Rest { .. }) | None => State::Missing,
        }
    }

    fn text(&self) -> String {
        match self {
            State::Absent(feature) => format!("absent feature: {feature}"),
            State::Failed(tests) => format!("**failed** in {}", names(tests)),
            State::Later(title) => format!("comes with issue \"{title}\""),
            State::Missing => "**not shown**".to_owned(),
            State::Shown { tests, reason: Some(Reason::Rest { part, title }) } => {
                format!("shown by {}; {part} with issue \"{title}\"", names(tests))
            }
            State::Shown { tests, .. } => format!("shown by {}", names(tests)),
        }
    }

    fn problem(&self) -> Option<String> {
        match self {
            State::Failed(tests) => Some(format!("failed in {}", names(tests))),
            State::Shown { reason: Some(Reason::Absent(_) | Reason::Issue(_)), tests } => {
                Some(format!("shown by {}, and deferred all the same", names(tests)))
            }
            State::Absent(_) | State::Later(_) | State::Missing | State::Shown { .. } => None,
        }
    }
}

fn names(tests: &[&str]) -> String {
    tests.iter().map(|test| format!("`{test}`")).collect::<Vec<_>>().join(", ")
}

/// A text that stays within its cell of a Markdown table.
fn cell(text: &str) -> String {
    text.replace(['\r', '\n'], " ").replace('|', "\\|")
}

const PREFACE: &str = "\
# Conformance

Generated by `make conformance` from `tests/conformance/` and a run of all tests; a row is *shown* only if a test that names it was
executed and passed in that run. Every other row says which open issue brings it, or which feature does not exist and is not advertised.
";

const TABLE_HEAD: &str = "| row | level | requirement | state |\n| --- | --- | --- | --- |\n";

#[cfg(test)]
mod tests;
