//! Text of others on our pages and in our headers: shown, never obeyed.

use std::sync::Arc;

use proofkey::{Client, ScopeText, Secret, User};
use proofkey_conformance::shows;
use proofkey_tests::{Browser, PASSWORD, Reply, Rows, World};

/// What HTML, a header or a terminal would take for something else.
const NASTY: [&str; 12] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "</title><script>x</script>",
    "<!--",
    "&lt;b&gt;&amp;&#60;",
    "javascript:alert(1)",
    "a\r\nset-cookie: evil=1",
    "a\nx-evil: 1\n\n<h1>evil",
    "\u{202e}gnp.exe",
    "{client} {username} %s $1 \\1",
    "\u{0}\u{1b}[31m\u{7f}",
];

/// Whatever was put in, the page is one of ours: our tags, our headers, our cookies.
fn assert_ours(reply: &Reply, what: &str) {
    let html = reply.html();
    for tag in html.split('<').skip(1) {
        let name: String = tag.chars().take_while(|one| one.is_ascii_alphanumeric() || "/!".contains(*one)).collect();
        let known = [
            "!DOCTYPE", "html", "head", "meta", "title", "style", "body", "header", "main", "p", "h1", "h2", "h3",
            "form", "input", "label", "button", "bdi", "ul", "li", "div", "a", "nav", "time", "span", "code", "small",
            "img",
        ];
        assert!(known.contains(&name.trim_start_matches('/')), "{what}: <{tag}");
        let inside = tag.split('>').next().unwrap();
        let attributes = inside.split('"').step_by(2).collect::<String>();
        assert!(!attributes.contains(" on"), "{what}: a handler in <{inside}");
    }
    assert!(html.chars().all(|one| one == '\n' || !one.is_control()), "{what}: a control character");
    assert!(!html.contains('\u{202e}'), "{what}: a character that turns text around");
    for (name, value) in &reply.headers {
        assert!(!value.to_str().unwrap().contains("evil") && name != "x-evil", "{what}: {name}: {value:?}");
    }
    assert!(reply.header("content-security-policy").starts_with("default-src 'none'; style-src 'sha256-"));
}

#[test]
fn names_of_clients_and_texts_of_scopes_are_text() {
    let _rows = shows(&["web-page-1", "rfc6749-10.14-1"]);
    for nasty in NASTY {
        let client = Client::public("nasty").name(nasty).redirect_uri("https://third.example/cb");
        let world = World::with(|builder| builder.client(client).scope_text("odd", ScopeText::new("odd", nasty)));
        let browser = Browser::new(&world);
        let asked = [("client_id", "nasty"), ("redirect_uri", "https://third.example/cb"), ("scope", "odd")];
        let page = browser.authorize(&asked);
        assert_ours(&page, nasty);
        let page = browser.follow(&browser.sign_in(&page, "ada@example.com", PASSWORD));
        assert_ours(&page, nasty);
        assert_eq!(browser.decide(&page, "allow").status, 303);
        let page = browser.get("/auth/applications");
        assert_ours(&page, nasty);
        // It is shown, whatever of it can be.
        let shown: String = nasty.chars().filter(|one| !one.is_control() && *one != '\u{202e}').collect();
        assert!(page.said().contains(&shown), "{shown}: {}", page.said());
    }
}

#[test]
fn the_way_back_is_a_link_for_https_alone() {
    let _rows = shows(&["web-page-1"]);
    let world = World::new();
    for (client, uri, links) in [
        ("third", "https://third.example/cb", true),
        ("tool", "http://127.0.0.1:5/cb", false),
        ("tool", "org.example.tool:/cb", false),
    ] {
        let browser = Browser::new(&world);
        let page = browser.authorize(&[("client_id", client), ("redirect_uri", uri)]);
        world.wait(901);
        let expired = browser.sign_in(&page, "ada@example.com", PASSWORD);
        assert_eq!((expired.status.as_u16(), expired.html().contains("<a href=")), (400, links), "{uri}");
        assert!(!expired.html().contains("org.example.tool:") && !expired.html().contains("127.0.0.1:5"), "{uri}");
    }
}

#[test]
fn names_of_people_are_text() {
    let _rows = shows(&["web-page-1", "rfc6749-10.14-1"]);
    for nasty in NASTY {
        let world = World::new();
        let browser = Browser::new(&world);
        let page = browser.authorize(&[("login_hint", nasty)]);
        assert_ours(&page, nasty);
        let page = browser.sign_in(&page, nasty, "a wrong one");
        assert_eq!(page.status, 403);
        assert_ours(&page, nasty);
        let shown: String = nasty.chars().filter(|one| !one.is_control() && *one != '\u{202e}').collect();
        assert_eq!(page.form().field("username"), shown);
    }
}

#[test]
fn the_name_of_whoever_is_signed_in_is_text_on_every_page() {
    let _rows = shows(&["web-page-1"]);
    let mut shown = 0;
    for nasty in NASTY {
        let world = World::with_own_users(Arc::new(Rows::default()), |builder| builder);
        let user = User::new("subject").with_username(nasty);
        // What could be no name of anybody's is refused when it is chosen.
        if world.server.create_user(user, Secret::from(PASSWORD)).is_err() {
            continue;
        }
        shown += 1;
        let browser = Browser::new(&world);
        let third = [("client_id", "third"), ("redirect_uri", "https://third.example/cb")];
        let consent = browser.follow(&browser.sign_in(&browser.authorize(&third), nasty, PASSWORD));
        for page in [consent, browser.get("/auth/applications"), browser.get("/auth/logout")] {
            assert_ours(&page, nasty);
            let visible: String = nasty.chars().filter(|one| !one.is_control() && *one != '\u{202e}').collect();
            assert!(page.said().contains(&visible), "{nasty}: {}", page.said());
        }
    }
    assert!(shown >= 6, "{shown} of them can be names");
}

#[test]
fn whatever_a_request_brings_makes_no_markup_and_no_header() {
    let _rows = shows(&["rfc6749-10.14-1", "web-page-5"]);
    let world = World::new();
    let browser = Browser::new(&world);
    let names = [
        "client_id",
        "redirect_uri",
        "state",
        "scope",
        "prompt",
        "max_age",
        "login_hint",
        "ui_locales",
        "resource",
        "response_type",
        "response_mode",
        "code_challenge",
        "code_challenge_method",
        "unknown",
    ];
    for nasty in NASTY {
        for name in names {
            let reply = browser.authorize(&[(name, nasty)]);
            if reply.status == 303 {
                let location = reply.header("location");
                assert!(location.bytes().all(|byte| byte.is_ascii_graphic()), "{name}: {location}");
                assert!(reply.headers.keys().all(|header| header != "x-evil" && header != "set-cookie"), "{reply:?}");
            } else {
                assert_ours(&reply, &format!("{name}={nasty}"));
            }
        }
        let state = browser.authorize(&[("state", nasty), ("scope", "nothing")]).location();
        assert_eq!(state.parameter("state"), nasty, "encoded, and the same once decoded");
        for header in ["accept-language", "cookie", "origin", "sec-fetch-site"] {
            let printable: String = nasty.chars().filter(|one| one.is_ascii() && !one.is_ascii_control()).collect();
            let reply = world.request(http::Method::POST, "/auth/login", &[(header, &printable)], "");
            assert_ours(&reply, &format!("{header}: {nasty}"));
        }
    }
}
