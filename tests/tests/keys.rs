//! The key ring of a running server: rotations, and keys that are missing.

use std::sync::Arc;

use http::StatusCode;
use proofkey::{EventKind, Keys, Secret, Server};
use proofkey_tests::{PASSWORD, REDIRECT_URI, Rows, SignedIn, Visit, World, authorization, code_in, hidden};

fn keys(texts: &[&str]) -> Keys {
    proofkey_tests::keys(&texts.join(","))
}

const OLD: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
const NEW: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn world(rows: &Arc<Rows>, texts: &[&str]) -> World {
    World::over(rows.clone(), |builder| builder.keys(keys(texts)))
}

#[test]
fn a_store_written_under_a_key_that_is_missing_is_an_error_at_the_start_that_names_the_key() {
    let _rows = proofkey_conformance::shows(&["secrets-key-8"]);
    let rows = Arc::new(Rows::default());
    world(&rows, &[OLD]).server.check_in().unwrap();
    let started = world(&rows, &[NEW]);
    let refusal = started.server.check_in().unwrap_err();
    let id = keys(&[OLD]).ids()[0].to_string();
    let told = refusal.private_detail().unwrap();
    assert!(told.contains(&format!("key {id}")) && told.contains("put the key back"), "{told}");
    assert_eq!(started.get_plain("/health").status, 503);
    let events = started.take_full_events();
    let event = events.iter().find(|event| event.kind() == EventKind::KeyUnknown).unwrap();
    assert!(event.private_detail().unwrap().contains(&id));
    let before = rows.all().len();
    assert_eq!(before, 1, "nothing was written under the other key");
    let mended = world(&rows, &[NEW, OLD]);
    mended.server.check_in().unwrap();
    assert_eq!(mended.get_plain("/health").status, 200);
}

#[test]
fn no_key_at_all_is_an_error_that_says_how_to_make_one() {
    let _rows = proofkey_conformance::shows(&["secrets-key-8"]);
    let misuse = Server::builder("https://as.example").build().unwrap_err().to_string();
    assert!(misuse.contains("encryption_keys"), "{misuse}");
    for bad in ["", "c2hvcnQ=", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="] {
        let told = Keys::parse(&Secret::from(bad)).unwrap_err().to_string();
        assert!(told.contains("proofkey keys generate"), "{told}");
    }
}

#[test]
fn a_record_under_a_key_that_one_process_lacks_is_503_there_and_never_invalid() {
    let _rows = proofkey_conformance::shows(&["secrets-key-8"]);
    let rows = Arc::new(Rows::default());
    let behind = world(&rows, &[OLD]);
    let tokens = behind.sign_in();
    // Another process has promoted the new key before this one has heard of it.
    let ahead = world(&rows, &[NEW, OLD]);
    let next = SignedIn::of(&ahead.refresh(&tokens.refresh));
    for reply in [behind.refresh(&tokens.refresh), behind.get("/auth/userinfo", &tokens.access)] {
        assert_eq!(reply.outcome(), (503, "temporarily_unavailable".to_owned()));
        assert!(!reply.header("retry-after").is_empty());
    }
    assert!(behind.take_events().contains(&EventKind::KeyUnknown));
    behind.server.replace_keys(&keys(&[OLD, NEW])).unwrap();
    assert!(behind.works(&next.access));
    assert_eq!(behind.refresh(&next.refresh).status, 200);
}

#[test]
fn a_rotation_in_two_steps_fails_no_request() {
    let rows = Arc::new(Rows::default());
    let (one, two) = (world(&rows, &[OLD]), world(&rows, &[OLD]));
    let mut tokens = one.sign_in();
    for ring in [vec![OLD, NEW], vec![NEW, OLD]] {
        for world in [&one, &two] {
            world.server.replace_keys(&keys(&ring)).unwrap();
            for other in [&two, &one] {
                assert!(other.works(&tokens.access));
                tokens = SignedIn::of(&other.refresh(&tokens.refresh));
                one.clock.advance(std::time::Duration::from_secs(60));
                two.clock.advance(std::time::Duration::from_secs(60));
            }
        }
    }
    // The old key can go once no grant names it: here, after the last of its tokens has been rotated away.
    let retire = |world: &World| world.server.retire_key(keys(&[OLD]).ids()[0]);
    assert!(retire(&one).unwrap_err().to_string().contains("may still be used"));
    one.revoke(&tokens.refresh);
    retire(&one).unwrap();
    one.server.replace_keys(&keys(&[NEW])).unwrap();
    one.server.check_in().unwrap();
    assert_eq!(one.get_plain("/health").status, 200);
    assert!(one.works(&one.sign_in().access));
}

#[test]
fn a_form_that_is_sent_again_while_a_key_is_promoted_gets_the_same_code() {
    let world = world(&Arc::new(Rows::default()), &[OLD, NEW]);
    // The second form is read by a process that has heard of the promotion, or by one that has not.
    for ring in [[NEW, OLD], [OLD, NEW]] {
        let visit = Visit::new(&world);
        let request = hidden(&visit.get(&authorization("web", REDIRECT_URI)), "request");
        let fields = [("request", &*request), ("username", "ada@example.com"), ("password", PASSWORD)];
        let first = visit.post("/auth/login", &fields);
        world.server.replace_keys(&keys(&ring)).unwrap();
        let second = visit.post("/auth/login", &fields);
        assert_eq!((first.status, second.status), (StatusCode::SEE_OTHER, StatusCode::SEE_OTHER), "{second:?}");
        let code = code_in(&second).unwrap();
        assert_eq!(code_in(&first).as_ref(), Some(&code));
        assert_eq!(world.redeem(&code).status, 200);
    }
}
