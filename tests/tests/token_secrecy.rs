//! Codes and tokens cannot be read from the store, made, changed or guessed (RFC 6749 sections 10.3, 10.4 and 10.10).

use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proofkey::ClientSecret;
use proofkey_tests::{Rows, SignedIn, World};
use serde_json::json;

fn sign_in(world: &World) -> (String, SignedIn) {
    let code = world.code_with(&json!({"client_id": "portal"}));
    let tokens = SignedIn::of(&world.redeem_as("portal", &code, &[]));
    (code, tokens)
}

/// Prefix and the 48 bytes: id, generation, secret, check.
fn parts(token: &str) -> (&str, Vec<u8>) {
    let (prefix, encoded) = token.split_at(token.len() - 64);
    (prefix, URL_SAFE_NO_PAD.decode(encoded).unwrap())
}

fn secret_part(token: &str) -> Vec<u8> {
    parts(token).1[20..40].to_vec()
}

#[test]
fn the_store_holds_no_code_or_token_in_any_readable_form() {
    let _rows = proofkey_conformance::shows(&["rfc6749-10.3-1", "rfc6749-10.4-1"]);
    let rows = Arc::new(Rows::default());
    let world = World::over(rows.clone(), |builder| builder);
    let unspent = world.code_with(&json!({"client_id": "portal"}));
    let (spent, tokens) = sign_in(&world);
    let fields = [("grant_type", "refresh_token"), ("refresh_token", &*tokens.refresh)];
    let next = SignedIn::of(&world.form_as("portal", "/auth/token", &fields));
    let mut dump = Vec::new();
    for (key, record) in rows.all() {
        dump.extend_from_slice(key.as_str().as_bytes());
        dump.extend_from_slice(record.version().as_str().as_bytes());
        dump.extend_from_slice(record.body());
    }
    let holds = |needle: &[u8]| dump.windows(needle.len()).any(|window| window == needle);
    assert!(rows.all().iter().all(|(key, _)| holds(key.as_str().as_bytes())), "the search finds what is there");
    for token in [unspent, spent, tokens.access, tokens.refresh, next.access, next.refresh] {
        let secret = secret_part(&token);
        let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        let forms = [
            token.clone().into_bytes(),
            token.as_bytes()[token.len() - 40..].to_vec(),
            parts(&token).1,
            STANDARD.encode(&secret).into_bytes(),
            URL_SAFE_NO_PAD.encode(&secret).into_bytes(),
            hex.to_uppercase().into_bytes(),
            hex.into_bytes(),
            secret,
        ];
        for form in forms {
            assert!(!holds(&form), "{token}");
        }
    }
}

/// The token with each single bit of its 48 bytes flipped.
fn flipped(token: &str) -> impl Iterator<Item = String> {
    let (prefix, bytes) = parts(token);
    let prefix = prefix.to_owned();
    (0..bytes.len() * 8).map(move |bit| {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        format!("{prefix}{}", URL_SAFE_NO_PAD.encode(changed))
    })
}

#[test]
fn an_access_token_with_any_bit_changed_is_worth_nothing() {
    let _rows = proofkey_conformance::shows(&["rfc6749-10.3-2"]);
    let world = World::new();
    let (_, tokens) = sign_in(&world);
    let is_active = |token: &str| world.introspect("portal", token).json();
    assert_eq!(is_active(&tokens.access)["active"], true);
    let as_another_kind = tokens.access.replace("pfk_access_", "pfk_refresh_");
    let changed: Vec<String> = flipped(&tokens.access).chain([as_another_kind]).collect();
    assert_eq!(changed.len(), 385);
    for token in &changed {
        assert_eq!(is_active(token), json!({"active": false}), "{token}");
        assert_eq!(world.get("/auth/userinfo", token).outcome(), (401, "invalid_token".to_owned()), "{token}");
    }
    assert!(world.works(&tokens.access));
}

#[test]
fn a_refresh_token_with_any_bit_changed_is_worth_nothing_and_harms_nothing() {
    let _rows = proofkey_conformance::shows(&["rfc6749-10.4-1"]);
    let world = World::new();
    let tokens = world.sign_in();
    for token in flipped(&tokens.refresh) {
        assert_eq!(world.refresh(&token).outcome(), (400, "invalid_grant".to_owned()), "{token}");
    }
    assert_eq!(world.refresh(&tokens.refresh).status, 200);
}

#[test]
fn every_secret_value_has_at_least_160_random_bits_and_they_come_from_the_seed_alone() {
    let _rows = proofkey_conformance::shows(&["rfc6749-10.10-1", "rfc6749-10.10-2"]);
    let values = |seed: u64| -> Vec<Vec<u8>> {
        let world = World::with(|builder| builder.seed(seed));
        let code = world.code();
        let tokens = SignedIn::of(&world.redeem(&code));
        let next = SignedIn::of(&world.refresh(&tokens.refresh));
        let pair = world.json("/auth/challenge", &json!({}));
        let verifier = URL_SAFE_NO_PAD.decode(pair.text("code_verifier")).unwrap();
        let secrets = [code, tokens.access, tokens.refresh, next.access, next.refresh].map(|token| secret_part(&token));
        secrets.into_iter().chain([verifier]).collect()
    };
    assert_eq!(values(1), values(1), "a fixed seed, fixed values");
    let runs: Vec<Vec<Vec<u8>>> = (0..64).map(values).collect();
    for kind in 0..6 {
        let drawn: Vec<&Vec<u8>> = runs.iter().map(|run| &run[kind]).collect();
        assert!(drawn.iter().all(|value| value.len() >= 20));
        assert_eq!(drawn.iter().collect::<BTreeSet<_>>().len(), drawn.len(), "none twice");
        // No byte is fixed or nearly so: 64 draws of a random byte have some 57 values, and fewer than 40 never.
        for at in 0..20 {
            let seen: BTreeSet<u8> = drawn.iter().map(|value| value[at]).collect();
            assert!(seen.len() >= 40, "byte {at} of value {kind} has {} values", seen.len());
        }
    }
    let (_, secret) = ClientSecret::generate([7; 32]);
    let text = secret.expose_text().unwrap().trim_start_matches("pfk_secret_");
    assert_eq!(URL_SAFE_NO_PAD.decode(text).unwrap(), [7; 32], "a client secret is all 32 bytes that were drawn");
}
