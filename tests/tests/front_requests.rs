//! What an authorization request may ask, and how it is told that it may not (RFC 6749 section 4.1.2.1).

use std::sync::Arc;

use proofkey::core::Entropy;
use proofkey::{Client, GrantType};
use proofkey_conformance::shows;
use proofkey_tests::{Browser, Fault, ISSUER, Location, PASSWORD, REDIRECT_URI, Reply, Rows, World, core};

/// The error of a redirect to the client `web`.
fn error(reply: &Reply) -> String {
    assert_eq!(reply.status, 303, "{}", reply.html());
    let location = reply.location();
    assert_eq!(location.uri, REDIRECT_URI);
    assert_eq!((location.parameter("code"), location.parameter("iss")), ("", ISSUER));
    location.parameter("error").to_owned()
}

#[test]
fn no_code_before_somebody_signed_in() {
    let _rows = shows(&["rfc6749-3.1-1", "rfc6749-10.2-1"]);
    let world = World::new();
    let browser = Browser::new(&world);
    let page = browser.authorize(&[]);
    assert!(!page.headers.contains_key("location") && page.form().action == "/auth/login");
    assert_eq!(browser.sign_in(&page, "ada@example.com", "a wrong one").status, 403);
    assert!(world.server.grants_of(proofkey_tests::ADA).unwrap().is_empty());
    assert_ne!(browser.sign_in(&page, "ada@example.com", PASSWORD).location().parameter("code"), "");
    // A public client of somebody else's: consent is remembered where the redirect is https, and asked where any
    // program on the device could have it.
    for (client, uri, again) in [
        ("third", "https://third.example/cb", false),
        ("tool", "http://127.0.0.1:7777/cb", true),
        ("tool", "org.example.tool:/cb", true),
    ] {
        let asked = [("client_id", client), ("redirect_uri", uri)];
        let page = browser.authorize(&asked);
        assert_eq!(page.form().action, "/auth/consent");
        assert_eq!(browser.decide(&page, "allow").status, 303);
        assert_eq!(browser.authorize(&asked).status == 200, again, "{uri}");
    }
}

#[test]
fn the_response_type_is_code() {
    let _rows = shows(&["rfc6749-3.1.1-1", "rfc6749-4.1.1-1"]);
    let world = World::new();
    let browser = Browser::new(&world);
    browser.sign_ada_in(&[]);
    assert_eq!(error(&browser.authorize(&[("response_type", "")])), "invalid_request");
    for other in ["token", "Code", "code token", "id_token", "none", "code "] {
        let reply = browser.authorize(&[("response_type", other)]);
        assert_eq!(error(&reply), "unsupported_response_type", "{other}");
        assert!(!reply.header("location").contains("token="), "{other}");
    }
}

#[test]
fn each_error_has_its_code_and_says_who_sends_it() {
    let _rows = shows(&["rfc6749-4.1.2.1-1", "rfc9207-2-1", "rfc9207-2.3-1"]);
    let rows = Arc::new(Rows::default());
    let client = Client::public("other-grant").redirect_uri(REDIRECT_URI).grant_types([GrantType::RefreshToken]);
    let world = World::over(rows, |builder| builder.client(client));
    let metadata = world.get_plain("/.well-known/oauth-authorization-server/auth").text("issuer");
    assert_eq!(metadata, ISSUER);
    let browser = Browser::new(&world);
    let page = browser.authorize(&[("prompt", "consent")]);
    let page = browser.follow(&browser.sign_in(&page, "ada@example.com", PASSWORD));
    assert_eq!(error(&browser.authorize(&[("code_challenge", "")])), "invalid_request");
    assert_eq!(error(&browser.authorize(&[("client_id", "other-grant")])), "unauthorized_client");
    assert_eq!(error(&browser.decide(&page, "deny")), "access_denied");
    assert_eq!(error(&browser.authorize(&[("response_type", "token")])), "unsupported_response_type");
    assert_eq!(error(&browser.authorize(&[("scope", "nothing")])), "invalid_scope");
    assert_eq!(error(&Browser::new(&world).authorize(&[("prompt", "none")])), "login_required");
    world.store.plan([Fault::Fail]);
    assert_eq!(error(&browser.authorize(&[])), "temporarily_unavailable");
    world.store.set_down(true);
    assert_eq!(error(&browser.authorize(&[])), "temporarily_unavailable");
    world.store.set_down(false);
    let code = browser.authorize(&[]).location();
    assert_eq!((code.parameter("iss"), code.names()), (ISSUER, vec!["code", "state", "iss"]));
}

