//! Records that somebody edits who owns the database: moved, swapped, of another kind, another tenant or another key, with
//! any byte changed, cut, or added, or with an old body under a new version. Each kind of record, through the endpoints
//! and calls that read it: refused, told in an event, never written over, and nothing else is the worse for it
//! (invariant I22).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use proofkey::core::{
    Config, Core, Entropy, Key, KeyRing, Pages, Query, Record, Settings, UnixTime, UserSource, Version, Write,
};
use proofkey::store::Store;
use proofkey::{Client, EventKind, Secret, StoreError, User, UserChange};
use proofkey_tests::{
    Held, ISSUER, KEY, NEXT_URI, OLD_KEY, PASSWORD, REDIRECT_URI, Reply, Rows, START, SignedIn, THIRD_URI, Visit, World,
    authorization, clients, code_in, core, hidden, keys, secret_of,
};
use serde_json::json;
use sha2::{Digest as _, Sha256};

const ADA: &str = "ada@example.com";
/// A key that the server does not hold.
const FOREIGN_KEY: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";

/// Rows, with what stood in them before.
#[derive(Default)]
struct Remembering {
    rows: Rows,
    before: Mutex<BTreeMap<Key, Record>>,
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
struct Holdings {
    web: SignedIn,
    portal: SignedIn,
    stored: SignedIn,
    code: String,
    cookies: String,
}

/// A tenant in which every kind of record was written at least twice.
fn live(store: &Arc<Remembering>, prefix: &str, seed: u64) -> Holdings {
    let with = |ring: &str, seed: u64| {
        let ring = keys(ring);
        World::with_own_users(store.clone(), |builder| builder.key_prefix(prefix).keys(ring).seed(seed))
    };
    with(&format!("{OLD_KEY},{KEY}"), seed).server.check_in().unwrap();
    let world = with(&format!("{KEY},{OLD_KEY}"), seed + 1);
    world.server.check_in().unwrap();
    for uri in [NEXT_URI, REDIRECT_URI] {
        let client = Client::public("stored").redirect_uri(uri).first_party();
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Client,
    Consent,
    Grant,
    LimitSlot,
    Owner,
    Sentinel,
    Session,
    User,
}

impl Kind {
    const ALL: [Self; 8] = [
        Self::Client,
        Self::Consent,
        Self::Grant,
        Self::LimitSlot,
        Self::Owner,
        Self::Sentinel,
        Self::Session,
        Self::User,
    ];

    const fn letter(self) -> &'static str {
        match self {
            Self::Client => "c.",
            Self::Consent => "a.",
            Self::Grant => "g.",
            Self::LimitSlot => "l.",
            Self::Owner => "o.",
            Self::Sentinel => "s.",
            Self::Session => "b.",
            Self::User => "u.",
        }
    }

    /// Whether a record under an unknown key counts as an empty one: what a rotation of keys resets (design section 6).
    const fn is_forgotten(self) -> bool {
        matches!(self, Self::LimitSlot | Self::Owner)
    }

    /// Requests that read a record of the kind, and each its status when all is well.
    fn uses(self, scene: &Scene) -> Vec<(u16, Box<dyn Fn() -> Reply + '_>)> {
        let (world, holdings) = (&scene.world, &scene.holdings);
        let browser = |path: String| {
            move || world.request(http::Method::GET, &path, &[("cookie", &holdings.cookies)], "")
        };
        let sign_in = || world.authorize(&json!({ "password": PASSWORD }));
        match self {
            Self::Client => vec![
                (200, Box::new(|| {
                    let refresh = ("refresh_token", holdings.stored.refresh.as_str());
                    world.form("/auth/refresh", &[("client_id", "stored"), refresh])
                })),
                (200, Box::new(|| world.get_plain(&authorization("stored", REDIRECT_URI)))),
            ],
            Self::Consent => vec![
                (303, Box::new(browser(authorization("third", THIRD_URI)))),
                (200, Box::new(browser("/auth/applications".to_owned()))),
            ],
            Self::Grant => vec![
                (200, Box::new(|| world.get("/auth/userinfo", &holdings.web.access))),
                (200, Box::new(|| world.introspect("portal", &holdings.portal.access))),
                (200, Box::new(|| world.refresh(&holdings.web.refresh))),
                (200, Box::new(|| world.redeem(&holdings.code))),
                (200, Box::new(|| world.revoke(&holdings.web.access))),
                (200, Box::new(|| world.revoke(&holdings.web.refresh))),
            ],
            Self::LimitSlot => vec![(200, Box::new(sign_in))],
            Self::Owner => vec![(200, Box::new(sign_in)), (200, Box::new(browser("/auth/applications".to_owned())))],
            Self::Sentinel => vec![(200, Box::new(|| world.get_plain("/health")))],
            Self::Session => vec![
                (200, Box::new(browser("/auth/applications".to_owned()))),
                (303, Box::new(browser(authorization("web", REDIRECT_URI)))),
                (200, Box::new(browser("/auth/logout".to_owned()))),
            ],
            Self::User => vec![
                (200, Box::new(sign_in)),
                (200, Box::new(|| world.refresh(&holdings.portal_refresh()))),
            ],
        }
    }
}

impl Holdings {
    fn portal_refresh(&self) -> String {
        self.web.refresh.clone()
    }
}

/// A server over rows that can be edited and put back.
struct Scene {
    world: World,
    rows: Arc<Rows>,
    holdings: Holdings,
    /// The rows as they were.
    well: Vec<(Key, Record)>,
    before: BTreeMap<Key, Record>,
    /// Those of another tenant of the same issuer and keys.
    elsewhere: Vec<(Key, Record)>,
}

impl Scene {
    fn new() -> Self {
        static LIVED: std::sync::LazyLock<(Rows, Holdings, BTreeMap<Key, Record>)> = std::sync::LazyLock::new(|| {
            let store = Arc::new(Remembering::default());
            let holdings = live(&store, "", 10);
            live(&store, "other", 20);
            let before = store.before.lock().unwrap_or_else(PoisonError::into_inner).clone();
            (store.rows.clone(), holdings, before)
        });
        let (rows, holdings, before) = &*LIVED;
        let rows = Arc::new(rows.clone());
        let world = World::with_own_users(rows.clone(), |builder| builder.seed(30));
        let (elsewhere, well) = rows.all().into_iter().partition(|(key, _)| key.as_str().starts_with("other."));
        Self { world, rows, holdings: holdings.clone(), well, before: before.clone(), elsewhere }
    }

