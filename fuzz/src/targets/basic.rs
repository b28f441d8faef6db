//! `Authorization: Basic`: what is read can be written and read again; another scheme is never an error.

use proofkey_core::fuzzing::{Basic, basic};

pub(super) fn target(bytes: &[u8]) {
    let scheme = bytes.split(|byte| *byte == b' ').next().unwrap_or_default();
    let read = basic(bytes);
    assert_eq!(read == Basic::Other, !scheme.eq_ignore_ascii_case(b"basic"));
    if let Basic::Credentials(id, secret) = read {
        assert!(bytes.len() <= 4096);
        let written = proofkey_tests::basic(&id, &secret);
        // Escaped in full it may become three times as long.
        if written.len() <= 4096 {
            assert_eq!(basic(written.as_bytes()), Basic::Credentials(id, secret));
        }
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = super::texts(&[
        "Basic d2ViOnNlY3JldA==",
        "basic  d2ViOnNlY3JldA== ",
        "Basic d2ViOnNlY3JldA",
        "Basic OjpiJTNBJTI1",
        "Basic",
        "Basic Og==",
        "Bearer abc",
        "BASIC YSVmZjpi",
    ]);
    seeds.push(proofkey_tests::basic("web", &"s".repeat(4000)).into_bytes());
    seeds.push(proofkey_tests::basic("shop & sons", "p%+ ä:1").into_bytes());
    seeds
}
