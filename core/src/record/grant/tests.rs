//! Every state of a grant and every event.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use minicbor::bytes::ByteArray;
use zeroize::Zeroizing;

use super::{
    Approval, Binding, Fresh, Grant, Presented, Redeem, Redemption, RefreshAsk, Refreshed, Rotate, State, Terms,
};
use crate::UnixTime;
use crate::keys::KeyRing;
use crate::name::Names;
use crate::pkce::Challenge;
use crate::record::Body;
use crate::scope::Scope;
use crate::secret::{Secret, SecretDigest};
use crate::token::{Token, TokenKind};

mod tokens;

const BEGIN: u64 = 1_000_000;
const ID: [u8; 16] = [1; 16];
const CODE: &[u8; 20] = &[2; 20];
const URI: &str = "https://c.example/cb";

fn ring() -> KeyRing {
    KeyRing::parse(&Secret::from("cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=")).unwrap()
}

fn verifier(byte: u8) -> Secret {
    Secret::from(&*URL_SAFE_NO_PAD.encode([byte; 32]))
}

fn terms() -> Terms {
    Terms {
        access_lifetime: Duration::from_secs(600),
        refresh_lifetime: Some(Duration::from_secs(6000)),
        leeway: Duration::from_secs(30),
        rotate: Rotate::Always,
    }
}

fn approval(subject: Option<&str>) -> Approval {
    Approval {
        client_id: "c".into(),
        subject: subject.map(str::to_owned),
        username: None,
        scope: Scope::parse("read write").unwrap(),
        resources: Vec::new(),
        created_at: BEGIN,
        ends_at: BEGIN + 100_000,
        auth_time: None,
        amr: Vec::new(),
        session: None,
        id: ByteArray::from(ID),
    }
}

/// A grant, and the access and refresh tokens that it has given, by generation.
struct Given {
    grant: Grant,
    access: Vec<Zeroizing<[u8; 20]>>,
    refresh: Vec<Zeroizing<[u8; 20]>>,
}

fn issued() -> Given {
    let binding = Binding::new(&SecretDigest::of(CODE), &Challenge::of(&verifier(3)), URI.into(), true);
    let grant = Grant::issued(approval(Some("u")), binding, UnixTime::from_seconds(BEGIN + 60));
    Given { grant, access: Vec::new(), refresh: Vec::new() }
}

fn fresh(ring: &KeyRing) -> Fresh<'_> {
    Fresh { key: ring.primary().unwrap(), access: [4; 20].into(), refresh: [5; 20].into(), seed: [6; 32] }
}

fn live() -> Given {
    let (before, ring) = (issued(), ring());
    let Redemption::Spend(grant, tokens) = before.redeem("c", 3, BEGIN, &ring) else { panic!("not spent") };
    Given { grant, access: vec![tokens.access], refresh: vec![tokens.refresh.unwrap()] }
}

/// A grant whose refresh token was used at each of these moments.
fn rotated(at: &[u64]) -> Given {
    let mut given = live();
    for (generation, at) in (0_u32..).zip(at) {
        let (grant, tokens) = match given.refresh(generation, "c", None, *at, &terms()) {
            Refreshed::Rotate(grant, tokens) => (grant, tokens),
            other => panic!("{other:?}"),
        };
        given.grant = grant;
        given.access.push(tokens.access);
        given.refresh.push(tokens.refresh.unwrap());
    }
    given
}

fn of_the_client_alone() -> Given {
    let ring = ring();
    let now = UnixTime::from_seconds(BEGIN);
    let (grant, tokens) = Grant::for_client(approval(None), &terms(), &fresh(&ring), now);
    Given { grant, access: vec![tokens.access], refresh: vec![[9; 20].into()] }
}

fn revoked() -> Given {
    let mut given = rotated(&[BEGIN]);
    given.grant = given.grant.revoke(UnixTime::from_seconds(BEGIN)).unwrap();
    given
}

impl Given {
    fn redeem(&self, client_id: &str, verifies: u8, at: u64, ring: &KeyRing) -> Redemption {
        let attempt = Redeem {
            code: SecretDigest::of(CODE),
            client_id,
            redirect_uri: Some(URI),
            verifier: Some(&verifier(verifies)),
            resources: &[],
            oauth21: false,
        };
        self.grant.redeem(&attempt, &terms(), &fresh(ring), UnixTime::from_seconds(at))
    }

