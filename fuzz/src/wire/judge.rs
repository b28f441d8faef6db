//! What every answer is, whatever was asked (invariants I20, I23, I24, I25).

use http::Method;
use proofkey_core::fuzzing::form;
use proofkey_core::{ApplicationType, RedirectUri};
use proofkey_tests::{ISSUER, PASSWORD, Reply, assert_well_formed, clients};

use super::{Draft, Driven, MARK};
use crate::held::Start;
use crate::html::assert_page;

/// Every status that an answer can have; 500 is for a host that does not keep its own contract.
const STATUSES: [u16; 12] = [200, 204, 303, 400, 401, 403, 404, 405, 413, 429, 500, 503];

/// Checks an answer, and returns it. `shown`: whether a page may show what should not have been sent in its place.
pub(crate) fn judge(start: &Start, draft: &Draft, shown: bool, driven: Driven) -> Reply {
    let Driven { response, events, faulted } = driven;
    let reply = Reply::from(response);
    let status = reply.status.as_u16();
    assert!(STATUSES.contains(&status), "{status}");
    assert!(status < 500 || faulted, "a failure of nobody: {reply:?} {events:?}");
    for (name, value) in &reply.headers {
        assert!(value.as_bytes().iter().all(|byte| (0x20..=0x7e).contains(byte)), "{name}: {value:?}");
    }
    let html = reply.header("content-type").starts_with("text/html");
    if draft.method == Method::HEAD {
        assert!(reply.body.is_empty(), "HEAD has no body");
    } else if status == 503 && &reply.body[..] == b"{\"status\":\"unhealthy\"}" {
        assert_eq!(draft.path, "/health", "the one error that is not of OAuth");
    } else {
        assert_well_formed(&reply, &draft.path);
        if html {
            assert_page(&reply.html());
        }
    }
    assert_secrets_kept(start, &reply, shown, &events);
    assert_cookies(&reply);
    assert_shared(&reply);
    if status == 303 {
        assert_location(draft, &reply);
    } else {
        assert!(reply.header("location").is_empty(), "a redirect is a 303");
    }
    if !shown && (status >= 400 || html) {
        assert!(!reply.body.windows(4).any(|four| four == b"pfk_"), "no token in an error or a page: {reply:?}");
    }
    if reply.body.windows(14).any(|piece| piece == b"\"access_token\"") {
        assert_eq!((status, reply.header("cache-control")), (200, "no-store"), "tokens are never kept");
    }
    reply
}

fn assert_secrets_kept(start: &Start, reply: &Reply, shown: bool, events: &[proofkey_core::Event]) {
    let told = format!("{events:?}");
    let headers: String =
        reply.headers.iter().map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap_or_default())).collect();
    // A client gets its state back, whatever it is.
    let location = reply.header("location");
    let state = location.split(['?', '&']).find(|pair| pair.starts_with("state=")).unwrap_or("state=").to_owned();
    for secret in start.secrets.iter().map(String::as_str).chain([MARK]) {
        assert!(!told.contains(secret), "an event holds a secret: {told}");
        assert!(!headers.replace(&state, "").contains(secret), "a header holds a secret: {headers}");
    }
    let body = String::from_utf8_lossy(&reply.body);
    assert!(shown || !body.contains(MARK) && !body.contains(PASSWORD), "a body holds a secret: {body}");
    for event in events {
        let texts = [event.client_id(), event.concerned_subject(), event.grant_id(), event.private_detail()];
        for text in texts.into_iter().flatten() {
            assert!(!text.contains(char::is_control) && text.chars().count() <= 255, "a line of the log: {text:?}");
        }
    }
}

fn assert_cookies(reply: &Reply) {
    let mut names = Vec::new();
    for line in reply.headers.get_all("set-cookie") {
        let line = line.to_str().unwrap_or_default();
        let mut parts = line.split("; ");
        let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).unwrap_or_default();
        assert!(["__Secure-proofkey", "__Secure-proofkey-browser"].contains(&name), "{line}");
        assert!(value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{line}");
        let attributes: Vec<&str> = parts.collect();
        for wanted in ["Secure", "HttpOnly", "SameSite=Lax"] {
            assert_eq!(attributes.iter().filter(|one| **one == wanted).count(), 1, "{line}");
        }
        assert!(!names.contains(&name), "{name} is set twice");
        names.push(name);
    }
}

/// Only pages of registered origins read an answer that is not for everybody.
fn assert_shared(reply: &Reply) {
    let origin = reply.header("access-control-allow-origin");
    if origin.is_empty() || origin == "*" {
        return;
    }
    let known = registered().any(|uri| uri.origin().as_deref() == Some(origin));
    assert!(known && reply.header("access-control-allow-credentials").is_empty(), "shared with {origin}");
}

/// The redirect URIs of all clients; that of the stored one is among them.
fn registered() -> impl Iterator<Item = RedirectUri> {
    clients().into_iter().flat_map(|client| {
        let kind = if client.is_native() { ApplicationType::Native } else { ApplicationType::Web };
        client.redirect_uris().iter().filter_map(|uri| RedirectUri::parse(uri, kind).ok()).collect::<Vec<_>>()
    })
}

/// A redirect leads to our own pages, or to a registered URI with what RFC 6749 section 4.1.2 adds.
fn assert_location(draft: &Draft, reply: &Reply) {
    let location = reply.header("location");
    let own = ["https://as.example/auth/", "https://as.example/signin", "/signin?request="];
    if own.iter().any(|own| location.starts_with(own)) {
        return;
    }
    let ends = location.match_indices(['?', '&']).map(|(at, _)| at);
    let mut added = ends.filter_map(|at| {
        let (uri, rest) = location.split_at(at);
        registered().any(|one| one.matches(uri)).then_some(rest.get(1..).unwrap_or_default())
    });
    let added = added.next_back().unwrap_or_else(|| panic!("a redirect to nobody's URI: {location}"));
    let added = form(added.as_bytes(), 16).unwrap_or_else(|| panic!("parameters: {location}"));
    let names: Vec<&str> = added.iter().map(|(name, _)| name.as_str()).collect();
    let expected = ["code", "error", "error_description", "state", "iss"];
    assert!(names.iter().all(|name| expected.contains(name)), "{location}");
    let value = |name: &str| added.iter().find(|(one, _)| one == name).map(|(_, value)| value.as_str());
    assert_eq!(value("iss"), Some(ISSUER), "RFC 9207: {location}");
    assert!(value("code").is_some() != value("error").is_some(), "{location}");
    if draft.path == "/auth/authorize" && draft.method == Method::GET {
        let mut states = draft.query.iter().filter(|(name, _)| name == "state").map(|(_, state)| state.as_str());
        let state = states.next().filter(|state| !state.is_empty() && states.next().is_none());
        assert_eq!(value("state"), state, "state comes back as it was sent: {location}");
    }
}
