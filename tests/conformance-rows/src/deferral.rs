use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{Matrix, Row, Unreadable, matrix};

/// Why rows are not shown yet: `tests/conformance/deferred.toml`.
#[derive(Debug, Default)]
pub struct Deferrals {
    rows: BTreeMap<String, Reason>,
    documents: BTreeMap<String, Reason>,
    faults: Vec<String>,
}

/// The only excuses there are.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Reason {
    /// The feature does not exist and is not advertised; the text says which.
    Absent(String),
    /// An open issue brings it, by its title.
    Issue(String),
    /// Tests show the row already; an open issue brings the part of it that is named.
    Rest {
        /// The part that is still to come.
        part: String,
        /// The issue's title.
        title: String,
    },
}

impl Deferrals {
    /// Reads the deferrals of this repository.
    ///
    /// # Errors
    /// A file that cannot be read, or is not a table of deferrals.
    pub fn read() -> Result<Self, Unreadable> {
        Ok(Self::new(matrix::parse(&matrix::directory().join("deferred.toml"))?))
    }

    pub(crate) fn new(file: File) -> Self {
        let titles = file.issue.into_iter().map(|issue| (issue.number, issue.title)).collect::<BTreeMap<_, _>>();
        let mut deferrals = Self::default();
        for group in file.deferred {
            for id in &group.ids {
                let fault = match group.reason(&titles) {
                    Ok(reason) => deferrals.rows.insert(id.clone(), reason).map(|_| "deferred twice".to_owned()),
                    Err(fault) => Some(fault),
                };
                deferrals.faults.extend(fault.map(|fault| format!("{id}: {fault}")));
            }
        }
        for absent in file.whole {
            let reason = Reason::Absent(absent.absent);
            if deferrals.documents.insert(absent.document.clone(), reason).is_some() {
                deferrals.faults.push(format!("{}: deferred twice", absent.document));
            }
        }
        deferrals
    }

    /// Why this row is not shown: its own reason.
    #[must_use]
    pub fn of_row(&self, row: &Row) -> Option<&Reason> {
        self.rows.get(&row.id)
    }

    /// Why rows of this document that no test shows and that have no reason of their own are not shown.
    #[must_use]
    pub fn of_document(&self, document: &str) -> Option<&Reason> {
        self.documents.get(document)
    }

    /// What is wrong with the file itself: unknown rows, documents and issues, and reasons that contradict each other.
    #[must_use]
    pub fn faults(&self, matrix: &Matrix) -> Vec<String> {
        let rows =
            self.rows.keys().filter(|id| matrix.row(id).is_none()).map(|id| format!("{id}: deferred, but no row"));
        let known = |id: &str| matrix.documents().iter().any(|document| document.id == id);
        let documents =
            self.documents.keys().filter(|id| !known(id)).map(|id| format!("{id}: deferred, but no document"));
        self.faults.iter().cloned().chain(rows).chain(documents).collect()
    }
}

/// `deferred.toml`, as it is written.
#[derive(Deserialize)]
pub(crate) struct File {
    #[serde(default)]
    issue: Vec<Issue>,
    #[serde(default)]
    deferred: Vec<Group>,
    #[serde(default)]
    whole: Vec<Whole>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Issue {
    number: u32,
    title: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    ids: Vec<String>,
    issue: Option<u32>,
    absent: Option<String>,
    rest: Option<String>,
}

impl Group {
    fn reason(&self, titles: &BTreeMap<u32, String>) -> Result<Reason, String> {
        match (self.issue, &self.absent, &self.rest) {
            (None, Some(absent), None) => Ok(Reason::Absent(absent.clone())),
            (Some(number), None, rest) => {
                let title = titles.get(&number).ok_or_else(|| format!("issue {number} is not an open one"))?.clone();
                Ok(match rest {
                    Some(part) => Reason::Rest { part: part.clone(), title },
                    None => Reason::Issue(title),
                })
            }
            _ => Err("a deferral has an issue (with or without a rest) or an absent feature".to_owned()),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    document: String,
    absent: String,
}
