//! Secrets and passwords cannot be guessed by trying (RFC 6749 sections 2.3.1 and 10.10).

use proofkey::EventKind;
use proofkey_tests::{Reply, World, basic, secret_of};
use serde_json::json;

fn ask_as_client(world: &World, client: &str, secret: &str) -> Reply {
    let fields = [("grant_type", "client_credentials"), ("scope", "read")];
    world.form_with("/auth/token", &[("authorization", &basic(client, secret))], &fields)
}

fn assert_told_to_wait(reply: &Reply, at_most: u64) {
    assert_eq!(reply.outcome(), (429, "temporarily_unavailable".to_owned()));
    let wait: u64 = reply.header("retry-after").parse().unwrap();
    assert!((1..=at_most).contains(&wait), "{wait}");
}

#[test]
fn after_so_many_wrong_secrets_a_client_has_to_wait_and_then_it_works() {
    let _rows = proofkey_conformance::shows(&["rfc6749-2.3.1-5"]);
    let world = World::with(|builder| builder.set("limit_client", "5/1m"));
    let right = secret_of("chosen");
    for path in ["/auth/token", "/auth/revoke", "/auth/introspect"] {
        for guess in 0..5 {
            let header = basic("chosen", &format!("guess {guess}"));
            let reply = world.form_with(path, &[("authorization", &header)], &[("grant_type", "client_credentials")]);
            assert_eq!(reply.status, 401, "{path} {guess}");
        }
        world.take_events();
        assert_told_to_wait(&ask_as_client(&world, "chosen", "one more guess"), 60);
        assert!(world.take_events().contains(&EventKind::LimitReached));
        assert_told_to_wait(&ask_as_client(&world, "chosen", &right), 60);
        world.wait(60);
        assert_eq!(ask_as_client(&world, "chosen", &right).status, 200, "{path}");
        world.wait(60);
    }
}

#[test]
fn a_generated_secret_cannot_be_guessed_so_strangers_do_not_lock_its_client_out() {
    let world = World::with(|builder| builder.set("limit_client", "5/1m"));
    for guess in 0..5 {
        assert_eq!(ask_as_client(&world, "service", &format!("guess {guess}")).status, 401);
    }
    assert_told_to_wait(&ask_as_client(&world, "service", "one more guess"), 60);
    assert_eq!(ask_as_client(&world, "service", &secret_of("service")).status, 200);
}

fn sign_in(world: &World, password: &str) -> Reply {
    world.authorize(&json!({ "password": password }))
}

#[test]
fn after_so_many_wrong_passwords_the_right_one_gets_the_same_answer_as_a_wrong_one() {
    let _rows = proofkey_conformance::shows(&["rfc6749-10.10-3"]);
    let world = World::with(|builder| builder.set("limit_user", "5/15m"));
    for guess in 0..5 {
        assert_eq!(sign_in(&world, &format!("guess {guess}")).outcome(), (400, "access_denied".to_owned()));
    }
    world.wait(10);
    let (wrong, right) = (sign_in(&world, "one more guess"), sign_in(&world, proofkey_tests::PASSWORD));
    assert_told_to_wait(&right, 890);
    assert_eq!((wrong.status, &wrong.headers, &wrong.body), (right.status, &right.headers, &right.body));
    let other = world.authorize(&json!({"username": "bob", "password": "another long passphrase"}));
    assert_eq!(other.status, 200, "nobody else has to wait");
    world.wait(890);
    assert_eq!(sign_in(&world, proofkey_tests::PASSWORD).status, 200);
}

#[test]
fn a_sign_in_forgets_the_failures_before_it() {
    let world = World::with(|builder| builder.set("limit_user", "5/15m"));
    for _ in 0..4 {
        for guess in 0..4 {
            assert_eq!(sign_in(&world, &format!("guess {guess}")).status, 400);
        }
        assert_eq!(sign_in(&world, proofkey_tests::PASSWORD).status, 200);
    }
}
