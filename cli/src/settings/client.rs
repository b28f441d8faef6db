//! Clients in the settings file, by the field names of RFC 7591.

use std::ops::Range;

use proofkey::Client;
use serde_json::{Map, Value};
use toml::de::{DeTable, DeValue};

use super::file::{Place, entries, json_of};
use super::{Variables, nearest};
use crate::failure::Complaint;

/// The field that only the settings file has: a secret need not stand in it.
pub(super) const SECRET_ENV: (&str, &str) =
    ("client_secret_env", "the name of a variable in proofkey.env or the environment");

/// Reads one client.
pub(super) fn client(
    table: &DeTable<'_>,
    span: &Range<usize>,
    place: &Place<'_>,
    variables: &Variables<'_>,
) -> Result<Client, Vec<Complaint>> {
    let mut fields = Map::new();
    let mut complaints = Vec::new();
    for (name, span, value) in entries(table) {
        let read = if name == SECRET_ENV.0 {
            secret(value, variables).map(|secret| ("client_secret", secret))
        } else {
            field(name, value).map(|value| (name, value))
        };
        let problem = match read {
            Ok((field, _)) if fields.contains_key(field) => "it is given twice; once is enough".to_owned(),
            Ok((field, value)) => {
                fields.insert(field.to_owned(), value);
                continue;
            }
            Err(problem) => problem,
        };
        complaints.push(place.complaint(&format!("clients.{name}"), &span, problem));
    }
    if !complaints.is_empty() {
        return Err(complaints);
    }
    Client::from_json(&fields).map_err(|invalid| {
        let problem = format!("it {}", invalid.problem());
        vec![place.complaint(&format!("clients.{}", invalid.name()), span, problem)]
    })
}

/// Judges each field alone, so that all mistakes are told at once.
fn field(name: &str, value: &DeValue<'_>) -> Result<Value, String> {
    let Some((_, takes)) = Client::FIELDS.iter().find(|(field, _)| *field == name) else {
        let known = Client::FIELDS.iter().map(|(field, _)| *field).chain([SECRET_ENV.0]);
        return Err(format!("there is no such field of a client; did you mean {}?", nearest(name, known)));
    };
    let value = json_of(value).ok_or_else(|| format!("it takes {takes}"))?;
    let alone = [("client_id", "alone".into()), (name, value.clone())].map(|(name, value)| (name.to_owned(), value));
    match Client::from_json(&Map::from_iter(alone)) {
        Ok(_) => Ok(value),
        Err(invalid) => Err(format!("it {}", invalid.problem())),
    }
}

fn secret(value: &DeValue<'_>, variables: &Variables<'_>) -> Result<Value, String> {
    let name = value.as_str().ok_or_else(|| format!("it takes {}", SECRET_ENV.1))?;
    let (text, _) = variables.find(name).ok_or_else(|| format!("{name} is not set; set it in proofkey.env"))?;
    Ok(text.into())
}
