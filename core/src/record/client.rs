//! Clients: what a registration says, configured or stored.

use std::time::Duration;

use minicbor::{Decode, Encode};

use crate::redirect::{ApplicationType, RedirectUri};
use crate::scope::Scope;

mod kinds;
mod problems;
mod registration;
mod secret;
mod written;

pub use kinds::{AuthMethod, GrantType};
pub use problems::InvalidClient;
pub(crate) use registration::{ClientRecord, Registration};
pub use secret::ClientSecret;
pub use written::InvalidField;

/// A registered client.
///
/// Built by [`Client::public`] or [`Client::confidential`] and the methods that follow; what is wrong with it is found
/// when the server is built or the client is stored, all at once.
#[derive(Clone, Debug, Encode, Decode)]
pub struct Client {
    #[n(0)]
    pub(crate) client_id: String,
    #[n(1)]
    pub(crate) client_name: Option<String>,
    #[n(2)]
    pub(crate) auth_method: AuthMethod,
    #[n(3)]
    pub(crate) secrets: Vec<ClientSecret>,
    #[n(4)]
    redirect_texts: Vec<String>,
    #[n(5)]
    native: bool,
    #[n(6)]
    pub(crate) grant_types: Vec<GrantType>,
    #[n(7)]
    scope_text: String,
    #[n(8)]
    pub(crate) resources: Vec<String>,
    #[n(9)]
    pub(crate) serves: Vec<String>,
    #[n(10)]
    pub(crate) introspects: bool,
    #[n(11)]
    pub(crate) first_party: bool,
    #[n(12)]
    pub(crate) oauth21: bool,
    #[n(13)]
    pub(crate) access_token_lifetime: Option<u64>,
    #[n(14)]
    pub(crate) refresh_token_lifetime: Option<u64>,
    #[n(15)]
    pub(crate) grant_lifetime: Option<u64>,
    #[n(16)]
    pub(crate) default_resources: Vec<String>,
}

impl Client {
    /// A client without a secret: a browser or native application.
    #[must_use]
    pub fn public(client_id: impl Into<String>) -> Self {
        Self {
            client_id: client_id.into(),
            client_name: None,
            auth_method: AuthMethod::None,
            secrets: Vec::new(),
            redirect_texts: Vec::new(),
            native: false,
            grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
            scope_text: String::new(),
            resources: Vec::new(),
            serves: Vec::new(),
            introspects: false,
            first_party: false,
            oauth21: false,
            access_token_lifetime: None,
            refresh_token_lifetime: None,
            grant_lifetime: None,
            default_resources: Vec::new(),
        }
    }

    /// A client that keeps a secret; it authenticates by HTTP Basic unless told otherwise.
    #[must_use]
    pub fn confidential(client_id: impl Into<String>, secret: ClientSecret) -> Self {
        let mut client = Self::public(client_id);
        client.auth_method = AuthMethod::ClientSecretBasic;
        client.secrets.push(secret);
        client
    }

    /// A further secret, so that secrets can be changed without a pause.
    #[must_use]
    pub fn secret(mut self, secret: ClientSecret) -> Self {
        self.secrets.push(secret);
        self
    }

    /// The name shown to people.
    #[must_use]
    pub fn name(mut self, client_name: impl Into<String>) -> Self {
        self.client_name = Some(client_name.into());
        self
    }

    /// How the client authenticates.
    #[must_use]
    pub const fn auth_method(mut self, method: AuthMethod) -> Self {
        self.auth_method = method;
        self
    }

