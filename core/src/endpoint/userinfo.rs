//! `/userinfo` and `/me`: what the scope of an access token shows of its user.

use http::StatusCode;
use serde_json::{Map, Value};

use crate::access::{Requirement, check_access};
use crate::io::Io;
use crate::refusal::Refusal;
use crate::reply::{Caching, Response, json};
use crate::request::Request;
use crate::user::UserAnswer;

pub(crate) async fn userinfo(io: &mut Io, request: &Request) -> Result<Response, Refusal> {
    let token = check_access(io, request, &Requirement::any()).await?;
    let Some(subject) = token.subject else {
        // A client's own token is never taken for a user's.
        return Err(Refusal::insufficient_scope("profile".to_owned()).detail("a client's own token"));
    };
    let UserAnswer::Found(user) = io.user_by_subject(subject, token.username.as_deref()).await? else {
        return Err(Refusal::invalid_token("the access token is invalid, expired or revoked").detail("no such user"));
    };
    let mut answer: Map<String, Value> = Map::new();
    for name in token.scope.iter() {
        let shown = io.config.scopes.get(name).map(|scope| scope.claims.as_slice()).unwrap_or_default();
        for claim in shown {
            if let Some(value) = user.claims.get(claim) {
                answer.insert(claim.clone(), value.clone());
            }
        }
    }
    answer.insert("sub".to_owned(), Value::from(user.subject));
    answer.insert("scope".to_owned(), Value::from(token.scope.as_str()));
    Ok(json(StatusCode::OK, Caching::Forbidden, &answer))
}
