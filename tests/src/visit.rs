//! One browser at the pages of a world: it keeps its cookies, and sends forms with what they hid.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use http::Method;
use http::header::{LOCATION, SET_COOKIE};

use crate::world::encode;
use crate::{CHALLENGE, REDIRECT_URI, Reply, SignedIn, World};

/// A browser.
pub struct Visit<'a> {
    world: &'a World,
    cookies: Mutex<BTreeMap<String, String>>,
}

impl<'a> Visit<'a> {
    /// One that has never been here.
    #[must_use]
    pub const fn new(world: &'a World) -> Self {
        Self { world, cookies: Mutex::new(BTreeMap::new()) }
    }

    /// Opens a page.
    pub fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, &[])
    }

    /// Sends a form with these fields and no others.
    pub fn post(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        self.send(Method::POST, path, fields)
    }

    /// Opens a page and sends its form to its own path, with what the page hid in it under `name`.
    pub fn submit(&self, path: &str, name: &str, fields: &[(&str, &str)]) -> Reply {
        let hidden = hidden(&self.get(path), name);
        let fields: Vec<_> = fields.iter().copied().chain([(name, hidden.as_str())]).collect();
        self.post(path.split('?').next().unwrap_or_default(), &fields)
    }

    /// Signs in at the page of that purpose; a 303 if all is well.
    pub fn sign_in(&self, username: &str, password: &str) -> Reply {
        self.submit("/auth/login", "request", &[("username", username), ("password", password)])
    }

    /// Signs in to the client `web`, with what it gets for its code.
    ///
    /// # Panics
    /// If it gets none.
    pub fn sign_in_to_web(&self, username: &str, password: &str) -> SignedIn {
        let query = [
            ("response_type", "code"),
            ("client_id", "web"),
            ("redirect_uri", REDIRECT_URI),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
            ("scope", "read"),
            ("state", "s"),
        ];
        let page = self.get(&format!("/auth/authorize?{}", encode(&query)));
        let request = hidden(&page, "request");
        let fields = [("request", request.as_str()), ("username", username), ("password", password)];
        let reply = self.post("/auth/login", &fields);
        let location = reply.header(LOCATION.as_str());
        let code = location.split(['?', '&']).find_map(|pair| pair.strip_prefix("code="));
        SignedIn::of(&self.world.redeem(code.unwrap_or_else(|| panic!("a code: {reply:?}"))))
    }

    /// Whether somebody is signed in.
    pub fn is_signed_in(&self) -> bool {
        String::from_utf8_lossy(&self.get("/auth/applications").body).contains("name=\"form_token\"")
    }

    /// The cookies that it sends.
    #[must_use]
    pub fn cookies(&self) -> String {
        let cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        let pairs: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    fn send(&self, method: Method, path: &str, fields: &[(&str, &str)]) -> Reply {
        let cookies = self.cookies();
        let mut headers =
            vec![("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "same-origin")];
        if !cookies.is_empty() {
            headers.push(("cookie", cookies.as_str()));
        }
        let reply = self.world.request(method, path, &headers, encode(fields));
        let mut kept = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        for line in reply.headers.get_all(SET_COOKIE).iter().filter_map(|line| line.to_str().ok()) {
            let (name, value) = line.split(';').next().and_then(|pair| pair.split_once('=')).unwrap_or_default();
            if line.contains("Max-Age=0") {
                kept.remove(name);
            } else {
                kept.insert(name.to_owned(), value.to_owned());
            }
        }
        drop(kept);
        reply
    }
}

/// What a page hid in its form.
///
/// # Panics
/// If it hid nothing of that name.
#[must_use]
pub fn hidden(page: &Reply, name: &str) -> String {
    let html = String::from_utf8_lossy(&page.body);
    let value = html.split_once(&format!("name=\"{name}\" value=\"")).and_then(|(_, rest)| rest.split('"').next());
    value.unwrap_or_else(|| panic!("a hidden {name}: {:?} {html}", page.status)).to_owned()
}

/// A page without the reference under which the log has the rest: that one is new each time.
#[must_use]
pub fn without_reference(page: &Reply) -> String {
    let html = String::from_utf8_lossy(&page.body).into_owned();
    match html.split_once("<code>").and_then(|(head, rest)| Some((head, rest.split_once("</code>")?.1))) {
        None => html.clone(),
        Some((head, rest)) => format!("{head}{rest}"),
    }
}
