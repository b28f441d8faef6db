//! Browsers that never heard an answer, or sent a form twice: signing out ends what was made in the sign-in all the
//! same (invariant I14), and a repetition takes back nothing (invariant I9).

use proofkey::core::{Entropy, Step};
use proofkey::{Request, UnixTime};
use proofkey_tests::{
    ADA, Browser, Fault, Held, Keeper, PASSWORD, People, REDIRECT_URI, Reply, START, SignedIn, THIRD_URI, Visit, World,
    answer, authorization, code_in, core_with, drive, hidden,
};

const ADAS: &str = "ada@example.com";

/// What a client gets for the code of a redirect.
fn tokens(world: &World, redirect: &Reply) -> SignedIn {
    SignedIn::of(&world.redeem(redirect.location().parameter("code")))
}

#[test]
fn signing_out_ends_what_was_made_before_a_second_sign_in_that_the_browser_never_heard_of() {
    let world = World::new();
    let browser = Browser::new(&world);
    let first = tokens(&world, &browser.sign_ada_in(&[]));
    let logout = browser.get("/auth/logout").form();
    let unheard = browser.clone();
    let second = tokens(&world, &unheard.sign_ada_in(&[("prompt", "login")]));
    assert!(world.works(&first.access) && world.works(&second.access));
    assert_eq!(browser.submit(&logout, &[]).status, 200);
    assert!(!world.works(&first.access) && !world.works(&second.access));
}

#[test]
fn another_form_than_that_of_signing_out_ends_nothing_of_a_sign_in_that_was_replaced() {
    let world = World::new();
    let browser = Browser::new(&world);
    let first = tokens(&world, &browser.sign_ada_in(&[]));
    let form = browser.get("/auth/applications").form();
    browser.clone().sign_ada_in(&[("prompt", "login")]);
    assert_eq!(browser.post("/auth/logout", &[("form_token", form.field("form_token"))]).status, 200);
    assert!(world.works(&first.access));
}

#[test]
fn a_second_sign_in_goes_on_with_the_first_also_if_it_is_sent_again() {
    let world = World::new();
    let browser = Browser::new(&world);
    let first = tokens(&world, &browser.sign_ada_in(&[]));
    let page = browser.authorize(&[("prompt", "login")]);
    let unheard = browser.clone().sign_in(&page, ADAS, PASSWORD).location();
    let heard = browser.sign_in(&page, ADAS, PASSWORD);
    assert_eq!(heard.location().parameter("code"), unheard.parameter("code"));
    let second = tokens(&world, &heard);
    assert!(world.works(&first.access) && world.works(&second.access));
    assert_eq!(browser.sign_out().status, 200);
    assert!(!world.works(&first.access) && !world.works(&second.access));
}

#[test]
fn signing_out_ends_what_a_failure_left_over_when_the_user_was_signed_out_everywhere() {
    let world = World::new();
    let browser = Browser::new(&world);
    let first = tokens(&world, &browser.sign_ada_in(&[]));
    let logout = browser.get("/auth/logout").form();
    // The epoch is raised, and then the store fails.
    world.store.plan([Fault::None, Fault::None, Fault::Fail]);
    assert!(world.server.revoke_all(ADA).is_err());
    assert!(world.works(&first.access));
    assert_eq!(browser.submit(&logout, &[]).status, 200);
    assert!(!world.works(&first.access));
}

#[test]
fn a_code_that_was_made_in_one_sign_in_is_not_given_in_another() {
    let world = World::new();
    let browser = Browser::new(&world);
    let (one, two) = (browser.authorize(&[]), browser.authorize(&[]));
    // Two tabs sign in at once, and the browser keeps the cookie of the second.
    let tab = browser.clone();
    let code = tab.sign_in(&one, ADAS, PASSWORD).location();
    browser.sign_in(&two, ADAS, PASSWORD);
    let again = browser.sign_in(&one, ADAS, PASSWORD);
    assert_eq!((again.status.as_u16(), code_in(&again)), (400, None));
    browser.sign_out();
    // The first tab's answer was heard by its client, and its sign-in is another one.
    assert_eq!(world.redeem(code.parameter("code")).status, 200);
}

#[test]
fn a_form_that_is_sent_again_takes_back_nothing_that_the_first_one_gave() {
    let (rows, Held { opened, .. }) = Held::ready(Keeper::Host);
    let rows = std::sync::Arc::new(rows);
    let world = World::over(rows.clone(), |builder| builder.seed(1000));
    let page =
        Visit::with_cookies(&world, &opened.cookies).get(&(authorization("web", REDIRECT_URI) + "&prompt=login"));
    let login = hidden(&page, "request");
    let fields = [("request", &*login), ("username", ADAS), ("password", PASSWORD)];
    let core = core_with(proofkey::core::UserSource::Find, 4, &[]);
    let people = People::default();
    let begin = |request, seed| {
        core.begin(Request::new(request, None), UnixTime::from_seconds(START), Entropy::from_seed(seed))
    };
    let first: Reply = drive(&rows, &people, begin(opened.consent("allow"), 101)).into();
    let mut second = begin(opened.consent("allow"), 102);
    let writes_grant = |step: &Step| matches!(step, Step::Put(put) if put.write().key().as_str().starts_with("g."));
    while !writes_grant(&second) {
        second = answer(&rows, &people, second, Fault::None);
    }
    // Ada signs in once more in the same browser, whose sign-in this one was.
    let anew: Reply = drive(&rows, &people, begin(opened.post("/auth/login", &fields), 103)).into();
    assert_eq!(anew.status, 303);
    let second: Reply = drive(&rows, &people, second).into();
    assert_eq!(code_in(&second), None, "its sign-in is over");
    let code = code_in(&first).unwrap_or_default();
    let redeemed = world.redeem_with(&code, &[("client_id", "third"), ("redirect_uri", THIRD_URI)]);
    assert_eq!(redeemed.status, 200, "{redeemed:?}");
}
