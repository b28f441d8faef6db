//! What the store gets to see, and what happens when somebody moves its rows about.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proofkey::core::{Key, Query, Record, UnixTime, Version, Write};
use proofkey::store::Store;
use proofkey::{Client, ClientSecret, EventKind, Secret, StoreError, User};
use proofkey_tests::{PASSWORD, REDIRECT_URI, Rows, SignedIn, VERIFIER, World, core};
use serde_json::json;
use sha2::{Digest as _, Sha256};

/// A store that keeps every argument of every call, as bytes.
#[derive(Default)]
struct Listening {
    rows: Rows,
    heard: Mutex<Vec<Vec<u8>>>,
}

impl Listening {
    fn hear(&self, argument: &impl Debug, body: &[u8]) {
        let mut heard = self.heard.lock().unwrap();
        heard.extend([format!("{argument:?}").into_bytes(), body.to_vec()]);
    }

    fn heard(&self) -> Vec<u8> {
        self.heard.lock().unwrap().concat()
    }
}

impl Store for Listening {
    fn get(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        self.hear(key, b"");
        self.rows.get(key)
    }

    fn put(&self, write: &Write) -> Result<bool, StoreError> {
        self.hear(write, write.body());
        self.rows.put(write)
    }

    fn delete(&self, key: &Key, expect: &Version) -> Result<bool, StoreError> {
        self.hear(&(key, expect), b"");
        self.rows.delete(key, expect)
    }

    fn find(&self, query: &Query) -> Result<Vec<Key>, StoreError> {
        self.hear(query, b"");
        self.rows.find(query)
    }

