//! A link that sets a new password: once, within an hour, and while the old one is in force.

use std::sync::Arc;

use proofkey::core::{Core, Entropy, Step, UnixTime, UserSource};
use proofkey::{EventKind, Request, Secret, User, UserChange};
use proofkey_tests::{
    ADA, CHALLENGE, Call, Fault, PASSWORD, People, REDIRECT_URI, Reply, Rows, START, Visit, World, answer, core_with,
    drive, form_request, hidden, without_reference,
};
use serde_json::json;

const NEW: &str = "a new passphrase of hers";
const ADA_NAME: &str = "ada@example.com";

/// A world with users of its own, and one where they are the host's: Ada has the same name and password in both.
fn worlds() -> [World; 2] {
    let own = World::with_own_users(Arc::new(Rows::default()), |builder| builder);
    own.server.create_user(User::new(ADA_NAME), Secret::from(PASSWORD)).unwrap();
    [World::new(), own]
}

/// Where a link leads, without the host.
fn link(world: &World, name: &str) -> String {
    path_of(&world.server.reset_link(name).unwrap().expect("a link"))
}

fn path_of(link: &Secret) -> String {
    link.expose_text().unwrap().strip_prefix("https://as.example").expect("under the issuer").to_owned()
}

fn set(world: &World, link: &str, new: &str) -> Reply {
    let visit = Visit::new(world);
    let page = visit.get(link);
    if page.status != 200 {
        return page;
    }
    visit.post("/auth/reset", &[("token", &hidden(&page, "token")), ("new_password", new)])
}

fn lets_in(world: &World, password: &str) -> bool {
    Visit::new(world).sign_in(ADA_NAME, password).status == 303
}

/// The page that every link gets that does not work.
fn assert_is_over(page: &Reply) {
    let reference = set(&World::new(), "/auth/reset?token=foreign", NEW);
    assert_eq!((page.status.as_u16(), &page.headers), (400, &reference.headers));
    assert_eq!(without_reference(page), without_reference(&reference));
}

#[test]
fn a_link_sets_the_password_and_signs_its_user_out_everywhere() {
    for world in worlds() {
        let visit = Visit::new(&world);
        let tokens = visit.sign_in_to_web(ADA_NAME, PASSWORD);
        let link = link(&world, ADA_NAME);
        world.take_events();
        let page = set(&world, &link, NEW);
        assert_eq!(page.status, 200);
        assert!(String::from_utf8_lossy(&page.body).contains("Your new password is saved"));
        let events = world.take_events();
        assert!(events.contains(&EventKind::PasswordChanged) && events.contains(&EventKind::OwnerSignedOut));
        assert!(!visit.is_signed_in() && !world.works(&tokens.access));
        assert_eq!(world.refresh(&tokens.refresh).outcome(), (400, "invalid_grant".to_owned()));
        assert!(lets_in(&world, NEW) && !lets_in(&world, PASSWORD));
    }
}

#[test]
fn a_link_works_once() {
    for world in worlds() {
        let link = link(&world, ADA_NAME);
        assert_eq!(set(&world, &link, NEW).status, 200);
        assert_is_over(&set(&world, &link, "another passphrase again"));
        let token = link.split_once("token=").unwrap().1;
        let fields = [("token", token), ("new_password", "another passphrase again")];
        assert_is_over(&Visit::new(&world).post("/auth/reset", &fields));
        assert!(lets_in(&world, NEW));
    }
}

#[test]
fn a_link_ends_with_any_change_of_the_password() {
    for world in worlds() {
        let (first, second) = (link(&world, ADA_NAME), link(&world, ADA_NAME));
        assert_eq!(set(&world, &second, NEW).status, 200);
        assert_is_over(&set(&world, &first, "another passphrase again"));
        let third = link(&world, ADA_NAME);
        let visit = Visit::new(&world);
        assert_eq!(visit.sign_in(ADA_NAME, NEW).status, 303);
        let fields = [("current_password", NEW), ("new_password", PASSWORD)];
        assert_eq!(visit.submit("/auth/password", "form_token", &fields).status, 303);
        assert_is_over(&set(&world, &third, "another passphrase again"));
        assert!(lets_in(&world, PASSWORD));
    }
}

#[test]
fn a_link_works_for_an_hour() {
    let world = World::new();
    let (in_time, late) = (link(&world, ADA_NAME), link(&world, ADA_NAME));
    world.wait(3600);
    assert_eq!(Visit::new(&world).get(&in_time).status, 200);
    world.wait(1);
    assert_is_over(&set(&world, &late, NEW));
    assert!(lets_in(&world, PASSWORD));
}

