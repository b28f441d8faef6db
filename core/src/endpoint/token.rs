//! The token endpoint (RFC 6749 section 3.2), and `/refresh`, which is the same for one grant type.

use std::time::Duration;

use http::StatusCode;

use crate::client_auth::Credentials;
use crate::config::Rotation;
use crate::io::Io;
use crate::record::{Client, GrantType, Rotate, Terms};
use crate::refusal::Refusal;
use crate::reply::{Caching, Response, json};
use crate::request::{Parameters, Request};
use crate::scope::Scope;

mod client_credentials;
mod redeem;
mod refresh;

pub(crate) use client_credentials::issue;
pub(crate) use redeem::{Redeem, redeem};
pub(crate) use refresh::{Refresh, refresh};

/// Which grant types a path takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entrance {
    /// `/refresh`: the grant type may be left out, and no other is taken.
    Refresh,
    /// `/token`: the request names its grant type.
    Token,
}

pub(crate) async fn token(io: &mut Io, request: &Request, entrance: Entrance) -> Result<Response, Refusal> {
    let mut parameters = Parameters::read(request)?;
    let grant_type = grant_type(&parameters, entrance)?;
    let credentials = Credentials::read(request, &mut parameters)?;
    let client = io.authenticate(&credentials).await?;
    // RFC 6749 section 5.2: a known type that this client was not registered for.
    if !client.may_use(grant_type) {
        return Err(Refusal::unauthorized_client("the client may not use this grant type"));
    }
    let scope = requested_scope(&parameters)?;
    let resources = parameters.resources()?;
    let tokens = match grant_type {
        GrantType::AuthorizationCode => {
            Box::pin(redeem(io, &client, Redeem::read(&mut parameters, resources)?)).await?
        }
        GrantType::ClientCredentials => Box::pin(issue(io, &client, scope, resources)).await?,
        GrantType::RefreshToken => {
            let refresh_token = parameters.take("refresh_token");
            let refresh_token = refresh_token.ok_or(Refusal::invalid_request("refresh_token is missing"))?;
            Box::pin(refresh(io, &client, Refresh::new(refresh_token, scope, resources))).await?
        }
    };
    Ok(json(StatusCode::OK, Caching::Forbidden, &tokens))
}

fn grant_type(parameters: &Parameters, entrance: Entrance) -> Result<GrantType, Refusal> {
    let named = match (parameters.text("grant_type"), entrance) {
        (None, Entrance::Refresh) => return Ok(GrantType::RefreshToken),
        (None, Entrance::Token) => return Err(Refusal::invalid_request("grant_type is missing")),
        (Some(name), _) => GrantType::parse(name),
    };
    match (named, entrance) {
        (Some(GrantType::RefreshToken), _) => Ok(GrantType::RefreshToken),
        (Some(grant_type), Entrance::Token) => Ok(grant_type),
        (None, _) => Err(Refusal::unsupported_grant_type("the server does not know this grant type")),
        (Some(_), Entrance::Refresh) => Err(Refusal::unsupported_grant_type("this endpoint takes refresh tokens only")),
    }
}

/// The `scope` parameter, if there is one and it is well formed (RFC 6749 section 3.3).
pub(crate) fn requested_scope(parameters: &Parameters) -> Result<Option<Scope>, Refusal> {
    let scope = parameters.text("scope").map(Scope::parse).transpose();
    scope.map_err(|_| Refusal::invalid_scope("the scope is malformed"))
}

/// The terms of a client's tokens: its own, else those of the settings.
pub(crate) fn terms(io: &Io, client: &Client) -> Terms {
    let settings = &io.config.settings;
    let refresh_lifetime = Io::lifetime(settings.refresh_token_lifetime, client.refresh_token_lifetime);
    let refreshes = client.may_use(GrantType::RefreshToken) && !refresh_lifetime.is_zero();
    let rotate = match settings.rotation {
        Rotation::PublicClients if client.is_confidential() => Rotate::Never,
        Rotation::Always | Rotation::PublicClients => Rotate::Always,
    };
    Terms {
        access_lifetime: Io::lifetime(settings.access_token_lifetime, client.access_token_lifetime),
        refresh_lifetime: refreshes.then_some(refresh_lifetime),
        leeway: settings.reuse_leeway,
        rotate,
    }
}

/// What a request for a new grant gets of the scope that it asks for: narrowed to what the client may have; nothing
/// left is an error (RFC 6749 section 3.3).
pub(crate) fn granted_scope(io: &Io, client: &Client, requested: Option<Scope>) -> Result<Scope, Refusal> {
    let requested = requested.or_else(|| io.config.default_scope.clone());
    let requested = requested.ok_or(Refusal::invalid_scope("the request names no scope, and there is no default"))?;
    let limit = client.scope_limit().unwrap_or_else(|| io.config.all_scopes.clone());
    let granted = requested.intersection(&io.config.all_scopes).intersection(&limit);
    if granted.is_empty() {
        return Err(Refusal::invalid_scope("the client may have none of the scope"));
    }
    Ok(granted)
}

/// What a request for a new grant gets as its audience (RFC 8707 section 2).
pub(crate) fn granted_resources(client: &Client, requested: Vec<String>) -> Result<Vec<String>, Refusal> {
    if requested.is_empty() {
        let mut resources = client.default_resources.clone();
        resources.sort();
        resources.dedup();
        return Ok(resources);
    }
    if requested.iter().any(|resource| !client.resources.contains(resource)) {
        return Err(Refusal::invalid_target("the client may not ask for this resource"));
    }
    Ok(requested)
}

/// When a grant of this client ends, however often it is refreshed.
pub(crate) fn grant_lifetime(io: &Io, client: &Client) -> Duration {
    Io::lifetime(io.config.settings.grant_lifetime, client.grant_lifetime)
}
