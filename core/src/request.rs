//! Requests as values: what a face hands over, and the parameters in it.

use std::fmt;
use std::net::IpAddr;

use bytes::Bytes;
use http::header::{ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_TYPE, ORIGIN};
use ipnet::IpNet;

use crate::form;
use crate::json;
use crate::refusal::Refusal;
use crate::secret::Secret;

/// The most parameters of one request; more are refused.
pub(crate) const MAX_PARAMETERS: usize = 64;
/// The most bytes of all header fields together; more are refused.
const MAX_HEADERS: usize = 32 * 1024;

/// An HTTP request with the *outer* path and the raw query, and the address that it came from.
///
/// A face that cannot know the peer passes `None`; limits by address then do not apply.
pub struct Request {
    http: http::Request<Bytes>,
    peer: Option<IpAddr>,
}

impl fmt::Debug for Request {
    /// Path and method only: header fields and body hold credentials, and so may a query.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", self.http.method())
            .field("path", &self.http.uri().path())
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

impl Request {
    /// A request from `peer`.
    #[must_use]
    pub const fn new(http: http::Request<Bytes>, peer: Option<IpAddr>) -> Self {
        Self { http, peer }
    }

    /// The request.
    #[must_use]
    pub const fn http(&self) -> &http::Request<Bytes> {
        &self.http
    }

    /// The address of the client: the peer, or, behind trusted proxies, the rightmost hop of `X-Forwarded-For` that is
    /// not one of them (RFC 9700 section 4.13).
    pub(crate) fn client_address(&self, trusted: &[IpNet]) -> Option<IpAddr> {
        let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
        let peer = self.peer?.to_canonical();
        if !is_trusted(peer) {
            return Some(peer);
        }
        let hops = self.http.headers().get_all("x-forwarded-for");
        let hops: Vec<&str> =
            hops.iter().filter_map(|value| value.to_str().ok()).flat_map(|line| line.split(',')).collect();
        let mut address = peer;
        for hop in hops.iter().rev() {
            let Ok(hop) = hop.trim().parse::<IpAddr>() else { break };
            address = hop.to_canonical();
            if !is_trusted(address) {
                break;
            }
        }
        Some(address)
    }

    /// Whether a trusted proxy says that the client came over plain HTTP. Nobody else is believed about that: what a
    /// stranger says of its own connection opens nothing and protects nobody.
    pub(crate) fn is_plain_http(&self, trusted: &[IpNet]) -> bool {
        let is_trusted = self.peer.is_some_and(|peer| {
            let peer = peer.to_canonical();
            trusted.iter().any(|network| network.contains(&peer))
        });
        let scheme = self.http.headers().get("x-forwarded-proto").and_then(|value| value.to_str().ok());
        // Of several hops the first is the client's own.
        let first = scheme.and_then(|scheme| scheme.split(',').next());
        is_trusted && first.is_some_and(|scheme| scheme.trim().eq_ignore_ascii_case("http"))
    }

    /// The `Origin` header, if it is one line of printable text.
    pub(crate) fn origin(&self) -> Option<&str> {
        self.http.headers().get(ORIGIN).and_then(|origin| origin.to_str().ok())
    }

    /// The `Accept-Language` header, if it is one line of printable text.
    pub(crate) fn accept_language(&self) -> Option<&str> {
        self.http.headers().get(ACCEPT_LANGUAGE).and_then(|languages| languages.to_str().ok())
    }

    pub(crate) fn authorization(&self) -> Authorization<'_> {
        let mut values = self.http.headers().get_all(AUTHORIZATION).iter();
        match (values.next(), values.next()) {
            (None, _) => Authorization::None,
            (Some(_), Some(_)) => Authorization::Repeated,
            (Some(value), None) => Authorization::One(value.as_bytes()),
        }
    }

    /// Refuses a request that is larger than any honest client's, whether or not its endpoint reads a body.
    pub(crate) fn check_size(&self, max_body: usize) -> Result<(), Refusal> {
        if self.http.body().len() > max_body {
            return Err(Refusal::too_large());
        }
        let sizes = self.http.headers().iter().map(|(name, value)| name.as_str().len().saturating_add(value.len()));
        if sizes.fold(0, usize::saturating_add) > MAX_HEADERS {
            return Err(Refusal::invalid_request("the header fields are too large"));
        }
        Ok(())
    }
}

/// The `Authorization` header field.
pub(crate) enum Authorization<'a> {
    None,
    One(&'a [u8]),
    Repeated,
}

/// How the parameters came, and so how the answer goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// `application/x-www-form-urlencoded`: the RFC's fields and answers.
    Form,
    /// `application/json`: the fields and answers of the original's clients.
    Json,
}

/// The parameters that some endpoint reads; all others are ignored (RFC 6749 section 3.1).
const KNOWN: &[&str] = &[
    "access_token",
    "client_id",
    "client_secret",
    "code",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "email",
    "grant_type",
    "login_hint",
    "max_age",
    "password",
    "prompt",
    "redirect_uri",
    "refresh_token",
    RESOURCE,
    "response_mode",
    "response_type",
    "scope",
    "state",
    "token",
    "token_type_hint",
    "ui_locales",
    "username",
];

