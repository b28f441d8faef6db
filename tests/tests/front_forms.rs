//! Forms that our pages did not make for this browser: nobody is signed in, nothing is agreed to, nobody is signed out.

use proofkey_conformance::shows;
use proofkey_tests::{Browser, Form, PASSWORD, Reply, World};

const THIRD: [(&str, &str); 2] = [("client_id", "third"), ("redirect_uri", "https://third.example/cb")];
/// What a browser says with a form of our own.
const OURS: [(&str, &str); 2] = [("sec-fetch-site", "same-origin"), ("origin", "null")];
const FORGED: &str = "This form cannot be accepted";

/// Refused by a page, with nothing given: no code, no sign-in.
fn assert_forged(reply: &Reply, what: &str) {
    assert_eq!(reply.status, 403, "{what}: {}", reply.html());
    assert!(reply.said().contains(FORGED), "{what}: {}", reply.said());
    assert!(!reply.headers.contains_key("location") && !reply.headers.contains_key("set-cookie"), "{what}: {reply:?}");
}

/// Comes to the page that asks Ada for consent to the client `third`.
fn asked(browser: &Browser<'_>) -> Reply {
    browser.follow(&browser.sign_ada_in(&THIRD))
}

fn without(form: &Form, name: &str) -> Form {
    let mut form = form.clone();
    form.fields.remove(name);
    form
}

#[test]
fn a_stranger_s_sign_in_cannot_be_put_into_somebody_s_browser() {
    let _rows = shows(&["web-csrf-1"]);
    let world = World::new();
    let (attacker, victim) = (Browser::new(&world), Browser::new(&world));
    let mallory = [("username", "bob"), ("password", "another long passphrase")];
    let page = attacker.authorize(&[]);
    assert_forged(&victim.submit(&page.form(), &mallory), "a browser that was never here");
    victim.authorize(&[]);
    assert_forged(&victim.submit(&page.form(), &mallory), "a request of another browser");
    assert_forged(&victim.submit(&without(&page.form(), "request"), &mallory), "no request");
    assert_forged(&victim.submit(&page.form(), &[("request", "gAAAAA"), mallory[0], mallory[1]]), "rubbish");
    let bare = Browser::new(&world);
    assert_forged(&bare.submit(&victim.authorize(&[]).form(), &mallory), "the cookie of the browser is missing");
    // Whose browser it is, it was not told a password right or wrong: nothing was counted and nobody asked.
    assert_eq!(victim.get("/auth/applications").form().action, "/auth/login", "nobody is signed in");
    assert_eq!(attacker.submit(&page.form(), &mallory).status, 303, "in its own browser it works");
}

#[test]
fn a_page_of_another_site_cannot_send_our_forms() {
    let _rows = shows(&["web-csrf-4"]);
    let world = World::new();
    let browser = Browser::new(&world);
    let login = browser.authorize(&THIRD).form();
    let typed = [("username", "ada@example.com"), ("password", PASSWORD)];
    let foreign: [&[(&str, &str)]; 7] = [
        &[("origin", "https://evil.example")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "cross-site"), ("origin", "null")],
        &[("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")],
        &[("origin", "http://as.example")],
        &[("origin", "https://as.example.evil.example")],
    ];
    for headers in foreign {
        assert_forged(&browser.submit_with(&login, headers, &typed), &format!("login {headers:?}"));
    }
    let consent = browser.follow(&browser.submit(&login, &typed)).form();
    let logout = browser.get("/auth/logout").form();
    let applications = browser.get("/auth/applications").form_with("action", "sign_out_everywhere");
    for headers in foreign {
        let allow = browser.submit_with(&consent, headers, &[("decision", "allow")]);
        assert_forged(&allow, &format!("consent {headers:?}"));
        assert_forged(&browser.submit_with(&logout, headers, &[]), &format!("logout {headers:?}"));
        assert_forged(&browser.submit_with(&applications, headers, &[]), &format!("applications {headers:?}"));
    }
    // What a browser says that tells nothing of it, and one that says nothing, are no reason.
    for headers in [&OURS[..], &[], &[("origin", "https://as.example")], &[("sec-fetch-site", "none")]] {
        assert_eq!(browser.submit_with(&consent, headers, &[("decision", "allow")]).status, 303, "{headers:?}");
    }
}

