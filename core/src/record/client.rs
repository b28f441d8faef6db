//! Clients: what a registration says, configured or stored.
//!
//! | state | create | update | delete |
//! | --- | --- | --- | --- |
//! | no record | present | refused | refused |
//! | present | refused | present; refused if it would change the client type | gone |
//! | gone | present | refused | refused |

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};

use super::{Body, Kind, MARGIN};
use crate::UnixTime;
use crate::name::Names;
use crate::redirect::{ApplicationType, InvalidRedirectUri, RedirectUri};
use crate::scope::Scope;
use crate::secret::{Secret, SecretDigest};
use crate::store::Owner;

const SECRET_PREFIX: &str = "pfk_secret_";
/// A stored client carries one tag that lists all clients, and one for each of its web origins.
const MAX_STORED_ORIGINS: usize = 2;

/// How a client authenticates at the token endpoint (`token_endpoint_auth_method`, RFC 7591 section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[non_exhaustive]
pub enum AuthMethod {
    /// `client_secret_basic`: HTTP Basic (RFC 6749 section 2.3.1).
    #[n(0)]
    ClientSecretBasic,
    /// `client_secret_post`: in the form body.
    #[n(1)]
    ClientSecretPost,
    /// `none`: a public client.
    #[n(2)]
    None,
}

impl AuthMethod {
    /// The registered name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::None => "none",
        }
    }

    /// The method of that registered name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::ClientSecretBasic, Self::ClientSecretPost, Self::None].into_iter().find(|method| method.as_str() == name)
    }
}

/// What a client may use at the token endpoint (`grant_types`, RFC 7591 section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[non_exhaustive]
pub enum GrantType {
    /// `authorization_code` (RFC 6749 section 4.1).
    #[n(0)]
    AuthorizationCode,
    /// `client_credentials` (RFC 6749 section 4.4).
    #[n(1)]
    ClientCredentials,
    /// `refresh_token` (RFC 6749 section 6).
    #[n(2)]
    RefreshToken,
}

impl GrantType {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::ClientCredentials => "client_credentials",
            Self::RefreshToken => "refresh_token",
        }
    }

    /// The type of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::AuthorizationCode, Self::ClientCredentials, Self::RefreshToken]
            .into_iter()
            .find(|one| one.as_str() == name)
    }
}

/// A client secret as it is kept: a digest, and whether it can be guessed at all.
#[derive(Clone, Debug, Encode, Decode)]
pub struct ClientSecret {
    #[n(0)]
    digest: ByteArray<32>,
    /// Chosen by a person, so attempts are counted before it is compared.
    #[n(1)]
    chosen: bool,
}

impl ClientSecret {
    /// Makes a secret of 256 random bits; the text is shown once, the digest is kept.
    #[must_use]
    pub fn generate(random: [u8; 32]) -> (Self, Secret) {
        let text = Secret::from_text(format!("{SECRET_PREFIX}{}", URL_SAFE_NO_PAD.encode(random)));
        (Self::from_text(&text), text)
    }

    /// Keeps the digest of a secret that exists already. One that [`ClientSecret::generate`] made is known by its form.
    #[must_use]
    pub fn from_text(text: &Secret) -> Self {
        let generated = text
            .expose_text()
            .and_then(|text| text.strip_prefix(SECRET_PREFIX))
            .is_some_and(|rest| URL_SAFE_NO_PAD.decode(rest).is_ok_and(|bytes| bytes.len() == 32));
        Self { digest: ByteArray::from(*text.digest().as_bytes()), chosen: !generated }
    }

    pub(crate) fn matches(&self, presented: &Secret) -> bool {
        SecretDigest::from_bytes(*self.digest).matches(&presented.digest())
    }
}

