//! What an authorization request asks for, checked (RFC 6749 section 4.1.1, RFC 7636 section 4.3, RFC 8707 section 2).

use crate::browser::travel::{Asked, Prompt};
use crate::endpoint::token::{granted_resources, granted_scope, requested_scope};
use crate::io::Io;
use crate::pkce::{Challenge, ChallengeError};
use crate::record::{Client, GrantType};
use crate::refusal::Refusal;
use crate::request::Parameters;

/// A `state` that is longer does not fit the way through the pages.
const MAX_STATE: usize = 2048;
/// A hint that is longer is no name.
const MAX_HINT: usize = 255;

/// RFC 6749 section 3.1.2.3: the one that is named, if it is registered; the only one, if none is named.
pub(super) fn redirect_uri(client: &Client, named: Option<&str>) -> Result<(String, bool), Refusal> {
    match (named, client.redirect_uris()) {
        (Some(named), _) if client.redirects().any(|registered| registered.matches(named)) => {
            Ok((named.to_owned(), true))
        }
        (Some(_), _) => Err(Refusal::invalid_request("redirect_uri is not registered for this client")),
        (None, [only]) => Ok((only.clone(), false)),
        (None, _) => Err(Refusal::invalid_request("redirect_uri is missing, and the client has not exactly one")),
    }
}

/// Checks all but the redirect URI, which decides where the outcome goes.
pub(super) fn check(
    io: &Io,
    client: &Client,
    parameters: &Parameters,
    (redirect_uri, redirect_uri_sent): (String, bool),
) -> Result<Asked, Refusal> {
    if !client.may_use(GrantType::AuthorizationCode) {
        return Err(Refusal::unauthorized_client("the client may not use the authorization code grant"));
    }
    if parameters.text("response_mode").is_some_and(|mode| mode != "query") {
        return Err(Refusal::invalid_request("response_mode is not supported"));
    }
    let challenge = parameters.text("code_challenge").unwrap_or_default();
    let challenge = Challenge::parse(challenge, parameters.text("code_challenge_method"));
    let challenge = challenge.map_err(|error| {
        // RFC 7636 section 4.4.1: the description says what is wrong.
        Refusal::invalid_request(match error {
            ChallengeError::Missing => "code_challenge is missing",
            ChallengeError::Malformed => "code_challenge must be 43 base64url characters without padding",
            ChallengeError::UnsupportedMethod => "code_challenge_method must be S256",
        })
    })?;
    let state = parameters.text("state");
    if state.is_some_and(|state| state.len() > MAX_STATE) {
        return Err(Refusal::invalid_request("state is longer than 2048 bytes"));
    }
    let max_age = parameters.text("max_age").map(str::parse).transpose();
    Ok(Asked {
        client_id: client.client_id.clone(),
        redirect_uri,
        redirect_uri_sent,
        challenge: (*challenge.as_bytes()).into(),
        scope: granted_scope(io, client, requested_scope(parameters)?)?,
        resources: granted_resources(client, parameters.resources()?)?,
        state: state.map(str::to_owned),
        prompt: prompt(parameters.text("prompt"))?,
        max_age: max_age.map_err(|_| Refusal::invalid_request("max_age is not a number of seconds"))?,
        login_hint: parameters.text("login_hint").filter(|hint| hint.len() <= MAX_HINT).map(str::to_owned),
    })
}

/// OpenID Connect Core section 3.1.2.1; values that nobody knows are ignored.
fn prompt(text: Option<&str>) -> Result<Prompt, Refusal> {
    let words: Vec<&str> = text.unwrap_or_default().split(' ').filter(|word| !word.is_empty()).collect();
    let has = |word: &str| words.contains(&word);
    if has("none") && words.len() > 1 {
        return Err(Refusal::invalid_request("prompt is none and something else"));
    }
    Ok(Prompt { none: has("none"), login: has("login") || has("select_account"), consent: has("consent") })
}
