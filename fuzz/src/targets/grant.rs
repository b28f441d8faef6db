//! One grant under redemptions, refreshes, revocations and time: a small model beside it knows what may happen
//! (invariants I1, I2, I6, I7, I8, I10, I11).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proofkey_core::fuzzing::{Attempt, GrantWalk, Happened, Refresh};
use proofkey_core::{Core, Scope, UnixTime};
use proofkey_tests::START;

use crate::held::start;
use crate::source::Source;

/// Seconds that clocks of two processes may differ.
const MARGIN: u64 = 5;
const LEEWAYS: [u64; 4] = [30, 0, 12, 60];
const LIFETIMES: [u64; 4] = [1_000_000, 3600, 90, 0];
const WAITS: [u64; 12] = [0, 1, 2, 5, 11, 29, 31, 35, 36, 65, 901, 86_401];
const ATTEMPTS: [Attempt; 6] = [
    Attempt::Right,
    Attempt::WrongClient,
    Attempt::WrongCode,
    Attempt::WrongResource,
    Attempt::WrongUri,
    Attempt::WrongVerifier,
];

pub(super) fn target(bytes: &[u8]) {
    let core = &start().cores[0];
    let mut choices = Source::new(bytes);
    if choices.below(4) == 3 {
        written(core, choices);
    } else {
        Model::walk(core, &mut choices);
    }
}

/// A grant from anywhere: nothing that happens to it panics, and it stays a record.
fn written(core: &Core, mut choices: Source<'_>) {
    let mut now = UnixTime::from_seconds(u64::from_be_bytes(choices.array()));
    let steps = choices.bytes(24);
    let Some(mut walk) = GrantWalk::read(core, choices.rest()) else { return };
    let size = walk.plain().len();
    for (at, step) in steps.iter().enumerate() {
        now = now.after(Duration::from_secs(u64::from(*step)));
        let seed = [*step; 32];
        let refresh =
            Refresh { token: at % 3, own: true, scope: step / 4, resource: step / 16, leeway: 30, rotate: true, seed };
        let _ = match step % 4 {
            0 => walk.redeem(Attempt::Right, true, seed, now),
            1 => walk.refresh(refresh, now),
            2 => walk.revoke_access(0),
            _ => walk.revoke(now),
        };
        let _ = (walk.standings(now), walk.current(now), walk.shown());
        let plain = walk.plain();
        walk.reload();
        assert_eq!(walk.plain(), plain, "written and read again");
        assert!(plain.len() <= size + 2048);
    }
}

struct Model {
    walk: GrantWalk,
    now: UnixTime,
    leeway: u64,
    rotate: bool,
    ends_at: u64,
    spent: bool,
    dead: bool,
    /// How many flows drew random bytes.
    drawn: u8,
    /// By place: the successor that each refresh token was given.
    successors: BTreeMap<usize, usize>,
    /// By place: when each refresh token was retired.
    retired: BTreeMap<usize, u64>,
    revoked_access: BTreeSet<usize>,
}

impl Model {
    fn walk(core: &Core, choices: &mut Source<'_>) {
        let now = UnixTime::from_seconds(START);
        let (leeway, lifetime, rotate) = (choices.pick(&LEEWAYS), choices.pick(&LIFETIMES), choices.below(4) != 1);
        let mut model = Self {
            walk: GrantWalk::issued(core, now, lifetime),
            now,
            leeway,
            rotate,
            ends_at: now.seconds() + lifetime,
            spent: false,
            dead: false,
            drawn: 0,
            successors: BTreeMap::new(),
            retired: BTreeMap::new(),
            revoked_access: BTreeSet::new(),
        };
        for _ in 0..64 {
            if choices.is_empty() {
                break;
            }
            let before = model.walk.plain();
            let happened = model.step(choices);
            model.check(happened, &before);
        }
    }

    fn step(&mut self, choices: &mut Source<'_>) -> Happened {
        match choices.below(8) {
            0 => self.redeem(choices),
            1..=3 => self.refresh(choices),
            4 => {
                let at = choices.below(8);
                let happened = self.walk.revoke_access(at);
                if happened == Happened::Revoked {
                    assert!(self.revoked_access.insert(at), "an access token is revoked once");
                }
                happened
            }
            5 if choices.below(4) == 3 => {
                let happened = self.walk.revoke(self.now);
                assert_eq!(happened == Happened::Nothing, self.dead);
                self.dead = true;
                happened
            }
            6 => {
                self.walk.reload();
                Happened::Nothing
            }
            _ => {
                self.now = self.now.after(Duration::from_secs(choices.pick(&WAITS)));
                Happened::Nothing
            }
        }
    }

    fn redeem(&mut self, choices: &mut Source<'_>) -> Happened {
        let attempt = choices.pick(&ATTEMPTS);
        let seed = self.fresh(choices);
        let happened = self.walk.redeem(attempt, true, seed, self.now);
        let fresh = self.now.seconds() < START + 60;
        let expected = match (attempt, self.spent, self.dead) {
            (Attempt::Right, false, false) if fresh => Happened::Spent,
            (Attempt::Right, true, false) => Happened::Replayed,
            _ => Happened::Denied,
        };
        assert_eq!(happened, expected, "{attempt:?}");
        self.spent |= happened == Happened::Spent;
        self.dead |= happened == Happened::Replayed;
        happened
    }

