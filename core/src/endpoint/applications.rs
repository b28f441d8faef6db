//! The page that shows people what has access to their account, and where they are signed in; each can be ended there.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::{Method, StatusCode};

use super::consent::Named as _;
use super::{authorize, login, logout, pages};
use crate::browser::forms::{Fields, FormOf};
use crate::browser::session::Current;
use crate::browser::travel::Destination;
use crate::io::{Io, Listing};
use crate::page::{self, Application, ApplicationsPage, BrowserSession, Done};
use crate::record::{Consent, Grant, Kind};
use crate::redirect::RedirectUri;
use crate::refusal::Refusal;
use crate::reply::Response;
use crate::request::Request;
use crate::router::Endpoint;
use crate::scope::Scope;

/// The most clients that the page shows; nobody reads more.
const MOST: usize = 100;

/// What one client has.
struct Access {
    scope: Scope,
    since: u64,
}

pub(crate) async fn applications(io: &mut Io, request: &Request) -> Result<Response, Refusal> {
    let posted = request.http().method() == Method::POST;
    let fields = if posted { Fields::posted(io, request)? } else { Fields::queried(request)? };
    let Some(current) = io.session(request).await? else {
        return login::start(io, request, Destination::Applications);
    };
    if posted {
        let browser = io.browser(request);
        io.check_form(fields.text("form_token"), FormOf::Applications, browser.as_ref(), Some(&current))?;
        return act(io, request, &fields, &current).await;
    }
    let done = match fields.text("done") {
        "withdrawn" => Some(Done::Withdrawn),
        "ended" => Some(Done::SessionEnded),
        "password" => Some(Done::PasswordChanged),
        _ => None,
    };
    show(io, request, &current, done).await
}

async fn act(io: &mut Io, request: &Request, fields: &Fields, current: &Current) -> Result<Response, Refusal> {
    let subject = &current.active.subject;
    match fields.text("action") {
        "withdraw" => {
            io.withdraw(subject, fields.text("client_id")).await?;
            Ok(back(io, "withdrawn"))
        }
        "end_session" => {
            io.end_session_of(subject, fields.text("session")).await?;
            Ok(back(io, "ended"))
        }
        "sign_out_everywhere" => {
            io.sign_out_user(subject).await?;
            Ok(logout::signed_out(io, request))
        }
        _ => Err(Refusal::invalid_request("the action is unknown")),
    }
}

/// To the page again, so that a reload repeats nothing.
fn back(io: &Io, done: &str) -> Response {
    let url = io.config.issuer.url(Endpoint::Applications.name());
    authorize::to(&authorize::with_query(&url, [("done", done)]))
}

async fn show(io: &mut Io, request: &Request, current: &Current, done: Option<Done>) -> Result<Response, Refusal> {
    let subject = &current.active.subject;
    let accesses = io.accesses(subject).await?;
    let mut clients = Vec::new();
    for (client_id, access) in accesses {
        let client = io.client(&client_id).await?;
        let name = client.as_ref().map_or(client_id.as_str(), |client| client.shown_name()).to_owned();
        let host = client.and_then(|client| client.redirect_uris().first().map(|uri| RedirectUri::shown_host(uri)));
        clients.push((client_id, name, host, access));
    }
    let sessions = io.sessions(subject).await?;
    let sessions: Vec<BrowserSession<'_>> = sessions
        .iter()
        .map(|(key, active)| BrowserSession {
            id: key.as_str(),
            since: active.signed_in_at,
            last_used: active.used_at,
            current: *key == current.key,
        })
        .collect();
    let config = Arc::clone(&io.config);
    let applications: Vec<Application<'_>> = clients
        .iter()
        .map(|(client_id, name, host, access)| Application {
            client_id,
            name,
            redirect_host: host.as_deref(),
            scopes: access.scope.iter().map(|name| config.scope_text(name)).collect(),
            since: access.since,
        })
        .collect();
    let (browser, is_new) = io.browser_or_new(request);
    let token = io.form_token(FormOf::Applications, &browser, Some(current));
    let html = page::applications(
        &pages::frame(io),
        &ApplicationsPage {
            token: &token,
            username: current.active.shown_name(),
            applications: &applications,
            sessions: &sessions,
            done,
            may_change_password: Endpoint::Password.is_on(&io.config),
        },
    );
    let mut response = pages::respond(io, StatusCode::OK, html, None);
    if is_new {
        io.remember_browser(&mut response, &browser);
    }
    Ok(response)
}

impl Io {
    /// What has access to a user's account: by a grant that can be used, or without asking again.
    async fn accesses(&mut self, subject: &str) -> Result<BTreeMap<String, Access>, Refusal> {
        let mut accesses: BTreeMap<String, Access> = BTreeMap::new();
        let mut add = |client_id: &str, scope: &Scope, since: u64| {
            if accesses.len() >= MOST && !accesses.contains_key(client_id) {
                return;
            }
            let access = accesses.entry(client_id.to_owned()).or_insert_with(|| Access { scope: scope.clone(), since });
            access.scope = access.scope.union(scope);
            access.since = access.since.min(since);
        };
        let tag = self.names().user_tag(subject);
        let mut listing = Listing::new(tag.clone(), Kind::Grant);
        while let Some(page) = self.turn(&mut listing).await? {
            for key in page {
                let Some(stored) = self.load_tagged::<Grant>(&key, &tag).await? else { continue };
                if stored.body.is_usable(self.now) {
                    let approval = &stored.body.approval;
                    add(&approval.client_id, &approval.scope, approval.created_at);
                }
            }
        }
        let mut listing = Listing::new(tag.clone(), Kind::Consent);
        while let Some(page) = self.turn(&mut listing).await? {
            for key in page {
                let Some(stored) = self.load_tagged::<Consent>(&key, &tag).await? else { continue };
                if stored.body.is_given(self.now) {
                    add(&stored.body.client_id, &stored.body.scope, stored.body.given_at);
                }
            }
        }
        Ok(accesses)
    }
}
