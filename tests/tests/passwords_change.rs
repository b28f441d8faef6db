//! The page where people who are signed in change their password.

use std::sync::Arc;

use proofkey::core::{Entropy, Step};
use proofkey::{EventKind, Request, Secret, UnixTime, User, UserAnswer, UserChange, Users};
use proofkey_tests::{ADA, Call, Fault, PASSWORD, People, Rows, START, Visit, World, answer, core, hidden};

const NEW: &str = "a new passphrase of hers";
const WRONG: &str = "a wrong one, this";

/// A world with users of its own, and one where they are the host's: Ada has the same name and password in both.
fn worlds() -> [World; 2] {
    let own = World::with_own_users(Arc::new(Rows::default()), |builder| builder);
    own.server.create_user(User::new("ada@example.com"), Secret::from(PASSWORD)).unwrap();
    [World::new(), own]
}

fn change(visit: &Visit<'_>, old: &str, new: &str, others: bool) -> (u16, String) {
    let mut fields = vec![("current_password", old), ("new_password", new)];
    if others {
        fields.push(("end_others", "yes"));
    }
    let reply = visit.submit("/auth/password", "form_token", &fields);
    (reply.status.as_u16(), reply.header("location").to_owned())
}

fn changed() -> (u16, String) {
    (303, "https://as.example/auth/applications?done=password".to_owned())
}

fn signed_in(world: &World) -> Visit<'_> {
    let visit = Visit::new(world);
    assert_eq!(visit.sign_in("ada@example.com", PASSWORD).status, 303);
    visit
}

fn lets_in(world: &World, password: &str) -> bool {
    Visit::new(world).sign_in("ada@example.com", password).status == 303
}

#[test]
fn who_is_not_signed_in_signs_in_first_and_comes_back() {
    let world = World::new();
    let visit = Visit::new(&world);
    let request = hidden(&visit.get("/auth/password"), "request");
    let fields = [("request", request.as_str()), ("username", "ada@example.com"), ("password", PASSWORD)];
    let reply = visit.post("/auth/login", &fields);
    assert_eq!((reply.status.as_u16(), reply.header("location")), (303, "https://as.example/auth/password"));
    assert!(String::from_utf8_lossy(&visit.get("/auth/password").body).contains("current_password"));
}

#[test]
fn the_new_password_takes_the_place_of_the_old_one() {
    for world in worlds() {
        let visit = signed_in(&world);
        world.take_events();
        assert_eq!(change(&visit, PASSWORD, NEW, false), changed());
        assert!(world.take_events().contains(&EventKind::PasswordChanged));
        assert!(lets_in(&world, NEW) && !lets_in(&world, PASSWORD));
        assert!(String::from_utf8_lossy(&visit.get("/auth/applications?done=password").body).contains("changed"));
    }
}

#[test]
fn the_browser_goes_on_under_a_new_sign_in_and_the_old_cookie_is_of_no_use() {
    let world = World::new();
    let visit = signed_in(&world);
    let before = visit.cookies();
    assert_eq!(change(&visit, PASSWORD, NEW, false), changed());
    assert!(visit.is_signed_in());
    let page = world.request(http::Method::GET, "/auth/applications", &[("cookie", &before)], "");
    assert!(!String::from_utf8_lossy(&page.body).contains("form_token"), "the old cookie lets nobody in");
}

#[test]
fn other_browsers_are_signed_out_with_their_grants_if_the_box_is_ticked() {
    let _rows = proofkey_conformance::shows(&["web-session-5", "rfc9700-4.14.2-5"]);
    for world in worlds() {
        let (one, other) = (Visit::new(&world), Visit::new(&world));
        let own = one.sign_in_to_web("ada@example.com", PASSWORD);
        let others = other.sign_in_to_web("ada@example.com", PASSWORD);
        assert_eq!(change(&one, PASSWORD, NEW, true), changed());
        assert!(one.is_signed_in() && world.works(&own.access));
        assert!(!other.is_signed_in() && !world.works(&others.access));
        assert_eq!(world.refresh(&others.refresh).outcome(), (400, "invalid_grant".to_owned()));
        assert_eq!(world.refresh(&own.refresh).status, 200);
    }
}

