//! Records of every kind and state, as format 1 wrote them: they stay readable for ever.
//!
//! `PROOFKEY_RECORD=1 cargo test -p proofkey-tests --test golden` writes those of the current format anew; what was
//! released is never written again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use minicbor::data::Type;
use minicbor::{Decoder, Encoder};
use proofkey::core::{Entropy, Key, Owner, Record, UnixTime, Version, Write};
use proofkey::store::Store as _;
use proofkey::{Client, ClientSecret, EventKind, Secret, User, UserChange};
use proofkey_tests::{Admitted, Browser, PASSWORD, REDIRECT_URI, Reply, Rows, SignedIn, World, core};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

const FORMAT: u8 = 1;
const THIRD_URI: &str = "https://third.example/cb";

/// What one format version left behind.
#[derive(Serialize, Deserialize)]
struct Golden {
    /// Codes, tokens and secrets in clear, by name.
    secrets: BTreeMap<String, String>,
    record: Vec<Row>,
}

#[derive(Serialize, Deserialize)]
struct Row {
    key: String,
    version: String,
    expires_at: u64,
    owners: Vec<String>,
    body: String,
    /// What is inside the seal.
    plain: String,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    hex.as_bytes().chunks(2).map(|two| u8::from_str_radix(str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

impl Row {
    fn of(write: &Write) -> Self {
        let plain = core().unsealed(write.key(), &Record::new(*write.version(), write.body().clone())).unwrap();
        Self {
            key: write.key().as_str().to_owned(),
            version: write.version().as_str().to_owned(),
            expires_at: write.expires_at().seconds(),
            owners: write.owners().iter().map(|owner| owner.as_str().to_owned()).collect(),
            body: hex(write.body()),
            plain: hex(&plain),
        }
    }

    fn key(&self) -> Key {
        Key::parse(&self.key).unwrap()
    }

    fn record(&self) -> Record {
        Record::new(Version::parse(&self.version).unwrap(), bytes(&self.body).into())
    }

    fn write(&self, record: &Record) -> Write {
        let owners = self.owners.iter().map(|owner| Owner::parse(owner).unwrap()).collect();
        let expires_at = UnixTime::from_seconds(self.expires_at);
        Write::new(self.key(), *record.version(), record.body().clone(), expires_at).owned_by(owners)
    }
}

fn path() -> PathBuf {
    PathBuf::from(format!("{}/golden/v{FORMAT}/records.json", env!("CARGO_MANIFEST_DIR")))
}

fn golden() -> Golden {
    if std::env::var_os("PROOFKEY_RECORD").is_some() {
        fs::write(path(), serde_json::to_string_pretty(&recorded()).unwrap() + "\n").unwrap();
    }
    serde_json::from_slice(&fs::read(path()).unwrap()).unwrap()
}

fn stored(id: &str, secret: ClientSecret) -> Client {
    Client::confidential(id, secret)
        .name("A stored client")
        .redirect_uri(REDIRECT_URI)
        .scope("read write")
        .first_party()
}

fn own(rows: &Arc<Rows>) -> World {
    World::with_own_users(rows.clone(), |builder| builder.sweep("manual").limit_address("off"))
}

/// A server that has done everything once.
fn recorded() -> Golden {
    let rows = Arc::new(Rows::default());
    let world = own(&rows);
    let server = &world.server;
    server.check_in().unwrap();
    let (kept, client_secret) = ClientSecret::generate([0x17; 32]);
    server.create_client(stored("kept", kept.clone())).unwrap();
    server.create_client(stored("deleted", kept)).unwrap();
    server.delete_client("deleted").unwrap();
    for name in ["grace", "disabled", "deleted"] {
        let user = User::new(name).with_username(name).with_claim("name", "Grace H.").with_claim("level", 7);
        server.create_user(user, Secret::from(PASSWORD)).unwrap();
    }
    server.change_user("disabled", UserChange::Disable).unwrap();
    server.delete_user("deleted").unwrap();
    for _ in 0..10 {
        world.authorize(&json!({ "username": "guessed", "password": "a wrong one, this" }));
    }
    let admitted = World::over(rows.clone(), |builder| builder.authenticator(Admitted::default()).seed(1000));
    let code = admitted.code();
    let live = admitted.sign_in();
    let narrow = admitted.form(
        "/auth/token",
        &[("grant_type", "refresh_token"), ("client_id", "web"), ("refresh_token", &live.refresh), ("scope", "read")],
    );
    let narrow = SignedIn::of(&narrow);
    admitted.revoke(&live.access);
    let ended = admitted.sign_in();
    admitted.revoke(&ended.refresh);
    let browser = Browser::new(&admitted);
    let third = [("client_id", "third"), ("redirect_uri", THIRD_URI)];
    let page = browser.follow(&browser.sign_ada_in(&third));
    let browsed = browser.decide(&page, "allow").location().parameter("code").to_owned();
    let left = Browser::new(&admitted);
    left.sign_ada_in(&[]);
    left.sign_out();
    let other = Browser::new(&admitted);
    let poster = [("client_id", "poster"), ("redirect_uri", "https://poster.example/cb")];
    let page = other.follow(&other.sign_ada_in(&poster));
    other.decide(&page, "allow");
    other.act(&other.get("/auth/applications"), "withdraw", &[("client_id", "poster")]);
    let scoped = admitted.authorize(&json!({ "client_id": "scoped", "resource": "https://api.example/" }));
    let fields = [("grant_type", "client_credentials"), ("scope", "read")];
    let service = admitted.form_as("inspector", "/auth/token", &fields).text("access_token");
    let secrets = [
        ("access of the client itself", service),
        ("access of the live grant", narrow.access),
        ("client secret", client_secret.expose_text().unwrap().to_owned()),
        ("code", code),
        ("code from a browser", browsed),
        ("cookies of a browser", browser.cookies()),
        ("cookies of a browser that was signed out", left.cookies()),
        ("code for a resource", scoped.text("code")),
        ("first access of the live grant", live.access),
        ("first refresh of the live grant", live.refresh),
        ("refresh of the live grant", narrow.refresh),
        ("refresh of the revoked grant", ended.refresh),
    ];
    let secrets = secrets.into_iter().map(|(name, text)| (name.to_owned(), text)).collect();
    Golden { secrets, record: rows.as_writes().iter().map(Row::of).collect() }
}

/// What a server makes of the golden records.
fn reads_as_it_was_written(rows: Rows, secrets: &BTreeMap<String, String>) {
    let rows = Arc::new(rows);
    let world = own(&rows);
    let secret = |name: &str| secrets[name].as_str();
    let refused = |reply: Reply| assert_eq!(reply.outcome(), (400, "invalid_grant".to_owned()));
    world.server.check_in().unwrap();
    let kept = world.server.stored_client("kept").unwrap().unwrap();
    assert_eq!((kept.client_name(), kept.redirect_uris()), (Some("A stored client"), &[REDIRECT_URI.to_owned()][..]));
    assert_eq!((kept.allowed_scope(), kept.is_first_party(), kept.is_native()), ("read write", true, false));
    assert_eq!(world.server.stored_clients().unwrap().len(), 1, "the other was deleted");
    let credentials = proofkey::ClientCredentials::secret("kept", Secret::from(secret("client secret")));
    world.server.revoke(credentials, Secret::from("x")).unwrap();
    let mut users = world.server.stored_users().unwrap();
    users.sort_by_key(|user| user.username().to_owned());
    let standing: Vec<_> = users.iter().map(|user| (user.username(), user.is_disabled())).collect();
    assert_eq!(standing, [("disabled", true), ("grace", false)]);
    assert_eq!(serde_json::to_value(&users[1]).unwrap()["claims"], json!({ "level": 7, "name": "Grace H." }));
    let login = |name: &str| world.authorize(&json!({ "username": name, "password": PASSWORD })).status.as_u16();
    assert_eq!((login("grace"), login("disabled"), login("deleted"), login("guessed")), (200, 400, 400, 429));
    let admitted = World::over(rows, |builder| builder.authenticator(Admitted::default()).seed(2000));
    assert!(admitted.works(secret("access of the live grant")));
    assert!(!admitted.works(secret("first access of the live grant")), "that one was revoked");
    let live = admitted.refresh(secret("refresh of the live grant"));
    assert_eq!((live.status.as_u16(), live.text("scope").as_str()), (200, "email profile read write"));
    refused(admitted.refresh(secret("refresh of the revoked grant")));
    let about = [("token", secret("access of the client itself"))];
    let about: Value = admitted.form_as("inspector", "/auth/introspect", &about).json();
    assert_eq!((&about["active"], &about["scope"]), (&json!(true), &json!("read")));
    assert_eq!(admitted.redeem(secret("code")).status, 200);
    refused(admitted.redeem(secret("code")));
    assert!(admitted.take_events().contains(&EventKind::CodeReplayed));
    let browser = Browser::new(&admitted);
    let arrive = |changes: &[(&str, &str)]| {
        browser.authorize(&[&[("prompt", "none")], changes].concat()).location().parameter("error").to_owned()
    };
    let bring = |cookies: &str| {
        browser.forget();
        for (name, value) in cookies.split("; ").filter_map(|pair| pair.split_once('=')) {
            browser.plant(name, value, "/auth");
        }
    };
    bring(secret("cookies of a browser that was signed out"));
    assert_eq!(arrive(&[]), "login_required");
    bring(secret("cookies of a browser"));
    assert_eq!(arrive(&[("client_id", "third"), ("redirect_uri", THIRD_URI)]), "", "remembered");
    assert_eq!(arrive(&[("client_id", "poster"), ("redirect_uri", "https://poster.example/cb")]), "consent_required");
    let browsed = secret("code from a browser");
    let browsed = admitted.redeem_with(browsed, &[("client_id", "third"), ("redirect_uri", THIRD_URI)]);
    let browsed = SignedIn::of(&browsed).access;
    assert!(admitted.works(&browsed));
    browser.sign_out();
    assert!(!admitted.works(&browsed), "it ends with the browser's sign-in");
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", "scoped"),
        ("code", secret("code for a resource")),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", proofkey_tests::VERIFIER),
    ];
    assert_eq!(admitted.form("/auth/token", &fields).status, 200);
    world.server.revoke_all(proofkey_tests::ADA).unwrap();
    refused(admitted.refresh(&live.text("refresh_token")));
}

#[test]
fn golden_records_are_read_as_they_were_written() {
    let golden = golden();
    let rows = Rows::default();
    for row in &golden.record {
        assert!(rows.put(&row.write(&row.record())).unwrap());
    }
    reads_as_it_was_written(rows, &golden.secrets);
}

/// Records from before browsers had sessions: written once, and kept.
const BEFORE_THE_PAGES: &[u8] = include_bytes!("../golden/v1/before-the-pages.json");

#[test]
fn todays_encoder_writes_the_golden_bytes() {
    let earlier: Golden = serde_json::from_slice(BEFORE_THE_PAGES).unwrap();
    for row in golden().record.into_iter().chain(earlier.record) {
        let (key, record) = (row.key(), row.record());
        assert_eq!(record.body()[0], FORMAT, "the first byte of a body is its format");
        let plain = core().unsealed(&key, &record).unwrap();
        assert_eq!(hex(&plain), row.plain, "{key}");
        assert_eq!(core().rewritten(&key, &plain).map(|again| hex(&again)), Some(row.plain), "{key}");
    }
}

#[test]
fn every_kind_and_every_state_is_there() {
    let state = |row: &Row| {
        let plain = bytes(&row.plain);
        let mut decoder = Decoder::new(&plain);
        let variant = match &row.key[..2] {
            "b." | "c." | "u." => decoder.array().and_then(|_| decoder.u32()).unwrap(),
            "g." => {
                decoder.array().and_then(|_| decoder.skip()).unwrap();
                decoder.array().and_then(|_| decoder.u32()).unwrap()
            }
            _ => 0,
        };
        format!("{}{variant}", &row.key[..2])
    };
    let states: BTreeSet<String> = golden().record.iter().map(state).collect();
    let expected = ["a.0", "b.0", "b.1", "c.0", "c.1", "g.0", "g.1", "g.2", "l.0", "o.0", "s.0", "u.0", "u.1"];
    assert_eq!(states, expected.map(str::to_owned).into());
}

/// A later release may add fields at the end of any structure: this one reads past them.
#[test]
fn fields_that_a_later_release_adds_are_ignored() {
    let golden = golden();
    let rows = Rows::default();
    let mut extended = 0;
    for row in &golden.record {
        let mut item = Item::parse(&mut Decoder::new(&bytes(&row.plain)));
        for (place, known) in places(&row.key) {
            extended += usize::from(item.extend(place, *known));
        }
        let (key, version) = (row.key(), Version::parse(&row.version).unwrap());
        let record = core().sealed(&key, version, &item.to_bytes(), &Entropy::from_seed(9)).unwrap();
        assert!(rows.put(&row.write(&record)).unwrap());
    }
    assert!(extended > golden.record.len(), "{extended} structures");
    reads_as_it_was_written(rows, &golden.secrets);
}

/// Where the structures of a record are, from the inside out; not every record has each. With how many fields a later
/// release knows before those that it adds: absent ones at the end are not written.
fn places(key: &str) -> &'static [(&'static [usize], usize)] {
    match &key[..2] {
        "a." => &[(&[], 0)],
        "b." => &[(&[1, 0], 0), (&[1], 0)],
        "c." => &[(&[1, 0, 3, 0], 0), (&[1, 0], 0), (&[1], 0)],
        "g." => &[
            (&[1, 1, 0, 4, 1], 0),
            (&[1, 1, 0, 4, 0], 0),
            (&[1, 1, 0, 3, 0], 0),
            (&[1, 1, 0, 2], 0),
            (&[1, 1, 0, 0], 0),
            (&[1, 1, 0], 0),
            (&[1, 1], 0),
            (&[0], 11),
            (&[], 0),
        ],
        "l." => &[(&[0, 0], 0), (&[], 0)],
        "o." | "s." => &[(&[], 0)],
        "u." => &[(&[1, 0], 0), (&[1], 0)],
        other => panic!("{other} has no places"),
    }
}

