//! The page where people sign in.

use http::{Method, StatusCode};

use super::authorize::{self, Approver, Next, approve, decide};
use super::pages;
use crate::browser::forms::Fields;
use crate::browser::session::Current;
use crate::browser::travel::{Asked, Destination, Travel};
use crate::browser::visitor::Browser;
use crate::io::Io;
use crate::login::Login;
use crate::page::{self, SignIn, SignInProblem};
use crate::record::Client;
use crate::refusal::{ErrorCode, Refusal};
use crate::reply::Response;
use crate::request::Request;
use crate::router::Endpoint;

/// How often the page was shown before.
pub(crate) enum Shown {
    First,
    /// After an attempt with this name.
    Again(String, SignInProblem),
}

pub(crate) async fn login(io: &mut Io, request: &Request) -> Result<Response, Refusal> {
    if request.http().method() == Method::POST {
        return Box::pin(sign_in(io, request)).await;
    }
    let fields = Fields::queried(request)?;
    let sealed = fields.text("request");
    if sealed.is_empty() {
        return start(io, request, Destination::Applications);
    }
    let browser = io.browser(request);
    let travel = io.open_travel(sealed, browser.as_ref())?;
    let client = pages::client_of(io, &travel).await?;
    Ok(page(io, &travel, client.as_deref(), sealed, Shown::First))
}

/// The page, on the way to one of ours.
pub(crate) fn start(io: &mut Io, request: &Request, destination: Destination) -> Result<Response, Refusal> {
    let (browser, is_new) = io.browser_or_new(request);
    let travel = Travel {
        seed: io.random().into(),
        browser: browser.id,
        destination,
        ui_locales: None,
        approved: None,
        began_at: io.now.seconds(),
    };
    let sealed = io.seal_travel(&travel)?;
    let mut response = page(io, &travel, None, &sealed, Shown::First);
    if is_new {
        io.remember_browser(&mut response, &browser);
    }
    Ok(response)
}

/// The page, on the way that `travel` says.
pub(crate) fn page(io: &Io, travel: &Travel, client: Option<&Client>, sealed: &str, shown: Shown) -> Response {
    let asked = travel.asked();
    let hint = asked.and_then(|asked| asked.login_hint.clone()).unwrap_or_default();
    let (username, problem) = match shown {
        Shown::First => (hint, None),
        Shown::Again(username, problem) => (username, Some(problem)),
    };
    let status = problem.map_or(StatusCode::OK, status_of);
    let may_reset = Endpoint::Forgot.is_on(&io.config);
    let client = client.map(Client::shown_name);
    let html =
        page::sign_in(&pages::frame(io), &SignIn { request: sealed, client, username: &username, problem, may_reset });
    pages::respond(io, status, html, asked)
}

async fn sign_in(io: &mut Io, request: &Request) -> Result<Response, Refusal> {
    let mut fields = Fields::posted(io, request)?;
    let browser = io.browser(request);
    let sealed = fields.text("request").to_owned();
    let travel = io.open_travel(&sealed, browser.as_ref())?;
    let Some(browser) = browser else { return Err(Refusal::forged("no browser")) };
    let client = pages::client_of(io, &travel).await?;
    let (name, password) = (fields.text("username").to_owned(), fields.take("password"));
    if name.is_empty() || password.expose().is_empty() {
        return Ok(page(io, &travel, client.as_deref(), &sealed, Shown::Again(name, SignInProblem::Missing)));
    }
    let client_id = client.as_deref().map(|client| client.client_id.as_str());
    let signed_in = match Login::typed(&name, password) {
        Ok(login) => login.run(io, client_id, Some(&browser)).await,
        Err(_) => Err(Refusal::access_denied("the name or the password is wrong")),
    };
    let signed_in = match signed_in {
        Ok(signed_in) => signed_in,
        Err(refusal) => {
            let problem = problem_of(io, &refusal).ok_or(refusal)?;
            return Ok(page(io, &travel, client.as_deref(), &sealed, Shown::Again(name, problem)));
        }
    };
    let (current, ticket) = io.start_session(&signed_in, &travel, request).await?;
    let next = go_on(io, &travel, client.as_deref(), &sealed, &current).await;
    // Whatever comes next, somebody is signed in, under a new identifier: without its cookie the browser would be out.
    let mut response = next.unwrap_or_else(|refusal| pages::refused(io, &refusal));
    io.hand_over_session(&mut response, &ticket);
    io.remember_browser(&mut response, &Browser::knowing(browser, &name));
    Ok(response)
}

/// Where a browser goes in which somebody has just signed in.
async fn go_on(
    io: &mut Io,
    travel: &Travel,
    client: Option<&Client>,
    sealed: &str,
    current: &Current,
) -> Result<Response, Refusal> {
    let (asked, client) = match (&travel.destination, client) {
        (Destination::Client(asked), Some(client)) => (asked, client),
        (Destination::Password, _) => return Ok(authorize::to(&io.config.issuer.url(Endpoint::Password.name()))),
        _ => return Ok(authorize::to(&io.config.issuer.url(Endpoint::Applications.name()))),
    };
    match decide(io, client, travel, asked, Some(current)).await {
        Ok(Next::Approve) => {
            let approved = approve(io, client, travel, asked, &Approver::from(current)).await;
            finish(io, asked, approved.map(|code| authorize::answered(io, asked, &code)))
        }
        Ok(Next::Consent | Next::SignIn) => {
            let path = io.config.issuer.url(Endpoint::Consent.name());
            Ok(authorize::to(&authorize::with_query(&path, [("request", sealed)])))
        }
        Err(refusal) => finish(io, asked, Err(refusal)),
    }
}

/// The status of a page that says so.
pub(crate) const fn status_of(problem: SignInProblem) -> StatusCode {
    match problem {
        SignInProblem::Busy => StatusCode::SERVICE_UNAVAILABLE,
        SignInProblem::Missing => StatusCode::BAD_REQUEST,
        SignInProblem::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
        SignInProblem::Wrong => StatusCode::FORBIDDEN,
    }
}

/// What the page says of an attempt that failed; nothing if it is no matter of the attempt. How long to wait, the header
/// of the page says to programs.
pub(crate) fn problem_of(io: &mut Io, refusal: &Refusal) -> Option<SignInProblem> {
    io.wait = refusal.retry_after();
    match (refusal.code(), refusal.status()) {
        (_, StatusCode::TOO_MANY_REQUESTS) => Some(SignInProblem::TooMany { minutes: refusal.minutes_to_wait() }),
        (ErrorCode::AccessDenied, _) => Some(SignInProblem::Wrong),
        (_, StatusCode::SERVICE_UNAVAILABLE) if refusal.cause().is_none() => Some(SignInProblem::Busy),
        _ => None,
    }
}

/// The outcome of a decision: what the client has to know goes there; what only the browser can mend, by submitting
/// again or by going back, is shown on a page.
pub(crate) fn finish(io: &mut Io, asked: &Asked, outcome: Result<Response, Refusal>) -> Result<Response, Refusal> {
    match outcome {
        Err(refusal) if refusal.page.is_none() && !refusal.status().is_server_error() => {
            Ok(authorize::denied(io, asked, &refusal))
        }
        outcome => outcome,
    }
}
