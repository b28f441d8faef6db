//! Authorization server metadata (RFC 8414): computed from what is switched on, advertising nothing else.

use http::StatusCode;
use serde::Serialize;

use crate::config::Config;
use crate::reply::{Caching, Response, json};
use crate::router::Endpoint;

#[derive(Serialize)]
struct Metadata<'a> {
    issuer: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revocation_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    introspection_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    userinfo_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scopes_supported: Vec<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    response_types_supported: &'static [&'static str],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    response_modes_supported: &'static [&'static str],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    grant_types_supported: Vec<&'static str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    token_endpoint_auth_methods_supported: &'static [&'static str],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    revocation_endpoint_auth_methods_supported: &'static [&'static str],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    introspection_endpoint_auth_methods_supported: &'static [&'static str],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    code_challenge_methods_supported: &'static [&'static str],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ui_locales_supported: Vec<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    authorization_response_iss_parameter_supported: bool,
}

const METHODS: &[&str] = &["none", "client_secret_basic", "client_secret_post"];
const SECRET_METHODS: &[&str] = &["client_secret_basic", "client_secret_post"];

/// What is said of an endpoint only where it is switched on; empty lists are left out (RFC 8414 section 3.2).
const fn of(switched_on: bool, list: &'static [&'static str]) -> &'static [&'static str] {
    if switched_on { list } else { &[] }
}

pub(crate) fn metadata(config: &Config) -> Response {
    let url = |endpoint: Endpoint| config.endpoints.contains(&endpoint).then(|| config.issuer.url(endpoint.name()));
    let (authorization, token) = (url(Endpoint::Authorize), url(Endpoint::Token));
    let (revocation, introspection) = (url(Endpoint::Revoke), url(Endpoint::Introspect));
    let (authorizes, gives_tokens) = (authorization.is_some(), token.is_some());
    // Where the host shows its own login page, the languages are its own too.
    let shows_pages = authorizes && config.settings.login_url.is_none();
    let grant_types = [
        ("authorization_code", authorizes && gives_tokens),
        ("refresh_token", gives_tokens),
        ("client_credentials", gives_tokens),
    ];
    let document = Metadata {
        issuer: config.issuer(),
        authorization_endpoint: authorization,
        token_endpoint: token,
        revocation_endpoint_auth_methods_supported: of(revocation.is_some(), METHODS),
        revocation_endpoint: revocation,
        introspection_endpoint_auth_methods_supported: of(introspection.is_some(), SECRET_METHODS),
        introspection_endpoint: introspection,
        userinfo_endpoint: url(Endpoint::Userinfo),
        scopes_supported: config
            .scopes
            .iter()
            .filter(|(_, scope)| !scope.hidden)
            .map(|(name, _)| name.as_str())
            .collect(),
        response_types_supported: of(authorizes, &["code"]),
        response_modes_supported: of(authorizes, &["query"]),
        grant_types_supported: grant_types.into_iter().filter(|(_, on)| *on).map(|(name, _)| name).collect(),
        token_endpoint_auth_methods_supported: of(gives_tokens, METHODS),
        code_challenge_methods_supported: of(authorizes, &["S256"]),
        ui_locales_supported: if shows_pages { config.languages.tags().collect() } else { Vec::new() },
        authorization_response_iss_parameter_supported: authorizes,
    };
    json(StatusCode::OK, Caching::Minutes, &document)
}
