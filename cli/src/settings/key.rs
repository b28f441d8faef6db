//! The keys among the settings: read from the variables, never shown.

use proofkey::core::parse_session_key;
use proofkey::{Keys, Secret};

use super::{Source, Variables};
use crate::failure::Complaint;
use crate::signing;

/// The encryption keys, and where they stand.
pub(super) fn keys(variables: &Variables<'_>, complaints: &mut Vec<Complaint>) -> Option<(Keys, Source)> {
    session_keys(variables, complaints);
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

/// As [`session_keys`], for the key of ID tokens.
fn signing_key(variables: &Variables<'_>, complaints: &mut Vec<Complaint>) {
    let names = ["PROOFKEY_SIGNING_KEYS", "RSA_PRIVATE_KEY_PEM"];
    let Some((text, source)) = one_of("signing_keys", names, variables, complaints) else { return };
    if let Some(problem) = text.expose_text().and_then(signing::problem) {
        complaints.push(Complaint::of("signing_keys", Some(source.to_string()), problem));
    }
}

/// Keys that nothing uses yet are read all the same: a mistake in them should not wait for the day they are needed.
fn session_keys(variables: &Variables<'_>, complaints: &mut Vec<Complaint>) {
    let names = ["PROOFKEY_SESSION_KEYS", "SECRET_ENCRYPTION_KEY"];
    let Some((text, source)) = one_of("session_keys", names, variables, complaints) else { return };
    let keys = text.expose_text().unwrap_or_default().split(',').map(str::trim);
    for error in keys.filter_map(|key| parse_session_key(&Secret::from(key)).err()) {
        complaints.push(Complaint::of("session_keys", Some(source.to_string()), error.to_string()));
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
