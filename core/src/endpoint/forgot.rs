//! The page where people ask for a link that sets a new password. It tells nobody who has an account.

use http::{Method, StatusCode};

use super::{login, pages};
use crate::browser::forms::Fields;
use crate::event::{Event, EventKind};
use crate::io::Io;
use crate::limit::address_bytes;
use crate::login::MAX_NAME;
use crate::page::{self, ForgotProblem, SignInProblem};
use crate::refusal::Refusal;
use crate::reply::Response;
use crate::request::Request;
use crate::user::{User, UserAnswer};

pub(crate) async fn forgot(io: &mut Io, request: &Request) -> Result<Response, Refusal> {
    if request.http().method() != Method::POST {
        return Ok(page(io, StatusCode::OK, None));
    }
    let fields = Fields::posted(io, request)?;
    let name = fields.text("username");
    if name.is_empty() {
        return Ok(page(io, StatusCode::BAD_REQUEST, Some(ForgotProblem::Missing)));
    }
    if name.chars().count() > MAX_NAME {
        return Err(Refusal::invalid_request("the name is too long"));
    }
    if let Err(refusal) = count(io, name).await {
        return match login::problem_of(io, &refusal) {
            Some(SignInProblem::Busy) => Ok(page(io, refusal.status(), Some(ForgotProblem::Busy))),
            Some(SignInProblem::TooMany { minutes }) => {
                Ok(page(io, refusal.status(), Some(ForgotProblem::TooMany { minutes })))
            }
            _ => Err(refusal),
        };
    }
    let (user, known) = match io.user_by_name(name).await? {
        UserAnswer::Found(user) => (user, true),
        // Nobody's link is made all the same: the work is the same.
        UserAnswer::Absent | UserAnswer::Dismissed | UserAnswer::Stored => (User::new(""), false),
    };
    let link = io.make_reset_link(&user, name)?;
    if known {
        io.event(Event::new(EventKind::ResetAsked).subject(Some(&user.subject)).link(link));
    }
    let html = page::forgot_sent(&pages::frame(io));
    Ok(pages::respond(io, StatusCode::OK, html, None))
}

/// Counts the message that is perhaps sent, for a name and for an address. None is taken back: each may be one too many
/// for somebody's letter box.
async fn count(io: &mut Io, name: &str) -> Result<(), Refusal> {
    let settings = &io.config.settings;
    let by_name = io.counter(settings.limit_user, &[b"forgot name", name.to_lowercase().as_bytes()])?;
    let by_address = match io.address.map(address_bytes) {
        None => None,
        Some(address) => io.counter(settings.limit_address, &[b"forgot address", &address])?,
    };
    let counters: Vec<_> = by_name.iter().chain(&by_address).collect();
    io.take_all(&counters).await
}

fn page(io: &Io, status: StatusCode, problem: Option<ForgotProblem>) -> Response {
    pages::respond(io, status, page::forgot(&pages::frame(io), problem), None)
}