    fn refresh(&mut self, choices: &mut Source<'_>) -> Happened {
        let issued = self.walk.refresh_tokens();
        let back = choices.below(8);
        let token = issued.checked_sub(1).map_or(0, |last| last.saturating_sub(back));
        let refresh = Refresh {
            token,
            own: choices.below(16) != 15,
            scope: choices.byte() % 4,
            resource: choices.byte() % 4,
            leeway: self.leeway,
            rotate: self.rotate,
            seed: self.fresh(choices),
        };
        let happened = self.walk.refresh(refresh, self.now);
        let age = self.retired.get(&token).map(|at| self.now.seconds() - at);
        match happened {
            Happened::Rotated if self.rotate => {
                assert_eq!(age, None, "a retired token is not rotated");
                let successor = self.walk.refresh_tokens() - 1;
                assert!(self.successors.insert(token, successor).is_none(), "one successor (I6)");
                self.retired.insert(token, self.now.seconds());
            }
            Happened::Repeated(successor) | Happened::Further(successor) => {
                assert_eq!(self.successors.get(&token), Some(&successor), "the same successor (I6)");
                assert!(age.is_some_and(|age| age <= self.leeway) && !self.retired.contains_key(&successor));
            }
            Happened::Replayed => {
                let stolen = age.is_some_and(|age| self.leeway == 0 || age >= self.leeway + MARGIN);
                assert!(refresh.own && stolen, "only a theft is judged as one (I8): {age:?}");
                self.dead = true;
            }
            Happened::RolledBack => panic!("no write was lost"),
            _ => {}
        }
        if !refresh.own || self.dead && happened != Happened::Replayed {
            assert!(matches!(happened, Happened::Denied | Happened::Nothing), "{happened:?}");
        } else if age.is_some_and(|age| self.leeway == 0 || age >= self.leeway + MARGIN) {
            assert_eq!(happened, Happened::Replayed, "a theft is seen (I8): {age:?}");
        }
        happened
    }

    /// Random bytes: no two flows have the same.
    fn fresh(&mut self, choices: &mut Source<'_>) -> [u8; 32] {
        self.drawn += 1;
        let mut seed = [choices.byte(); 32];
        seed[0] = self.drawn;
        seed
    }

    fn check(&self, happened: Happened, before: &[u8]) {
        let plain = self.walk.plain();
        let changes = matches!(
            happened,
            Happened::Further(_) | Happened::Replayed | Happened::Revoked | Happened::Rotated | Happened::Spent
        );
        assert_eq!(plain != before, changes, "{happened:?}");
        assert!(plain.len() <= 16 * 1024, "a grant stays small: {}", plain.len());
        let standings = self.walk.standings(self.now);
        let granted = Scope::parse("read write").unwrap_or_default();
        for (at, standing) in standings.iter().enumerate() {
            let Some(standing) = standing else { continue };
            assert!(!self.dead && !self.revoked_access.contains(&at), "a token of a dead grant works");
            assert!(standing.scope.is_subset_of(&granted) && standing.resources.len() <= 2, "it widens (I10)");
            assert!(
                standing.expires_at <= self.ends_at && self.now.seconds() < standing.expires_at,
                "it outlives (I11)"
            );
        }
        assert!(standings.iter().flatten().count() <= 32);
        let leaves: Vec<u64> = self.walk.current(self.now).into_iter().flatten().collect();
        assert!(leaves.len() <= 1 && leaves.iter().all(|end| *end <= self.ends_at), "one leaf (I7): {leaves:?}");
        assert!(!self.dead || leaves.is_empty());
        let turns = self.walk.shown()["state"]["rotated_at"].as_array().map_or(0, Vec::len);
        assert!(turns <= 40, "what is remembered of rotations is bounded: {turns}");
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let redeem = [0, 0, 7];
    let refresh = |back: u8, seed: u8| [1, back, 0, 0, 0, seed];
    let wait = |at: u8| [7, at];
    let begin = [0, 0, 0, 0];
    let mut seeds = vec![
        [&begin[..], &redeem, &refresh(0, 1), &refresh(0, 2), &wait(6), &refresh(1, 3), &refresh(0, 4)].concat(),
        [&begin[..], &redeem, &refresh(0, 1), &refresh(1, 2), &wait(8), &refresh(1, 3)].concat(),
        [&begin[..], &redeem, &redeem].concat(),
        [&[0, 1, 0, 0][..], &redeem, &refresh(0, 1), &refresh(1, 1)].concat(),
        [&[0, 0, 0, 1][..], &redeem, &refresh(0, 1), &refresh(0, 2)].concat(),
        [&begin[..], &redeem, &[1, 0, 0, 1, 1, 9], &[1, 1, 0, 2, 2, 9], &[1, 1, 0, 3, 0, 9], &[4, 0], &[5, 3]].concat(),
        [&[0, 0, 2, 0][..], &redeem, &wait(9), &refresh(0, 1), &wait(9), &refresh(0, 1)].concat(),
    ];
    for attempt in 1..6 {
        seeds.push([&begin[..], &[0, attempt, 1], &redeem].concat());
    }
    let mut many = [&begin[..], &redeem].concat();
    for at in 0..20 {
        many.extend(refresh(0, at));
        many.extend(wait(2));
    }
    seeds.push(many);
    for record in super::record::seeds() {
        if record.first() == Some(&3) {
            let plain = record.get(1 + 8 + 5 + 2..).unwrap_or_default();
            seeds.push([&[3][..], &START.to_be_bytes(), &[8, 0, 1, 5, 2, 1, 1, 3, 0], plain].concat());
        }
    }
    seeds
}