#[test]
fn a_sign_in_with_the_old_password_that_is_under_way_is_signed_out_too() {
    let _rows = proofkey_conformance::shows(&["web-session-5"]);
    let rows = Arc::new(Rows::default());
    let world = World::over(rows.clone(), |builder| builder);
    let (one, other) = (signed_in(&world), Visit::new(&world));
    let request = hidden(&other.get("/auth/login"), "request");
    let form = format!("request={request}&username=ada%40example.com&password={}", PASSWORD.replace(' ', "+"));
    let login = http::Request::post("/auth/login").header("content-type", "application/x-www-form-urlencoded");
    let login = Request::new(login.header("cookie", other.cookies()).body(form.into()).unwrap(), None);
    let mut step = core().begin(login, UnixTime::from_seconds(START), Entropy::from_seed(77));
    let response = loop {
        step = match step {
            Step::Done(reply) => break reply.into_value(),
            Step::Work(work) => {
                // The name was looked up, with the old hash.
                assert_eq!(change(&one, PASSWORD, NEW, true), changed());
                work.run()
            }
            step => answer(&rows, &world.people, step, Fault::None),
        };
    };
    assert_eq!(response.status(), 400);
    assert!(!response.headers().contains_key("set-cookie"), "{response:?}");
    assert!(one.is_signed_in());
}

#[test]
fn without_the_tick_other_browsers_stay() {
    let _rows = proofkey_conformance::shows(&["rfc9700-4.14.2-5"]);
    for world in worlds() {
        let (one, other) = (Visit::new(&world), Visit::new(&world));
        let tokens = other.sign_in_to_web("ada@example.com", PASSWORD);
        assert_eq!(one.sign_in("ada@example.com", PASSWORD).status, 303);
        assert_eq!(change(&one, PASSWORD, NEW, false), changed());
        assert!(other.is_signed_in() && world.works(&tokens.access));
    }
}

#[test]
fn a_password_that_the_operator_sets_ends_everything() {
    let _rows = proofkey_conformance::shows(&["rfc9700-4.14.2-5"]);
    let [_, world] = worlds();
    let visit = Visit::new(&world);
    let tokens = visit.sign_in_to_web("ada@example.com", PASSWORD);
    world.server.change_user("ada@example.com", UserChange::Password(Secret::from(NEW))).unwrap();
    assert!(!visit.is_signed_in());
    assert_eq!(world.refresh(&tokens.refresh).outcome(), (400, "invalid_grant".to_owned()));
}

#[test]
fn a_wrong_current_password_is_counted_as_one_at_the_sign_in_of_that_browser() {
    let world = World::with(|builder| builder.limit_user("3/15m"));
    let visit = signed_in(&world);
    world.take_events();
    for _ in 0..3 {
        assert_eq!(change(&visit, WRONG, NEW, false).0, 403);
    }
    assert_eq!(world.take_events().iter().filter(|kind| **kind == EventKind::LoginFailed).count(), 3);
    assert_eq!(change(&visit, PASSWORD, NEW, false).0, 429, "the right one comes too late");
    assert_eq!(visit.sign_in("ada@example.com", PASSWORD).status, 429);
    assert!(lets_in(&world, PASSWORD), "another browser has its own count");
    world.wait(900);
    assert_eq!(change(&visit, PASSWORD, NEW, false), changed());
}

#[test]
fn a_new_password_that_breaks_a_rule_is_told_before_anything_is_counted_or_hashed() {
    let world = World::new();
    let visit = signed_in(&world);
    let long = "x".repeat(72);
    let page = visit.get("/auth/password");
    let token = hidden(&page, "form_token");
    for (new, told) in [
        ("short", "at least 15 characters"),
        (long.as_str(), "too long"),
        ("passwordpassword", "tried first"),
        ("", "Fill in every field"),
    ] {
        world.store.take_calls();
        let fields = [("form_token", token.as_str()), ("current_password", WRONG), ("new_password", new)];
        let reply = visit.post("/auth/password", &fields);
        assert_eq!(reply.status, 400, "{new}");
        let html = String::from_utf8_lossy(&reply.body).into_owned();
        assert!(html.contains(told), "{new}: {html}");
        let calls: Vec<_> = world.store.take_calls().iter().map(ToString::to_string).collect();
        assert_eq!(calls, ["get", "get"], "the sign-in and its epoch");
    }
    assert!(lets_in(&world, PASSWORD));
}

#[test]
fn a_form_that_was_not_made_for_this_sign_in_changes_nothing() {
    let world = World::new();
    let (visit, other) = (signed_in(&world), signed_in(&world));
    let foreign = hidden(&other.get("/auth/password"), "form_token");
    for token in ["", "x", foreign.as_str()] {
        let fields = [("form_token", token), ("current_password", PASSWORD), ("new_password", NEW)];
        assert_eq!(visit.post("/auth/password", &fields).status, 403, "{token}");
    }
    assert!(lets_in(&world, PASSWORD));
}

