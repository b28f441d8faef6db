//! Bearer tokens at a protected resource (RFC 6750): of this server, or of the host's own API.

use crate::form;
use crate::io::Io;
use crate::record::{Grant, Kind};
use crate::refusal::Refusal;
use crate::request::{Authorization, MAX_PARAMETERS, Request};
use crate::scope::Scope;
use crate::secret::Secret;
use crate::token::TokenKind;

/// What an API asks of an access token.
#[derive(Clone, Debug, Default)]
pub struct Requirement {
    scope: Scope,
    resource: Option<String>,
}

impl Requirement {
    /// Any live token for this server.
    #[must_use]
    pub fn any() -> Self {
        Self::default()
    }

    /// A token with all of this scope.
    #[must_use]
    pub fn scope(scope: Scope) -> Self {
        Self { scope, resource: None }
    }

    /// A token whose audience is this resource, instead of the issuer (RFC 9700 section 2.3).
    #[must_use]
    pub fn for_resource(mut self, uri: impl Into<String>) -> Self {
        self.resource = Some(uri.into());
        self
    }
}

/// A checked access token: who acts, by which client, with what scope.
#[derive(Clone, Debug)]
pub struct AccessToken {
    pub(crate) grant: String,
    pub(crate) client_id: String,
    pub(crate) subject: Option<String>,
    pub(crate) username: Option<String>,
    pub(crate) scope: Scope,
    pub(crate) audience: Vec<String>,
    pub(crate) expires_at: u64,
}

impl AccessToken {
    /// The identifier of the grant that it belongs to.
    #[must_use]
    pub fn grant_id(&self) -> &str {
        &self.grant
    }

    /// The client that presented it.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The user; none where a client acts for itself.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// Its scope.
    #[must_use]
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The resources that it is for; empty means this server.
    #[must_use]
    pub fn audience(&self) -> &[String] {
        &self.audience
    }

    /// When it expires, in seconds since 1970.
    #[must_use]
    pub const fn expires_at(&self) -> u64 {
        self.expires_at
    }
}

const INVALID: &str = "the access token is invalid, expired or revoked";

/// Checks the bearer token of a request, by one get.
pub(crate) async fn check_access(
    io: &mut Io,
    request: &Request,
    requirement: &Requirement,
) -> Result<AccessToken, Refusal> {
    let presented = bearer(request)?;
    check_token(io, &presented, requirement).await
}

/// Checks a bearer token.
pub(crate) async fn check_token(
    io: &mut Io,
    presented: &Secret,
    requirement: &Requirement,
) -> Result<AccessToken, Refusal> {
    let token = io.open_token(presented, TokenKind::Access);
    let token = token.ok_or_else(|| Refusal::invalid_token(INVALID).detail("no access token of this issuer"))?;
    let key = io.names().key(Kind::Grant, token.id());
    let stored = io.load::<Grant>(&key).await?;
    let grant = stored.as_ref().map(|stored| &stored.body);
    // Before the token is judged: the client's pages may read that it has expired.
    if io.origin.is_some()
        && let Some(grant) = grant
        && let Some(client) = io.client(&grant.approval.client_id).await?
    {
        io.allow_origin_of(&client);
    }
    let entitled = grant.and_then(|grant| Some((grant, grant.access(&token.digest(), io.now)?)));
    let (grant, access) = entitled.ok_or(Refusal::invalid_token(INVALID))?;
    let meant = match &requirement.resource {
        Some(resource) => access.resources.contains(resource),
        None => access.resources.is_empty() || access.resources.iter().any(|resource| resource == io.config.issuer()),
    };
    if !meant {
        return Err(Refusal::invalid_token(INVALID).detail("the token is for another audience"));
    }
    if !requirement.scope.is_subset_of(access.scope) {
        return Err(Refusal::insufficient_scope(requirement.scope.as_str().to_owned()));
    }
    Ok(AccessToken {
        grant: grant.id(),
        client_id: grant.approval.client_id.clone(),
        subject: grant.approval.subject.clone(),
        username: grant.approval.username.clone(),
        scope: access.scope.clone(),
        audience: access.resources.to_vec(),
        expires_at: access.expires_at,
    })
}

/// The token of the `Authorization` header, the only place where one is looked for (RFC 6750 section 2.1). One that
/// is sent in the query or the body as well makes the request invalid (section 2); alone there it is ignored.
fn bearer(request: &Request) -> Result<Secret, Refusal> {
    let value = match request.authorization() {
        Authorization::None => return Err(Refusal::missing_token()),
        Authorization::One(value) => value,
        Authorization::Repeated => return Err(Refusal::malformed_bearer("the Authorization header is repeated")),
    };
    let (scheme, rest) = match value.iter().position(|byte| *byte == b' ') {
        Some(at) => value.split_at_checked(at).unwrap_or((value, &[])),
        None => (value, [].as_slice()),
    };
    if !scheme.eq_ignore_ascii_case(b"bearer") {
        return Err(Refusal::missing_token());
    }
    let token = rest.trim_ascii();
    if token.is_empty() || token.contains(&b' ') {
        return Err(Refusal::malformed_bearer("the Authorization header holds not exactly one token"));
    }
    let http = request.http();
    let elsewhere = [http.uri().query().unwrap_or_default().as_bytes(), http.body()];
    if elsewhere.into_iter().any(names_token) {
        return Err(Refusal::malformed_bearer("the token is sent in more than one way"));
    }
    Ok(Secret::new(token.into()))
}

fn names_token(form: &[u8]) -> bool {
    !form.is_empty()
        && form::decode(form, MAX_PARAMETERS)
            .is_ok_and(|decoded| decoded.iter().any(|(name, _)| name == "access_token"))
}
