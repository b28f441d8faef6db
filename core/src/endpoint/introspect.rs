//! The introspection endpoint (RFC 7662), for clients that may use it.

use http::StatusCode;
use serde::Serialize;

use crate::basic;
use crate::client_auth::Credentials;
use crate::io::Io;
use crate::record::{Client, Grant, Kind};
use crate::refusal::Refusal;
use crate::reply::{Caching, Response, json};
use crate::request::{Authorization, Parameters, Request};
use crate::scope::Scope;
use crate::secret::Secret;
use crate::token::{Token, TokenKind};

/// What introspection tells (RFC 7662 section 2.2). An inactive answer holds nothing else.
#[derive(Clone, Debug, Serialize)]
pub struct Introspection {
    active: bool,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    token: Option<Active>,
}

#[derive(Clone, Debug, Serialize)]
struct Active {
    scope: String,
    client_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    token_type: &'static str,
    exp: u64,
    iat: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    aud: Vec<String>,
    iss: String,
}

impl Introspection {
    const INACTIVE: Self = Self { active: false, token: None };

    /// Whether the token works now, for this caller.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        self.active
    }

    /// The scope of an active token, space-separated.
    #[must_use]
    pub fn scope(&self) -> Option<&str> {
        self.token.as_ref().map(|token| token.scope.as_str())
    }

    /// The user of an active token; none where a client acts for itself.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.token.as_ref().and_then(|token| token.sub.as_deref())
    }

    /// The client of an active token.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.token.as_ref().map(|token| token.client_id.as_str())
    }

    /// When an active token expires, in seconds since 1970.
    #[must_use]
    pub fn expires_at(&self) -> Option<u64> {
        self.token.as_ref().map(|token| token.exp)
    }
}

pub(crate) async fn introspect(io: &mut Io, request: &Request) -> Result<Response, Refusal> {
    let mut parameters = Parameters::read(request)?;
    // RFC 7662 section 2.3: a caller that tries a bearer token gets the answer of RFC 6750.
    if let Authorization::One(value) = request.authorization()
        && basic::parse(value).is_ok_and(|found| found.is_none())
    {
        return Err(Refusal::invalid_token("callers authenticate as clients"));
    }
    let token = parameters.take("token");
    let credentials = Credentials::read(request, &mut parameters);
    let credentials = credentials.map_err(|refusal| match parameters.text("client_id") {
        Some(_) => refusal,
        None => Refusal::invalid_client("callers authenticate as clients"),
    })?;
    let client = io.authenticate(&credentials).await?;
    let token = token.ok_or(Refusal::invalid_request("token is missing"))?;
    let answer = introspect_token(io, &client, &token).await?;
    Ok(json(StatusCode::OK, Caching::Forbidden, &answer))
}

/// Tells a client about its own tokens, and about access tokens whose audience it is; about no others.
pub(crate) async fn introspect_token(
    io: &mut Io,
    client: &Client,
    presented: &Secret,
) -> Result<Introspection, Refusal> {
    if !client.is_confidential() {
        return Err(Refusal::invalid_client("public clients do not introspect"));
    }
    if !client.introspects {
        return Err(Refusal::unauthorized_client("the client may not introspect").with_status(StatusCode::FORBIDDEN));
    }
    let Some(token) = io.open_any_token(presented) else { return Ok(Introspection::INACTIVE) };
    let key = io.names().key(Kind::Grant, token.id());
    let Some(stored) = io.load::<Grant>(&key).await? else { return Ok(Introspection::INACTIVE) };
    let active = describe(io, client, &stored.body, &token);
    Ok(active.map_or(Introspection::INACTIVE, |token| Introspection { active: true, token: Some(token) }))
}

fn describe(io: &Io, client: &Client, grant: &Grant, token: &Token) -> Option<Active> {
    let own = grant.approval.client_id == client.client_id;
    let (digest, none) = (token.digest(), [].as_slice());
    let (scope, resources, iat, exp): (&Scope, &[String], u64, u64) = match token.kind() {
        TokenKind::Access => {
            let access = grant.access(&digest, io.now)?;
            if !own && !access.resources.iter().any(|resource| client.serves.contains(resource)) {
                return None;
            }
            (access.scope, access.resources, access.issued_at, access.expires_at)
        }
        TokenKind::Refresh if own => {
            let exp = grant.current_refresh(token.generation(), &digest, io.now)?;
            (&grant.approval.scope, none, grant.approval.created_at, exp)
        }
        TokenKind::Code | TokenKind::Refresh => return None,
    };
    Some(Active {
        scope: scope.as_str().to_owned(),
        client_id: grant.approval.client_id.clone(),
        // RFC 7662 section 5: no more than the scope shows.
        username: grant.approval.username.clone().filter(|_| scope.contains("profile")),
        token_type: "Bearer",
        exp,
        iat,
        sub: grant.approval.subject.clone(),
        aud: resources.to_vec(),
        iss: io.config.issuer().to_owned(),
    })
}
