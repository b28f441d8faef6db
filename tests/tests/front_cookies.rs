//! Cookies: what they say, what they are worth, and what becomes of ones that we did not make.

use std::collections::BTreeSet;

use proofkey::Server;
use proofkey_conformance::shows;
use proofkey_tests::{Browser, PASSWORD, Reply, World, authorize_path};

const SESSION: &str = "__Secure-proofkey";
const BROWSER: &str = "__Secure-proofkey-browser";
const THIRD: [(&str, &str); 2] = [("client_id", "third"), ("redirect_uri", "https://third.example/cb")];

fn lines(reply: &Reply) -> Vec<String> {
    reply.headers.get_all("set-cookie").iter().map(|line| line.to_str().unwrap().to_owned()).collect()
}

/// Every answer of a walk through all pages.
fn answers(world: &World) -> Vec<Reply> {
    let browser = Browser::new(world);
    let mut all = vec![browser.authorize(&THIRD)];
    let fields = [("username", "ada@example.com"), ("password", "a wrong one")];
    all.push(browser.submit(&all[0].form(), &fields));
    all.push(browser.sign_in(&all[0], "ada@example.com", PASSWORD));
    all.push(browser.follow(&all[2]));
    all.push(browser.decide(&all[3], "allow"));
    all.push(browser.authorize(&[]));
    world.wait(100_000);
    all.push(browser.authorize(&[]));
    all.push(browser.sign_in(&all[6], "ada@example.com", PASSWORD));
    let page = browser.get("/auth/applications");
    all.push(browser.act(&page, "withdraw", &[("client_id", "third")]));
    all.push(page);
    all.push(browser.sign_out());
    browser.sign_ada_in(&[]);
    let page = browser.get("/auth/applications");
    all.push(browser.act(&page, "sign_out_everywhere", &[]));
    all.push(Browser::new(world).get("/auth/login"));
    all.push(browser.post("/auth/consent", &[]));
    all
}

#[test]
fn every_cookie_is_secure_unreadable_and_for_our_pages_and_says_so_once() {
    let _rows = shows(&["web-cookie-1", "web-cookie-4"]);
    let mut set = 0;
    for reply in answers(&World::new()) {
        let mut names = BTreeSet::new();
        for line in lines(&reply) {
            let mut parts = line.split("; ");
            let (name, _) = parts.next().unwrap().split_once('=').unwrap();
            assert!([SESSION, BROWSER].contains(&name), "{line}");
            assert!(names.insert(name.to_owned()), "{name} is set twice: {reply:?}");
            let attributes: Vec<&str> = parts.collect();
            for wanted in ["Path=/auth", "Secure", "HttpOnly", "SameSite=Lax"] {
                assert_eq!(attributes.iter().filter(|one| **one == wanted).count(), 1, "{wanted} in {line}");
            }
            let kinds: BTreeSet<&str> = attributes.iter().map(|one| one.split('=').next().unwrap()).collect();
            assert_eq!(kinds.len(), attributes.len(), "an attribute is repeated: {line}");
            assert!(!kinds.contains("Domain"), "{line}");
            set += 1;
        }
    }
    assert!(set >= 8, "{set} cookies");
}

#[test]
fn on_the_developer_s_own_machine_alone_a_cookie_goes_without_secure() {
    let _rows = shows(&["web-cookie-1"]);
    let rows = std::sync::Arc::new(proofkey_tests::Rows::default());
    let server = proofkey_tests::configure(Server::builder("http://127.0.0.1:8000/auth")).store(rows).build().unwrap();
    let request = http::Request::get(authorize_path(&[])).body(bytes::Bytes::new()).unwrap();
    let reply = Reply::from(server.handle(request, None));
    let [line] = &lines(&reply)[..] else { panic!("{reply:?}") };
    assert!(line.starts_with("proofkey-browser=") && !line.contains("Secure"), "{line}");
    assert!(line.contains("; Path=/auth; HttpOnly; SameSite=Lax"), "{line}");
}