#[test]
fn consent_is_given_by_the_form_of_this_browser_this_sign_in_and_this_request_alone() {
    let _rows = shows(&["rfc6749-10.12-1", "web-csrf-2", "web-csrf-3"]);
    let world = World::new();
    let browser = Browser::new(&world);
    let form = asked(&browser).form();
    let allow = [("decision", "allow")];
    assert_forged(&browser.submit(&without(&form, "form_token"), &allow), "no token");
    assert_forged(&browser.submit(&form, &[("form_token", "AAAA"), allow[0]]), "a short one");
    let mut flipped = form.field("form_token").to_owned();
    flipped.replace_range(..1, if flipped.starts_with('A') { "B" } else { "A" });
    assert_forged(&browser.submit(&form, &[("form_token", &flipped), allow[0]]), "another letter");
    assert!(form.field("form_token").len() >= 22, "16 bytes at least");

    // Of another session: Bob's in another browser, and Ada's own in another browser.
    let bob = Browser::new(&world);
    let page = bob.authorize(&THIRD);
    let bobs = bob.follow(&bob.sign_in(&page, "bob", "another long passphrase")).form();
    let other = Browser::new(&world);
    let others = asked(&other).form();
    for foreign in [&bobs, &others] {
        let token = foreign.field("form_token");
        assert_forged(&browser.submit(&form, &[("form_token", token), allow[0]]), "a token of another browser");
        assert_forged(&browser.submit(foreign, &allow), "a whole form of another browser");
    }
    // Of another request of the same browser and sign-in: more scope, another client, another state.
    for more in [("scope", "read write"), ("state", "other")] {
        let wider = browser.authorize(&[THIRD[0], THIRD[1], more]).form();
        let mixed = browser.submit(&wider, &[("form_token", form.field("form_token")), allow[0]]);
        assert_forged(&mixed, "the token of a request for less");
    }
    // Of another form.
    let logout = browser.get("/auth/logout").form();
    let token = logout.field("form_token");
    assert_forged(&browser.submit(&form, &[("form_token", token), allow[0]]), "the token of another page");
    // Before the same browser signed in anew.
    let again = browser.sign_ada_in(&[("prompt", "login")]);
    assert_eq!(again.status, 303);
    assert_forged(&browser.submit(&form, &allow), "the token of an earlier sign-in");
    // Whoever asks anew, is asked anew; twice the same is one code.
    let form = browser.authorize(&THIRD).form();
    let code = browser.submit(&form, &allow).location();
    assert_eq!(browser.submit(&form, &allow).location(), code);
    let redeemed = world.redeem_with(code.parameter("code"), &THIRD);
    assert_eq!(redeemed.status, 200);
    let late = browser.submit(&form, &allow);
    assert_eq!((late.status.as_u16(), late.headers.contains_key("location")), (400, false));
    assert!(world.works(&redeemed.text("access_token")), "the second click is no replay");
}

#[test]
fn a_link_or_a_frame_decides_nothing() {
    let world = World::new();
    let browser = Browser::new(&world);
    let form = asked(&browser).form();
    let query: Vec<String> = form.fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    for decision in ["allow", "deny", "switch"] {
        let page = browser.get(&format!("/auth/consent?{}&decision={decision}", query.join("&")));
        assert_eq!((page.status.as_u16(), page.title().as_str()), (200, "Allow access · as.example"));
        assert!(!page.headers.contains_key("location"));
        assert_eq!(page.header("x-frame-options"), "DENY");
        assert!(page.header("content-security-policy").contains("frame-ancestors 'none'"));
    }
    // A link to our pages starts a question and answers none.
    assert_eq!(browser.authorize(&THIRD).form().action, "/auth/consent");
    assert!(world.server.grants_of(proofkey_tests::ADA).unwrap().is_empty());
    assert_eq!(world.request(http::Method::HEAD, "/auth/consent", &[], "").status, 403);
}

#[test]
fn what_a_page_was_made_for_is_sealed() {
    let world = World::new();
    let browser = Browser::new(&world);
    let form = asked(&browser).form();
    let sealed = form.field("request");
    for at in (0..sealed.len()).step_by(7) {
        let mut changed = sealed.to_owned();
        changed.replace_range(at..=at, if &sealed[at..=at] == "A" { "B" } else { "A" });
        let reply = browser.submit(&form, &[("request", &changed), ("decision", "allow")]);
        assert_forged(&reply, &format!("a changed byte at {at}"));
    }
    // What says it in clear beside the sealed value is not listened to.
    let loud = browser.submit(
        &form,
        &[
            ("decision", "allow"),
            ("client_id", "web"),
            ("scope", "read write"),
            ("redirect_uri", "https://evil.example/"),
        ],
    );
    let location = loud.location();
    assert_eq!(location.uri, "https://third.example/cb");
    assert_eq!(world.redeem_with(location.parameter("code"), &THIRD).text("scope"), "profile read");
}

#[test]
fn signing_out_and_taking_back_need_a_form_of_ours() {
    let _rows = shows(&["web-session-3"]);
    let world = World::new();
    let browser = Browser::new(&world);
    let page = asked(&browser);
    browser.decide(&page, "allow");
    let mut pages = 0;
    for path in ["/auth/logout", "/auth/applications"] {
        for query in
            ["", "?form_token=x&action=sign_out_everywhere", "?action=withdraw&client_id=third", "?done=withdrawn"]
        {
            assert_eq!(browser.get(&format!("{path}{query}")).status, 200);
            pages += 1;
        }
        for fields in [&[][..], &[("form_token", "")], &[("form_token", "AAAA"), ("action", "sign_out_everywhere")]] {
            assert_forged(&browser.post(path, fields), path);
        }
        let swapped = if path == "/auth/logout" { "/auth/applications" } else { "/auth/logout" };
        let form = browser.get(path).form();
        let fields = [("form_token", form.field("form_token")), ("action", "sign_out_everywhere")];
        assert_forged(&browser.post(swapped, &fields), "the token of the other page");
    }
    assert_eq!(pages, 8);
    assert_eq!(browser.authorize(&THIRD).status, 303, "signed in, and consent is remembered");
    assert_eq!(world.server.grants_of(proofkey_tests::ADA).unwrap().len(), 2);
}
