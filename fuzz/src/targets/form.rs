//! Form bodies and queries: a second, naive reader agrees about every byte, and what was read can be written and read
//! again.

use proofkey_core::fuzzing::form;
use proofkey_tests::encode;

const MOST: usize = 64;

pub(super) fn target(bytes: &[u8]) {
    let read = form(bytes, MOST);
    assert_eq!(read, naive(bytes), "two readers of a form");
    let Some(pairs) = read else { return };
    assert!(pairs.len() <= MOST);
    let borrowed: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(form(encode(&borrowed).as_bytes(), MOST).as_ref(), Some(&pairs), "written and read again");
}

/// RFC 6749 appendix B, word by word.
fn naive(bytes: &[u8]) -> Option<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    for pair in bytes.split(|byte| *byte == b'&') {
        if pair.is_empty() {
            continue;
        }
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let (name, value) = (halves.next()?, halves.next().unwrap_or_default());
        pairs.push((unescaped(name)?, unescaped(value)?));
    }
    (pairs.len() <= MOST).then_some(pairs)
}

fn unescaped(mut text: &[u8]) -> Option<String> {
    let mut bytes = Vec::new();
    while let Some((first, rest)) = text.split_first() {
        text = rest;
        bytes.push(match first {
            b'+' => b' ',
            b'%' => {
                let digits = text.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
                text = &text[2..];
                u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?
            }
            byte => *byte,
        });
    }
    String::from_utf8(bytes).ok()
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    super::texts(&[
        "grant_type=authorization_code&code=a%20b+c&redirect_uri=https%3A%2F%2Fapp.example%2Fcb",
        "&&a=&=b&c&%C3%A9=%e2%82%ac",
        "a=%",
        "a=%zz",
        "a=%+1",
        "a=%ff",
        "a=b=c",
        &"a&".repeat(64),
        &"a&".repeat(65),
    ])
}