#[test]
fn the_prefix_of_the_name_is_the_strictest_that_the_issuer_allows() {
    let _rows = shows(&["web-cookie-2"]);
    for (issuer, name, path) in
        [("https://as.example", "__Host-proofkey-browser", "/"), ("https://as.example/auth", BROWSER, "/auth")]
    {
        let rows = std::sync::Arc::new(proofkey_tests::Rows::default());
        let server = proofkey_tests::configure(Server::builder(issuer)).store(rows).build().unwrap();
        let target = authorize_path(&[]).replace("/auth/", if path == "/" { "/" } else { "/auth/" });
        let reply = Reply::from(server.handle(http::Request::get(target).body(bytes::Bytes::new()).unwrap(), None));
        let [line] = &lines(&reply)[..] else { panic!("{reply:?}") };
        assert!(line.starts_with(&format!("{name}=")) && line.contains(&format!("; Path={path}; Secure")), "{line}");
        assert!(!line.contains("Domain"), "{line}");
    }
}

/// A cookie or a form of which a byte has changed is nobody's.
#[test]
fn a_changed_byte_makes_a_cookie_nobody_s() {
    let _rows = shows(&["web-cookie-3"]);
    let world = World::new();
    let browser = Browser::new(&world);
    let page = browser.follow(&browser.sign_ada_in(&THIRD));
    let plain = Browser::new(&world).get("/auth/applications").said();
    let cleared = format!("{SESSION}=; Path=/auth; Secure; HttpOnly; SameSite=Lax; Max-Age=0");
    for name in [SESSION, BROWSER] {
        let value = browser.cookie(name);
        assert!(!value.contains("ada") && !value.contains("u-ada"), "nothing shows through");
        for at in 0..value.len() {
            let mut changed = value.clone();
            changed.replace_range(at..=at, if &value[at..=at] == "A" { "B" } else { "A" });
            let tampered = browser.clone();
            tampered.plant(name, &changed, "/auth");
            let reply = tampered.decide(&page, "allow");
            assert!(!reply.headers.contains_key("location"), "{name} at {at}: {reply:?}");
            if name == SESSION {
                let shown = tampered.get("/auth/applications");
                assert_eq!((shown.status.as_u16(), shown.said()), (200, plain.clone()), "as if there were none");
                assert_eq!(lines(&reply), [cleared.as_str()], "at {at}: it is taken from the browser");
                assert_eq!(tampered.cookie(SESSION), "");
            } else {
                assert_eq!(reply.status, 403);
            }
        }
    }
}

