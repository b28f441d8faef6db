//! The server that is measured, and the requests that clients send it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use proofkey::{
    Authenticator, Builder, Client, ClientSecret, GrantType, Keys, Response, Secret, StoreError, User, UserAnswer,
};
use serde_json::Value;

pub(crate) const ISSUER: &str = "https://as.example/auth";
pub(crate) const START: u64 = 1_767_268_800;
/// A public client.
pub(crate) const CLIENT: &str = "web";
/// A confidential client that introspects its own tokens.
pub(crate) const SERVICE: &str = "service";
pub(crate) const SECRET: &str = "pfk_secret_DkjtOnth98vlmIEAAlkMZf1PjGy2pOiIIJ09B2JT32o";
pub(crate) const SUBJECT: &str = "u-ada";
pub(crate) const USERNAME: &str = "ada@example.com";
pub(crate) const SCOPE: &str = "profile read write";
pub(crate) const REDIRECT_URI: &str = "https://app.example/cb";
/// The pair of RFC 7636 appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

pub(crate) const KEY: &str = "cJ8nAnXkXgY0R0hcJ3E4bZQf3t7x1s6pUo5v2wKq9dE=";

/// A directory that knows one user and takes any password, so that codes cost no password hash.
pub(crate) struct Ada;

impl Authenticator for Ada {
    fn authenticate(&self, _: &str, _: &Secret) -> Result<UserAnswer, StoreError> {
        Ok(UserAnswer::Found(User::new(SUBJECT).with_username(USERNAME)))
    }

    fn find(&self, subject: &str) -> Result<UserAnswer, StoreError> {
        Ok(UserAnswer::Found(User::new(subject).with_username(USERNAME)))
    }
}

/// Everything but a store and a clock.
pub(crate) fn configure<S>(builder: Builder<S>) -> Builder<S> {
    let keys = Keys::parse(&Secret::from(KEY))
        .and_then(|keys| keys.with_session(&Secret::from(KEY)))
        .expect("a key of 32 random bytes");
    let secret = ClientSecret::from_text(&Secret::from(SECRET));
    let grants = [GrantType::AuthorizationCode, GrantType::RefreshToken, GrantType::ClientCredentials];
    let service = Client::confidential(SERVICE, secret).redirect_uri(REDIRECT_URI).first_party();
    builder
        .keys(keys)
        .client(Client::public(CLIENT).redirect_uri(REDIRECT_URI).first_party())
        .client(service.grant_types(grants).may_introspect())
        .scope("profile", "See your name")
        .scope("read", "Read your things")
        .scope("write", "Change your things")
        .authenticator(Ada)
}

/// An authorization request by JSON, as a first-party client sends it.
pub(crate) fn authorize(client_id: &str) -> http::Request<Bytes> {
    let body = serde_json::json!({
        "client_id": client_id,
        "redirect_uri": REDIRECT_URI,
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "scope": SCOPE,
        "username": USERNAME,
        "password": "any",
    });
    post("/auth/authorize", "application/json", body.to_string())
}

pub(crate) fn redeem_form(client_id: &str, code: &str) -> String {
    format!(
        "grant_type=authorization_code&client_id={client_id}&code={code}\
         &redirect_uri=https%3A%2F%2Fapp.example%2Fcb&code_verifier={VERIFIER}"
    )
}

pub(crate) fn refresh_form(refresh_token: &str) -> String {
    format!("grant_type=refresh_token&client_id={CLIENT}&refresh_token={refresh_token}")
}

pub(crate) fn introspect_form(token: &str) -> String {
    format!("token={token}&token_type_hint=access_token")
}

pub(crate) fn form(path: &str, body: impl Into<Bytes>) -> http::Request<Bytes> {
    post(path, "application/x-www-form-urlencoded", body)
}

/// The same request, by the confidential client.
pub(crate) fn by_service(mut request: http::Request<Bytes>) -> http::Request<Bytes> {
    request.headers_mut().insert(AUTHORIZATION, basic().parse().expect("base64 is a header's text"));
    request
}

pub(crate) fn basic() -> String {
    format!("Basic {}", STANDARD.encode(format!("{SERVICE}:{SECRET}")))
}

pub(crate) fn bearer(token: &str) -> http::Request<Bytes> {
    let request = http::Request::get("/contacts").header(AUTHORIZATION, format!("Bearer {token}"));
    request.body(Bytes::new()).expect("a request of constants and a token")
}

/// A member of an answer; the answer must be a good one.
pub(crate) fn member(response: &Response, name: &str) -> String {
    let body: Value = serde_json::from_slice(response.body()).unwrap_or_default();
    let text = body.get(name).and_then(Value::as_str);
    text.unwrap_or_else(|| panic!("the answer has {name}: {response:?}")).to_owned()
}

/// A member of a JSON body.
pub(crate) fn text(body: &[u8], name: &str) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn post(path: &str, content_type: &str, body: impl Into<Bytes>) -> http::Request<Bytes> {
    let request = http::Request::post(path).header(CONTENT_TYPE, content_type);
    request.body(body.into()).expect("a request of constants")
}
