//! The host's own login page: what it is told, and what its answers come to.

use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use proofkey::{Authentication, Client, ErrorCode, EventKind, Pending, Refusal, Request, Scope, UnixTime, UserChange};
use proofkey_conformance::shows;
use proofkey_tests::{CHALLENGE, Reply, Rows, START, VERIFIER, Visit, World, encode, hidden};

const THIRD: &str = "https://third.example/cb";

/// A world whose users sign in at `/signin` of the host.
fn world() -> World {
    World::with(|builder| {
        let market = Client::public("market").name("The market").redirect_uri("https://market.example/cb");
        builder.login_url("/signin?theme=dark").client(market)
    })
}

fn authorize(visit: &Visit<'_>, changes: &[(&str, &str)]) -> Reply {
    let mut query = vec![
        ("response_type", "code"),
        ("client_id", "web"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("scope", "read write"),
        ("state", "a b&c"),
    ];
    query.retain(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    query.extend(changes);
    visit.get(&format!("/auth/authorize?{}", encode(&query)))
}

/// The target of the host's page to which the browser was sent.
fn sent(reply: &Reply) -> String {
    assert_eq!(reply.status, 303, "{reply:?}");
    reply.header("location").to_owned()
}

fn pending(world: &World, target: &str, cookies: &str) -> Result<Pending, Refusal> {
    let request = http::Request::builder().method(Method::GET).uri(target).header("cookie", cookies);
    world.server.pending(Request::new(request.body(Bytes::new()).unwrap(), None))
}

/// Begins a request in a new browser, up to the host's page.
fn arrive<'a>(world: &'a World, changes: &[(&str, &str)]) -> (Visit<'a>, Pending) {
    let visit = Visit::new(world);
    let target = sent(&authorize(&visit, changes));
    let pending = pending(world, &target, &visit.cookies()).unwrap();
    (visit, pending)
}

fn ada(at: u64) -> Authentication {
    Authentication::new("u-ada", UnixTime::from_seconds(at)).amr(["pwd", "otp"])
}

fn approve(world: &World, pending: &Pending, authentication: Authentication) -> Reply {
    world.server.approve(pending.clone(), authentication).unwrap().into()
}

fn parameter(reply: &Reply, name: &str) -> Option<String> {
    let (_, query) = reply.header("location").split_once('?')?;
    query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}="))).map(str::to_owned)
}

fn redeem(world: &World, reply: &Reply) -> Reply {
    let code = parameter(reply, "code").unwrap_or_else(|| panic!("a code: {reply:?}"));
    let fields = [("grant_type", "authorization_code"), ("client_id", "web"), ("code", &code)];
    world.form("/auth/token", &[&fields[..], &[("code_verifier", VERIFIER)]].concat())
}

#[test]
fn a_browser_is_sent_to_the_page_of_the_host_and_back_with_a_code() {
    let _rows = shows(&["rfc6749-3.1-1"]);
    let world = world();
    let visit = Visit::new(&world);
    let target = sent(&authorize(&visit, &[("login_hint", "ada"), ("ui_locales", "de fr")]));
    assert!(target.starts_with("/signin?theme=dark&request=gAAAA"), "{target}");
    let pending = pending(&world, &target, &visit.cookies()).unwrap();
    assert_eq!((pending.client().client_id(), pending.redirect_host().as_str()), ("web", "app.example"));
    assert_eq!((pending.login_hint(), pending.ui_locales()), (Some("ada"), Some("de fr")));
    assert_eq!((pending.scope().as_str(), pending.is_silent()), ("read write", false));
    assert_eq!(pending.scope_texts(), ["Read your things", "Change your things"]);
    assert!(!pending.must_login_again(UnixTime::from_seconds(START - 9000)));
    let reply = approve(&world, &pending, ada(START - 9000));
    let location = reply.header("location");
    assert!(location.starts_with("https://app.example/cb?code=pfk_code_"), "{location}");
    assert!(location.ends_with("&state=a%20b%26c&iss=https%3A%2F%2Fas.example%2Fauth"), "{location}");
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(reply.header("strict-transport-security"), "max-age=31536000");
    let tokens = redeem(&world, &reply);
    assert_eq!(tokens.text("scope"), "read write");
    assert!(world.works(&tokens.text("access_token")));
}