    /// Presents the refresh token of a generation; of one that was never given, something else.
    fn refresh(&self, generation: u32, client_id: &str, scope: Option<&str>, at: u64, terms: &Terms) -> Refreshed {
        let secret = self.refresh.get(generation as usize).cloned().unwrap_or_else(|| [8; 20].into());
        let token = Token::new(TokenKind::Refresh, ID, generation, secret);
        let ask = RefreshAsk { scope: scope.map(|scope| Scope::parse(scope).unwrap()), resources: Vec::new() };
        let (ring, now) = (ring(), UnixTime::from_seconds(at));
        self.grant.refresh(&Presented { token: &token, client_id, ask: &ask, terms, ring: &ring, seed: [7; 32], now })
    }

    fn newest(&self) -> u32 {
        u32::try_from(self.refresh.len()).unwrap().saturating_sub(1)
    }
}

/// What an event came to, in a word; what a transition makes is checked on the way.
fn word(old: &Grant, outcome: &str, next: Option<&Grant>) -> String {
    if let Some(next) = next {
        let names = Names::new("");
        assert_eq!(next.keeps_owners(old, &names), next.owners(&names) == old.owners(&names), "{outcome}");
        assert_eq!(next.id(), old.id());
        assert_eq!(next.approval.ends_at, old.approval.ends_at);
    }
    outcome.to_owned()
}

fn redemption(given: &Given, client_id: &str, verifies: u8, at: u64) -> String {
    match given.redeem(client_id, verifies, at, &ring()) {
        Redemption::Deny(_) => "denied".into(),
        Redemption::Replay(next) => {
            assert!(matches!(next.state, State::Revoked { .. }));
            word(&given.grant, "revoked", Some(&next))
        }
        Redemption::Spend(next, _) => {
            assert!(matches!(next.state, State::Live(_)));
            word(&given.grant, "spent", Some(&next))
        }
    }
}

fn refreshed(given: &Given, outcome: Refreshed) -> String {
    match outcome {
        Refreshed::Deny(_) => "denied".into(),
        Refreshed::Further(next, _) => word(&given.grant, "further", Some(&next)),
        Refreshed::Repeat(_) => "repeated".into(),
        Refreshed::Replay(next) => {
            assert!(matches!(next.state, State::Revoked { .. }));
            word(&given.grant, "revoked", Some(&next))
        }
        Refreshed::RolledBack => "rolled back".into(),
        Refreshed::Rotate(next, _) => word(&given.grant, "rotated", Some(&next)),
        Refreshed::Stale => "stale".into(),
        Refreshed::TooMany => "too many".into(),
        Refreshed::UnknownKey(_) => "unknown key".into(),
    }
}

/// The events, in the order of the table's columns.
fn events(given: &Given) -> Vec<String> {
    let (at, newest) = (BEGIN + 20, given.newest());
    let refresh = |generation, client_id: &str, scope: Option<&str>, at| {
        refreshed(given, given.refresh(generation, client_id, scope, at, &terms()))
    };
    let revoke = given.grant.revoke(UnixTime::from_seconds(at));
    let of = |digest: &SecretDigest| given.grant.revoke_access(digest);
    let access = given.access.last().map(|access| SecretDigest::of(&access[..]));
    let one = access.as_ref().and_then(of);
    assert!(of(&SecretDigest::of(&[0; 20])).is_none(), "an unknown access token changes nothing");
    vec![
        redemption(given, "c", 3, at),
        redemption(given, "c", 9, at),
        redemption(given, "other", 3, at),
        redemption(given, "c", 3, BEGIN + 61),
        refresh(newest, "c", None, at),
        refresh(newest, "c", Some("read"), at),
        refresh(newest, "c", Some("admin"), at),
        refresh(newest, "other", None, at),
        refresh(newest, "c", None, BEGIN + 90_000),
        refresh(newest.saturating_add(1), "c", None, at),
        revoke.as_ref().map_or_else(|| "nothing".into(), |next| word(&given.grant, "revoked", Some(next))),
        one.as_ref().map_or_else(|| "nothing".into(), |next| word(&given.grant, "one revoked", Some(next))),
    ]
}

