//! What a browser asks: a link that it follows or a form that it sends, with the cookies that it has.

use std::fmt;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, COOKIE};
use proofkey_core::Request;

use crate::call::{Operation, Set, words};
use crate::house::{AT_HOME, CLIENTS, Houses, PASSWORD, SCOPES, SESSION_COOKIE};
use crate::wallet::{Paper, Wallet};

/// A request of a browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Visit {
    pub(crate) cookies: Cookies,
    pub(crate) errand: Errand,
}

/// What it keeps for the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cookies {
    /// The one that knows the browser again.
    pub(crate) browser: Option<Paper>,
    /// That of a sign-in.
    pub(crate) session: Option<Paper>,
}

/// What it is out for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Errand {
    /// Sends the form in which somebody lets a client have what it asks for, or does not.
    Decide { request: Paper, form: Paper, allow: bool },
    /// Sends the form that ends one of the user's sign-ins.
    EndSession { form: Paper, session: Paper },
    /// Sends the form that signs the user out everywhere.
    Everywhere { form: Paper },
    /// Sends the form that signs this browser out.
    LogOut { form: Paper },
    /// Opens the page that shows what has access.
    SeeAccess,
    /// Opens the page that asks for consent.
    SeeConsent { request: Paper },
    /// Opens the page that signs this browser out.
    SeeLogOut,
    /// Sends the form in which people sign in.
    SignIn { request: Paper, user: usize, password: bool },
    /// Comes from a client, which names the redirect URI of some client or one that nobody registered.
    Start { wanted: Wanted, redirect: Option<usize> },
    /// Sends the form that takes a client's access back.
    Withdraw { form: Paper, client: usize },
}

/// What a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) client: usize,
    pub(crate) pair: usize,
    pub(crate) scope: Set,
    pub(crate) prompt: Prompt,
}

/// What it insists on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prompt {
    Any,
    /// A new sign-in.
    Login,
    /// No page.
    None,
}

impl Errand {
    pub(crate) const fn operation(self) -> Operation {
        match self {
            Self::Decide { .. } => Operation::Consent,
            Self::EndSession { .. } => Operation::EndSession,
            Self::Everywhere { .. } => Operation::Everywhere,
            Self::LogOut { .. } => Operation::LogOut,
            Self::SeeAccess | Self::SeeConsent { .. } | Self::SeeLogOut => Operation::Look,
            Self::SignIn { .. } => Operation::SignIn,
            Self::Start { .. } => Operation::Start,
            Self::Withdraw { .. } => Operation::Withdraw,
        }
    }
}

impl Visit {
    pub(crate) fn request(&self, houses: &Houses, wallet: &Wallet) -> Request {
        let text = |paper: Paper| wallet.text(paper);
        match self.errand {
            Errand::Decide { request, form, allow } => {
                let decision = if allow { "allow" } else { "deny" };
                let fields = [("request", text(request)), ("form_token", text(form)), ("decision", decision)];
                self.post("/auth/consent", &fields, wallet)
            }
            Errand::EndSession { form, session } => self.act(form, "end_session", ("session", text(session)), wallet),
            Errand::Everywhere { form } => self.act(form, "sign_out_everywhere", ("", ""), wallet),
            Errand::LogOut { form } => self.post("/auth/logout", &[("form_token", text(form))], wallet),
            Errand::SeeAccess => self.get("/auth/applications", wallet),
            Errand::SeeConsent { request } => self.get(&format!("/auth/consent?request={}", text(request)), wallet),
            Errand::SeeLogOut => self.get("/auth/logout", wallet),
            Errand::SignIn { request, user, password } => {
                let name = format!("user{user}");
                let password = if password { encoded(PASSWORD) } else { "guessed".to_owned() };
                let fields = [("request", text(request)), ("username", &name), ("password", &password)];
                self.post("/auth/login", &fields, wallet)
            }
            Errand::Start { wanted, redirect } => {
                let uri = redirect.map_or("https%3A%2F%2Fevil.example%2F", |client| CLIENTS[client].redirect_encoded);
                let path = format!(
                    "/auth/authorize?response_type=code&client_id={}&redirect_uri={uri}&code_challenge={}\
                     &code_challenge_method=S256&scope={}&state={}{}",
                    CLIENTS[wanted.client].client_id,
                    houses.pairs[wanted.pair].1,
                    words(wanted.scope, &SCOPES).replace(' ', "+"),
                    encoded(&state(wanted.pair)),
                    match wanted.prompt {
                        Prompt::Any => "",
                        Prompt::Login => "&prompt=login",
                        Prompt::None => "&prompt=none",
                    }
                );
                self.get(&path, wallet)
            }
            Errand::Withdraw { form, client } => {
                self.act(form, "withdraw", ("client_id", CLIENTS[client].client_id), wallet)
            }
        }
    }

