//! The processes whose time is measured over HTTP: the server, and a stub that parses the form and answers a canned body.

use std::io::{self, BufRead as _, Write as _};
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::routing::post;
use clap::ValueEnum;
use proofkey::AsyncServer;
use proofkey::store::MemoryStore;
use proofkey::testing::FakeClock;

use crate::floor::Form;
use crate::world::{self, CLIENT, ISSUER, SERVICE, START, configure};

/// What a child process serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Served {
    Proofkey,
    Stub,
}

/// Serves on a port of the loopback address until its parent closes the pipe.
///
/// Prints the port. For each line with a number of codes it prints as many codes, and an access token at the end; the
/// clock goes on by an hour each time.
pub(crate) fn serve(what: Served) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    runtime.block_on(async {
        let clock = FakeClock::at(START);
        let server = server(&clock);
        let router = match what {
            Served::Proofkey => proofkey::axum::routes(&server),
            Served::Stub => stub(),
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        say(&listener.local_addr()?.port().to_string())?;
        let (orders, mut next) = tokio::sync::mpsc::channel::<usize>(1);
        std::thread::spawn(move || {
            for line in io::stdin().lock().lines().map_while(Result::ok) {
                if line.trim().parse().is_ok_and(|codes| orders.blocking_send(codes).is_err()) {
                    break;
                }
            }
        });
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        while let Some(codes) = next.recv().await {
            clock.advance(Duration::from_secs(3600));
            for _ in 0..codes {
                say(&code(&server, CLIENT).await)?;
            }
            let service = world::redeem_form(SERVICE, &code(&server, SERVICE).await);
            let redeemed = server.handle(world::by_service(world::form("/auth/token", service)), None).await;
            say(&world::member(&redeemed, "access_token"))?;
        }
        Ok(())
    })
}

fn server(clock: &FakeClock) -> AsyncServer {
    let builder = configure(AsyncServer::builder(ISSUER)).store(MemoryStore::new()).clock(clock.clone());
    builder.build().unwrap_or_else(|misuse| panic!("{misuse}"))
}

async fn code(server: &AsyncServer, client_id: &str) -> String {
    world::member(&server.handle(world::authorize(client_id), None).await, "code")
}

fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// The least that any server of these two endpoints does with axum: read the form, answer JSON of the same size.
fn stub() -> Router {
    async fn answer(body: Bytes, needed: &'static str, canned: &'static str) -> impl axum::response::IntoResponse {
        let parsed = Form::parse(&body).is_some_and(|form| form.text(needed).is_some());
        let status = if parsed { StatusCode::OK } else { StatusCode::BAD_REQUEST };
        (status, [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")], canned)
    }
    Router::new()
        .route("/auth/token", post(|body| answer(body, "grant_type", TOKENS)))
        .route("/auth/introspect", post(|body| answer(body, "token", ACTIVE)))
}

const TOKENS: &str = concat!(
    r#"{"access_token":"pfk_access_xhdl3vLRVhUsgvZcU8A2dAAAAAAeBfQxV0uJ2oJ8Fw7gkzkXkJ5b8jXh0sQ3q5mZ","#,
    r#""token_type":"Bearer","expires_in":3600,"#,
    r#""refresh_token":"pfk_refresh_xhdl3vLRVhUsgvZcU8A2dAAAAAAeBfQxV0uJ2oJ8Fw7gkzkXkJ5b8jXh0sQ3q5mZ","#,
    r#""scope":"profile read write"}"#
);
const ACTIVE: &str = concat!(
    r#"{"active":true,"scope":"profile read write","client_id":"service","username":"ada@example.com","#,
    r#""token_type":"Bearer","exp":1767272400,"iat":1767268800,"sub":"u-ada","iss":"https://as.example/auth"}"#
);
