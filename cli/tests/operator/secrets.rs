//! The log holds no secret, wherever a client puts one.

use crate::client::{FORM, JSON, PASSWORD, add_ada, form, get, job_token, post, sign_in};
use crate::place::{JOB_SECRET, Place};

#[test]
fn no_secret_reaches_the_log_whatever_clients_do_with_it() {
    let place = Place::ready("log-secrets");
    add_ada(&place);
    let server = place.serve(&["--audit-log", "audit.log"]);
    let address = server.address;
    let tokens = sign_in(address);
    let refreshed = form(
        address,
        "/token",
        &format!("grant_type=refresh_token&client_id=web&refresh_token={}", tokens.refresh_token),
    );
    let job = job_token(address).unwrap().text("access_token");
    let secrets = [
        tokens.verifier.clone(),
        tokens.code.clone(),
        tokens.access_token.clone(),
        tokens.refresh_token.clone(),
        refreshed.text("access_token"),
        refreshed.text("refresh_token"),
        job,
    ];
    for secret in secrets.iter().map(String::as_str).chain([PASSWORD, JOB_SECRET]) {
        let encoded = secret.replace(' ', "%20");
        // In the query, in the path, as a request identifier, as a bearer token, as every parameter, in broken JSON.
        get(address, &format!("/userinfo?access_token={encoded}"), &[]);
        if secret.len() > 32 {
            get(address, &format!("/userinfo/{encoded}"), &[]);
        }
        get(address, "/userinfo", &[&format!("Authorization: Bearer {secret}x")]);
        if secret.len() > 64 {
            get(address, "/health", &[&format!("X-Request-Id: {secret}")]);
        }
        form(address, "/token", &format!("grant_type=refresh_token&client_id=web&refresh_token={encoded}x"));
        form(address, "/token", &format!("grant_type={encoded}&client_id=web"));
        form(
            address,
            "/token",
            &format!("grant_type=authorization_code&client_id=web&code={encoded}&code_verifier={encoded}"),
        );
        form(address, "/introspect", &format!("token={encoded}&client_id=job&client_secret={encoded}x"));
        post(address, "/revoke", &[FORM, "Authorization: Basic !!"], &format!("token={encoded}"));
        post(address, "/authorize", &[JSON], &format!("{{\"client_id\":\"web\",\"password\":\"{secret}\""));
        let login = serde_json::json!({"client_id": "web", "redirect_uri": "https://crm.example/callback", "username": "ada@example.com",
            "password": format!("{secret}x"), "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256", "state": secret, "scope": "contacts:read"});
        post(address, "/authorize", &[JSON], &login.to_string());
    }
    // A code that is used twice, and a token that was rotated, make their own lines.
    form(
        address,
        "/token",
        &format!(
            "grant_type=authorization_code&client_id=web&code={}&code_verifier={}&redirect_uri=https%3A%2F%2Fcrm.example%2Fcallback",
            tokens.code, tokens.verifier
        ),
    );
    let (code, mut log) = server.stop();
    assert_eq!(code, 0);
    log.extend(place.read("audit.log").lines().map(str::to_owned));
    let log = log.join("\n");
    for event in ["code_replayed", "login_failed", "client_refused", "\"path\":\"/userinfo/...\"", "refused"] {
        assert!(log.contains(event), "{event} is not in the log, which therefore shows little: {log}");
    }
    let env = place.read("proofkey.env");
    let key = env.lines().find_map(|line| line.strip_prefix("OAUTH2_ENCRYPTION_KEY=")).unwrap();
    for secret in secrets.iter().map(String::as_str).chain([PASSWORD, JOB_SECRET, key]) {
        assert!(!log.contains(secret), "{secret} is in the log");
        let part = &secret[secret.len() / 2..];
        assert!(!log.contains(part), "a part of {secret} is in the log");
    }
}
