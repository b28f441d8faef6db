//! Consent is one user's, for one client and scope, by one form.

use std::sync::Arc;

use http::Method;
use proofkey::{Client, EventKind};
use proofkey_conformance::shows;
use proofkey_tests::{ADA, Browser, Reply, Rows, World, encode};
use serde_json::json;

const THIRD: [(&str, &str); 2] = [("client_id", "third"), ("redirect_uri", "https://third.example/cb")];
/// A confidential client of somebody else's.
const POSTER: [(&str, &str); 2] = [("client_id", "poster"), ("redirect_uri", "https://poster.example/cb")];

fn asks(reply: &Reply) -> bool {
    reply.status == 200 && reply.form().action == "/auth/consent"
}

#[test]
fn what_one_user_allows_in_one_browser_holds_for_that_user_in_every_browser_and_for_nobody_else() {
    let _rows = shows(&["rfc6749-10.2-1"]);
    let world = World::new();
    for client in [THIRD, POSTER] {
        let browser = Browser::new(&world);
        browser.sign_ada_in(&[]);
        let page = browser.authorize(&client);
        assert!(asks(&page), "{client:?}");
        assert_ne!(browser.decide(&page, "allow").location().parameter("code"), "");
        let elsewhere = Browser::new(&world);
        assert_ne!(elsewhere.sign_ada_in(&client).location().parameter("code"), "", "{client:?}");
        let bob = Browser::new(&world);
        bob.sign_in(&bob.authorize(&[]), "bob", "another long passphrase");
        assert!(asks(&bob.authorize(&client)), "Bob was not asked yet");
    }
}

#[test]
fn scopes_that_were_allowed_one_after_the_other_are_allowed_together() {
    let world = World::new();
    let browser = Browser::new(&world);
    browser.sign_ada_in(&[]);
    for (scope, first) in [("read", true), ("write", true), ("write read", false), ("read profile", true)] {
        let reply = browser.authorize(&[THIRD[0], THIRD[1], ("scope", scope)]);
        assert_eq!(asks(&reply), first, "{scope}");
        if first {
            assert_eq!(browser.decide(&reply, "allow").status, 303);
        }
    }
    world.wait(365 * 86_400);
    browser.sign_ada_in(&[]);
    assert!(asks(&browser.authorize(&[THIRD[0], THIRD[1], ("scope", "read")])), "after a year people are asked again");
}

#[test]
fn a_form_is_read_from_the_body_of_a_post_and_each_field_once() {
    let _rows = shows(&["rfc6749-10.12-1"]);
    let world = World::new();
    let browser = Browser::new(&world);
    browser.sign_ada_in(&[]);
    let form = browser.authorize(&THIRD).form();
    let fields = [("request", form.field("request")), ("form_token", form.field("form_token")), ("decision", "allow")];
    let target = format!("/auth/consent?{}", encode(&fields));
    let cookies = browser.cookies();
    for (method, body, status) in [
        (Method::HEAD, String::new(), 200),
        (Method::POST, String::new(), 403),
        (Method::POST, encode(&[fields[0], fields[2]]), 403),
    ] {
        let headers = [("cookie", &*cookies), ("content-type", "application/x-www-form-urlencoded")];
        let reply = world.request(method.clone(), &target, &headers, body);
        assert_eq!(reply.status, status, "{method}");
        assert!(!reply.headers.contains_key("location"), "{method}");
    }
    for twice in [fields[0], fields[1], fields[2], ("decision", "deny"), ("form_token", "")] {
        let reply = browser.post("/auth/consent", &[fields[0], fields[1], fields[2], twice]);
        assert!(reply.status == 400 && !reply.headers.contains_key("location"), "{twice:?}");
    }
    for decision in ["", "Allow", "yes", "allow "] {
        let reply = browser.submit(&form, &[("decision", decision)]);
        assert!(reply.status == 400 && !reply.headers.contains_key("location"), "{decision}");
    }
    for media_type in ["text/plain", "multipart/form-data; boundary=x", "application/json"] {
        let headers = [("cookie", &*cookies), ("content-type", media_type)];
        let reply = world.request(Method::POST, "/auth/consent", &headers, encode(&fields));
        assert!(reply.status == 400 && !reply.headers.contains_key("location"), "{media_type}");
    }
    let clients: Vec<_> = world.server.grants_of(ADA).unwrap().iter().map(|one| one.client_id().to_owned()).collect();
    assert_eq!(clients, ["web"], "the client that she signed in to");
    assert_eq!(browser.post("/auth/consent", &fields).status, 303, "and so it is meant");
}

