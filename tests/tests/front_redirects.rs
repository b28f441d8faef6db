//! Where browsers are sent: to the registered URI of the client that asked, to our own pages, and nowhere else.

use http::Method;
use proofkey::{Client, ClientSecret, GrantType, Secret};
use proofkey_conformance::shows;
use proofkey_tests::{Browser, CHALLENGE, PASSWORD, REDIRECT_URI, Reply, World, authorize_path, secret_of};

/// The ways in which one writes an address of somebody else's that looks like ours, or like none.
const ELSEWHERE: [&str; 28] = [
    "https://evil.example/cb",
    "https://evil.example",
    "//evil.example/cb",
    "///evil.example/cb",
    "/\\evil.example/cb",
    "\\\\evil.example/cb",
    "/cb",
    "https:evil.example/cb",
    "https:/evil.example/cb",
    "https:\\\\evil.example\\cb",
    "https://app.example.evil.example/cb",
    "https://app.example@evil.example/cb",
    "https://app.example:pw@evil.example/cb",
    "https://evil.example#https://app.example/cb",
    "https://evil.example/https://app.example/cb",
    "https://evil.example?https://app.example/cb",
    "https://evil.example\\@app.example/cb",
    "https://app.example/cb\r\nLocation: https://evil.example",
    "https://app.example/cb\u{0}.evil.example",
    "https://app.example/cb@evil.example",
    "https://app.example%2eevil.example/cb",
    "https://app.exam\u{200b}ple/cb",
    "https://app.ex\u{430}mple/cb",
    "javascript:alert(1)//app.example/cb",
    "data:text/html,https://app.example/cb",
    "http://app.example/cb",
    " https://evil.example/cb",
    "\thttps://evil.example/cb",
];

fn assert_stays(reply: &Reply, what: &str) {
    assert!(!reply.headers.contains_key("location"), "{what}: {reply:?}");
    assert!(!reply.html().contains("evil"), "{what} is shown: {}", reply.html());
    assert!(!reply.headers.contains_key("refresh") && !reply.html().contains("http-equiv"), "{what}");
}

#[test]
fn nobody_is_sent_to_an_address_out_of_a_link() {
    let _rows = shows(&["rfc9700-2.1-1", "web-page-7", "rfc6749-3.1.2.4-1"]);
    let world = World::new();
    let (stranger, browser) = (Browser::new(&world), Browser::new(&world));
    browser.sign_ada_in(&[]);
    for elsewhere in ELSEWHERE {
        for who in [&stranger, &browser] {
            let reply = who.authorize(&[("redirect_uri", elsewhere)]);
            assert_eq!(
                (reply.status.as_u16(), reply.title().as_str()),
                (400, "Error: This request is not valid · as.example")
            );
            assert_stays(&reply, elsewhere);
            let target = authorize_path(&[("redirect_uri", elsewhere)]);
            let (_, query) = target.split_once('?').unwrap();
            for page in ["login", "consent", "logout", "applications"] {
                for name in ["next", "post_logout_redirect_uri", "return_to", "request"] {
                    let query = query.replace("redirect_uri=", &format!("{name}="));
                    let reply = who.get(&format!("/auth/{page}?{query}"));
                    assert_stays(&reply, &format!("{page}?{name}={elsewhere}"));
                }
            }
        }
        // Nor once somebody signs in, or out.
        let fresh = Browser::new(&world);
        let page = fresh.get("/auth/login?next=https://evil.example");
        let next =
            [("next", elsewhere), ("redirect_uri", elsewhere), ("username", "ada@example.com"), ("password", PASSWORD)];
        let location = fresh.submit(&page.form(), &next).location();
        assert_eq!(location.uri, "https://as.example/auth/applications");
        let out = fresh.submit(&fresh.get("/auth/logout").form(), &[("post_logout_redirect_uri", elsewhere)]);
        assert_stays(&out, elsewhere);
    }
}