#[test]
fn a_form_of_the_host_brings_the_request_in_a_hidden_field() {
    let world = world();
    let (visit, shown) = arrive(&world, &[]);
    let form = |headers: &[(&str, &str)]| {
        let request = http::Request::builder().method(Method::POST).uri("/signin");
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let request = request.header("cookie", visit.cookies());
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let body = encode(&[("request", shown.request_value()), ("username", "ada"), ("password", "x")]);
        world.server.pending(Request::new(request.body(body.into()).unwrap(), None))
    };
    assert_eq!(form(&[]).unwrap().client().client_id(), "web");
    for foreign in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        assert_eq!(form(&[foreign]).unwrap_err().status(), 403, "{foreign:?}");
    }
}

#[test]
fn what_else_stands_in_the_form_of_the_host_is_the_hosts() {
    let world = world();
    let visit = Visit::new(&world);
    let target = sent(&authorize(&visit, &[]));
    let form = |target: &str, content_type: &str, body: &str| {
        let request = http::Request::builder().method(Method::POST).uri(target).header("cookie", visit.cookies());
        let request = request.header("content-type", content_type).body(Bytes::from(body.to_owned()));
        world.server.pending(Request::new(request.unwrap(), None)).map(|pending| pending.request_value().to_owned())
    };
    let (_, sealed) = target.split_once("request=").unwrap();
    let (urlencoded, json) = ("application/x-www-form-urlencoded", "application/json");
    let brought = format!("likes=a&likes=b&request={sealed}");
    for (target, content_type, body) in [
        ("/signin", urlencoded, &*brought),
        (&*target, urlencoded, "likes=a&likes=b"),
        (&*target, urlencoded, ""),
        (&*target, json, "{}"),
    ] {
        assert_eq!(form(target, content_type, body).unwrap(), sealed, "{target} {body}");
    }
    let twice = format!("{brought}&request={sealed}");
    assert_eq!(form("/signin", urlencoded, &twice).unwrap_err().status(), 400);
    assert_eq!(form("/signin", json, &brought).unwrap_err().status(), 403, "no form");
}

#[test]
fn a_page_at_another_port_has_forms_of_its_own_origin() {
    let world = World::with(|builder| builder.login_url("https://as.example:8443/signin?theme=dark"));
    let visit = Visit::new(&world);
    let target = sent(&authorize(&visit, &[]));
    let form = |origin: &str| {
        let request = http::Request::builder().method(Method::POST).uri(&target).header("cookie", visit.cookies());
        let request = request.header("origin", origin).header("sec-fetch-site", "same-origin").body(Bytes::new());
        world.server.pending(Request::new(request.unwrap(), None)).map_err(|refusal| refusal.status().as_u16())
    };
    assert!(form("https://as.example:8443").is_ok());
    for other in ["https://as.example", "https://as.example:8444", "https://evil.example"] {
        assert_eq!(form(other).unwrap_err(), 403, "{other}");
    }
}

#[test]
fn what_comes_to_the_page_is_bounded_and_came_over_https() {
    let world = World::with(|builder| builder.login_url("/signin").trusted_proxies("192.0.2.0/24"));
    let visit = Visit::new(&world);
    let target = sent(&authorize(&visit, &[]));
    let form = |scheme: &str, length: usize| {
        let request = http::Request::builder().method(Method::POST).uri(&target).header("cookie", visit.cookies());
        let request = request.header("x-forwarded-proto", scheme).body(vec![b'x'; length].into());
        let outcome = world.server.pending(Request::new(request.unwrap(), world.peer));
        outcome.map_or_else(|refusal| refusal.status().as_u16(), |_| 200)
    };
    assert_eq!((form("https", 10), form("http", 10), form("https", 64 * 1024 + 1)), (200, 400, 413));
}

#[test]
fn a_request_of_another_browser_is_refused_and_signs_nobody_in() {
    let world = world();
    let attacker = Visit::new(&world);
    let target = sent(&authorize(&attacker, &[]));
    let (victim, _) = arrive(&world, &[]);
    world.take_events();
    for cookies in [victim.cookies(), String::new(), "proofkey-browser=x".to_owned()] {
        let refusal = pending(&world, &target, &cookies).unwrap_err();
        assert_eq!((refusal.status().as_u16(), refusal.code()), (403, ErrorCode::AccessDenied), "{cookies}");
        let page = Reply::from(world.server.refused_page(&refusal));
        assert_eq!((page.status.as_u16(), page.header("x-frame-options")), (403, "DENY"));
    }
    assert_eq!(world.take_events(), [EventKind::FormForged, EventKind::Refused].repeat(3));
    assert!(pending(&world, &target, &attacker.cookies()).is_ok());
}

