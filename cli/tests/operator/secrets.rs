//! The log holds no secret, wherever a client puts one.

use std::net::SocketAddr;

use serde_json::json;

use crate::client::{FORM, JSON, PASSWORD, SignedIn, add_ada, form, get, job_token, post, sign_in};
use crate::place::{JOB_SECRET, Place};

#[test]
fn no_secret_reaches_the_log_whatever_clients_do_with_it() {
    let _rows = proofkey_conformance::shows(&["passwords-login-7", "secrets-log-1"]);
    let place = Place::ready("log-secrets");
    add_ada(&place);
    let server = place.serve(&["--audit-log", "audit.log"]);
    let address = server.address;
    let tokens = sign_in(address);
    let refresh = format!("grant_type=refresh_token&client_id=web&refresh_token={}", tokens.refresh_token);
    let refreshed = form(address, "/token", &refresh);
    let job = job_token(address).unwrap().text("access_token");
    let SignedIn { verifier, code, access_token, refresh_token } = tokens;
    let replay = format!(
        "grant_type=authorization_code&client_id=web&code={code}&code_verifier={verifier}\
         &redirect_uri=https%3A%2F%2Fcrm.example%2Fcallback"
    );
    let mut secrets =
        vec![verifier, code, access_token, refresh_token, job, PASSWORD.to_owned(), JOB_SECRET.to_owned()];
    secrets.extend(["access_token", "refresh_token"].map(|field| refreshed.text(field)));
    for secret in &secrets {
        put_everywhere(address, secret);
    }
    // A code that is used twice makes lines of its own.
    form(address, "/token", &replay);
    let (code, mut log) = server.stop();
    assert_eq!(code, 0);
    log.extend(place.read("audit.log").lines().map(str::to_owned));
    let log = log.join("\n");
    for event in ["code_replayed", "login_failed", "client_refused", "\"path\":\"/userinfo/...\"", "refused"] {
        assert!(log.contains(event), "{event} is not in the log, which therefore shows little: {log}");
    }
    let env = place.read("proofkey.env");
    let key = env.lines().find_map(|line| line.strip_prefix("OAUTH2_ENCRYPTION_KEY=")).unwrap();
    for secret in secrets.iter().map(String::as_str).chain([key]) {
        let half = &secret[secret.len() / 2..];
        let line = log.lines().find(|line| line.contains(half));
        assert_eq!(line, None, "{secret} is in the log");
    }
}

/// Sends a secret in every place where a client may put it, by mistake or on purpose.
fn put_everywhere(address: SocketAddr, secret: &str) {
    let encoded = secret.replace(' ', "%20");
    get(address, &format!("/userinfo?access_token={encoded}"), &[]);
    get(address, "/userinfo", &[&format!("Authorization: Bearer {secret}x")]);
    // A path or a request identifier as short as a password may be is nothing that software puts one into.
    if secret.len() > 32 {
        get(address, &format!("/userinfo/{encoded}"), &[]);
    }
    if secret.len() > 64 {
        get(address, "/health", &[&format!("X-Request-Id: {secret}")]);
    }
    for body in [
        format!("grant_type=refresh_token&client_id=web&refresh_token={encoded}x"),
        format!("grant_type=authorization_code&client_id=web&code={encoded}&code_verifier={encoded}"),
        format!("grant_type=client_credentials&client_id={encoded}&client_secret=job"),
        format!("grant_type={encoded}&client_id=web"),
        format!("{encoded}={encoded}"),
    ] {
        form(address, "/token", &body);
    }
    form(address, "/introspect", &format!("token={encoded}&client_id=job&client_secret={encoded}x"));
    post(address, "/revoke", &[FORM, "Authorization: Basic !!"], &format!("token={encoded}"));
    post(address, "/authorize", &[JSON], &format!("{{\"client_id\":\"web\",\"password\":\"{secret}\""));
    for (username, password) in [("ada@example.com", format!("{secret}x").as_str()), (secret, PASSWORD)] {
        let login = json!({
            "client_id": "web",
            "redirect_uri": "https://crm.example/callback",
            "username": username,
            "password": password,
            "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            "code_challenge_method": "S256",
            "state": secret,
            "scope": "contacts:read",
        });
        post(address, "/authorize", &[JSON], &login.to_string());
    }
}
