//! Authorization server metadata (RFC 8414): computed from what is switched on, advertising nothing else.

use http::StatusCode;
use serde::Serialize;

use crate::config::Config;
use crate::reply::{Caching, Response, json};
use crate::router::Endpoint;

#[derive(Serialize)]
struct Metadata<'a> {
    issuer: &'a str,
    authorization_endpoint: String,
    token_endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    revocation_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    introspection_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    userinfo_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scopes_supported: Vec<&'a str>,
    response_types_supported: &'static [&'static str],
    response_modes_supported: &'static [&'static str],
    grant_types_supported: &'static [&'static str],
    token_endpoint_auth_methods_supported: &'static [&'static str],
    #[serde(skip_serializing_if = "Option::is_none")]
    revocation_endpoint_auth_methods_supported: Option<&'static [&'static str]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    introspection_endpoint_auth_methods_supported: Option<&'static [&'static str]>,
    code_challenge_methods_supported: &'static [&'static str],
    authorization_response_iss_parameter_supported: bool,
}

const METHODS: &[&str] = &["none", "client_secret_basic", "client_secret_post"];
const SECRET_METHODS: &[&str] = &["client_secret_basic", "client_secret_post"];

pub(crate) fn metadata(config: &Config) -> Response {
    let url = |endpoint: Endpoint| config.endpoints.contains(&endpoint).then(|| config.issuer.url(endpoint.name()));
    let revocation = url(Endpoint::Revoke);
    let introspection = url(Endpoint::Introspect);
    let document = Metadata {
        issuer: config.issuer(),
        authorization_endpoint: config.issuer.url(Endpoint::Authorize.name()),
        token_endpoint: config.issuer.url(Endpoint::Token.name()),
        revocation_endpoint_auth_methods_supported: revocation.is_some().then_some(METHODS),
        revocation_endpoint: revocation,
        introspection_endpoint_auth_methods_supported: introspection.is_some().then_some(SECRET_METHODS),
        introspection_endpoint: introspection,
        userinfo_endpoint: url(Endpoint::Userinfo),
        scopes_supported: config
            .scopes
            .iter()
            .filter(|(_, scope)| !scope.hidden)
            .map(|(name, _)| name.as_str())
            .collect(),
        response_types_supported: &["code"],
        response_modes_supported: &["query"],
        grant_types_supported: &["authorization_code", "refresh_token", "client_credentials"],
        token_endpoint_auth_methods_supported: METHODS,
        code_challenge_methods_supported: &["S256"],
        authorization_response_iss_parameter_supported: true,
    };
    json(StatusCode::OK, Caching::Minutes, &document)
}
