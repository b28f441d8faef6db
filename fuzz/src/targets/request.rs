//! One whole request against a whole core over a store, with every step answered, some of them with errors.

use std::time::Duration;

use proofkey_core::{Core, Entropy, Request, UnixTime};
use proofkey_tests::{Operation, People, START};

use crate::held::{NAMES, SECRET_NAMES, start};
use crate::source::Source;
use crate::wire::{Draft, Faults, drive, judge};

/// Seconds after everything was opened.
pub(super) const LATER: [u64; 12] = [0, 1, 29, 31, 36, 61, 301, 901, 3601, 86_401, 2_592_001, 31_536_001];

pub(super) fn target(bytes: &[u8]) {
    let start = start();
    let mut choices = Source::new(bytes);
    let core: &Core = &start.cores[choices.below(start.cores.len())];
    let now = UnixTime::from_seconds(START).after(Duration::from_secs(choices.pick(&LATER)));
    let operation = Operation::ALL.get(choices.below(Operation::ALL.len() + 1)).copied();
    let mut draft = Draft::begun(start, operation);
    draft.change(start, &[], &mut choices);
    let request = Request::new(draft.request(), draft.peer);
    let step = core.begin(request, now, Entropy::from_seed(4711));
    let driven = drive(core, step, &start.rows.clone(), &People::default(), &mut Faults(&mut choices));
    let faulted = driven.faulted;
    let _ = core.open_read(&Request::new(draft.request(), draft.peer));
    let reply = judge(start, &draft, draft.shows_secrets(), driven);
    // What is right is answered as it should be, while what everybody holds is fresh.
    let plain = draft.pristine && !faulted && std::ptr::eq(core, &start.cores[0]) && now.seconds() == START;
    if let Some(operation) = operation.filter(|_| plain) {
        assert!(operation.is_done(&reply), "{operation:?}: {reply:?}");
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let operations = u8::try_from(Operation::ALL.len()).unwrap_or_default();
    let plain = (0..=operations).map(|operation| vec![0, 0, operation]);
    let elsewhere = (0..operations).flat_map(|operation| (1..5).map(move |core| vec![core, 1, operation]));
    let failing = (0..operations)
        .flat_map(|operation| [200, 210, 220, 230, 241].map(|fault| vec![0, 0, operation, 0, 0, 0, fault, 0, fault]));
    plain.chain(elsewhere).chain(failing).chain(changed()).collect()
}

/// Requests with one or two things that are not as they should be.
fn changed() -> Vec<Vec<u8>> {
    let place = |of: Operation| {
        let at = Operation::ALL.iter().position(|one| *one == of);
        u8::try_from(at.unwrap_or_default()).unwrap_or_default()
    };
    let name = |of: &str| {
        let at = NAMES.iter().position(|one| *one == of);
        u8::try_from(at.unwrap_or_default()).unwrap_or_default()
    };
    let raw = |text: &str| [&[255, u8::try_from(text.len()).unwrap_or_default()], text.as_bytes()].concat();
    let with = |of: Operation, change: u8, named: &str, text: &str| {
        [&[0, 0, place(of), 1, change, name(named)][..], &raw(text)].concat()
    };
    let mut seeds = vec![
        with(Operation::Start, 3, "state", " <i9 x=\"'&; "),
        with(Operation::Start, 3, "redirect_uri", "https://app.example/cb/../x"),
        with(Operation::Start, 3, "redirect_uri", "https://app.example.evil.example/cb"),
        with(Operation::Start, 3, "scope", "read \u{e9}"),
        with(Operation::StartAnonymous, 3, "login_hint", "\"><i9 x='&\u{202e}\n"),
        with(Operation::StartAnonymous, 3, "ui_locales", "ar \"><i9"),
        with(Operation::SignIn, 0, "username", "\"><i9 x='&"),
        with(Operation::SignIn, 0, "request", "gAAAAA"),
        with(Operation::Redeem, 0, "code_verifier", "short"),
        with(Operation::Redeem, 0, "client_id", "web\r\nx: y"),
        with(Operation::Refresh, 0, "resource", "\u{7f}"),
        with(Operation::Reset, 0, "new_password", "password"),
    ];
    // A marked secret in place of each secret, and then in the header.
    for of in [Operation::Redeem, Operation::Refresh, Operation::Revoke, Operation::SignIn, Operation::Authorize] {
        for secret in SECRET_NAMES {
            seeds.push(vec![0, 0, place(of), 1, 0, name(secret), 220, 3, b'a', b'b', b'c']);
        }
        seeds.push(vec![0, 0, place(of), 1, 6, 0, 130, 0, 2, b'x', b'y']);
        seeds.push(vec![0, 0, place(of), 1, 6, 0, 130, 1, 2, b'x', b'y']);
        seeds.push(vec![0, 0, place(of), 1, 11, 0]);
        seeds.push(vec![0, 0, place(of), 1, 9, 2]);
    }
    seeds
}