#[test]
fn a_link_that_was_changed_or_is_of_another_purpose_is_none() {
    let world = World::new();
    let link = link(&world, ADA_NAME);
    let travelling = hidden(&Visit::new(&world).get("/auth/login"), "request");
    let mut changed = link.clone();
    changed.insert(link.len() - 40, 'A');
    for bad in [changed, format!("/auth/reset?token={travelling}"), "/auth/reset".to_owned(), link + "x"] {
        assert_is_over(&set(&world, &bad, NEW));
    }
}

#[test]
fn there_is_no_link_for_who_may_not_sign_in_and_an_older_one_ends() {
    let [_, world] = worlds();
    assert!(world.server.reset_link("nobody").unwrap().is_none());
    let before = link(&world, ADA_NAME);
    world.server.change_user(ADA_NAME, UserChange::Disable).unwrap();
    assert!(world.server.reset_link(ADA_NAME).unwrap().is_none());
    assert_is_over(&set(&world, &before, NEW));
    // Somebody else under the same name: not whom the link was for, whatever the password.
    world.server.delete_user(ADA_NAME).unwrap();
    world.server.create_user(User::new(ADA_NAME), Secret::from(PASSWORD)).unwrap();
    assert_is_over(&set(&world, &before, NEW));
    let [host, _] = worlds();
    let before = link(&host, ADA_NAME);
    host.people.dismiss(ADA);
    assert!(host.server.reset_link(ADA_NAME).unwrap().is_none());
    assert_is_over(&set(&host, &before, NEW));
}

#[test]
fn to_look_at_a_link_writes_nothing_and_uses_nothing_up() {
    for world in worlds() {
        let link = link(&world, ADA_NAME);
        world.store.take_calls();
        for _ in 0..3 {
            let page = Visit::new(&world).get(&link);
            assert_eq!((page.status.as_u16(), page.header("referrer-policy")), (200, "no-referrer"));
            assert_eq!(page.header("cache-control"), "no-store");
        }
        assert!(world.store.take_calls().iter().all(|call| *call == Call::Get));
        assert_eq!(set(&world, &link, NEW).status, 200);
    }
}

#[test]
fn a_password_that_breaks_a_rule_leaves_the_link_as_it_is() {
    let world = World::new();
    let link = link(&world, ADA_NAME);
    let long = "x".repeat(72);
    for (new, told) in [
        ("short", "at least 15 characters"),
        (long.as_str(), "too long"),
        ("passwordpassword", "tried first"),
        ("", "Fill in every field"),
    ] {
        world.store.take_calls();
        let page = set(&world, &link, new);
        assert_eq!(page.status, 400, "{new}");
        assert!(String::from_utf8_lossy(&page.body).contains(told), "{new}");
        assert_eq!(world.store.take_calls(), [], "nobody is signed out");
    }
    assert_eq!(set(&world, &link, NEW).status, 200);
}

#[test]
fn who_was_locked_out_signs_in_with_the_new_password_at_once() {
    let world = World::new();
    for _ in 0..10 {
        assert_eq!(world.authorize(&json!({ "password": "a wrong one, this" })).status, 400);
    }
    assert_eq!(world.authorize(&json!({})).status, 429);
    assert_eq!(set(&world, &link(&world, ADA_NAME), NEW).status, 200);
    assert_eq!(world.authorize(&json!({ "password": NEW })).status, 200);
}

#[test]
fn a_form_of_another_site_sets_nothing() {
    let world = World::new();
    let link = link(&world, ADA_NAME);
    let token = link.split_once("token=").unwrap().1;
    let body = format!("token={token}&new_password=a+new+passphrase+of+hers");
    for header in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        let headers = [("content-type", "application/x-www-form-urlencoded"), header];
        assert_eq!(world.request(http::Method::POST, "/auth/reset", &headers, body.clone()).status, 403);
    }
    assert!(lets_in(&world, PASSWORD));
}

#[test]
fn where_there_is_no_such_page_there_is_no_link() {
    let own_login = World::with(|builder| builder.set("login_url", "/signin"));
    let refusal = own_login.server.reset_link(ADA_NAME).unwrap_err();
    assert_eq!(refusal.status().as_u16(), 400);
    assert_eq!(own_login.get_plain("/auth/reset").status, 404);
}

