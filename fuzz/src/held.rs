//! What everybody holds before a request: made once, the same in every process.

use std::sync::LazyLock;

use proofkey_core::{Core, UserSource};
use proofkey_tests::{
    CHALLENGE, Held, NEW_PASSWORD, PASSWORD, REDIRECT_URI, Rows, SERVICE_URI, THIRD_URI, VERIFIER, core_with, secret_of,
};

/// A store, what clients and browsers hold of it, and servers over it.
pub(crate) struct Start {
    pub(crate) rows: Rows,
    pub(crate) held: Held,
    /// Servers of the same keys: one that finds users, one whose host verifies passwords, one with every endpoint
    /// behind a proxy, one with a login page of the host's own, one that keeps its users itself.
    pub(crate) cores: [Core; 5],
    /// Values that mean something somewhere.
    pub(crate) values: Vec<String>,
    /// Those that nobody else may see.
    pub(crate) secrets: Vec<String>,
}

pub(crate) fn start() -> &'static Start {
    static START: LazyLock<Start> = LazyLock::new(Start::new);
    &START
}

impl Start {
    fn new() -> Self {
        let (rows, held) = Held::ready(proofkey_tests::Keeper::Host);
        let endpoints = "authorize token refresh revoke introspect userinfo me challenge forgot";
        let cores = [
            core_with(UserSource::Find, 4, &[("endpoints", endpoints)]),
            core_with(UserSource::Authenticate, 4, &[]),
            core_with(UserSource::Find, 4, &[("trusted_proxies", "192.0.2.0/24"), ("endpoints", endpoints)]),
            core_with(UserSource::Authenticate, 4, &[("login_url", "/signin")]),
            core_with(UserSource::BuiltIn, 4, &[]),
        ];
        let opened = &held.opened;
        let clients = ["service", "poster", "shop", "chosen", "api", "inspector", "portal"];
        let cookies = [&opened.cookies, &opened.elsewhere, &opened.stranger];
        let tokens = [
            &held.code,
            &held.web.access,
            &held.web.refresh,
            &held.portal.access,
            &held.portal.refresh,
            &opened.tokens.access,
            &opened.tokens.refresh,
            &opened.tokens_elsewhere.access,
            &opened.tokens_elsewhere.refresh,
        ];
        let mut secrets: Vec<String> = tokens.into_iter().cloned().collect();
        secrets.extend(cookies.iter().flat_map(|line| line.split("; ")).map(|pair| {
            let (_, value) = pair.split_once('=').unwrap_or_default();
            value.to_owned()
        }));
        secrets.extend(clients.map(secret_of));
        secrets.extend([PASSWORD, NEW_PASSWORD, VERIFIER].map(str::to_owned));
        secrets.push(opened.reset.clone());
        let mut values = secrets.clone();
        values.extend(cookies.into_iter().cloned());
        values.extend(opened.consent.clone());
        values.extend(
            [&opened.login, &opened.applications, &opened.session, &opened.logout, &opened.password].map(String::clone),
        );
        values.extend(clients.map(|id| proofkey_tests::basic(id, &secret_of(id))));
        values.extend([&held.web.access, &held.portal.access].map(|token| format!("Bearer {token}")));
        values.extend(WORDS.map(str::to_owned));
        Self { rows, held, cores, values, secrets }
    }

    /// What belongs into a parameter of this name.
    pub(crate) fn right(&self, name: &str) -> &str {
        let (held, opened) = (&self.held, &self.held.opened);
        match name {
            "client_id" => "web",
            "client_secret" => "pfk_secret_cG9zdGVycG9zdGVycG9zdGVycG9zdGVycG9zdGVycG8",
            "code" => &held.code,
            "code_challenge" => CHALLENGE,
            "code_challenge_method" => "S256",
            "code_verifier" => VERIFIER,
            "grant_type" => "authorization_code",
            "redirect_uri" => REDIRECT_URI,
            "refresh_token" => &held.web.refresh,
            "response_type" => "code",
            "scope" => "read",
            "state" => "af0ifjsldkj",
            "token" => &held.web.access,
            "username" | "email" | "login_hint" => "ada@example.com",
            "password" | "current_password" => PASSWORD,
            "new_password" => NEW_PASSWORD,
            "resource" => "https://api.example/",
            "request" => &opened.login,
            "form_token" => &opened.applications,
            "decision" => "allow",
            "action" => "withdraw",
            "session" => &opened.session,
            "end_others" => "yes",
            _ => "1",
        }
    }
}

/// Names of parameters, those of the endpoints and those of the pages.
pub(crate) const NAMES: [&str; 36] = [
    "access_token",
    "action",
    "client_id",
    "client_secret",
    "code",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "current_password",
    "decision",
    "email",
    "end_others",
    "form_token",
    "grant_type",
    "login_hint",
    "max_age",
    "new_password",
    "password",
    "prompt",
    "redirect_uri",
    "refresh_token",
    "request",
    "resource",
    "response_mode",
    "response_type",
    "scope",
    "session",
    "state",
    "token",
    "token_type_hint",
    "ui_locales",
    "username",
    "done",
    "purpose",
    "nonce",
    "switch",
];

/// Those whose value is the sender's secret.
pub(crate) const SECRET_NAMES: [&str; 9] = [
    "access_token",
    "client_secret",
    "code",
    "code_verifier",
    "current_password",
    "new_password",
    "password",
    "refresh_token",
    "token",
];

const WORDS: [&str; 62] = [
    "web",
    "other",
    "third",
    "brief",
    "modern",
    "reader",
    "native",
    "scoped",
    "bound",
    "short",
    "service",
    "poster",
    "shop",
    "tool",
    "chosen",
    "api",
    "inspector",
    "portal",
    "stored",
    "ada@example.com",
    "bob",
    "u-ada",
    "nobody",
    REDIRECT_URI,
    SERVICE_URI,
    THIRD_URI,
    "http://127.0.0.1:51004/cb",
    "com.example.app:/cb",
    "https://evil.example/cb",
    "https://shop.example/cb?tenant=7",
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "code",
    "token",
    CHALLENGE,
    "S256",
    "plain",
    "read",
    "write",
    "read write profile email internal",
    "admin",
    "https://api.example/",
    "https://files.example/",
    "none",
    "login",
    "consent",
    "login consent",
    "select_account",
    "0",
    "1",
    "3600",
    "18446744073709551615",
    "-1",
    "query",
    "fragment",
    "fr de-DE;q=0.9",
    "allow",
    "deny",
    "withdraw",
    "end_session",
    "sign_out_everywhere",
];
