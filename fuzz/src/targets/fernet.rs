//! Fernet tokens and keys: a token opens under its key, in its time, and no other text does.

use std::time::Duration;

use proofkey_core::{FernetKey, FernetRing, UnixTime};

use crate::source::Source;

const KEY: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
const OTHER: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn key(text: &str) -> FernetKey {
    FernetKey::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

pub(super) fn target(bytes: &[u8]) {
    let mut choices = Source::new(bytes);
    let how = choices.below(3);
    let now = UnixTime::from_seconds(u64::from_be_bytes(choices.array()));
    let later = u64::from(u16::from_be_bytes(choices.array()));
    match how {
        0 => anything(choices.rest(), now),
        _ => made(&mut choices, now, later, how == 1),
    }
}

fn anything(bytes: &[u8], now: UnixTime) {
    let text = String::from_utf8_lossy(bytes);
    // The other key is one of the vectors, and so may be its tokens.
    assert!(key(OTHER).decrypt(&text, None, now).is_err(), "nobody made it");
    if let Ok(parsed) = FernetKey::parse(&text) {
        assert!(text.trim_end_matches('=').len() == 43);
        let token = parsed.encrypt(b"message", now, [7; 16]);
        let opened = parsed.decrypt(&token, None, now).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(opened.expose(), b"message");
        assert!(!format!("{parsed:?}").contains(&*text), "no key is printed");
    }
}

fn made(choices: &mut Source<'_>, now: UnixTime, later: u64, change: bool) {
    let (iv, ttl) = (choices.array(), u64::from(u16::from_be_bytes(choices.array())));
    let (at, with) = (choices.below(256), choices.byte());
    let message = choices.bytes(255);
    let (own, both) = (key(KEY), FernetRing::new(key(OTHER), vec![key(KEY)]));
    let token = own.encrypt(message, now, iv);
    if change {
        let mut changed = token.clone().into_bytes();
        let at = at % changed.len();
        changed[at] ^= with;
        let Ok(changed) = String::from_utf8(changed) else { return };
        // Padding may be left out, but not in part.
        if changed.trim_end_matches('=') != token.trim_end_matches('=') {
            assert!(own.decrypt(&changed, None, now).is_err(), "changed at {at}");
        }
        return;
    }
    let read = now.after(Duration::from_secs(later));
    let in_time = now.seconds() >= read.seconds().saturating_sub(ttl);
    for opened in [own.decrypt(&token, Some(Duration::from_secs(ttl)), read), both.decrypt(&token, None, read)] {
        match opened {
            Ok(opened) => assert_eq!(opened.expose(), message),
            Err(_) => assert!(!in_time, "made at {now}, read at {read}, good for {ttl} s"),
        }
    }
    assert_eq!(own.decrypt(&token, Some(Duration::from_secs(ttl)), read).is_ok(), in_time);
    assert!(key(OTHER).decrypt(&token, None, read).is_err());
    assert!(own.decrypt(token.trim_end_matches('='), None, read).is_ok());
    let rotated = both.rotate(&token, iv).unwrap_or_else(|error| panic!("{error}"));
    assert!(own.decrypt(&rotated, None, read).is_err());
    assert_eq!(
        key(OTHER).decrypt(&rotated, Some(Duration::from_secs(ttl)), read).is_ok(),
        in_time,
        "it keeps its time"
    );
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let at = 1_767_268_800_u64.to_be_bytes();
    let head = |how: u8, later: u16| [&[how][..], &at, &later.to_be_bytes()].concat();
    vec![
        [&head(0, 0)[..], KEY.as_bytes()].concat(),
        [&head(0, 0)[..], KEY.trim_end_matches('=').as_bytes()].concat(),
        [
            &head(0, 0)[..],
            b"gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==",
        ]
        .concat(),
        [&head(1, 0)[..], &[7; 16], &[0, 60, 30, 1, 5], b"hello"].concat(),
        [&head(2, 61)[..], &[7; 16], &[0, 60, 0, 0, 5], b"hello"].concat(),
        [&head(2, 60)[..], &[7; 16], &[0, 60, 0, 0, 0]].concat(),
        [&[2][..], &[255; 10], &[7; 16], &[255, 255, 0, 0, 16], &[b'x'; 16]].concat(),
    ]
}
