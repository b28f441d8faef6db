//! Records that somebody edits who owns the database: moved, swapped, of another kind, another tenant or another key, with
//! any byte changed, cut, or added, or with an old body under a new version. Each kind of record, through the endpoints
//! and calls that read it: refused, told in an event, never written over, and nothing else is the worse for it
//! (invariant I22).

#[path = "edited_records/tenant.rs"]
mod tenant;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::Method;
use proofkey::core::{
    Config, Core, Entropy, Key, KeyRing, Pages, Record, Settings, UnixTime, UserSource, Version, Write,
};
use proofkey::store::Store as _;
use proofkey::{Client, EventKind, Secret};
use proofkey_tests::{
    ISSUER, KEY, OLD_KEY, REDIRECT_URI, Reply, Rows, THIRD_URI, Visit, World, authorization, code_in, core, keys,
};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::tenant::{Holdings, Remembering, live};

/// A key that the server does not hold.
const FOREIGN_KEY: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";

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

    /// Requests that read a record of the kind: what each is called, its status when all is well, and it.
    fn uses(self, scene: &Scene) -> Vec<Use<'_>> {
        let (world, holdings) = (&scene.world, &scene.holdings);
        let browser = |path: &'static str| -> Box<dyn Fn() -> Reply + '_> {
            Box::new(move || world.request(Method::GET, path, &[("cookie", &holdings.cookies)], ""))
        };
        let start = |client: &'static str, uri: &'static str| -> Box<dyn Fn() -> Reply + '_> {
            let path = authorization(client, uri);
            Box::new(move || world.request(Method::GET, &path, &[("cookie", &holdings.cookies)], ""))
        };
        let sign_in = || world.authorize(&json!({}));
        match self {
            Self::Client => vec![
                (
                    "refresh as stored",
                    200,
                    Box::new(|| {
                        let refresh = ("refresh_token", holdings.stored.refresh.as_str());
                        world.form("/auth/refresh", &[("client_id", "stored"), refresh])
                    }),
                ),
                ("start", 303, start("stored", REDIRECT_URI)),
            ],
            Self::Consent => {
                vec![("start", 303, start("third", THIRD_URI)), ("applications", 200, browser("/auth/applications"))]
            }
            Self::Grant => vec![
                ("userinfo", 200, Box::new(|| world.get("/auth/userinfo", &holdings.web.access))),
                ("introspect", 200, Box::new(|| world.introspect("portal", &holdings.portal.access))),
                ("refresh", 200, Box::new(|| world.refresh(&holdings.web.refresh))),
                ("redeem", 200, Box::new(|| world.redeem(&holdings.code))),
                ("revoke access", 200, Box::new(|| world.revoke(&holdings.web.access))),
                ("revoke", 200, Box::new(|| world.revoke(&holdings.web.refresh))),
                ("applications", 200, browser("/auth/applications")),
            ],
            Self::LimitSlot => vec![("sign in", 200, Box::new(sign_in))],
            Self::Owner => {
                vec![("sign in", 200, Box::new(sign_in)), ("applications", 200, browser("/auth/applications"))]
            }
            Self::Sentinel => vec![("health", 200, Box::new(|| world.get_plain("/health")))],
            Self::Session => vec![
                ("applications", 200, browser("/auth/applications")),
                ("start", 303, start("web", REDIRECT_URI)),
                ("logout", 200, browser("/auth/logout")),
            ],
            Self::User => vec![
                ("sign in", 200, Box::new(sign_in)),
                ("refresh", 200, Box::new(|| world.refresh(&holdings.web.refresh))),
                ("userinfo", 200, Box::new(|| world.get("/auth/userinfo", &holdings.web.access))),
            ],
        }
    }
}

type Use<'a> = (&'static str, u16, Box<dyn Fn() -> Reply + 'a>);

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
        let ring = keys(&format!("{KEY},{OLD_KEY}"));
        let world = World::with_own_users(rows.clone(), |builder| builder.keys(ring).seed(30));
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

/// What an edit makes of a record; nothing where it cannot be.
type Edit = fn(&Scene, Kind, &Key, &Record) -> Option<Record>;

const OLD_BODY: &str = "an old body under the new version";

