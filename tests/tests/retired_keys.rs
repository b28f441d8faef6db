//! After a key is retired and taken out of the ring, nothing that it sealed stands in anybody's way (design section 6).

use proofkey::{Client, Secret, Server, User};
use proofkey_tests::{ADA, ISSUER, PASSWORD, REDIRECT_URI, World, configure, keys};
use serde_json::json;

const OLD: &str = "cJ8nAnXkXgY0R0hcJ3E4bZQf3t7x1s6pUo5v2wKq9dE=";
const NEW: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Promotes the new key, retires the old one and takes it out.
fn rotate(server: &Server) {
    server.replace_keys(&keys(&format!("{NEW},{OLD}"))).unwrap();
    server.retire_key(keys(OLD).ids()[0]).unwrap();
    server.replace_keys(&keys(NEW)).unwrap();
}

#[test]
fn who_was_signed_out_before_signs_in_after() {
    let world = World::new();
    world.sign_in();
    world.server.revoke_all(ADA).unwrap();
    world.server.revoke_client("web").unwrap();
    rotate(&world.server);
    let tokens = world.sign_in();
    assert!(world.works(&tokens.access));
    assert_eq!(world.server.revoke_all(ADA).unwrap(), 1);
    assert!(!world.works(&tokens.access));
}

#[test]
fn a_grant_that_is_over_is_no_trouble_to_listings() {
    let world = World::new();
    let tokens = world.sign_in();
    assert_eq!(world.revoke(&tokens.refresh).status, 200);
    rotate(&world.server);
    assert!(world.server.grants_of(ADA).unwrap().is_empty());
    assert_eq!(world.server.revoke_all(ADA).unwrap(), 0);
}

#[test]
fn a_grant_of_a_client_that_is_deleted_is_no_trouble_to_its_user() {
    let world = World::new();
    world.server.create_client(Client::public("stored").redirect_uri(REDIRECT_URI).first_party()).unwrap();
    assert_eq!(world.authorize(&json!({"client_id": "stored"})).status, 200);
    assert_eq!(world.server.delete_client("stored").unwrap(), 1);
    rotate(&world.server);
    assert!(world.server.grants_of(ADA).unwrap().is_empty());
    assert_eq!(world.server.revoke_all(ADA).unwrap(), 0);
}

#[test]
fn failures_counted_under_a_retired_key_are_forgotten_and_refuse_nobody() {
    let mut world = World::new();
    world.peer = None; // so many failures of one address would be too many
    let fails = |client: usize| {
        let client_id = format!("nobody-{client}");
        let fields = [("grant_type", "client_credentials"), ("client_id", client_id.as_str()), ("client_secret", "x")];
        world.form("/auth/token", &fields).outcome()
    };
    // Of 2^16 slots these fill so many that some of the clients below meet one by chance, the same ones in each run.
    for client in 0..1500 {
        assert_eq!(fails(client).0, 401);
    }
    rotate(&world.server);
    for client in 1500..3000 {
        assert_eq!(fails(client), (401, "invalid_client".to_owned()), "client {client}");
    }
}

#[test]
fn the_name_of_a_deleted_user_or_client_can_be_given_again() {
    let server = configure(Server::builder(ISSUER)).store(proofkey::store::MemoryStore::new()).build().unwrap();
    let client = || Client::public("stored").redirect_uri(REDIRECT_URI);
    server.create_user(User::new("ada"), Secret::from(PASSWORD)).unwrap();
    server.create_client(client()).unwrap();
    server.delete_user("ada").unwrap();
    server.delete_client("stored").unwrap();
    rotate(&server);
    server.create_user(User::new("ada"), Secret::from(PASSWORD)).unwrap();
    server.create_client(client()).unwrap();
    assert_eq!((server.stored_users().unwrap().len(), server.stored_clients().unwrap().len()), (1, 1));
}
