//! What an operator sees of records: every kind of them, and nothing that helps to forge or to guess.

use std::collections::BTreeSet;
use std::sync::Arc;

use proofkey::{Client, ClientSecret, Secret, User};
use proofkey_tests::{Browser, Rows, World, secret_of};
use serde_json::Value;

#[test]
fn every_kind_of_record_can_be_seen_and_no_view_holds_a_secret() {
    let rows = Arc::new(Rows::default());
    let world = World::over(Arc::clone(&rows) as Arc<dyn proofkey::store::Store>, |builder| builder);
    world.server.check_in().unwrap();
    world.server.create_user(User::new("bert"), Secret::from("a passphrase of bert's")).unwrap();
    let secret = secret_of("stored");
    let client = Client::confidential("stored", ClientSecret::from_text(&Secret::from(&*secret)));
    world.server.create_client(client.redirect_uri("https://stored.example/cb")).unwrap();
    let (code, tokens) = (world.code(), world.sign_in());
    world.refresh(&tokens.refresh);
    world.authorize(&serde_json::json!({ "password": "wrong" }));
    let ended = world.sign_in();
    world.revoke(&ended.refresh);
    world.server.revoke_client("other").unwrap();
    let browser = Browser::new(&world);
    browser.sign_ada_in(&[]);
    let third = [("client_id", "third"), ("redirect_uri", "https://third.example/cb")];
    browser.decide(&browser.authorize(&third), "allow");

    let mut kinds = BTreeSet::new();
    for (key, record) in rows.all() {
        let view = world.server.record(key.as_str()).unwrap().expect("what is stored can be seen");
        kinds.insert(view.kind());
        let shown = serde_json::to_value(&view).unwrap();
        assert_eq!((&shown["key"], &shown["version"]), (&key.as_str().into(), &record.version().as_str().into()));
        let shown = shown.to_string();
        for secret in [&code, &tokens.access, &tokens.refresh, &ended.refresh, &secret] {
            // What stands behind the kind and the identifier of the grant, which is no secret.
            assert!(!shown.contains(&secret[secret.len() - 32..]), "{shown}");
        }
        assert!(!shown.contains("$2b$"), "{shown}");
        // Owners' tags and keys are hashes of names; in what a record says there is no digest.
        each_text(view.body(), &mut |text| assert!(text.len() < 43, "{text} in {shown}"));
    }
    let expected = ["client", "consent", "grant", "limit slot", "owner", "sentinel", "session", "user"];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn names_lead_to_the_records_and_what_is_nobodys_leads_to_none() {
    let world = World::new();
    world.server.create_user(User::new("Bert"), Secret::from("a passphrase of bert's")).unwrap();
    let view = world.server.record("user:bert").unwrap().unwrap();
    assert_eq!(view.body()["username"], "Bert");
    assert_eq!(world.server.record(view.key()).unwrap().unwrap().body(), view.body());
    for nothing in ["user:ada", "client:web", "grant:AAAAAAAAAAAAAAAAAAAAAA", "grant:x", "x:y", "x", "", "u.x y"] {
        assert!(world.server.record(nothing).unwrap().is_none(), "{nothing}");
    }
}

fn each_text(value: &Value, see: &mut dyn FnMut(&str)) {
    match value {
        Value::String(text) => see(text),
        Value::Array(list) => list.iter().for_each(|one| each_text(one, see)),
        Value::Object(fields) => fields.values().for_each(|one| each_text(one, see)),
        _ => {}
    }
}