const EDITS: [(&str, Edit); 9] = [
    ("another record of the kind", |scene, kind, key, _| {
        let after = scene.of(kind).find(|(one, _)| one > key).or_else(|| scene.of(kind).next())?;
        (after.0 != *key).then(|| after.1.clone())
    }),
    ("a record of another kind", |scene, kind, _, _| {
        let other = Kind::ALL.into_iter().find(|other| *other != kind && scene.of(*other).next().is_some())?;
        scene.of(other).next().map(|(_, record)| record.clone())
    }),
    ("another tenant's record", |scene, kind, key, _| {
        // The same one, as far as names tell: no identifier of a grant or a sign-in is there twice.
        let of_kind = |one: &&(Key, Record)| one.0.as_str().starts_with(&format!("other.{}", kind.letter()));
        let all: Vec<_> = scene.elsewhere.iter().filter(of_kind).collect();
        let at = scene.of(kind).position(|(one, _)| one == key)?;
        all.get(at % all.len().max(1)).map(|(_, record)| record.clone())
    }),
    (OLD_BODY, |scene, _, key, record| {
        let before = scene.before.get(key)?;
        Some(Record::new(*record.version(), before.body().clone()))
    }),
    ("another version", |_, _, _, record| {
        Some(Record::new(Version::parse("AAAAAAAAAAA").unwrap(), record.body().clone()))
    }),
    ("nothing", |_, _, _, record| Some(Record::new(*record.version(), Bytes::new()))),
    ("a byte more", |_, _, _, record| Some(Record::new(*record.version(), [record.body(), &[0][..]].concat().into()))),
    ("a block more", |_, _, _, record| {
        Some(Record::new(*record.version(), [record.body(), &[7; 16][..]].concat().into()))
    }),
    ("another format", |_, _, _, record| Some(Record::new(*record.version(), changed(record.body(), 0, 3)))),
];

fn changed(body: &[u8], at: usize, bits: u8) -> Bytes {
    let mut body = body.to_vec();
    body[at] ^= bits;
    body.into()
}

/// That nobody holds less when the rows are as they were.
fn assert_well(scene: &Scene, context: &str) {
    scene.put_back();
    for tokens in [&scene.holdings.web, &scene.holdings.portal, &scene.holdings.stored] {
        assert!(scene.world.works(&tokens.access), "{context}");
    }
    assert!(Visit::with_cookies(&scene.world, &scene.holdings.cookies).is_signed_in(), "{context}");
}

/// One use of records that were edited.
fn assert_rejected(scene: &Scene, (name, _, act): &Use<'_>, status: u16, kind: EventKind, context: &str) {
    let context = format!("{name}: {context}");
    let before = scene.rows.all();
    scene.world.take_events();
    let reply = act();
    assert_refused(&reply, status, &context);
    assert!(scene.world.take_events().contains(&kind), "{context}");
    let lasting = |rows: &[(Key, Record)]| -> Vec<(Key, Version)> {
        // A sign-in that is not judged is not counted, but the counters are new records.
        let all = rows.iter().filter(|(key, _)| !key.as_str().starts_with("l."));
        all.map(|(key, record)| (key.clone(), *record.version())).collect()
    };
    assert_eq!(lasting(&scene.rows.all()), lasting(&before), "nothing is written over: {context}");
}

#[test]
fn every_kind_of_record_is_there_and_is_read_when_all_is_well() {
    for kind in Kind::ALL {
        let count = Scene::new().of(kind).count();
        assert!(count > 0, "{kind:?}");
        for at in 0..kind.uses(&Scene::new()).len() {
            let scene = Scene::new();
            let (name, status, act) = &kind.uses(&scene)[at];
            let reply = act();
            assert_eq!(reply.status, *status, "{kind:?} {name}: {reply:?}");
        }
    }
    let kinds: BTreeSet<String> = Scene::new().well.iter().map(|(key, _)| key.as_str()[..2].to_owned()).collect();
    assert_eq!(kinds, Kind::ALL.map(|kind| kind.letter().to_owned()).into(), "no kind is left out");
}

#[test]
fn a_record_that_was_moved_swapped_or_edited_is_rejected_whoever_reads_it() {
    let mut rejected = 0;
    for (kind, (edit_name, edit)) in Kind::ALL.into_iter().flat_map(|kind| EDITS.map(|edit| (kind, edit))) {
        for at in 0..kind.uses(&Scene::new()).len() {
            let scene = Scene::new();
            let used = &kind.uses(&scene)[at];
            let context = format!("{edit_name} in the place of a {kind:?}");
            if scene.edit(kind, |key, record| edit(&scene, kind, key, record)) == 0 {
                assert_eq!(
                    (kind, edit_name),
                    (Kind::Sentinel, EDITS[0].0),
                    "there is one sentinel, and more of the others"
                );
                continue;
            }
            // The grant of a code that nobody has redeemed was never another.
            if (used.0, edit_name) == ("redeem", OLD_BODY) {
                continue;
            }
            assert_rejected(&scene, used, 500, EventKind::RecordBroken, &context);
            assert_well(&scene, &context);
            rejected += 1;
        }
    }
    assert_eq!(rejected, 21 * EDITS.len() - 2, "each use under each edit, but for the two above");
}

#[test]
fn a_record_of_which_any_byte_was_changed_or_cut_is_rejected() {
    let mut edits = 0;
    for kind in Kind::ALL {
        let scene = Scene::new();
        let used = &kind.uses(&scene)[0];
        let longest = scene.of(kind).map(|(_, record)| record.body().len()).max().unwrap();
        for at in 0..longest {
            // Of a shorter record, its last byte.
            let of = |body: &Bytes| at.min(body.len() - 1);
            let context = format!("byte {at} of a {kind:?}");
            scene.edit(kind, |_, record| {
                Some(Record::new(*record.version(), changed(record.body(), of(record.body()), 1)))
            });
            match at {
                // It names another key now.
                1..=4 if kind.is_forgotten() => {}
                1..=4 => assert_rejected(&scene, used, 503, EventKind::KeyUnknown, &context),
                _ => assert_rejected(&scene, used, 500, EventKind::RecordBroken, &context),
            }
            let context = format!("a {kind:?} cut at {at}");
            scene
                .edit(kind, |_, record| Some(Record::new(*record.version(), record.body().slice(..of(record.body())))));
            assert_rejected(&scene, used, 500, EventKind::RecordBroken, &context);
            edits += 2;
        }
        assert_well(&scene, &format!("{kind:?}"));
    }
    assert!(edits > 2000, "{edits}");
}

