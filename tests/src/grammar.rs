//! What every answer looks like, whatever was asked: the grammar of RFC 6749 sections 4.1.2.1 and 5.2, RFC 6750
//! section 3 and RFC 9110; pages have header fields of their own (docs/browser-flow.md).

use serde_json::Value;

use crate::Reply;

/// The type of a page.
const PAGE: &str = "text/html; charset=utf-8";

/// Checks that an answer is well formed: a page has all that keeps others out of it, any other error is an OAuth error
/// body with the header fields of its status, anything else is JSON or empty.
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
    if reply.header("content-type") == PAGE {
        return problem_of_page(reply);
    }
    if status < 400 {
        let readable = reply.body.is_empty() || serde_json::from_slice::<Value>(&reply.body).is_ok();
        return (!readable).then_some("the body is no JSON");
    }
    if reply.header("cache-control") != "no-store" || reply.header("content-type") != "application/json" {
        return Some("an error is JSON that is not stored");
    }
    if status == 401 && !has("www-authenticate") {
        return Some("401 without WWW-Authenticate");
    }
    if let Some(problem) = problem_of_status(reply) {
        return Some(problem);
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

fn problem_of_status(reply: &Reply) -> Option<&'static str> {
    match reply.status.as_u16() {
        405 if reply.header("allow").is_empty() => Some("405 without Allow"),
        429 if reply.header("retry-after").is_empty() => Some("429 without Retry-After"),
        _ => None,
    }
}

fn problem_of_page(reply: &Reply) -> Option<&'static str> {
    let required = [
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-frame-options", "DENY"),
        ("content-security-policy", "default-src 'none'"),
    ];
    if required.iter().any(|(name, value)| !reply.header(name).starts_with(value)) {
        return Some("a page lacks a header field that protects it");
    }
    let Ok(html) = str::from_utf8(&reply.body) else { return Some("a page is no UTF-8") };
    if !html.starts_with("<!DOCTYPE html>") || !html.trim_end().ends_with("</html>") {
        return Some("a page is cut off");
    }
    if html.contains("<script") {
        return Some("a page has a script");
    }
    problem_of_status(reply)
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
