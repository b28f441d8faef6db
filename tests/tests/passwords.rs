//! Passwords of users that the server keeps itself: what can be set, what signs in, and when a hash is replaced.

use std::sync::Arc;

use proofkey::{Secret, Server, Settings, User, UserChange};
use proofkey_tests::{Rows, World};
use serde_json::json;

const NAME: &str = "grace";
const PASSPHRASE: &str = "nobody guesses this one";

fn own() -> World {
    World::with_own_users(Arc::new(Rows::default()), |builder| builder.limit_user("off"))
}

fn set(world: &World, password: &str) -> Result<String, String> {
    let user = User::new(NAME).with_username(NAME);
    world.server.create_user(user, Secret::from(password)).map_err(|error| error.to_string())
}

fn change(world: &World, password: &str) -> Result<(), String> {
    let change = UserChange::Password(Secret::from(password));
    world.server.change_user(NAME, change).map_err(|error| error.to_string())
}

fn signs_in(world: &World, password: &str) -> bool {
    let reply = world.authorize(&json!({ "username": NAME, "password": password }));
    let refused = [(400, "access_denied".to_owned()), (400, "invalid_request".to_owned())];
    assert!(reply.status == 200 || refused.contains(&reply.outcome()), "{reply:?}");
    reply.status == 200
}

#[test]
fn at_most_71_bytes_can_be_set_in_every_way_and_nothing_is_cut() {
    let _rows = proofkey_conformance::shows(&["passwords-hash-1"]);
    let of_length = |length: usize| "0123456789abcdefghij".chars().cycle().take(length).collect::<String>();
    for length in [72, 73, 100, 1000] {
        let world = own();
        let told = set(&world, &of_length(length)).unwrap_err();
        assert!(told.contains("longer than 71 bytes"), "{told}");
        set(&world, PASSPHRASE).unwrap();
        assert!(change(&world, &of_length(length)).unwrap_err().contains("longer than 71 bytes"));
        assert!(!signs_in(&world, &of_length(length)) && signs_in(&world, PASSPHRASE));
    }
    let world = own();
    set(&world, &of_length(71)).unwrap();
    assert!(signs_in(&world, &of_length(71)));
    for length in [70, 72, 73, 142] {
        assert!(!signs_in(&world, &of_length(length)), "{length}");
    }
}

#[test]
fn the_limit_counts_bytes_and_not_characters() {
    let _rows = proofkey_conformance::shows(&["passwords-hash-2"]);
    let alphabet: String = "àáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿāăąćĉċč".to_owned();
    let letters = |count: usize| alphabet.chars().take(count).collect::<String>();
    assert_eq!((letters(36).len(), letters(37).len()), (72, 74));
    for count in [36, 37] {
        assert!(set(&own(), &letters(count)).is_err(), "{count}");
    }
    for fits in [letters(35), letters(35) + "a"] {
        let world = own();
        set(&world, &fits).unwrap();
        assert!(signs_in(&world, &fits));
    }
}

#[test]
fn a_nul_shortens_nothing() {
    let _rows = proofkey_conformance::shows(&["passwords-hash-3"]);
    let world = own();
    set(&world, "before the nul\0after it").unwrap();
    assert!(signs_in(&world, "before the nul\0after it"));
    for other in ["before the nul", "before the nul\0", "before the nul\0after", "before the nul\0another"] {
        assert!(!signs_in(&world, other), "{other:?}");
    }
}

#[test]
fn a_letter_composed_and_decomposed_are_two_passwords() {
    let _rows = proofkey_conformance::shows(&["passwords-hash-9"]);
    let (composed, decomposed) = ("caf\u{e9} au lait, s'il te pla\u{ee}t", "cafe\u{301} au lait, s'il te plai\u{302}t");
    for (kept, other) in [(composed, decomposed), (decomposed, composed)] {
        let world = own();
        set(&world, kept).unwrap();
        assert!(signs_in(&world, kept) && !signs_in(&world, other));
    }
}

#[test]
fn an_empty_password_is_never_set_and_never_signs_in() {
    let _rows = proofkey_conformance::shows(&["passwords-hash-5"]);
    assert!(set(&own(), "").unwrap_err().contains("empty"));
    // A host's table with a hash of the empty text; `bcrypt-known-4` of the vectors.
    let hosted = World::new();
    hosted.people.set_hash(proofkey_tests::ADA, "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy");
    for empty in [json!({ "password": "" }), json!({ "password": null })] {
        assert_eq!(hosted.authorize(&empty).outcome(), (400, "invalid_request".to_owned()));
    }
}

#[test]
fn length_and_a_list_decide_and_no_kind_of_character_is_demanded() {
    let _rows = proofkey_conformance::shows(&["passwords-login-6"]);
    let eight = || World::with_own_users(Arc::new(Rows::default()), |builder| builder.password_min_length(8));
    assert!(set(&eight(), "jwkpqzv").unwrap_err().contains("shorter"));
    set(&eight(), "jwkpqzvm").unwrap();
    // Seven letters of two bytes each are seven characters.
    assert!(set(&eight(), "äöüäöüß").unwrap_err().contains("shorter"));
    for common in ["password", "Password123!", "12345678", "iloveyou", "qwertyuiop", "aaaaaaaaaaaa"] {
        assert!(set(&eight(), common).unwrap_err().contains("common"), "{common}");
    }
    assert!(set(&own(), "fourteen chars").unwrap_err().contains("shorter"), "15 unless configured");
    let world = own();
    set(&world, "only lower case letters").unwrap();
    assert!(change(&world, "passwordpassword").unwrap_err().contains("common"));
    assert!(signs_in(&world, "only lower case letters"));
}

#[test]
fn the_cost_has_a_floor_and_a_default_and_is_read_from_the_hash() {
    let _rows = proofkey_conformance::shows(&["passwords-hash-6"]);
    let refused = Server::builder("https://as.example").password_cost(4).build().unwrap_err().to_string();
    assert!(refused.contains("password_cost") && refused.contains("10"), "{refused}");
    assert_eq!(Settings::new().text("password_cost").as_deref(), Some("12"));
    let rows = Arc::new(Rows::default());
    let at = |cost| World::with_own_users(rows.clone(), |builder| builder.password_cost(cost));
    set(&at(10), PASSPHRASE).unwrap();
    assert!(signs_in(&at(12), PASSPHRASE));
}
