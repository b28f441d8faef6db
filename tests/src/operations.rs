//! What clients do with a server, each as one request: for tests that let something go wrong in the middle of it.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request};
use serde_json::json;

use crate::world::{basic, encode};
use crate::{CHALLENGE, PASSWORD, REDIRECT_URI, SignedIn, VERIFIER, World, secret_of};

/// One thing that a client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "tests match on all of them")]
pub enum Operation {
    /// Ada signs in with her password.
    Authorize,
    /// A page of an origin that nobody knows asks for a challenge.
    Challenge,
    /// A client asks for a token of its own.
    ForItself,
    /// Somebody asks whether the server is well.
    Health,
    /// A client asks about its own token.
    Introspect,
    /// A browser asks for an origin that nobody knows.
    Preflight,
    /// A code is redeemed.
    Redeem,
    /// A token is refreshed.
    Refresh,
    /// A client that is stored, and has no secret, refreshes what it does not have.
    RefreshAsStored,
    /// A refresh token is revoked.
    Revoke,
    /// An access token is revoked.
    RevokeAccess,
    /// A token is shown at `/userinfo`.
    Userinfo,
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
}

impl Held {
    /// Signs Ada in, here and there, and stores a client.
    ///
    /// # Panics
    /// If the client cannot be stored.
    #[must_use]
    pub fn prepare(world: &World) -> Self {
        let stored = proofkey::Client::public("stored").redirect_uri(REDIRECT_URI);
        world.server.create_client(stored).unwrap_or_else(|error| panic!("{error}"));
        let portal = world.sign_in_as("portal", &json!({}));
        Self { web: world.sign_in(), portal, code: world.code() }
    }
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Authorize,
        Self::Challenge,
        Self::ForItself,
        Self::Health,
        Self::Introspect,
        Self::Preflight,
        Self::Redeem,
        Self::Refresh,
        Self::RefreshAsStored,
        Self::Revoke,
        Self::RevokeAccess,
        Self::Userinfo,
    ];

    /// The status of its answer when nothing goes wrong.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Preflight => 204,
            Self::RefreshAsStored => 400,
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
        match self {
            Self::Authorize => json_request(),
            Self::Challenge => request(Method::POST, "/auth/challenge", &foreign, ""),
            Self::ForItself => {
                let fields = [("grant_type", "client_credentials"), ("scope", "read")];
                form("/auth/token", &[(AUTHORIZATION.as_str(), &portal)], &fields)
            }
            Self::Health => request(Method::GET, "/health", &[], ""),
            Self::Introspect => {
                let fields = [("token", &*held.portal.access)];
                form("/auth/introspect", &[(AUTHORIZATION.as_str(), &portal)], &fields)
            }
            Self::Preflight => request(Method::OPTIONS, "/auth/token", &foreign, ""),
            Self::Redeem => {
                let fields = [
                    ("grant_type", "authorization_code"),
                    web,
                    ("code", &held.code),
                    ("redirect_uri", REDIRECT_URI),
                    ("code_verifier", VERIFIER),
                ];
                form("/auth/token", &[], &fields)
            }
            Self::Refresh => {
                form("/auth/token", &[], &[("grant_type", "refresh_token"), web, ("refresh_token", &held.web.refresh)])
            }
            Self::RefreshAsStored => {
                form("/auth/refresh", &[], &[("client_id", "stored"), ("refresh_token", &held.web.refresh)])
            }
            Self::Revoke => form("/auth/revoke", &[], &[web, ("token", &held.web.refresh)]),
            Self::RevokeAccess => form("/auth/revoke", &[], &[web, ("token", &held.web.access)]),
            Self::Userinfo => request(Method::GET, "/auth/userinfo", &[(AUTHORIZATION.as_str(), &bearer)], ""),
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