#[test]
fn a_request_that_was_changed_or_is_over_is_refused() {
    let world = world();
    let visit = Visit::new(&world);
    let target = sent(&authorize(&visit, &[]));
    for changed in [target.replace("gAAAA", "gAAAB"), "/signin".to_owned(), "/signin?request=".to_owned()] {
        assert_eq!(pending(&world, &changed, &visit.cookies()).unwrap_err().status(), 403, "{changed}");
    }
    world.wait(900);
    assert!(pending(&world, &target, &visit.cookies()).is_ok());
    let kept = pending(&world, &target, &visit.cookies()).unwrap();
    world.wait(1);
    assert_eq!(pending(&world, &target, &visit.cookies()).unwrap_err().status(), 400);
    world.wait(900);
    let late = approve(&world, &kept, ada(START));
    assert_eq!((late.status.as_u16(), late.header("location")), (400, ""), "a host that kept it gains no time");
}

#[test]
fn the_page_of_a_refusal_is_in_the_visitors_language_and_says_where_to_look() {
    let world = world();
    let visit = Visit::new(&world);
    let target = sent(&authorize(&visit, &[]));
    world.wait(901);
    world.take_events();
    let show = |language: &str| {
        let request = http::Request::builder().uri(&target).header("cookie", visit.cookies());
        let request = request.header("accept-language", language).body(Bytes::new()).unwrap();
        let refusal = world.server.pending(Request::new(request, None)).unwrap_err();
        let page = Reply::from(world.server.refused_page(&refusal));
        let logged = world.take_full_events().remove(0).private_detail().unwrap_or_default().to_owned();
        (String::from_utf8_lossy(&page.body).into_owned(), logged)
    };
    for (language, lang) in [("de-AT, en;q=0.5", "lang=\"de\""), ("en", "lang=\"en\"")] {
        let (html, logged) = show(language);
        assert!(html.contains(lang) && html.contains("href=\"https://app.example/\""), "{html}");
        let reference = logged.split_once("(page ").and_then(|(_, rest)| rest.strip_suffix(')')).unwrap();
        assert!(html.contains(reference), "{html}: {reference}");
    }
}

#[test]
fn without_a_page_of_the_host_there_is_nothing_to_take() {
    let world = World::new();
    let refusal = pending(&world, "/signin?request=x", "").unwrap_err();
    assert_eq!(refusal.status(), 500);
    assert!(refusal.private_detail().unwrap().contains("login_url"));
}

#[test]
fn the_same_request_gets_the_same_code_and_never_a_second_one() {
    let world = world();
    let (_, pending) = arrive(&world, &[]);
    let (one, two) = (approve(&world, &pending, ada(START)), approve(&world, &pending, ada(START)));
    assert_eq!(one.header("location"), two.header("location"));
    let read = ada(START).scope(Scope::parse("read").unwrap());
    assert_eq!(approve(&world, &pending, read).status, 400, "another decision gets no code");
    assert_eq!(redeem(&world, &one).status, 200);
    let again = approve(&world, &pending, ada(START));
    assert_eq!((again.status.as_u16(), again.header("location")), (400, ""));
}

#[test]
fn the_host_may_grant_less_than_was_asked_for_and_not_more() {
    let world = world();
    let (_, pending) = arrive(&world, &[]);
    let with = |scope: &str| approve(&world, &pending, ada(START).scope(Scope::parse(scope).unwrap()));
    for wider in ["read email", "email"] {
        assert_eq!((with(wider).status.as_u16(), with(wider).header("location")), (500, ""), "{wider}");
    }
    assert_eq!(redeem(&world, &with("read")).text("scope"), "read");
}

#[test]
fn what_cannot_be_said_of_a_sign_in_is_a_mistake_of_the_host_and_gives_nothing() {
    let world = world();
    let (_, pending) = arrive(&world, &[]);
    let at = UnixTime::from_seconds;
    for (wrong, told) in [
        (Authentication::new("", at(START)), "1 to 255 characters"),
        (Authentication::new("x".repeat(256), at(START)), "1 to 255 characters"),
        (Authentication::new("u-ada", at(START + 6)), "in the future"),
        (ada(START).amr(["p w"]), "printable"),
        (ada(START).amr(["pwd"; 9]), "up to 8"),
    ] {
        world.take_events();
        let page = approve(&world, &pending, wrong);
        assert_eq!((page.status.as_u16(), page.header("location")), (500, ""));
        let details: Vec<_> = world.take_full_events();
        let detail = details[0].private_detail().unwrap_or_default();
        assert!(detail.contains(told), "{detail}");
        assert!(!String::from_utf8_lossy(&page.body).contains(told), "the page says nothing of it");
    }
}

