//! One request and its answer.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::{Map, Value};

use super::Walk;
use super::log::{Cost, ServerLog};
use super::show::{shortened, shortened_fields, shortened_header};
use crate::failure::Failure;

/// Longer than a sign-in takes whose password hash has to wait for its turn.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A request, before it is sent.
pub(super) struct Ask {
    method: &'static str,
    path: &'static str,
    authorization: Option<String>,
    body: Body,
}

enum Body {
    Form(Vec<(String, String)>),
    Json(Value),
    None,
}

impl Ask {
    pub(super) const fn get(path: &'static str, authorization: String) -> Self {
        Self { method: "GET", path, authorization: Some(authorization), body: Body::None }
    }

    pub(super) const fn json(path: &'static str, body: Value) -> Self {
        Self { method: "POST", path, authorization: None, body: Body::Json(body) }
    }

    pub(super) const fn form(path: &'static str, fields: Vec<(String, String)>) -> Self {
        Self { method: "POST", path, authorization: None, body: Body::Form(fields) }
    }

    /// HTTP Basic, as RFC 6749 section 2.3.1 has it: both halves are form-encoded first.
    pub(super) fn basic(mut self, client_id: &str, secret: &str) -> Self {
        self.authorization =
            Some(format!("Basic {}", STANDARD.encode(format!("{}:{}", escape(client_id), escape(secret)))));
        self
    }

    fn content(&self) -> (Option<&'static str>, String) {
        match &self.body {
            Body::Form(fields) => {
                let pairs = fields.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value)));
                (Some("application/x-www-form-urlencoded"), pairs.collect::<Vec<_>>().join("&"))
            }
            Body::Json(value) => (Some("application/json"), value.to_string()),
            Body::None => (None, String::new()),
        }
    }

    fn shown_body(&self) -> Value {
        match &self.body {
            Body::Form(fields) => {
                let fields = fields.iter().map(|(name, value)| (name.clone(), shortened(name, value).into()));
                Value::Object(fields.collect())
            }
            Body::Json(value) => shortened_fields(value),
            Body::None => Value::Null,
        }
    }
}

/// An answer with its secrets, for the walk alone.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Map<String, Value>,
}

impl Answer {
    /// Whether it has this status, and this error if it is one.
    pub(super) fn is(&self, status: u16, error: &str) -> Result<(), String> {
        let told = self.body.get("error").and_then(Value::as_str).unwrap_or_default();
        if self.status == status && told == error {
            return Ok(());
        }
        Err(if error.is_empty() { status.to_string() } else { format!("{status} {error}") })
    }

    /// Whether it holds this text.
    pub(super) fn text(&self, name: &str) -> Result<(), String> {
        let text = self.body.get(name).and_then(Value::as_str).is_some_and(|text| !text.is_empty());
        if text { Ok(()) } else { Err(format!("an answer with {name}")) }
    }

    /// Whether a text is this one.
    pub(super) fn has(&self, name: &str, value: &str) -> Result<(), String> {
        let same = self.body.get(name).and_then(Value::as_str) == Some(value);
        if same { Ok(()) } else { Err(format!("{name} = {value}")) }
    }

    /// A text that a check has found before.
    pub(super) fn known(&self, name: &str) -> String {
        self.body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

/// One step of a walk, as it may be shown: secrets are shortened beyond use.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Step {
    pub(super) number: usize,
    pub(super) title: &'static str,
    pub(super) method: &'static str,
    pub(super) url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) authorization: Option<String>,
    #[serde(skip_serializing_if = "Value::is_null")]
    pub(super) request: Value,
    pub(super) status: u16,
    pub(super) answer: Value,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) request_id: String,
    /// What the server's log says of it.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(super) cost: Option<Cost>,
    /// What should have come instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) expected: Option<String>,
}

/// The steps of one walk.
pub(super) struct Road<'a> {
    agent: ureq::Agent,
    url: &'a str,
    log: Option<ServerLog>,
    name: String,
    number: usize,
    show: &'a mut dyn FnMut(&Step) -> Result<(), Failure>,
}

impl<'a> Road<'a> {
    pub(super) fn new(walk: &'a Walk, show: &'a mut dyn FnMut(&Step) -> Result<(), Failure>) -> Result<Self, Failure> {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .timeout_global(Some(TIMEOUT));
        let mut random = [0; 6];
        getrandom::fill(&mut random).map_err(|error| Failure::new(error.to_string()))?;
        let name = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(random);
        let log = walk.server_log.as_deref().map(ServerLog::new);
        Ok(Self { agent: config.build().into(), url: walk.url.trim_end_matches('/'), log, name, number: 0, show })
    }