    /// A complete redirect URI; compared by plain string comparison (RFC 6749 section 3.1.2.3).
    #[must_use]
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.redirect_texts.push(uri.into());
        self
    }

    /// A native application: loopback and private-use redirect URIs are possible (RFC 8252).
    #[must_use]
    pub const fn native(mut self) -> Self {
        self.native = true;
        self
    }

    /// The grant types that the client may use, instead of code and refresh token.
    #[must_use]
    pub fn grant_types(mut self, types: impl IntoIterator<Item = GrantType>) -> Self {
        self.grant_types = types.into_iter().collect();
        self
    }

    /// The scope that the client may have, space-separated; without it, every scope of the server.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope_text = scope.into();
        self
    }

    /// A resource that the client may ask tokens for (RFC 8707).
    #[must_use]
    pub fn resource(mut self, uri: impl Into<String>) -> Self {
        self.resources.push(uri.into());
        self
    }

    /// A resource that the client's tokens are for when its request names none; it may then ask for it too.
    #[must_use]
    pub fn default_resource(mut self, uri: impl Into<String>) -> Self {
        let uri = uri.into();
        self.resources.push(uri.clone());
        self.default_resources.push(uri);
        self
    }

    /// A resource that this client is the server of: it may introspect tokens for it (RFC 7662).
    #[must_use]
    pub fn serves(mut self, uri: impl Into<String>) -> Self {
        self.serves.push(uri.into());
        self.introspects = true;
        self
    }

    /// The client may introspect its own tokens.
    #[must_use]
    pub const fn may_introspect(mut self) -> Self {
        self.introspects = true;
        self
    }

    /// The operator's own application: it may take credentials itself, and consent may be skipped.
    #[must_use]
    pub const fn first_party(mut self) -> Self {
        self.first_party = true;
        self
    }

    /// The client need not repeat `redirect_uri` at the token endpoint (OAuth 2.1 section 10.2).
    #[must_use]
    pub const fn oauth21(mut self) -> Self {
        self.oauth21 = true;
        self
    }

    /// Lifetime of the client's access tokens instead of `access_token_lifetime`.
    #[must_use]
    pub const fn access_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.access_token_lifetime = Some(lifetime.as_secs());
        self
    }

    /// Lifetime of the client's refresh tokens instead of `refresh_token_lifetime`; zero for none.
    #[must_use]
    pub const fn refresh_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.refresh_token_lifetime = Some(lifetime.as_secs());
        self
    }

    /// Lifetime of the client's grants in all instead of `grant_lifetime`.
    #[must_use]
    pub const fn grant_lifetime(mut self, lifetime: Duration) -> Self {
        self.grant_lifetime = Some(lifetime.as_secs());
        self
    }

    /// The identifier.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The name shown to people.
    #[must_use]
    pub fn client_name(&self) -> Option<&str> {
        self.client_name.as_deref()
    }

    /// How the client authenticates.
    #[must_use]
    pub const fn token_endpoint_auth_method(&self) -> AuthMethod {
        self.auth_method
    }

    /// The redirect URIs, as registered.
    #[must_use]
    pub fn redirect_uris(&self) -> &[String] {
        &self.redirect_texts
    }

    /// The grant types.
    #[must_use]
    pub fn allowed_grant_types(&self) -> &[GrantType] {
        &self.grant_types
    }

    /// The scope that the client may have, space-separated; empty means every scope of the server.
    #[must_use]
    pub fn allowed_scope(&self) -> &str {
        &self.scope_text
    }

    /// Whether the client can keep a secret (RFC 6749 section 2.1): one in a native application is none.
    #[must_use]
    pub const fn is_confidential(&self) -> bool {
        !matches!(self.auth_method, AuthMethod::None) && !self.native
    }

    /// Whether it is the operator's own application.
    #[must_use]
    pub const fn is_first_party(&self) -> bool {
        self.first_party
    }

    /// Whether it is a native application.
    #[must_use]
    pub const fn is_native(&self) -> bool {
        self.native
    }
    pub(crate) const fn application_type(&self) -> ApplicationType {
        if self.native { ApplicationType::Native } else { ApplicationType::Web }
    }

    pub(crate) fn redirects(&self) -> impl Iterator<Item = RedirectUri> {
        let kind = self.application_type();
        self.redirect_texts.iter().filter_map(move |text| RedirectUri::parse(text, kind).ok())
    }

    /// The web origins that the client's pages are served from: those of its redirect URIs.
    pub(crate) fn origins(&self) -> Vec<String> {
        let mut origins: Vec<String> = self.redirects().filter_map(|uri| uri.origin()).collect();
        origins.sort();
        origins.dedup();
        origins
    }

    /// The scope that the client may have; nothing if it may have every scope of the server.
    pub(crate) fn scope_limit(&self) -> Option<Scope> {
        Scope::parse(&self.scope_text).ok().filter(|scope| !scope.is_empty())
    }

    /// What people are shown as its name.
    pub(crate) fn shown_name(&self) -> &str {
        self.client_name.as_deref().unwrap_or(&self.client_id)
    }

    pub(crate) fn may_use(&self, grant_type: GrantType) -> bool {
        self.grant_types.contains(&grant_type)
    }

    /// Whether a secret of this client was chosen by a person, so that it might be guessed.
    pub(crate) fn has_chosen_secret(&self) -> bool {
        self.secrets.iter().any(|secret| secret.chosen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registration_says_what_was_registered() {
        let plain = Client::public("a").redirect_uri("https://c.example/cb");
        assert_eq!((plain.client_id(), plain.client_name(), plain.shown_name()), ("a", None, "a"));
        assert_eq!(plain.redirect_uris(), ["https://c.example/cb"]);
        assert_eq!(plain.allowed_grant_types(), [GrantType::AuthorizationCode, GrantType::RefreshToken]);
        assert_eq!((plain.allowed_scope(), plain.scope_limit()), ("", None));
        assert!(!plain.is_first_party() && !plain.is_native() && !plain.is_confidential());
        let other = plain.name("A").first_party().native().scope("read").grant_types([GrantType::RefreshToken]);
        assert_eq!((other.client_name(), other.shown_name()), (Some("A"), "A"));
        assert!(other.is_first_party() && other.is_native());
        assert_eq!((other.allowed_scope(), other.scope_limit()), ("read", Scope::parse("read").ok()));
        assert!(other.may_use(GrantType::RefreshToken) && !other.may_use(GrantType::AuthorizationCode));
    }
}