#[test]
fn what_only_sending_a_form_again_can_mend_is_shown_to_whoever_has_it_open() {
    let _rows = shows(&["rfc6749-4.1.2.1-1"]);
    let world = World::new();
    let browser = Browser::new(&world);
    let page = browser.authorize(&[("prompt", "consent")]);
    world.store.set_down(true);
    let down = browser.sign_in(&page, "ada@example.com", PASSWORD);
    assert_eq!((down.status.as_u16(), down.header("retry-after")), (503, "1"));
    assert!(!down.headers.contains_key("location"));
    world.store.set_down(false);
    let consent = browser.follow(&browser.sign_in(&page, "ada@example.com", PASSWORD));
    world.store.set_down(true);
    assert_eq!(browser.decide(&consent, "allow").status, 503);
    world.store.set_down(false);
    assert_ne!(browser.decide(&consent, "allow").location().parameter("code"), "");
}

#[test]
fn a_record_that_is_broken_is_the_server_s_fault_and_is_told_so() {
    let _rows = shows(&["rfc6749-4.1.2.1-1", "rfc9207-2-1"]);
    let rows = Arc::new(Rows::default());
    let world = World::over(rows.clone(), |builder| builder);
    let browser = Browser::new(&world);
    browser.sign_ada_in(&[]);
    for write in rows.as_writes().iter().filter(|write| write.key().as_str().starts_with("b.")) {
        let (key, version) = (write.key(), *write.version());
        rows.overwrite(key, core().sealed(key, version, b"no session", &Entropy::from_seed(9)).unwrap());
    }
    assert_eq!(error(&browser.authorize(&[])), "server_error");
}

#[test]
fn state_comes_back_as_it_came() {
    let _rows = shows(&["rfc6749-4.1.2-6", "rfc6749-3.1-5"]);
    let world = World::new();
    let browser = Browser::new(&world);
    let long = "s".repeat(2048);
    for state in ["a+b &=%é", "%2B+%25", "\u{1F600}\u{0}\r\n\t", "\"><script>", "code=evil&iss=x#y", " ", "null", &long]
    {
        let asked = [("state", state), ("prompt", "login")];
        let with_code = browser.sign_ada_in(&asked).location();
        assert_eq!(with_code.parameter("state"), state);
        assert_eq!(with_code.names(), ["code", "state", "iss"]);
        let with_error = browser.authorize(&[("state", state), ("scope", "nothing")]).location();
        assert_eq!(with_error.parameter("state"), state);
    }
    let none = |location: Location| !location.names().contains(&"state");
    assert!(none(browser.sign_ada_in(&[("state", ""), ("prompt", "login")]).location()));
    assert!(none(browser.authorize(&[("state", "")]).location()));
    let empty =
        browser.get(&(proofkey_tests::authorize_path(&[("state", "")]) + "&state=&login_hint=&max_age=&resource="));
    assert!(none(empty.location()), "an empty value is an absent one");
    assert_eq!(error(&browser.authorize(&[("state", &"s".repeat(2049))])), "invalid_request");
}

#[test]
fn the_challenge_is_sha_256_and_nothing_else() {
    let _rows = shows(&["rfc7636-4.2-1", "rfc7636-4.3-1", "rfc7636-4.4.1-1", "rfc7636-4.4.1-2"]);
    let world = World::new();
    let browser = Browser::new(&world);
    browser.sign_ada_in(&[]);
    for bad in
        ["", &"a".repeat(42), &"a".repeat(44), &"a".repeat(129), &format!("{}=", "a".repeat(42)), &"+".repeat(43)]
    {
        assert_eq!(error(&browser.authorize(&[("code_challenge", bad)])), "invalid_request", "{bad}");
    }
    for method in ["", "plain", "PLAIN", "S512", "s256"] {
        let reply = browser.authorize(&[("code_challenge_method", method)]);
        assert_eq!(error(&reply), "invalid_request", "{method}");
        assert!(reply.location().parameter("error_description").contains("S256"), "{method}");
    }
    assert_eq!(
        browser.authorize(&[("code_challenge", "")]).location().parameter("error_description"),
        "code_challenge is missing"
    );
}

