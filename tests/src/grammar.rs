//! What every answer looks like, whatever was asked: the grammar of RFC 6749 section 5.2, RFC 6750 section 3 and
//! RFC 9110.

use serde_json::Value;

use crate::Reply;

/// Checks that an answer is well formed: a page is never kept or framed; an error is a page or an OAuth error body, with
/// the header fields of its status; anything else is JSON or empty.
///
/// # Panics
/// If it is not; `context` says what was asked.
pub fn assert_well_formed(reply: &Reply, context: &str) {
    let problem = problem(reply);
    assert!(problem.is_none(), "{context}: {}: {reply:?}", problem.unwrap_or_default());
}

fn problem(reply: &Reply) -> Option<&'static str> {
    let status = reply.status.as_u16();
    let has = |name: &str| !reply.header(name).is_empty();
    if reply.header("x-content-type-options") != "nosniff" {
        return Some("the type may be guessed");
    }
    let status_fields = match status {
        401 if !has("www-authenticate") => Some("401 without WWW-Authenticate"),
        405 if !has("allow") => Some("405 without Allow"),
        429 if !has("retry-after") => Some("429 without Retry-After"),
        _ => None,
    };
    if is_page(reply) {
        return status_fields.or_else(|| problem_of_page(reply));
    }
    if status < 400 {
        let readable = reply.body.is_empty() || serde_json::from_slice::<Value>(&reply.body).is_ok();
        return (!readable).then_some("the body is no JSON");
    }
    if reply.header("cache-control") != "no-store" || reply.header("content-type") != "application/json" {
        return Some("an error is JSON that is not stored");
    }
    if status_fields.is_some() {
        return status_fields;
    }
    if has("www-authenticate") && challenge(reply.header("www-authenticate")).is_none() {
        return Some("WWW-Authenticate does not parse");
    }
    let Ok(Value::Object(body)) = serde_json::from_slice(&reply.body) else {
        return Some("the error body is no JSON object");
    };
    let legal = |byte: u8| matches!(byte, 0x20 | 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    let texts = body.iter().all(|(name, value)| {
        let text = value.as_str().unwrap_or_default();
        ["error", "error_description", "error_uri"].contains(&&**name) && !text.is_empty() && text.bytes().all(legal)
    });
    (!texts || !body.contains_key("error")).then_some("the error body breaks RFC 6749 section 5.2")
}

/// Whether an answer is for people.
pub(crate) fn is_page(reply: &Reply) -> bool {
    reply.header("content-type").starts_with("text/html")
}

fn problem_of_page(reply: &Reply) -> Option<&'static str> {
    let policy = reply.header("content-security-policy");
    if reply.header("cache-control") != "no-store" || reply.header("referrer-policy") != "no-referrer" {
        return Some("a page is kept, or told of");
    }
    if reply.header("x-frame-options") != "DENY" || !policy.contains("frame-ancestors 'none'") {
        return Some("a page can be framed");
    }
    if !policy.starts_with("default-src 'none'; ") || policy.contains("script-src") || reply.html().contains("<script")
    {
        return Some("a page can run or load something");
    }
    (reply.title().is_empty() || reply.body.len() > 10 * 1024).then_some("a page has no title or is too long")
}

/// A `WWW-Authenticate` value taken apart: its scheme and its parameters, in their order. Nothing if it is malformed.
#[must_use]
pub fn challenge(value: &str) -> Option<(String, Vec<(String, String)>)> {
    let (scheme, mut rest) = value.split_once(' ')?;
    let mut parameters = Vec::new();
    loop {
        let (name, after) = rest.split_once("=\"")?;
        let (text, after) = after.split_once('"')?;
        let token = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !token || text.contains('\\') || text.bytes().any(|byte| byte.is_ascii_control()) {
            return None;
        }
        parameters.push((name.to_owned(), text.to_owned()));
        if after.is_empty() {
            return Some((scheme.to_owned(), parameters));
        }
        rest = after.strip_prefix(", ")?;
    }
}