    /// A form of the page that shows what has access.
    fn act(&self, form: Paper, action: &str, (name, value): (&str, &str), wallet: &Wallet) -> Request {
        let fields = [("form_token", wallet.text(form)), ("action", action), (name, value)];
        self.post("/auth/applications", &fields[..if name.is_empty() { 2 } else { 3 }], wallet)
    }

    fn get(&self, path: &str, wallet: &Wallet) -> Request {
        self.send(http::Request::get(path).header("sec-fetch-site", "cross-site"), String::new(), wallet)
    }

    /// The values need no encoding, or have it.
    fn post(&self, path: &str, fields: &[(&str, &str)], wallet: &Wallet) -> Request {
        let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = http::Request::post(path).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.header("sec-fetch-site", "same-origin"), fields.join("&"), wallet)
    }

    fn send(&self, request: http::request::Builder, body: String, wallet: &Wallet) -> Request {
        let Cookies { browser, session } = self.cookies;
        let session = session.map(|paper| format!("{SESSION_COOKIE}={}", wallet.text(paper)));
        let browser = browser.map(|paper| format!("{SESSION_COOKIE}-browser={}", wallet.text(paper)));
        let cookies: Vec<String> = session.into_iter().chain(browser).collect();
        let request = if cookies.is_empty() { request } else { request.header(COOKIE, cookies.join("; ")) };
        Request::new(request.body(Bytes::from(body)).unwrap_or_default(), Some(AT_HOME))
    }
}

/// The `state` of a request, with characters that do not stand in a URI.
pub(crate) fn state(pair: usize) -> String {
    format!("{pair} &=+%\u{e9}")
}

/// Percent-encodes all but letters and digits.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            encoded.push(char::from(byte));
        } else {
            encoded += &format!("%{byte:02X}");
        }
    }
    encoded
}

impl fmt::Display for Errand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decide { request, form, allow } => {
                write!(f, "{} {request} with {form}", if *allow { "allow" } else { "deny" })
            }
            Self::EndSession { form, session } => write!(f, "end {session} with {form}"),
            Self::Everywhere { form } => write!(f, "sign out everywhere with {form}"),
            Self::LogOut { form } => write!(f, "log out with {form}"),
            Self::SeeAccess => f.write_str("see what has access"),
            Self::SeeConsent { request } => write!(f, "see the consent page of {request}"),
            Self::SeeLogOut => f.write_str("see the page that logs out"),
            Self::SignIn { request, user, password } => {
                write!(f, "sign user{user} in for {request}{}", if *password { "" } else { ", wrong password" })
            }
            Self::Start { wanted, redirect } => {
                let Wanted { client, scope, prompt, .. } = wanted;
                write!(f, "start for {}, scope \"{}\"", CLIENTS[*client].client_id, words(*scope, &SCOPES))?;
                match redirect {
                    Some(other) if other == client => {}
                    Some(other) => write!(f, ", redirect URI of {}", CLIENTS[*other].client_id)?,
                    None => f.write_str(", redirect URI of nobody")?,
                }
                f.write_str(match prompt {
                    Prompt::Any => "",
                    Prompt::Login => ", prompt login",
                    Prompt::None => ", prompt none",
                })
            }
            Self::Withdraw { form, client } => {
                write!(f, "withdraw the access of {} with {form}", CLIENTS[*client].client_id)
            }
        }
    }
}

impl fmt::Display for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Cookies { browser, session } = self.cookies;
        f.write_str("a browser")?;
        let mut between = " with";
        for cookie in browser.into_iter().chain(session) {
            write!(f, "{between} {cookie}")?;
            between = " and";
        }
        write!(f, ": {}", self.errand)
    }
}
