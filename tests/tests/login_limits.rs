//! Limits on guessing passwords and client secrets: who is held off, who is not, and that nobody slips through.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use proofkey::{Authenticator, EventKind, Secret, StoreError, UserAnswer};
use proofkey_tests::{ADA, Call, Fault, PASSWORD, Reply, Rows, World, secret_of};
use serde_json::json;

const FORM: &str = "application/x-www-form-urlencoded";
const WRONG: &str = "a wrong one, this";

/// A host whose every answer is an error.
struct Failing;

impl Authenticator for Failing {
    fn authenticate(&self, _: &str, _: &Secret) -> Result<UserAnswer, StoreError> {
        Err(StoreError::new("the directory says no"))
    }

    fn find(&self, _: &str) -> Result<UserAnswer, StoreError> {
        Err(StoreError::new("the directory says no"))
    }
}

fn guess(world: &mut World, from: &str, name: &str, password: &str) -> u16 {
    world.peer = Some(from.parse().unwrap());
    world.authorize(&json!({ "username": name, "password": password })).status.as_u16()
}

/// So many wrong guesses, all of which must be judged.
fn fail(world: &mut World, from: &str, name: &str, times: usize) {
    for at in 0..times {
        assert_eq!(guess(world, from, name, WRONG), 400, "guess {at} at {name} from {from}");
    }
}

fn sign_in(world: &mut World, from: &str) -> u16 {
    guess(world, from, "ada@example.com", PASSWORD)
}

fn client_token(world: &World, client_id: &str, secret: &str) -> Reply {
    let fields =
        [("grant_type", "client_credentials"), ("scope", "read"), ("client_id", client_id), ("client_secret", secret)];
    world.form("/auth/token", &fields)
}

/// The client with the chosen secret, in its own way.
fn chosen_token(world: &World) -> Reply {
    let headers = [("authorization", "Basic Y2hvc2VuOmElMjBzZWNyZXQlMjB0aGF0JTIwc29tZWJvZHklMjBjaG9zZQ==")];
    world.form_with("/auth/token", &headers, &[("grant_type", "client_credentials"), ("scope", "read")])
}

#[test]
fn after_ten_failures_a_user_is_refused_from_that_address_until_the_window_ends() {
    let _rows = proofkey_conformance::shows(&["passwords-login-3", "rfc6749-10.10-3"]);
    let mut world = World::new();
    fail(&mut world, "192.0.2.1", "ada@example.com", 10);
    world.clock.advance(Duration::from_secs(100));
    world.take_events();
    let reply = world.authorize(&json!({}));
    assert_eq!(reply.outcome(), (429, "temporarily_unavailable".to_owned()));
    assert_eq!(reply.header("retry-after"), "800");
    assert_eq!(world.take_events(), [EventKind::LimitReached, EventKind::Refused], "no password was looked at");
    assert_eq!(sign_in(&mut world, "192.0.2.2"), 200);
    world.clock.advance(Duration::from_secs(799));
    assert_eq!(sign_in(&mut world, "192.0.2.1"), 429);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(sign_in(&mut world, "192.0.2.1"), 200);
}

#[test]
fn the_limit_tells_nothing_about_who_exists_and_knows_a_name_in_every_case() {
    let _rows = proofkey_conformance::shows(&["passwords-login-1", "passwords-login-3"]);
    let mut world = World::new();
    fail(&mut world, "192.0.2.1", "nobody", 10);
    let unknown = world.authorize(&json!({ "username": "Nobody", "password": WRONG }));
    fail(&mut world, "192.0.2.1", "ada@example.com", 10);
    let known = world.authorize(&json!({ "username": "ADA@example.com", "password": WRONG }));
    assert_eq!((unknown.status.as_u16(), &unknown.headers), (429, &known.headers));
    assert_eq!((unknown.status, unknown.body), (known.status, known.body));
}

