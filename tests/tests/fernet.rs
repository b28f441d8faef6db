//! Fernet, against its specification and against what other implementations make of the same bytes.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use hmac::{Hmac, KeyInit as _, Mac as _};
use proofkey::Secret;
use proofkey::core::{FernetKey, FernetRing, InvalidFernetToken, UnixTime};
use serde_json::Value;
use sha2::Sha256;

const KEY: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
const OTHER: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const IV: [u8; 16] = *b"0123456789abcdef";
const NOW: UnixTime = UnixTime::from_seconds(1_700_000_000);
const TTL: Option<Duration> = Some(Duration::from_secs(60));

fn key(text: &str) -> FernetKey {
    FernetKey::parse(text).unwrap()
}

fn open(token: &str) -> Result<Secret, InvalidFernetToken> {
    key(KEY).decrypt(token, TTL, NOW)
}

/// The token with other bytes and a MAC that fits them.
fn resigned(token: &str, change: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut bytes = URL_SAFE.decode(token).unwrap();
    bytes.truncate(bytes.len() - 32);
    change(&mut bytes);
    let signing = &URL_SAFE.decode(KEY).unwrap()[..16];
    let tag = Hmac::<Sha256>::new_from_slice(signing).unwrap().chain_update(&bytes).finalize().into_bytes();
    bytes.extend(tag);
    URL_SAFE.encode(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_key_is_32_bytes_of_base64url_the_signing_half_first() {
    let _rows = proofkey_conformance::shows(&["fernet-key-1"]);
    let not_url_safe = STANDARD.encode(URL_SAFE.decode(KEY).unwrap());
    assert!(not_url_safe.contains(['+', '/']));
    for bad in [
        URL_SAFE.encode([7; 31]),
        URL_SAFE.encode([7; 33]),
        not_url_safe,
        format!(" {KEY}"),
        format!("{KEY}\n"),
        KEY.replacen('_', "_ ", 1),
        String::new(),
    ] {
        assert!(FernetKey::parse(&bad).is_err(), "{bad:?}");
    }
    let token = key(KEY).encrypt(b"hello", NOW, IV);
    assert_eq!(open(&token).unwrap().expose(), b"hello");
    let mut halves = URL_SAFE.decode(KEY).unwrap();
    halves.rotate_left(16);
    assert!(key(&URL_SAFE.encode(halves)).decrypt(&token, TTL, NOW).is_err());
}

#[test]
fn a_message_is_padded_to_the_next_block_and_comes_back() {
    let _rows = proofkey_conformance::shows(&["fernet-token-1", "fernet-token-3"]);
    for length in [0, 1, 15, 16, 17, 65_536] {
        let message: Vec<u8> = (0..length).map(|at: usize| at.to_le_bytes()[0]).collect();
        let token = key(KEY).encrypt(&message, NOW, IV);
        let bytes = URL_SAFE.decode(&token).unwrap();
        assert_eq!(bytes[0], 0x80);
        assert_eq!(bytes[1..9], NOW.seconds().to_be_bytes());
        assert_eq!(bytes[9..25], IV);
        assert_eq!(bytes.len() - 25 - 32, (length / 16 + 1) * 16, "{length}");
        assert_eq!(open(&token).unwrap().expose(), message, "{length}");
    }
}

#[test]
fn any_changed_bit_of_any_field_is_refused() {
    let _rows = proofkey_conformance::shows(&["fernet-token-4"]);
    let bytes = URL_SAFE.decode(key(KEY).encrypt(b"an example message", NOW, IV)).unwrap();
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        // Without a time to live, so that it is the MAC and not the time that refuses.
        assert!(key(KEY).decrypt(&URL_SAFE.encode(changed), None, NOW).is_err(), "bit {bit}");
    }
}

#[test]
fn another_version_is_refused_although_its_mac_is_right() {
    let _rows = proofkey_conformance::shows(&["fernet-verify-2"]);
    let token = key(KEY).encrypt(b"hello", NOW, IV);
    assert!(open(&resigned(&token, |_| {})).is_ok());
    for version in (0..=255).filter(|version| *version != 0x80) {
        assert!(open(&resigned(&token, |bytes| bytes[0] = version)).is_err(), "{version}");
    }
}

#[test]
fn what_is_no_base64url_is_an_error() {
    let _rows = proofkey_conformance::shows(&["fernet-verify-1", "fernet-verify-6"]);
    let token = key(KEY).encrypt(b"hello", NOW, IV);
    let (head, tail) = token.split_at(20);
    for bad in
        ["%%%%", "", "=", "====", "é", &format!("{head} {tail}"), &format!("{head}+{tail}"), &format!("{token}=")]
    {
        assert!(open(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn padding_may_be_left_out_and_nothing_else_is_forgiven() {
    let _rows = proofkey_conformance::shows(&["fernet-use-5"]);
    let token = key(KEY).encrypt(b"hello, world", NOW, IV);
    let bare = token.trim_end_matches('=');
    assert!(bare.len() < token.len(), "this length shows it");
    assert_eq!(open(&token).unwrap().expose(), open(bare).unwrap().expose());
    assert!(FernetKey::parse(KEY.trim_end_matches('=')).is_ok());
    let standard = STANDARD.encode(URL_SAFE.decode(&token).unwrap());
    for bad in [format!("{token}\n"), format!(" {token}"), standard, format!("{bare}A")] {
        assert!(open(&bad).is_err(), "{bad:?}");
    }
}

#[test]
fn the_age_is_bounded_both_ways_where_a_time_to_live_is_given() {
    let _rows = proofkey_conformance::shows(&["fernet-verify-3", "fernet-verify-4"]);
    let token = key(KEY).encrypt(b"hello", NOW, IV);
    let at = |seconds: u64, ttl| key(KEY).decrypt(&token, ttl, UnixTime::from_seconds(seconds)).is_ok();
    let made = NOW.seconds();
    assert!(at(made + 60, TTL) && !at(made + 61, TTL));
    assert!(at(made - 60, TTL) && !at(made - 61, TTL));
    assert!(at(made + 61, None) && at(made - 61, None) && at(0, None));
    let future = key(KEY).encrypt(b"hello", UnixTime::from_seconds(u64::MAX), IV);
    assert!(open(&future).is_err());
}

#[test]
fn a_bad_padding_and_a_bad_mac_are_one_error() {
    let _rows = proofkey_conformance::shows(&["fernet-verify-5", "fernet-verify-6"]);
    let token = key(KEY).encrypt(b"hello", NOW, IV);
    // The last byte of the IV reaches the last byte of the only block: the padding.
    let bad_padding = resigned(&token, |bytes| bytes[24] ^= 0x80);
    let mut bad_both = URL_SAFE.decode(&bad_padding).unwrap();
    *bad_both.last_mut().unwrap() ^= 1;
    let odd_block = resigned(&token, |bytes| bytes.truncate(bytes.len() - 1));
    let no_block = resigned(&token, |bytes| bytes.truncate(25));
    let bad = [bad_padding, URL_SAFE.encode(bad_both), odd_block, no_block];
    let errors: Vec<InvalidFernetToken> = bad.iter().map(|bad| open(bad).unwrap_err()).collect();
    assert!(errors.iter().all(|error| *error == errors[0] && error.to_string() == "the value is not valid"));
}

#[test]
fn every_beginning_of_a_token_is_an_error_and_no_panic() {
    let _rows = proofkey_conformance::shows(&["fernet-verify-6"]);
    let bytes = URL_SAFE.decode(key(KEY).encrypt(b"hello", NOW, IV)).unwrap();
    for length in 0..bytes.len() {
        assert!(open(&URL_SAFE.encode(&bytes[..length])).is_err(), "{length}");
    }
}

#[test]
fn a_ring_writes_with_its_first_key_and_reads_with_all() {
    let _rows = proofkey_conformance::shows(&["fernet-use-2"]);
    let old_token = key(OTHER).encrypt(b"hello", NOW, IV);
    let ring = FernetRing::new(key(KEY), vec![key(OTHER)]);
    assert_eq!(ring.decrypt(&old_token, TTL, NOW).unwrap().expose(), b"hello");
    assert_eq!(open(&ring.encrypt(b"new", NOW, IV)).unwrap().expose(), b"new");
    let later = UnixTime::from_seconds(NOW.seconds() + 61);
    let rotated = ring.rotate(&old_token, *b"another IV is it").unwrap();
    assert_eq!(open(&rotated).unwrap().expose(), b"hello");
    assert!(key(KEY).decrypt(&rotated, TTL, later).is_err(), "it keeps its time");
    assert!(key(OTHER).decrypt(&rotated, TTL, NOW).is_err());
    assert!(ring.rotate(&key(OTHER).encrypt(b"x", NOW, IV).replace("gAAAAA", "gAAAAB"), IV).is_err());
}

/// `scripts/fernet-oracle` writes the file; what made it stands there.
#[test]
fn tokens_and_verdicts_are_those_of_other_implementations() {
    let _rows = proofkey_conformance::shows(&["fernet-token-1", "fernet-token-3", "fernet-verify-6"]);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/golden/fernet.json");
    let oracle: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let text = |case: &Value, name: &str| case[name].as_str().unwrap().to_owned();
    let at = |case: &Value| UnixTime::from_seconds(case["now"].as_u64().unwrap());
    let bytes = |hex: &str| -> Vec<u8> {
        hex.as_bytes().chunks(2).map(|two| u8::from_str_radix(str::from_utf8(two).unwrap(), 16).unwrap()).collect()
    };
    let (made, read) = (oracle["made"].as_array().unwrap(), oracle["read"].as_array().unwrap());
    assert!(made.len() >= 64 && read.len() >= 500);
    for case in made {
        let iv = bytes(&text(case, "iv_hex")).try_into().unwrap();
        let token = key(&text(case, "key")).encrypt(&bytes(&text(case, "message_hex")), at(case), iv);
        assert_eq!(token, text(case, "token"));
    }
    for case in read {
        let ttl = Duration::from_secs(case["ttl"].as_u64().unwrap());
        let opened = key(&text(case, "key")).decrypt(&text(case, "token"), Some(ttl), at(case)).ok();
        let expected = case["message_hex"].as_str().map(str::to_owned);
        assert_eq!(opened.map(|message| hex(message.expose())), expected, "{case}");
    }
}
