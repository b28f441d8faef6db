//! The two pages. Their forms have no `action`: they are sent to the address of the page, `request` included.

use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use axum::response::{IntoResponse as _, Response};
use proofkey::Pending;

/// What people are told after an attempt that failed.
pub(crate) const WRONG: &str = "That did not fit. After five attempts nothing fits for a quarter of an hour.";

pub(crate) fn password(pending: &Pending, problem: Option<&str>) -> Response {
    let client = pending.client();
    let name = client.client_name().unwrap_or_else(|| client.client_id());
    let hint = pending.login_hint().unwrap_or_default();
    let fields = format!(
        r#"<p>to go on to {} at {}</p>
<p><label>E-mail <input name="email" type="email" autocomplete="username" value="{}" required></label></p>
<p><label>Password <input name="password" type="password" autocomplete="current-password" required></label></p>"#,
        escaped(name),
        escaped(&pending.redirect_host()),
        escaped(hint),
    );
    page(pending, &fields, problem)
}

pub(crate) fn code(pending: &Pending, problem: Option<&str>) -> Response {
    let fields = r#"<p><label>The six digits that your authenticator app shows
<input name="code" inputmode="numeric" autocomplete="one-time-code" required></label></p>"#;
    page(pending, fields, problem)
}

fn page(pending: &Pending, fields: &str, problem: Option<&str>) -> Response {
    let status = if problem.is_some() { StatusCode::FORBIDDEN } else { StatusCode::OK };
    let problem = problem.map(|problem| format!("<p role=\"alert\">{problem}</p>")).unwrap_or_default();
    let html = format!(
        r#"<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Sign in</title>
<main><h1>Sign in</h1>{problem}
<form method="post">{fields}
<p><button>Go on</button></p></form></main></html>"#
    );
    // The form ends at the client, and browsers hold form-action against that redirect too.
    let policy = format!("default-src 'none'; frame-ancestors 'none'; form-action 'self' {}", pending.form_target());
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, &policy),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "same-origin"),
    ];
    (status, headers, html).into_response()
}

/// Names and hints come from others.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
