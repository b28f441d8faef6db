//! Starts the example and signs in as a browser does.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::SystemTime;

use ureq::http::Response;
use ureq::{Agent, Body};

#[expect(dead_code, reason = "the test reads its secrets only")]
#[path = "../src/development.rs"]
mod development;
#[path = "../src/totp.rs"]
mod totp;

/// What `development` names.
mod accounts {
    #[expect(dead_code, reason = "made and not read here")]
    pub(crate) struct Account {
        pub(crate) id: &'static str,
        pub(crate) email: &'static str,
        pub(crate) password_hash: &'static str,
        pub(crate) totp_secret: &'static [u8],
        pub(crate) active: bool,
    }
}

/// The example, which ends with the test.
struct Example {
    process: Child,
    issuer: String,
}

impl Example {
    fn start() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_proofkey-example-own-login"));
        let mut process = command.arg("127.0.0.1:0").stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
        let issuer = lines.find_map(|line| line.strip_prefix("listening, issuer ").map(str::to_owned));
        Self { process, issuer: issuer.unwrap() }
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

struct Browser<'a> {
    example: &'a Example,
    agent: Agent,
    cookies: BTreeMap<String, String>,
}

struct Page {
    status: u16,
    location: String,
    policy: String,
    body: String,
}

impl<'a> Browser<'a> {
    fn new(example: &'a Example) -> Self {
        let config = Agent::config_builder().http_status_as_error(false).max_redirects(0).proxy(None);
        Self { example, agent: config.build().into(), cookies: BTreeMap::new() }
    }

    /// Comes with a request of a client, up to the page of the service. Returns its address.
    fn come(&mut self, further: &str) -> String {
        let query = "response_type=code&scope=contacts:read&state=s&code_challenge_method=S256\
                     &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        let page = self.get(&format!("/auth/authorize?{query}&{further}"));
        assert_eq!(page.status, 303);
        page.location
    }

    fn get(&mut self, target: &str) -> Page {
        let request = self.agent.get(self.url(target)).header("cookie", self.cookie());
        let response = request.call().unwrap();
        self.take(response)
    }

    fn post(&mut self, target: &str, fields: &[(&str, &str)]) -> Page {
        let request = self.agent.post(self.url(target)).header("cookie", self.cookie());
        let response = request.header("sec-fetch-site", "same-origin").send_form(fields.iter().copied()).unwrap();
        self.take(response)
    }

    fn url(&self, target: &str) -> String {
        let root = self.example.issuer.strip_suffix("/auth").unwrap();
        if target.starts_with('/') { format!("{root}{target}") } else { target.to_owned() }
    }

