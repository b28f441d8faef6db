//! The keys among the settings: read from the variables, never shown.

use proofkey::core::SessionKeys;
use proofkey::{Keys, Secret};

use super::{Source, Variables};
use crate::failure::Complaint;
use crate::signing;

/// The encryption keys, and where they stand.
pub(super) fn keys(variables: &Variables<'_>, complaints: &mut Vec<Complaint>) -> Option<(Keys, Source)> {
    signing_key(variables, complaints);
    let (text, source) =
        one_of("encryption_keys", ["PROOFKEY_ENCRYPTION_KEYS", "OAUTH2_ENCRYPTION_KEY"], variables, complaints)?;
    match Keys::parse(&text) {
        Ok(keys) => Some((keys, source)),
        Err(error) => {
            complaints.push(Complaint::of("encryption_keys", Some(source.to_string()), error.to_string()));
            None
        }
    }
}

/// A key that nothing uses yet is read all the same: a mistake in it should not wait for the day it is needed.
fn signing_key(variables: &Variables<'_>, complaints: &mut Vec<Complaint>) {
    let names = ["PROOFKEY_SIGNING_KEYS", "RSA_PRIVATE_KEY_PEM"];
    let Some((text, source)) = one_of("signing_keys", names, variables, complaints) else { return };
    if let Some(problem) = text.expose_text().and_then(signing::problem) {
        complaints.push(Complaint::of("signing_keys", Some(source.to_string()), problem));
    }
}

/// The keys of browser sessions, and where they stand.
pub(super) fn session_keys(variables: &Variables<'_>, complaints: &mut Vec<Complaint>) -> Option<(Secret, Source)> {
    let names = ["PROOFKEY_SESSION_KEYS", "SECRET_ENCRYPTION_KEY"];
    let (text, source) = one_of("session_keys", names, variables, complaints)?;
    match SessionKeys::parse(&text) {
        Ok(_) => Some((text, source)),
        Err(error) => {
            complaints.push(Complaint::of("session_keys", Some(source.to_string()), error.to_string()));
            None
        }
    }
}

/// The value of a secret that goes by two names.
fn one_of(
    setting: &str,
    [canonical, alias]: [&str; 2],
    variables: &Variables<'_>,
    complaints: &mut Vec<Complaint>,
) -> Option<(Secret, Source)> {
    let (one, other) = (variables.find(canonical), variables.find(alias));
    if let (Some((a, one)), Some((b, other))) = (&one, &other)
        && a.trim() != b.trim()
    {
        let problem = format!("{other} is set too, and differs; unset one of them");
        complaints.push(Complaint::of(setting, Some(one.to_string()), problem));
    }
    one.or(other).map(|(text, source)| (Secret::from(text), source))
}

pub(super) fn missing_keys() -> Complaint {
    let problem = "they are missing: set OAUTH2_ENCRYPTION_KEY; `proofkey keys generate` makes one";
    Complaint::of("encryption_keys", None, problem)
}
