//! Values that travel through browsers: cookies of browsers and of sign-ins, requests, links. Only those that we made
//! open, each for its purpose and its time; what is inside reads back as it was written.

use std::sync::LazyLock;
use std::time::Duration;

use proofkey_core::fuzzing::{Sealed, Unopened};
use proofkey_core::{Secret, SessionKeys, UnixTime};
use proofkey_tests::START;

use crate::held::{Start, start};
use crate::source::Source;

const HOUR: Duration = Duration::from_secs(3600);
/// The session keys of `tests/world.toml`, and an older one beside them.
const KEYS: &str = "bWdJ3q0vXH0cQ1bqkq3c2yS7mVnq2o0u4cW8rXx1T9s=";

fn keys() -> &'static SessionKeys {
    static KEPT: LazyLock<SessionKeys> = LazyLock::new(|| {
        SessionKeys::parse(&Secret::from(KEYS)).unwrap_or_else(|error| panic!("the keys of the tests: {error}"))
    });
    &KEPT
}

pub(super) fn target(bytes: &[u8]) {
    let mut choices = Source::new(bytes);
    let kind = choices.pick(&Sealed::ALL);
    if choices.below(2) == 0 {
        text(kind, &mut choices);
    } else {
        contents(kind, choices);
    }
}

/// A text: one of those that browsers hold, changed, or anything.
fn text(kind: Sealed, choices: &mut Source<'_>) {
    let held = held(start());
    let mut text = match choices.below(held.len() + 1) {
        at if at < held.len() => held[at].1.clone().into_bytes(),
        _ => Vec::new(),
    };
    for _ in 0..choices.below(3) {
        let at = (choices.below(256) * 4 + choices.below(4)).min(text.len());
        match choices.below(3) {
            0 if at < text.len() => text[at] ^= choices.byte(),
            1 => text.truncate(at),
            _ => drop(text.splice(at..at, choices.bytes(80).iter().copied())),
        }
    }
    let Ok(text) = String::from_utf8(text) else { return };
    let genuine = held.iter().find(|(_, one)| *one == text.trim_end_matches('='));
    let now = UnixTime::from_seconds(START);
    match keys().opened(kind, &text, HOUR, now) {
        Ok(plain) => {
            let (of, _) = genuine.unwrap_or_else(|| panic!("nobody made it: {text}"));
            assert_eq!(*of, kind, "each for its purpose");
            assert_eq!(kind.rewritten(&plain), Some(plain), "read as it was written");
            let later = now.after(HOUR).after(Duration::from_secs(1));
            assert_eq!(keys().opened(kind, &text, HOUR, later), Err(Unopened::Expired));
        }
        Err(why) => {
            assert_eq!(why, Unopened::Foreign, "nothing is over yet");
            assert!(genuine.is_none_or(|(of, one)| *of != kind || *one != text), "what we made opens: {text}");
        }
    }
}

fn held(start: &Start) -> Vec<(Sealed, String)> {
    let opened = &start.held.opened;
    let cookies = opened.cookies.split("; ").chain(opened.stranger.split("; ")).filter_map(|pair| pair.split_once('='));
    let cookies = cookies.map(|(name, value)| {
        (if name.ends_with("-browser") { Sealed::Browser } else { Sealed::Session }, value.to_owned())
    });
    let travels = [&opened.login, &opened.consent[0]].map(|one| (Sealed::Travel, one.clone()));
    cookies.chain(travels).chain([(Sealed::Reset, opened.reset.clone())]).collect()
}

/// Whatever stands inside: it opens as what is read from it, and no changed character lets it open.
fn contents(kind: Sealed, mut choices: Source<'_>) {
    let (iv, at, with) = (choices.array::<16>(), choices.below(256), choices.byte());
    let plain = choices.rest();
    let now = UnixTime::from_seconds(START);
    let sealed = keys().sealed(kind, plain, now, iv);
    assert!(sealed.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "fits a cookie");
    let opened = keys().opened(kind, &sealed, HOUR, now);
    let read = kind.rewritten(plain);
    if let Some(read) = &read {
        assert!(read.len() <= plain.len().saturating_mul(9) + 64, "it does not grow by itself");
        assert_eq!(kind.rewritten(read).as_ref(), Some(read), "written and read again");
    }
    assert_eq!(opened, read.ok_or(Unopened::Foreign));
    // What is over was ours, whatever it holds.
    let later = now.after(HOUR).after(Duration::from_secs(1));
    for other in Sealed::ALL {
        let why = if other == kind { Unopened::Expired } else { Unopened::Foreign };
        assert_eq!(keys().opened(other, &sealed, HOUR, later), Err(why), "each for its purpose");
    }
    let mut changed = sealed.clone().into_bytes();
    let at = at % changed.len();
    changed[at] ^= with;
    if let Ok(changed) = String::from_utf8(changed)
        && changed != sealed
    {
        assert_eq!(keys().opened(kind, &changed, HOUR, now), Err(Unopened::Foreign), "changed at {at}");
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let count = u8::try_from(held(start()).len()).unwrap_or_default();
    let mut seeds: Vec<Vec<u8>> = (0..4).flat_map(|kind| (0..=count).map(move |at| vec![kind, 0, at])).collect();
    seeds.push(vec![3, 0, 3, 1, 9, 0, 0, 1]);
    for (of, text) in held(start()) {
        let kind = Sealed::ALL.iter().position(|one| *one == of).unwrap_or_default();
        if let Ok(plain) = keys().opened(of, &text, HOUR, UnixTime::from_seconds(START)) {
            let head = [u8::try_from(kind).unwrap_or_default(), 1];
            seeds.push([&head[..], &[7; 18], &plain].concat());
        }
    }
    seeds
}
