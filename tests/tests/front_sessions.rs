//! Sign-ins of browsers: made anew each time, over after their time, ended for good.

use proofkey_conformance::shows;
use proofkey_tests::{ADA, Browser, PASSWORD, World};

const SESSION: &str = "__Secure-proofkey";
const BROWSER: &str = "__Secure-proofkey-browser";

fn is_signed_in(browser: &Browser<'_>) -> bool {
    !browser.authorize(&[("prompt", "none")]).location().parameter("code").is_empty()
}

/// A browser with these cookies of another.
fn with_session<'a>(world: &'a World, session: &str) -> Browser<'a> {
    let browser = Browser::new(world);
    browser.plant(SESSION, session, "/auth");
    browser
}

#[test]
fn a_sign_in_gets_a_name_that_nobody_knew_before() {
    let _rows = shows(&["web-session-1"]);
    let world = World::new();
    // Before: the attacker's own sign-in, and something made up, wait in the victim's browser.
    let attacker = Browser::new(&world);
    let page = attacker.authorize(&[]);
    attacker.sign_in(&page, "bob", "another long passphrase");
    for planted in [attacker.cookie(SESSION), "made-up".to_owned()] {
        let victim = with_session(&world, &planted);
        let page = victim.authorize(&[("prompt", "login")]);
        assert_eq!(victim.sign_in(&page, "ada@example.com", PASSWORD).status, 303);
        assert_ne!(victim.cookie(SESSION), planted);
        assert!(is_signed_in(&victim));
        assert!(!is_signed_in(&with_session(&world, &planted)), "what was planted is over, and was never Ada's");
    }
    // A second sign-in of the same user in the same browser, too.
    let browser = Browser::new(&world);
    browser.sign_ada_in(&[]);
    let first = browser.cookie(SESSION);
    browser.sign_ada_in(&[("prompt", "login")]);
    assert_ne!(browser.cookie(SESSION), first);
    assert!(is_signed_in(&browser) && !is_signed_in(&with_session(&world, &first)));
}

#[test]
fn a_second_sign_in_of_the_same_user_keeps_what_was_given_in_the_first() {
    let world = World::new();
    let browser = Browser::new(&world);
    let first = browser.sign_ada_in(&[]).location();
    let tokens = world.redeem(first.parameter("code"));
    browser.sign_ada_in(&[("prompt", "login")]);
    assert!(world.works(&tokens.text("access_token")));
    browser.sign_out();
    assert!(!world.works(&tokens.text("access_token")), "it ends with the browser's sign-in all the same");
}

#[test]
fn a_planted_second_cookie_of_the_name_makes_nobody_of_anybody() {
    let world = World::new();
    let attacker = Browser::new(&world);
    attacker.sign_in(&attacker.authorize(&[]), "bob", "another long passphrase");
    let victim = Browser::new(&world);
    victim.sign_ada_in(&[]);
    assert!(is_signed_in(&victim));
    for path in ["/", "/auth/authorize"] {
        let doubly = victim.clone();
        doubly.plant(SESSION, &attacker.cookie(SESSION), path);
        assert!(!is_signed_in(&doubly), "two sign-ins of ours: {path}");
        let doubly = victim.clone();
        doubly.plant(SESSION, "rubbish", path);
        assert!(is_signed_in(&doubly), "rubbish is no second one: {path}");
        let doubly = victim.clone();
        doubly.plant(BROWSER, &attacker.cookie(BROWSER), path);
        let page = doubly.authorize(&[("prompt", "login")]);
        assert_ne!(page.header("set-cookie"), "", "a browser with two names gets a new one");
    }
}

#[test]
fn signing_out_ends_the_sign_in_on_the_server_and_clears_the_cookie() {
    let _rows = shows(&["web-session-2"]);
    let world = World::new();
    let browser = Browser::new(&world);
    browser.sign_ada_in(&[]);
    let kept = browser.cookie(SESSION);
    let done = browser.sign_out();
    assert_eq!(done.status, 200);
    let cleared = "__Secure-proofkey=; Path=/auth; Secure; HttpOnly; SameSite=Lax; Max-Age=0";
    assert_eq!(done.header("set-cookie"), cleared);
    assert_eq!(browser.cookie(SESSION), "");
    assert!(!is_signed_in(&with_session(&world, &kept)), "a copy of the cookie is worth nothing");
}

