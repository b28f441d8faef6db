//! Runs a server over a store of our own: a user signs in, the token opens an API, and signing out closes it.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "it shows what it does")]

use std::error::Error;
use std::sync::Arc;

use proofkey::core::{ClientCredentials, CodeExchange};
use proofkey::{Client, Keys, Request, Requirement, Scope, Secret, Server, User};
use proofkey_example_own_store::Rows;
use serde_json::{Value, json};

const PASSWORD: &str = "a walk by the sea in May";
const REDIRECT_URI: &str = "https://app.example/callback";

fn main() -> Result<(), Box<dyn Error>> {
    let rows = Arc::new(Rows::default());
    let server = Server::builder("https://id.example")
        .store(Arc::clone(&rows))
        .keys(Keys::generate()?) // lost with the process, as the rows are
        .scope("reports:read", "Read the reports")
        .client(Client::public("app").redirect_uri(REDIRECT_URI).first_party())
        .build()?;
    let subject = server.create_user(User::new("ada"), Secret::from(PASSWORD))?;
    println!("a user: {} row", rows.count());

    let pair = server.pkce()?;
    let code = sign_in(&server, pair.code_challenge())?;
    let verifier = Secret::new(pair.code_verifier().expose().into());
    let exchange = CodeExchange::new(code, verifier).redirect_uri(REDIRECT_URI);
    let tokens = server.redeem(ClientCredentials::public("app"), exchange)?;
    let access_token = tokens.access_token().expose_text().unwrap_or_default();
    println!("the API says: {}", reports(&server, access_token)?);

    println!("signed out of {} grant", server.revoke_all(&subject)?);
    println!("the API says: {}", reports(&server, access_token)?);
    Ok(())
}

/// What a first-party application posts; over HTTP it would be the same bytes.
fn sign_in(server: &Server, code_challenge: &str) -> Result<Secret, Box<dyn Error>> {
    let body = json!({
        "client_id": "app", "redirect_uri": REDIRECT_URI, "scope": "reports:read",
        "code_challenge": code_challenge, "code_challenge_method": "S256",
        "username": "ada", "password": PASSWORD,
    });
    let request = http::Request::post("/authorize").header("content-type", "application/json");
    let answer = server.handle(request.body(body.to_string().into())?, None);
    let answer: Value = serde_json::from_slice(answer.body())?;
    Ok(Secret::from(answer["code"].as_str().ok_or_else(|| format!("no code: {answer}"))?))
}

/// A route of our own that asks for a token.
fn reports(server: &Server, access_token: &str) -> Result<String, Box<dyn Error>> {
    let request = http::Request::get("/reports").header("authorization", format!("Bearer {access_token}"));
    let request = Request::new(request.body(Default::default())?, None);
    Ok(match server.check_access(request, Requirement::scope(Scope::parse("reports:read")?)) {
        Ok(token) => format!("reports for {}", token.client_id()),
        Err(refusal) => format!("{} {}", refusal.status().as_u16(), refusal.code()),
    })
}