#[test]
fn descriptions_are_of_the_characters_that_errors_may_have() {
    let _rows = shows(&["rfc6749-4.1.2.1-2"]);
    let world = World::new();
    let browser = Browser::new(&world);
    let nasty = "\"\\\r\nset-cookie: a=b\u{e9}<b>\u{0}";
    for name in
        ["scope", "response_type", "code_challenge", "code_challenge_method", "response_mode", "resource", "max_age"]
    {
        let location = browser.authorize(&[(name, nasty)]).location();
        let legal = |byte: u8| matches!(byte, 0x20 | 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        for told in ["error", "error_description"] {
            let text = location.parameter(told);
            assert!(!text.is_empty() && text.bytes().all(legal), "{name}: {location:?}");
            assert!(!text.contains("set-cookie") && !text.contains("<b>"), "{name}: {location:?}");
        }
    }
}

#[test]
fn without_a_scope_the_default_is_granted_or_the_request_refused() {
    let _rows = shows(&["rfc6749-3.3-2"]);
    let world = World::new();
    let browser = Browser::new(&world);
    browser.sign_ada_in(&[]);
    assert_eq!(error(&browser.authorize(&[("scope", "")])), "invalid_scope", "there is no default");
    let world = World::with(|builder| builder.set("default_scope", "read"));
    let code = Browser::new(&world).sign_ada_in(&[("scope", "")]).location();
    assert_eq!(world.redeem(code.parameter("code")).text("scope"), "read");
}

#[test]
fn an_unknown_resource_is_told_by_its_own_code() {
    let _rows = shows(&["rfc8707-2-4"]);
    let world = World::new();
    let browser = Browser::new(&world);
    browser.sign_ada_in(&[]);
    for resource in ["https://unknown.example/", "not-a-uri", "https://api.example/#x"] {
        let asked = [("client_id", "scoped"), ("resource", resource)];
        assert_eq!(error(&browser.authorize(&asked)), "invalid_target", "{resource}");
    }
    let asked = [("client_id", "scoped"), ("resource", "https://api.example/")];
    assert_ne!(browser.authorize(&asked).location().parameter("code"), "");
}

#[test]
fn other_ways_of_answering_do_not_exist() {
    let _rows = shows(&["rfc9700-4.17-1"]);
    let world = World::new();
    let browser = Browser::new(&world);
    browser.sign_ada_in(&[]);
    for mode in ["web_message", "fragment", "form_post", "query.jwt", "Query"] {
        assert_eq!(error(&browser.authorize(&[("response_mode", mode)])), "invalid_request", "{mode}");
    }
    assert_ne!(browser.authorize(&[("response_mode", "query")]).location().parameter("code"), "");
}

#[test]
fn what_is_wrong_is_told_before_or_after_signing_in_alike() {
    let _rows = shows(&["rfc9700-4.11.2-1"]);
    let world = World::new();
    let (stranger, browser) = (Browser::new(&world), Browser::new(&world));
    browser.sign_ada_in(&[]);
    // Every client was entered by the operator, so an error goes to it at once: there is no client of an attacker's to
    // send people to. Only what needs no sign-in is answered without one.
    for changes in [("scope", "nothing"), ("code_challenge", ""), ("response_type", "token")] {
        let (one, other) = (stranger.authorize(&[changes]), browser.authorize(&[changes]));
        assert_eq!(error(&one), error(&other));
        assert_eq!(one.location(), other.location());
    }
    assert_eq!(error(&stranger.authorize(&[("prompt", "none")])), "login_required");
    for unknown in [("client_id", "evil"), ("redirect_uri", "https://evil.example/cb")] {
        assert_eq!(stranger.authorize(&[unknown]).status, 400);
    }
}
