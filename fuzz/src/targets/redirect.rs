//! Redirect URIs: what can be registered, and what a request may then name (invariant I23).

use http::Uri;
use proofkey_core::fuzzing::form_target;
use proofkey_core::{ApplicationType, RedirectUri};

use crate::source::lines;

pub(super) fn target(bytes: &[u8]) {
    let [registered, requested] = lines(bytes).map(String::from_utf8_lossy);
    let [native, web] =
        [ApplicationType::Native, ApplicationType::Web].map(|kind| RedirectUri::parse(&registered, kind));
    if let Ok(web) = &web {
        assert!(registered.starts_with("https://"), "a web client is called back over https");
        let native = native.as_ref().unwrap_or_else(|error| panic!("a native client may have it: {error}"));
        assert_eq!(web.origin(), native.origin());
    }
    for (kind, uri) in [(ApplicationType::Native, native), (ApplicationType::Web, web)] {
        let Ok(uri) = uri else { continue };
        assert_registrable(&uri, &registered);
        assert!(uri.matches(&registered), "what is registered may be named");
        if uri.matches(&requested) && requested != registered {
            assert_eq!(kind, ApplicationType::Native);
            assert_port_alone_differs(&registered, &requested);
            let back = RedirectUri::parse(&requested, kind).unwrap_or_else(|error| panic!("{error}"));
            assert!(back.matches(&registered), "whichever was registered");
        }
    }
}

fn assert_registrable(uri: &RedirectUri, text: &str) {
    assert_eq!(uri.as_str(), text);
    assert!(text.len() <= 2048 && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"#*\"<>\\".contains(&byte)));
    let (scheme, rest) = text.split_once(':').unwrap_or_default();
    if !matches!(scheme, "http" | "https") {
        assert!(scheme.contains('.') && rest.starts_with('/') && uri.origin().is_none());
        return;
    }
    // Browsers and servers read the same host out of it.
    let parsed: Uri = text.parse().unwrap_or_else(|error| panic!("{text} is no URI: {error}"));
    let authority = parsed.authority().unwrap_or_else(|| panic!("{text} has an authority"));
    assert!(!authority.as_str().contains('@') && rest.starts_with(&format!("//{authority}/")), "{text}");
    let host = authority.host();
    let name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_host = literal.map_or_else(|| host.bytes().all(name), |host| host.parse::<std::net::Ipv6Addr>().is_ok());
    assert!(is_host && !host.is_empty(), "{host:?} is no host");
    assert!(scheme == "https" || matches!(host, "127.0.0.1" | "[::1]" | "localhost"));
    let origin = uri.origin().unwrap_or_else(|| panic!("{text} has an origin"));
    let again = RedirectUri::parse(&format!("{origin}/"), ApplicationType::Native);
    assert_eq!(again.ok().and_then(|again| again.origin()), Some(origin), "an origin is its own");
    assert!(form_target(text).bytes().all(|byte| !b" ;,'\"".contains(&byte)), "a source of a policy");
}

/// RFC 8252 section 7.3.
fn assert_port_alone_differs(registered: &str, requested: &str) {
    let [one, other] = [registered, requested].map(|text| {
        let uri: Uri = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(uri.scheme_str(), Some("http"));
        let host = uri.host().unwrap_or_default().to_owned();
        assert!(["127.0.0.1", "[::1]", "localhost"].contains(&&*host), "{host}");
        let after = text.get(7..).and_then(|rest| rest.find('/').and_then(|at| rest.get(at..))).unwrap_or_default();
        (host, after.to_owned())
    });
    assert_eq!(one, other, "all but the port is the same");
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    super::texts(&[
        "https://app.example/cb\nhttps://app.example/cb",
        "https://app.example:8443/cb?tenant=7\nhttps://app.example/cb",
        "http://127.0.0.1/cb\nhttp://127.0.0.1:51004/cb",
        "http://[::1]:8080/cb?x=y\nhttp://[::1]/cb?x=y",
        "http://localhost:1/\nhttp://localhost:65535/",
        "com.example.app:/cb\ncom.example.app:/cb/",
        "https://a@b/cb\nhttps://a%2fb/",
        "https://A.example:443/\nhttps://[2001:db8::1]:443/x",
        "https://a_b.example/\nhttps://xn--caf-dma.example/",
        "http://127.0.0.1:/cb\nhttp://127.0.0.1:0/cb",
        "https:///cb\nhttps://app.example",
    ])
}
