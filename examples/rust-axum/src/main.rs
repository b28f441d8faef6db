//! An axum service that is its own authorization server.
//!
//! `cargo run -p proofkey-example-axum -- --development` starts it and prints what to try. `README.md` beside it says
//! more.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "it says where it listens, and what to try")]

use std::error::Error;
use std::net::SocketAddr;

use axum::routing::get;
use axum::{Json, Router};
use proofkey::axum::{Token, require_scope, routes, status_routes};
use proofkey::{AsyncServer, Client, Keys, store};
use serde::Serialize;
use tokio::net::TcpListener;

mod development;

#[derive(Serialize)]
struct Contact {
    name: &'static str,
    owner: String,
}

/// A route of ours: the guard has let only tokens with `contacts:read` pass.
async fn contacts(token: Token) -> Json<Vec<Contact>> {
    let owner = token.subject().unwrap_or_default().to_owned();
    Json(vec![Contact { name: "Grace", owner }])
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let development = arguments.iter().any(|argument| argument == "--development");
    let address = arguments.iter().find(|argument| !argument.starts_with("--"));
    let listener = TcpListener::bind(address.map_or("127.0.0.1:8000", String::as_str)).await?;
    let issuer = format!("http://{}/auth", listener.local_addr()?);

    let server = AsyncServer::builder(&issuer)
        .store(store::open("sqlite:///auth.db")?)
        .keys(if development { development::keys()? } else { Keys::from_env()? })
        .scope("contacts:read", "See your contacts")
        .scope("profile", "See your name")
        .client(Client::public("contacts-web").redirect_uri("https://contacts.example/callback").first_party())
        .build()?;
    server.check_in().await?; // the store answers, and these are the keys that it was written with
    if development {
        development::create_user(&server).await?;
        println!("{}", development::what_to_try(&issuer));
    }

    let app = Router::new()
        .route("/contacts", get(contacts).route_layer(require_scope(&server, "contacts:read")))
        .merge(routes(&server))
        .merge(status_routes(&server));
    println!("listening, issuer {issuer}");
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}