#[test]
fn a_failing_store_leaves_nobody_signed_in_who_knew_the_password_before() {
    let cost = {
        let [_, world] = worlds();
        let link = link(&world, ADA_NAME);
        let visit = Visit::new(&world);
        visit.sign_in_to_web(ADA_NAME, PASSWORD);
        visit.get(&link);
        world.store.take_calls();
        assert_eq!(set(&world, &link, NEW).status, 200);
        world.store.take_calls().len()
    };
    for at in 0..cost {
        let [_, world] = worlds();
        let visit = Visit::new(&world);
        let tokens = visit.sign_in_to_web(ADA_NAME, PASSWORD);
        let link = link(&world, ADA_NAME);
        world.store.plan(std::iter::repeat_n(Fault::None, at).chain([Fault::Fail, Fault::Fail]));
        let status = set(&world, &link, NEW).status.as_u16();
        world.store.plan([]);
        assert!([200, 503].contains(&status), "{status} at {at}");
        if lets_in(&world, NEW) {
            assert!(!visit.is_signed_in() && !world.works(&tokens.access), "at {at} of {cost}");
        } else {
            assert_eq!(set(&world, &link, NEW).status, 200, "the link works still, at {at}");
        }
    }
}

fn now() -> UnixTime {
    UnixTime::from_seconds(START)
}

/// Runs a flow to its end; `meanwhile` runs before its first job, which hashes the new password.
fn with_pause(rows: &Rows, people: &People, mut step: Step, meanwhile: impl FnOnce()) -> Reply {
    let mut meanwhile = Some(meanwhile);
    loop {
        step = match step {
            Step::Done(reply) => return reply.into_value().into(),
            Step::Work(work) => {
                if let Some(meanwhile) = meanwhile.take() {
                    meanwhile();
                }
                work.run()
            }
            step => answer(rows, people, step, Fault::None),
        };
    }
}

fn use_link(core: &Core, token: &str, new: &str, seed: u64) -> Step {
    let request: Request = form_request("/auth/reset", &[("token", token), ("new_password", new)]);
    core.begin(request, now(), Entropy::from_seed(seed))
}

#[test]
fn of_two_uses_at_the_same_moment_one_counts() {
    for users in [UserSource::BuiltIn, UserSource::Find] {
        let (core, rows, people) = (core_with(users, 4, &[]), Rows::default(), People::default());
        if users == UserSource::BuiltIn {
            let user = User::new(ADA_NAME);
            let created = core.create_user(user, Secret::from(PASSWORD), now(), Entropy::from_seed(1));
            drive(&rows, &people, created).unwrap().unwrap();
        }
        let made = drive(&rows, &people, core.reset_link(ADA_NAME, now(), Entropy::from_seed(2))).unwrap().unwrap();
        let link = path_of(&made);
        let token = link.split_once("token=").unwrap().1;
        let first = with_pause(&rows, &people, use_link(&core, token, NEW, 3), || {
            let second = drive(&rows, &people, use_link(&core, token, "another passphrase again", 4));
            assert_eq!(second.status(), 200);
        });
        assert_is_over(&first);
    }
}

#[test]
fn a_sign_in_with_the_old_password_between_the_two_sign_outs_comes_to_nothing() {
    let (core, rows, people) = (core_with(UserSource::BuiltIn, 4, &[]), Rows::default(), People::default());
    let created = core.create_user(User::new(ADA_NAME), Secret::from(PASSWORD), now(), Entropy::from_seed(1));
    drive(&rows, &people, created).unwrap().unwrap();
    let made = drive(&rows, &people, core.reset_link(ADA_NAME, now(), Entropy::from_seed(2))).unwrap().unwrap();
    let link = path_of(&made);
    let mut step = use_link(&core, link.split_once("token=").unwrap().1, NEW, 3);
    let mut login = None;
    let response = loop {
        step = match step {
            Step::Done(reply) => break reply.into_value(),
            Step::Put(put) if put.write().key().as_str().starts_with("u.") => {
                // The hash is about to change: somebody looks the old one up, and has it verified later.
                let body = json!({
                    "client_id": "web", "redirect_uri": REDIRECT_URI, "code_challenge": CHALLENGE,
                    "code_challenge_method": "S256", "scope": "read", "username": ADA_NAME, "password": PASSWORD,
                });
                let request = http::Request::post("/auth/authorize").header("content-type", "application/json");
                let request = Request::new(request.body(body.to_string().into()).unwrap(), None);
                let mut begun = core.begin(request, now(), Entropy::from_seed(4));
                while !matches!(begun, Step::Work(_)) {
                    begun = answer(&rows, &people, begun, Fault::None);
                }
                login = Some(begun);
                answer(&rows, &people, Step::Put(put), Fault::None)
            }
            step => answer(&rows, &people, step, Fault::None),
        };
    };
    assert_eq!(response.status(), 200);
    let late: Reply = drive(&rows, &people, login.unwrap()).into();
    assert_eq!(late.outcome(), (400, "access_denied".to_owned()));
}
