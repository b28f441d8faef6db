//! Cookies: what is read stands in the header, and what nobody made signs nobody in.

use http::HeaderValue;
use http::header::COOKIE;
use proofkey_core::{Core, Request};

use crate::held::start;
use crate::source::Source;

const NAMES: [&str; 2] = ["__Secure-proofkey-browser", "__Secure-proofkey"];

pub(super) fn target(bytes: &[u8]) {
    let start = start();
    let mut choices = Source::new(bytes);
    let planted = choices.below(2) == 1;
    let junk = choices.rest();
    let mut lines: Vec<Vec<u8>> = junk.split(|byte| *byte == b'\n').take(8).map(<[u8]>::to_vec).collect();
    if planted {
        lines.push(start.held.opened.cookies.clone().into_bytes());
    }
    let mut request = http::Request::new(bytes::Bytes::new());
    for line in lines {
        if let Ok(line) = HeaderValue::from_bytes(&line) {
            request.headers_mut().append(COOKIE, line);
        }
    }
    let core: &Core = &start.cores[0];
    let read = core.cookies(&Request::new(request.clone(), None));
    for (name, values) in NAMES.into_iter().zip(&read) {
        assert_eq!(*values, naive(&request, name), "{name}");
    }
    if planted {
        let own = start.held.opened.cookies.split("; ").filter_map(|pair| pair.split_once('='));
        for (name, value) in own {
            let at = NAMES.iter().position(|one| *one == name).unwrap_or_default();
            assert!(read[at].len() == 8 || read[at].iter().any(|one| one == value), "{name} is found");
        }
    }
}

/// RFC 6265 section 4.2.1, as far as a server that trusts no cookie needs it.
fn naive(request: &http::Request<bytes::Bytes>, name: &str) -> Vec<String> {
    let mut values = Vec::new();
    for line in request.headers().get_all(COOKIE) {
        let Ok(line) = line.to_str() else { continue };
        for pair in line.split(';') {
            let pair = pair.trim();
            if let Some(value) = pair.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')) {
                values.push(value.to_owned());
            }
        }
    }
    values.truncate(8);
    values
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    super::texts(&[
        "\x01",
        "\x01__Secure-proofkey=x; __Secure-proofkey-browser=y",
        "\0a=b;__Secure-proofkey=c=d;;  __Secure-proofkey = e\n__Secure-proofkey-browser=\"q\"",
        &format!("\x01{}", "__Secure-proofkey=x; ".repeat(9)),
        "\0__Secure-proofkey\n=; =x; \u{e9}=1",
    ])
}
