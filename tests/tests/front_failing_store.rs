//! A store that fails browsers at each step, once or from then on, before or after it did what it was asked: a page or
//! a redirect that claims nothing, nothing lost, and a repetition that succeeds (invariants I16, I17).

use proofkey::EventKind;
use proofkey_tests::{ADA, Browser, Call, Fault, Form, PASSWORD, REDIRECT_URI, Reply, World, assert_well_formed};

const THIRD: [(&str, &str); 2] = [("client_id", "third"), ("redirect_uri", "https://third.example/cb")];

/// What a browser does, as one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Consent,
    SignIn,
    SignOut,
    SignOutEverywhere,
    Start,
    Withdraw,
}

use Operation::{Consent, SignIn, SignOut, SignOutEverywhere, Start, Withdraw};

const ALL: [Operation; 6] = [Consent, SignIn, SignOutEverywhere, Start, Withdraw, SignOut];

/// A browser that is about to do it.
struct Scene<'a> {
    browser: Browser<'a>,
    form: Form,
    fields: Vec<(&'static str, &'static str)>,
    operation: Operation,
    /// An access token that Ada gave the client `third` in this browser; none before signing in.
    token: Option<String>,
}

impl<'a> Scene<'a> {
    fn of(world: &'a World, operation: Operation) -> Self {
        let browser = Browser::new(world);
        let scene = |form, fields, token| Self { browser: browser.clone(), form, fields, operation, token };
        if operation == SignIn {
            let typed = vec![("username", "ada@example.com"), ("password", PASSWORD)];
            return scene(browser.authorize(&[]).form(), typed, None);
        }
        let page = browser.follow(&browser.sign_ada_in(&THIRD));
        if operation == Consent {
            return scene(page.form(), vec![("decision", "allow")], None);
        }
        let code = browser.decide(&page, "allow").location();
        let token = Some(world.redeem_with(code.parameter("code"), &THIRD).text("access_token"));
        let form = |action: &str| browser.get("/auth/applications").form_with("action", action);
        match operation {
            SignOut => scene(browser.get("/auth/logout").form(), vec![], token),
            SignOutEverywhere => scene(form("sign_out_everywhere"), vec![], token),
            Withdraw => scene(form("withdraw"), vec![("client_id", "third")], token),
            _ => scene(Form::default(), vec![], token),
        }
    }

    fn act(&self) -> Reply {
        match self.operation {
            Start => self.browser.authorize(&[]),
            _ => self.browser.submit(&self.form, &self.fields),
        }
    }
}

/// The code that an answer brings.
fn code(reply: &Reply) -> Option<String> {
    let location = (reply.status == 303).then(|| reply.location())?;
    Some(location.parameter("code").to_owned()).filter(|code| !code.is_empty())
}

fn is_done(operation: Operation, reply: &Reply) -> bool {
    match operation {
        Consent | SignIn | Start => code(reply).is_some(),
        SignOut | SignOutEverywhere => reply.status == 200 && reply.title().starts_with("You are signed out"),
        Withdraw => reply.header("location").ends_with("?done=withdrawn"),
    }
}

/// Nothing is claimed: neither that it was done nor that anything was wrong with it.
fn assert_unavailable(operation: Operation, reply: &Reply, context: &str) {
    if operation == Start && reply.status == 303 {
        let location = reply.location();
        assert_eq!(
            (&*location.uri, location.parameter("error")),
            (REDIRECT_URI, "temporarily_unavailable"),
            "{context}"
        );
        return;
    }
    assert_eq!((reply.status.as_u16(), reply.header("retry-after")), (503, "1"), "{context}: {}", reply.html());
    assert!(!reply.headers.contains_key("location"), "{context}");
    assert_well_formed(reply, context);
}

#[test]
fn a_browser_survives_a_store_that_fails_or_is_told_so_and_may_try_again() {
    for operation in ALL {
        let world = World::new();
        let scene = Scene::of(&world, operation);
        world.store.take_calls();
        assert!(is_done(operation, &scene.act()), "{operation:?}");
        let calls = world.store.take_calls();
        let mut unavailable = 0;
        for (at, call) in calls.iter().enumerate() {
            for (fault, times) in [(Fault::Fail, 1), (Fault::Fail, 100), (Fault::Lost, 1), (Fault::Lost, 100)] {
                let context = format!("{operation:?}: {fault:?} {times} times from call {at}, a {call}");
                let world = World::new();
                let scene = Scene::of(&world, operation);
                world.take_events();
                let before = std::iter::repeat_n(Fault::None, at);
                world.store.plan(before.chain(std::iter::repeat_n(fault, times)));
                let reply = scene.act();
                world.store.plan([]);
                assert!(world.take_events().contains(&EventKind::StoreFailed), "{context}");
                let done = is_done(operation, &reply);
                if !done {
                    unavailable += 1;
                    assert_unavailable(operation, &reply, &context);
                }
                check(&world, &scene, &reply, done, &context);
            }
        }
        assert!(unavailable > 0, "{operation:?} cannot do without the store");
        assert!(calls.contains(&Call::Get), "{operation:?}");
    }
}

/// What holds when the store is well again.
fn check(world: &World, scene: &Scene<'_>, reply: &Reply, done: bool, context: &str) {
    let operation = scene.operation;
    let again = scene.act();
    let ended = matches!(operation, SignOut | SignOutEverywhere | Withdraw);
    if ended {
        if !done && !is_done(operation, &again) {
            // Her own sign-in may be over already; then she has to show who she is.
            assert_eq!((operation, &*again.form().action), (SignOutEverywhere, "/auth/login"), "{context}");
            scene.browser.sign_in(&again, "ada@example.com", PASSWORD);
            let page = scene.browser.get("/auth/applications");
            assert!(is_done(operation, &scene.browser.act(&page, "sign_out_everywhere", &[])), "{context}");
        }
        assert!(scene.token.as_deref().is_none_or(|token| !world.works(token)), "{context}: what was given goes on");
        return;
    }
    assert!(is_done(operation, &again), "{context}: {} {}", again.status, again.html());
    let (first, second) = (code(reply), code(&again));
    if operation != Start && done && first != second {
        panic!("{context}: two codes for one request");
    }
    let client: &[(&str, &str)] = if operation == Consent { &THIRD } else { &[] };
    let redeemed = world.redeem_with(&second.unwrap(), client);
    assert_eq!(redeemed.status, 200, "{context}");
    let grants = world.server.grants_of(ADA).unwrap();
    let most = if operation == Start { 3 } else { 1 };
    assert!(grants.len() <= most, "{context}: {grants:?}");
    assert!(scene.token.as_deref().is_none_or(|token| world.works(token)), "{context}: what was given goes on");
}
