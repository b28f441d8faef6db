//! What clients and browsers do with a server, each as one request: for tests that let something go wrong in the middle of it.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request};
use proofkey::{Builder, Secret, User};
use serde_json::json;

use crate::opened::{NEW_PASSWORD, Opened};
use crate::visit::{authorization, code_in};
use crate::world::{basic, encode};
use crate::{CHALLENGE, Keeper, PASSWORD, Past, REDIRECT_URI, Reply, Rows, SignedIn, VERIFIER, World, secret_of};

/// One thing that a client or a browser does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "tests match on all of them")]
pub enum Operation {
    /// Somebody asks for a link that sets Ada's password.
    AskForLink,
    /// Ada signs in with her password.
    Authorize,
    /// A page of an origin that nobody knows asks for a challenge.
    Challenge,
    /// Ada changes her password, and has other browsers signed out.
    ChangePassword,
    /// Ada allows a client what it asks for.
    Consent,
    /// Ada refuses a client what it asks for.
    Deny,
    /// Ada ends her sign-in in another browser.
    EndSession,
    /// A client asks for a token of its own.
    ForItself,
    /// Somebody asks whether the server is well.
    Health,
    /// A client asks about its own token.
    Introspect,
    /// A token is shown at `/me`.
    Me,
    /// Ada looks at what has access to her account.
    OpenApplications,
    /// Ada is asked what a client may have.
    OpenConsent,
    /// A browser is shown where to sign in, on the way to a client that is stored.
    OpenLogin,
    /// Ada is asked whether to sign out.
    OpenLogout,
    /// Ada is asked for a new password.
    OpenPassword,
    /// Whoever follows a link is asked for a new password.
    OpenReset,
    /// A browser asks for an origin that nobody knows.
    Preflight,
    /// A code is redeemed.
    Redeem,
    /// A token is refreshed.
    Refresh,
    /// A client that is stored, and has no secret, refreshes what it does not have.
    RefreshAsStored,
    /// A refresh whose reply was lost is sent again.
    Repeat,
    /// A code is redeemed that was redeemed before.
    Replay,
    /// A link sets a new password.
    Reset,
    /// A refresh token is used that was retired long ago.
    Reuse,
    /// A refresh token is revoked.
    Revoke,
    /// An access token is revoked.
    RevokeAccess,
    /// Ada signs in on the page, on the way to a client.
    SignIn,
    /// Ada signs her browser out.
    SignOut,
    /// Ada signs out everywhere.
    SignOutEverywhere,
    /// A client sends Ada's browser, in which she is signed in.
    Start,
    /// A client that is stored sends a browser in which nobody is signed in.
    StartAnonymous,
    /// A token is shown at `/userinfo`.
    Userinfo,
    /// A token is shown there in a POST.
    UserinfoPosted,
    /// Ada takes a client's access back.
    Withdraw,
}

/// What clients hold before an operation.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Held {
    /// A code of the client `web` that nobody has redeemed.
    pub code: String,
    /// The tokens of the client `web`.
    pub web: SignedIn,
    /// The tokens of the client `portal`, which may introspect them.
    pub portal: SignedIn,
    /// What was used before.
    pub past: Past,
    /// The pages that browsers have open.
    pub opened: Opened,
}

impl Held {
    /// Switches on what is off unless it is asked for.
    pub fn with_all_endpoints<S>(builder: Builder<S>) -> Builder<S> {
        builder.set("endpoints", "authorize token refresh revoke introspect userinfo me challenge forgot")
    }

    /// What clients hold in a world that is over these rows, with another seed than the first one: made once, since
    /// that takes a dozen of hashes.
    #[must_use]
    pub fn ready(keeper: Keeper) -> (Rows, Self) {
        static READY: LazyLock<[(Rows, Held); 2]> = LazyLock::new(|| {
            Keeper::BOTH.map(|keeper| {
                let rows = Arc::new(Rows::default());
                let world = World::kept_by(keeper, rows.clone(), |builder| builder);
                if keeper == Keeper::Server {
                    let user = User::new("ada@example.com").with_claim("name", "Ada L.");
                    let created = world.server.create_user(user, Secret::from(PASSWORD));
                    created.unwrap_or_else(|error| panic!("{error}"));
                }
                let held = Held::prepare(&world);
                (Rows::clone(&rows), held)
            })
        });
        let [by_host, by_server] = &*READY;
        if keeper == Keeper::Host { by_host.clone() } else { by_server.clone() }
    }