#[test]
fn who_was_dismissed_gets_nothing_and_who_is_signed_out_meanwhile_neither() {
    let world = world();
    let (_, pending) = arrive(&world, &[]);
    world.people.dismiss("u-ada");
    assert_eq!(parameter(&approve(&world, &pending, ada(START)), "error").as_deref(), Some("access_denied"));
    world.people.restore("u-ada");
    let (visit, pending) = arrive(&world, &[("client_id", "third"), ("redirect_uri", THIRD)]);
    let consent = sent(&approve(&world, &pending, ada(START)));
    world.server.revoke_all("u-ada").unwrap();
    let path = consent.strip_prefix("https://as.example").unwrap();
    let page = visit.get(path);
    let (request, token) = (hidden(&page, "request"), hidden(&page, "form_token"));
    let fields = [("request", request.as_str()), ("form_token", &token), ("decision", "allow")];
    assert_eq!(parameter(&visit.post("/auth/consent", &fields), "error").as_deref(), Some("access_denied"));
}

#[test]
fn a_client_of_others_is_agreed_to_on_our_page_bound_to_the_browser() {
    let _rows = shows(&["rfc6749-10.2-2"]);
    let world = world();
    let (visit, pending) = arrive(&world, &[("client_id", "market")]);
    let consent = sent(&approve(&world, &pending, ada(START).username("Ada L.")));
    let path = consent.strip_prefix("https://as.example").unwrap();
    assert!(path.starts_with("/auth/consent?request=gAAAA"), "{path}");
    assert_eq!(Visit::new(&world).get(path).status, 403, "another browser");
    let page = visit.get(path);
    let html = String::from_utf8_lossy(&page.body).into_owned();
    for shown in ["The market", "market.example", "Read your things", "Change your things", "90 days", "Ada L."] {
        assert!(html.contains(shown), "{shown}: {html}");
    }
    let (request, token) = (hidden(&page, "request"), hidden(&page, "form_token"));
    let decide = |token: &str, decision: &str| {
        visit.post("/auth/consent", &[("request", &request), ("form_token", token), ("decision", decision)])
    };
    assert_eq!(decide("", "allow").status, 403);
    assert_eq!(parameter(&decide(&token, "deny"), "error").as_deref(), Some("access_denied"));
    assert!(decide(&token, "allow").header("location").starts_with("https://market.example/cb?code="));
    let (_, next) = arrive(&world, &[("client_id", "market"), ("scope", "read")]);
    assert!(approve(&world, &next, ada(START)).header("location").starts_with("https://market.example/cb?code="));
}

#[test]
fn whoever_was_signed_out_everywhere_since_the_sign_in_has_to_sign_in_again() {
    let world = world();
    let (visit, before) = arrive(&world, &[]);
    let (_, silent) = arrive(&world, &[("prompt", "none")]);
    world.wait(60);
    world.server.revoke_all("u-ada").unwrap();
    assert_eq!(parameter(&approve(&world, &silent, ada(START)), "error").as_deref(), Some("login_required"));
    let target = sent(&approve(&world, &before, ada(START)));
    let again = pending(&world, &target, &visit.cookies()).unwrap();
    assert!(again.must_login_again(UnixTime::from_seconds(START)));
    let stubborn = approve(&world, &again, ada(START));
    assert_eq!((stubborn.status.as_u16(), stubborn.header("location")), (500, ""));
    assert!(!again.must_login_again(UnixTime::from_seconds(START + 60)));
    assert_eq!(redeem(&world, &approve(&world, &again, ada(START + 60))).status, 200);
}

#[test]
fn whoever_is_somebody_else_goes_back_to_the_page_of_the_host() {
    let world = world();
    let (visit, pending_one) = arrive(&world, &[("client_id", "market")]);
    let consent = sent(&approve(&world, &pending_one, ada(START)));
    let page = visit.get(consent.strip_prefix("https://as.example").unwrap());
    let (request, token) = (hidden(&page, "request"), hidden(&page, "form_token"));
    let fields = [("request", request.as_str()), ("form_token", &token), ("decision", "switch")];
    let target = sent(&visit.post("/auth/consent", &fields));
    assert!(target.starts_with("/signin?theme=dark&request=gAAAA"), "{target}");
    let pending = pending(&world, &target, &visit.cookies()).unwrap();
    assert!(pending.must_login_again(UnixTime::from_seconds(START - 1)), "the sign-in of the other");
    let bob = Authentication::new("u-bob", UnixTime::from_seconds(START)).username("bob");
    let consent = sent(&approve(&world, &pending, bob));
    let page = visit.get(consent.strip_prefix("https://as.example").unwrap());
    assert!(String::from_utf8_lossy(&page.body).contains("bob"));
}

