//! Is the floor an honest one? Its primitives and its operations beside those that were measured before there was code.
//!
//! The figures of then come from another moment of another machine, so each is scaled by what SHA-256 of 43 bytes takes
//! now. Then records were not sealed; the floor without sealing is compared, the floor with sealing is shown.

use std::collections::HashMap;
use std::hint::black_box;
use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::floor::table::Row as Stored;
use crate::floor::{Floor, Sealing, mac, prekeyed};
use crate::measure::{Pairs, Took, micros};
use crate::report::{Report, Row, Target};
use crate::world::{self, CLIENT, START};

/// The median of what was measured then, in µs.
#[derive(Clone, Copy)]
struct Then {
    name: &'static str,
    median: f64,
}

const SHA256: Then = Then { name: "SHA-256 of 43 bytes", median: 0.070 };
const HMAC: Then = Then { name: "HMAC-SHA256 prekeyed", median: 0.19 };
const BASE64: Then = Then { name: "base64url of 32 bytes", median: 0.024 };
const REDEEM: Then = Then { name: "redeem", median: 4.2 };
const REFRESH: Then = Then { name: "refresh", median: 3.4 };
const CHECK: Then = Then { name: "access check", median: 1.25 };

/// One round of SHA-256 and of something else, each in µs.
struct Round {
    hash: f64,
    other: f64,
}

pub(crate) fn floors(report: &mut Report, quick: bool) -> io::Result<()> {
    if !report.wants(SECTION, "") {
        return Ok(());
    }
    let (rounds, operations) = if quick { (2, 20) } else { (60, 500) };
    let repeat = if quick { 100 } else { 20_000 };
    let text = [b'x'; 43];
    let hash = || each(repeat, || Sha256::digest(black_box(text)));
    let run = |mut other: Box<dyn FnMut() -> f64>| -> Vec<Round> {
        (0..=rounds).map(|_| Round { hash: hash(), other: other() }).skip(1).collect()
    };
    let key = prekeyed(b"a key");
    let primitives: [(Then, Box<dyn FnMut() -> f64>); 3] = [
        (SHA256, Box::new(move || each(repeat, || Sha256::digest(black_box(text))))),
        (HMAC, Box::new(move || each(repeat, || mac(black_box(&key), &[&text[..]])))),
        (BASE64, Box::new(move || each(repeat, base64_of_32))),
    ];
    for (then, measured) in primitives {
        report.add(compared(then, then.name.to_owned(), &run(measured)))?;
    }
    for sealing in [Sealing::Plain, Sealing::Sealed] {
        let measured: [(Then, Box<dyn FnMut() -> f64>); 3] = [
            (REDEEM, Box::new(move || redeem(sealing, operations))),
            (REFRESH, Box::new(refresh(sealing, operations))),
            (CHECK, Box::new(check(sealing, operations))),
        ];
        for (then, measured) in measured {
            let row = match sealing {
                Sealing::Plain => {
                    compared(then, format!("{}, not sealed", then.name), &run(measured)).with_target(ALIKE)
                }
                Sealing::Sealed => compared(then, format!("{}, sealed", then.name), &run(measured)),
            };
            report.add(row)?;
        }
    }
    Ok(())
}

/// Now beside then, scaled by the hash of the same round.
fn compared(then: Then, name: String, rounds: &[Round]) -> Row {
    let mut pairs = Pairs::default();
    for round in rounds {
        pairs.push(round.other, then.median * round.hash / SHA256.median);
    }
    Row::times(SECTION, name, &pairs)
}

fn each<R>(operations: usize, mut operation: impl FnMut() -> R) -> f64 {
    let took = Took::of(|| {
        for _ in 0..operations {
            black_box(operation());
        }
    });
    micros(took.processor) / operations as f64
}

fn base64_of_32() -> [u8; 43] {
    let mut text = [0; 43];
    let _ = URL_SAFE_NO_PAD.encode_slice(black_box([7; 32]), &mut text);
    text
}

type InMemory = Floor<HashMap<String, Stored>>;

fn floor(sealing: Sealing) -> InMemory {
    Floor::new(HashMap::new(), sealing, START)
}

fn redeem(sealing: Sealing, operations: usize) -> f64 {
    let mut floor = floor(sealing);
    let code = |floor: &mut InMemory| world::redeem_form(CLIENT, &floor.code(CLIENT).expect("a code"));
    let forms: Vec<String> = (0..operations).map(|_| code(&mut floor)).collect();
    let mut forms = forms.iter();
    each(operations, || floor.redeem(forms.next()?.as_bytes()))
}

fn redeemed(floor: &mut InMemory, member: &str) -> String {
    let code = floor.code(CLIENT).expect("a code");
    let body = floor.redeem(world::redeem_form(CLIENT, &code).as_bytes()).expect("the code is good");
    world::text(&body, member)
}

fn refresh(sealing: Sealing, operations: usize) -> impl FnMut() -> f64 {
    let mut floor = floor(sealing);
    let mut tokens: Vec<String> = (0..operations).map(|_| redeemed(&mut floor, "refresh_token")).collect();
    move || {
        let forms: Vec<String> = tokens.iter().map(|token| world::refresh_form(token)).collect();
        let (mut forms, mut answers) = (forms.iter(), Vec::with_capacity(operations));
        floor.now += 3600;
        let time = each(operations, || answers.push(floor.refresh(forms.next().expect("a form").as_bytes())));
        let next = answers.into_iter().map(|body| world::text(&body.expect("the token is good"), "refresh_token"));
        tokens = next.collect();
        time
    }
}

fn check(sealing: Sealing, operations: usize) -> impl FnMut() -> f64 {
    let mut floor = floor(sealing);
    let headers: Vec<String> =
        (0..operations).map(|_| format!("Bearer {}", redeemed(&mut floor, "access_token"))).collect();
    move || {
        let mut headers = headers.iter();
        each(operations, || floor.check_access(headers.next()?))
    }
}

const SECTION: &str = "the floor, now and then";
/// Within 30 % either way.
const ALIKE: Target = Target::Within(0.7, 1.3);