#[test]
fn every_state_and_every_event() {
    const COLUMNS: [&str; 12] = [
        "redeem",
        "wrong verifier",
        "other client",
        "late",
        "refresh",
        "narrower",
        "wider",
        "refresh by another",
        "expired",
        "newer",
        "revoke",
        "revoke access",
    ];
    #[rustfmt::skip]
    let table: [(&str, Given, [&str; 12]); 5] = [
        ("issued", issued(), ["spent", "denied", "denied", "denied",
            "rolled back", "rolled back", "rolled back", "denied", "rolled back", "rolled back", "revoked", "nothing"]),
        ("live", live(), ["revoked", "denied", "denied", "revoked",
            "rotated", "rotated", "denied", "denied", "denied", "rolled back", "revoked", "one revoked"]),
        ("live, rotated", rotated(&[BEGIN]), ["revoked", "denied", "denied", "revoked",
            "rotated", "rotated", "denied", "denied", "denied", "rolled back", "revoked", "one revoked"]),
        ("a client's own", of_the_client_alone(), ["denied", "denied", "denied", "denied",
            "denied", "denied", "denied", "denied", "denied", "denied", "revoked", "one revoked"]),
        ("revoked", revoked(), ["denied", "denied", "denied", "denied",
            "denied", "denied", "denied", "denied", "denied", "denied", "nothing", "nothing"]),
    ];
    for (state, given, row) in table {
        for ((event, expected), found) in COLUMNS.iter().zip(row).zip(events(&given)) {
            assert_eq!(found, expected, "{state}: {event}");
        }
    }
}

#[test]
fn an_older_refresh_token_is_judged_by_its_generation_and_its_age() {
    let present = |given: &Given, generation, age| {
        refreshed(given, given.refresh(generation, "c", None, BEGIN + 9 + age, &terms()))
    };
    let once = rotated(&[BEGIN + 9]);
    let twice = rotated(&[BEGIN + 8, BEGIN + 9]);
    for (age, predecessor, grandparent) in [
        (0, "repeated", "stale"),
        (30, "repeated", "stale"),
        (31, "stale", "stale"),
        (33, "stale", "stale"),
        (34, "stale", "revoked"),
        (35, "revoked", "revoked"),
        (5000, "revoked", "revoked"),
    ] {
        assert_eq!(present(&once, 0, age), predecessor, "{age} s after its rotation");
        assert_eq!(present(&twice, 0, age), grandparent, "its successor was used {age} s ago");
    }
    let strict = Terms { leeway: Duration::ZERO, ..terms() };
    assert_eq!(refreshed(&once, once.refresh(0, "c", None, BEGIN + 9, &strict)), "revoked", "without leeway");
}

#[test]
fn a_slow_duplicate_is_told_from_a_theft_by_a_clock_behind_that_of_the_last_rotation() {
    // Retired at 0; then a process five seconds ahead rotates, 36 seconds later by its own clock.
    let given = rotated(&[BEGIN, BEGIN + 2, BEGIN + 36]);
    assert_eq!(refreshed(&given, given.refresh(0, "c", None, BEGIN + 33, &terms())), "stale");
    assert_eq!(refreshed(&given, given.refresh(0, "c", None, BEGIN + 35, &terms())), "revoked");
}

#[test]
fn a_rotation_gives_four_access_tokens_and_ten_seconds_give_five_rotations() {
    let mut given = rotated(&[BEGIN]);
    for scope in ["read", "write"] {
        let outcome = given.refresh(0, "c", Some(scope), BEGIN, &terms());
        let Refreshed::Further(next, tokens) = outcome else { panic!("{outcome:?}") };
        assert_eq!(tokens.refresh.as_deref(), given.refresh.get(1).map(|refresh| &**refresh));
        given.grant = next;
    }
    assert_eq!(refreshed(&given, given.refresh(0, "c", Some("read"), BEGIN, &terms())), "repeated");
    let five: Vec<u64> = (0..5).map(|at| BEGIN + at).collect();
    let given = rotated(&five);
    assert_eq!(refreshed(&given, given.refresh(5, "c", None, BEGIN + 9, &terms())), "too many");
    assert_eq!(refreshed(&given, given.refresh(5, "c", None, BEGIN + 10, &terms())), "rotated");
}
