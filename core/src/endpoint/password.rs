//! The page where people who are signed in change their password.

use http::{Method, StatusCode};

use super::consent::Named as _;
use super::{authorize, login, pages};
use crate::browser::forms::{Fields, FormOf};
use crate::browser::session::Current;
use crate::browser::travel::Destination;
use crate::browser::visitor::Browser;
use crate::event::{Event, EventKind};
use crate::io::Io;
use crate::login::{Confirmed, Login, SignedIn};
use crate::new_password::Swapped;
use crate::page::{self, PasswordPage, PasswordProblem, SignInProblem};
use crate::password::PasswordError;
use crate::refusal::{ErrorCode, Refusal};
use crate::reply::Response;
use crate::request::Request;
use crate::router::Endpoint;
use crate::secret::Secret;

pub(crate) async fn password(io: &mut Io, request: &Request) -> Result<Response, Refusal> {
    let posted = request.http().method() == Method::POST;
    let fields = if posted { Some(Fields::posted(io, request)?) } else { None };
    let Some(current) = io.session(request).await? else {
        return login::start(io, request, Destination::Password);
    };
    let Some(mut fields) = fields else { return Ok(page(io, request, &current, None)) };
    let browser = io.browser(request);
    io.check_form(fields.text("form_token"), FormOf::Password, browser.as_ref(), Some(&current))?;
    let (old, new) = (fields.take("current_password"), fields.take("new_password"));
    let Confirmed { user, mut epochs, .. } = match change(io, &current, browser.as_ref(), old, new).await? {
        Ok(confirmed) => confirmed,
        Err(problem) => return Ok(page(io, request, &current, Some(problem))),
    };
    if !fields.text("end_others").is_empty() {
        epochs = io.end_other_sessions(&current, &epochs).await?;
    }
    let signed_in = SignedIn { subject: user.subject, username: current.active.username.clone(), epochs };
    let (_, ticket) = match io.renew_session(&signed_in, current).await {
        Err(refusal) if refusal.code() == ErrorCode::AccessDenied => return Err(Refusal::signed_out()),
        renewed => renewed?,
    };
    let url = io.config.issuer.url(Endpoint::Applications.name());
    let mut response = authorize::to(&authorize::with_query(&url, [("done", "password")]));
    io.hand_over_session(&mut response, &ticket);
    Ok(response)
}

/// Whoever is signed in shows the old password; then the new one takes its place.
async fn change(
    io: &mut Io,
    current: &Current,
    browser: Option<&Browser>,
    old: Secret,
    new: Secret,
) -> Result<Result<Confirmed, PasswordProblem>, Refusal> {
    if old.expose().is_empty() {
        return Ok(Err(PasswordProblem::Missing));
    }
    // Before anything is counted: it says nothing of the old one.
    if let Err(error) = io.check_new(&new) {
        return Ok(Err(problem_of(error)));
    }
    let Ok(login) = Login::typed(current.active.shown_name(), old) else {
        return Ok(Err(PasswordProblem::WrongCurrent));
    };
    let confirmed = match login.confirm(io, &current.active, browser).await {
        Ok(confirmed) => confirmed,
        Err(refusal) => return refused(io, refusal).map(Err),
    };
    let hash = match io.hash_new(new).await {
        Ok(Ok(hash)) => hash,
        Ok(Err(error)) => return Ok(Err(problem_of(error))),
        Err(refusal) => return refused(io, refusal).map(Err),
    };
    match io.replace_hash(&confirmed.user, &confirmed.name, &hash).await? {
        Swapped::Done => {
            io.event(Event::new(EventKind::PasswordChanged).subject(Some(&current.active.subject)));
            Ok(Ok(confirmed))
        }
        // It was changed while we looked at it: what was typed is the current one no more.
        Swapped::Foreign | Swapped::Lost => Ok(Err(PasswordProblem::WrongCurrent)),
        Swapped::Unkept => Err(unkept()),
    }
}

/// What the page says of a refusal, if it is one that the user can do something about.
pub(crate) fn refused(io: &mut Io, refusal: Refusal) -> Result<PasswordProblem, Refusal> {
    match login::problem_of(io, &refusal) {
        Some(SignInProblem::Busy) => Ok(PasswordProblem::Busy),
        Some(SignInProblem::TooMany { minutes }) => Ok(PasswordProblem::TooMany { minutes }),
        Some(SignInProblem::Wrong) => Ok(PasswordProblem::WrongCurrent),
        Some(SignInProblem::Missing) | None => Err(refusal),
    }
}

/// The host's users have no place for a new password.
pub(crate) fn unkept() -> Refusal {
    Refusal::server_error("the host did not store the new password hash: see store_password_hash")
}

/// What a page says of a password that cannot be set.
pub(crate) const fn problem_of(error: PasswordError) -> PasswordProblem {
    match error {
        PasswordError::Empty => PasswordProblem::Missing,
        PasswordError::TooCommon => PasswordProblem::TooCommon,
        PasswordError::TooLong => PasswordProblem::TooLong,
        PasswordError::TooShort => PasswordProblem::TooShort,
    }
}

/// The status of a page that says so.
pub(crate) const fn status_of(problem: Option<PasswordProblem>) -> StatusCode {
    match problem {
        None => StatusCode::OK,
        Some(PasswordProblem::Busy) => StatusCode::SERVICE_UNAVAILABLE,
        Some(PasswordProblem::TooMany { .. }) => StatusCode::TOO_MANY_REQUESTS,
        Some(PasswordProblem::WrongCurrent) => StatusCode::FORBIDDEN,
        Some(_) => StatusCode::BAD_REQUEST,
    }
}

fn page(io: &mut Io, request: &Request, current: &Current, problem: Option<PasswordProblem>) -> Response {
    let (browser, is_new) = io.browser_or_new(request);
    let token = io.form_token(FormOf::Password, &browser, Some(current));
    let min_length = io.config.password_rules.min_length;
    let username = current.active.shown_name();
    let html = page::password(&pages::frame(io), &PasswordPage { token: &token, username, problem, min_length });
    let mut response = pages::respond(io, status_of(problem), html, None);
    if is_new {
        io.remember_browser(&mut response, &browser);
    }
    response
}
