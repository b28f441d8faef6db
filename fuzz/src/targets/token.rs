//! Codes and tokens: only those that were issued open, in one spelling, and no changed one does.

use proofkey_core::{MAX_TOKEN, Secret};

use crate::held::{Start, start};
use crate::source::Source;

const PREFIXES: [&str; 4] = ["pfk_access_", "pfk_code_", "pfk_refresh_", "pfk_"];

pub(super) fn target(bytes: &[u8]) {
    let start = start();
    let issued = issued(start);
    let mut choices = Source::new(bytes);
    let mut text = match choices.below(issued.len() + 1) {
        at if at < issued.len() => issued[at].clone().into_bytes(),
        _ => choices.pick(&PREFIXES).as_bytes().to_vec(),
    };
    for _ in 0..choices.below(4) {
        let at = choices.below(text.len() + 1).min(text.len());
        match choices.below(4) {
            0 if at < text.len() => text[at] ^= choices.byte(),
            1 => text.truncate(at),
            2 => {
                let until = (at + choices.below(16)).min(text.len());
                text.drain(at..until);
            }
            _ => drop(text.splice(at..at, choices.bytes(80).iter().copied())),
        }
    }
    text.extend_from_slice(choices.rest());
    let genuine = issued.iter().find(|one| one.as_bytes() == text);
    match start.cores[0].reopened(&Secret::new(text.clone().into())) {
        None => assert!(genuine.is_none(), "what was issued opens"),
        Some((prefix, _, again)) => {
            let genuine = genuine.unwrap_or_else(|| panic!("nobody issued it: {}", text.escape_ascii()));
            assert_eq!(again.expose(), text, "one spelling");
            assert!(genuine.starts_with(prefix) && genuine.len() <= MAX_TOKEN);
            for at in 0..text.len() {
                let mut changed = text.clone();
                changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
                assert!(start.cores[0].reopened(&Secret::new(changed.into())).is_none(), "changed at {at}");
            }
        }
    }
}

fn issued(start: &Start) -> [String; 5] {
    let held = &start.held;
    [&held.code, &held.web.access, &held.web.refresh, &held.portal.access, &held.portal.refresh].map(String::clone)
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = (0..6).map(|at| vec![at]).collect();
    seeds.extend((0..5).map(|at| vec![at, 1, 20, 0, 1]));
    seeds.extend((0..5).map(|at| vec![at, 1, 75, 1]));
    seeds.extend((0..5).map(|at| vec![at, 1, 0, 2, 4, 0, 0]));
    seeds.push([&[5, 0][..], &[b'A'; 64]].concat());
    seeds.push(vec![1, 0, b'=']);
    seeds
}
