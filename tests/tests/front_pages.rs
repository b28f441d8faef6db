//! What every page has and has not.

use std::sync::Arc;

use proofkey::core::Entropy;
use proofkey_conformance::shows;
use proofkey_tests::{ADA, Browser, PASSWORD, Reply, Rows, World, core};

const THIRD: [(&str, &str); 2] = [("client_id", "third"), ("redirect_uri", "https://third.example/cb")];

/// Every page of a walk, with what it is.
fn pages(world: &World) -> Vec<(&'static str, Reply)> {
    let browser = Browser::new(world);
    let login = browser.authorize(&THIRD);
    let wrong = browser.sign_in(&login, "ada@example.com", "a wrong one");
    let missing = browser.sign_in(&login, "", "");
    let consent = browser.follow(&browser.sign_in(&login, "ada@example.com", PASSWORD));
    browser.decide(&consent, "allow");
    let applications = browser.get("/auth/applications");
    let sign_out = browser.get("/auth/logout");
    let forged = browser.post("/auth/consent", &[]);
    let bad = browser.authorize(&[("client_id", "nobody")]);
    let signed_out = browser.sign_out();
    let stranger = Browser::new(world);
    let alone = stranger.get("/auth/login");
    let stale = stranger.authorize(&[]);
    world.wait(1000);
    let expired = stranger.sign_in(&stale, "ada@example.com", PASSWORD);
    let method = world.request(http::Method::PUT, "/auth/login", &[], "");
    vec![
        ("login", login),
        ("wrong", wrong),
        ("missing", missing),
        ("consent", consent),
        ("applications", applications),
        ("sign out", sign_out),
        ("forged", forged),
        ("bad request", bad),
        ("signed out", signed_out),
        ("alone", alone),
        ("expired", expired),
        ("method", method),
    ]
}

#[test]
fn every_page_is_kept_nowhere_framed_nowhere_and_told_of_to_nobody() {
    let _rows = shows(&["web-page-2", "rfc9700-4.16-1", "rfc9700-4.2.4-2"]);
    for (what, page) in pages(&World::new()) {
        for (name, value) in [
            ("content-type", "text/html; charset=utf-8"),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
        ] {
            assert_eq!(page.headers.get_all(name).iter().collect::<Vec<_>>(), [value], "{what}: {name}");
        }
        assert!(page.header("content-security-policy").contains("; frame-ancestors 'none';"), "{what}");
    }
    let back = Browser::new(&World::new()).authorize(&[("prompt", "none")]).header("referrer-policy").to_owned();
    assert_eq!(back, "no-referrer", "redirects too");
}

#[test]
fn a_page_loads_nothing_and_runs_nothing() {
    let _rows = shows(&["web-page-3", "rfc9700-4.2.4-1"]);
    for (what, page) in pages(&World::new()) {
        let (html, policy) = (page.html(), page.header("content-security-policy").to_owned());
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{what}: {policy}");
        for word in ["unsafe-inline", "unsafe-eval", "script-src", "*", "data:", "http:"] {
            assert!(!policy.contains(word), "{what}: {word} in {policy}");
        }
        for word in [
            "<script", "<link", "<iframe", "<img", "<object", "<embed", " style=", " src=", "url(", "@import",
            " onclick",
        ] {
            assert!(!html.contains(word), "{what}: {word}");
        }
        assert_eq!(html.matches("<style>").count(), 1, "{what}");
        let links = html.split(" href=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
        for link in links {
            let ours = link.starts_with('/') && !link.starts_with("//") || link.starts_with('#');
            assert!(ours || link == "https://app.example/", "{what}: {link}");
        }
        assert!(page.body.len() < 10 * 1024, "{what}: {} bytes", page.body.len());
    }
}

#[test]
fn the_consent_page_tells_who_asks_for_what_for_how_long_and_where_it_goes_back_to() {
    let _rows = shows(&["rfc6749-10.2-2", "oauth21-7.9-1"]);
    let world = World::new();
    let browser = Browser::new(&world);
    let shop = [("client_id", "shop"), ("redirect_uri", "https://shop.example/cb"), ("scope", "read email")];
    let said = browser.follow(&browser.sign_ada_in(&shop)).said();
    for wanted in ["Shop & Sons", "shop.example", "Read your things", "See your address", "ada@example.com", "90 days"]
    {
        assert!(said.contains(wanted), "{wanted} in {said}");
    }
    assert!(!said.contains("Change your things") && !said.contains("application on this device"), "{said}");
    for uri in ["http://127.0.0.1:4000/cb", "org.example.tool:/cb"] {
        let said = browser.authorize(&[("client_id", "tool"), ("redirect_uri", uri)]).said();
        assert!(said.contains("Tool") && said.contains("This is an application on this device."), "{said}");
    }
    // A client without a name is called by its identifier.
    let said = browser.authorize(&[("client_id", "modern"), ("prompt", "consent")]).said();
    assert!(said.contains("modern"), "{said}");
}

#[test]
fn an_error_page_tells_nothing_but_where_the_log_has_the_rest() {
    let _rows = shows(&["web-page-6", "rfc6749-3.1.2.4-2"]);
    let rows = Arc::new(Rows::default());
    let world = World::over(rows.clone(), |builder| builder);
    let browser = Browser::new(&world);
    browser.sign_ada_in(&[]);
    let page = browser.get("/auth/applications");
    world.take_events();
    world.store.set_down(true);
    let down = browser.get("/auth/applications");
    world.store.set_down(false);
    assert_eq!((down.status.as_u16(), down.header("retry-after")), (503, "1"));
    for write in rows.as_writes().iter().filter(|write| write.key().as_str().starts_with("b.")) {
        let (key, version) = (write.key(), *write.version());
        rows.overwrite(key, core().sealed(key, version, b"no session", &Entropy::from_seed(9)).unwrap());
    }
    let broken = browser.act(&page, "sign_out_everywhere", &[]);
    assert_eq!(broken.status, 500);
    let log = format!("{:?}", world.take_full_events());
    for reply in [&down, &broken] {
        let html = reply.html();
        let reference = html.split("<code>").nth(1).and_then(|rest| rest.split("</code>").next()).unwrap();
        let reference = reference.replace("<bdi>", "").replace("</bdi>", "");
        assert!(reference.len() >= 6 && log.contains(&reference), "{reference} in {log}");
        for secret in ["panicked", "src/", ".rs", "the store was told to fail", "ada", ADA, "b.", "decode", "record"] {
            assert!(!reply.said().contains(secret), "{secret}: {}", reply.said());
        }
    }
    // What is wrong with a request is said in fixed words; nothing of it is repeated.
    for (changes, told) in [
        (("client_id", "<b>nobody"), "the client is unknown"),
        (("redirect_uri", "https://<b>.example/"), "redirect_uri is not registered for this client"),
    ] {
        let page = Browser::new(&world).authorize(&[changes]);
        assert!(page.said().contains(told) && !page.html().contains("nobody") && !page.html().contains("<b>"));
    }
}
