//! Browsers with pages open, so that each form is one click away.

use bytes::Bytes;
use http::Request;
use http::header::{CONTENT_TYPE, COOKIE};

use crate::visit::{authorization, hidden};
use crate::world::encode;
use crate::{ADA, PASSWORD, SignedIn, Visit, World};

/// The password that forms set.
pub const NEW_PASSWORD: &str = "a new passphrase of hers";
/// Where the third-party client is called back.
pub const THIRD_URI: &str = "https://third.example/cb";

/// What some browsers hold.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Opened {
    /// The cookies of the browser in which Ada is signed in.
    pub cookies: String,
    /// What the client `web` got in that sign-in.
    pub tokens: SignedIn,
    /// The cookies of another browser in which she is signed in.
    pub elsewhere: String,
    /// What the client `web` got there.
    pub tokens_elsewhere: SignedIn,
    /// The cookies of a browser in which nobody is signed in.
    pub stranger: String,
    /// Its request to sign in to `web`.
    pub login: String,
    /// Its request to sign in to the client `stored`.
    pub login_to_stored: String,
    /// The request of the client `third`, and the token of the form in which Ada is asked.
    pub consent: [String; 2],
    /// The token of the forms on the page `applications`.
    pub applications: String,
    /// What the sign-in elsewhere is called there.
    pub session: String,
    /// The token of the form that signs out.
    pub logout: String,
    /// The token of the form that changes the password.
    pub password: String,
    /// The token of a link that sets a new one.
    pub reset: String,
}

impl Opened {
    /// Opens every page.
    ///
    /// # Panics
    /// If one does not open.
    #[must_use]
    pub fn in_world(world: &World) -> Self {
        let name = "ada@example.com";
        let [ada, elsewhere, stranger] = [(); 3].map(|()| Visit::new(world));
        let tokens_elsewhere = elsewhere.sign_in_to_web(name, PASSWORD);
        let tokens = ada.sign_in_to_web(name, PASSWORD);
        let login = hidden(&stranger.get(&authorization("web", crate::REDIRECT_URI)), "request");
        let login_to_stored = hidden(&stranger.get(&authorization("stored", crate::REDIRECT_URI)), "request");
        let consent = ada.get(&authorization("third", THIRD_URI));
        let applications = ada.get("/auth/applications");
        let link = world.server.reset_link(name).ok().flatten();
        let link = link.unwrap_or_else(|| panic!("a link for {ADA}"));
        let reset = link.expose_text().and_then(|link| link.split_once("token=")).map(|(_, token)| token.to_owned());
        Self {
            cookies: ada.cookies(),
            tokens,
            elsewhere: elsewhere.cookies(),
            tokens_elsewhere,
            stranger: stranger.cookies(),
            login,
            login_to_stored,
            consent: ["request", "form_token"].map(|name| hidden(&consent, name)),
            session: hidden(&applications, "session"),
            applications: hidden(&applications, "form_token"),
            logout: hidden(&ada.get("/auth/logout"), "form_token"),
            password: hidden(&ada.get("/auth/password"), "form_token"),
            reset: reset.unwrap_or_default(),
        }
    }

    /// Ada's browser opens a page.
    #[must_use]
    pub fn get(&self, path: &str) -> Request<Bytes> {
        built(Request::get(path).header(COOKIE, &self.cookies), String::new())
    }

    /// The browser in which nobody is signed in opens the page to sign in to the client `stored`.
    #[must_use]
    pub fn open_login(&self) -> Request<Bytes> {
        let query = encode(&[("request", &*self.login_to_stored)]);
        built(Request::get(format!("/auth/login?{query}")).header(COOKIE, &self.stranger), String::new())
    }

    /// Ada's browser sends a form.
    #[must_use]
    pub fn post(&self, path: &str, fields: &[(&str, &str)]) -> Request<Bytes> {
        form(&self.cookies, path, fields)
    }

    /// The browser in which nobody is signed in sends the form to sign in, with this password.
    #[must_use]
    pub fn sign_in(&self, password: &str) -> Request<Bytes> {
        let fields = [("request", &*self.login), ("username", "ada@example.com"), ("password", password)];
        form(&self.stranger, "/auth/login", &fields)
    }

    /// Ada's browser sends her decision on the request of the client `third`.
    #[must_use]
    pub fn consent(&self, decision: &str) -> Request<Bytes> {
        let [request, token] = &self.consent;
        self.post("/auth/consent", &[("request", request), ("form_token", token), ("decision", decision)])
    }

    /// Ada's browser sends a form of the page `applications`.
    #[must_use]
    pub fn act(&self, action: &str, name: &str, value: &str) -> Request<Bytes> {
        let fields = [("form_token", &*self.applications), ("action", action), (name, value)];
        self.post("/auth/applications", &fields)
    }

    /// Ada's browser sends the form that changes the password, and has other browsers signed out.
    #[must_use]
    pub fn change_password(&self) -> Request<Bytes> {
        let token = ("form_token", &*self.password);
        let fields = [token, ("current_password", PASSWORD), ("new_password", NEW_PASSWORD), ("end_others", "yes")];
        self.post("/auth/password", &fields)
    }
}

fn form(cookies: &str, path: &str, fields: &[(&str, &str)]) -> Request<Bytes> {
    let request = Request::post(path).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    built(request.header(COOKIE, cookies).header("sec-fetch-site", "same-origin"), encode(fields))
}

fn built(request: http::request::Builder, body: String) -> Request<Bytes> {
    request.body(body.into()).unwrap_or_else(|error| panic!("a request: {error}"))
}