/// What is wrong with a registration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidClient {
    /// The identifier is empty, too long or has characters that RFC 6749 appendix A.1 does not allow.
    #[error("client_id is 1 to 255 printable ASCII characters")]
    ClientId,
    /// A client that could not keep its secret wants a token for itself, or to introspect.
    #[error("client {0}: only a confidential web client may use client_credentials or introspect; give it a secret")]
    Confidential(String),
    /// Lifetimes out of range.
    #[error("client {0}: {1}")]
    Lifetime(String, &'static str),
    /// The authorization code grant needs a place to send the code to.
    #[error("client {0}: the authorization_code grant needs a redirect_uri (RFC 6749 section 3.1.2.2)")]
    NoRedirectUri(String),
    /// A confidential client without a secret.
    #[error("client {0}: a confidential client needs a client_secret")]
    NoSecret(String),
    /// More web origins than a stored client can have.
    #[error("client {0}: a stored client has at most two web origins among its redirect_uris; configure it instead")]
    Origins(String),
    /// A redirect URI that cannot be registered.
    #[error("client {0}: redirect_uri {1}: {2}")]
    RedirectUri(String, String, InvalidRedirectUri),
    /// A resource that is no absolute URI.
    #[error("client {0}: a resource is an absolute URI without fragment (RFC 8707 section 2)")]
    Resource(String),
    /// A scope that is malformed.
    #[error("client {0}: scope is malformed (RFC 6749 section 3.3)")]
    Scope(String),
    /// A public client with a secret.
    #[error("client {0}: a public client has no client_secret (RFC 6749 section 10.1)")]
    SecretOfPublic(String),
}

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

    /// All that is wrong with the registration.
    #[must_use]
    pub fn problems(&self) -> Vec<InvalidClient> {
        let id = || self.client_id.clone();
        let mut problems = Vec::new();
        let mut require = |holds: bool, problem: InvalidClient| {
            if !holds {
                problems.push(problem);
            }
        };
        let id_characters = self.client_id.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
        require((1..=255).contains(&self.client_id.len()) && id_characters, InvalidClient::ClientId);
        let public = self.auth_method == AuthMethod::None;
        require(!public || self.secrets.is_empty(), InvalidClient::SecretOfPublic(id()));
        require(public || !self.secrets.is_empty(), InvalidClient::NoSecret(id()));
        let alone = self.introspects || self.grant_types.contains(&GrantType::ClientCredentials);
        require(!alone || self.is_confidential(), InvalidClient::Confidential(id()));
        let needs_redirect = self.grant_types.contains(&GrantType::AuthorizationCode);
        require(!needs_redirect || !self.redirect_texts.is_empty(), InvalidClient::NoRedirectUri(id()));
        require(self.scope_text.is_empty() || Scope::parse(&self.scope_text).is_ok(), InvalidClient::Scope(id()));
        let resources = self.resources.iter().chain(&self.serves);
        require(resources.into_iter().all(|uri| is_resource(uri)), InvalidClient::Resource(id()));
        let lifetimes = [
            (self.access_token_lifetime, 60..=86_400, "access_token_lifetime is 60 s to 1 day"),
            (self.refresh_token_lifetime, 0..=31_536_000, "refresh_token_lifetime is 0 to 365 days"),
            (self.grant_lifetime, 3600..=63_072_000, "grant_lifetime is 1 hour to 730 days"),
        ];
        for (lifetime, range, text) in lifetimes {
            require(lifetime.is_none_or(|seconds| range.contains(&seconds)), InvalidClient::Lifetime(id(), text));
        }
        for text in &self.redirect_texts {
            if let Err(reason) = RedirectUri::parse(text, self.application_type()) {
                problems.push(InvalidClient::RedirectUri(id(), text.clone(), reason));
            }
        }
        problems
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

    pub(crate) fn may_use(&self, grant_type: GrantType) -> bool {
        self.grant_types.contains(&grant_type)
    }

    /// Whether a secret of this client was chosen by a person, so that it might be guessed.
    pub(crate) fn has_chosen_secret(&self) -> bool {
        self.secrets.iter().any(|secret| secret.chosen)
    }
}

/// RFC 8707 section 2: an absolute URI without fragment.
fn is_resource(uri: &str) -> bool {
    let printable = uri.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\<>".contains(&byte));
    let scheme = uri.split_once(':').map(|(scheme, rest)| (scheme, rest.is_empty()));
    let absolute =
        scheme.is_some_and(|(scheme, empty)| !empty && scheme.starts_with(|letter: char| letter.is_ascii_alphabetic()));
    printable && absolute && !uri.contains('#') && uri.len() <= 2048
}

