//! `tests/world.toml`: the world as data, so that every face builds the same one.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::OnceLock;
use std::time::Duration;

use proofkey::{AuthMethod, Client, ClientSecret, GrantType, ScopeText, Secret, User};
use serde::Deserialize;

/// The world as it stands in its file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WorldFile {
    pub(crate) issuer: String,
    pub(crate) start: u64,
    pub(crate) seed: u64,
    pub(crate) peer: IpAddr,
    pub(crate) encryption_keys: String,
    pub(crate) session_keys: String,
    pub(crate) password_cost: u32,
    pub(crate) names: BTreeMap<String, String>,
    #[serde(rename = "scope")]
    pub(crate) scopes: Vec<ScopeEntry>,
    #[serde(rename = "user")]
    pub(crate) users: Vec<UserEntry>,
    #[serde(rename = "client")]
    pub(crate) clients: Vec<ClientEntry>,
    #[serde(rename = "request")]
    pub(crate) requests: BTreeMap<String, toml::Table>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScopeEntry {
    pub(crate) name: String,
    text: String,
    claims: Option<Vec<String>>,
    #[serde(default)]
    hidden: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserEntry {
    pub(crate) subject: String,
    pub(crate) username: String,
    pub(crate) password_hash: String,
    claims: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientEntry {
    pub(crate) client_id: String,
    client_name: Option<String>,
    token_endpoint_auth_method: Option<String>,
    pub(crate) client_secret: Option<String>,
    application_type: Option<String>,
    #[serde(default)]
    redirect_uris: Vec<String>,
    grant_types: Option<Vec<String>>,
    scope: Option<String>,
    #[serde(default)]
    resources: Vec<String>,
    #[serde(default)]
    default_resources: Vec<String>,
    #[serde(default)]
    serves: Vec<String>,
    #[serde(default)]
    may_introspect: bool,
    #[serde(default)]
    first_party: bool,
    #[serde(default)]
    oauth21: bool,
    access_token_lifetime: Option<u64>,
    refresh_token_lifetime: Option<u64>,
    grant_lifetime: Option<u64>,
}

/// The world of the tests.
///
/// # Panics
/// If its file is not in the format.
pub(crate) fn world_file() -> &'static WorldFile {
    static FILE: OnceLock<WorldFile> = OnceLock::new();
    FILE.get_or_init(|| toml::from_str(TEXT).unwrap_or_else(|error| panic!("tests/world.toml: {error}")))
}

impl ScopeEntry {
    pub(crate) fn scope_text(&self) -> ScopeText {
        let scope = ScopeText::new(&self.name, &*self.text);
        let scope = match &self.claims {
            Some(claims) => scope.showing(claims),
            None => scope,
        };
        if self.hidden { scope.hidden() } else { scope }
    }
}

impl UserEntry {
    pub(crate) fn user(&self) -> User {
        let user = User::new(&*self.subject).with_username(&*self.username);
        self.claims.iter().fold(user, |user, (name, value)| user.with_claim(name, value.as_str()))
    }
}

impl ClientEntry {
    pub(crate) fn client(&self) -> Client {
        let client = match &self.client_secret {
            Some(secret) => Client::confidential(&*self.client_id, ClientSecret::from_text(&Secret::from(&**secret))),
            None => Client::public(&*self.client_id),
        };
        let client = match &self.token_endpoint_auth_method {
            Some(method) => client.auth_method(self.known("token_endpoint_auth_method", AuthMethod::parse(method))),
            None => client,
        };
        let client = match self.application_type.as_deref() {
            None => client,
            Some("native") => client.native(),
            Some(_) => self.known("application_type", None),
        };
        let client = match &self.grant_types {
            Some(types) => {
                client.grant_types(types.iter().map(|name| self.known("grant_types", GrantType::parse(name))))
            }
            None => client,
        };
        let given = |set: fn(Client, &str) -> Client, texts: &[String], client: Client| {
            texts.iter().fold(client, |client, text| set(client, text))
        };
        let client = given(|client, name| client.name(name), self.client_name.as_slice(), client);
        let client = given(|client, uri| client.redirect_uri(uri), &self.redirect_uris, client);
        let client = given(|client, scope| client.scope(scope), self.scope.as_slice(), client);
        let client = given(|client, uri| client.resource(uri), &self.resources, client);
        let client = given(|client, uri| client.default_resource(uri), &self.default_resources, client);
        let client = given(|client, uri| client.serves(uri), &self.serves, client);
        let client = if self.may_introspect { client.may_introspect() } else { client };
        let client = if self.first_party { client.first_party() } else { client };
        let client = if self.oauth21 { client.oauth21() } else { client };
        let lasting = |set: fn(Client, Duration) -> Client, seconds: Option<u64>, client: Client| match seconds {
            Some(seconds) => set(client, Duration::from_secs(seconds)),
            None => client,
        };
        let client = lasting(Client::access_token_lifetime, self.access_token_lifetime, client);
        let client = lasting(Client::refresh_token_lifetime, self.refresh_token_lifetime, client);
        lasting(Client::grant_lifetime, self.grant_lifetime, client)
    }

    fn known<T>(&self, member: &str, value: Option<T>) -> T {
        value.unwrap_or_else(|| panic!("tests/world.toml: {member} of client {}", self.client_id))
    }
}

const TEXT: &str = include_str!("../world.toml");
