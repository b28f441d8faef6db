//! What a server answered, read as a client reads it.

use std::fmt;

use http::StatusCode;
use http::header::CACHE_CONTROL;
use proofkey_core::{AccessToken, Refusal, Response};
use serde::Deserialize;

use crate::call::{Call, Operation, Set, set_of};
use crate::house::{CLIENTS, ISSUER, RESOURCES, SCOPES};
use crate::sheet::{self, Sheet};
use crate::wallet::{Kind, Paper, Wallet};

/// An answer, as far as anybody looks at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The error code of the RFCs; empty if there is none.
    pub(crate) error: String,
    pub(crate) body: Body,
    /// What is wrong with its form (invariants I24 and I25).
    pub(crate) fault: Option<&'static str>,
}

/// What it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// What a token is good for.
    Active(Shown),
    /// A code, and whether it was seen before.
    Code {
        code: Paper,
        seen: bool,
    },
    /// A token that is good for nothing.
    Inactive,
    /// Nothing that matters.
    None,
    /// What a browser was answered.
    Sheet(Sheet),
    Tokens(Issued),
}

/// Tokens, and whether each was seen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Issued {
    pub(crate) access: Paper,
    pub(crate) access_seen: bool,
    pub(crate) refresh: Option<(Paper, bool)>,
    pub(crate) scope: Set,
    pub(crate) expires_in: u64,
}

/// What is said of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) user: Option<usize>,
    pub(crate) client: Option<usize>,
    pub(crate) scope: Set,
    /// Where it was said.
    pub(crate) resources: Option<Set>,
}

#[derive(Deserialize)]
struct Coded<'a> {
    code: &'a str,
    state: Option<&'a str>,
    redirect_uri: &'a str,
    iss: &'a str,
}

#[derive(Deserialize)]
struct Granted<'a> {
    access_token: &'a str,
    token_type: &'a str,
    expires_in: u64,
    refresh_token: Option<&'a str>,
    scope: &'a str,
}

#[derive(Deserialize)]
struct Refused<'a> {
    error: &'a str,
}

#[derive(Deserialize)]
struct User<'a> {
    sub: &'a str,
    scope: &'a str,
}

#[derive(Deserialize)]
struct Introspected<'a> {
    active: bool,
    scope: Option<&'a str>,
    sub: Option<&'a str>,
    client_id: Option<&'a str>,
}

impl Answer {
    /// Reads the response to a call over HTTP.
    pub(crate) fn read(call: Call, response: &Response, wallet: &mut Wallet) -> Self {
        if matches!(call, Call::Browse(_)) {
            return sheet::read(response, wallet);
        }
        let status = response.status();
        let mut answer = Self::of(status);
        if call.operation() != Operation::Userinfo || status == StatusCode::OK {
            let stored = response.headers().get(CACHE_CONTROL).is_none_or(|value| value != "no-store");
            answer.fault = stored.then_some("I25: a cache may keep the answer");
        }
        if status != StatusCode::OK {
            match serde_json::from_slice::<Refused<'_>>(response.body()) {
                Ok(refused) => refused.error.clone_into(&mut answer.error),
                Err(_) if response.body().is_empty() && status == StatusCode::UNAUTHORIZED => {}
                Err(_) => answer.fault = Some("I24: a refusal without an error of the RFCs"),
            }
            return answer;
        }
        match read_body(call, response.body(), wallet) {
            Ok(body) => answer.body = body,
            Err(fault) => answer.fault = Some(fault),
        }
        answer
    }

    /// The end of a typed call.
    pub(crate) fn typed<T>(outcome: &Result<T, Refusal>, body: impl FnOnce(&T) -> Body) -> Self {
        match outcome {
            Ok(value) => Self { body: body(value), ..Self::of(StatusCode::OK) },
            Err(refusal) => Self { error: refusal.code().as_str().to_owned(), ..Self::of(refusal.status()) },
        }
    }

    /// What the driver says where a flow did not end in time.
    pub(crate) fn deadline() -> Self {
        Self { error: "temporarily_unavailable".to_owned(), ..Self::of(StatusCode::SERVICE_UNAVAILABLE) }
    }

    fn of(status: StatusCode) -> Self {
        Self { status: status.as_u16(), error: String::new(), body: Body::None, fault: None }
    }

    pub(crate) const fn is_ok(&self) -> bool {
        self.status == 200
    }

    /// Whether the server said that it cannot, now.
    pub(crate) const fn is_unavailable(&self) -> bool {
        self.status >= 500
    }
}

