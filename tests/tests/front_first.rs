//! The way of a browser from the authorization endpoint to the client and back again.

use proofkey_tests::{Browser, World};

#[test]
fn somebody_signs_in_once_and_is_known_the_second_time() {
    let world = World::new();
    let browser = Browser::new(&world);
    let page = browser.authorize(&[]);
    assert_eq!((page.status.as_u16(), page.form().action.as_str()), (200, "/auth/login"));
    let reply = browser.sign_in(&page, "ada@example.com", proofkey_tests::PASSWORD);
    let location = reply.location();
    assert_eq!((reply.status.as_u16(), &*location.uri), (303, proofkey_tests::REDIRECT_URI));
    assert_eq!(location.names(), ["code", "state", "iss"]);
    assert_eq!(world.redeem(location.parameter("code")).status, 200);
    let again = browser.authorize(&[]).location();
    assert_eq!(world.redeem(again.parameter("code")).status, 200);
    assert_ne!(again.parameter("code"), location.parameter("code"));
    assert_eq!(browser.sign_out().status, 200);
    assert_eq!(browser.authorize(&[]).status, 200);
}

#[test]
fn somebody_else_s_client_has_to_be_agreed_to() {
    let world = World::new();
    let browser = Browser::new(&world);
    let asked = [("client_id", "third"), ("redirect_uri", "https://third.example/cb")];
    let to_consent = browser.sign_ada_in(&asked);
    let page = browser.follow(&to_consent);
    assert!(page.said().contains("Third Party") && page.said().contains("third.example"), "{}", page.said());
    let location = browser.decide(&page, "allow").location();
    assert_eq!(location.uri, "https://third.example/cb");
    let redeemed = world.redeem_with(
        location.parameter("code"),
        &[("client_id", "third"), ("redirect_uri", "https://third.example/cb")],
    );
    assert_eq!(redeemed.status, 200);
    let applications = browser.get("/auth/applications");
    assert!(applications.said().contains("Third Party"));
    assert_eq!(browser.act(&applications, "withdraw", &[("client_id", "third")]).status, 303);
    assert!(!world.works(&redeemed.text("access_token")));
    assert_eq!(browser.authorize(&asked).form().action, "/auth/consent");
}
