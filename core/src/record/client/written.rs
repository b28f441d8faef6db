//! A registration as JSON, by the field names of RFC 7591 section 2 and those of the settings file.

use std::time::Duration;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::{AuthMethod, Client, ClientSecret, GrantType};
use crate::config::text::span;
use crate::secret::Secret;

/// A field of a registration that does not exist, or that holds something else than it takes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} {problem}")]
pub struct InvalidField {
    name: String,
    problem: String,
}

impl InvalidField {
    fn new(name: &str, problem: impl Into<String>) -> Self {
        Self { name: name.to_owned(), problem: problem.into() }
    }

    /// The field.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is wrong with it.
    #[must_use]
    pub fn problem(&self) -> &str {
        &self.problem
    }
}

impl Client {
    /// The fields of a registration, with what each takes.
    pub const FIELDS: [(&'static str, &'static str); 17] = [
        ("client_id", "a text"),
        ("client_name", "a text"),
        ("client_secret", "a text"),
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
        ("access_token_lifetime", "a span of time: 900 or \"15m\""),
        ("refresh_token_lifetime", "a span of time: 900 or \"15m\""),
        ("grant_lifetime", "a span of time: 900 or \"15m\""),
    ];

    /// Reads a registration; `null` stands for the default of a field.
    ///
    /// A client with a `client_secret`, or with an authentication method that needs one, is confidential. Lists are
    /// lists of texts or one text with blanks, lifetimes seconds or texts such as `15m`. Whether the whole makes sense
    /// is found when the server is built or the client is stored.
    ///
    /// # Errors
    /// [`InvalidField`] for the first field that is unknown or cannot be read.
    pub fn from_json(fields: &Map<String, Value>) -> Result<Self, InvalidField> {
        let id = fields.get("client_id").and_then(Value::as_str);
        let mut client = Self::public(id.ok_or_else(|| InvalidField::new("client_id", "is missing"))?);
        if let Some(secret) = fields.get("client_secret").and_then(Value::as_str) {
            client = Self::confidential(client.client_id, ClientSecret::from_text(&Secret::from(secret)));
        }
        for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
            client = client.with_field(name, value)?;
        }
        Ok(client)
    }

    /// The same registration with the secrets of another one.
    #[must_use]
    pub fn with_secrets_of(mut self, other: &Self) -> Self {
        self.secrets.clone_from(&other.secrets);
        self
    }

    /// A default resource is among the resources, whichever list is read first.
    fn resource_once(self, uri: String) -> Self {
        if self.resources.contains(&uri) { self } else { self.resource(uri) }
    }

    fn with_field(self, name: &str, value: &Value) -> Result<Self, InvalidField> {
        let Some((_, takes)) = Self::FIELDS.iter().find(|(field, _)| *field == name) else {
            return Err(InvalidField::new(name, "is no field of a client"));
        };
        self.with(name, value).ok_or_else(|| InvalidField::new(name, format!("takes {takes}")))
    }

    /// The registration with a field; nothing if it takes another value.
    fn with(self, name: &str, value: &Value) -> Option<Self> {
        let text = || value.as_str();
        let list = || words(value);
        let when =
            |change: fn(Self) -> Self, client: Self| Some(if value.as_bool()? { change(client) } else { client });
        Some(match name {
            "client_id" | "client_secret" => {
                text()?;
                self
            }
            "client_name" => self.name(text()?),
            "token_endpoint_auth_method" => self.auth_method(AuthMethod::parse(text()?)?),
            "grant_types" => {
                let types: Option<Vec<GrantType>> = list()?.iter().map(|name| GrantType::parse(name)).collect();
                self.grant_types(types?)
            }
            "scope" => self.scope(list()?.join(" ")),
            "application_type" => match text()? {
                "native" => self.native(),
                "web" => self,
                _ => return None,
            },
            "first_party" => when(Self::first_party, self)?,
            "introspect" => when(Self::may_introspect, self)?,
            "oauth21" => when(Self::oauth21, self)?,
            "redirect_uris" => list()?.into_iter().fold(self, Self::redirect_uri),
            "resources" => list()?.into_iter().fold(self, Self::resource_once),
            "default_resources" => list()?.into_iter().fold(self, |mut client, uri| {
                client.default_resources.push(uri.clone());
                client.resource_once(uri)
            }),
            "serves" => list()?.into_iter().fold(self, Self::serves),
            "access_token_lifetime" => self.access_token_lifetime(lifetime(value)?),
            "refresh_token_lifetime" => self.refresh_token_lifetime(lifetime(value)?),
            "grant_lifetime" => self.grant_lifetime(lifetime(value)?),
            _ => return None,
        })
    }
}

