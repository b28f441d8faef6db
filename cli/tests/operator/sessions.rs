//! `proofkey sessions`: where somebody is signed in, and its end, from outside the running server.

use crate::client::{Answer, FORM, PASSWORD, add_ada, form, get, post};
use crate::place::{Place, Served};

const WHOSE: [&str; 2] = ["--user", "ada@example.com"];
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// A browser in which Ada has signed in by the pages.
struct Browser<'a> {
    server: &'a Served,
    cookies: String,
    code: String,
}

fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").unwrap_or_else(|| panic!("{answer:?}")).split(';').next().unwrap().to_owned()
}

fn authorize(server: &Served, cookies: &str) -> Answer {
    let query = format!("client_id=web&code_challenge={CHALLENGE}&code_challenge_method=S256&scope=contacts:read");
    get(server.address, &format!("/authorize?response_type=code&{query}"), &[&format!("Cookie: {cookies}")])
}

impl<'a> Browser<'a> {
    fn sign_in(server: &'a Served) -> Self {
        let page = authorize(server, "none=");
        let browser = cookie(&page);
        let (_, after) = page.body.split_once("name=\"request\" value=\"").unwrap();
        let sealed = after.split('"').next().unwrap();
        let body = format!("request={sealed}&username=ada%40example.com&password={}", PASSWORD.replace(' ', "+"));
        let back = post(server.address, "/login", &[FORM, &format!("Cookie: {browser}")], &body);
        let location = back.header("location").unwrap_or_else(|| panic!("{back:?}"));
        let (_, code) = location.split_once("code=").unwrap();
        let code = code.split('&').next().unwrap().to_owned();
        Self { server, cookies: format!("{browser}; {}", cookie(&back)), code }
    }

    /// Whether the server lets this browser pass without a sign-in.
    fn is_signed_in(&self) -> bool {
        let answer = authorize(self.server, &self.cookies);
        answer.header("location").is_some_and(|location| location.contains("?code="))
    }

    fn access_token(&self) -> String {
        let body = format!("grant_type=authorization_code&client_id=web&code={}&code_verifier={VERIFIER}", self.code);
        form(self.server.address, "/token", &body).text("access_token")
    }
}

fn listed(place: &Place) -> Vec<String> {
    let list = place.run(&[&["sessions", "list", "--json"], &WHOSE[..]].concat()).succeeded().json();
    list.as_array().unwrap().iter().map(|session| session["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn one_session_is_ended_with_its_grants_and_the_others_live_on() {
    let place = Place::ready("sessions-one");
    add_ada(&place);
    let server = place.serve(&[]);
    assert!(listed(&place).is_empty());
    let first = Browser::sign_in(&server);
    let [id] = &listed(&place)[..] else { panic!("one session") };
    let second = Browser::sign_in(&server);
    let (one, two) = (first.access_token(), second.access_token());
    assert_eq!(listed(&place).len(), 2);
    let text = place.run(&[&["sessions", "list"], &WHOSE[..]].concat()).succeeded().stdout;
    assert!(text.lines().any(|line| line.starts_with(&format!("{id} since 20"))), "{text}");

    let end = [&["sessions", "end", id, "--json"], &WHOSE[..]].concat();
    assert_eq!(place.run(&end).succeeded().json()["sessions_ended"], 1);
    assert!(!first.is_signed_in() && second.is_signed_in());
    let works = |token: &str| get(server.address, "/userinfo", &[&format!("Authorization: Bearer {token}")]).status;
    assert_eq!((works(&one), works(&two)), (401, 200));
    assert_eq!(place.run(&end).code, 1, "there is nothing left to end");
}

#[test]
fn all_sessions_of_a_user_end_but_only_when_all_are_meant() {
    let place = Place::ready("sessions-all");
    add_ada(&place);
    let server = place.serve(&[]);
    let browsers = [Browser::sign_in(&server), Browser::sign_in(&server)];
    let end = [&["sessions", "end"], &WHOSE[..]].concat();
    assert_eq!(place.run(&end).code, 2, "without --all");
    assert_eq!(place.run(&["sessions", "end", "--all"]).code, 2, "whose?");
    assert_eq!(place.run(&[&end[..], &["--all", "x"]].concat()).code, 2, "one or all?");
    assert!(browsers.iter().all(Browser::is_signed_in));
    let run = place.run(&[&end[..], &["--all"]].concat()).succeeded();
    assert_eq!(run.stdout.trim(), "2 sessions ended");
    assert!(!browsers.iter().any(Browser::is_signed_in));
    let text = place.run(&[&["sessions", "list"], &WHOSE[..]].concat()).succeeded().stdout;
    assert_eq!(text.trim(), "signed in nowhere");
    assert_eq!(place.run(&["sessions", "list", "--user", "nobody"]).code, 1);
}
