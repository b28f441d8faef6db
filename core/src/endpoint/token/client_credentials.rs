//! `grant_type=client_credentials`: RFC 6749 section 4.4. No refresh token, and no user's subject.

use std::sync::Arc;

use crate::event::{Event, EventKind};
use crate::io::{Io, Written};
use crate::record::{Approval, Client, Grant, Kind};
use crate::refusal::Refusal;
use crate::scope::Scope;
use crate::tokens::Tokens;

/// Gives an authenticated client a token for itself.
pub(crate) async fn issue(
    io: &mut Io,
    client: &Client,
    scope: Option<Scope>,
    resources: Vec<String>,
) -> Result<Tokens, Refusal> {
    let id: [u8; 16] = io.random();
    let approval = Approval {
        id: id.into(),
        client_id: client.client_id.clone(),
        subject: None,
        username: None,
        scope: super::granted_scope(io, client, scope)?,
        resources: super::granted_resources(client, resources)?,
        created_at: io.now.seconds(),
        ends_at: io.now.after(super::grant_lifetime(io, client)).seconds(),
        auth_time: None,
        amr: Vec::new(),
        session: None,
    };
    let config = Arc::clone(&io.config);
    let primary = config.ring.primary().ok_or_else(|| Refusal::server_error("the key ring is empty"))?;
    let fresh = io.fresh(primary);
    let (grant, issued) = Grant::for_client(approval, &super::terms(io, client), &fresh, io.now);
    let signed_out = || Refusal::invalid_client("the client was signed out meanwhile");
    let epochs = io.epochs(None, Some(&client.client_id)).await?;
    if !io.is_registered(client).await? {
        return Err(signed_out());
    }
    let key = io.names().key(Kind::Grant, &id);
    // The id is 128 fresh bits, so a lost race means that the store answers nonsense.
    if io.create(key.clone(), &grant).await? == Written::Lost {
        return Err(Refusal::unavailable("a fresh key exists already"));
    }
    if !planted!(EpochNotReadAgain) && io.epochs(None, Some(&client.client_id)).await? != epochs {
        io.revoke_key(&key).await?;
        return Err(signed_out());
    }
    io.event(Event::new(EventKind::TokenIssued).client(&client.client_id).grant(grant.id()));
    let tokens = Tokens::seal(id, issued, config.issuer(), &config.ring);
    tokens.ok_or_else(|| Refusal::server_error("the key of fresh tokens is gone"))
}
