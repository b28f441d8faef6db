//! A tenant in whose store every kind of record was written, and what was there before.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use proofkey::core::{Key, Query, Record, UnixTime, Version, Write};
use proofkey::store::Store;
use proofkey::{Client, Secret, StoreError, User, UserChange};
use proofkey_tests::{
    KEY, NEXT_URI, OLD_KEY, PASSWORD, REDIRECT_URI, Reply, Rows, START, SignedIn, THIRD_URI, Visit, World,
    authorization, hidden, keys,
};
use serde_json::json;

const ADA: &str = "ada@example.com";

/// Rows, with what stood in them before.
#[derive(Default)]
pub(crate) struct Remembering {
    pub(crate) rows: Rows,
    pub(crate) before: Mutex<BTreeMap<Key, Record>>,
}

impl Store for Remembering {
    fn get(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        self.rows.get(key)
    }

    fn put(&self, write: &Write) -> Result<bool, StoreError> {
        let old = self.rows.get(write.key())?;
        let stored = self.rows.put(write)?;
        if let Some(old) = old.filter(|_| stored) {
            self.before.lock().unwrap_or_else(PoisonError::into_inner).insert(write.key().clone(), old);
        }
        Ok(stored)
    }

    fn delete(&self, key: &Key, expect: &Version) -> Result<bool, StoreError> {
        self.rows.delete(key, expect)
    }

    fn find(&self, query: &Query) -> Result<Vec<Key>, StoreError> {
        self.rows.find(query)
    }

    fn sweep(&self, now: UnixTime, limit: usize) -> Result<usize, StoreError> {
        self.rows.sweep(now, limit)
    }
}

/// What clients and browsers hold.
#[derive(Clone)]
pub(crate) struct Holdings {
    pub(crate) web: SignedIn,
    pub(crate) portal: SignedIn,
    pub(crate) stored: SignedIn,
    pub(crate) code: String,
    pub(crate) cookies: String,
}

/// A tenant in which every kind of record was written at least twice.
pub(crate) fn live(store: &Arc<Remembering>, prefix: &str, seed: u64) -> Holdings {
    let with = |ring: &str, seed: u64| {
        let ring = keys(ring);
        World::with_own_users(store.clone(), |builder| builder.key_prefix(prefix).keys(ring).seed(seed))
    };
    with(&format!("{OLD_KEY},{KEY}"), seed).server.check_in().unwrap();
    let world = with(&format!("{KEY},{OLD_KEY}"), seed + 1);
    world.server.check_in().unwrap();
    for (client_id, uri) in [("stored", NEXT_URI), ("stored", REDIRECT_URI), ("spare", REDIRECT_URI)] {
        let client = Client::public(client_id).redirect_uri(uri).first_party();
        let created = world.server.create_client(client.clone());
        created.or_else(|_| world.server.update_client(client)).unwrap();
    }
    for name in [ADA, "bob"] {
        let subject = world.server.create_user(User::new(name), Secret::from("another of theirs")).unwrap();
        world.server.change_user(name, UserChange::Password(Secret::from(PASSWORD))).unwrap();
        world.server.revoke_all(&subject).unwrap();
        for _ in 0..2 {
            world.authorize(&json!({ "username": name, "password": "a wrong one" }));
        }
    }
    let (cookies, _) = browse(&world, ADA);
    browse(&world, "bob");
    world.authorize(&json!({ "password": "a wrong one" }));
    world.authorize(&json!({ "password": "a wrong one" }));
    let stored = world.redeem_with(&world.code_with(&json!({"client_id": "stored"})), &[("client_id", "stored")]);
    Holdings {
        web: world.sign_in(),
        portal: world.sign_in_as("portal", &json!({})),
        stored: SignedIn::of(&stored),
        code: world.code(),
        cookies,
    }
}

/// Signs in, and agrees twice to what the client `third` asks for, the second time to more. The clock comes back.
fn browse(world: &World, name: &str) -> (String, Reply) {
    let visit = Visit::new(world);
    assert_eq!(visit.sign_in(name, PASSWORD).status, 303);
    let mut last = None;
    for scope in ["read", "read%20write"] {
        let path = authorization("third", THIRD_URI).replace("scope=read", &format!("scope={scope}"));
        let page = visit.get(&path);
        let [request, token] = ["request", "form_token"].map(|name| hidden(&page, name));
        let fields = [("request", &*request), ("form_token", &token), ("decision", "allow")];
        last = Some(visit.post("/auth/consent", &fields));
    }
    // A use of the sign-in is written down once a minute.
    world.clock.set(START + 90);
    assert!(visit.is_signed_in());
    world.clock.set(START);
    (visit.cookies(), last.unwrap())
}