    /// Signs Ada in, here and there, and stores a client.
    ///
    /// # Panics
    /// If the client cannot be stored.
    #[must_use]
    pub fn prepare(world: &World) -> Self {
        let stored = proofkey::Client::public("stored").redirect_uri(REDIRECT_URI);
        world.server.create_client(stored).unwrap_or_else(|error| panic!("{error}"));
        let portal = world.sign_in_as("portal", &json!({}));
        let past = Past::of(world);
        Self { web: world.sign_in(), portal, code: world.code(), past, opened: Opened::in_world(world) }
    }
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 35] = [
        Self::AskForLink,
        Self::Authorize,
        Self::Challenge,
        Self::ChangePassword,
        Self::Consent,
        Self::Deny,
        Self::EndSession,
        Self::ForItself,
        Self::Health,
        Self::Introspect,
        Self::Me,
        Self::OpenApplications,
        Self::OpenConsent,
        Self::OpenLogin,
        Self::OpenLogout,
        Self::OpenPassword,
        Self::OpenReset,
        Self::Preflight,
        Self::Redeem,
        Self::Refresh,
        Self::RefreshAsStored,
        Self::Repeat,
        Self::Replay,
        Self::Reset,
        Self::Reuse,
        Self::Revoke,
        Self::RevokeAccess,
        Self::SignIn,
        Self::SignOut,
        Self::SignOutEverywhere,
        Self::Start,
        Self::StartAnonymous,
        Self::Userinfo,
        Self::UserinfoPosted,
        Self::Withdraw,
    ];

    /// Whether it is a browser that does it.
    #[must_use]
    pub const fn is_of_a_browser(self) -> bool {
        matches!(
            self,
            Self::AskForLink
                | Self::ChangePassword
                | Self::Consent
                | Self::Deny
                | Self::EndSession
                | Self::OpenApplications
                | Self::OpenConsent
                | Self::OpenLogin
                | Self::OpenLogout
                | Self::OpenPassword
                | Self::OpenReset
                | Self::Reset
                | Self::SignIn
                | Self::SignOut
                | Self::SignOutEverywhere
                | Self::Start
                | Self::StartAnonymous
                | Self::Withdraw
        )
    }

    /// All that ask the store for something, with the users kept by the host or by the server.
    pub fn at_the_store() -> impl Iterator<Item = (Self, Keeper)> {
        let of = |keeper| Self::ALL.into_iter().map(move |operation| (operation, keeper));
        // Of users that the host keeps, a link is looked at without the store.
        Keeper::BOTH.into_iter().flat_map(of).filter(|one| *one != (Self::OpenReset, Keeper::Host))
    }

    /// Whether an answer says that it was done.
    #[must_use]
    pub fn is_done(self, reply: &Reply) -> bool {
        let leads = |end: &str| reply.header("location").ends_with(end);
        let says = |text: &str| String::from_utf8_lossy(&reply.body).contains(text);
        let asks = |field: &str| says(&format!("name=\"{field}\""));
        let says_so = || match self {
            Self::ChangePassword => leads("/applications?done=password"),
            Self::Consent | Self::SignIn | Self::Start => code_in(reply).is_some(),
            Self::Deny => reply.header("location").contains("?error=access_denied&"),
            Self::EndSession => leads("/applications?done=ended"),
            Self::OpenApplications | Self::OpenConsent | Self::OpenLogout => asks("form_token"),
            Self::OpenLogin => asks("password"),
            Self::OpenPassword => asks("current_password"),
            Self::OpenReset => asks("new_password"),
            Self::RefreshAsStored | Self::Replay | Self::Reuse => reply.error() == "invalid_grant",
            Self::SignOut | Self::SignOutEverywhere => says("<title>You are signed out"),
            Self::Withdraw => leads("/applications?done=withdrawn"),
            _ => true,
        };
        reply.status == self.status() && says_so()
    }

    /// The status of its answer when nothing goes wrong.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::ChangePassword
            | Self::Consent
            | Self::Deny
            | Self::EndSession
            | Self::SignIn
            | Self::Start
            | Self::Withdraw => 303,
            Self::Preflight => 204,
            Self::RefreshAsStored | Self::Replay | Self::Reuse => 400,
            _ => 200,
        }
    }

    /// The request.
    ///
    /// # Panics
    /// If it cannot be written down.
    #[must_use]
    pub fn request(self, held: &Held) -> Request<Bytes> {
        let web = ("client_id", "web");
        let portal = basic("portal", &secret_of("portal"));
        let foreign = [("origin", "https://unknown.example")];
        let bearer = format!("Bearer {}", held.web.access);
        let bearer = [(AUTHORIZATION.as_str(), bearer.as_str())];
        let redeem = |code: &str| {
            let fields = [("grant_type", "authorization_code"), web, ("code", code), ("redirect_uri", REDIRECT_URI)];
            form("/auth/token", &[], &[&fields[..], &[("code_verifier", VERIFIER)]].concat())
        };
        let refresh = |refresh_token: &str| {
            form("/auth/token", &[], &[("grant_type", "refresh_token"), web, ("refresh_token", refresh_token)])
        };
        match self {
            Self::AskForLink => form("/auth/forgot", &[], &[("username", "ada@example.com")]),
            Self::Authorize => json_request(),
            Self::Challenge => request(Method::POST, "/auth/challenge", &foreign, ""),
            Self::ChangePassword => held.opened.change_password(),
            Self::Consent => held.opened.consent("allow"),
            Self::Deny => held.opened.consent("deny"),
            Self::EndSession => held.opened.act("end_session", "session", &held.opened.session),
            Self::ForItself => {
                let fields = [("grant_type", "client_credentials"), ("scope", "read")];
                form("/auth/token", &[(AUTHORIZATION.as_str(), &portal)], &fields)
            }
            Self::Health => request(Method::GET, "/health", &[], ""),
            Self::Introspect => {
                let fields = [("token", &*held.portal.access)];
                form("/auth/introspect", &[(AUTHORIZATION.as_str(), &portal)], &fields)
            }
            Self::Me => request(Method::GET, "/auth/me", &bearer, ""),
            Self::OpenApplications => held.opened.get("/auth/applications"),
            Self::OpenConsent => {
                held.opened.get(&format!("/auth/consent?{}", encode(&[("request", &held.opened.consent[0])])))
            }
            Self::OpenLogin => held.opened.open_login(),
            Self::OpenLogout => held.opened.get("/auth/logout"),
            Self::OpenPassword => held.opened.get("/auth/password"),
            Self::OpenReset => {
                let query = encode(&[("token", &*held.opened.reset)]);
                request(Method::GET, &format!("/auth/reset?{query}"), &[], "")
            }
            Self::Preflight => request(Method::OPTIONS, "/auth/token", &foreign, ""),
            Self::Redeem => redeem(&held.code),
            Self::Refresh => refresh(&held.web.refresh),
            Self::RefreshAsStored => {
                form("/auth/refresh", &[], &[("client_id", "stored"), ("refresh_token", &held.web.refresh)])
            }
            Self::Repeat => refresh(&held.past.rotated),
            Self::Replay => redeem(&held.past.code),
            Self::Reset => form("/auth/reset", &[], &[("token", &held.opened.reset), ("new_password", NEW_PASSWORD)]),
            Self::Reuse => refresh(&held.past.retired),
            Self::Revoke => form("/auth/revoke", &[], &[web, ("token", &held.web.refresh)]),
            Self::RevokeAccess => form("/auth/revoke", &[], &[web, ("token", &held.web.access)]),
            Self::SignIn => held.opened.sign_in(PASSWORD),
            Self::SignOut => held.opened.post("/auth/logout", &[("form_token", &held.opened.logout)]),
            Self::SignOutEverywhere => held.opened.act("sign_out_everywhere", "client_id", ""),
            Self::Start => held.opened.get(&authorization("web", REDIRECT_URI)),
            Self::StartAnonymous => request(Method::GET, &authorization("stored", REDIRECT_URI), &[], ""),
            Self::Userinfo => request(Method::GET, "/auth/userinfo", &bearer, ""),
            Self::UserinfoPosted => request(Method::POST, "/auth/userinfo", &bearer, ""),
            Self::Withdraw => held.opened.act("withdraw", "client_id", "web"),
        }
    }
}

fn request(method: Method, path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Request<Bytes> {
    let builder = Request::builder().method(method).uri(path);
    let builder = headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value));
    builder.body(body.into()).unwrap_or_else(|error| panic!("a request: {error}"))
}

fn form(path: &str, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Request<Bytes> {
    let typed = [[(CONTENT_TYPE.as_str(), "application/x-www-form-urlencoded")].as_slice(), headers].concat();
    request(Method::POST, path, &typed, encode(fields))
}

fn json_request() -> Request<Bytes> {
    let body = json!({
        "client_id": "web", "redirect_uri": REDIRECT_URI, "code_challenge": CHALLENGE, "code_challenge_method": "S256",
        "scope": "read", "username": "ada@example.com", "password": PASSWORD,
    });
    request(Method::POST, "/auth/authorize", &[(CONTENT_TYPE.as_str(), "application/json")], body.to_string())
}
