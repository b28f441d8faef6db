//! A request on paper: begun from one that is right, then changed by choices.

use std::net::IpAddr;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Method, Uri};
use proofkey_core::fuzzing::form;
use proofkey_tests::{Operation, PASSWORD, encode};
use serde_json::{Map, Value};

use crate::held::{NAMES, SECRET_NAMES, Start};
use crate::source::Source;

/// What no answer and no event may show: stands in parameters and header fields that hold secrets.
pub(crate) const MARK: &str = "s3cretM4rk";
/// What no page may show as it is.
const MARKUP: &str = "<i9 x=\"'&a;";

pub(crate) enum Body {
    Form(Vec<(String, String)>),
    Json(Vec<(String, String)>),
    Raw(Vec<u8>),
}

/// A request that can be changed.
pub(crate) struct Draft {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(HeaderName, Vec<u8>)>,
    pub(crate) body: Body,
    pub(crate) peer: Option<IpAddr>,
    /// Whether it is as it was begun.
    pub(crate) pristine: bool,
}

const PATHS: [&str; 27] = [
    "/auth/authorize",
    "/auth/token",
    "/auth/refresh",
    "/auth/revoke",
    "/auth/introspect",
    "/auth/userinfo",
    "/auth/me",
    "/auth/challenge",
    "/auth/login",
    "/auth/consent",
    "/auth/logout",
    "/auth/applications",
    "/auth/password",
    "/auth/reset",
    "/auth/forgot",
    "/auth/logo",
    "/auth/.well-known/oauth-authorization-server",
    "/.well-known/oauth-authorization-server/auth",
    "/health",
    "/",
    "/auth",
    "/auth/",
    "/auth//token",
    "/auth/Token",
    "/auth/token/",
    "/signin",
    "*",
];
const METHODS: [&str; 8] = ["GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "BREW"];
const HEADERS: [&str; 12] = [
    "authorization",
    "content-type",
    "cookie",
    "origin",
    "accept-language",
    "sec-fetch-site",
    "x-forwarded-for",
    "x-forwarded-proto",
    "host",
    "referer",
    "access-control-request-method",
    "x-other",
];
const HEADER_VALUES: [&str; 22] = [
    "application/x-www-form-urlencoded",
    "application/json",
    "application/json; charset=utf-8",
    "text/plain",
    "https://app.example",
    "https://as.example",
    "https://unknown.example",
    "null",
    "same-origin",
    "cross-site",
    "none",
    "de-CH, fr;q=0.9, *;q=0.1",
    "ar",
    "en;q=2,;;,",
    "203.0.113.9, 192.0.2.1",
    "http",
    "https",
    "as.example",
    "evil.example",
    "POST",
    "Basic",
    "Bearer a b",
];
const PEERS: [Option<&str>; 4] = [Some("192.0.2.1"), None, Some("203.0.113.7"), Some("::ffff:192.0.2.9")];

impl Draft {
    /// One that an operation sends, or, beyond those, one that says nothing.
    pub(crate) fn begun(start: &Start, operation: Option<Operation>) -> Self {
        operation.map_or_else(Self::blank, |operation| Self::of(&operation.request(&start.held)))
    }

    fn blank() -> Self {
        Self {
            method: Method::GET,
            path: "/auth/authorize".to_owned(),
            query: Vec::new(),
            headers: Vec::new(),
            body: Body::Raw(Vec::new()),
            peer: PEERS[0].and_then(|peer| peer.parse().ok()),
            pristine: true,
        }
    }

    pub(crate) fn of(request: &http::Request<Bytes>) -> Self {
        let headers = request.headers().iter().map(|(name, value)| (name.clone(), value.as_bytes().to_vec())).collect();
        let is = |media_type: &str| request.headers().get(CONTENT_TYPE).is_some_and(|value| value == media_type);
        let body = if is("application/json") {
            let members: Map<String, Value> = serde_json::from_slice(request.body()).unwrap_or_default();
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            Body::Json(members.iter().map(|(name, value)| (name.clone(), text(value))).collect())
        } else if is("application/x-www-form-urlencoded") {
            Body::Form(form(request.body(), 64).unwrap_or_default())
        } else {
            Body::Raw(request.body().to_vec())
        };
        let query = form(request.uri().query().unwrap_or_default().as_bytes(), 64).unwrap_or_default();
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        Self { method, path, query, headers, body, ..Self::blank() }
    }

    /// Changes it as often as a byte says; a 0 leaves it.
    pub(crate) fn change(&mut self, start: &Start, learned: &[String], choices: &mut Source<'_>) {
        for _ in 0..choices.below(8) {
            self.pristine = false;
            self.change_once(start, learned, choices);
        }
    }

    fn change_once(&mut self, start: &Start, learned: &[String], choices: &mut Source<'_>) {
        let value = |name: &str, choices: &mut Source<'_>| value(start, learned, name, choices);
        match choices.below(14) {
            0 => {
                let name = name(choices);
                let value = value(&name, choices);
                set(self.fields(), name, value);
            }
            1 => {
                let fields = self.fields();
                let at = choices.below(fields.len().max(1));
                if at < fields.len() {
                    fields.remove(at);
                }
            }
            2 => {
                let fields = self.fields();
                let at = choices.below(fields.len().max(1));
                fields.extend(fields.get(at).cloned());
            }
            3 => {
                let name = name(choices);
                let value = value(&name, choices);
                set(&mut self.query, name, value);
            }
            4 => {
                let name = name(choices);
                let value = value(&name, choices);
                self.query.push((name, value));
            }
            5 => {
                let at = choices.below(self.query.len().max(1));
                if at < self.query.len() {
                    self.query.remove(at);
                }
            }
            6 => {
                let (name, value) = header(start, learned, choices);
                self.headers.retain(|(one, _)| *one != name);
                self.headers.push((name, value));
            }
            7 => {
                let added = header(start, learned, choices);
                self.headers.push(added);
            }
            8 => {
                let at = choices.below(self.headers.len().max(1));
                if at < self.headers.len() {
                    self.headers.remove(at);
                }
            }
            9 => self.method = METHODS[choices.below(METHODS.len())].parse().unwrap_or_default(),
            10 => choices.pick(&PATHS).clone_into(&mut self.path),
            11 => {
                let fields = std::mem::take(self.fields());
                let json = choices.below(2) == 0;
                self.body = if json { Body::Json(fields) } else { Body::Form(fields) };
                let media_type = if json { "application/json" } else { "application/x-www-form-urlencoded" };
                self.headers.retain(|(name, _)| *name != CONTENT_TYPE);
                self.headers.push((CONTENT_TYPE, media_type.as_bytes().to_vec()));
            }
            12 => {
                let mut bytes = self.body_bytes();
                let at = choices.below(bytes.len() + 1).min(bytes.len());
                bytes.splice(at..at, choices.bytes(64).iter().copied());
                self.body = Body::Raw(bytes);
            }
            _ => self.peer = choices.pick(&PEERS).and_then(|peer| peer.parse().ok()),
        }
    }

    fn fields(&mut self) -> &mut Vec<(String, String)> {
        if let Body::Raw(_) = self.body {
            self.body = Body::Form(Vec::new());
        }
        match &mut self.body {
            Body::Form(fields) | Body::Json(fields) => fields,
            Body::Raw(_) => &mut self.query, // made a form above
        }
    }

    /// A parameter of the body, if it stands there once.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let (Body::Form(fields) | Body::Json(fields)) = &self.body else { return None };
        let mut values = fields.iter().filter(|(one, _)| one == name).map(|(_, value)| value.as_str());
        values.next().filter(|_| values.next().is_none())
    }

    /// Whether something secret stands where a page shows it again: typed into the wrong field.
    pub(crate) fn shows_secrets(&self) -> bool {
        let shown = |(name, value): &(String, String)| {
            let is_shown = ["username", "login_hint", "email"].contains(&name.as_str());
            is_shown && ["pfk_", PASSWORD, MARK].iter().any(|secret| value.contains(secret))
        };
        self.query.iter().any(shown)
            || match &self.body {
                Body::Form(fields) | Body::Json(fields) => fields.iter().any(shown),
                Body::Raw(bytes) => ["username", "email"]
                    .iter()
                    .any(|name| bytes.windows(name.len()).any(|piece| piece == name.as_bytes())),
            }
    }

    fn body_bytes(&self) -> Vec<u8> {
        match &self.body {
            Body::Form(fields) => encoded(fields).into_bytes(),
            Body::Json(fields) => {
                let members: Vec<String> = fields
                    .iter()
                    .map(|(name, value)| format!("{}:{}", Value::from(name.as_str()), Value::from(value.as_str())))
                    .collect();
                format!("{{{}}}", members.join(",")).into_bytes()
            }
            Body::Raw(bytes) => bytes.clone(),
        }
    }

    /// The request; what HTTP itself does not allow is left out.
    pub(crate) fn request(&self) -> http::Request<Bytes> {
        let mut request = http::Request::new(Bytes::from(self.body_bytes()));
        *request.method_mut() = self.method.clone();
        let query = if self.query.is_empty() { String::new() } else { format!("?{}", encoded(&self.query)) };
        let uri = if self.path == "*" { Ok(Uri::from_static("*")) } else { format!("{}{query}", self.path).parse() };
        *request.uri_mut() = uri.unwrap_or_default();
        for (name, value) in &self.headers {
            if let Ok(value) = HeaderValue::from_bytes(value) {
                request.headers_mut().append(name, value);
            }
        }
        request
    }
}