/// CBOR as far as this test looks into it.
enum Item {
    Array(Vec<Self>),
    Other(Vec<u8>),
}

impl Item {
    fn parse(decoder: &mut Decoder<'_>) -> Self {
        if decoder.datatype().unwrap() == Type::Array {
            let length = decoder.array().unwrap().unwrap();
            return Self::Array((0..length).map(|_| Self::parse(decoder)).collect());
        }
        let start = decoder.position();
        decoder.skip().unwrap();
        Self::Other(decoder.input()[start..decoder.position()].to_vec())
    }

    fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Array(items) => {
                let mut encoder = Encoder::new(Vec::new());
                encoder.array(items.len().try_into().unwrap()).unwrap();
                let inner = items.iter().flat_map(Self::to_bytes);
                encoder.into_writer().into_iter().chain(inner).collect()
            }
            Self::Other(bytes) => bytes.clone(),
        }
    }

    /// Adds an element to the array at `place`, after `known` others; false if there is none.
    fn extend(&mut self, place: &[usize], known: usize) -> bool {
        match (self, place.split_first()) {
            (Self::Array(items), None) => {
                while items.len() < known {
                    items.push(Self::Other(minicbor::to_vec(None::<u8>).unwrap()));
                }
                items.push(Self::Other(minicbor::to_vec("a field of tomorrow").unwrap()));
                true
            }
            (Self::Array(items), Some((at, rest))) => items.get_mut(*at).is_some_and(|item| item.extend(rest, known)),
            (Self::Other(_), _) => false,
        }
    }
}