    fn sweep(&self, now: UnixTime, limit: usize) -> Result<usize, StoreError> {
        self.rows.sweep(now, limit)
    }
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// The 20 secret bytes of a code or token.
fn secret_of_token(token: &str) -> Vec<u8> {
    let body = URL_SAFE_NO_PAD.decode(&token[token.len() - 64..]).unwrap();
    assert_eq!(body.len(), 48);
    body[20..40].to_vec()
}

/// Everything that a client and a user may not have shown: each as it went over the wire, and as raw bytes.
struct Issued {
    texts: Vec<String>,
    tokens: Vec<String>,
    client_secret: String,
}

/// A whole life: a stored client and a user, a sign-in, two refreshes, a look, a revocation.
fn live(world: &World) -> Issued {
    let (kept, client_secret) = ClientSecret::generate([0x5a; 32]);
    world.server.create_client(Client::confidential("stored", kept).redirect_uri(REDIRECT_URI)).unwrap();
    let user = User::new("ada").with_username("ada@example.com").with_claim("name", "Ada L.");
    world.server.create_user(user, Secret::from(PASSWORD)).unwrap();
    let code = world.code();
    let first = SignedIn::of(&world.redeem(&code));
    let second = SignedIn::of(&world.refresh(&first.refresh));
    world.refresh(&first.refresh);
    assert!(world.works(&second.access));
    world.form_as("inspector", "/auth/introspect", &[("token", &second.access)]);
    world.authorize(&json!({ "password": "a wrong password canary" }));
    world.revoke(&second.refresh);
    world.redeem(&code);
    let client_secret = client_secret.expose_text().unwrap().to_owned();
    let tokens = vec![code, first.access, first.refresh, second.access, second.refresh];
    let typed = [PASSWORD, "a wrong password canary", VERIFIER, &client_secret].map(str::to_owned);
    Issued { texts: tokens.iter().cloned().chain(typed).collect(), tokens, client_secret }
}

#[test]
fn nothing_that_the_store_is_called_with_holds_a_secret() {
    let _rows = proofkey_conformance::shows(&["secrets-store-2"]);
    let store = Arc::new(Listening::default());
    let world = World::with_own_users(store.clone(), |builder| builder);
    let issued = live(&world);
    let heard = store.heard();
    assert!(heard.len() > 5000, "the store was called");
    for text in &issued.texts {
        assert!(!holds(&heard, text.as_bytes()), "{text}");
    }
    for token in &issued.tokens {
        assert!(!holds(&heard, &secret_of_token(token)), "{token}");
        assert!(!holds(&heard, URL_SAFE_NO_PAD.encode(secret_of_token(token)).as_bytes()), "{token}");
    }
}

#[test]
fn even_an_opened_record_holds_digests_only() {
    let _rows = proofkey_conformance::shows(&["secrets-store-1"]);
    let rows = Arc::new(Rows::default());
    let world = World::with_own_users(rows.clone(), |builder| builder);
    let issued = live(&world);
    let tokens = world.sign_in();
    let (mut sealed, mut opened) = (Vec::new(), Vec::new());
    for (key, record) in rows.all() {
        sealed.extend([key.as_str().as_bytes(), record.body()].concat());
        opened.extend(core().unsealed(&key, &record).unwrap());
    }
    let secrets = [tokens.access.as_str(), &tokens.refresh].map(str::to_owned);
    for text in issued.texts.iter().chain(&secrets) {
        assert!(!holds(&sealed, text.as_bytes()) && !holds(&opened, text.as_bytes()), "{text}");
    }
    for token in issued.tokens.iter().chain(&secrets) {
        let secret = secret_of_token(token);
        assert!(!holds(&sealed, &secret) && !holds(&opened, &secret), "{token}");
    }
    // What is live is there as a digest, and only inside the seal.
    let digests = secrets.iter().map(|token| Sha256::digest(secret_of_token(token)));
    for digest in digests.chain([Sha256::digest(&issued.client_secret)]) {
        assert!(holds(&opened, &digest) && !holds(&sealed, &digest));
    }
}

#[test]
fn a_record_under_another_key_or_an_old_one_under_a_new_version_is_refused() {
    let _rows = proofkey_conformance::shows(&["fernet-use-3"]);
    let rows = Arc::new(Rows::default());
    let world = World::over(rows.clone(), |builder| builder);
    let grants = || rows.all().into_iter().filter(|(key, _)| key.as_str().starts_with("g.")).collect::<Vec<_>>();
    let adas = world.sign_in();
    let (adas_key, adas_record) = grants().remove(0);
    let bobs = {
        let login = json!({ "username": "bob", "password": "another long passphrase" });
        SignedIn::of(&world.redeem(&world.authorize(&login).text("code")))
    };
    let (bobs_key, bobs_record) = grants().into_iter().find(|(key, _)| *key != adas_key).unwrap();
    let refused = |token: &SignedIn| {
        world.take_events();
        assert_eq!(world.refresh(&token.refresh).outcome(), (500, "server_error".to_owned()));
        assert!(!world.works(&token.access));
        assert!(world.take_events().contains(&EventKind::RecordBroken));
    };
    rows.overwrite(&bobs_key, adas_record.clone());
    refused(&bobs);
    rows.overwrite(&bobs_key, bobs_record.clone());
    assert!(world.works(&bobs.access) && world.works(&adas.access));
    // An old body cannot pass for the current one: after a revocation, say.
    world.revoke(&adas.refresh);
    let (_, revoked) = grants().into_iter().find(|(key, _)| *key == adas_key).unwrap();
    rows.overwrite(&adas_key, Record::new(*revoked.version(), adas_record.body().clone()));
    refused(&adas);
    // A single changed bit.
    let mut changed = bobs_record.body().to_vec();
    changed[40] ^= 1;
    rows.overwrite(&bobs_key, Record::new(*bobs_record.version(), changed.into()));
    refused(&bobs);
}

#[test]
fn a_record_of_one_kind_is_never_another() {
    let _rows = proofkey_conformance::shows(&["fernet-use-3"]);
    let rows = Arc::new(Rows::default());
    let world = World::with_own_users(rows.clone(), |builder| builder);
    world.server.check_in().unwrap();
    live(&world);
    world.sign_in();
    world.server.revoke_all("ada").unwrap();
    world.authorize(&json!({ "password": "a wrong one, this" }));
    let all = rows.all();
    let kinds: BTreeSet<&str> = all.iter().map(|(key, _)| &key.as_str()[..1]).collect();
    assert_eq!(kinds, ["c", "g", "l", "o", "s", "u"].into(), "every kind is there");
    for (key, _) in &all {
        for (other, record) in &all {
            assert_eq!(core().unsealed(key, record).is_some(), key == other, "{other} under {key}");
        }
    }
}