/// The one parameter that may stand more than once (RFC 8707 section 2).
const RESOURCE: &str = "resource";

/// The known parameters of a request, each at most once; every value is a secret until an endpoint says otherwise.
#[derive(Debug)]
pub(crate) struct Parameters {
    format: Format,
    values: Vec<(&'static str, Secret)>,
}

/// The parameter of this name that some endpoint reads.
pub(crate) fn known(name: &str) -> Option<&'static str> {
    KNOWN.iter().find(|known| **known == name).copied()
}

impl Parameters {
    /// Reads the body, as form or JSON.
    pub(crate) fn read(request: &Request) -> Result<Self, Refusal> {
        let body = request.http.body();
        let format = format_of(request)?;
        let mut parameters = Self { format, values: Vec::new() };
        match format {
            Format::Form => {
                let decoded = form::decode(body, MAX_PARAMETERS)
                    .map_err(|_| Refusal::invalid_request("the body is not a well-formed form in UTF-8"))?;
                for (name, value) in decoded {
                    parameters.add(&name, value)?;
                }
            }
            Format::Json => {
                for (name, value) in json::decode(body)? {
                    parameters.add(name, Secret::new(value.as_bytes().into()))?;
                }
            }
        }
        parameters.refuse_query(request)?;
        Ok(parameters)
    }

    /// Reads the query of a `GET` (RFC 6749 section 3.1); also the names of parameters that stand there more than once.
    pub(crate) fn queried(request: &Request) -> Result<(Self, Vec<&'static str>), Refusal> {
        let query = request.http.uri().query().unwrap_or_default();
        let decoded = form::decode(query.as_bytes(), MAX_PARAMETERS)
            .map_err(|_| Refusal::invalid_request("the query is not well-formed in UTF-8"))?;
        let mut parameters = Self { format: Format::Form, values: Vec::new() };
        let mut repeated = Vec::new();
        for (name, value) in decoded {
            if parameters.add(&name, value).is_err() {
                repeated.extend(known(&name));
            }
        }
        Ok((parameters, repeated))
    }

    /// RFC 6749 section 2.3.1: parameters, and credentials above all, are never taken from the URI of a POST.
    fn refuse_query(&self, request: &Request) -> Result<(), Refusal> {
        let Some(query) = request.http.uri().query() else { return Ok(()) };
        let decoded = form::decode(query.as_bytes(), MAX_PARAMETERS).unwrap_or_default();
        if decoded.iter().any(|(name, _)| known(name).is_some()) {
            return Err(Refusal::invalid_request("parameters belong in the body, not in the URI"));
        }
        Ok(())
    }

    fn add(&mut self, name: &str, value: Secret) -> Result<(), Refusal> {
        let Some(name) = known(name) else { return Ok(()) };
        if name != RESOURCE && self.values.iter().any(|(earlier, _)| *earlier == name) {
            return Err(Refusal::invalid_request("a parameter is repeated"));
        }
        // An empty parameter is treated as absent (RFC 6749 section 3.1), but still counts as sent.
        self.values.push((name, value));
        Ok(())
    }

    pub(crate) const fn format(&self) -> Format {
        self.format
    }

    /// The value as text; nothing if it is absent or empty.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.values.iter().find(|(one, _)| *one == name)?.1.expose_text().filter(|text| !text.is_empty())
    }

    /// The value, taken out; nothing if it is absent or empty.
    pub(crate) fn take(&mut self, name: &str) -> Option<Secret> {
        let at = self.values.iter().position(|(one, _)| *one == name)?;
        let (_, value) = self.values.swap_remove(at);
        (!value.expose().is_empty()).then_some(value)
    }

    /// The resources, sorted and without repeats (RFC 8707 section 2).
    pub(crate) fn resources(&self) -> Result<Vec<String>, Refusal> {
        let named = self.values.iter().filter(|(name, value)| *name == RESOURCE && !value.expose().is_empty());
        let mut resources: Vec<String> =
            named.filter_map(|(_, value)| value.expose_text()).map(str::to_owned).collect();
        resources.sort();
        resources.dedup();
        if resources.len() > 8 {
            return Err(Refusal::invalid_target("at most eight resources can be named"));
        }
        Ok(resources)
    }
}

fn format_of(request: &Request) -> Result<Format, Refusal> {
    let mut values = request.http.headers().get_all(CONTENT_TYPE).iter();
    let value = values.next().and_then(|value| value.to_str().ok()).filter(|_| values.next().is_none());
    let media_type = value.map(|value| value.split(';').next().unwrap_or_default().trim());
    let is = |name: &str| media_type.is_some_and(|media_type| media_type.eq_ignore_ascii_case(name));
    match (is("application/x-www-form-urlencoded"), is("application/json")) {
        (true, _) => Ok(Format::Form),
        (_, true) => Ok(Format::Json),
        _ => Err(Refusal::invalid_request(
            "the content type must be application/x-www-form-urlencoded or application/json",
        )),
    }
}