#[test]
fn a_stranger_at_one_address_cannot_lock_a_user_out() {
    let _rows = proofkey_conformance::shows(&["passwords-login-3"]);
    let mut world = World::with(|builder| builder.limit_address("off"));
    fail(&mut world, "198.51.100.7", "ada@example.com", 10);
    for _ in 0..1000 {
        assert_eq!(guess(&mut world, "198.51.100.7", "ada@example.com", WRONG), 429);
    }
    assert_eq!(sign_in(&mut world, "192.0.2.1"), 200);
}

#[test]
fn guesses_from_everywhere_end_at_ten_times_the_limit() {
    let _rows = proofkey_conformance::shows(&["passwords-login-3"]);
    let mut world = World::new();
    for address in 1..=10 {
        fail(&mut world, &format!("198.51.100.{address}"), "ada@example.com", 10);
    }
    assert_eq!(sign_in(&mut world, "192.0.2.1"), 429);
    assert_eq!(guess(&mut world, "192.0.2.1", "bob", "another long passphrase"), 200);
    world.clock.advance(Duration::from_secs(900));
    assert_eq!(sign_in(&mut world, "192.0.2.1"), 200);
}

#[test]
fn one_address_is_held_off_after_a_hundred_failures_at_any_names() {
    let _rows = proofkey_conformance::shows(&["passwords-login-3"]);
    let mut world = World::new();
    for name in 0..100 {
        fail(&mut world, "192.0.2.1", &format!("name {name}"), 1);
    }
    assert_eq!(sign_in(&mut world, "192.0.2.1"), 429);
    assert_eq!(sign_in(&mut world, "192.0.2.2"), 200);
}

#[test]
fn a_success_clears_the_users_failures_and_not_the_addresses() {
    let _rows = proofkey_conformance::shows(&["passwords-login-3"]);
    let mut world = World::with(|builder| builder.limit_address("20/15m"));
    for _ in 0..2 {
        fail(&mut world, "192.0.2.1", "ada@example.com", 9);
        assert_eq!(sign_in(&mut world, "192.0.2.1"), 200, "the failures before were forgotten");
    }
    // 18 failures are left to the address; the two successes were given back.
    fail(&mut world, "192.0.2.1", "bob", 2);
    assert_eq!(sign_in(&mut world, "192.0.2.1"), 429);
}

#[test]
fn successes_alone_use_up_no_limit() {
    let _rows = proofkey_conformance::shows(&["passwords-login-3"]);
    let mut world = World::with(|builder| builder.limit_user("2/15m").limit_address("3/15m"));
    for _ in 0..30 {
        assert_eq!(sign_in(&mut world, "192.0.2.1"), 200);
    }
}

