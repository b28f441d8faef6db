//! Which endpoint a path and a method mean.

use http::Method;

use crate::config::Config;

/// An endpoint of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Endpoint {
    Authorize,
    Challenge,
    Health,
    Introspect,
    Me,
    Metadata,
    Refresh,
    Revoke,
    Root,
    Token,
    Userinfo,
}

impl Endpoint {
    /// The endpoints that the setting `endpoints` switches, in its order.
    pub(crate) const SWITCHED: [Self; 8] = [
        Self::Authorize,
        Self::Token,
        Self::Refresh,
        Self::Revoke,
        Self::Introspect,
        Self::Userinfo,
        Self::Me,
        Self::Challenge,
    ];

    /// Its name: the last part of its path.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Authorize => "authorize",
            Self::Challenge => "challenge",
            Self::Health => "health",
            Self::Introspect => "introspect",
            Self::Me => "me",
            Self::Metadata => ".well-known/oauth-authorization-server",
            Self::Refresh => "refresh",
            Self::Revoke => "revoke",
            Self::Root => "",
            Self::Token => "token",
            Self::Userinfo => "userinfo",
        }
    }

    /// The switched endpoint of that name.
    pub(crate) fn switched(name: &str) -> Option<Self> {
        Self::SWITCHED.into_iter().find(|endpoint| endpoint.name() == name)
    }

    /// The methods that it takes; `HEAD` goes with `GET`, `OPTIONS` is a CORS preflight.
    pub(crate) const fn methods(self) -> &'static [Method] {
        match self {
            Self::Authorize | Self::Challenge | Self::Introspect | Self::Refresh | Self::Revoke | Self::Token => {
                &[Method::POST]
            }
            Self::Health | Self::Me | Self::Metadata | Self::Root => &[Method::GET, Method::HEAD],
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
            let switched = Self::SWITCHED.contains(&endpoint);
            return (!switched || config.endpoints.contains(&endpoint)).then_some(endpoint);
        }
        match path {
            "/" => Some(Self::Root),
            "/health" => Some(Self::Health),
            _ => (path == config.issuer.well_known()).then_some(Self::Metadata),
        }
    }

    fn under_issuer(name: &str) -> Option<Self> {
        Self::switched(name).or_else(|| (name == Self::Metadata.name()).then_some(Self::Metadata))
    }
}

impl Config {
    /// The paths that a face has to route here, as requests carry them: those under the issuer, and, at the host's
    /// root, the metadata document (RFC 8414 section 3), `/health` and `/`.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        let under = self.endpoints.iter().copied().chain([Endpoint::Metadata]);
        let mut paths: Vec<String> = under.map(|endpoint| self.issuer.request_path(endpoint.name())).collect();
        paths.extend([self.issuer.well_known(), "/health".to_owned(), "/".to_owned()]);
        paths.sort();
        paths.dedup();
        paths
    }
}
