//! The configuration of one issuer: settings, keys, clients, checked as a whole.

mod issuer;
mod problem;
mod settings;
mod table;
pub mod text;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;

pub(crate) use issuer::Issuer;
pub use problem::{ApiMisuse, Problem};
pub use settings::{ScopeText, Settings};
pub use table::{Alias, SETTINGS, Setting, Unit, is_true};

use crate::keys::KeyRing;
use crate::name::Names;
use crate::password::Rules;
use crate::record::Client;
use crate::router::Endpoint;
use crate::scope::Scope;

/// Who knows the users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum UserSource {
    /// The host verifies names and passwords itself.
    Authenticate,
    /// Records of proofkey's own.
    #[default]
    BuiltIn,
    /// The host finds users, proofkey verifies their passwords.
    Find,
}

/// How many failures within a window are one too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    pub(crate) failures: u32,
    pub(crate) window: Duration,
}

/// Whose refresh tokens are replaced at each use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rotation {
    /// Everybody's.
    Always,
    /// Those of public clients (RFC 9700 section 2.2.2 asks for no less).
    PublicClients,
}

/// A checked, immutable configuration: one issuer, one key ring, the configured clients.
#[derive(Debug)]
pub struct Config {
    pub(crate) issuer: Issuer,
    pub(crate) names: Names,
    pub(crate) ring: Arc<KeyRing>,
    pub(crate) users: UserSource,
    pub(crate) clients: BTreeMap<String, Arc<Client>>,
    pub(crate) origins: Vec<String>,
    pub(crate) scopes: BTreeMap<String, ScopeText>,
    pub(crate) all_scopes: Scope,
    pub(crate) default_scope: Option<Scope>,
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) password_rules: Rules,
    pub(crate) settings: Settings,
}

impl Config {
    /// Checks everything and reports all that is wrong at once.
    ///
    /// # Errors
    /// [`ApiMisuse`] with one [`Problem`] for each setting that is missing, out of range or contradicts another.
    pub fn new(
        settings: Settings,
        ring: KeyRing,
        users: UserSource,
        clients: impl IntoIterator<Item = Client>,
    ) -> Result<Self, ApiMisuse> {
        let mut problems = settings.contradictions();
        let issuer = Issuer::parse(settings.issuer.as_deref(), settings.mounted_at.as_deref());
        let issuer = issuer.map_err(|found| problems.extend(found)).ok();
        let mut table: BTreeMap<String, Arc<Client>> = BTreeMap::new();
        for client in clients {
            problems.extend(client.problems().iter().map(|problem| Problem::new("clients", problem.to_string())));
            let id = client.client_id.clone();
            if table.insert(id.clone(), Arc::new(client)).is_some() {
                problems.push(Problem::new(
                    "clients",
                    format!("client {id} is configured twice; remove one, or give it an id of its own"),
                ));
            }
        }
        let names: Vec<&str> = settings.scopes.keys().map(String::as_str).collect();
        // Joined, a name with a blank would pass as two names.
        let all_scopes = if names.is_empty() {
            Ok(Scope::default())
        } else if names.iter().any(|name| name.is_empty() || name.contains(' ')) {
            Err(())
        } else {
            Scope::parse(&names.join(" ")).map_err(drop)
        };
        let all_scopes = all_scopes.map_err(|()| {
            problems
                .push(Problem::new("scopes", "a scope name has no blank, quote or backslash (RFC 6749 section 3.3)"));
        });
        let default_scope = settings.default_scope.as_deref().map(Scope::parse);
        let default_scope = match (default_scope, &all_scopes) {
            (None, _) | (_, Err(())) => None,
            (Some(Ok(scope)), Ok(all)) if scope.is_subset_of(all) => Some(scope),
            (Some(_), Ok(_)) => {
                problems.push(Problem::new("default_scope", "it names a scope that is not in `scopes`; add it there"));
                None
            }
        };
        match (issuer, all_scopes, problems.is_empty()) {
            (Some(issuer), Ok(all_scopes), true) => {
                let mut origins: Vec<String> = table.values().flat_map(|client| client.origins()).collect();
                origins.sort();
                origins.dedup();
                Ok(Self {
                    names: Names::new(&settings.key_prefix),
                    ring: Arc::new(ring),
                    users,
                    clients: table,
                    origins,
                    scopes: settings.scopes.clone(),
                    all_scopes,
                    default_scope,
                    endpoints: settings.endpoints.clone(),
                    trusted_proxies: settings.trusted_proxies.clone(),
                    password_rules: Rules { min_length: settings.password_min_length },
                    issuer,
                    settings,
                })
            }
            _ => Err(ApiMisuse::new(problems)),
        }
    }

    /// The same configuration with another key ring: a rotation.
    #[must_use]
    pub fn with_ring(&self, ring: KeyRing) -> Self {
        Self {
            issuer: self.issuer.clone(),
            names: self.names.clone(),
            ring: Arc::new(ring),
            users: self.users,
            clients: self.clients.clone(),
            origins: self.origins.clone(),
            scopes: self.scopes.clone(),
            all_scopes: self.all_scopes.clone(),
            default_scope: self.default_scope.clone(),
            endpoints: self.endpoints.clone(),
            trusted_proxies: self.trusted_proxies.clone(),
            password_rules: self.password_rules,
            settings: self.settings.clone(),
        }
    }

    /// The issuer, exactly as configured.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.issuer.as_str()
    }

    /// The settings.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The configured clients.
    pub fn clients(&self) -> impl Iterator<Item = &Client> {
        self.clients.values().map(AsRef::as_ref)
    }

    /// The key ring.
    #[must_use]
    pub fn ring(&self) -> &KeyRing {
        &self.ring
    }

    /// What a careful operator would want to know at the start.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.all_scopes.is_empty() {
            warnings
                .push("scopes is empty: every request for a token is refused with invalid_scope; name some".to_owned());
        }
        if self.clients.values().all(|client| client.resources.is_empty()) {
            warnings.push(
                "access tokens are neither sender-constrained (DPoP, mTLS) nor restricted to an audience: \
                 give clients a default_resource (RFC 9700 section 4.10)"
                    .to_owned(),
            );
        }
        if self.trusted_proxies.is_empty() && !self.issuer.is_loopback() {
            warnings.push(
                "trusted_proxies is empty: behind a proxy all users share one address limit; name the proxy".to_owned(),
            );
        }
        if self.settings.limit_user.is_none() || self.settings.limit_address.is_none() {
            warnings.push("limit_user or limit_address is off: passwords can be guessed without bound".to_owned());
        }
        warnings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_without_scopes_can_be_configured() {
        let mut settings = Settings::new();
        settings.set("issuer", "https://id.example").unwrap();
        let ring = KeyRing::new(&[std::array::from_fn(|at| at as u8).into()]).unwrap();
        let config = Config::new(settings, ring, UserSource::BuiltIn, []).unwrap();
        assert!(config.scopes.is_empty());
    }

    #[test]
    fn a_scope_name_with_a_blank_or_without_a_letter_is_refused() {
        for bad in ["re ad", " read", ""] {
            let mut settings = Settings::new();
            settings.set("issuer", "https://id.example").unwrap();
            settings.scope("write", ScopeText::new("write", "Change things"));
            settings.scope(bad, ScopeText::new(bad, "Read things"));
            let ring = KeyRing::new(&[std::array::from_fn(|at| at as u8).into()]).unwrap();
            let misuse = Config::new(settings, ring, UserSource::BuiltIn, []).unwrap_err();
            assert!(misuse.problems().iter().any(|problem| problem.setting() == "scopes"), "{bad:?}");
        }
    }
}
