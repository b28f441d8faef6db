//! The operator's own applications take name and password themselves: credentials and challenge in, code out, as JSON.

use http::StatusCode;
use serde::Serialize;

use super::asked::{check, redirect_uri};
use super::code::{Approver, Code, approve_with};
use crate::io::Io;
use crate::login::Login;
use crate::refusal::Refusal;
use crate::reply::{Caching, Response, json};
use crate::request::{Format, Parameters, Request};

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

pub(super) async fn authorize(io: &mut Io, request: &Request) -> Result<Response, Refusal> {
    let mut parameters = Parameters::read(request)?;
    if io.config.settings.login_url.is_some() {
        // The host's own login page may ask for more than a password.
        return Err(Refusal::unauthorized_client("people sign in on the login page of this server"));
    }
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
    let redirect_uri = redirect_uri(&client, parameters.text("redirect_uri"))?;
    if !client.first_party {
        return Err(Refusal::unauthorized_client("only first-party clients may take credentials themselves"));
    }
    // The original's clients leave response_type out; what is sent must be the code flow's (RFC 6749 section 4.1.1).
    if parameters.text("response_type").is_some_and(|response_type| response_type != "code") {
        return Err(Refusal::unsupported_response_type("response_type must be code"));
    }
    let asked = check(io, &client, &parameters, redirect_uri)?;
    let login = Login::read(&mut parameters)?;
    let user = login.run(io, Some(&client.client_id), None).await?;
    let approver = Approver {
        subject: user.subject,
        username: user.username,
        auth_time: io.now.seconds(),
        amr: vec!["pwd".to_owned()],
        epoch: user.epochs.user().map(|epoch| epoch.as_str().to_owned()),
        session: None,
    };
    let code = Code::fresh(io);
    let code = approve_with(io, &client, &asked, &approver, user.epochs, code).await?;
    let code = code.expose_text().unwrap_or_default();
    let answer = Answer {
        authorization_code: code,
        code,
        state: asked.state.as_deref(),
        redirect_uri: &asked.redirect_uri,
        iss: io.config.issuer(),
    };
    Ok(json(StatusCode::OK, Caching::Forbidden, &answer))
}
