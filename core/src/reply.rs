//! What a flow ends in: a value for the caller, and events for log, metrics and audit.

use std::fmt;

use bytes::Bytes;
use http::StatusCode;
use http::header::{
    CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use serde::Serialize;

use crate::event::Event;
use crate::refusal::{Challenge, Refusal};

/// An HTTP response whose body is complete.
pub type Response = http::Response<Bytes>;

/// How many store calls an answer cost: an extension of each [`Response`] that a flow ends in, for log and metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreCalls(u32);

impl StoreCalls {
    /// The number.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.0
    }

    pub(crate) const fn one_more(&mut self) {
        self.0 = self.0.saturating_add(1);
    }
}

/// The end of a flow. `Debug` prints the events alone: the answer may hold tokens.
pub struct Reply<T = Response> {
    value: T,
    events: Vec<Event>,
}

impl<T> Reply<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self { value, events: Vec::new() }
    }

    pub(crate) fn with_events(mut self, events: Vec<Event>) -> Self {
        self.events = events;
        self
    }

    /// The answer.
    #[must_use]
    pub const fn value(&self) -> &T {
        &self.value
    }

    /// What happened, for log, metrics and audit; no event holds a secret.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The answer alone.
    #[must_use]
    pub fn into_value(self) -> T {
        self.value
    }

    /// The answer and what happened.
    #[must_use]
    pub fn into_parts(self) -> (T, Vec<Event>) {
        (self.value, self.events)
    }
}

impl<T> fmt::Debug for Reply<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("events", &self.events).finish_non_exhaustive()
    }
}

/// Whether an answer may be kept by caches.
#[derive(Clone, Copy)]
pub(crate) enum Caching {
    /// `no-store` and `no-cache` (RFC 6749 section 5.1).
    Forbidden,
    /// Public for five minutes: the metadata document, the logo.
    Minutes,
}

/// Room for the header fields of most answers, and for most bodies.
const HEADERS: usize = 8;
const BODY: usize = 512;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

pub(crate) fn response(status: StatusCode, caching: Caching, body: Bytes) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.reserve(HEADERS);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    match caching {
        Caching::Forbidden => {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
        }
        Caching::Minutes => {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
        }
    }
    response
}

/// A JSON answer.
pub(crate) fn json(status: StatusCode, caching: Caching, body: &impl Serialize) -> Response {
    // The bodies are our own structs with string keys; serialising them into memory cannot fail.
    let mut text = Vec::with_capacity(BODY);
    if serde_json::to_writer(&mut text, body).is_err() {
        text.clear();
    }
    let mut response = response(status, caching, text.into());
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> Response {
    response(status, Caching::Forbidden, Bytes::new())
}

#[derive(Serialize)]
struct ErrorBody {
    error: &'static str,
    error_description: &'static str,
}

/// The answer to a refused request (RFC 6749 section 5.2, RFC 6750 section 3).
pub(crate) fn refused(refusal: &Refusal, realm: &str) -> Response {
    let body = ErrorBody { error: refusal.code().as_str(), error_description: refusal.description() };
    let mut response = json(refusal.status(), Caching::Forbidden, &body);
    if let Some(wait) = refusal.retry_after() {
        insert(&mut response, RETRY_AFTER, &wait.as_secs().max(1).to_string());
    }
    if let Some(challenge) = refusal.challenge {
        insert(&mut response, WWW_AUTHENTICATE, &www_authenticate(refusal, challenge, realm));
    }
    response
}

/// RFC 6750 section 3: each attribute at most once, and only characters that need no escape.
fn www_authenticate(refusal: &Refusal, challenge: Challenge, realm: &str) -> String {
    match challenge {
        Challenge::Basic => format!("Basic realm=\"{realm}\", charset=\"UTF-8\""),
        Challenge::BearerMissing => format!("Bearer realm=\"{realm}\""),
        Challenge::Bearer => {
            let mut text = format!(
                "Bearer realm=\"{realm}\", error=\"{}\", error_description=\"{}\"",
                refusal.code(),
                refusal.description()
            );
            if let Some(scope) = &refusal.required_scope {
                text.push_str(", scope=\"");
                text.push_str(scope);
                text.push('"');
            }
            text
        }
    }
}

/// Sets a header whose value is text of ours; text that cannot be a header value is left out.
pub(crate) fn insert(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
