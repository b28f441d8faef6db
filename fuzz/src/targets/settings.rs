//! Settings as texts: what is taken is told again in the same words, and a configuration that is accepted answers.

use std::time::Duration;

use proofkey_core::{
    Config, Core, Entropy, KeyRing, Pages, Request, SETTINGS, Secret, SessionKeys, Settings, Step, UnixTime,
    UserSource, setting_text,
};
use proofkey_tests::{KEY, Reply, START, assert_well_formed};

use crate::html::assert_page;

pub(super) fn target(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut settings = Settings::new();
    for line in text.split('\n').take(48) {
        let (name, value) = line.split_once('=').unwrap_or((line, ""));
        match settings.set(name, value) {
            Ok(()) => assert_told(&mut settings, name),
            Err(problem) => assert!(!problem.text().is_empty() && problem.setting() == name),
        }
        if let Some(alias) = SETTINGS.iter().filter_map(|one| one.alias()).find(|one| one.variable() == name) {
            let _ = alias.translate(value);
        }
    }
    assert_texts(text.lines().next().unwrap_or_default());
    let ring = KeyRing::parse(&Secret::from(KEY)).unwrap_or_else(|error| panic!("{error}"));
    let mut pages = Pages::default();
    pages.session_keys = SessionKeys::parse(&Secret::from(KEY)).ok();
    match Config::new(settings, ring, UserSource::BuiltIn, [], pages) {
        Ok(config) => assert_answers(config),
        Err(misuse) => assert!(!misuse.problems().is_empty()),
    }
}

/// What was taken is told again, and what is told is taken.
fn assert_told(settings: &mut Settings, name: &str) {
    let told = settings.text(name).unwrap_or_else(|| panic!("{name} is told"));
    if told.is_empty() && settings.clone().set(name, "").is_err() {
        return; // not set
    }
    settings.set(name, &told).unwrap_or_else(|problem| panic!("what is told is taken: {problem}"));
    assert_eq!(settings.text(name).as_deref(), Some(&*told), "{name} in the same words");
}

fn assert_texts(text: &str) {
    if let Some(span) = setting_text::span(text) {
        let told = setting_text::span_text(span);
        let again = setting_text::span(&told).unwrap_or_else(|| panic!("{told:?} is a span"));
        let apart = again.as_secs_f64() - span.as_secs_f64();
        assert!(apart.abs() <= 1.0 && setting_text::span_text(again) == told, "{text:?} is {span:?} is {told:?}");
    }
    if let Some(size) = setting_text::size(text) {
        assert_eq!(setting_text::size(&size.to_string()), Some(size));
    }
}

fn assert_answers(config: Config) {
    let issuer = config.issuer().to_owned();
    let paths = config.paths();
    let _ = config.warnings();
    let core = Core::new(config);
    let scheme = issuer.split("://").next().unwrap_or_default();
    assert!(["https", "http"].iter().any(|known| scheme.eq_ignore_ascii_case(known)), "{issuer}");
    for path in &paths {
        assert!(path.starts_with('/') && path.is_ascii(), "{path}");
        let uri = path.parse().unwrap_or_else(|error| panic!("{path} is no path: {error}"));
        let mut request = http::Request::new(bytes::Bytes::new());
        *request.uri_mut() = uri;
        let step = core.begin(Request::new(request, None), UnixTime::from_seconds(START), Entropy::from_seed(1));
        let reply = alone(step);
        for (name, value) in &reply.headers {
            assert!(value.as_bytes().iter().all(|byte| (0x20..=0x7e).contains(byte)), "{name}: {value:?}");
        }
        assert_cookies(&reply);
        assert_ne!(reply.status, 404, "{path} is routed");
        assert_well_formed(&reply, path);
        if reply.header("content-type").starts_with("text/html") {
            assert_page(&reply.html());
        }
        if path.starts_with("/.well-known/oauth-authorization-server") && reply.status == 200 {
            assert_eq!(reply.text("issuer"), issuer, "RFC 8414 section 3.3");
        }
    }
}

/// RFC 6265 section 4.1.1: nothing of a setting becomes an attribute of its own.
fn assert_cookies(reply: &Reply) {
    for line in reply.headers.get_all("set-cookie").iter().filter_map(|line| line.to_str().ok()) {
        for attribute in line.split(';').skip(1).map(str::trim) {
            let (name, _) = attribute.split_once('=').unwrap_or((attribute, ""));
            assert!(["HttpOnly", "Max-Age", "Path", "SameSite", "Secure"].contains(&name), "{line}");
        }
    }
}

/// The answer over an empty store.
fn alone(mut step: Step) -> Reply {
    loop {
        step = match step {
            Step::Done(reply) => return reply.into_value().into(),
            Step::Find(find) => find.answer(Ok(Vec::new())),
            Step::Get(get) => get.answer(Ok(None)),
            Step::Put(put) => put.answer(Ok(true)),
            other => other.decline(),
        };
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = super::texts(&[
        "issuer=https://as.example/auth\nscopes=read write\ndefault_scope=read",
        "issuer=https://as.example:8443\nmounted_at=/x/\npage_name=Shop & <Sons>\npage_colour=#aabbcc\ncookie_name=__Host-x",
        "issuer=http://127.0.0.1:8000/auth\nlogin_url=/signin?a=b\npage_language=de\npage_logo=https://as.example/l.png",
        "issuer=https://[::1]/a/b\nkey_prefix=tenant\nendpoints=token revoke\ntrusted_proxies=10.0.0.0/8,::1\nmax_body=64 KiB",
        "issuer=https://as.example/\nlimit_user=10/15m\nlimit_address=off\nreuse_leeway=0\nstore_timeout=0.5\nwork_limit=cores",
        "15m\nissuer=https://as.example//a",
        "0.1234567s",
        "64 KiB",
        "page_colour=red\nissuer=https://a:99999/",
        "issuer=https://as.example/a;Domain=b",
        "issuer=https://as.example/a\nmounted_at=/\u{e9}",
        "issuer=https://as.example/a\nmounted_at=/\u{1}",
        "issuer=https://as.example/a\nmounted_at=//b",
        "issuer=HTTPS://AS.example/Auth\npage_logo=/logo.svg",
    ]);
    let defaults: Vec<String> =
        SETTINGS.iter().map(|setting| format!("{}={}", setting.name(), setting.default_text())).collect();
    seeds.push(defaults.join("\n").into_bytes());
    let lifetimes = Duration::from_secs(86_400).as_secs();
    seeds.push(format!("code_lifetime=60\naccess_token_lifetime={lifetimes}\nsession_lifetime=1d").into_bytes());
    seeds
}