#[test]
fn no_page_is_shown_where_the_client_wants_none() {
    let world = world();
    let (_, silent) = arrive(&world, &[("prompt", "none")]);
    assert!(silent.is_silent());
    let denied = Reply::from(world.server.deny(silent.clone()).unwrap());
    assert_eq!(parameter(&denied, "error").as_deref(), Some("login_required"));
    assert!(parameter(&approve(&world, &silent, ada(START)), "code").is_some());
    let (_, old) = arrive(&world, &[("prompt", "none"), ("max_age", "60")]);
    assert_eq!(parameter(&approve(&world, &old, ada(START - 61)), "error").as_deref(), Some("login_required"));
    let (_, third) = arrive(&world, &[("prompt", "none"), ("client_id", "market")]);
    assert_eq!(parameter(&approve(&world, &third, ada(START)), "error").as_deref(), Some("consent_required"));
    let (_, loud) = arrive(&world, &[]);
    let denied = Reply::from(world.server.deny(loud).unwrap());
    assert_eq!(parameter(&denied, "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(&denied, "state").as_deref(), Some("a%20b%26c"));
}

#[test]
fn a_client_may_want_a_newer_sign_in_than_the_host_has() {
    let world = world();
    let at = UnixTime::from_seconds;
    for (changes, enough, too_old) in [
        (("prompt", "login"), START, START - 6),
        (("prompt", "select_account"), START, START - 6),
        (("max_age", "60"), START - 60, START - 61),
        (("max_age", "0"), START, START - 6),
    ] {
        let (_, pending) = arrive(&world, &[changes]);
        assert!(!pending.must_login_again(at(enough)), "{changes:?}");
        assert!(pending.must_login_again(at(too_old)), "{changes:?}");
        assert_eq!(approve(&world, &pending, ada(too_old)).status, 500, "{changes:?}");
        assert!(parameter(&approve(&world, &pending, ada(enough)), "code").is_some(), "{changes:?}");
    }
}

#[test]
fn pages_that_need_our_own_sessions_are_off() {
    let world = world();
    for path in ["login", "logout", "applications", "password", "reset"] {
        assert_eq!(world.get_plain(&format!("/auth/{path}")).status, 404, "{path}");
    }
    let reply = world.authorize(&serde_json::Value::Null);
    assert_eq!(reply.outcome(), (400, "unauthorized_client".to_owned()), "no password goes by");
}

#[test]
fn the_page_is_a_path_or_on_the_issuers_own_host() {
    let build = |url: &str| {
        let builder = proofkey_tests::configure(proofkey::Server::builder("https://as.example/auth"));
        builder.store(Rows::default()).login_url(url).build().map(drop).map_err(|misuse| misuse.to_string())
    };
    for good in ["/signin", "/signin?a=b", "https://as.example/signin", "https://as.example:8443/signin"] {
        assert_eq!(build(good), Ok(()), "{good}");
    }
    for bad in ["//evil.example/", "https://evil.example/", "http://as.example/", "/\\evil.example", "signin", "/a b"] {
        assert!(build(bad).unwrap_err().contains("login_url"), "{bad}");
    }
}

#[test]
fn built_in_users_can_sign_in_on_a_page_of_the_host_too() {
    let world = World::with_own_users(Arc::new(Rows::default()), |builder| builder.login_url("/signin"));
    let user = proofkey::User::new("ada");
    let subject = world.server.create_user(user, proofkey::Secret::from(proofkey_tests::PASSWORD)).unwrap();
    let (_, pending) = arrive(&world, &[]);
    let authentication = Authentication::new(subject, UnixTime::from_seconds(START)).username("ada");
    assert!(parameter(&approve(&world, &pending, authentication.clone()), "code").is_some());
    world.server.change_user("ada", UserChange::Disable).unwrap();
    let (_, pending) = arrive(&world, &[]);
    assert_eq!(parameter(&approve(&world, &pending, authentication), "error").as_deref(), Some("access_denied"));
}
