//! Every endpoint, with a request to it that is well formed but for its secrets: what tests of bad input begin with.

use http::Method;
use serde_json::{Map, Value, json};

use crate::world::encode;
use crate::{CHALLENGE, REDIRECT_URI, VERIFIER, secret_of};

/// What an endpoint makes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "tests match on all of them")]
pub enum Reads {
    /// Parameters in the body.
    Body,
    /// A bearer token in a header.
    Header,
    /// Nothing.
    Nothing,
}

/// An endpoint and a request to it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Endpoint {
    /// Its path.
    pub path: &'static str,
    /// A method that it takes.
    pub method: Method,
    /// What it reads.
    pub reads: Reads,
    /// The content types that it takes.
    pub types: &'static [&'static str],
    /// The parameters of the request, none of them wrong but for a secret.
    pub fields: Vec<(&'static str, String)>,
}

impl Endpoint {
    /// The content type of a form.
    pub const FORM: &'static str = "application/x-www-form-urlencoded";
    /// The content type of JSON.
    pub const JSON: &'static str = "application/json";

    const BOTH: &'static [&'static str] = &[Self::FORM, Self::JSON];

    fn reading(path: &'static str, types: &'static [&'static str], fields: &[(&'static str, &str)]) -> Self {
        let fields = fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Self { path, method: Method::POST, reads: Reads::Body, types, fields }
    }

    const fn silent(path: &'static str, method: Method, reads: Reads) -> Self {
        Self { path, method, reads, types: Self::BOTH, fields: Vec::new() }
    }

    /// The parameters as a body of this content type.
    #[must_use]
    pub fn body(&self, media_type: &str) -> Vec<u8> {
        if media_type == Self::JSON {
            let members: Map<String, Value> =
                self.fields.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
            return Value::Object(members).to_string().into_bytes();
        }
        let borrowed: Vec<(&str, &str)> = self.fields.iter().map(|(name, value)| (*name, &**value)).collect();
        encode(&borrowed).into_bytes()
    }
}

/// The pages that take forms, with a form that is well formed but not theirs.
#[must_use]
pub fn pages() -> Vec<Endpoint> {
    let request = ("request", "x");
    let token = ("form_token", "x");
    let login = [request, ("username", "ada@example.com"), ("password", "a wrong one")];
    let withdraw = [token, ("action", "withdraw"), ("client_id", "third"), ("session", "x")];
    let page = |path, fields: &[(&'static str, &str)]| Endpoint::reading(path, &[Endpoint::FORM], fields);
    vec![
        page("/auth/login", &login),
        page("/auth/consent", &[request, token, ("decision", "allow")]),
        page("/auth/logout", &[token]),
        page("/auth/applications", &withdraw),
    ]
}

/// Every endpoint of applications, with a request for each thing that it does.
#[must_use]
pub fn endpoints() -> Vec<Endpoint> {
    let secret = secret_of("poster");
    let authorize = [
        ("client_id", "web"),
        ("redirect_uri", REDIRECT_URI),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("response_type", "code"),
        ("scope", "read"),
        ("state", "x"),
        ("username", "ada@example.com"),
        ("password", "a wrong one"),
    ];
    let redeem = [
        ("grant_type", "authorization_code"),
        ("client_id", "web"),
        ("code", "pfk_code_x"),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ];
    let for_itself = [
        ("grant_type", "client_credentials"),
        ("client_id", "poster"),
        ("client_secret", "a wrong one"),
        ("scope", "read"),
    ];
    let refresh = [
        ("client_id", "web"),
        ("refresh_token", "pfk_refresh_x"),
        ("scope", "read"),
        ("resource", "https://api.example/"),
    ];
    let revoke = [("client_id", "web"), ("token", "x"), ("token_type_hint", "x")];
    let introspect = [("client_id", "poster"), ("client_secret", &secret), ("token", "x"), ("token_type_hint", "x")];
    vec![
        Endpoint::reading("/auth/authorize", &[Endpoint::JSON], &authorize),
        Endpoint::reading("/auth/token", Endpoint::BOTH, &redeem),
        Endpoint::reading("/auth/token", Endpoint::BOTH, &for_itself),
        Endpoint::reading("/auth/refresh", Endpoint::BOTH, &refresh),
        Endpoint::reading("/auth/revoke", Endpoint::BOTH, &revoke),
        Endpoint::reading("/auth/introspect", Endpoint::BOTH, &introspect),
        Endpoint::silent("/auth/userinfo", Method::GET, Reads::Header),
        Endpoint::silent("/auth/userinfo", Method::POST, Reads::Header),
        Endpoint::silent("/auth/me", Method::GET, Reads::Header),
        Endpoint::silent("/auth/challenge", Method::POST, Reads::Nothing),
        Endpoint::silent("/.well-known/oauth-authorization-server/auth", Method::GET, Reads::Nothing),
        Endpoint::silent("/auth/.well-known/oauth-authorization-server", Method::GET, Reads::Nothing),
        Endpoint::silent("/health", Method::GET, Reads::Nothing),
        Endpoint::silent("/", Method::GET, Reads::Nothing),
    ]
}