    /// The records of a kind.
    fn of(&self, kind: Kind) -> impl Iterator<Item = &(Key, Record)> {
        self.well.iter().filter(move |(key, _)| key.as_str().starts_with(kind.letter()))
    }

    /// Edits every record of a kind. Returns how many there were.
    fn edit(&self, kind: Kind, edit: impl Fn(&Key, &Record) -> Option<Record>) -> usize {
        let edited: Vec<_> = self.of(kind).filter_map(|(key, record)| Some((key, edit(key, record)?))).collect();
        edited.iter().for_each(|(key, record)| self.rows.overwrite(key, record.clone()));
        edited.len()
    }

    fn put_back(&self) {
        for (key, record) in &self.well {
            self.rows.overwrite(key, record.clone());
        }
    }
}

/// How an answer says that it cannot be given.
fn assert_refused(reply: &Reply, status: u16, context: &str) {
    let code = if status == 500 { "server_error" } else { "temporarily_unavailable" };
    let context = format!("{context}: {reply:?}");
    match reply.status.as_u16() {
        // To the client, at the authorization endpoint.
        303 => assert!(reply.header("location").contains(&format!("error={code}&")), "{context}"),
        answered => {
            // The health of a server that cannot read is 503, whyever.
            let is_health = reply.header("content-type") == "application/json" && reply.json()["status"] == "unhealthy";
            assert_eq!(answered, if is_health { 503 } else { status }, "{context}");
            let is_page = reply.header("content-type").starts_with("text/html");
            assert!(is_health || is_page || reply.error() == code, "{context}");
        }
    }
    assert!(code_in(reply).is_none() && !reply.headers.contains_key("set-cookie"), "{context}");
}
