//! What an operator asks for and does not get, and what is told instead.

use proofkey::{
    AdminError, Client, ClientCredentials, ClientSecret, CodeExchange, ErrorCode, GrantType, Secret, Server,
};
use proofkey_tests::{Fault, KEY, REDIRECT_URI, SignedIn, World, configure, keys, secret_of};
use serde_json::json;

fn stored() -> Client {
    Client::public("stored").redirect_uri(REDIRECT_URI).first_party()
}

#[test]
fn a_client_is_registered_once_in_the_configuration_or_in_the_store() {
    let world = World::new();
    let configured = Client::public("web").redirect_uri(REDIRECT_URI);
    for refused in [world.server.create_client(configured.clone()), world.server.update_client(configured.clone())] {
        let told = refused.unwrap_err();
        assert!(matches!(&told, AdminError::Exists(_)) && told.to_string().contains("configuration"), "{told}");
    }
    let builder = configure(Server::builder(proofkey_tests::ISSUER)).client(configured);
    let told = builder.store(proofkey::store::MemoryStore::new()).build().map(drop).unwrap_err().to_string();
    assert!(told.contains("client web is configured twice"), "{told}");
}

#[test]
fn a_client_that_is_not_there_is_not_found_and_what_it_left_over_is_ended() {
    let world = World::new();
    let not_found = |told| matches!(told, Err(AdminError::NotFound(_)));
    assert!(not_found(world.server.delete_client("stored")));
    assert!(not_found(world.server.update_client(stored()).map(|()| 0)));
    world.server.create_client(stored()).unwrap();
    let code = world.code_with(&json!({ "client_id": "stored" }));
    let tokens = SignedIn::of(&world.redeem_with(&code, &[("client_id", "stored")]));
    // A deletion that fails between the client and its grants, and is repeated.
    for calls in 0.. {
        world.store.plan(std::iter::repeat_n(Fault::None, calls).chain(std::iter::repeat_n(Fault::Fail, 100)));
        assert!(world.server.delete_client("stored").is_err());
        world.store.plan([]);
        if world.server.stored_client("stored").unwrap().is_none() {
            break;
        }
    }
    assert!(world.works(&tokens.access), "it got no further");
    assert!(not_found(world.server.delete_client("stored")));
    assert!(!world.works(&tokens.access));
}

#[test]
fn the_primary_key_is_not_retired() {
    let told = World::new().server.retire_key(keys(KEY).ids()[0]).unwrap_err();
    assert!(told.to_string().contains("promote another one first"), "{told}");
}

#[test]
fn the_hosts_own_calls_are_bound_to_the_grant_types_of_a_client() {
    let secret = || ClientSecret::from_text(&Secret::from(&*secret_of("batch")));
    let batch = Client::confidential("batch", secret()).grant_types([GrantType::ClientCredentials]);
    let world = World::with(|builder| builder.client(batch));
    let credentials = || ClientCredentials::secret("batch", Secret::from(&*secret_of("batch")));
    let exchange = CodeExchange::new(Secret::from(&*world.code()), Secret::from(proofkey_tests::VERIFIER));
    let redeemed = world.server.redeem(credentials(), exchange).map(drop);
    let refreshed = world.server.refresh(credentials(), Secret::from(&*world.sign_in().refresh), None).map(drop);
    for outcome in [redeemed, refreshed] {
        assert_eq!(outcome.unwrap_err().code(), ErrorCode::UnauthorizedClient);
    }
}
