//! A browser at the pages of a world: it keeps its cookies, says where its requests come from, and follows nothing.

use std::cell::RefCell;

use bytes::Bytes;
use http::Method;
use http::header::{CONTENT_TYPE, COOKIE};
use proofkey::Clock as _;

use crate::jar::Jar;
use crate::page::Form;
use crate::world::{encode, with_changes};
use crate::{CHALLENGE, PASSWORD, REDIRECT_URI, Reply, World};

/// A browser. A clone begins with the same cookies and goes its own way: somebody who copied them.
#[derive(Clone)]
pub struct Browser<'a> {
    world: &'a World,
    jar: RefCell<Jar>,
}

/// What a browser says with a link of another site.
const LINK: [(&str, &str); 1] = [("sec-fetch-site", "cross-site")];
/// What Chromium says with a form under `Referrer-Policy: no-referrer`.
const OUR_FORM: [(&str, &str); 2] = [("sec-fetch-site", "same-origin"), ("origin", "null")];

impl<'a> Browser<'a> {
    /// One that has never been here.
    #[must_use]
    pub fn new(world: &'a World) -> Self {
        Self { world, jar: RefCell::default() }
    }

    /// Opens a page, as somebody who followed a link of another site.
    pub fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, &LINK, &[])
    }

    /// Sends a form as one of our own pages does.
    pub fn post(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        self.post_with(path, &OUR_FORM, fields)
    }

    /// Sends a form with these header fields, and none that tell where it comes from beside them.
    pub fn post_with(&self, path: &str, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Reply {
        self.send(Method::POST, path, headers, fields)
    }

    /// Sends a form of a page, with some fields filled in.
    pub fn submit(&self, form: &Form, fields: &[(&str, &str)]) -> Reply {
        self.submit_with(form, &OUR_FORM, fields)
    }

    /// The same with header fields as for [`Self::post_with`].
    pub fn submit_with(&self, form: &Form, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Reply {
        let own: Vec<(&str, &str)> = form.fields.iter().map(|(name, value)| (&**name, &**value)).collect();
        self.post_with(&form.action, headers, &with_changes(&own, fields))
    }

    /// Comes to the authorization endpoint with a request of the client `web`, of which some parameters are changed; an
    /// empty text leaves one out.
    pub fn authorize(&self, changes: &[(&str, &str)]) -> Reply {
        self.get(&authorize_path(changes))
    }

    /// Fills in the page where people sign in.
    pub fn sign_in(&self, page: &Reply, username: &str, password: &str) -> Reply {
        self.submit(&page.form(), &[("username", username), ("password", password)])
    }

    /// Comes with a request of the client `web`, changed as for [`Self::authorize`], and signs Ada in for it.
    pub fn sign_ada_in(&self, changes: &[(&str, &str)]) -> Reply {
        self.sign_in(&self.authorize(changes), "ada@example.com", PASSWORD)
    }

    /// Goes where a redirect to one of our own pages leads.
    ///
    /// # Panics
    /// If it leads elsewhere.
    pub fn follow(&self, redirect: &Reply) -> Reply {
        let location = redirect.header("location");
        let path = location.strip_prefix("https://as.example");
        self.get(path.unwrap_or_else(|| panic!("a redirect to our own pages: {redirect:?}")))
    }

    /// Presses a button of the page that asks for consent: `allow`, `deny` or `switch`.
    pub fn decide(&self, page: &Reply, decision: &str) -> Reply {
        self.submit(&page.form(), &[("decision", decision)])
    }

    /// Presses a button of the page of applications: `withdraw` with a `client_id`, `end_session` with a `session`,
    /// `sign_out_everywhere`.
    pub fn act(&self, page: &Reply, action: &str, fields: &[(&str, &str)]) -> Reply {
        self.submit(&page.form_with("action", action), fields)
    }

    /// Signs out by the page for that.
    pub fn sign_out(&self) -> Reply {
        self.submit(&self.get("/auth/logout").form(), &[])
    }

    /// The cookies that it sends to the pages; empty if there are none.
    #[must_use]
    pub fn cookies(&self) -> String {
        self.jar.borrow().header("/auth/login", self.now()).unwrap_or_default()
    }

    /// The value of a cookie that it sends to the pages; empty if there is none.
    #[must_use]
    pub fn cookie(&self, name: &str) -> String {
        let cookies = self.cookies();
        let mut pairs = cookies.split("; ").filter_map(|pair| pair.split_once('='));
        pairs.find(|(one, _)| *one == name).map(|(_, value)| value.to_owned()).unwrap_or_default()
    }

    /// Gives it a cookie that the server did not set.
    pub fn plant(&self, name: &str, value: &str, path: &str) {
        self.jar.borrow_mut().plant(name, value, path);
    }

    /// Forgets its cookies.
    pub fn forget(&self) {
        *self.jar.borrow_mut() = Jar::default();
    }

    /// The request of a link, without sending it.
    #[must_use]
    pub fn asking(&self, path: &str) -> http::Request<Bytes> {
        self.request(Method::GET, path, &LINK, &[])
    }

    /// The request of a form, without sending it.
    #[must_use]
    pub fn submitting(&self, form: &Form, fields: &[(&str, &str)]) -> http::Request<Bytes> {
        let own: Vec<(&str, &str)> = form.fields.iter().map(|(name, value)| (&**name, &**value)).collect();
        self.request(Method::POST, &form.action, &OUR_FORM, &with_changes(&own, fields))
    }

    fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Reply {
        let reply = self.world.send(self.request(method, path, headers, fields));
        self.jar.borrow_mut().take(&reply, self.now());
        reply
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        fields: &[(&str, &str)],
    ) -> http::Request<Bytes> {
        let cookies = self.jar.borrow().header(path.split('?').next().unwrap_or_default(), self.now());
        let form = (method == Method::POST).then_some((CONTENT_TYPE.as_str(), "application/x-www-form-urlencoded"));
        let cookies = cookies.as_deref().map(|cookies| (COOKIE.as_str(), cookies));
        let builder = http::Request::builder().method(method).uri(path);
        let all = headers.iter().copied().chain(form).chain(cookies);
        let builder = all.fold(builder, |builder, (name, value)| builder.header(name, value));
        builder.body(encode(fields).into()).unwrap_or_else(|error| panic!("a request: {error}"))
    }

    fn now(&self) -> u64 {
        self.world.clock.now().seconds()
    }
}

/// The path and query of an authorization request of the client `web`, of which some parameters are changed; an empty
/// text leaves one out.
#[must_use]
pub fn authorize_path(changes: &[(&str, &str)]) -> String {
    let request = [
        ("client_id", "web"),
        ("response_type", "code"),
        ("redirect_uri", REDIRECT_URI),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("scope", "read profile"),
        ("state", "af0ifjsldkj"),
    ];
    format!("/auth/authorize?{}", encode(&with_changes(&request, changes)))
}
