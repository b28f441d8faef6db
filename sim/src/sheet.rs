//! What a server answered to a browser: the page it shows, where it leads, and the cookies that it sets.

use std::fmt;

use http::StatusCode;
use http::header::{CACHE_CONTROL, LOCATION, SET_COOKIE};
use proofkey_core::Response;

use crate::answer::{Answer, Body};
use crate::call::{Set, set_of};
use crate::house::{CLIENTS, ISSUER, SESSION_COOKIE};
use crate::visit::state;
use crate::wallet::{Kind, Paper, Wallet};

/// Sign-ins beside the browser's own that anybody looks at.
const OTHERS: usize = 3;

/// An answer to a browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sheet {
    pub(crate) page: Page,
    pub(crate) session: Change,
    /// The new cookie that knows the browser again.
    pub(crate) browser: Option<Paper>,
    /// Who is signed in, as the page says.
    pub(crate) user: Option<usize>,
}

/// What becomes of the cookie of a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Cleared,
    Kept,
    Set(Paper),
}

/// What the browser sees, or where it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Page {
    /// What has access, and the user's other sign-ins.
    Access {
        form: Paper,
        clients: Set,
        others: [Option<Paper>; OTHERS],
    },
    /// Back to a client with a code, and whether it was seen before.
    Code {
        client: usize,
        pair: usize,
        code: Paper,
        seen: bool,
    },
    Consent {
        request: Paper,
        form: Paper,
    },
    /// Back to a client with an error.
    Denied {
        client: usize,
        pair: usize,
    },
    /// To the page that shows what has access.
    Done,
    LogOut {
        form: Paper,
    },
    /// A text without a form that says that something is wrong.
    Problem,
    SignIn {
        request: Paper,
    },
    SignedOut,
    /// To the page that asks for consent.
    ToConsent {
        request: Paper,
    },
}

/// Reads the answer to a browser.
pub(crate) fn read(response: &Response, wallet: &mut Wallet) -> Answer {
    let status = response.status();
    let mut answer = Answer { status: status.as_u16(), error: String::new(), body: Body::None, fault: None };
    let page = if status == StatusCode::SEE_OTHER {
        answer.status = 200;
        led(response, &mut answer, wallet)
    } else {
        shown(response, wallet)
    };
    if answer.status == 503 {
        "temporarily_unavailable".clone_into(&mut answer.error);
    }
    match page.and_then(|(page, user)| {
        if response.headers().get(CACHE_CONTROL).is_none_or(|value| value != "no-store") {
            return Err("I25: a cache may keep the page");
        }
        let (session, browser) = cookies(response, wallet)?;
        Ok(Sheet { page, session, browser, user })
    }) {
        Ok(sheet) => answer.body = Body::Sheet(sheet),
        Err(fault) => answer.fault = Some(fault),
    }
    answer
}

type Read<T> = Result<T, &'static str>;

/// Where a redirect leads.
fn led(response: &Response, answer: &mut Answer, wallet: &mut Wallet) -> Read<(Page, Option<usize>)> {
    let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let location = location.ok_or("I24: a redirect to nowhere")?;
    if let Some(own) = location.strip_prefix(ISSUER) {
        let page = match own.split_once("?request=") {
            Some(("/consent", sealed)) => Page::ToConsent { request: wallet.note(Kind::Request, sealed).0 },
            _ if own.starts_with("/applications") => Page::Done,
            _ => return Err("I23: a redirect to an unknown page"),
        };
        return Ok((page, None));
    }
    let (uri, query) = location.split_once('?').unwrap_or((location, ""));
    let client = CLIENTS.iter().position(|client| client.redirect_uri == uri);
    let client = client.ok_or("I23: a redirect to a URI that no client registered")?;
    let pairs: Vec<(&str, String)> =
        query.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, value)| (name, decoded(value))).collect();
    let value = |name: &str| pairs.iter().find(|(one, _)| *one == name).map(|(_, value)| value.as_str());
    let pair = value("state").and_then(|text| {
        let pair = text.split(' ').next()?.parse().ok()?;
        (state(pair) == text).then_some(pair)
    });
    let (Some(pair), Some(ISSUER)) = (pair, value("iss")) else {
        return Err("I25: state or iss do not come back exactly");
    };
    let page = match (value("code"), value("error")) {
        (Some(code), None) if pairs.len() == 3 => {
            let (code, seen) = wallet.note(Kind::Code, code);
            Page::Code { client, pair, code, seen }
        }
        (None, Some(error)) => {
            answer.status = if error == "temporarily_unavailable" { 503 } else { 400 };
            error.clone_into(&mut answer.error);
            Page::Denied { client, pair }
        }
        _ => return Err("I24: a redirect without the parameters of its RFC"),
    };
    Ok((page, None))
}

