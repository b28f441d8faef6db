//! `GET /authorize`: where a browser comes in. What is wrong with client or redirect URI is shown on a page; all else
//! goes back to the client (RFC 6749 section 4.1.2.1). Every client is registered, so that needs no sign-in first.

use super::asked::{check, redirect_uri};
use super::code::{Approver, approve};
use super::decide::{Next, decide};
use super::redirect::{answered, refused};
use super::to_host::to_host;
use crate::browser::travel::{Asked, Destination, Travel};
use crate::endpoint::{consent, login};
use crate::io::Io;
use crate::record::Client;
use crate::refusal::Refusal;
use crate::reply::Response;
use crate::request::{Parameters, Request};

/// More languages than that are nobody's.
const MAX_LOCALES: usize = 255;

pub(super) async fn start(io: &mut Io, request: &Request) -> Result<Response, Refusal> {
    let (parameters, repeated) = Parameters::queried(request)?;
    io.ui_locales = parameters.text("ui_locales").filter(|text| text.len() <= MAX_LOCALES).map(str::to_owned);
    if repeated.iter().any(|name| matches!(*name, "client_id" | "redirect_uri")) {
        return Err(repetition());
    }
    let client_id = parameters.text("client_id").ok_or(Refusal::invalid_request("client_id is missing"))?;
    let client = io.client(client_id).await?;
    let client = client.ok_or(Refusal::invalid_request("the client is unknown"))?;
    let redirect_uri = redirect_uri(&client, parameters.text("redirect_uri"))?;
    let checked = if repeated.is_empty() {
        check_types(&parameters).and_then(|()| check(io, &client, &parameters, redirect_uri.clone()))
    } else {
        Err(repetition())
    };
    let outcome = match checked {
        Ok(asked) => Box::pin(go(io, request, &client, asked)).await,
        Err(refusal) => Err(refusal),
    };
    let state = parameters.text("state").filter(|_| !repeated.contains(&"state"));
    outcome.or_else(|refusal| Ok(refused(io, &redirect_uri.0, state, &refusal)))
}

const fn repetition() -> Refusal {
    Refusal::invalid_request("a parameter is repeated")
}

/// RFC 6749 section 3.1.1.
fn check_types(parameters: &Parameters) -> Result<(), Refusal> {
    match parameters.text("response_type") {
        Some("code") => Ok(()),
        Some(_) => Err(Refusal::unsupported_response_type("response_type must be code")),
        None => Err(Refusal::invalid_request("response_type is missing")),
    }
}

async fn go(io: &mut Io, request: &Request, client: &Client, asked: Asked) -> Result<Response, Refusal> {
    let (browser, is_new) = io.browser_or_new(request);
    let travel = Travel {
        seed: io.random().into(),
        browser: browser.id,
        destination: Destination::Client(Box::new(asked.clone())),
        ui_locales: io.ui_locales.clone(),
        approved: None,
        began_at: io.now.seconds(),
    };
    let mut response = if io.config.settings.login_url.is_some() {
        // Who is signed in is the host's to know, whatever the prompt.
        to_host(io, &travel)?
    } else {
        let current = io.session(request).await?;
        match (decide(io, client, &travel, &asked, current.as_ref()).await?, current) {
            (Next::Approve, Some(current)) => {
                let code = approve(io, client, &travel, &asked, &Approver::from(&current)).await?;
                answered(io, &asked, &code)
            }
            (Next::Consent, Some(current)) => {
                let sealed = io.seal_travel(&travel)?;
                consent::page(io, client, &asked, &sealed, &browser, &current.active, Some(&current))
            }
            (Next::SignIn, _) | (_, None) => {
                let sealed = io.seal_travel(&travel)?;
                login::page(io, &travel, Some(client), &sealed, login::Shown::First)
            }
        }
    };
    if is_new {
        io.remember_browser(&mut response, &browser);
    }
    Ok(response)
}