    fn cookie(&self) -> String {
        self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    fn take(&mut self, mut response: Response<Body>) -> Page {
        for line in response.headers().get_all("set-cookie") {
            let (pair, _) = line.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let header = |name| response.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        let (location, policy) = (header("location"), header("content-security-policy"));
        Page {
            status: response.status().as_u16(),
            location,
            policy,
            body: response.body_mut().read_to_string().unwrap(),
        }
    }

    /// Signs Ada in at the page of this address, by this code.
    fn sign_in(&mut self, page: &str, code: &str) -> Page {
        let next = self.post(page, &[("email", development::EMAIL), ("password", development::PASSWORD)]);
        assert_eq!(next.status, 303, "{}", next.body);
        self.post(&next.location, &[("code", code)])
    }
}

/// What the app shows now, and what it will show next.
fn codes() -> [String; 2] {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    [0, 1].map(|later| totp::code(development::TOTP_SECRET, totp::step(now) + later))
}

fn parameter<'a>(location: &'a str, name: &str) -> Option<&'a str> {
    location.split(['?', '&']).find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

#[test]
fn a_password_and_a_code_lead_back_to_the_client() {
    let example = Example::start();
    let mut browser = Browser::new(&example);
    let page = browser.come("client_id=crm&login_hint=a%22%3Eda");
    assert!(page.starts_with("/signin?request="), "{page}");
    let shown = browser.get(&page);
    assert!(shown.body.contains("The CRM at crm.example") && shown.body.contains("a&quot;&gt;da"), "{}", shown.body);
    assert!(shown.policy.ends_with("form-action 'self' https://crm.example"), "{}", shown.policy);

    let wrong = browser.post(&page, &[("email", development::EMAIL), ("password", "wrong")]);
    let unknown = browser.post(&page, &[("email", "eve@example.com"), ("password", "wrong")]);
    assert_eq!((wrong.status, &wrong.body), (403, &unknown.body));
    let next = browser.post(&page, &[("email", development::EMAIL), ("password", development::PASSWORD)]);
    assert!(next.location.starts_with("/signin/code?request="), "{}", next.location);
    assert!(browser.get(&page).body.contains("name=\"password\""), "a password alone signs nobody in");
    let half = browser.cookies["example-session"].clone();
    assert_eq!(browser.post(&next.location, &[("code", "12345x")]).status, 403);

    let back = browser.post(&next.location, &[("code", &codes()[0])]);
    assert_ne!(browser.cookies["example-session"], half);
    assert!(back.location.starts_with("https://crm.example/callback?code=pfk_code_"), "{}", back.location);
    let code = parameter(&back.location, "code").unwrap();
    let redemption = [
        ("grant_type", "authorization_code"),
        ("client_id", "crm"),
        ("code", code),
        ("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
    ];
    let tokens: serde_json::Value = serde_json::from_str(&browser.post("/auth/token", &redemption).body).unwrap();
    assert_eq!(tokens["scope"], "contacts:read", "{tokens}");

    // Signed in here, so the next client gets its code at once.
    let page = browser.come("client_id=crm");
    assert!(browser.get(&page).location.starts_with("https://crm.example/callback?code="));
}

#[test]
fn no_code_of_the_app_is_good_twice_and_the_application_of_others_is_agreed_to() {
    let example = Example::start();
    let [code, next] = codes();
    let mut first = Browser::new(&example);
    let page = first.come("client_id=crm");
    assert_eq!(first.sign_in(&page, &code).status, 303);
    let mut second = Browser::new(&example);
    let page = second.come("client_id=partner");
    let replayed = second.sign_in(&page, &code);
    assert_eq!(replayed.status, 403, "{}", replayed.location);
    let consent = second.sign_in(&page, &next);
    assert!(consent.location.contains("/auth/consent?request="), "{}", consent.location);
    assert!(second.get(&consent.location).body.contains("See your contacts"));
}

#[test]
fn a_request_that_another_browser_began_signs_nobody_in() {
    let example = Example::start();
    let page = Browser::new(&example).come("client_id=crm");
    let mut victim = Browser::new(&example);
    let own = victim.come("client_id=crm");
    assert_eq!(victim.get(&page).status, 403);
    let fields = [("email", development::EMAIL), ("password", development::PASSWORD)];
    assert_eq!(victim.post(&page, &fields).status, 403);
    assert_eq!(victim.get(&own).status, 200);
    assert_eq!(victim.get("/signin").status, 403, "nothing to sign in for");
}

#[test]
fn where_no_page_may_be_shown_the_client_is_told_that_nobody_is_signed_in() {
    let example = Example::start();
    let mut browser = Browser::new(&example);
    let page = browser.come("client_id=crm&prompt=none");
    let back = browser.get(&page);
    assert_eq!(parameter(&back.location, "error"), Some("login_required"), "{}", back.location);
}

#[test]
fn after_five_wrong_passwords_the_right_one_does_not_fit_either() {
    let example = Example::start();
    let mut browser = Browser::new(&example);
    let page = browser.come("client_id=crm");
    for _ in 0..5 {
        browser.post(&page, &[("email", development::EMAIL), ("password", "wrong")]);
    }
    let late = browser.post(&page, &[("email", development::EMAIL), ("password", development::PASSWORD)]);
    assert_eq!(late.status, 403);
}
