//! Clients in the settings file, by the field names of RFC 7591.

use std::ops::Range;

use proofkey::core::setting_text::span as seconds;
use proofkey::{AuthMethod, Client, ClientSecret, GrantType, Secret};
use toml::de::{DeTable, DeValue};

use super::file::{Place, entries, text_of};
use super::{Variables, nearest};
use crate::failure::Complaint;

/// The fields of a client, with what each takes.
pub(super) const FIELDS: [(&str, &str); 18] = [
    ("client_id", "a text"),
    ("client_name", "a text"),
    ("client_secret", "a text"),
    ("client_secret_env", "the name of a variable in proofkey.env or the environment"),
    ("redirect_uris", "a list of URIs"),
    ("token_endpoint_auth_method", "none, client_secret_basic, client_secret_post"),
    ("grant_types", "a list of authorization_code, refresh_token, client_credentials"),
    ("scope", "names separated by blanks"),
    ("application_type", "web, native"),
    ("first_party", "true, false"),
    ("introspect", "true, false"),
    ("oauth21", "true, false"),
    ("resources", "a list of URIs"),
    ("default_resources", "a list of URIs"),
    ("serves", "a list of URIs"),
    ("access_token_lifetime", "a span of time"),
    ("refresh_token_lifetime", "a span of time"),
    ("grant_lifetime", "a span of time"),
];

/// Reads one client.
pub(super) fn client(
    table: &DeTable<'_>,
    span: &Range<usize>,
    place: &Place<'_>,
    variables: &Variables<'_>,
) -> Result<Client, Vec<Complaint>> {
    let text = |field: &str| entries(table).find(|(name, ..)| *name == field).and_then(|(.., value)| text_of(value));
    let id = text("client_id").unwrap_or_default();
    let mut complaints = Vec::new();
    if id.is_empty() {
        complaints.push(place.complaint("clients", span, "a client lacks its client_id; add it"));
    }
    let secret = match (text("client_secret"), text("client_secret_env")) {
        (Some(_), Some(_)) => {
            complaints.push(place.complaint("clients", span, "client_secret and client_secret_env: one is enough"));
            None
        }
        (Some(secret), None) => Some(Secret::from_text(secret)),
        (None, Some(name)) => {
            let found = variables.find(&name).map(|(text, _)| Secret::from(text));
            if found.is_none() {
                let problem = format!("client {id}: the variable {name} is not set; set it in proofkey.env");
                complaints.push(place.complaint("clients", span, problem));
            }
            found
        }
        (None, None) => None,
    };
    let mut client = match secret {
        Some(secret) => Client::confidential(id, ClientSecret::from_text(&secret)),
        None => Client::public(id),
    };
    for (name, span, value) in entries(table) {
        let Some((_, takes)) = FIELDS.iter().find(|(field, _)| *field == name) else {
            let near = nearest(name, FIELDS.iter().map(|(field, _)| *field));
            let problem = format!("there is no such field of a client; did you mean {near}?");
            complaints.push(place.complaint(&format!("clients.{name}"), &span, problem));
            continue;
        };
        match with_field(client.clone(), name, value) {
            Some(next) => client = next,
            None => {
                let problem = format!("it takes: {takes}");
                complaints.push(place.complaint(&format!("clients.{name}"), &span, problem));
            }
        }
    }
    if complaints.is_empty() { Ok(client) } else { Err(complaints) }
}

fn with_field(client: Client, name: &str, value: &DeValue<'_>) -> Option<Client> {
    let text = || value.as_str().map(str::to_owned);
    let words = || text_of(value).map(|text| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    let span = || seconds(&text_of(value)?);
    let when = |change: fn(Client) -> Client, client: Client| {
        value.as_bool().map(|on| if on { change(client) } else { client })
    };
    Some(match name {
        "client_id" | "client_secret" | "client_secret_env" => {
            text()?;
            client
        }
        "client_name" => client.name(text()?),
        "redirect_uris" => words()?.into_iter().fold(client, Client::redirect_uri),
        "token_endpoint_auth_method" => client.auth_method(AuthMethod::parse(&text()?)?),
        "grant_types" => {
            let types: Option<Vec<GrantType>> = words()?.iter().map(|name| GrantType::parse(name)).collect();
            client.grant_types(types?)
        }
        "scope" => client.scope(words()?.join(" ")),
        "application_type" => match text()?.as_str() {
            "native" => client.native(),
            "web" => client,
            _ => return None,
        },
        "first_party" => when(Client::first_party, client)?,
        "introspect" => when(Client::may_introspect, client)?,
        "oauth21" => when(Client::oauth21, client)?,
        "resources" => words()?.into_iter().fold(client, Client::resource),
        "default_resources" => words()?.into_iter().fold(client, Client::default_resource),
        "serves" => words()?.into_iter().fold(client, Client::serves),
        "access_token_lifetime" => client.access_token_lifetime(span()?),
        "refresh_token_lifetime" => client.refresh_token_lifetime(span()?),
        "grant_lifetime" => client.grant_lifetime(span()?),
        _ => return None,
    })
}
