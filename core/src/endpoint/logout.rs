//! Signing a browser out: a page that asks, and a form that does it.

use http::{Method, StatusCode};

use super::pages;
use crate::browser::forms::{Fields, FormOf};
use crate::endpoint::consent::Named as _;
use crate::io::Io;
use crate::page::{self, SignOut};
use crate::refusal::Refusal;
use crate::reply::Response;
use crate::request::Request;

pub(crate) async fn logout(io: &mut Io, request: &Request) -> Result<Response, Refusal> {
    let posted = request.http().method() == Method::POST;
    let fields = if posted { Some(Fields::posted(io, request)?) } else { None };
    let Some(current) = io.session(request).await? else {
        if let Some(fields) = fields {
            io.end_leftovers(request, fields.text("form_token")).await?;
        }
        return Ok(signed_out(io, request));
    };
    let browser = io.browser(request);
    if let Some(fields) = fields {
        io.check_form(fields.text("form_token"), FormOf::Logout, browser.as_ref(), Some(&current))?;
        io.sign_out_session(&current.key, &current.active.sid[..]).await?;
        return Ok(signed_out(io, request));
    }
    let (browser, is_new) = io.browser_or_new(request);
    let token = io.form_token(FormOf::Logout, &browser, Some(&current));
    let html = page::sign_out(&pages::frame(io), &SignOut { token: &token, username: current.active.shown_name() });
    let mut response = pages::respond(io, StatusCode::OK, html, None);
    if is_new {
        io.remember_browser(&mut response, &browser);
    }
    Ok(response)
}

/// The page after a browser was signed out, or where nobody was signed in. A cookie that the browser did not send is not
/// taken from it: a form of another site, which comes without, signs nobody out.
pub(crate) fn signed_out(io: &Io, request: &Request) -> Response {
    let html = page::signed_out(&pages::frame(io));
    let mut response = pages::respond(io, StatusCode::OK, html, None);
    if io.has_session_cookie(request) {
        io.forget_session(&mut response);
    }
    response
}
