//! The revocation endpoint (RFC 7009).

use http::StatusCode;
use serde::Serialize;

use crate::client_auth::Credentials;
use crate::event::{Event, EventKind};
use crate::io::{Io, Written};
use crate::record::{Client, Grant, Kind};
use crate::refusal::Refusal;
use crate::reply::{Caching, Response, empty, json};
use crate::request::{Format, Parameters, Request};
use crate::secret::Secret;
use crate::token::TokenKind;

/// What the original's clients read.
#[derive(Serialize)]
struct Answer {
    message: &'static str,
}

pub(crate) async fn revoke(io: &mut Io, request: &Request) -> Result<Response, Refusal> {
    let mut parameters = Parameters::read(request)?;
    let credentials = Credentials::read(request, &mut parameters)?;
    let client = io.authenticate(&credentials).await?;
    let token = parameters.take("token").ok_or(Refusal::invalid_request("token is missing"))?;
    revoke_token(io, &client, &token).await?;
    Ok(match parameters.format() {
        Format::Form => empty(StatusCode::OK),
        Format::Json => json(StatusCode::OK, Caching::Forbidden, &Answer { message: "Token revoked successfully" }),
    })
}

/// Revokes a token of this client: an access token alone, a refresh token of any generation with its whole grant.
/// Unknown, expired, revoked and foreign tokens have no effect, and are no error (RFC 7009 section 2.2). The hint is
/// not needed: the token names its kind.
pub(crate) async fn revoke_token(io: &mut Io, client: &Client, presented: &Secret) -> Result<(), Refusal> {
    let Some(token) = io.open_any_token(presented) else { return Ok(()) };
    let key = io.names().key(Kind::Grant, token.id());
    let mut tries = io.tries();
    loop {
        let Some(stored) = io.load::<Grant>(&key).await? else { return Ok(()) };
        let grant = &stored.body;
        if grant.approval.client_id != client.client_id && !planted!(ForeignClientRevokes) {
            return Ok(());
        }
        let (kind, next) = match token.kind() {
            TokenKind::Access => (EventKind::AccessRevoked, grant.revoke_access(&token.digest())),
            TokenKind::Refresh => (EventKind::GrantRevoked, grant.revoke(io.now)),
            TokenKind::Code => return Ok(()),
        };
        let Some(next) = next else { return Ok(()) };
        tries.again_to_end()?;
        if io.replace(&stored, &next).await? == Written::Done {
            let event = Event::new(kind).client(&client.client_id).grant(next.id());
            io.event(event.subject(next.approval.subject.as_deref()));
            return Ok(());
        }
    }
}