    /// Sends a request, shows what came, and goes on only if `check` finds nothing to say.
    pub(super) fn step(
        &mut self,
        title: &'static str,
        ask: Ask,
        check: impl FnOnce(&Answer) -> Result<(), String>,
    ) -> Result<Answer, Failure> {
        self.take(title, &ask, |answer, _| check(answer))
    }

    /// The same for a request that must cost no store call, where the server's log can tell.
    pub(super) fn costs_nothing(
        &mut self,
        title: &'static str,
        ask: Ask,
        check: impl FnOnce(&Answer) -> Result<(), String>,
    ) -> Result<Answer, Failure> {
        self.take(title, &ask, |answer, cost| {
            check(answer)?;
            match cost {
                Some(cost) if cost.store_calls != 0 => Err("no store call".to_owned()),
                _ => Ok(()),
            }
        })
    }

    fn take(
        &mut self,
        title: &'static str,
        ask: &Ask,
        check: impl FnOnce(&Answer, Option<&Cost>) -> Result<(), String>,
    ) -> Result<Answer, Failure> {
        self.number += 1;
        let url = format!("{}/{}", self.url, ask.path);
        let request_id = format!("try-{}-{}", self.name, self.number);
        let answer = self.send(&url, &request_id, ask)?;
        let cost = self.log.as_ref().map(|log| log.cost(&request_id)).transpose()?;
        let expected = check(&answer, cost.as_ref()).err();
        let step = Step {
            number: self.number,
            title,
            method: ask.method,
            url,
            authorization: ask.authorization.as_deref().map(shortened_header),
            request: ask.shown_body(),
            status: answer.status,
            answer: shortened_fields(&Value::Object(answer.body.clone())),
            request_id,
            cost,
            expected,
        };
        self.tell(step, answer)
    }

    /// Shows what a browser brought, and goes on only if `check` finds nothing to say.
    pub(super) fn arrived(
        &mut self,
        title: &'static str,
        url: &str,
        answer: Answer,
        check: impl FnOnce(&Answer) -> Result<(), String>,
    ) -> Result<Answer, Failure> {
        self.number += 1;
        let expected = check(&answer).err();
        let step = Step {
            number: self.number,
            title,
            method: "GET",
            url: url.to_owned(),
            authorization: None,
            request: Value::Null,
            status: answer.status,
            answer: shortened_fields(&Value::Object(answer.body.clone())),
            request_id: String::new(),
            cost: None,
            expected,
        };
        self.tell(step, answer)
    }

    /// Shows a step, and goes on only if it was as it should be.
    fn tell(&mut self, step: Step, answer: Answer) -> Result<Answer, Failure> {
        (self.show)(&step)?;
        match step.expected {
            None => Ok(answer),
            Some(expected) => {
                Err(Failure::new(format!("step {} is not as it should be; expected: {expected}", step.number)))
            }
        }
    }

    fn send(&self, url: &str, request_id: &str, ask: &Ask) -> Result<Answer, Failure> {
        let (content_type, body) = ask.content();
        let mut request = http::Request::builder().method(ask.method).uri(url).header("x-request-id", request_id);
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        if let Some(authorization) = &ask.authorization {
            request = request.header("authorization", authorization);
        }
        let told = |error: &dyn std::fmt::Display| {
            Failure::new(format!("{url}: {error}; is the server running? `proofkey serve` starts one"))
        };
        let request = request.body(body).map_err(|error| told(&error))?;
        let mut response = self.agent.run(request).map_err(|error| told(&error))?;
        let status = response.status().as_u16();
        let text = response.body_mut().read_to_string().map_err(|error| told(&error))?;
        let body = match serde_json::from_str(&text) {
            Ok(Value::Object(body)) => body,
            _ if text.is_empty() => Map::new(),
            _ => return Err(Failure::new(format!("{url} answered {status} with something that is no JSON object"))),
        };
        Ok(Answer { status, body })
    }
}

/// What [`escape`] made, and `+` for a blank; what is no escape stays as it is.
pub(super) fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.filter(|_| *first == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(if *first == b'+' { b' ' } else { *first }));
        rest = if byte.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

pub(super) fn escape(text: &str) -> String {
    text.bytes().fold(String::new(), |mut escaped, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
        escaped
    })
}