#[test]
fn values_are_of_the_characters_of_cookies_and_short() {
    let _rows = shows(&["web-cookie-5"]);
    let (world, long) = (World::new(), "x".repeat(255));
    let mut seen = 0;
    for reply in answers(&world) {
        for line in lines(&reply) {
            let value = line.split("; ").next().unwrap().split_once('=').unwrap().1.to_owned();
            assert!(value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{value}");
            assert!(line.len() < 1024, "{line}");
            seen += 1;
        }
    }
    // Whatever a request carries, and however many people use a browser, it is the form that grows.
    let browser = Browser::new(&world);
    for name in ["ada@example.com", "bob", "ada@example.com"] {
        let password = if name == "bob" { "another long passphrase" } else { PASSWORD };
        let page = browser.authorize(&[("prompt", "login"), ("state", &"s".repeat(2048)), ("login_hint", &long)]);
        assert_eq!(browser.sign_in(&page, name, password).status, 303);
        assert!(browser.cookies().len() < 1024, "{}", browser.cookies());
    }
    assert!(seen > 7);
}

#[test]
fn which_of_two_cookies_is_ours_the_order_does_not_tell() {
    let _rows = shows(&["web-cookie-6"]);
    let world = World::new();
    let (ada, bob) = (Browser::new(&world), Browser::new(&world));
    ada.sign_ada_in(&[]);
    bob.sign_in(&bob.authorize(&[]), "bob", "another long passphrase");
    let send = |cookies: &str| {
        let target = authorize_path(&[("prompt", "none")]);
        let reply = world.request(http::Method::GET, &target, &[("cookie", cookies)], "");
        reply.location().parameter("error").to_owned()
    };
    let (a, b) = (ada.cookie(SESSION), bob.cookie(SESSION));
    assert_eq!((send(&format!("{SESSION}={a}")), send(&format!("{SESSION}={b}"))), (String::new(), String::new()));
    for (one, other) in [(&a, &b), (&b, &a)] {
        assert_eq!(send(&format!("{SESSION}={one}; {SESSION}={other}")), "login_required", "two of ours: none counts");
    }
    for cookies in [format!("{SESSION}={a}; {SESSION}=x"), format!("{SESSION}=x; {SESSION}={a}")] {
        assert_eq!(send(&cookies), "", "one of ours beside rubbish");
    }
    assert_eq!(send(&format!("{SESSION}={a}; {SESSION}={a}")), "", "twice the same");
}

#[test]
fn a_cookie_is_worth_the_same_on_every_path_and_what_is_of_another_purpose_nothing() {
    let _rows = shows(&["web-cookie-7", "fernet-use-4"]);
    let rows = std::sync::Arc::new(proofkey_tests::Rows::default());
    let world = World::over(rows.clone(), |builder| builder);
    let browser = Browser::new(&world);
    let page = browser.follow(&browser.sign_ada_in(&THIRD));
    let (session, known) = (browser.cookie(SESSION), browser.cookie(BROWSER));
    let sealed = page.form().field("request").to_owned();
    // On every path, also where a browser would not send it, it is the value that counts.
    for path in ["/auth/applications", "/auth/logout"] {
        let cookies = format!("{SESSION}={session}; {BROWSER}={known}");
        let reply = world.request(http::Method::GET, path, &[("cookie", &cookies)], "");
        assert!(reply.html().contains("name=\"form_token\""), "{path}");
    }
    // Every sealed thing, also of the token keys, pasted as a session.
    let code = browser.decide(&page, "allow").location().parameter("code").to_owned();
    let engine = &base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let record = rows.all().into_iter().find(|(key, _)| key.as_str().starts_with("b.")).unwrap().1;
    let record = base64::Engine::encode(engine, record.body());
    for foreign in [known.as_str(), &sealed, &code, &record, page.form().field("form_token")] {
        for name in [SESSION, BROWSER] {
            if (name, foreign) == (BROWSER, &*known) {
                continue;
            }
            let other = Browser::new(&world);
            other.plant(name, foreign, "/auth");
            let reply = other.authorize(&[("prompt", "none")]);
            assert_eq!(reply.location().parameter("error"), "login_required", "{name}={foreign}");
            if name == BROWSER {
                assert_ne!(other.get("/auth/login").header("set-cookie"), "", "it is not known");
            }
        }
    }
    // And a cookie pasted as the request.
    for foreign in [&session, &known] {
        assert_eq!(browser.get(&format!("/auth/consent?request={foreign}")).status, 403);
        assert_eq!(browser.get(&format!("/auth/login?request={foreign}")).status, 403);
    }
}

#[test]
fn what_json_answers_rests_on_no_cookie() {
    let _rows = shows(&["web-csrf-5"]);
    let world = World::new();
    let browser = Browser::new(&world);
    browser.sign_ada_in(&[]);
    let cookies = browser.cookies();
    let body = serde_json::json!({
        "client_id": "web", "redirect_uri": proofkey_tests::REDIRECT_URI, "response_type": "code",
        "code_challenge": proofkey_tests::CHALLENGE, "code_challenge_method": "S256", "scope": "read",
    });
    for media_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/json"] {
        let headers = [("cookie", cookies.as_str()), ("content-type", media_type)];
        let reply = world.request(http::Method::POST, "/auth/authorize", &headers, body.to_string());
        assert_eq!(reply.outcome(), (400, "invalid_request".to_owned()), "{media_type}");
        for path in ["/auth/userinfo", "/auth/me"] {
            let reply = world.request(http::Method::GET, path, &headers, "");
            assert_eq!(reply.status, 401, "{path}");
        }
    }
}

#[test]
fn every_sealed_value_has_a_vector_of_its_own_from_the_server_s_random_bytes() {
    let _rows = shows(&["fernet-token-2"]);
    let vectors = |world: &World, count: usize| -> Vec<Vec<u8>> {
        use base64::Engine as _;
        let browser = Browser::new(world);
        browser.authorize(&[]);
        let sealed = (0..count).map(|_| browser.authorize(&[]).form().field("request").to_owned());
        let opened = sealed.map(|one| base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(one).unwrap());
        opened.map(|bytes| bytes[9..25].to_vec()).collect()
    };
    let all = vectors(&World::new(), 10_000);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 10_000);
    assert_eq!(vectors(&World::new(), 20)[..], all[..20], "the same seed, the same bytes");
    assert_ne!(vectors(&World::with(|builder| builder.seed(2)), 1)[0], all[0]);
}
