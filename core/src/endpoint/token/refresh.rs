//! `grant_type=refresh_token`: RFC 6749 section 6, with the rotation of design section 4.

use std::sync::Arc;
use std::time::Duration;

use crate::event::{Event, EventKind};
use crate::grants::Standing;
use crate::io::{Io, Written};
use crate::record::{Client, Grant, Issued, Kind, Presented, RefreshAsk, Refreshed};
use crate::refusal::Refusal;
use crate::scope::Scope;
use crate::secret::Secret;
use crate::token::TokenKind;
use crate::tokens::Tokens;

/// What a client presents to refresh.
pub(crate) struct Refresh {
    refresh_token: Secret,
    ask: RefreshAsk,
}

impl Refresh {
    pub(crate) const fn new(refresh_token: Secret, scope: Option<Scope>, resources: Vec<String>) -> Self {
        Self { refresh_token, ask: RefreshAsk { scope, resources } }
    }
}

const INVALID: &str = "the refresh token is invalid, expired or revoked";

/// Rotates a refresh token, repeats a rotation whose reply was lost, or ends the grant of a stolen one.
pub(crate) async fn refresh(io: &mut Io, client: &Client, asked: Refresh) -> Result<Tokens, Refusal> {
    let Some(token) = io.open_token(&asked.refresh_token, TokenKind::Refresh) else {
        return Err(Refusal::invalid_grant(INVALID).detail("no refresh token of this issuer"));
    };
    let config = Arc::clone(&io.config);
    let terms = super::terms(io, client);
    let presented = Presented {
        token: &token,
        client_id: &client.client_id,
        ask: &asked.ask,
        terms: &terms,
        ring: &config.ring,
        seed: io.random(),
        now: io.now,
    };
    let key = io.names().key(Kind::Grant, token.id());
    let event = |kind, grant: &Grant| {
        let event = Event::new(kind).client(&client.client_id).grant(grant.id());
        event.subject(grant.approval.subject.as_deref())
    };
    let seal = |issued: Issued| {
        let tokens = Tokens::seal(*token.id(), issued, config.issuer(), &config.ring);
        tokens.ok_or_else(|| Refusal::unavailable("the key of these tokens is not in the ring; put the key back"))
    };
    let (mut tries, mut checked) = (io.tries(), false);
    loop {
        let Some(stored) = io.load::<Grant>(&key).await? else {
            return Err(Refusal::invalid_grant(INVALID).detail("no such grant"));
        };
        let grant = &stored.body;
        let refreshed = grant.refresh(&presented);
        let goes_on = matches!(refreshed, Refreshed::Further(..) | Refreshed::Repeat(_) | Refreshed::Rotate(..));
        if goes_on && !checked {
            match Box::pin(io.standing(grant)).await? {
                Standing::Present => checked = true,
                Standing::Absent => return Err(Refusal::invalid_grant(INVALID).detail("the user is absent")),
                Standing::Dismissed => {
                    tries.again_to_end()?;
                    let Some(revoked) = grant.revoke(io.now) else { continue };
                    if Box::pin(io.replace(&stored, &revoked)).await? == Written::Done {
                        io.event(event(EventKind::GrantDismissed, grant));
                        return Err(Refusal::invalid_grant(INVALID).detail("the user was dismissed"));
                    }
                    continue;
                }
            }
        }
        match refreshed {
            Refreshed::Deny(refusal) => return Err(refusal),
            Refreshed::Further(next, issued) => {
                tries.again()?;
                if Box::pin(io.replace(&stored, &next)).await? == Written::Done {
                    io.event(event(EventKind::RefreshRepeated, &next));
                    return seal(issued);
                }
            }
            Refreshed::Repeat(issued) => {
                io.event(event(EventKind::RefreshRepeated, grant));
                return seal(issued);
            }
            // What was rotated may be this very flow's doing: a flow with an unknown put never judges a replay.
            Refreshed::Replay(_) if io.is_unsure() => {
                return Err(Refusal::unavailable("the rotation may have been done"));
            }
            Refreshed::Replay(revoked) => {
                tries.again_to_end()?;
                if Box::pin(io.replace(&stored, &revoked)).await? == Written::Done {
                    io.event(event(EventKind::RefreshReplayed, &revoked));
                    return Err(Refusal::invalid_grant(INVALID).detail("replay: the grant was revoked"));
                }
            }
            Refreshed::RolledBack => {
                io.event(event(EventKind::StoreRolledBack, grant));
                return Err(Refusal::invalid_grant(INVALID).detail("the token is newer than its record"));
            }
            Refreshed::Rotate(next, issued) => {
                tries.again()?;
                if Box::pin(io.replace(&stored, &next)).await? == Written::Done {
                    io.event(event(EventKind::Refreshed, &next));
                    return seal(issued);
                }
            }
            Refreshed::Stale => {
                io.event(event(EventKind::RefreshStale, grant));
                return Err(Refusal::invalid_grant(INVALID).detail("rotated moments ago"));
            }
            Refreshed::TooMany => {
                return Err(Refusal::too_many("too many refreshes of one grant", Duration::from_secs(10)));
            }
            Refreshed::UnknownKey(id) => {
                io.event(event(EventKind::KeyUnknown, grant).detail(&format!("key {id}")));
                return Err(Refusal::unavailable("the record names a key that is not in the ring; put the key back"));
            }
        }
    }
}