/// A core of the same issuer under another key.
fn foreign() -> Core {
    let mut settings = Settings::new();
    settings.set("issuer", ISSUER).unwrap();
    settings.scope("read", proofkey::ScopeText::new("read", "Read"));
    let ring = KeyRing::parse(&Secret::from(FOREIGN_KEY)).unwrap();
    let mut pages = Pages::default();
    pages.session_keys = proofkey::core::SessionKeys::parse(&Secret::from(FOREIGN_KEY)).ok();
    Core::new(Config::new(settings, ring, UserSource::BuiltIn, Vec::<Client>::new(), pages).unwrap())
}

#[test]
fn a_record_under_a_key_that_nobody_holds_is_a_503_and_what_a_rotation_resets_is_empty() {
    let (ours, theirs) = (core(), foreign());
    for kind in Kind::ALL {
        for at in 0..kind.uses(&Scene::new()).len() {
            let scene = Scene::new();
            let used = &kind.uses(&scene)[at];
            let context = format!("{} of a {kind:?} under a foreign key", used.0);
            let sealed = scene.edit(kind, |key, record| {
                let plain = ours.unsealed(key, record).unwrap();
                theirs.sealed(key, *record.version(), &plain, &Entropy::from_seed(9))
            });
            assert!(sealed > 0, "{context}");
            if kind.is_forgotten() {
                let reply = used.2();
                assert_eq!(reply.status, used.1, "{context}: {reply:?}");
            } else {
                assert_rejected(&scene, used, 503, EventKind::KeyUnknown, &context);
            }
            assert_well(&scene, &context);
        }
    }
}

/// Where the record of a grant lives: as the server makes its name.
fn place(prefix: &str, token: &str) -> Key {
    let body = URL_SAFE_NO_PAD.decode(&token[token.len() - 64..]).unwrap();
    let named = Sha256::new().chain_update("proofkey key 1 ").chain_update(prefix).chain_update(" g ");
    let name = URL_SAFE_NO_PAD.encode(named.chain_update(&body[..16]).finalize());
    Key::parse(&if prefix.is_empty() { format!("g.{name}") } else { format!("{prefix}.g.{name}") }).unwrap()
}

#[test]
fn a_grant_that_is_copied_to_another_tenant_lets_nobody_in_there() {
    let scene = Scene::new();
    let tokens = &scene.holdings.web;
    let key = place("", &tokens.access);
    let record = scene.rows.get(&key).unwrap().unwrap();
    let other = World::with_own_users(scene.rows.clone(), |builder| builder.key_prefix("other").seed(40));
    assert_eq!(other.get("/auth/userinfo", &tokens.access).outcome(), (401, "invalid_token".to_owned()));
    assert_eq!(other.refresh(&tokens.refresh).outcome(), (400, "invalid_grant".to_owned()));
    let copy = Write::new(place("other", &tokens.access), *record.version(), record.body().clone(), UnixTime::NEVER);
    assert!(scene.rows.put(&copy).unwrap());
    other.take_events();
    let replies = [other.get("/auth/userinfo", &tokens.access), other.refresh(&tokens.refresh)];
    assert!(replies.iter().all(|reply| reply.outcome() == (500, "server_error".to_owned())), "{replies:?}");
    let broken = other.take_events().iter().filter(|kind| **kind == EventKind::RecordBroken).count();
    assert_eq!(broken, 2);
    assert!(scene.world.works(&tokens.access), "where it belongs it is as good as ever");
}

#[test]
fn an_issuer_takes_no_token_of_another_one_that_shares_its_rows_and_keys() {
    let scene = Scene::new();
    let (builder, rows) = (proofkey::Server::builder("https://other.example/auth"), scene.rows.clone());
    let other = proofkey_tests::configure(builder).store(rows).seed(50).build().unwrap();
    let send = |request: http::request::Builder, body: String| -> Reply {
        other.handle(request.body(body.into()).unwrap(), None).into()
    };
    let tokens = &scene.holdings.web;
    let shown = http::Request::get("/auth/userinfo").header("authorization", format!("Bearer {}", tokens.access));
    assert_eq!(send(shown, String::new()).outcome(), (401, "invalid_token".to_owned()));
    let form = http::Request::post("/auth/token").header("content-type", "application/x-www-form-urlencoded");
    let body = format!("grant_type=refresh_token&client_id=web&refresh_token={}", tokens.refresh);
    assert_eq!(send(form, body).outcome(), (400, "invalid_grant".to_owned()));
    assert!(scene.world.works(&tokens.access));
}
