//! The files of the application, and the headers that they need.

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY};
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, get};

const PAGE: &str = include_str!("../public/index.html");
const SCRIPT: &str = include_str!("../public/app.js");
const STYLE: &str = include_str!("../public/style.css");

/// Only the application's own files run and are loaded, only its own host is called, nobody may frame it, and no text
/// becomes markup or script. Where the issuer has a host of its own, `connect-src` names that too.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// The page, also as the callback; its script and its style.
pub(crate) fn files() -> Router {
    Router::new()
        .route("/", file("text/html; charset=utf-8", PAGE))
        .route("/callback", file("text/html; charset=utf-8", PAGE))
        .route("/app.js", file("text/javascript; charset=utf-8", SCRIPT))
        .route("/style.css", file("text/css; charset=utf-8", STYLE))
}

fn file(content_type: &'static str, text: &'static str) -> MethodRouter {
    let headers = [
        (CONTENT_TYPE, content_type),
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, "no-cache"),
        // The address of the callback holds a code, for a moment.
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("x-content-type-options"), "nosniff"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    get(move || async move { (headers, text).into_response() })
}
