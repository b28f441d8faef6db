//! Records that do not open: under a key that this process does not hold yet, or moved and edited by somebody who owns
//! the database (invariants I17 and I22).

use std::sync::Arc;

use proofkey::core::{Key, Record};
use proofkey::store::Store as _;
use proofkey::{EventKind, Keys};
use proofkey_tests::{ADA, KEY, PASSWORD, REDIRECT_URI, Reply, Rows, SignedIn, World, assert_well_formed, keys};
use serde_json::json;

const NEXT_KEY: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";

fn ring(list: &[&str]) -> Keys {
    keys(&list.join(","))
}

struct Scene {
    rows: Arc<Rows>,
    world: World,
}

impl Scene {
    /// Everything that a client can do with a grant of the client `web`.
    fn uses(&self, tokens: &SignedIn) -> [Reply; 4] {
        [
            self.world.get("/auth/userinfo", &tokens.access),
            self.world.refresh(&tokens.refresh),
            self.world.revoke(&tokens.access),
            self.world.revoke(&tokens.refresh),
        ]
    }
}

#[test]
fn a_record_under_an_unknown_key_is_a_503_and_putting_the_key_back_mends_it() {
    let rows = Arc::new(Rows::default());
    let world = World::over(rows.clone(), |builder| builder);
    let tokens = world.sign_in();
    // Another process has the next key already, made it primary too soon, and wrote the grant under it.
    let ahead = World::over(rows.clone(), |builder| builder.seed(2).keys(ring(&[NEXT_KEY, KEY])));
    let refreshed = SignedIn::of(&ahead.refresh(&tokens.refresh));
    let scene = Scene { rows, world };
    scene.world.take_events();
    for reply in scene.uses(&tokens) {
        assert_eq!(reply.outcome(), (503, "temporarily_unavailable".to_owned()), "never invalid: {reply:?}");
        assert_eq!(reply.header("retry-after"), "1");
        assert_well_formed(&reply, "an unknown key");
    }
    let events = scene.world.take_full_events();
    assert_eq!(events.iter().filter(|event| event.kind() == EventKind::KeyUnknown).count(), 4, "{events:?}");
    assert!(!format!("{events:?}").contains(NEXT_KEY), "a key is named, not told");
    scene.world.server.replace_keys(&ring(&[KEY, NEXT_KEY])).unwrap();
    assert!(scene.world.works(&tokens.access) && scene.world.works(&refreshed.access));
    let repeated = SignedIn::of(&scene.world.refresh(&tokens.refresh));
    assert_eq!((repeated.access, repeated.refresh), (refreshed.access, refreshed.refresh), "a lost reply, repeated");
}

#[test]
fn users_clients_and_counters_under_an_unknown_key_are_not_taken_for_nothing() {
    let rows = Arc::new(Rows::default());
    let ahead = World::over(rows.clone(), |builder| builder.seed(2).keys(ring(&[NEXT_KEY, KEY])));
    let client = proofkey::Client::public("stored").redirect_uri(REDIRECT_URI).first_party();
    ahead.server.create_client(client).unwrap();
    ahead.authorize(&json!({"password": "wrong"}));
    let world = World::over(rows, |builder| builder);
    let refresh = || world.form("/auth/refresh", &[("client_id", "stored"), ("refresh_token", "x")]);
    // The counters are addressed by a keyed hash, so a rotation resets them instead of hiding them.
    assert_eq!(world.authorize(&json!({"password": PASSWORD})).status, 200);
    assert_eq!(refresh().outcome(), (503, "temporarily_unavailable".to_owned()));
    world.server.replace_keys(&ring(&[KEY, NEXT_KEY])).unwrap();
    assert_eq!(refresh().outcome(), (400, "invalid_grant".to_owned()));
}

/// What somebody who owns the database puts in the place of the one grant there is.
fn edited(edit: &str, scene: &Scene, tokens: &SignedIn, key: &Key) -> Record {
    let other = |letter: &str| {
        let mut all = scene.rows.all().into_iter();
        all.find(|(one, _)| one != key && one.as_str().starts_with(letter)).unwrap().1
    };
    let before = scene.rows.get(key).unwrap().unwrap();
    match edit {
        "an old body under a newer version" => {
            assert_eq!(scene.world.refresh(&tokens.refresh).status, 200);
            Record::new(*scene.rows.get(key).unwrap().unwrap().version(), before.body().clone())
        }
        "a row of another grant" => {
            scene.world.sign_in_as("portal", &json!({}));
            other("g.")
        }
        "a row of another kind" => {
            let client = proofkey::Client::public("stored").redirect_uri(REDIRECT_URI);
            scene.world.server.create_client(client).unwrap();
            other("c.")
        }
        "a flipped bit" => {
            let mut body = before.body().to_vec();
            *body.last_mut().unwrap() ^= 1;
            Record::new(*before.version(), body.into())
        }
        "a body cut short" => Record::new(*before.version(), before.body().slice(..before.body().len() / 2)),
        _ => Record::new(*before.version(), bytes::Bytes::new()),
    }
}

#[test]
fn a_row_that_was_moved_edited_or_given_an_old_body_is_rejected() {
    for edit in [
        "an old body under a newer version",
        "a row of another grant",
        "a row of another kind",
        "a flipped bit",
        "a body cut short",
        "no body",
    ] {
        let rows = Arc::new(Rows::default());
        let scene = Scene { world: World::over(rows.clone(), |builder| builder), rows };
        let tokens = scene.world.sign_in();
        let (key, _) = scene.rows.all().into_iter().find(|(key, _)| key.as_str().starts_with("g.")).unwrap();
        scene.rows.overwrite(&key, edited(edit, &scene, &tokens, &key));
        let before = scene.rows.lasting();
        scene.world.take_events();
        for reply in scene.uses(&tokens) {
            assert_eq!(reply.outcome(), (500, "server_error".to_owned()), "{edit}: {reply:?}");
            assert_well_formed(&reply, edit);
        }
        let events = scene.world.take_events();
        assert_eq!(events.iter().filter(|kind| **kind == EventKind::RecordBroken).count(), 4, "{edit}: {events:?}");
        assert_eq!(scene.rows.lasting(), before, "{edit}: what does not open is not written over");
        assert!(scene.world.works(&scene.world.sign_in().access), "{edit}: other grants are well");
    }
}

#[test]
fn a_grant_that_does_not_open_keeps_no_other_alive() {
    let rows = Arc::new(Rows::default());
    let world = World::over(rows.clone(), |builder| builder);
    let tokens: Vec<SignedIn> = (0..3).map(|_| world.sign_in()).collect();
    let grants: Vec<_> = rows.all().into_iter().filter(|(key, _)| key.as_str().starts_with("g.")).collect();
    // The first that a listing comes to.
    let (key, record) = &grants[0];
    rows.overwrite(key, Record::new(*record.version(), bytes::Bytes::from_static(b"damaged")));
    assert!(world.server.revoke_all(ADA).is_err(), "the operator is told");
    assert!(tokens.iter().all(|tokens| !world.works(&tokens.access)));
    rows.overwrite(key, record.clone());
    assert_eq!(tokens.iter().filter(|tokens| world.works(&tokens.access)).count(), 1, "that one was out of reach");
    assert_eq!(world.server.revoke_all(ADA).unwrap(), 1);
}