#[test]
fn back_to_a_kept_page_after_signing_out_does_nothing() {
    let world = World::new();
    let browser = Browser::new(&world);
    let third = [("client_id", "third"), ("redirect_uri", "https://third.example/cb")];
    let consent = browser.follow(&browser.sign_ada_in(&third));
    let applications = browser.get("/auth/applications");
    let logout = browser.get("/auth/logout");
    for page in [&consent, &applications, &logout, &browser.authorize(&[("prompt", "login")])] {
        assert_eq!(page.header("cache-control"), "no-store", "the browser keeps no copy");
    }
    browser.sign_out();
    let after = browser.decide(&consent, "allow");
    assert!(!after.headers.contains_key("location") && after.form().action == "/auth/login", "{after:?}");
    let after = browser.act(&applications, "sign_out_everywhere", &[]);
    assert_eq!(after.form().action, "/auth/login");
    let after = browser.submit(&logout.form(), &[]);
    assert_eq!((after.status.as_u16(), after.title().as_str()), (200, "You are signed out · as.example"));
    assert!(world.server.grants_of(ADA).unwrap().is_empty());
}

#[test]
fn a_sign_in_is_over_when_it_was_not_used_and_when_it_is_old() {
    let _rows = shows(&["web-session-4", "fernet-use-1"]);
    let world = World::with(|builder| builder.set("session_idle", "10m").set("session_lifetime", "1h"));
    let browser = Browser::new(&world);
    browser.sign_ada_in(&[]);
    world.wait(599);
    assert!(is_signed_in(&browser), "used within ten minutes");
    world.wait(599);
    assert!(is_signed_in(&browser), "and again");
    let kept = browser.clone();
    world.wait(600);
    assert!(!is_signed_in(&browser), "not used for ten minutes");
    let fresh = Browser::new(&world);
    fresh.sign_ada_in(&[]);
    for _ in 0..6 {
        world.wait(590);
        assert!(is_signed_in(&fresh));
    }
    world.wait(60);
    assert!(!is_signed_in(&fresh), "an hour old, however busy");
    assert!(!is_signed_in(&kept));
}

#[test]
fn nobody_is_signed_in_where_no_page_may_be_shown() {
    let world = World::new();
    let browser = Browser::new(&world);
    let back = browser.authorize(&[("prompt", "none")]);
    assert_eq!((back.status.as_u16(), back.location().parameter("error")), (303, "login_required"));
    browser.sign_ada_in(&[]);
    assert!(is_signed_in(&browser));
    world.people.dismiss(ADA);
    assert_eq!(browser.authorize(&[("prompt", "none")]).location().parameter("error"), "access_denied");
    world.people.restore(ADA);
    world.server.revoke_all(ADA).unwrap();
    assert_eq!(browser.authorize(&[("prompt", "none")]).location().parameter("error"), "login_required");
}

#[test]
fn one_browser_is_signed_out_from_another() {
    let world = World::new();
    let (one, other) = (Browser::new(&world), Browser::new(&world));
    one.sign_ada_in(&[]);
    let token = world.redeem(other.sign_ada_in(&[]).location().parameter("code")).text("access_token");
    let bob = Browser::new(&world);
    bob.sign_in(&bob.authorize(&[]), "bob", "another long passphrase");
    let page = one.get("/auth/applications");
    let html = page.html();
    let key = html.split_once("name=\"session\" value=\"").and_then(|(_, rest)| rest.split('"').next()).unwrap();
    // Nobody ends what is somebody else's.
    let mine = bob.get("/auth/applications").form_with("action", "sign_out_everywhere");
    let reached = [("form_token", mine.field("form_token")), ("action", "end_session"), ("session", key)];
    bob.post("/auth/applications", &reached);
    assert!(is_signed_in(&other), "a key of Ada's in Bob's form ends nothing");
    assert_eq!(one.act(&page, "end_session", &[("session", key)]).status, 303);
    assert!(!is_signed_in(&other) && is_signed_in(&one) && is_signed_in(&bob));
    assert!(!world.works(&token));
}
