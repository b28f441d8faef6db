//! Two tenants over one store, told apart by `key_prefix` alone (design section 10): what one does, the other does not
//! see.

use std::sync::Arc;

use proofkey::{Client, Secret, User};
use proofkey_tests::{ADA, Browser, PASSWORD, REDIRECT_URI, Rows, World};
use serde_json::json;

fn tenants() -> [World; 2] {
    let rows = Arc::new(Rows::default());
    // The same keys and seeds: nothing but the prefix keeps them apart.
    ["one", "two"].map(|prefix| World::over(rows.clone(), |builder| builder.key_prefix(prefix)))
}

#[test]
fn tokens_and_sign_outs_of_a_tenant_are_its_own() {
    let [one, two] = tenants();
    let (of_one, of_two) = (one.sign_in(), two.sign_in());
    assert_eq!(one.server.grants_of(ADA).unwrap().len(), 1);
    assert!(one.works(&of_one.access) && two.works(&of_two.access));
    assert_eq!(one.server.revoke_all(ADA).unwrap(), 1);
    assert!(!one.works(&of_one.access));
    assert!(two.works(&of_two.access), "the other tenant's user of that name is signed in still");
    assert_eq!(two.server.revoke_client("web").unwrap(), 1);
    assert!(!two.works(&of_two.access));
}

#[test]
fn clients_users_and_browsers_of_a_tenant_are_its_own() {
    let [one, two] = tenants();
    for world in [&one, &two] {
        world.server.create_client(Client::public("stored").redirect_uri(REDIRECT_URI).first_party()).unwrap();
        world.server.create_user(User::new("bert"), Secret::from(PASSWORD)).unwrap();
        assert_eq!(world.server.stored_clients().unwrap().len(), 1);
        assert_eq!(world.server.stored_users().unwrap().len(), 1);
        Browser::new(world).sign_ada_in(&[]);
        assert_eq!(world.server.sessions_of(ADA).unwrap().len(), 1);
    }
    one.server.delete_client("stored").unwrap();
    one.server.delete_user("bert").unwrap();
    one.server.revoke_all(ADA).unwrap();
    let left = |world: &World| {
        let server = &world.server;
        let counts = (server.stored_clients().unwrap().len(), server.stored_users().unwrap().len());
        (counts, server.sessions_of(ADA).unwrap().len())
    };
    assert_eq!((left(&one), left(&two)), (((0, 0), 0), ((1, 1), 1)));
    assert_eq!(two.authorize(&json!({ "client_id": "stored" })).status, 200);
}