#[test]
fn a_form_with_a_password_is_never_sent_on() {
    let _rows = shows(&["rfc9700-4.12-1"]);
    let world = World::new();
    let browser = Browser::new(&world);
    let third = [("client_id", "third"), ("redirect_uri", "https://third.example/cb")];
    let mut seen = vec![browser.authorize(&[("prompt", "none")]), browser.sign_ada_in(&third)];
    let page = browser.follow(&seen[1]);
    seen.push(browser.decide(&page, "deny"));
    seen.push(browser.decide(&browser.authorize(&third), "allow"));
    seen.push(browser.authorize(&third));
    seen.push(browser.authorize(&[("scope", "nothing")]));
    let applications = browser.get("/auth/applications");
    seen.push(browser.act(&applications, "withdraw", &[("client_id", "third")]));
    let fresh = Browser::new(&world);
    seen.push(fresh.sign_in(&fresh.get("/auth/login"), "ada@example.com", PASSWORD));
    for reply in &seen {
        assert_eq!(reply.status, 303, "{reply:?}");
        assert_eq!((reply.header("cache-control"), reply.header("referrer-policy")), ("no-store", "no-referrer"));
        assert!(reply.body.is_empty());
    }
}

#[test]
fn a_private_scheme_is_answered_as_it_is_written() {
    let _rows = shows(&["rfc8252-7.1-1"]);
    let world = World::new();
    let browser = Browser::new(&world);
    let asked = [("client_id", "native"), ("redirect_uri", "com.example.app:/cb")];
    let location = browser.sign_ada_in(&asked);
    assert!(location.header("location").starts_with("com.example.app:/cb?code="), "{location:?}");
    let denied = browser.decide(&browser.authorize(&asked), "deny");
    assert!(denied.header("location").starts_with("com.example.app:/cb?error=access_denied&"));
}

#[test]
fn a_loopback_address_is_answered_on_the_port_that_was_asked_for() {
    let _rows = shows(&["rfc8252-7.3-1"]);
    let world = World::new();
    let browser = Browser::new(&world);
    browser.sign_ada_in(&[]);
    for good in ["http://127.0.0.1:49152/cb", "http://127.0.0.1:80/cb", "http://[::1]:49152/cb", "http://127.0.0.1/cb"]
    {
        let back = browser.authorize(&[("client_id", "tool"), ("redirect_uri", good), ("prompt", "none")]);
        assert_eq!(back.location().uri, good);
    }
    for bad in [
        "http://127.0.0.2:49152/cb",
        "http://127.0.0.1:49152/other",
        "https://127.0.0.1:49152/cb",
        "http://localhost:49152/cb",
        "http://127.0.0.1:49152/cb?x=1",
        "http://127.0.0.1:port/cb",
        "http://127.0.0.1@evil.example:80/cb",
    ] {
        let reply = browser.authorize(&[("client_id", "tool"), ("redirect_uri", bad)]);
        assert_eq!(reply.status, 400, "{bad}");
        assert_stays(&reply, bad);
    }
}

#[test]
fn consent_that_was_given_by_way_of_a_web_site_does_not_let_a_program_on_the_device_through() {
    let _rows = shows(&["rfc6749-10.2-1"]);
    let both = Client::public("both").native().redirect_uri("https://both.example/cb");
    let world = World::with(|builder| builder.client(both.redirect_uri("http://127.0.0.1/cb")));
    let browser = Browser::new(&world);
    let site = [("client_id", "both"), ("redirect_uri", "https://both.example/cb")];
    let device = [("client_id", "both"), ("redirect_uri", "http://127.0.0.1:9000/cb")];
    let page = browser.follow(&browser.sign_ada_in(&site));
    browser.decide(&page, "allow");
    assert_eq!(browser.authorize(&site).status, 303, "remembered");
    assert_eq!(browser.authorize(&device).form().action, "/auth/consent");
    let silent = [&device[..], &[("prompt", "none")]].concat();
    assert_eq!(browser.authorize(&silent).location().parameter("error"), "consent_required");
}

#[test]
fn a_secret_in_a_native_app_earns_it_no_trust() {
    let _rows = shows(&["rfc8252-8.5-1"]);
    let secret = ClientSecret::from_text(&Secret::from(&*secret_of("boxed")));
    let boxed = Client::confidential("boxed", secret).native().redirect_uri("http://127.0.0.1/cb");
    let world = World::with(|builder| builder.client(boxed));
    let browser = Browser::new(&world);
    let asked = [("client_id", "boxed"), ("redirect_uri", "http://127.0.0.1:9000/cb")];
    let page = browser.follow(&browser.sign_ada_in(&asked));
    assert_eq!(browser.decide(&page, "allow").status, 303);
    assert_eq!(browser.authorize(&asked).form().action, "/auth/consent", "asked each time");
    let bare = browser.authorize(&[asked[0], asked[1], ("code_challenge", "")]);
    assert_eq!(bare.location().parameter("error"), "invalid_request", "and no less PKCE");
}

