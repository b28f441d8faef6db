//! Texts of others on pages: names of clients, of users and of the server, texts of scopes and of languages, hints. In
//! whatever of them stands, a page holds only our own elements.

use proofkey_core::Step;
use proofkey_core::{
    Client, Config, Core, Entropy, KeyRing, Pages, Request, ScopeText, Secret, SessionKeys, Settings, Texts, UnixTime,
    User, UserAnswer, UserQuestion, UserSource,
};
use proofkey_tests::{
    KEY, PASSWORD, People, REDIRECT_URI, Reply, Rows, START, answer, assert_well_formed, authorize_path, encode,
};

use crate::html::assert_page;

const PARTS: usize = 8;

pub(super) fn target(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut parts = text.splitn(PARTS, '\u{1}');
    let mut part = || parts.next().unwrap_or_default();
    let [client_name, page_name, scope, username, tag, id, translation, hint] =
        [part(), part(), part(), part(), part(), part(), part(), part()];
    let Some(core) = core(client_name, page_name, scope, (tag, id, translation)) else { return };
    let path = authorize_path(&[("scope", "read write"), ("login_hint", hint), ("ui_locales", tag), ("state", hint)]);
    let mut visitor = Visitor { core: &core, rows: Rows::default(), username, cookies: String::new() };
    let sign_in = visitor.send("GET", &path, tag, "");
    if sign_in.status != 200 || !sign_in.html().contains("name=\"request\"") {
        return; // the hint was no parameter
    }
    let request = sign_in.form().field("request").to_owned();
    let wrong = [("request", &*request), ("username", username), ("password", "wrong")];
    visitor.send("POST", "/auth/login", tag, &encode(&wrong));
    let right = [("request", &*request), ("username", "x"), ("password", PASSWORD)];
    let signed_in = visitor.send("POST", "/auth/login", tag, &encode(&right));
    let location = signed_in.header("location").strip_prefix("https://as.example").unwrap_or_default().to_owned();
    if signed_in.status != 303 || !location.starts_with("/auth/consent") {
        return; // a subject that no host may give
    }
    let consent = visitor.send("GET", &location, tag, "");
    assert_eq!(consent.status, 200, "{consent:?}");
    for path in ["/auth/applications", "/auth/logout", "/auth/login?x=<i9>", "/auth/consent?request=\u{22}"] {
        visitor.send("GET", path, tag, "");
    }
}

fn core(client_name: &str, page_name: &str, scope: &str, language: (&str, &str, &str)) -> Option<Core> {
    let mut settings = Settings::new();
    settings.set("issuer", "https://as.example/auth").ok()?;
    settings.set("page_name", page_name).ok()?;
    settings.password_cost_for_tests(4);
    settings.scope("read", ScopeText::new("read", scope));
    settings.scope("write", ScopeText::new("write", "Change things"));
    let mut pages = Pages::default();
    pages.session_keys = SessionKeys::parse(&Secret::from(KEY)).ok();
    let (tag, id, translation) = language;
    match Texts::read(tag, [(id.to_owned(), translation.to_owned())]) {
        Ok(texts) => {
            assert_eq!(texts.lang(), tag);
            pages.texts.push(texts);
        }
        Err(problems) => assert!(!problems.is_empty()),
    }
    let client = Client::public("web").name(client_name).redirect_uri(REDIRECT_URI);
    let ring = KeyRing::parse(&Secret::from(KEY)).ok()?;
    Config::new(settings, ring, UserSource::Authenticate, [client], pages).ok().map(Core::new)
}

struct Visitor<'a> {
    core: &'a Core,
    rows: Rows,
    username: &'a str,
    cookies: String,
}

impl Visitor<'_> {
    fn send(&mut self, method: &str, path: &str, languages: &str, body: &str) -> Reply {
        let mut request =
            http::Request::builder().method(method).uri(path.parse().unwrap_or_else(|_| http::Uri::from_static("/")));
        request = request.header("content-type", "application/x-www-form-urlencoded");
        if let Ok(languages) = http::HeaderValue::from_bytes(languages.as_bytes()) {
            request = request.header("accept-language", languages);
        }
        if !self.cookies.is_empty() {
            request = request.header("cookie", &self.cookies);
        }
        let request = request.body(body.to_owned().into()).unwrap_or_else(|error| panic!("{error}"));
        let (now, entropy) =
            (UnixTime::from_seconds(START), Entropy::from_seed(u64::try_from(self.cookies.len()).unwrap_or(0)));
        let mut step = self.core.begin(Request::new(request, None), now, entropy);
        let people = People::default();
        let reply: Reply = loop {
            step = match step {
                Step::Done(reply) => break reply.into_value().into(),
                Step::User(user) => {
                    let known = match user.question() {
                        UserQuestion::Authenticate { password, .. } => password.expose() == PASSWORD.as_bytes(),
                        _ => true,
                    };
                    let person = User::new("u").with_username(self.username);
                    user.answer(Ok(if known { UserAnswer::Found(person) } else { UserAnswer::Absent }))
                }
                other => answer(&self.rows, &people, other, proofkey_tests::Fault::None),
            };
        };
        for line in reply.headers.get_all("set-cookie").iter().filter_map(|line| line.to_str().ok()) {
            let pair = line.split(';').next().unwrap_or_default();
            let name = pair.split('=').next().unwrap_or_default();
            let kept = self.cookies.split("; ").filter(|one| !one.is_empty() && one.split('=').next() != Some(name));
            self.cookies = kept.chain([pair]).collect::<Vec<_>>().join("; ");
        }
        assert!(reply.status.as_u16() < 500, "{reply:?}");
        // Long names make long pages; how long is a test's of ordinary ones.
        if reply.body.len() <= 10 * 1024 {
            assert_well_formed(&reply, path);
        }
        if reply.header("content-type").starts_with("text/html") {
            assert_page(&reply.html());
        }
        reply
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    super::texts(&[
        "Shop\u{1}Our server\u{1}Read your things\u{1}Ada L.\u{1}fr\u{1}sign_in_title\u{1}Connexion\u{1}ada@example.com",
        "<i9 x=\"&'>\u{1}\"><script>\u{1}&lt;b&gt;\u{1}'\"><img src=x onerror=y>\u{1}pt-BR\u{1}sign_in_for\u{1}<b>{client}</b>\u{1}\"&<",
        "\u{202e}evil\u{1}a\u{1}b\nc\u{1}\u{7}\u{1}ar-Arab\u{1}signed_in_as\u{1}{username} {username}\u{1}\u{0}",
        "a\u{1}\u{1}\u{1}\u{1}x\u{1}y\u{1}{\u{1}z",
    ])
}
