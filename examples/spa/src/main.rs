//! A single-page application, the API that it calls, and the authorization server of both, in one program.
//!
//! `cargo run -p proofkey-example-spa` starts it and prints the address to open. What matters is in `public/app.js`, and
//! `docs/spa.md` explains it.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "it says what to open")]

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use axum::routing::get;
use axum::{Json, Router};
use proofkey::axum::{Token, require_scope, routes};
use proofkey::{AsyncServer, Client, store};
use serde::Serialize;
use tokio::net::TcpListener;

mod development;
mod public;

#[derive(Serialize)]
struct Contact {
    name: &'static str,
    email: &'static str,
}

/// A route of the API: the guard has let only tokens with `contacts:read` pass.
async fn contacts(token: Token) -> Json<Vec<Contact>> {
    // A service would look into its database for this user.
    let _owner = token.subject();
    Json(vec![
        Contact { name: "Charles Babbage", email: "charles@example.com" },
        Contact { name: "Mary Somerville", email: "mary@example.com" },
    ])
}

struct Options {
    address: String,
    directory: PathBuf,
}

impl Options {
    /// `[ADDRESS] [--data DIRECTORY]`
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self { address: "127.0.0.1:8000".to_owned(), directory: "demo-data/spa".into() };
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--data" => options.directory = arguments.next().ok_or("--data takes a directory")?.into(),
                flag if flag.starts_with('-') => {
                    return Err(format!("{flag} is unknown: [ADDRESS] [--data DIRECTORY]"));
                }
                address => address.clone_into(&mut options.address),
            }
        }
        Ok(options)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let Options { address, directory } = Options::read(std::env::args().skip(1))?;
    std::fs::create_dir_all(&directory)?;
    let listener = TcpListener::bind(&address).await.map_err(|error| format!("{address}: {error}"))?;
    let origin = format!("http://{}", listener.local_addr()?);

    let server = AsyncServer::builder(&format!("{origin}/auth"))
        .store(store::open(&format!("sqlite:///{}", directory.join("auth.db").display()))?)
        .keys(development::keys(&directory)?)
        .scope("contacts:read", "See your contacts")
        .page_name("Address book")
        // As short as it can be, so that refreshes are seen; an hour is the default.
        .access_token_lifetime(Duration::from_secs(60))
        .client(
            Client::public("spa")
                .name("Address book")
                .first_party()
                .native() // because of http on a loopback address; on https it would be left out
                .redirect_uri(format!("{origin}/callback")),
        )
        .build()?;
    server.check_in().await?; // the store answers, and these are the keys that it was written with
    development::create_user(&server).await?;

    let app = Router::new()
        .route("/api/contacts", get(contacts).route_layer(require_scope(&server, "contacts:read")))
        .merge(public::files())
        .merge(routes(&server));
    println!("Sign in as {}, password: {}", development::USERNAME, development::PASSWORD);
    println!("Open {origin}/");
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}
