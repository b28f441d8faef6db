//! Which endpoint a path and a method mean.

use http::Method;

use crate::config::{Config, UserSource};

/// An endpoint of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Endpoint {
    Applications,
    Authorize,
    Challenge,
    Consent,
    Forgot,
    Health,
    Introspect,
    Login,
    Logo,
    Logout,
    Me,
    Metadata,
    Password,
    Refresh,
    Reset,
    Revoke,
    Root,
    Token,
    Userinfo,
}

impl Endpoint {
    /// The endpoints that are switched on unless the setting `endpoints` says otherwise.
    pub(crate) const DEFAULT: [Self; 8] = [
        Self::Authorize,
        Self::Token,
        Self::Refresh,
        Self::Revoke,
        Self::Introspect,
        Self::Userinfo,
        Self::Me,
        Self::Challenge,
    ];

    /// Those that are off unless it names them.
    const OPTIONAL: [Self; 1] = [Self::Forgot];

    /// The pages: they come with the authorization endpoint.
    const PAGES: [Self; 6] =
        [Self::Applications, Self::Consent, Self::Login, Self::Logout, Self::Password, Self::Reset];

    /// Its name: the last part of its path.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Applications => "applications",
            Self::Authorize => "authorize",
            Self::Challenge => "challenge",
            Self::Consent => "consent",
            Self::Forgot => "forgot",
            Self::Health => "health",
            Self::Introspect => "introspect",
            Self::Login => "login",
            Self::Logo => "logo",
            Self::Logout => "logout",
            Self::Me => "me",
            Self::Metadata => ".well-known/oauth-authorization-server",
            Self::Password => "password",
            Self::Refresh => "refresh",
            Self::Reset => "reset",
            Self::Revoke => "revoke",
            Self::Root => "",
            Self::Token => "token",
            Self::Userinfo => "userinfo",
        }
    }

    /// The switched endpoint of that name.
    pub(crate) fn switched(name: &str) -> Option<Self> {
        Self::DEFAULT.into_iter().chain(Self::OPTIONAL).find(|endpoint| endpoint.name() == name)
    }

    /// The pages, and what belongs to them.
    fn at_pages() -> impl Iterator<Item = Self> {
        Self::PAGES.into_iter().chain([Self::Logo, Self::Metadata])
    }

    /// Whether people see it: it answers a browser with pages. The authorization endpoint does so too, but for JSON.
    pub(crate) fn is_page(self) -> bool {
        self == Self::Forgot || Self::PAGES.contains(&self)
    }

    /// Whether the configuration has it. The host's own login page takes the place of those that need our sessions.
    pub(crate) fn is_on(self, config: &Config) -> bool {
        let pages = config.endpoints.contains(&Self::Authorize);
        let own_login = config.settings.login_url.is_none();
        match self {
            Self::Consent => pages,
            Self::Applications | Self::Login | Self::Logout => pages && own_login,
            Self::Password | Self::Reset => pages && own_login && config.users != UserSource::Authenticate,
            Self::Forgot => config.endpoints.contains(&self) && Self::Reset.is_on(config),
            Self::Logo => config.logo.is_some(),
            Self::Health | Self::Metadata | Self::Root => true,
            _ => config.endpoints.contains(&self),
        }
    }

    /// The methods that it takes; `HEAD` goes with `GET`, `OPTIONS` is a CORS preflight.
    pub(crate) const fn methods(self) -> &'static [Method] {
        match self {
            Self::Challenge | Self::Introspect | Self::Refresh | Self::Revoke | Self::Token => &[Method::POST],
            Self::Applications
            | Self::Authorize
            | Self::Consent
            | Self::Forgot
            | Self::Login
            | Self::Logout
            | Self::Password
            | Self::Reset => &[Method::GET, Method::HEAD, Method::POST],
            Self::Health | Self::Logo | Self::Me | Self::Metadata | Self::Root => &[Method::GET, Method::HEAD],
            Self::Userinfo => &[Method::GET, Method::HEAD, Method::POST],
        }
    }

    /// The `Allow` header.
    pub(crate) fn allow(self) -> String {
        let methods: Vec<&str> = self.methods().iter().map(Method::as_str).collect();
        methods.join(", ")
    }

    /// The endpoint at a path, if it is switched on.
    pub(crate) fn at(config: &Config, path: &str) -> Option<Self> {
        if let Some(endpoint) = config.issuer.strip(path).and_then(Self::under_issuer) {
            return Some(endpoint).filter(|endpoint| endpoint.is_on(config));
        }
        match path {
            "/" => Some(Self::Root),
            "/health" => Some(Self::Health),
            _ => (path == config.issuer.well_known()).then_some(Self::Metadata),
        }
    }

    fn under_issuer(name: &str) -> Option<Self> {
        Self::switched(name).or_else(|| Self::at_pages().find(|endpoint| endpoint.name() == name))
    }
}

impl Config {
    /// The paths that a face has to route here, as requests carry them: those under the issuer, and, at the host's
    /// root, the metadata document (RFC 8414 section 3), `/health` and `/`.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        let under = self.endpoints.iter().copied().chain(Endpoint::at_pages());
        let under = under.filter(|endpoint| endpoint.is_on(self));
        let mut paths: Vec<String> = under.map(|endpoint| self.issuer.request_path(endpoint.name())).collect();
        paths.extend([self.issuer.well_known(), "/health".to_owned(), "/".to_owned()]);
        paths.sort();
        paths.dedup();
        paths
    }
}
