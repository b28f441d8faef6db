//! Records of every kind, as bytes: what is read is written the same way ever after, whatever becomes of it; what is
//! sealed opens in its place alone (invariant I22).

use std::sync::LazyLock;

use proofkey_core::fuzzing::LETTERS;
use proofkey_core::{Core, Entropy, Key, MAX_OWNERS, Record, UnixTime, Version};

use crate::held::start;
use crate::source::Source;

pub(super) fn target(bytes: &[u8]) {
    let core = &start().cores[0];
    let mut choices = Source::new(bytes);
    let letter = choices.pick(&LETTERS);
    let now = UnixTime::from_seconds(u64::from_be_bytes(choices.array()));
    let word = choices.text(24);
    let (at, with) = (choices.below(256), choices.byte());
    let plain = choices.rest();
    assert_sealed(core, letter, plain, at, with);
    let Some(read) = core.read_record(letter, plain, &word, now) else {
        assert_eq!(rewritten(core, letter, plain), None);
        return;
    };
    assert!(read.owners.len() <= MAX_OWNERS && read.expires_at <= UnixTime::NEVER);
    assert!(!read.shown.is_null());
    let written = rewritten(core, letter, plain).unwrap_or_else(|| panic!("what is read is written"));
    assert_eq!(rewritten(core, letter, &written).as_ref(), Some(&written), "written and read again");
    for next in read.next {
        assert_eq!(rewritten(core, letter, &next).as_ref(), Some(&next), "the next state is read as it was meant");
        assert!(next.len() <= written.len() + 512, "a step adds little");
    }
}

fn key(letter: char) -> Key {
    Key::parse(&format!("{letter}.x")).unwrap_or_else(|error| panic!("{error}"))
}

fn rewritten(core: &Core, letter: char, plain: &[u8]) -> Option<Vec<u8>> {
    core.rewritten(&key(letter), plain)
}

fn assert_sealed(core: &Core, letter: char, plain: &[u8], at: usize, with: u8) {
    let [one, other] =
        ["AAAAAAAAAAA", "BAAAAAAAAAA"].map(|text| Version::parse(text).unwrap_or_else(|error| panic!("{error}")));
    let place = key(letter);
    let sealed = core.sealed(&place, one, plain, &Entropy::from_seed(1)).unwrap_or_else(|| panic!("it is sealed"));
    assert_eq!(core.unsealed(&place, &sealed).as_deref(), Some(plain));
    assert_eq!(core.unsealed(&key(if letter == 'z' { 'y' } else { 'z' }), &sealed), None, "moved");
    assert_eq!(core.unsealed(&place, &Record::new(other, sealed.body().clone())), None, "an old body");
    let mut changed = sealed.body().to_vec();
    let at = at % changed.len();
    changed[at] ^= with;
    let opened = core.unsealed(&place, &Record::new(one, changed.into()));
    assert_eq!(opened.is_some(), with == 0, "edited at {at}");
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    static ROWS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
        let start = start();
        let mut seeds: Vec<Vec<u8>> = Vec::new();
        for (key, record) in start.rows.all() {
            let letter = key.as_str().chars().next().unwrap_or_default();
            let at = LETTERS.iter().position(|one| *one == letter).unwrap_or_default();
            let Some(plain) = start.cores[0].unsealed(&key, &record) else { continue };
            let now = proofkey_tests::START.to_be_bytes();
            let head = [u8::try_from(at).unwrap_or_default()];
            let word = b"\x04read";
            seeds.push([&head[..], &now, word, &[3, 1], &plain].concat());
        }
        seeds.sort();
        // A few of each kind are enough.
        let mut kept: Vec<Vec<u8>> = Vec::new();
        for seed in seeds {
            let alike = kept.iter().filter(|one| one.first() == seed.first());
            if alike.count() < 6 {
                kept.push(seed);
            }
        }
        kept
    });
    ROWS.clone()
}