fn encoded(fields: &[(String, String)]) -> String {
    let borrowed: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    encode(&borrowed)
}

fn set(fields: &mut Vec<(String, String)>, name: String, value: String) {
    match fields.iter_mut().find(|(one, _)| *one == name) {
        Some((_, old)) => *old = value,
        None => fields.push((name, value)),
    }
}

fn name(choices: &mut Source<'_>) -> String {
    match choices.below(NAMES.len() + 1) {
        at if at < NAMES.len() => NAMES[at].to_owned(),
        _ => choices.text(16),
    }
}

fn value(start: &Start, learned: &[String], name: &str, choices: &mut Source<'_>) -> String {
    match choices.byte() {
        0 => start.right(name).to_owned(),
        at @ 1..=180 => start.values[usize::from(at - 1) % start.values.len()].clone(),
        181..=199 if !learned.is_empty() => learned[choices.below(learned.len())].clone(),
        200..=214 => format!("{}{MARKUP}", choices.text(8)),
        215..=229 if SECRET_NAMES.contains(&name) => format!("{MARK}{}", choices.text(16)),
        _ => choices.text(64),
    }
}

fn header(start: &Start, learned: &[String], choices: &mut Source<'_>) -> (HeaderName, Vec<u8>) {
    let name = choices.pick(&HEADERS);
    let text = match choices.byte() {
        at @ 0..=127 => HEADER_VALUES[usize::from(at) % HEADER_VALUES.len()].as_bytes().to_vec(),
        128..=149 if name == "authorization" => {
            let scheme = choices.pick(&["Bearer ", "Basic "]);
            format!("{scheme}{MARK}{}", choices.text(16)).into_bytes()
        }
        128..=149 if name == "cookie" => format!("__Secure-proofkey={MARK}{}", choices.text(16)).into_bytes(),
        150..=229 => value(start, learned, name, choices).into_bytes(),
        _ => choices.bytes(64).to_vec(),
    };
    (HeaderName::from_static(name), text)
}
