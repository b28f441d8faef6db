//! The way back to the client (RFC 6749 section 4.1.2): `code` or `error`, `state` as it came, and `iss` (RFC 9207).

use http::StatusCode;
use http::header::{LOCATION, REFERRER_POLICY};

use crate::browser::travel::Asked;
use crate::io::Io;
use crate::refusal::Refusal;
use crate::reply::{Response, empty, insert};
use crate::secret::Secret;
use crate::server::note;

/// Back to the client with a code.
pub(crate) fn answered(io: &Io, asked: &Asked, code: &Secret) -> Response {
    let code = code.expose_text().unwrap_or_default();
    back(io, &asked.redirect_uri, asked.state.as_deref(), &[("code", code)])
}

/// Back to the client with an error (RFC 6749 section 4.1.2.1).
pub(crate) fn refused(io: &mut Io, redirect_uri: &str, state: Option<&str>, refusal: &Refusal) -> Response {
    note(io, refusal, None);
    let error = [("error", refusal.code().as_str()), ("error_description", refusal.description())];
    back(io, redirect_uri, state, &error)
}

/// Back to the client of a travelling request with an error.
pub(crate) fn denied(io: &mut Io, asked: &Asked, refusal: &Refusal) -> Response {
    refused(io, &asked.redirect_uri, asked.state.as_deref(), refusal)
}

/// 303: the browser follows with `GET`, and a form with a password is never sent on (RFC 9700 section 4.12).
fn back(io: &Io, redirect_uri: &str, state: Option<&str>, outcome: &[(&str, &str)]) -> Response {
    let all = outcome.iter().copied().chain(state.map(|state| ("state", state))).chain([("iss", io.config.issuer())]);
    to(&with_query(redirect_uri, all))
}

/// A redirect after which the browser makes a `GET`.
pub(crate) fn to(location: &str) -> Response {
    let mut response = empty(StatusCode::SEE_OTHER);
    insert(&mut response, LOCATION, location);
    insert(&mut response, REFERRER_POLICY, "no-referrer");
    response
}

/// Adds parameters to a URI, keeping the query it has (RFC 6749 section 3.1.2).
pub(crate) fn with_query<'a>(uri: &str, parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = uri.to_owned();
    let mut separator = if uri.contains('?') { '&' } else { '?' };
    if uri.ends_with(['?', '&']) {
        separator = '\0';
    }
    for (name, value) in parameters {
        if separator != '\0' {
            text.push(separator);
        }
        separator = '&';
        text.push_str(name);
        text.push('=');
        encode(value, &mut text);
    }
    text
}

/// Percent-encodes all but unreserved characters (RFC 3986 section 2.3), which every decoder of forms reads alike.
fn encode(value: &str, into: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            into.push(char::from(byte));
        } else {
            let digit = |at: u8| char::from(DIGITS.get(usize::from(at)).copied().unwrap_or_default());
            into.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_that_is_there_survives() {
        for (uri, wanted) in [
            ("https://c.example/cb", "https://c.example/cb?a=1&b=%2B%20%26%3D%25%C3%A9"),
            ("https://c.example/cb?tenant=7", "https://c.example/cb?tenant=7&a=1&b=%2B%20%26%3D%25%C3%A9"),
            ("https://c.example/cb?", "https://c.example/cb?a=1&b=%2B%20%26%3D%25%C3%A9"),
            ("com.example.app:/cb", "com.example.app:/cb?a=1&b=%2B%20%26%3D%25%C3%A9"),
        ] {
            assert_eq!(with_query(uri, [("a", "1"), ("b", "+ &=%é")]), wanted);
        }
    }
}
