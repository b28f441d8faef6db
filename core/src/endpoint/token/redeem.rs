//! `grant_type=authorization_code`: RFC 6749 section 4.1.3, RFC 7636 section 4.5.

use std::sync::Arc;

use crate::event::{Event, EventKind};
use crate::io::{Io, Written};
use crate::record::{self, Client, Grant, Kind, Redemption};
use crate::refusal::Refusal;
use crate::request::Parameters;
use crate::secret::Secret;
use crate::token::TokenKind;
use crate::tokens::Tokens;

/// What a client presents with a code.
pub(crate) struct Redeem {
    pub(crate) code: Secret,
    pub(crate) redirect_uri: Option<String>,
    pub(crate) verifier: Option<Secret>,
    pub(crate) resources: Vec<String>,
}

impl Redeem {
    pub(crate) fn read(parameters: &mut Parameters, resources: Vec<String>) -> Result<Self, Refusal> {
        Ok(Self {
            code: parameters.take("code").ok_or(Refusal::invalid_request("code is missing"))?,
            redirect_uri: parameters.text("redirect_uri").map(str::to_owned),
            verifier: parameters.take("code_verifier"),
            resources,
        })
    }
}

/// Spends a code, once: its tokens are born in the same write.
pub(crate) async fn redeem(io: &mut Io, client: &Client, asked: Redeem) -> Result<Tokens, Refusal> {
    // Once a put may have been done, a retry would be a replay: it is not invited (invariant I17).
    let outcome = attempt(io, client, &asked).await;
    outcome.map_err(|refusal| if io.is_unsure() { refusal.without_retry() } else { refusal })
}

async fn attempt(io: &mut Io, client: &Client, asked: &Redeem) -> Result<Tokens, Refusal> {
    let invalid = || Refusal::invalid_grant("the code is invalid, expired or was used");
    let Some(code) = io.open_token(&asked.code, TokenKind::Code) else {
        return Err(invalid().detail("no code of this issuer"));
    };
    let config = Arc::clone(&io.config);
    let primary = config.ring.primary().ok_or_else(|| Refusal::server_error("the key ring is empty"))?;
    let fresh = io.fresh(primary);
    let terms = super::terms(io, client);
    let attempt = record::Redeem {
        code: code.digest(),
        client_id: &client.client_id,
        redirect_uri: asked.redirect_uri.as_deref(),
        verifier: asked.verifier.as_ref(),
        resources: &asked.resources,
        oauth21: client.oauth21,
    };
    let key = io.names().key(Kind::Grant, code.id());
    let event = |kind, grant: &Grant| {
        let event = Event::new(kind).client(&client.client_id).grant(grant.id());
        event.subject(grant.approval.subject.as_deref())
    };
    let mut tries = io.tries();
    loop {
        let Some(stored) = io.load::<Grant>(&key).await? else {
            return Err(invalid().detail("no such grant"));
        };
        match stored.body.redeem(&attempt, &terms, &fresh, io.now) {
            Redemption::Deny(refusal) => return Err(refusal),
            // The spent code may be this very flow's doing: a flow with an unknown put never judges a replay.
            Redemption::Replay(_) if io.is_unsure() => {
                return Err(Refusal::unavailable("the redemption may have been done"));
            }
            Redemption::Replay(revoked) => {
                tries.again_to_end()?;
                if Box::pin(io.replace(&stored, &revoked)).await? == Written::Done {
                    io.event(event(EventKind::CodeReplayed, &revoked));
                    return Err(invalid().detail("replay: the grant was revoked"));
                }
            }
            Redemption::Spend(next, issued) => {
                tries.again()?;
                if Box::pin(io.replace(&stored, &next)).await? == Written::Done {
                    io.event(event(EventKind::CodeRedeemed, &next));
                    let tokens = Tokens::seal(*code.id(), issued, config.issuer(), &config.ring);
                    return tokens.ok_or_else(|| Refusal::server_error("the key of fresh tokens is gone"));
                }
            }
        }
    }
}