impl Serialize for Client {
    /// What [`Client::from_json`] reads: fields at their defaults are left out, and secrets always.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let types: Vec<&str> = self.grant_types.iter().map(|one| one.as_str()).collect();
        let lists = |list: &[String]| (!list.is_empty()).then(|| json!(list));
        let switch = |on: bool| on.then_some(Value::Bool(true));
        let fields = [
            ("client_id", Some(json!(self.client_id))),
            ("client_name", self.client_name.as_ref().map(|name| json!(name))),
            ("token_endpoint_auth_method", Some(json!(self.auth_method.as_str()))),
            ("grant_types", Some(json!(types))),
            ("redirect_uris", lists(&self.redirect_texts)),
            ("scope", (!self.scope_text.is_empty()).then(|| json!(self.scope_text))),
            ("application_type", self.native.then(|| json!("native"))),
            ("first_party", switch(self.first_party)),
            ("introspect", switch(self.introspects)),
            ("oauth21", switch(self.oauth21)),
            ("resources", lists(&self.resources)),
            ("default_resources", lists(&self.default_resources)),
            ("serves", lists(&self.serves)),
            ("access_token_lifetime", self.access_token_lifetime.map(|seconds| json!(seconds))),
            ("refresh_token_lifetime", self.refresh_token_lifetime.map(|seconds| json!(seconds))),
            ("grant_lifetime", self.grant_lifetime.map(|seconds| json!(seconds))),
        ];
        serializer.collect_map(fields.into_iter().filter_map(|(name, value)| Some((name, value?))))
    }
}

fn words(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(text.split_whitespace().map(str::to_owned).collect()),
        Value::Array(list) => list.iter().map(|one| one.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

fn lifetime(value: &Value) -> Option<Duration> {
    match value {
        Value::String(text) => span(text),
        _ => value.as_u64().map(Duration::from_secs),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(fields) => fields,
            other => panic!("{other} is no object"),
        }
    }

    #[test]
    fn what_is_written_is_read_again_but_for_secrets() {
        let registration = json!({
            "client_id": "a", "client_name": "A", "token_endpoint_auth_method": "client_secret_post",
            "grant_types": ["authorization_code", "client_credentials"],
            "redirect_uris": ["https://c.example/cb"], "scope": "read write", "first_party": true, "introspect": true,
            "resources": ["https://api.example/", "https://files.example/"],
            "default_resources": ["https://api.example/"], "serves": ["https://things.example/"],
            "access_token_lifetime": 900, "refresh_token_lifetime": 0, "grant_lifetime": 7200,
        });
        let client = Client::from_json(&fields(registration.clone())).unwrap();
        assert_eq!(serde_json::to_value(&client).unwrap(), registration);
        let with_secret = client.secret(ClientSecret::generate([7; 32]).0);
        assert_eq!(serde_json::to_value(&with_secret).unwrap(), registration);
        assert_eq!(Client::public("a").with_secrets_of(&with_secret).secrets.len(), 1);
    }

    #[test]
    fn a_secret_makes_a_client_confidential_and_null_is_the_default() {
        let client = json!({ "client_id": "a", "client_secret": "s", "scope": null, "access_token_lifetime": "15m" });
        let client = Client::from_json(&fields(client)).unwrap();
        assert!(client.is_confidential() && client.allowed_scope().is_empty());
        assert_eq!(client.access_token_lifetime, Some(900));
    }

    #[test]
    fn an_application_is_native_or_of_the_web() {
        for (value, native) in [(json!("native"), true), (json!("web"), false), (Value::Null, false)] {
            let client = Client::from_json(&fields(json!({ "client_id": "a", "application_type": value }))).unwrap();
            assert_eq!(client.is_native(), native, "{value}");
            assert_eq!(serde_json::to_value(&client).unwrap().get("application_type").is_some(), native);
        }
    }

    #[test]
    fn every_field_of_the_list_is_read() {
        for (name, _) in Client::FIELDS {
            let read = |value: Value| Client::public("a").with(name, &value).is_some();
            let values = [json!("none"), json!(["authorization_code"]), json!(true), json!("15m"), json!("web")];
            assert!(values.into_iter().any(read), "{name}");
        }
    }

    #[test]
    fn each_field_says_what_it_takes() {
        for (name, value) in [
            ("client_name", json!(1)),
            ("token_endpoint_auth_method", json!("private_key_jwt")),
            ("grant_types", json!(["password"])),
            ("redirect_uris", json!([1])),
            ("first_party", json!("yes")),
            ("application_type", json!("desktop")),
            ("grant_lifetime", json!("soon")),
            ("colour", json!("blue")),
        ] {
            let problem = Client::from_json(&fields(json!({ "client_id": "a", name: value }))).unwrap_err();
            assert_eq!(problem.name(), name);
            let takes =
                Client::FIELDS.iter().find(|(field, _)| *field == name).map(|(_, takes)| format!("takes {takes}"));
            assert_eq!(problem.problem(), takes.unwrap_or_else(|| "is no field of a client".to_owned()));
        }
        assert_eq!(Client::from_json(&Map::new()).unwrap_err().to_string(), "client_id is missing");
    }
}