/// Changes Ada's password, box ticked, in a fresh world that goes wrong in this way.
fn change_with(faults: impl IntoIterator<Item = Fault>) -> (World, u16, Vec<Call>) {
    let [_, world] = worlds();
    signed_in(&world);
    let visit = signed_in(&world);
    let token = hidden(&visit.get("/auth/password"), "form_token");
    world.store.take_calls();
    world.store.plan(faults);
    let fields =
        [("form_token", token.as_str()), ("current_password", PASSWORD), ("new_password", NEW), ("end_others", "yes")];
    let status = visit.post("/auth/password", &fields).status.as_u16();
    let calls = world.store.take_calls();
    world.store.plan([]);
    drop(visit);
    (world, status, calls)
}

#[test]
fn lost_races_are_decided_again_and_nothing_is_half_done() {
    let (_, _, calls) = change_with([]);
    let puts = calls.iter().enumerate().filter(|(_, call)| **call == Call::Put).map(|(at, _)| at);
    let mut refused = 0;
    for at in puts {
        let (world, status, _) = change_with(std::iter::repeat_n(Fault::None, at).chain([Fault::Conflict]));
        // Only the record of the new sign-in cannot be lost to anybody: its key is fresh.
        refused += usize::from(status != 303);
        assert!([303, 503].contains(&status), "{status} at {at} of {calls:?}");
        assert!(lets_in(&world, NEW) && !lets_in(&world, PASSWORD), "at {at}");
    }
    assert_eq!(refused, 1);
}

#[test]
fn a_store_that_fails_at_any_call_leaves_one_password_that_works() {
    let (_, _, calls) = change_with([]);
    for at in 0..calls.len() {
        for fault in [Fault::Fail, Fault::Lost] {
            let (world, status, _) = change_with(std::iter::repeat_n(Fault::None, at).chain([fault, fault]));
            assert!([303, 503].contains(&status), "{status}: {fault:?} at {at} of {calls:?}");
            let (old, new) = (lets_in(&world, PASSWORD), lets_in(&world, NEW));
            assert!(old != new && (new || status == 503), "{old} {new} {status}: {fault:?} at {at} of {calls:?}");
        }
    }
}

/// A host that looks up and keeps nothing.
struct ReadOnly(People);

impl Users for ReadOnly {
    fn find(&self, subject: &str) -> Result<UserAnswer, proofkey::StoreError> {
        self.0.find(subject)
    }

    fn find_by_name(&self, name: &str) -> Result<UserAnswer, proofkey::StoreError> {
        self.0.find_by_name(name)
    }
}

#[test]
fn a_host_that_keeps_no_hashes_is_told_and_the_user_is_not_told_that_all_is_well() {
    let world = World::with(|builder| builder.users(ReadOnly(People::default())));
    let visit = signed_in(&world);
    world.take_events();
    assert_eq!(change(&visit, PASSWORD, NEW, false).0, 500);
    let events = world.take_full_events();
    assert!(events.iter().any(|event| event.private_detail().is_some_and(|text| text.contains("store_password_hash"))));
    assert!(lets_in(&world, PASSWORD));
}

/// A host whose hash is another one by the time that a new one is to be kept.
struct Overtaken(People);

impl Users for Overtaken {
    fn find(&self, subject: &str) -> Result<UserAnswer, proofkey::StoreError> {
        self.0.find(subject)
    }

    fn find_by_name(&self, name: &str) -> Result<UserAnswer, proofkey::StoreError> {
        self.0.find_by_name(name)
    }

    fn store_password_hash(
        &self,
        subject: &str,
        hash: &str,
        replaces: Option<&str>,
    ) -> Result<bool, proofkey::StoreError> {
        self.0.set_hash(ADA, "the hash of another password");
        self.0.store_password_hash(subject, hash, replaces)
    }
}

#[test]
fn a_password_that_is_changed_elsewhere_meanwhile_is_the_current_one_no_more() {
    let people = People::default();
    let world = World::with(|builder| builder.users(Overtaken(people.clone())));
    let visit = signed_in(&world);
    assert_eq!(change(&visit, PASSWORD, NEW, false).0, 403);
    assert_eq!(people.hash_of(ADA).as_deref(), Some("the hash of another password"));
}
