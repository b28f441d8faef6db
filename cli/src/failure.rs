//! Why a command failed, in words that name the setting, where its value came from, and the remedy.

use std::fmt;
use std::io;

use proofkey::core::AdminError;
use proofkey::{ApiMisuse, InvalidField, NoEntropy, Problem, Refusal, StoreError};
use serde::Serialize;

use crate::text::moment;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Complaint {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) setting: Option<String>,
    /// Where the value stands: `proofkey.toml:2`, `PROOFKEY_ISSUER`, `--issuer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<String>,
    /// What is wrong, and what to do.
    pub(crate) problem: String,
}

impl Complaint {
    /// A complaint of a setting, without or with the place of its value.
    pub(crate) fn of(setting: impl Into<String>, source: Option<String>, problem: impl Into<String>) -> Self {
        Self { setting: Some(setting.into()), source, problem: problem.into() }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.setting, &self.source) {
            (Some(setting), Some(source)) if setting == source => write!(f, "{setting}: {}", self.problem),
            (Some(setting), Some(source)) => write!(f, "{setting} ({source}): {}", self.problem),
            (Some(name), None) | (None, Some(name)) => write!(f, "{name}: {}", self.problem),
            (None, None) => f.write_str(&self.problem),
        }
    }
}

/// All that is wrong, told at once. The command ends with exit code 1; a command line that cannot be read with 2.
#[derive(Debug, Serialize)]
pub(crate) struct Failure {
    errors: Vec<Complaint>,
}

impl Failure {
    /// A failure that no setting is to blame for.
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self { errors: vec![Complaint { setting: None, source: None, problem: problem.into() }] }
    }

    /// What is wrong.
    pub(crate) fn complaints(&self) -> &[Complaint] {
        &self.errors
    }

    /// A failure for each complaint.
    pub(crate) const fn of(errors: Vec<Complaint>) -> Self {
        Self { errors }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, complaint) in self.errors.iter().enumerate() {
            let start = if at == 0 { "error: " } else { "\nerror: " };
            write!(f, "{start}{complaint}")?;
        }
        Ok(())
    }
}

impl From<Complaint> for Failure {
    fn from(complaint: Complaint) -> Self {
        Self::of(vec![complaint])
    }
}

impl From<&Problem> for Complaint {
    fn from(problem: &Problem) -> Self {
        Self::of(problem.setting(), None, problem.text())
    }
}

impl From<ApiMisuse> for Failure {
    fn from(misuse: ApiMisuse) -> Self {
        Self::of(misuse.problems().iter().map(Complaint::from).collect())
    }
}

impl From<AdminError> for Failure {
    fn from(error: AdminError) -> Self {
        match error {
            AdminError::Invalid(misuse) => misuse.into(),
            AdminError::KeyInUse(count, until) => {
                let grants = if count == 1 { "1 grant" } else { &format!("{count} grants") };
                let until = moment(until.seconds());
                Self::new(format!(
                    "{grants} made under this key may still be used, until {until} at the latest; retire it then, or end \
                     them first by `proofkey grants revoke`"
                ))
            }
            AdminError::Refused(refusal) => refusal.into(),
            other => Self::new(other.to_string()),
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        if let Some(cause) = std::error::Error::source(&refusal) {
            let problem =
                format!("it failed: {cause}; mend it, or set another (`proofkey check` shows where it is set)");
            return Complaint::of("store", None, problem).into();
        }
        // The operator is no client: the private detail is for them.
        let detail = refusal.private_detail().unwrap_or_else(|| refusal.description());
        Self::new(format!("{}: {detail}", refusal.code()))
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Complaint::of("store", None, error.to_string()).into()
    }
}

impl From<InvalidField> for Failure {
    fn from(field: InvalidField) -> Self {
        Complaint::of(field.name(), None, field.problem()).into()
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::new(error.to_string())
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::new(error.to_string())
    }
}

impl From<NoEntropy> for Failure {
    fn from(error: NoEntropy) -> Self {
        Self::new(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proofkey::UnixTime;

    #[test]
    fn a_key_that_is_in_use_is_told_with_the_date_of_its_last_grant_and_the_remedy() {
        for (count, grants) in [(1, "1 grant made"), (2, "2 grants made")] {
            let told = Failure::from(AdminError::KeyInUse(count, UnixTime::from_seconds(1_767_268_800))).to_string();
            let parts = [grants, "2026-01-01T12:00:00Z", "proofkey grants revoke"];
            assert!(parts.iter().all(|part| told.contains(part)), "{told}");
        }
    }
}
