//! A page as a response: never cached, never framed, nothing loaded, forms sent to known places only.

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, PRAGMA, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use http::{HeaderValue, StatusCode};

use super::Theme;
use crate::reply::{Response, insert};

/// The headers that are the same for every page.
const HEADERS: [(HeaderName, HeaderValue); 7] = [
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ),
    (PRAGMA, HeaderValue::from_static("no-cache")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
];

/// A page as a response. `form_targets` are the origins or schemes that a form's redirect may lead to: browsers hold
/// `form-action` against redirects too. One that is no source of a policy is left out.
pub(crate) fn respond(status: StatusCode, theme: &Theme, html: String, form_targets: &[String]) -> Response {
    let mut response = Response::new(Bytes::from(html));
    *response.status_mut() = status;
    response.headers_mut().extend(HEADERS);
    let mut policy = theme.policy().to_owned();
    for target in form_targets.iter().filter(|target| is_source(target)) {
        policy.push(' ');
        policy.push_str(target);
    }
    insert(&mut response, CONTENT_SECURITY_POLICY, &policy);
    response
}

/// An origin (`https://app.example`, `http://127.0.0.1:*`, `http://[::1]:8000`) or a scheme (`com.example.app:`).
fn is_source(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let mut letters = scheme.bytes();
    let is_scheme = letters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && letters.all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let is_host = |host: &str| {
        !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]*".contains(&byte))
    };
    is_scheme && (rest.is_empty() || rest.strip_prefix("//").is_some_and(is_host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(targets: &[&str]) -> String {
        let theme = Theme::new("Shop", None, Theme::DEFAULT_COLOUR).unwrap();
        let targets: Vec<String> = targets.iter().map(|target| (*target).to_owned()).collect();
        let response = respond(StatusCode::OK, &theme, String::new(), &targets);
        response.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned()
    }

    #[test]
    fn a_page_is_never_kept_framed_or_sniffed_and_tells_nobody_where_it_was() {
        let theme = Theme::new("Shop", None, Theme::DEFAULT_COLOUR).unwrap();
        let response = respond(StatusCode::FORBIDDEN, &theme, "<p>".to_owned(), &[]);
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        for (name, value) in [
            ("content-type", "text/html; charset=utf-8"),
            ("cache-control", "no-store"),
            ("pragma", "no-cache"),
            ("x-frame-options", "DENY"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
        ] {
            assert_eq!(response.headers()[name], value);
            assert_eq!(response.headers().get_all(name).iter().count(), 1, "{name}");
        }
        assert!(response.headers().contains_key("permissions-policy"));
        // An application that signs people in in a popup hears from its own callback page there, through its opener.
        assert!(!response.headers().contains_key("cross-origin-opener-policy"));
        assert_eq!(&response.body()[..], b"<p>");
    }

    #[test]
    fn the_policy_allows_one_style_sheet_and_forms_to_known_places() {
        let alone = policy(&[]);
        assert!(alone.starts_with("default-src 'none'; style-src 'sha256-"), "{alone}");
        assert!(alone.ends_with("='; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"), "{alone}");
        assert!(!alone.contains("unsafe") && !alone.contains("script-src"), "{alone}");
        let targets = [
            "https://app.example",
            "https://my_app.example",
            "http://127.0.0.1:*",
            "http://[::1]:8000",
            "com.example.app:",
        ];
        assert_eq!(policy(&targets), format!("{alone} {}", targets.join(" ")));
    }

    #[test]
    fn a_target_cannot_bring_a_directive_or_a_header() {
        let alone = policy(&[]);
        for bad in [
            "",
            "app.example",
            "*",
            "'unsafe-inline'",
            "https://a;script-src *",
            "https://a, default-src *",
            "https://a b",
            "https://a\r\nset-cookie: b=c",
            "https://",
            "https://a/b",
            "1a:",
            ":",
            "https://\u{e9}.example",
        ] {
            assert_eq!(policy(&[bad]), alone, "{bad:?}");
        }
    }
}
