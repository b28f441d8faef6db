//! The page behind a link that sets a new password.

use http::{Method, StatusCode};

use super::pages;
use super::password::{problem_of, refused, status_of, unkept};
use crate::browser::forms::Fields;
use crate::event::{Event, EventKind};
use crate::io::Io;
use crate::new_password::Swapped;
use crate::page::{self, PasswordProblem, ResetPage};
use crate::refusal::Refusal;
use crate::reply::Response;
use crate::request::Request;
use crate::reset::link_is_used;

pub(crate) async fn reset(io: &mut Io, request: &Request) -> Result<Response, Refusal> {
    let posted = request.http().method() == Method::POST;
    let mut fields = if posted { Fields::posted(io, request)? } else { Fields::queried(request)? };
    let token = fields.text("token").to_owned();
    let of = io.open_reset_link(&token).await?;
    if !posted {
        return Ok(page(io, &token, None));
    }
    let hash = match io.hash_new(fields.take("new_password")).await {
        Ok(Ok(hash)) => hash,
        Ok(Err(error)) => return Ok(page(io, &token, Some(problem_of(error)))),
        Err(refusal) => return refused(io, refusal).map(|problem| page(io, &token, Some(problem))),
    };
    // Signed out before, for the link works no more once the password is set, and again after: until then the old
    // password lets people in.
    io.sign_out_user(&of.user.subject).await?;
    match io.replace_hash(&of.user, &of.name, &hash).await? {
        Swapped::Done => {}
        Swapped::Foreign | Swapped::Lost => return Err(link_is_used()),
        Swapped::Unkept => return Err(unkept()),
    }
    io.event(Event::new(EventKind::PasswordChanged).subject(Some(&of.user.subject)));
    io.sign_out_user(&of.user.subject).await?;
    // Whoever forgot a password has tried some: those attempts say nothing of the new one. If it fails, the limits end
    // with their windows.
    let _ = io.lift_limits(&of.name).await;
    let html = page::password_set(&pages::frame(io));
    Ok(pages::respond(io, StatusCode::OK, html, None))
}

fn page(io: &Io, token: &str, problem: Option<PasswordProblem>) -> Response {
    let min_length = io.config.password_rules.min_length;
    let html = page::reset(&pages::frame(io), &ResetPage { token, problem, min_length });
    pages::respond(io, status_of(problem), html, None)
}