/// A record under a client's identifier.
#[derive(Clone, Debug, Encode, Decode)]
pub(crate) enum ClientRecord {
    #[n(0)]
    Present(#[n(0)] Box<Client>),
    /// A tombstone, so that a slow writer cannot bring the client back.
    #[n(1)]
    Gone(#[n(0)] u64),
}

/// What becomes of a change to a registration.
#[derive(Debug)]
pub(crate) enum Registration {
    /// There is, or is not, such a client.
    Conflict,
    /// The new record.
    Next(ClientRecord),
    /// One `client_id` has one client type (OAuth 2.1 section 2.1).
    TypeChange,
}

impl ClientRecord {
    pub(crate) fn client(&self) -> Option<&Client> {
        match self {
            Self::Present(client) => Some(client),
            Self::Gone(_) => None,
        }
    }

    /// Registers a client where there is none.
    pub(crate) fn create(current: Option<&Self>, client: Client) -> Registration {
        match current {
            None | Some(Self::Gone(_)) => Registration::Next(Self::Present(Box::new(client))),
            Some(Self::Present(_)) => Registration::Conflict,
        }
    }

    /// Replaces the registration of a client.
    pub(crate) fn update(current: Option<&Self>, client: Client) -> Registration {
        match current {
            None | Some(Self::Gone(_)) => Registration::Conflict,
            Some(Self::Present(old)) if old.is_confidential() != client.is_confidential() => Registration::TypeChange,
            Some(Self::Present(_)) => Registration::Next(Self::Present(Box::new(client))),
        }
    }

    /// Ends the registration of a client.
    pub(crate) fn delete(current: Option<&Self>, now: UnixTime) -> Registration {
        match current {
            None | Some(Self::Gone(_)) => Registration::Conflict,
            Some(Self::Present(_)) => Registration::Next(Self::Gone(now.seconds())),
        }
    }
}

impl Client {
    /// What is wrong with the registration for a client that lives in the store.
    pub(crate) fn problems_when_stored(&self) -> Vec<InvalidClient> {
        let mut problems = self.problems();
        if self.origins().len() > MAX_STORED_ORIGINS {
            problems.push(InvalidClient::Origins(self.client_id.clone()));
        }
        problems
    }
}

impl Body for ClientRecord {
    const KIND: Kind = Kind::Client;

    fn expires_at(&self) -> UnixTime {
        match self {
            Self::Present(_) => UnixTime::NEVER,
            Self::Gone(at) => UnixTime::from_seconds(*at).after(MARGIN).to_full_hour(),
        }
    }

    fn owners(&self, names: &Names) -> Vec<Owner> {
        match self {
            Self::Present(client) => {
                let origins = client.origins();
                let origins = origins.iter().take(MAX_STORED_ORIGINS).map(|origin| names.origin_tag(origin));
                [names.all_tag(Kind::Client)].into_iter().chain(origins).collect()
            }
            Self::Gone(_) => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn confidential(id: &str) -> Client {
        Client::confidential(id, ClientSecret::generate([7; 32]).0).redirect_uri("https://c.example/cb")
    }

    #[test]
    fn every_state_and_every_event() {
        let now = UnixTime::from_seconds(9);
        let public = || Client::public("a").redirect_uri("https://c.example/cb");
        let present = ClientRecord::Present(Box::new(public()));
        let gone = ClientRecord::Gone(5);
        for current in [None, Some(&gone)] {
            assert!(matches!(ClientRecord::create(current, public()), Registration::Next(ClientRecord::Present(_))));
            assert!(matches!(ClientRecord::update(current, public()), Registration::Conflict));
            assert!(matches!(ClientRecord::delete(current, now), Registration::Conflict));
        }
        assert!(matches!(ClientRecord::create(Some(&present), public()), Registration::Conflict));
        assert!(matches!(ClientRecord::update(Some(&present), public().name("A")), Registration::Next(_)));
        assert!(matches!(ClientRecord::update(Some(&present), confidential("a")), Registration::TypeChange));
        assert!(matches!(ClientRecord::delete(Some(&present), now), Registration::Next(ClientRecord::Gone(9))));
    }

    #[test]
    fn what_is_wrong_is_found_all_at_once() {
        let client = Client::public("").redirect_uri("/cb").scope("a\"b").secret(ClientSecret::generate([1; 32]).0);
        assert_eq!(client.problems().len(), 4, "{:?}", client.problems());
        assert!(confidential("a").problems().is_empty());
    }

    #[test]
    fn only_a_confidential_web_client_acts_for_itself() {
        let itself = [GrantType::ClientCredentials];
        assert!(!Client::public("a").grant_types(itself).problems().is_empty());
        assert!(!confidential("a").native().grant_types(itself).problems().is_empty());
        assert!(confidential("a").grant_types(itself).problems().is_empty());
        assert!(!Client::public("a").redirect_uri("https://c.example/cb").may_introspect().problems().is_empty());
    }

    #[test]
    fn a_generated_secret_is_known_by_its_form() {
        let (kept, text) = ClientSecret::generate([7; 32]);
        assert!(!kept.chosen && kept.matches(&text));
        assert!(ClientSecret::from_text(&Secret::from("pfk_secret_short")).chosen);
        assert!(ClientSecret::from_text(&Secret::from("p%+ ä:1")).chosen);
    }
}