#[test]
fn a_query_of_the_redirect_uri_survives_and_a_fragment_never_gets_there() {
    let _rows = shows(&["rfc6749-3.1.2-3", "rfc6749-3.1.2-2"]);
    let world = World::new();
    let browser = Browser::new(&world);
    let asked = [("client_id", "shop"), ("redirect_uri", "https://shop.example/cb?tenant=7")];
    let page = browser.follow(&browser.sign_ada_in(&asked));
    let back = browser.decide(&page, "allow");
    assert!(back.header("location").starts_with("https://shop.example/cb?tenant=7&code="), "{back:?}");
    for bad in [&*format!("{REDIRECT_URI}#x"), &format!("{REDIRECT_URI}#")] {
        let reply = browser.authorize(&[("redirect_uri", bad)]);
        assert_eq!(reply.status, 400);
        assert_stays(&reply, bad);
    }
    assert!(browser.authorize(&[]).header("location").starts_with(&format!("{REDIRECT_URI}?code=")));
}

#[test]
fn which_of_several_is_meant_is_said_and_compared_letter_by_letter() {
    let _rows = shows(&["rfc6749-3.1.2.2-1", "rfc6749-3.1.2.3-1", "rfc6749-3.1.2.3-2"]);
    let secret = ClientSecret::from_text(&Secret::from(&*secret_of("batch")));
    let batch = Client::confidential("batch", secret).grant_types([GrantType::ClientCredentials]);
    let world = World::with(|builder| builder.client(batch));
    let browser = Browser::new(&world);
    browser.sign_ada_in(&[]);
    let unnamed = [("redirect_uri", "")];
    for client in ["shop", "batch"] {
        let reply = browser.authorize(&[("client_id", client), unnamed[0]]);
        assert_eq!(reply.status, 400, "{client}");
        assert_stays(&reply, client);
    }
    assert_eq!(browser.authorize(&unnamed).location().uri, REDIRECT_URI, "the only one");
    for near in [
        "https://app.example/cb/",
        "https://app.example/CB",
        "https://app.example/cb?x=1",
        "//app.example/cb",
        "https://APP.EXAMPLE/cb",
        "https://app.example:443/cb",
        "https://app.example/cb%2F..",
        "https://app.example/cb/../cb",
        "https://app.example/%63b",
    ] {
        let reply = browser.authorize(&[("redirect_uri", near)]);
        assert_eq!(reply.status, 400, "{near}");
        assert_stays(&reply, near);
    }
}

#[test]
fn two_of_one_parameter_are_told_where_it_is_safe_to_tell() {
    let _rows = shows(&["rfc6749-3.1-7"]);
    let world = World::new();
    let browser = Browser::new(&world);
    let path = authorize_path(&[]);
    for (name, value) in [("client_id", "web"), ("client_id", "other"), ("redirect_uri", REDIRECT_URI)] {
        let reply = browser.get(&format!("{path}&{name}={value}"));
        assert_eq!(reply.status, 400, "{name}");
        assert_stays(&reply, name);
    }
    for name in ["scope", "state", "response_type", "code_challenge", "code_challenge_method", "prompt"] {
        let reply = browser.get(&format!("{path}&{name}=x&{name}=x"));
        let location = reply.location();
        assert_eq!((&*location.uri, location.parameter("error")), (REDIRECT_URI, "invalid_request"), "{name}");
    }
    let asked = browser.get(&format!("{path}&resource=https://a.example&resource=https://b.example")).location();
    assert_eq!(asked.parameter("error"), "invalid_target", "resource alone may be there twice (RFC 8707 section 2)");
}

#[test]
fn by_post_the_endpoint_takes_credentials_as_json_and_no_browser_s_form() {
    let _rows = shows(&["rfc6749-3.1-4"]);
    let world = World::new();
    let browser = Browser::new(&world);
    assert_eq!(browser.authorize(&[]).form().action, "/auth/login");
    let form = [("client_id", "web"), ("response_type", "code"), ("code_challenge", CHALLENGE)];
    let posted = browser.post("/auth/authorize", &form);
    assert_eq!(posted.outcome(), (400, "invalid_request".to_owned()));
    let other = world.request(Method::PUT, &authorize_path(&[]), &[], "");
    assert_eq!((other.status.as_u16(), other.header("allow")), (405, "GET, HEAD, POST, OPTIONS"));
}
