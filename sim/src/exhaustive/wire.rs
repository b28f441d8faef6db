//! Requests as clients write them, and what they read in the answers.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use proofkey_core::{Refusal, Request, Response};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

pub(super) const ISSUER: &str = "https://id.example";
pub(super) const CLIENT: &str = "web";
/// A client that the grant was not given to.
pub(super) const STRANGER: &str = "other";
pub(super) const REDIRECT_URI: &str = "https://app.example/callback";
pub(super) const VERIFIER: &str = "a-verifier-of-the-small-worlds-that-is-long-enough";

/// A token that a client was given, by the order in which tokens were first seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Token(usize);

impl Token {
    /// As people read it; the text of the token is nobody's to read.
    pub(super) fn name(self) -> String {
        format!("token {}", self.0)
    }
}

/// What a client reads in an answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) error: String,
    /// Whether the answer invites another attempt.
    pub(super) retry: bool,
    pub(super) access: Option<Token>,
    pub(super) refresh: Option<Token>,
    pub(super) scope: String,
}

/// The same, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Answered(usize);

/// All that was ever answered.
#[derive(Default)]
pub(super) struct Replies {
    tokens: Vec<String>,
    replies: Vec<Reply>,
    numbers: HashMap<Reply, Answered>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Body {
    access_token: Option<String>,
    refresh_token: Option<String>,
    scope: String,
    error: String,
}

impl Replies {
    pub(super) fn text(&self, token: Token) -> &str {
        &self.tokens[token.0]
    }

    pub(super) fn reply(&self, answered: Answered) -> &Reply {
        &self.replies[answered.0]
    }

    pub(super) fn read(&mut self, response: &Response) -> Answered {
        let body: Body = serde_json::from_slice(response.body()).unwrap_or_default();
        let reply = Reply {
            status: response.status().as_u16(),
            error: body.error,
            retry: response.headers().contains_key(RETRY_AFTER),
            access: body.access_token.map(|text| self.token(text)),
            refresh: body.refresh_token.map(|text| self.token(text)),
            scope: body.scope,
        };
        self.number(reply)
    }

    /// The answer of a typed call, as HTTP would say it.
    pub(super) fn called(&mut self, outcome: &Result<String, Refusal>) -> Answered {
        let (status, error, retry) = match outcome {
            Ok(_) => (200, String::new(), false),
            Err(refusal) => {
                (refusal.status().as_u16(), refusal.code().as_str().to_owned(), refusal.retry_after().is_some())
            }
        };
        let scope = outcome.as_ref().cloned().unwrap_or_default();
        self.number(Reply { status, error, retry, access: None, refresh: None, scope })
    }

    fn token(&mut self, text: String) -> Token {
        let known = self.tokens.iter().position(|token| *token == text);
        Token(known.unwrap_or_else(|| {
            self.tokens.push(text);
            self.tokens.len() - 1
        }))
    }

    fn number(&mut self, reply: Reply) -> Answered {
        let next = Answered(self.replies.len());
        let answered = *self.numbers.entry(reply.clone()).or_insert(next);
        if answered == next {
            self.replies.push(reply);
        }
        answered
    }
}

pub(super) fn challenge() -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER))
}

pub(super) fn form(path: &str, fields: &[(&str, &str)]) -> Request {
    let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
    post(path, "application/x-www-form-urlencoded", pairs.join("&"))
}

pub(super) fn post(path: &str, media_type: &str, body: String) -> Request {
    let mut http = http::Request::new(body.into());
    *http.method_mut() = http::Method::POST;
    *http.uri_mut() = path.parse().expect("a path of ours");
    http.headers_mut().insert(CONTENT_TYPE, media_type.parse().expect("a media type of ours"));
    Request::new(http, None)
}

/// A request to an API of the host.
pub(super) fn guarded(token: &str) -> Request {
    let mut http = http::Request::new(bytes::Bytes::new());
    let value = format!("Bearer {token}").parse().expect("tokens are ASCII");
    http.headers_mut().insert(http::header::AUTHORIZATION, value);
    Request::new(http, None)
}

fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut escaped, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
        escaped
    })
}
