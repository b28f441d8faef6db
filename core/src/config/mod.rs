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

use crate::browser::cookie::Cookies;
use crate::browser::keys::SessionKeys;
use crate::endpoint::logo::Logo;
use crate::keys::KeyRing;
use crate::name::Names;
use crate::page::{Languages, Texts, Theme};
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
    pub(crate) session_keys: Option<Arc<SessionKeys>>,
    pub(crate) cookies: Cookies,
    pub(crate) theme: Arc<Theme>,
    pub(crate) languages: Arc<Languages>,
    pub(crate) logo: Option<Logo>,
    pub(crate) settings: Settings,
}

/// What the pages have beside the settings: the keys of browser sessions, and texts in further languages.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Pages {
    /// Needed wherever the authorization endpoint is switched on.
    pub session_keys: Option<SessionKeys>,
    /// Languages beside those that are built in.
    pub texts: Vec<Texts>,
    /// The image that `page_logo` names as a file.
    pub logo: Option<Logo>,
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
        pages: Pages,
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
        if pages.session_keys.is_none() && settings.endpoints.contains(&Endpoint::Authorize) {
            let text = "they are missing: set SECRET_ENCRYPTION_KEY, `proofkey keys generate` makes one; or take authorize out of endpoints";
            problems.push(Problem::new("session_keys", text));
        }
        let fronts = issuer
            .as_ref()
            .and_then(|issuer| front(issuer, &settings, pages.texts, pages.logo.is_some(), &mut problems));
        match (issuer, all_scopes, fronts, problems.is_empty()) {
            (Some(issuer), Ok(all_scopes), Some((cookies, theme, languages)), true) => {
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
                    session_keys: pages.session_keys.map(Arc::new),
                    cookies,
                    theme: Arc::new(theme),
                    languages: Arc::new(languages),
                    logo: pages.logo,
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
            session_keys: self.session_keys.clone(),
            cookies: self.cookies.clone(),
            theme: Arc::clone(&self.theme),
            languages: Arc::clone(&self.languages),
            logo: self.logo.clone(),
            settings: self.settings.clone(),
        }
    }

    /// The same configuration with other keys of browser sessions: a rotation.
    #[must_use]
    pub fn with_session_keys(mut self, keys: SessionKeys) -> Self {
        self.session_keys = Some(Arc::new(keys));
        self
    }

    /// What people read of a scope.
    pub(crate) fn scope_text<'a>(&'a self, name: &'a str) -> &'a str {
        self.scopes.get(name).map_or(name, |scope| scope.text.as_str())
    }

    pub(crate) fn session_keys(&self) -> Option<&SessionKeys> {
        self.session_keys.as_deref()
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
        if self
            .settings
            .page_logo
            .as_deref()
            .is_some_and(|logo| logo.starts_with("https://") && !self.issuer.is_same_host(logo))
        {
            warnings.push(
                "page_logo is on another host, which learns whenever somebody is about to sign in: use a path or a file"
                    .to_owned(),
            );
        }
        if self.settings.limit_user.is_none() || self.settings.limit_address.is_none() {
            warnings.push("limit_user or limit_address is off: passwords can be guessed without bound".to_owned());
        }
        warnings
    }
}

/// What the pages need, checked.
fn front(
    issuer: &Issuer,
    settings: &Settings,
    texts: Vec<Texts>,
    has_image: bool,
    problems: &mut Vec<Problem>,
) -> Option<(Cookies, Theme, Languages)> {
    let cookies = Cookies::new(issuer, settings.cookie_name.as_deref(), settings.login_url.is_some());
    let name = settings.page_name.as_deref().unwrap_or_else(|| issuer.host());
    let own = issuer.path().to_owned() + "/" + Endpoint::Logo.name();
    // What is wrong with a file is told by whoever read it.
    let logo = settings.page_logo.as_deref().filter(|logo| !logo.starts_with("file:"));
    let logo = if has_image { Some(own.as_str()) } else { logo };
    let theme = Theme::new(name, logo, &settings.page_colour).map_err(|(setting, text)| Problem::new(setting, text));
    let languages = Languages::new(settings.page_language.as_deref(), texts);
    let languages = languages.map_err(|text| Problem::new("page_language", text));
    if let Some(url) = settings.login_url.as_deref()
        && !is_path(url)
        && !issuer.is_same_host(url)
    {
        let text = "it is a path, or an URL on the issuer's own host: the browser's cookie reaches no other";
        problems.push(Problem::new("login_url", text));
    }
    match (cookies, theme, languages) {
        (Ok(cookies), Ok(theme), Ok(languages)) => Some((cookies, theme, languages)),
        (cookies, theme, languages) => {
            problems.extend(cookies.err().into_iter().chain(theme.err()).chain(languages.err()));
            None
        }
    }
}

/// A path on the same host: `//` would lead to another.
fn is_path(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\\"#".contains(&byte));
    plain && text.starts_with('/') && !text.starts_with("//")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages() -> Pages {
        let keys = SessionKeys::parse(&crate::Secret::from("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="));
        Pages { session_keys: keys.ok(), ..Pages::default() }
    }

    #[test]
    fn a_server_without_scopes_can_be_configured() {
        let mut settings = Settings::new();
        settings.set("issuer", "https://id.example").unwrap();
        let ring = KeyRing::new(&[std::array::from_fn(|at| at as u8).into()]).unwrap();
        let config = Config::new(settings, ring, UserSource::BuiltIn, [], pages()).unwrap();
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
            let misuse = Config::new(settings, ring, UserSource::BuiltIn, [], pages()).unwrap_err();
            assert!(misuse.problems().iter().any(|problem| problem.setting() == "scopes"), "{bad:?}");
        }
    }
}
