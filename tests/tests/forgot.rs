//! Asking for a link that sets a new password: whoever asks learns nothing of who has an account.

use std::sync::Arc;

use proofkey::core::{Entropy, Step, UnixTime, UserSource};
use proofkey::{Event, EventKind, Secret, User, UserChange};
use proofkey_tests::{
    ADA, Fault, PASSWORD, People, Reply, Rows, START, Visit, World, answer, core_with, drive, form_request, hidden,
};
use serde_json::json;

const ENDPOINTS: &str = "authorize token refresh revoke introspect userinfo me challenge forgot";
const ADA_NAME: &str = "ada@example.com";

fn world() -> World {
    World::with(|builder| builder.set("endpoints", ENDPOINTS))
}

fn ask(world: &World, name: &str) -> Reply {
    world.form("/auth/forgot", &[("username", name)])
}

/// What each user was sent.
fn sent(world: &World) -> Vec<(String, String)> {
    let carrying = |event: &Event| {
        let link = event.reset_link()?.expose_text()?.to_owned();
        assert_eq!(event.kind(), EventKind::ResetAsked);
        Some((event.concerned_subject()?.to_owned(), link))
    };
    world.take_full_events().iter().filter_map(carrying).collect()
}

#[test]
fn the_page_is_there_where_it_is_asked_for_only() {
    let off = World::new();
    assert_eq!(off.get_plain("/auth/forgot").status, 404);
    assert!(!String::from_utf8_lossy(&Visit::new(&off).get("/auth/login").body).contains("/auth/forgot"));
    let on = world();
    let page = Visit::new(&on).get("/auth/forgot");
    assert_eq!(page.status, 200);
    assert!(String::from_utf8_lossy(&page.body).contains("name=\"username\""));
    assert!(String::from_utf8_lossy(&Visit::new(&on).get("/auth/login").body).contains("/auth/forgot"));
}

#[test]
fn the_host_is_handed_a_link_that_sets_the_password() {
    let world = world();
    assert_eq!(ask(&world, "ADA@example.com").status, 200);
    let sent = sent(&world);
    let [(subject, link)] = sent.as_slice() else { panic!("one link: {sent:?}") };
    assert_eq!(subject, ADA);
    let visit = Visit::new(&world);
    let page = visit.get(link.strip_prefix("https://as.example").unwrap());
    let fields = [("token", hidden(&page, "token")), ("new_password", "a new passphrase of hers".to_owned())];
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(visit.post("/auth/reset", &fields).status, 200);
    assert_eq!(world.authorize(&json!({ "password": "a new passphrase of hers" })).status, 200);
}

/// A question that is driven by hand: its answer, and what it took.
struct Asked {
    reply: Reply,
    steps: Vec<&'static str>,
    links: usize,
}

fn asked(users: UserSource, rows: &Rows, people: &People, name: &str) -> Asked {
    let core = core_with(users, 4, &[("endpoints", ENDPOINTS)]);
    let request = form_request("/auth/forgot", &[("username", name)]);
    let mut step = core.begin(request, UnixTime::from_seconds(START), Entropy::from_seed(9));
    let mut steps = Vec::new();
    loop {
        steps.push(match &step {
            Step::Delete(_) => "delete",
            Step::Find(_) => "find",
            Step::Get(_) => "get",
            Step::Put(_) => "put",
            Step::User(_) => "user",
            Step::Work(_) => "hash",
            _ => "done",
        });
        step = match step {
            Step::Done(reply) => {
                let (response, events) = reply.into_parts();
                let links = events.iter().filter(|event| event.reset_link().is_some()).count();
                return Asked { reply: response.into(), steps, links };
            }
            step => answer(rows, people, step, Fault::None),
        };
    }
}

