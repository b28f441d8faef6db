//! Proof Key for Code Exchange (RFC 7636): S256 for everybody, and nothing else.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proofkey::EventKind;
use proofkey_tests::{CHALLENGE, REDIRECT_URI, Reply, Rows, SERVICE_URI, VERIFIER, World};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

fn challenge_of(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

fn invalid_request() -> (u16, String) {
    (400, "invalid_request".to_owned())
}

fn invalid_grant() -> (u16, String) {
    (400, "invalid_grant".to_owned())
}

fn description(reply: &Reply) -> String {
    reply.text("error_description")
}

#[test]
fn the_example_of_the_rfc_works_for_public_and_confidential_clients() {
    let _rows = proofkey_conformance::shows(&["rfc7636-4.2-2", "rfc9700-2.1.1-1"]);
    assert_eq!(challenge_of(VERIFIER), CHALLENGE);
    let world = World::new();
    assert_eq!(world.redeem(&world.code()).status, 200);
    let code = world.code_with(&json!({"client_id": "service", "redirect_uri": SERVICE_URI}));
    assert_eq!(world.redeem_as("service", &code, &[("redirect_uri", SERVICE_URI)]).status, 200);
}

#[test]
fn a_verifier_is_43_to_128_unreserved_characters() {
    let _rows = proofkey_conformance::shows(&["rfc7636-4.1-1"]);
    let world = World::new();
    let attempt = |verifier: &str| {
        let code = world.code_with(&json!({"code_challenge": challenge_of(verifier)}));
        world.redeem_with(&code, &[("code_verifier", verifier)])
    };
    let (longest, rare) = ("v".repeat(128), "-._~".repeat(11));
    for good in [&"v".repeat(43), &longest, &rare] {
        assert_eq!(attempt(good).status, 200, "{good}");
    }
    let mut bad = vec!["v".repeat(42), "v".repeat(129), "v".repeat(5000)];
    bad.extend(["=", "+", "/", " ", "é", "\0", "%"].map(|odd| format!("{}{odd}", "v".repeat(43))));
    for bad in bad {
        let reply = attempt(&bad);
        assert_eq!(reply.outcome(), invalid_grant(), "{bad:?}");
        assert!(description(&reply).contains("43 to 128"), "{reply:?}");
    }
}

#[test]
fn a_challenge_is_a_digest_in_base64url_without_padding() {
    let _rows = proofkey_conformance::shows(&["rfc7636-4.2-1"]);
    let world = World::new();
    let bad = [
        CHALLENGE[..42].to_owned(),
        format!("{CHALLENGE}A"),
        format!("{CHALLENGE}="),
        "A".repeat(129),
        CHALLENGE.replace('-', "+"),
        format!("{}é", &CHALLENGE[..42]),
        format!("{} ", &CHALLENGE[..42]),
        // Bits beyond the digest: a second text for the same challenge.
        format!("{}N", &CHALLENGE[..42]),
    ];
    for bad in bad {
        let reply = world.authorize(&json!({ "code_challenge": bad }));
        assert_eq!(reply.outcome(), invalid_request(), "{bad}");
        assert!(!reply.headers.contains_key("location"));
    }
}

#[test]
fn a_method_that_is_missing_means_plain_and_plain_does_not_exist() {
    let _rows = proofkey_conformance::shows(&["rfc7636-4.3-1", "rfc7636-4.4.1-2"]);
    let world = World::new();
    for method in [Value::Null, json!(""), json!("plain"), json!("PLAIN"), json!("S512"), json!("s256"), json!("S256 ")]
    {
        let reply = world.authorize(&json!({ "code_challenge_method": method }));
        assert_eq!(reply.outcome(), invalid_request(), "{method}");
    }
}

#[test]
fn no_client_gets_a_code_without_a_challenge_and_nothing_is_stored_for_it() {
    let _rows =
        proofkey_conformance::shows(&["rfc7636-4.4.1-1", "rfc9700-2.1.1-3", "oauth21-4.1.1-1", "oauth21-4.1.3-1"]);
    let rows = Arc::new(Rows::default());
    let world = World::over(rows.clone(), |builder| builder);
    let clients =
        [("web", REDIRECT_URI), ("modern", REDIRECT_URI), ("service", SERVICE_URI), ("native", "com.example.app:/cb")];
    for (client, uri) in clients {
        for extra in [json!({}), json!({"nonce": "n-0S6_WzA2Mj"}), json!({"code_challenge_method": null})] {
            for challenge in [Value::Null, json!("")] {
                let mut changes = json!({"client_id": client, "redirect_uri": uri, "code_challenge": challenge});
                changes.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
                let reply = world.authorize(&changes);
                assert_eq!(reply.outcome(), invalid_request(), "{changes}");
                assert!(rows.is_empty(), "{changes}");
            }
        }
    }
}

#[test]
fn the_description_says_what_is_wrong_with_the_challenge() {
    let _rows = proofkey_conformance::shows(&["rfc7636-4.4.1-3"]);
    let world = World::new();
    let missing = world.authorize(&json!({"code_challenge": null}));
    assert_eq!(description(&missing), "code_challenge is missing");
    let unsupported = world.authorize(&json!({"code_challenge_method": "plain"}));
    assert_eq!(description(&unsupported), "code_challenge_method must be S256");
}

#[test]
fn each_code_works_with_the_verifier_of_its_own_request_only() {
    let _rows = proofkey_conformance::shows(&["rfc7636-4.4-1"]);
    let world = World::new();
    let verifiers = ["first-".repeat(9), "second-".repeat(9)];
    let codes = verifiers.clone().map(|verifier| world.code_with(&json!({"code_challenge": challenge_of(&verifier)})));
    for (code, verifier) in [(&codes[0], &verifiers[1]), (&codes[1], &verifiers[0])] {
        assert_eq!(world.redeem_with(code, &[("code_verifier", verifier)]).outcome(), invalid_grant());
    }
    for (code, verifier) in codes.iter().zip(&verifiers) {
        assert_eq!(world.redeem_with(code, &[("code_verifier", verifier)]).status, 200);
    }
}

#[test]
fn nothing_that_is_sent_out_shows_the_challenge_or_the_verifier() {
    let _rows = proofkey_conformance::shows(&["rfc7636-4.4-2"]);
    let world = World::new();
    let authorized = world.authorize(&Value::Null);
    let code = authorized.text("code");
    let tokens = world.redeem(&code);
    let digest = Sha256::digest(VERIFIER);
    for reply in [&authorized, &tokens] {
        let whole = format!("{:?} {}", reply.headers, String::from_utf8_lossy(&reply.body));
        assert!(!whole.contains(CHALLENGE) && !whole.contains(VERIFIER), "{whole}");
    }
    let decoded = URL_SAFE_NO_PAD.decode(code.trim_start_matches("pfk_code_")).unwrap();
    assert!(!decoded.windows(16).any(|window| digest.windows(16).any(|part| part == window)), "no part of the digest");
}

#[test]
fn the_method_of_the_authorization_request_counts_whatever_the_token_request_says() {
    let _rows = proofkey_conformance::shows(&["rfc7636-4.5-1"]);
    let world = World::new();
    let code = world.code();
    let plain = [("code_challenge_method", "plain"), ("code_verifier", CHALLENGE)];
    assert_eq!(world.redeem_with(&code, &plain).outcome(), invalid_grant());
    assert_eq!(world.redeem_with(&code, &[("code_verifier", CHALLENGE)]).outcome(), invalid_grant());
    assert_eq!(world.redeem_with(&code, &[("code_challenge_method", "plain")]).status, 200, "ignored");
}

#[test]
fn a_verifier_that_is_wrong_or_missing_gets_nothing_and_spends_nothing() {
    let _rows = proofkey_conformance::shows(&["rfc7636-4.6-1", "rfc9700-2.1.1-2"]);
    let world = World::new();
    let code = world.code();
    let mut near = VERIFIER.to_owned();
    near.replace_range(42.., "l");
    for wrong in [&near, &VERIFIER.to_lowercase(), &"W".repeat(43)] {
        let reply = world.redeem_with(&code, &[("code_verifier", wrong)]);
        assert_eq!(reply.outcome(), invalid_grant(), "{wrong}");
    }
    let missing = world.redeem_with(&code, &[("code_verifier", "")]);
    assert_eq!(missing.outcome(), invalid_grant());
    assert_eq!(description(&missing), "code_verifier is missing");
    assert_eq!(world.redeem(&code).status, 200);
    let code = world.code_with(&json!({"client_id": "service", "redirect_uri": SERVICE_URI}));
    let uri = ("redirect_uri", SERVICE_URI);
    assert_eq!(world.redeem_as("service", &code, &[uri, ("code_verifier", "")]).outcome(), invalid_grant());
    assert_eq!(world.redeem_as("service", &code, &[uri]).status, 200);
}

#[test]
fn a_right_verifier_replaces_no_other_check() {
    let _rows = proofkey_conformance::shows(&["rfc7636-4.6-2"]);
    let world = World::new();
    let code = world.code();
    assert_eq!(world.redeem_with(&code, &[("client_id", "other")]).outcome(), invalid_grant());
    assert_eq!(world.redeem_with(&code, &[("redirect_uri", "https://app.example/x")]).outcome(), invalid_grant());
    assert_eq!(world.redeem(&code).status, 200);
    let code = world.code();
    world.wait(61);
    assert_eq!(world.redeem(&code).outcome(), invalid_grant());
}

#[test]
fn s256_is_all_that_is_offered_and_no_setting_changes_that() {
    let _rows = proofkey_conformance::shows(&["rfc7636-7.2-1", "rfc9700-2.1.1-4"]);
    let world = World::new();
    let metadata = world.get_plain("/.well-known/oauth-authorization-server/auth").json();
    assert_eq!(metadata["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(world.authorize(&json!({"code_challenge_method": "plain"})).outcome(), invalid_request());
    for setting in proofkey::core::SETTINGS {
        let told = format!("{} {}", setting.name(), setting.range());
        assert!(!["pkce", "plain", "challenge_method"].iter().any(|word| told.contains(word)), "{told}");
    }
}

#[test]
fn one_challenge_over_many_requests_of_a_client_is_noticed() {
    let _rows = proofkey_conformance::shows(&["rfc9700-2.1.1-5"]);
    let world = World::new();
    let reused = |world: &World, changes: &Value| {
        world.take_events();
        assert_eq!(world.authorize(changes).status, 200);
        world.take_events().contains(&EventKind::ChallengeReused)
    };
    assert!(!reused(&world, &Value::Null));
    assert!(reused(&world, &Value::Null));
    assert!(!reused(&world, &json!({"code_challenge": challenge_of(&"another".repeat(7))})));
    assert!(!reused(&world, &json!({"client_id": "modern"})), "each client for itself");
    world.wait(3601);
    assert!(!reused(&world, &Value::Null), "remembered for an hour");
}

#[test]
fn a_pair_of_the_challenge_endpoint_is_a_good_one() {
    let world = World::new();
    let pair = world.json("/auth/challenge", &json!({}));
    assert_eq!(challenge_of(&pair.text("code_verifier")), pair.text("code_challenge"));
    let code = world.code_with(&json!({"code_challenge": pair.text("code_challenge"), "state": pair.text("state")}));
    assert_eq!(world.redeem_with(&code, &[("code_verifier", &pair.text("code_verifier"))]).status, 200);
}

/// A wall clock shows nothing reliable about a comparison of 32 bytes; this is the review of it, kept.
#[test]
fn verifiers_are_compared_as_digests_in_constant_time() {
    let _rows = proofkey_conformance::shows(&["rfc7636-7.1-1"]);
    let source = include_str!("../../core/src/pkce.rs");
    let (_, verify) = source.split_once("pub(crate) fn verify(").unwrap();
    let (verify, _) = verify.split_once("\n    }").unwrap();
    assert!(verify.contains("Self::of(verifier).0.ct_eq(&self.0)"), "two digests, by subtle: {verify}");
    assert!(!verify.contains("=="), "{verify}");
    assert!(!source.contains("PartialEq)]\npub(crate) struct Challenge"), "a challenge cannot be compared otherwise");
}
