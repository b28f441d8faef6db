//! A grant as an operator sees it: all that was approved and when things end, and nothing of a secret.

use serde_json::{Value, json};

use super::{Access, Grant, Live, State};

pub(super) fn shown(grant: &Grant) -> Value {
    let approval = &grant.approval;
    json!({
        "id": grant.id(),
        "client_id": approval.client_id,
        "subject": approval.subject,
        "username": approval.username,
        "scope": approval.scope.as_str(),
        "resources": approval.resources,
        "created_at": approval.created_at,
        "ends_at": approval.ends_at,
        "state": state(&grant.state),
    })
}

fn state(state: &State) -> Value {
    match state {
        State::Issued { binding, code_expires_at } => json!({
            "name": "issued", "redirect_uri": binding.redirect_uri, "code_expires_at": code_expires_at,
        }),
        State::Live(live) => live_state(live),
        State::Revoked { at, until } => json!({ "name": "revoked", "at": at, "until": until }),
    }
}

fn live_state(live: &Live) -> Value {
    json!({
        "name": "live",
        "generation": live.generation,
        "refresh_token_expires_at": live.refresh.as_ref().map(|refresh| refresh.expires_at),
        "rotated_at": live.turns.iter().map(|turn| turn.at).collect::<Vec<_>>(),
        "access_tokens": live.access.iter().map(access_token).collect::<Vec<_>>(),
    })
}

fn access_token(access: &Access) -> Value {
    json!({
        "generation": access.generation,
        "scope": access.scope.as_ref().map(|scope| scope.as_str().to_owned()),
        "resources": access.resources,
        "issued_at": access.issued_at,
        "expires_at": access.expires_at,
        "revoked": access.revoked,
    })
}
