//! PKCE: a challenge has one form and one method; its verifier fits and no other does (RFC 7636).

use proofkey_core::fuzzing::{challenge, challenge_of, verifies};

use crate::source::lines;

pub(super) fn target(bytes: &[u8]) {
    let [text, verifier] = lines(bytes);
    let text = String::from_utf8_lossy(text);
    for method in [None, Some("plain"), Some("s256"), Some("S256 "), Some("")] {
        assert_eq!(challenge(&text, method), None, "S256 alone: {method:?}");
    }
    if let Some(again) = challenge(&text, Some("S256")) {
        assert_eq!(again, text, "one form");
        assert!(again.len() == 43 && again.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
    }
    let legal = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    let well_formed = (43..=128).contains(&verifier.len()) && verifier.iter().all(legal);
    let own = challenge_of(verifier);
    assert_eq!(verifies(&own, verifier), well_formed.then_some(true), "RFC 7636 sections 4.1 and 4.6");
    if well_formed {
        let other = verifies(&text, verifier);
        assert_eq!(other, challenge(&text, Some("S256")).map(|text| text == own));
        for at in 0..verifier.len() {
            let mut changed = verifier.to_vec();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(verifies(&own, &changed), Some(false), "changed at {at}");
        }
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let (challenge, verifier) = (proofkey_tests::CHALLENGE, proofkey_tests::VERIFIER);
    super::texts(&[
        &format!("{challenge}\n{verifier}"),
        &format!("{challenge}=\n{}", "~".repeat(128)),
        &format!("{}\n{}", "A".repeat(43), "a".repeat(42)),
        &format!("{}\n{}", "B".repeat(43), "a".repeat(129)),
        &format!("{}+\n{} ", "A".repeat(42), "a".repeat(43)),
    ])
}