fn read_body(call: Call, body: &[u8], wallet: &mut Wallet) -> Result<Body, &'static str> {
    const BROKEN: &str = "I24: an answer without the members of its RFC";
    Ok(match call.operation() {
        Operation::Authorize => {
            let read: Coded<'_> = serde_json::from_slice(body).map_err(|_| BROKEN)?;
            let (code, seen) = wallet.note(Kind::Code, read.code);
            let Call::Authorize { by, pair, .. } = call else { return Err(BROKEN) };
            if read.iss != ISSUER || read.state != Some(&*format!("s{pair}")) {
                return Err("I25: state or iss do not come back exactly");
            }
            if read.redirect_uri != CLIENTS[by.client].redirect_uri {
                return Err("I23: an answer to a redirect URI that is not the client's");
            }
            Body::Code { code, seen }
        }
        Operation::Redeem | Operation::Refresh => {
            let read: Granted<'_> = serde_json::from_slice(body).map_err(|_| BROKEN)?;
            if read.token_type != "Bearer" {
                return Err(BROKEN);
            }
            let (access, access_seen) = wallet.note(Kind::Access, read.access_token);
            let refresh = read.refresh_token.map(|text| wallet.note(Kind::Refresh, text));
            let scope = set_of(read.scope.split(' '), &SCOPES).ok_or("I10: a scope that does not exist")?;
            Body::Tokens(Issued { access, access_seen, refresh, scope, expires_in: read.expires_in })
        }
        Operation::Introspect => {
            let read: Introspected<'_> = serde_json::from_slice(body).map_err(|_| BROKEN)?;
            if !read.active {
                return Ok(Body::Inactive);
            }
            let scope = read.scope.unwrap_or_default();
            Body::Active(Shown {
                user: read.sub.and_then(user_of),
                client: read.client_id.and_then(client_of),
                scope: set_of(scope.split(' '), &SCOPES).ok_or("I10: a scope that does not exist")?,
                resources: None,
            })
        }
        Operation::Userinfo => {
            let read: User<'_> = serde_json::from_slice(body).map_err(|_| BROKEN)?;
            let scope = set_of(read.scope.split(' '), &SCOPES).ok_or("I10: a scope that does not exist")?;
            Body::Active(Shown { user: user_of(read.sub), client: None, scope, resources: None })
        }
        // All others say nothing, or are no calls for JSON.
        _ => Body::None,
    })
}

/// What a guard of an API learns.
pub(crate) fn checked(token: &AccessToken) -> Body {
    let resources = set_of(token.audience().iter().map(String::as_str), &RESOURCES);
    Body::Active(Shown {
        user: token.subject().and_then(user_of),
        client: client_of(token.client_id()),
        scope: set_of(token.scope().iter(), &SCOPES).unwrap_or(Set::MAX),
        resources: Some(resources.unwrap_or(Set::MAX)),
    })
}

fn user_of(subject: &str) -> Option<usize> {
    subject.strip_prefix("u-").and_then(|number| number.parse().ok())
}

fn client_of(client_id: &str) -> Option<usize> {
    CLIENTS.iter().position(|client| client.client_id == client_id)
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        if !self.error.is_empty() {
            write!(f, " {}", self.error)?;
        }
        match self.body {
            Body::Active(_) => f.write_str(" active"),
            Body::Code { code, .. } => write!(f, " {code}"),
            Body::Inactive => f.write_str(" inactive"),
            Body::None => Ok(()),
            Body::Sheet(sheet) => write!(f, " {sheet}"),
            Body::Tokens(issued) => {
                write!(f, " {}", issued.access)?;
                if let Some((refresh, _)) = issued.refresh {
                    write!(f, " {refresh}")?;
                }
                write!(f, " for {} s", issued.expires_in)
            }
        }
    }
}
