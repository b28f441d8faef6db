//! The authorization endpoint (RFC 6749 section 3.1), for the operator's own applications: credentials and challenge
//! in, code out, as JSON.

use http::StatusCode;
use serde::Serialize;

use crate::event::{Event, EventKind};
use crate::grants::Epochs;
use crate::io::{Io, Written};
use crate::login::Login;
use crate::pkce::{Challenge, ChallengeError};
use crate::record::{Approval, Binding, Client, Grant, GrantType, Kind};
use crate::refusal::Refusal;
use crate::reply::{Caching, Response, json};
use crate::request::{Format, Parameters, Request};
use crate::scope::Scope;
use crate::secret::Secret;
use crate::token::{Token, TokenKind};

use super::token::{grant_lifetime, granted_resources, granted_scope, requested_scope};

#[derive(Serialize)]
struct Answer<'a> {
    /// The name that the original's clients read.
    authorization_code: &'a str,
    /// The name of RFC 6749 section 4.1.2.
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'a str>,
    redirect_uri: &'a str,
    /// RFC 9207 section 2.
    iss: &'a str,
}

/// An authorization request whose every part has been checked.
struct Checked {
    redirect_uri: String,
    redirect_uri_sent: bool,
    challenge: Challenge,
    scope: Scope,
    resources: Vec<String>,
}

pub(crate) async fn authorize(io: &mut Io, request: &Request) -> Result<Response, Refusal> {
    let mut parameters = Parameters::read(request)?;
    if parameters.format() != Format::Json {
        return Err(Refusal::invalid_request("the content type must be application/json"));
    }
    let client_id = parameters.text("client_id").ok_or(Refusal::invalid_request("client_id is missing"))?.to_owned();
    let client = io.client(&client_id).await?;
    let client = client.ok_or(Refusal::invalid_request("the client is unknown"))?;
    // Pages of other clients read nothing here, errors included (RFC 9700 section 2.6).
    if client.first_party {
        io.allow_origin_of(&client);
        if io.origin.is_some() && !io.origin_allowed {
            return Err(Refusal::invalid_request(
                "the request comes from an origin that the client has not registered",
            ));
        }
    }
    let checked = check(io, &client, &parameters)?;
    let login = Login::read(&mut parameters)?;
    let user = login.run(io, &client).await?;
    if !io.is_registered(&client).await? {
        return Err(Refusal::access_denied("the client was deleted meanwhile"));
    }
    note_challenge(io, &client, &checked.challenge).await?;
    let code = grant_code(io, &client, &checked, user.epochs, user.subject, user.username).await?;
    let code = code.expose_text().unwrap_or_default();
    let answer = Answer {
        authorization_code: code,
        code,
        state: parameters.text("state"),
        redirect_uri: &checked.redirect_uri,
        iss: io.config.issuer(),
    };
    Ok(json(StatusCode::OK, Caching::Forbidden, &answer))
}

fn check(io: &Io, client: &Client, parameters: &Parameters) -> Result<Checked, Refusal> {
    let (redirect_uri, redirect_uri_sent) = redirect_uri(client, parameters.text("redirect_uri"))?;
    if !client.first_party {
        return Err(Refusal::unauthorized_client("only first-party clients may take credentials themselves"));
    }
    if !client.may_use(GrantType::AuthorizationCode) {
        return Err(Refusal::unauthorized_client("the client may not use the authorization code grant"));
    }
    // The original's clients leave response_type out; what is sent must be the code flow's (RFC 6749 section 4.1.1).
    if parameters.text("response_type").is_some_and(|response_type| response_type != "code") {
        return Err(Refusal::unsupported_response_type("response_type must be code"));
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
    let scope = granted_scope(io, client, requested_scope(parameters)?)?;
    let resources = granted_resources(client, parameters.resources()?)?;
    Ok(Checked { redirect_uri, redirect_uri_sent, challenge, scope, resources })
}

/// RFC 6749 section 3.1.2.3: the one that is named, if it is registered; the only one, if none is named.
fn redirect_uri(client: &Client, named: Option<&str>) -> Result<(String, bool), Refusal> {
    match (named, client.redirect_uris()) {
        (Some(named), _) if client.redirects().any(|registered| registered.matches(named)) => {
            Ok((named.to_owned(), true))
        }
        (Some(_), _) => Err(Refusal::invalid_request("redirect_uri is not registered for this client")),
        (None, [only]) => Ok((only.clone(), false)),
        (None, _) => Err(Refusal::invalid_request("redirect_uri is missing, and the client has not exactly one")),
    }
}

/// RFC 9700 section 2.1.1: one challenge over many requests is a client that does not make its own.
async fn note_challenge(io: &mut Io, client: &Client, challenge: &Challenge) -> Result<(), Refusal> {
    if io.is_repeated(&[b"challenge", client.client_id.as_bytes(), challenge.as_bytes()]).await? {
        io.event(Event::new(EventKind::ChallengeReused).client(&client.client_id));
    }
    Ok(())
}

/// Creates the grant. Whoever is signed out while it is created gets nothing that works (invariant I14).
async fn grant_code(
    io: &mut Io,
    client: &Client,
    checked: &Checked,
    epochs: Epochs,
    subject: String,
    username: Option<String>,
) -> Result<Secret, Refusal> {
    let id: [u8; 16] = io.random();
    let code = Token::new(TokenKind::Code, id, 0, io.random().into());
    let approval = Approval {
        id: id.into(),
        client_id: client.client_id.clone(),
        subject: Some(subject.clone()),
        username,
        scope: checked.scope.clone(),
        resources: checked.resources.clone(),
        created_at: io.now.seconds(),
        ends_at: io.now.after(grant_lifetime(io, client)).seconds(),
        auth_time: Some(io.now.seconds()),
        amr: vec!["pwd".to_owned()],
    };
    let binding =
        Binding::new(&code.digest(), &checked.challenge, checked.redirect_uri.clone(), checked.redirect_uri_sent);
    let grant = Grant::issued(approval, binding, io.now.after(io.config.settings.code_lifetime));
    let key = io.names().key(Kind::Grant, &id);
    if io.create(key.clone(), &grant).await? == Written::Lost {
        return Err(Refusal::unavailable("a fresh key exists already"));
    }
    if io.epochs(Some(&subject), &client.client_id).await? != epochs {
        io.revoke_key(&key).await?;
        return Err(Refusal::access_denied("the user was signed out meanwhile"));
    }
    let event = Event::new(EventKind::CodeIssued).client(&client.client_id);
    io.event(event.subject(Some(&subject)).grant(grant.id()));
    Ok(code.seal(io.config.issuer(), io.primary()?))
}