/// What a page shows.
fn shown(response: &Response, wallet: &mut Wallet) -> Read<(Page, Option<usize>)> {
    let html = std::str::from_utf8(response.body()).map_err(|_| "I24: a page that is no text")?;
    let main = html.split_once("<main").ok_or("I24: a page without its content")?.1;
    let user = between(main, "<bdi>user", "<").and_then(|number| number.parse().ok());
    let Some(action) = between(main, "action=\"/auth/", "\"") else {
        let page = if response.status() == StatusCode::OK { Page::SignedOut } else { Page::Problem };
        return Ok((page, user));
    };
    let mut hidden = |name: &str, kind| {
        let value = between(main, &format!("name=\"{name}\" value=\""), "\"");
        value.map(|value| wallet.note(kind, value).0).ok_or("I24: a form without its hidden fields")
    };
    let page = match action {
        "applications" => {
            let form = hidden("form_token", Kind::Form)?;
            let clients = all_between(main, "name=\"client_id\" value=\"");
            let clients = set_of(clients, &CLIENTS.map(|client| client.client_id)).ok_or("I24: an unknown client")?;
            let mut others = [None; OTHERS];
            for (other, key) in others.iter_mut().zip(all_between(main, "name=\"session\" value=\"")) {
                *other = Some(wallet.note(Kind::SignIn, key).0);
            }
            Page::Access { form, clients, others }
        }
        "consent" => {
            Page::Consent { request: hidden("request", Kind::Request)?, form: hidden("form_token", Kind::Form)? }
        }
        "login" => Page::SignIn { request: hidden("request", Kind::Request)? },
        "logout" => Page::LogOut { form: hidden("form_token", Kind::Form)? },
        _ => return Err("I24: a form that leads elsewhere"),
    };
    Ok((page, user))
}

fn cookies(response: &Response, wallet: &mut Wallet) -> Read<(Change, Option<Paper>)> {
    let (mut session, mut browser) = (Change::Kept, None);
    for line in response.headers().get_all(SET_COOKIE) {
        let line = line.to_str().map_err(|_| "I24: a cookie that is no text")?;
        let (name, rest) = line.split_once('=').unwrap_or((line, ""));
        let (value, attributes) = rest.split_once(';').unwrap_or((rest, ""));
        if !attributes.starts_with(" Path=/auth; Secure; HttpOnly; SameSite=Lax") {
            return Err("I20: a cookie that others may read");
        }
        match name.strip_prefix(SESSION_COOKIE) {
            Some("") if value.is_empty() => session = Change::Cleared,
            Some("") => session = Change::Set(wallet.note(Kind::Cookie, value).0),
            Some("-browser") => browser = Some(wallet.note(Kind::Browser, value).0),
            _ => return Err("I24: an unknown cookie"),
        }
    }
    Ok((session, browser))
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.split_once(before)?.1.split(after).next()
}

fn all_between<'a>(text: &'a str, before: &'static str) -> impl Iterator<Item = &'a str> {
    text.split(before).skip(1).filter_map(|rest| rest.split('"').next())
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        let byte = match (first, tail) {
            (b'%', [high, low, tail @ ..]) => {
                rest = tail;
                let digits = [*high, *low];
                let digits = std::str::from_utf8(&digits).ok();
                digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).unwrap_or(b'?')
            }
            _ => *first,
        };
        bytes.push(byte);
    }
    String::from_utf8(bytes).unwrap_or_default()
}

impl fmt::Display for Sheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.page {
            Page::Access { form, clients, others } => {
                write!(f, "the page of what has access, with {form}:")?;
                let clients = (0..CLIENTS.len()).filter(|client| clients >> client & 1 == 1);
                clients.into_iter().try_for_each(|client| write!(f, " {}", CLIENTS[client].client_id))?;
                others.iter().flatten().try_for_each(|other| write!(f, " {other}"))?;
            }
            Page::Code { client, code, .. } => write!(f, "{code} for {}", CLIENTS[client].client_id)?,
            Page::Consent { request, form } => write!(f, "the consent page of {request}, with {form}")?,
            Page::Denied { client, .. } => write!(f, "to {}", CLIENTS[client].client_id)?,
            Page::Done => f.write_str("done")?,
            Page::LogOut { form } => write!(f, "the page that logs out, with {form}")?,
            Page::Problem => f.write_str("a problem")?,
            Page::SignIn { request } => write!(f, "the page to sign in, with {request}")?,
            Page::SignedOut => f.write_str("signed out")?,
            Page::ToConsent { request } => write!(f, "to the consent page of {request}")?,
        }
        match self.session {
            Change::Cleared => f.write_str(", and forget the sign-in")?,
            Change::Kept => {}
            Change::Set(cookie) => write!(f, ", and keep {cookie}")?,
        }
        self.browser.map_or(Ok(()), |cookie| write!(f, ", and keep {cookie}"))
    }
}

#[cfg(test)]
mod tests {
    use super::{all_between, between, decoded};

    #[test]
    fn what_a_page_hides_is_found() {
        let html = "<main><form action=\"/auth/x\"><input name=\"a\" value=\"1\"><input name=\"a\" value=\"2\">";
        assert_eq!(between(html, "action=\"/auth/", "\""), Some("x"));
        assert_eq!(all_between(html, "name=\"a\" value=\"").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(between(html, "name=\"b\" value=\"", "\""), None);
        assert_eq!(decoded("a%20%C3%A9%"), "a \u{e9}%");
    }
}
