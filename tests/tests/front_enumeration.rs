//! Signing in tells nobody who has an account: by text, status, header, store calls or work.

use proofkey::core::{Core, Entropy, Step, UnixTime, UserSource};
use proofkey::{Request, UserQuestion};
use proofkey_tests::{ADA, Browser, Fault, People, Reply, Rows, START, World, answer, authorize_path, core_with};

/// What a stranger can see and measure of one answer.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    status: u16,
    headers: Vec<String>,
    body: String,
    steps: Vec<&'static str>,
}

/// Drives one request and notes every step.
fn drive(core: &Core, rows: &Rows, people: &People, request: Request) -> (Reply, Vec<&'static str>) {
    let mut steps = Vec::new();
    let mut step = core.begin(request, UnixTime::from_seconds(START), Entropy::from_seed(3));
    loop {
        steps.push(match &step {
            Step::Delete(_) => "delete",
            Step::Find(_) => "find",
            Step::Get(_) => "get",
            Step::Put(_) => "put",
            Step::User(user) => match user.question() {
                UserQuestion::FindByName { .. } => "find_by_name",
                _ => "user",
            },
            Step::Work(_) => "work",
            Step::Done(_) => "done",
            _ => "other",
        });
        step = match step {
            Step::Done(reply) => return (reply.into_value().into(), steps),
            other => answer(rows, people, other, Fault::None),
        };
    }
}

fn get(path: &str) -> Request {
    Request::new(http::Request::get(path).body(bytes::Bytes::new()).unwrap(), Some("192.0.2.1".parse().unwrap()))
}

/// One attempt at the page, in a browser that was never here, over a store without a record.
fn attempt(people: &People, name: &str, password: &str) -> Seen {
    let core = core_with(UserSource::Find, 4, &[]);
    let rows = Rows::default();
    let (page, _) = drive(&core, &rows, people, get(&authorize_path(&[])));
    let cookie = page.header("set-cookie").split(';').next().unwrap().to_owned();
    let sealed = page.form().field("request").to_owned();
    let escaped = name.replace('@', "%40");
    let body = format!("request={sealed}&username={escaped}&password={}", password.replace(' ', "+"));
    let request = http::Request::post("/auth/login").header("content-type", "application/x-www-form-urlencoded");
    let request = request.header("cookie", cookie).body(body.into()).unwrap();
    let (reply, steps) = drive(&core, &rows, people, Request::new(request, Some("192.0.2.1".parse().unwrap())));
    let headers = reply.headers.iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
    Seen { status: reply.status.as_u16(), headers, body: reply.html().replace(name, "NAME"), steps }
}

#[test]
fn a_wrong_password_an_unknown_name_and_a_dismissed_user_look_and_cost_the_same() {
    let people = People::default();
    let wrong = attempt(&people, "ada@example.com", "a wrong one");
    assert_eq!(wrong.status, 403);
    assert_eq!(wrong.steps.iter().filter(|step| **step == "work").count(), 1, "one hash: {:?}", wrong.steps);
    assert_eq!(attempt(&people, "nobody@example.com", "a wrong one"), wrong, "an unknown name");
    assert_eq!(attempt(&people, "ADA@example.com", "another wrong one"), wrong, "another spelling");
    people.dismiss(ADA);
    assert_eq!(
        attempt(&people, "ada@example.com", proofkey_tests::PASSWORD),
        wrong,
        "dismissed, and the right password"
    );
    people.restore(ADA);
    people.set_hash(ADA, "no hash at all");
    assert_eq!(attempt(&people, "ada@example.com", proofkey_tests::PASSWORD), wrong, "a hash that is none");
    people.remove(ADA);
    assert_eq!(attempt(&people, "ada@example.com", proofkey_tests::PASSWORD), wrong, "gone");
}

#[test]
fn names_are_held_off_alike_whether_or_not_somebody_has_them() {
    let mut answers = Vec::new();
    for name in ["ada@example.com", "nobody@example.com"] {
        let world = World::new();
        let browser = Browser::new(&world);
        let page = browser.authorize(&[]);
        let replies: Vec<_> = (0..12)
            .map(|_| {
                let reply = browser.sign_in(&page, name, "a wrong one");
                let html = reply.html().replace(name, "NAME");
                (reply.status, reply.header("retry-after").to_owned(), html, reply.store_calls)
            })
            .collect();
        assert_eq!(replies[11].0, 429);
        answers.push(replies);
    }
    assert_eq!(answers[0], answers[1]);
}

#[test]
fn a_browser_that_knows_a_user_does_not_tell_which() {
    let world = World::new();
    let browser = Browser::new(&world);
    browser.sign_ada_in(&[]);
    let page = browser.authorize(&[("prompt", "login")]);
    let seen = |name: &str| {
        let reply = browser.sign_in(&page, name, "a wrong one");
        (reply.status, reply.html().replace(name, "NAME"))
    };
    assert_eq!(seen("ada@example.com"), seen("nobody@example.com"));
    let known = browser.cookie("__Secure-proofkey-browser").len();
    let other = Browser::new(&world);
    other.sign_in(&other.authorize(&[]), "bob", "another long passphrase");
    assert_eq!(other.cookie("__Secure-proofkey-browser").len(), known);
}
