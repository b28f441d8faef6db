//! The page where people agree to what a client asks for, or do not.

use http::{Method, StatusCode};

use super::authorize::{self, Approver, Next, approve, decide};
use super::login::{self, Shown};
use super::pages;
use super::token::grant_lifetime;
use crate::browser::forms::{Fields, FormOf};
use crate::browser::session::Current;
use crate::browser::travel::{Approved, Asked, Travel};
use crate::browser::visitor::Browser;
use crate::event::{Event, EventKind};
use crate::io::{Io, Written};
use crate::page::{self, ConsentPage};
use crate::record::{Active, Client, Consent};
use crate::redirect::RedirectUri;
use crate::refusal::Refusal;
use crate::reply::Response;
use crate::request::Request;

/// Who is asked.
enum Asking {
    /// Whom the host's own login page signed in.
    Approved(Approved),
    /// Whoever is signed in here.
    Current(Current),
}

pub(crate) async fn consent(io: &mut Io, request: &Request) -> Result<Response, Refusal> {
    let posted = request.http().method() == Method::POST;
    let fields = if posted { Fields::posted(io, request)? } else { Fields::queried(request)? };
    let sealed = fields.text("request");
    let browser = io.browser(request);
    let travel = io.open_travel(sealed, browser.as_ref())?;
    let (Some(browser), Some(asked)) = (browser, travel.asked()) else {
        return Err(Refusal::invalid_request("the request asks for no consent"));
    };
    let client = pages::client_of(io, &travel).await?.ok_or(Refusal::invalid_request("the client is unknown"))?;
    let asking = match &travel.approved {
        Some(approved) => Asking::Approved(approved.clone()),
        None => {
            let current = io.session(request).await?;
            let next = decide(io, &client, &travel, asked, current.as_ref()).await;
            match (next, current) {
                (Ok(Next::Approve | Next::Consent), Some(current)) => Asking::Current(current),
                (Ok(_), _) => return Ok(login::page(io, &travel, Some(&client), sealed, Shown::First)),
                (Err(refusal), _) => return login::finish(io, asked, Err(refusal)),
            }
        }
    };
    let current = match &asking {
        Asking::Approved(_) => None,
        Asking::Current(current) => Some(current),
    };
    if !posted {
        return Ok(match &asking {
            Asking::Approved(approved) => page(io, &client, asked, sealed, &browser, approved, None),
            Asking::Current(current) => page(io, &client, asked, sealed, &browser, &current.active, Some(current)),
        });
    }
    io.check_form(fields.text("form_token"), FormOf::Consent(sealed), Some(&browser), current)?;
    let approver = match &asking {
        Asking::Approved(approved) => Approver::from(approved),
        Asking::Current(current) => Approver::from(current),
    };
    match fields.text("decision") {
        "allow" => {
            let outcome = allow(io, &client, &travel, asked, &approver).await;
            login::finish(io, asked, outcome)
        }
        "deny" => {
            let event = Event::new(EventKind::ConsentDenied).client(&client.client_id);
            io.event(event.subject(Some(&approver.subject)));
            Ok(authorize::denied(io, asked, &Refusal::access_denied("the user refused")))
        }
        "switch" if current.is_some() => Ok(login::page(io, &travel, Some(&client), sealed, Shown::First)),
        "switch" => authorize::back_to_host(io, &travel, asked),
        _ => Err(Refusal::invalid_request("the decision is neither allow nor deny")),
    }
}

async fn allow(
    io: &mut Io,
    client: &Client,
    travel: &Travel,
    asked: &Asked,
    approver: &Approver,
) -> Result<Response, Refusal> {
    if !client.first_party && !RedirectUri::is_on_device(&asked.redirect_uri) {
        io.remember_consent(&approver.subject, asked).await?;
    }
    let code = approve(io, client, travel, asked, approver).await?;
    Ok(authorize::answered(io, asked, &code))
}

/// Names people by what they typed, or by their subject.
pub(crate) trait Named {
    fn shown_name(&self) -> &str;
}

impl Named for Active {
    fn shown_name(&self) -> &str {
        self.username.as_deref().unwrap_or(&self.subject)
    }
}

impl Named for Approved {
    fn shown_name(&self) -> &str {
        self.username.as_deref().unwrap_or(&self.subject)
    }
}

/// The page. Its form is bound to the request, to the browser and to who is signed in.
pub(crate) fn page(
    io: &Io,
    client: &Client,
    asked: &Asked,
    sealed: &str,
    browser: &Browser,
    user: &impl Named,
    current: Option<&Current>,
) -> Response {
    let scopes: Vec<&str> =
        asked.scope.iter().map(|name| io.config.scopes.get(name).map_or(name, |scope| scope.text.as_str())).collect();
    let token = io.form_token(FormOf::Consent(sealed), browser, current);
    let redirect_host = RedirectUri::shown_host(&asked.redirect_uri);
    let days = grant_lifetime(io, client).as_secs().div_ceil(86_400);
    let html = page::consent(
        &pages::frame(io),
        &ConsentPage {
            request: sealed,
            token: &token,
            client: client.shown_name(),
            redirect_host: &redirect_host,
            scopes: &scopes,
            username: user.shown_name(),
            days,
            loopback_or_private: RedirectUri::is_on_device(&asked.redirect_uri),
        },
    );
    pages::respond(io, StatusCode::OK, html, Some(asked))
}

impl Io {
    async fn remember_consent(&mut self, subject: &str, asked: &Asked) -> Result<(), Refusal> {
        let key = self.names().consent(subject, &asked.client_id);
        let mut tries = self.tries();
        loop {
            let old = self.load::<Consent>(&key).await?;
            let current = old.as_ref().map(|old| &old.body);
            if current.is_some_and(|consent| consent.covers(&asked.scope, self.now)) {
                return Ok(());
            }
            let next = Consent::give(current, subject, &asked.client_id, &asked.scope, self.now);
            tries.again()?;
            if self.upsert(&key, old.as_ref(), &next).await? == Written::Done {
                let event = Event::new(EventKind::ConsentGiven).client(&asked.client_id);
                self.event(event.subject(Some(subject)));
                return Ok(());
            }
        }
    }
}