#[test]
fn a_thousand_parallel_guesses_do_not_slip_through() {
    let _rows = proofkey_conformance::shows(&["passwords-login-3"]);
    let world = World::new();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..20)
            .map(|_| {
                scope.spawn(|| {
                    let guess = || world.authorize(&json!({ "password": WRONG })).status.as_u16();
                    (0..50).map(|_| guess()).collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().copied().collect::<BTreeSet<_>>(), [400, 429].into());
    let judged = world.take_events().iter().filter(|kind| **kind == EventKind::LoginFailed).count();
    assert!((1..=10).contains(&judged), "{judged} were judged");
    assert_eq!(world.authorize(&json!({})).status, 429);
}

#[test]
fn a_store_that_cannot_count_lets_nobody_guess() {
    let _rows = proofkey_conformance::shows(&["passwords-login-3"]);
    let world = World::new();
    world.store.set_down(true);
    assert_eq!(world.authorize(&json!({})).outcome(), (503, "temporarily_unavailable".to_owned()));
    assert!(!world.take_events().iter().any(|kind| [EventKind::LoginFailed, EventKind::LoginSucceeded].contains(kind)));
}

#[test]
fn an_attempt_that_nobody_could_judge_is_given_back() {
    let _rows = proofkey_conformance::shows(&["passwords-login-3"]);
    let mut world = World::new();
    world.people.lose(ADA);
    for _ in 0..200 {
        assert_eq!(sign_in(&mut world, "192.0.2.1"), 503);
    }
    world.people.restore(ADA);
    assert_eq!(sign_in(&mut world, "192.0.2.1"), 200);
}

#[test]
fn an_attempt_that_one_limit_refuses_is_held_against_nobody_by_another() {
    let _rows = proofkey_conformance::shows(&["passwords-login-3"]);
    let mut world = World::new();
    for address in 1..=10 {
        fail(&mut world, &format!("198.51.100.{address}"), "ada@example.com", 10);
    }
    world.clock.advance(Duration::from_secs(600));
    for _ in 0..200 {
        assert_eq!(sign_in(&mut world, "192.0.2.1"), 429, "the guesses of others");
    }
    world.clock.advance(Duration::from_secs(300));
    assert_eq!(sign_in(&mut world, "192.0.2.1"), 200, "she has guessed nothing herself");
}

#[test]
fn an_address_that_is_held_off_cannot_lock_a_client_out() {
    let _rows = proofkey_conformance::shows(&["rfc6749-2.3.1-5"]);
    let mut world = World::with(|builder| builder.limit_address("20/15m"));
    world.peer = Some("198.51.100.7".parse().unwrap());
    for _ in 0..20 {
        assert_eq!(client_token(&world, "chosen", "wrong").status, 401);
    }
    for _ in 0..100 {
        assert_eq!(client_token(&world, "chosen", "wrong").status, 429);
    }
    world.peer = Some("192.0.2.1".parse().unwrap());
    assert_eq!(chosen_token(&world).status, 200);
}

#[test]
fn a_host_that_calls_a_wrong_password_a_failure_is_limited_all_the_same() {
    let _rows = proofkey_conformance::shows(&["passwords-login-3"]);
    let mut world = World::with(|builder| builder.authenticator(Failing));
    for _ in 0..10 {
        assert_eq!(sign_in(&mut world, "192.0.2.1"), 503);
    }
    assert_eq!(sign_in(&mut world, "192.0.2.1"), 429);
}

#[test]
fn an_ipv6_address_counts_with_its_whole_64_and_an_ipv4_one_in_both_forms() {
    let _rows = proofkey_conformance::shows(&["secrets-rate-1"]);
    let mut world = World::new();
    for host in 1..=10 {
        fail(&mut world, &format!("2001:db8:1:2::{host}"), "ada@example.com", 1);
    }
    assert_eq!(sign_in(&mut world, "2001:db8:1:2:ffff:ffff:ffff:ffff"), 429);
    assert_eq!(sign_in(&mut world, "2001:db8:1:3::1"), 200);
    fail(&mut world, "192.0.2.1", "ada@example.com", 10);
    assert_eq!(sign_in(&mut world, "::ffff:192.0.2.1"), 429);
}

#[test]
fn a_forwarded_address_counts_only_from_proxies_that_were_named() {
    let _rows = proofkey_conformance::shows(&["secrets-rate-1"]);
    let from = |world: &World, forwarded: &str, password: &str| {
        let body = json!({ "client_id": "web", "redirect_uri": proofkey_tests::REDIRECT_URI,
            "code_challenge": proofkey_tests::CHALLENGE, "code_challenge_method": "S256", "scope": "read",
            "username": "ada@example.com", "password": password });
        let headers = [("content-type", "application/json"), ("x-forwarded-for", forwarded)];
        world.request(http::Method::POST, "/auth/authorize", &headers, body.to_string()).status.as_u16()
    };
    // Not assumed: whatever the header says, it is the peer who guesses.
    let alone = World::new();
    for hop in 1..=10 {
        assert_eq!(from(&alone, &format!("198.51.100.{hop}"), WRONG), 400);
    }
    assert_eq!(from(&alone, "203.0.113.9", PASSWORD), 429);
    // Named: the rightmost hop that is no proxy; what stands before it was written by the client.
    let behind = World::with(|builder| builder.trusted_proxies("192.0.2.0/24, 10.0.0.0/8"));
    for forged in 1..=10 {
        assert_eq!(from(&behind, &format!("203.0.113.{forged}, 198.51.100.1, 10.0.0.3"), WRONG), 400);
    }
    assert_eq!(from(&behind, "203.0.113.77, 198.51.100.1", PASSWORD), 429);
    assert_eq!(from(&behind, "198.51.100.2", PASSWORD), 200);
    // A hop that is no address: the last one that is.
    assert_eq!(from(&behind, "unknown, 198.51.100.1, 10.0.0.3", PASSWORD), 429);
}

#[test]
fn a_client_whose_secret_can_be_guessed_is_refused_after_thirty_failures() {
    let _rows = proofkey_conformance::shows(&["rfc6749-2.3.1-5"]);
    let world = World::new();
    for _ in 0..30 {
        assert_eq!(client_token(&world, "chosen", "wrong").outcome(), (401, "invalid_client".to_owned()));
    }
    let reply = client_token(&world, "chosen", &secret_of("chosen"));
    assert_eq!(reply.outcome(), (429, "temporarily_unavailable".to_owned()));
    assert_eq!(reply.header("retry-after"), "60");
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(chosen_token(&world).status, 200);
}

#[test]
fn a_generated_secret_works_however_many_others_fail() {
    let _rows = proofkey_conformance::shows(&["rfc6749-2.3.1-5"]);
    let world = World::new();
    for _ in 0..30 {
        assert_eq!(client_token(&world, "poster", "wrong").status, 401);
    }
    assert_eq!(client_token(&world, "poster", "wrong").status, 429);
    assert_eq!(client_token(&world, "poster", &secret_of("poster")).status, 200);
}

/// Forty thousand counters, of which a quarter must share a row; a million would only take longer.
#[test]
fn any_number_of_names_and_addresses_fills_a_bounded_number_of_rows() {
    let _rows = proofkey_conformance::shows(&["secrets-rate-1"]);
    let rows = Arc::new(Rows::default());
    let world = World::over(rows.clone(), |builder| builder);
    let (threads, each) = (4_u32, 5_000_u32);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let server = &world.server;
            scope.spawn(move || {
                for at in thread * each..(thread + 1) * each {
                    let body = format!("grant_type=client_credentials&client_id=client{at}&client_secret=wrong");
                    let request = http::Request::post("/auth/token").header(CONTENT_TYPE, FORM);
                    let peer = IpAddr::from((at * 7919).to_be_bytes());
                    let status = server.handle(request.body(body.into()).unwrap(), Some(peer)).status();
                    assert!([401, 429].contains(&status.as_u16()), "{status}");
                }
            });
        }
    });
    assert!(rows.len() <= 1 << 16 && rows.len() < 32_768, "{} rows", rows.len());
    assert!(rows.all().iter().all(|(_, record)| record.body().len() < 200));
}

/// Two processes that let the same user in at once take their attempts back from the same slot.
#[test]
fn an_attempt_is_taken_back_though_the_slot_is_lost_to_another_meanwhile() {
    let world = World::with(|builder| builder.set("limit_user", "1/60s").set("limit_address", "off"));
    let refunds = |at: usize| {
        world.store.take_calls();
        world.store.plan(std::iter::repeat_n(Fault::None, at).chain([Fault::Conflict]));
        let status = world.authorize(&serde_json::Value::Null).status;
        world.store.plan([]);
        (status.as_u16(), world.store.take_calls())
    };
    let deletions = |calls: &[Call]| calls.iter().filter(|call| **call == Call::Delete).count();
    let (status, smooth) = refunds(100);
    assert_eq!(status, 200);
    let at = smooth.iter().position(|call| *call == Call::Delete).unwrap();
    for _ in 0..2 {
        let (status, calls) = refunds(at);
        assert_eq!((status, deletions(&calls)), (200, deletions(&smooth) + 1), "it is tried again");
    }
}
