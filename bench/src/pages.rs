//! A sign-in through the pages, as a person waits for it: the page, the form, the redirect with a code.

use std::hint::black_box;
use std::io;

use bytes::Bytes;
use http::header::{COOKIE, LOCATION, SET_COOKIE};
use proofkey::core::Response;
use proofkey::{Client, Keys, Secret, Server, User};

use crate::measure::{Pairs, Took, micros};
use crate::report::{Report, Row, Target};
use crate::rows::Directory;
use crate::world::{CHALLENGE, form};

const SECTION: &str = "pages";
const ALONE: &str = "a sign-in, beside its password hash";
const WAIT: &str = "a sign-in, beside two seconds";
const PASSWORD: &str = "correct horse battery staple";
/// The default cost of bcrypt.
const COST: u32 = 12;

/// Measures a sign-in at the default cost, on SQLite, each time from a new browser.
pub(crate) fn pages(report: &mut Report, quick: bool) -> io::Result<()> {
    if !report.wants(SECTION, ALONE) && !report.wants(SECTION, WAIT) {
        return Ok(());
    }
    let directory = Directory::new("pages")?;
    let server = Server::builder("http://127.0.0.1:8000/auth")
        .store(directory.store("auth.db"))
        .keys(Keys::generate().expect("the system has random bytes"))
        .scope("read", "Read your things")
        .client(Client::public("web").redirect_uri("https://app.example/cb").first_party())
        .build()
        .expect("the configuration is right");
    server.create_user(User::new("ada"), Secret::from(PASSWORD)).expect("the store is new");
    let (mut alone, mut wait) = (Pairs::default(), Pairs::default());
    for _ in 0..if quick { 1 } else { 12 } {
        let ours = micros(Took::of(|| sign_in(&server)).elapsed);
        let hash = Took::of(|| {
            black_box(bcrypt::bcrypt(COST, [7; 16], PASSWORD.as_bytes()));
        });
        let hash = micros(hash.elapsed);
        alone.push(ours, hash);
        wait.push(ours, 2e6);
    }
    report.add(Row::times(SECTION, ALONE, &alone))?;
    report.add(Row::times(SECTION, WAIT, &wait).with_target(Target::AtMost(1.0)))
}

fn sign_in(server: &Server) {
    let target = format!(
        "/auth/authorize?response_type=code&client_id=web&scope=read&state=s&code_challenge={CHALLENGE}\
         &code_challenge_method=S256&redirect_uri=https%3A%2F%2Fapp.example%2Fcb"
    );
    let page = http::Request::get(target).body(Bytes::new()).expect("a request of constants");
    let page = server.handle(page, None);
    let (sealed, cookie) = (hidden(&page, "request"), cookie(&page));
    let fields = format!("request={sealed}&username=ada&password={}", PASSWORD.replace(' ', "+"));
    let mut posted = form("/auth/login", fields);
    posted.headers_mut().insert(COOKIE, cookie.parse().expect("a cookie is a header's text"));
    let answer = server.handle(posted, None);
    let location = answer.headers().get(LOCATION).and_then(|location| location.to_str().ok()).unwrap_or_default();
    assert!(location.starts_with("https://app.example/cb?code="), "{answer:?}");
}

/// The value of a hidden field.
fn hidden(page: &Response, name: &str) -> String {
    let html = std::str::from_utf8(page.body()).unwrap_or_default();
    let after = html.split_once(&format!("name=\"{name}\" value=\"")).map(|(_, after)| after);
    after.and_then(|after| after.split('"').next()).unwrap_or_else(|| panic!("a field {name}: {html}")).to_owned()
}

fn cookie(page: &Response) -> String {
    let line = page.headers().get(SET_COOKIE).and_then(|line| line.to_str().ok()).unwrap_or_default();
    line.split(';').next().unwrap_or_default().to_owned()
}
