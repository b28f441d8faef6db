//! Cookies (RFC 6265), as far as the pages need them: two names, and the attributes that protect them.
//!
//! Nothing rests on a cookie's path or port, which keep nobody out: a cookie means what is sealed inside it.

use std::time::Duration;

use http::header::{COOKIE, HeaderValue, SET_COOKIE};

use crate::config::{Issuer, Problem};
use crate::reply::Response;
use crate::request::Request;

/// The names and attributes of the cookies of one issuer.
#[derive(Clone, Debug)]
pub(crate) struct Cookies {
    session: Cookie,
    browser: Cookie,
    secure: bool,
}

#[derive(Clone, Debug)]
struct Cookie {
    name: String,
    path: String,
}

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CookieName {
    /// Knows a browser again.
    Browser,
    /// Its sign-in.
    Session,
}

impl Cookies {
    /// `own_login`: the browser's cookie is read by the host's login page too, wherever on this host that is.
    pub(crate) fn new(issuer: &Issuer, named: Option<&str>, own_login: bool) -> Result<Self, Problem> {
        let at_root = issuer.path().is_empty();
        let derived = match (issuer.is_https(), at_root) {
            (false, _) => "proofkey",
            (true, true) => "__Host-proofkey",
            (true, false) => "__Secure-proofkey",
        };
        let name = named.unwrap_or(derived);
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || name.len() > 64 || !name.bytes().all(legal) {
            return Err(Problem::new("cookie_name", "it is a token of up to 64 characters (RFC 6265 section 4.1.1)"));
        }
        if name.starts_with("__Host-") && !(issuer.is_https() && at_root) {
            let text = "__Host- is for an https issuer at the root of its host; use __Secure-, or leave it out";
            return Err(Problem::new("cookie_name", text));
        }
        if name.starts_with("__Secure-") && !issuer.is_https() {
            return Err(Problem::new("cookie_name", "__Secure- is for an https issuer; leave it out"));
        }
        let path = if at_root { "/" } else { issuer.path() };
        let browser_path = if own_login { "/" } else { path };
        Ok(Self {
            session: Cookie { name: name.to_owned(), path: path.to_owned() },
            browser: Cookie { name: format!("{name}-browser"), path: browser_path.to_owned() },
            secure: issuer.is_https(),
        })
    }

    /// Every value of that name, for which of several is ours the order does not tell.
    pub(crate) fn read<'a>(&'a self, request: &'a Request, name: CookieName) -> impl Iterator<Item = &'a str> {
        let name = &self.cookie(name).name;
        let lines = request.http().headers().get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
        let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.filter(move |(one, _)| one == name).map(|(_, value)| value).take(8)
    }

    /// Sets a cookie; for as long as the browser runs, unless there is a `lifetime`.
    pub(crate) fn set(&self, response: &mut Response, name: CookieName, value: &str, lifetime: Option<Duration>) {
        let age = lifetime.map(|lifetime| format!("; Max-Age={}", lifetime.as_secs())).unwrap_or_default();
        self.write(response, name, value, &age);
    }

    /// Makes the browser forget a cookie.
    pub(crate) fn clear(&self, response: &mut Response, name: CookieName) {
        self.write(response, name, "", "; Max-Age=0");
    }

    /// Whether an answer sets that cookie.
    pub(crate) fn sets(&self, response: &Response, name: CookieName) -> bool {
        let name = &self.cookie(name).name;
        let mut lines = response.headers().get_all(SET_COOKIE).iter().filter_map(|line| line.to_str().ok());
        lines.any(|line| line.split_once('=').is_some_and(|(one, _)| one == name))
    }

    fn write(&self, response: &mut Response, name: CookieName, value: &str, age: &str) {
        let Cookie { name, path } = self.cookie(name);
        let secure = if self.secure { "; Secure" } else { "" };
        let line = format!("{name}={value}; Path={path}{secure}; HttpOnly; SameSite=Lax{age}");
        if let Ok(line) = HeaderValue::from_str(&line) {
            response.headers_mut().append(SET_COOKIE, line);
        }
    }

    const fn cookie(&self, name: CookieName) -> &Cookie {
        match name {
            CookieName::Browser => &self.browser,
            CookieName::Session => &self.session,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookies(issuer: &str, named: Option<&str>) -> Result<Cookies, Problem> {
        Cookies::new(&Issuer::parse(Some(issuer), None).unwrap(), named, false)
    }

    #[test]
    fn the_name_follows_from_the_issuer() {
        for (issuer, name, path) in [
            ("https://id.example", "__Host-proofkey", "/"),
            ("https://id.example/auth", "__Secure-proofkey", "/auth"),
            ("http://127.0.0.1:8000/auth", "proofkey", "/auth"),
        ] {
            let cookies = cookies(issuer, None).unwrap();
            assert_eq!((cookies.session.name.as_str(), cookies.session.path.as_str()), (name, path));
        }
        assert!(cookies("https://id.example/auth", Some("__Host-x")).is_err());
        assert!(cookies("http://127.0.0.1", Some("__Secure-x")).is_err());
        assert!(cookies("https://id.example", Some("a b")).is_err());
    }

    #[test]
    fn every_attribute_stands_once() {
        let mut response = crate::reply::empty(http::StatusCode::OK);
        let cookies = cookies("https://id.example/auth", None).unwrap();
        cookies.set(&mut response, CookieName::Session, "v", None);
        cookies.set(&mut response, CookieName::Browser, "w", Some(Duration::from_secs(60)));
        let lines: Vec<_> = response.headers().get_all(SET_COOKIE).iter().map(|line| line.to_str().unwrap()).collect();
        assert_eq!(
            lines,
            [
                "__Secure-proofkey=v; Path=/auth; Secure; HttpOnly; SameSite=Lax",
                "__Secure-proofkey-browser=w; Path=/auth; Secure; HttpOnly; SameSite=Lax; Max-Age=60",
            ]
        );
    }
}
