//! A service that signs people in on a page of its own, with a password and a code, and lets proofkey do the rest.
//!
//! `cargo run -p proofkey-example-own-login` starts it and prints what to open. `docs/own-login.md` explains it.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "it says what to open")]

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{FromRef, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use axum::{Form, Router};
use proofkey::axum::{Pending, approve, deny, routes};
use proofkey::{AsyncServer, Authentication, Client, Clock as _, Keys, SystemClock, UnixTime, store};
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;

use crate::accounts::Accounts;
use crate::sessions::{Session, Sessions, Stage};

mod accounts;
mod development;
mod pages;
mod sessions;
mod totp;

#[derive(Clone)]
struct App {
    server: AsyncServer,
    accounts: Arc<Accounts>,
    sessions: Arc<Sessions>,
}

/// [`Pending`] asks the server.
impl FromRef<App> for AsyncServer {
    fn from_ref(app: &App) -> Self {
        app.server.clone()
    }
}

#[derive(Deserialize)]
struct Password {
    email: String,
    password: String,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

/// Where `GET /authorize` sends the browser. Whoever is signed in already goes on at once.
async fn arrive(State(app): State<App>, Pending(pending): Pending, headers: HeaderMap) -> Response {
    let session = app.sessions.at(Stage::SignedIn, &headers, now());
    let enough = |session: &Session| !pending.must_login_again(UnixTime::from_seconds(session.since));
    match session.filter(enough) {
        Some(session) => app.go_on(pending, &session).await,
        None if pending.is_silent() => deny(&app.server, pending).await,
        None => pages::password(&pending, None),
    }
}

/// The password, which leads to the code.
async fn password(
    State(app): State<App>,
    Pending(pending): Pending,
    headers: HeaderMap,
    Form(typed): Form<Password>,
) -> Response {
    let accounts = Arc::clone(&app.accounts);
    let look = move || accounts.with_password(&typed.email, &typed.password, now()).map(|account| account.id);
    let Ok(Some(id)) = spawn_blocking(look).await else { return pages::password(&pending, Some(pages::WRONG)) };
    let session = Session { subject: id.to_owned(), stage: Stage::Password, since: now() };
    let Ok(cookie) = app.sessions.start(&headers, session) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    ([(SET_COOKIE, cookie)], to("/signin/code", &pending)).into_response()
}

async fn ask_code(Pending(pending): Pending) -> Response {
    pages::code(&pending, None)
}

/// The code, after which somebody is signed in: here, and for the client that asked.
async fn code(
    State(app): State<App>,
    Pending(pending): Pending,
    headers: HeaderMap,
    Form(typed): Form<Code>,
) -> Response {
    let Some(Session { subject, .. }) = app.sessions.at(Stage::Password, &headers, now()) else {
        return to("/signin", &pending);
    };
    if !app.accounts.has_code(&subject, typed.code.trim(), now()) {
        return pages::code(&pending, Some(pages::WRONG));
    }
    let session = Session { subject, stage: Stage::SignedIn, since: now() };
    let Ok(cookie) = app.sessions.start(&headers, session.clone()) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let response = app.go_on(pending, &session).await;
    ([(SET_COOKIE, cookie)], response).into_response()
}

impl App {
    /// Tells proofkey who it is: the answer leads to the consent page, or back to the client with a code.
    async fn go_on(&self, pending: proofkey::Pending, session: &Session) -> Response {
        let signed_in_at = UnixTime::from_seconds(session.since);
        let authentication = Authentication::new(&session.subject, signed_in_at).amr(["pwd", "otp"]);
        approve(&self.server, pending, authentication).await
    }
}

/// To another of our pages, with the request.
fn to(page: &str, pending: &proofkey::Pending) -> Response {
    Redirect::to(&format!("{page}?request={}", pending.request_value())).into_response()
}

fn now() -> u64 {
    SystemClock::default().now().seconds()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8000".to_owned());
    let listener = TcpListener::bind(address).await?;
    let issuer = format!("http://{}/auth", listener.local_addr()?);

    let accounts = Arc::new(Accounts::new(vec![development::ada()]));
    let server = AsyncServer::builder(&issuer)
        .login_url("/signin")
        .users(Arc::clone(&accounts))
        // A service that lives longer: `store::open("sqlite:///auth.db")`, and `Keys::from_env()`.
        .store(store::open("memory:")?)
        .keys(Keys::generate()?)
        .scope("contacts:read", "See your contacts")
        .client(Client::public("crm").name("The CRM").redirect_uri("https://crm.example/callback").first_party())
        .client(Client::public("partner").name("A partner").redirect_uri("https://partner.example/callback"))
        .build()?;

    let app = App { server: server.clone(), accounts, sessions: Arc::default() };
    let app = Router::new()
        .route("/signin", get(arrive).post(password))
        .route("/signin/code", get(ask_code).post(code))
        .with_state(app)
        .merge(routes(&server));
    println!("{}", development::what_to_open(&issuer));
    println!("listening, issuer {issuer}");
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}