#[test]
fn known_unknown_and_disabled_are_one_answer_at_one_cost() {
    let _rows = proofkey_conformance::shows(&["passwords-login-5"]);
    let (core, own) = (core_with(UserSource::BuiltIn, 4, &[]), Rows::default());
    let now = UnixTime::from_seconds(START);
    for name in [ADA_NAME, "disabled"] {
        let user = User::new(name);
        let step = core.create_user(user, Secret::from(PASSWORD), now, Entropy::from_seed(name.len() as u64));
        drive(&own, &People::default(), step).unwrap().unwrap();
    }
    let step = core.change_user("disabled", UserChange::Disable, now, Entropy::from_seed(5));
    drive(&own, &People::default(), step).unwrap().unwrap();
    let table = People::default();
    table.dismiss("u-bob");
    for (users, rows, disabled) in [(UserSource::BuiltIn, own, "disabled"), (UserSource::Find, Rows::default(), "bob")]
    {
        let ask = |name| asked(users, &rows.clone(), &table, name);
        let known = ask(ADA_NAME);
        assert_eq!((known.reply.status.as_u16(), known.links), (200, 1));
        for other in [ask("nobody"), ask(disabled)] {
            assert_eq!((other.reply.status, &other.reply.headers), (known.reply.status, &known.reply.headers));
            assert_eq!(other.reply.body, known.reply.body);
            assert_eq!(other.steps, known.steps);
            assert_eq!(other.links, 0);
        }
        assert!(!known.steps.contains(&"hash") && !known.steps.contains(&"find"), "{:?}", known.steps);
    }
}

#[test]
fn a_name_is_asked_for_ten_times_at_most_whether_it_is_known_or_not() {
    let _rows = proofkey_conformance::shows(&["passwords-login-5"]);
    let mut world = world();
    for at in 0..10 {
        world.peer = Some(format!("198.51.100.{at}").parse().unwrap());
        assert_eq!((ask(&world, ADA_NAME).status.as_u16(), ask(&world, "nobody").status.as_u16()), (200, 200));
    }
    assert_eq!(sent(&world).len(), 10);
    world.peer = Some("192.0.2.1".parse().unwrap());
    let (known, unknown) = (ask(&world, "Ada@example.com"), ask(&world, "nobody"));
    assert_eq!((known.status.as_u16(), &known.headers, &known.body), (429, &unknown.headers, &unknown.body));
    assert_eq!(sent(&world), []);
    assert_eq!(world.authorize(&json!({})).status, 200, "signing in is another matter");
    world.wait(900);
    assert_eq!(ask(&world, ADA_NAME).status, 200);
}

#[test]
fn an_address_asks_so_often_and_no_more() {
    let world = World::with(|builder| builder.set("endpoints", ENDPOINTS).limit_address("20/15m"));
    for at in 0..20 {
        assert_eq!(ask(&world, &format!("name {at}")).status, 200);
    }
    assert_eq!(ask(&world, ADA_NAME).status, 429);
    assert_eq!(sent(&world), []);
    assert_eq!(world.authorize(&json!({})).status, 200, "signing in is another matter");
}

#[test]
fn without_a_name_the_page_says_so_and_counts_nothing() {
    let world = world();
    world.store.take_calls();
    let page = ask(&world, "");
    assert_eq!(page.status, 400);
    assert!(String::from_utf8_lossy(&page.body).contains("Enter your user name"));
    assert_eq!(ask(&world, &"x".repeat(256)).status, 400);
    assert_eq!(world.store.take_calls(), []);
}

#[test]
fn a_form_of_another_site_sends_nothing() {
    let world = world();
    let reply = world.form_with("/auth/forgot", &[("sec-fetch-site", "cross-site")], &[("username", ADA_NAME)]);
    assert_eq!(reply.status, 403);
    assert_eq!(sent(&world), []);
}

#[test]
fn nothing_that_is_printed_of_an_event_holds_the_link() {
    let world = world();
    ask(&world, ADA_NAME);
    let events = world.take_full_events();
    let link = events.iter().find_map(Event::reset_link).unwrap().expose_text().unwrap();
    let token = link.split_once("token=").unwrap().1;
    for event in &events {
        for text in [format!("{event:?}"), format!("{event:#?}"), event.private_detail().unwrap_or_default().to_owned()]
        {
            assert!(!text.contains(&token[..20]), "{text}");
        }
    }
}

#[test]
fn users_of_the_built_in_store_are_asked_for_by_name_in_any_case() {
    let world = World::with_own_users(Arc::new(Rows::default()), |builder| builder.set("endpoints", ENDPOINTS));
    let subject = world.server.create_user(User::new("Grace"), Secret::from(PASSWORD)).unwrap();
    world.take_events();
    assert_eq!(ask(&world, "gRACE").status, 200);
    assert_eq!(sent(&world).iter().map(|(subject, _)| subject.as_str()).collect::<Vec<_>>(), [subject.as_str()]);
}