#[test]
fn a_client_that_cannot_be_looked_up_is_nowhere_to_be_sent_to() {
    let _rows = shows(&["rfc6749-3.1.2.4-1"]);
    let world = World::new();
    world.server.create_client(Client::public("stored").redirect_uri("https://stored.example/cb")).unwrap();
    let asked = [("client_id", "stored"), ("redirect_uri", "https://stored.example/cb")];
    world.store.set_down(true);
    let reply = Browser::new(&world).authorize(&asked);
    assert!(reply.status == 503 && !reply.headers.contains_key("location"), "{reply:?}");
    world.store.set_down(false);
    assert_eq!(Browser::new(&world).authorize(&asked).form().action, "/auth/login");
}

#[test]
fn a_private_scheme_with_other_slashes_is_another() {
    let _rows = shows(&["rfc8252-7.1-1", "rfc6749-3.1.2.3-2"]);
    let world = World::new();
    let browser = Browser::new(&world);
    for other in ["com.example.app://cb", "com.example.app:///cb", "com.example.app:cb", "COM.example.app:/cb"] {
        let reply = browser.authorize(&[("client_id", "native"), ("redirect_uri", other)]);
        assert!(reply.status == 400 && !reply.headers.contains_key("location"), "{other}");
    }
    for other in
        ["HTTPS://app.example/cb", "https://app.example./cb", "https://app.example//cb", "https://app.example/cb?"]
    {
        let reply = browser.authorize(&[("redirect_uri", other)]);
        assert!(reply.status == 400 && !reply.headers.contains_key("location"), "{other}");
    }
}

#[test]
fn what_was_allowed_to_a_client_is_not_for_whoever_gets_its_identifier_next() {
    let world = World::new();
    let asked = [("client_id", "stored"), ("redirect_uri", "https://stored.example/cb")];
    let create = || world.server.create_client(Client::public("stored").redirect_uri(asked[1].1)).unwrap();
    create();
    let browser = Browser::new(&world);
    browser.sign_ada_in(&[]);
    browser.decide(&browser.authorize(&asked), "allow");
    assert!(!asks(&browser.authorize(&asked)), "it is remembered");
    world.server.delete_client("stored").unwrap();
    create();
    assert!(asks(&browser.authorize(&asked)));
}

#[test]
fn taking_access_back_from_nobody_keeps_nothing_and_tells_nothing_of_what_was_sent() {
    let rows = Arc::new(Rows::default());
    let world = World::over(rows.clone(), |builder| builder);
    let browser = Browser::new(&world);
    let secret = world.redeem(browser.sign_ada_in(&[]).location().parameter("code")).text("refresh_token");
    let page = browser.get("/auth/applications");
    let before = rows.lasting();
    world.take_events();
    for unknown in [&*secret, "nobody", ""] {
        assert_eq!(browser.act(&page, "withdraw", &[("client_id", unknown)]).status, 303);
        let told = format!("{:?}", world.take_full_events());
        assert!(!told.contains(&secret) && !told.contains("AccessWithdrawn"), "{told}");
    }
    assert_eq!(rows.lasting(), before);
    assert_eq!(world.refresh(&secret).status, 200, "and ends nothing");
    browser.act(&page, "withdraw", &[("client_id", "web")]);
    assert!(world.take_events().contains(&EventKind::AccessWithdrawn));
}

#[test]
fn access_of_a_client_that_is_registered_no_more_can_be_taken_back() {
    let rows = Arc::new(Rows::default());
    let uri = "https://former.example/cb";
    let former = Client::public("former").redirect_uri(uri).first_party();
    let before = World::over(rows.clone(), |builder| builder.client(former.clone()));
    let code = before.authorize(&json!({ "client_id": "former", "redirect_uri": uri })).text("code");
    let tokens = before.redeem_with(&code, &[("client_id", "former"), ("redirect_uri", uri)]);
    let world = World::over(rows, |builder| builder.seed(1000));
    assert!(world.works(&tokens.text("access_token")));
    let browser = Browser::new(&world);
    browser.sign_ada_in(&[]);
    browser.act(&browser.get("/auth/applications"), "withdraw", &[("client_id", "former")]);
    assert!(world.take_events().contains(&EventKind::AccessWithdrawn));
    assert!(!world.works(&tokens.text("access_token")));
}
