//! The end of a sign-in in the browser: the redirect to a loopback address, caught here (RFC 8252 section 7.3).

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use serde_json::{Map, Value};

use super::exchange::{Answer, Road, escape, unescape};
use super::{SignIn, Walk};
use crate::failure::Failure;

/// Longer than a browser takes to send one line.
const LINE: Duration = Duration::from_secs(10);
const DONE: &str =
    "<!doctype html><html lang=\"en\"><title>proofkey try</title><p>Done. The rest is in the terminal.</p></html>";

/// What an authorization request begins with.
pub(super) struct Begin<'a> {
    pub(super) challenge: &'a str,
    pub(super) state: &'a str,
    pub(super) title: &'static str,
    pub(super) show: fn(&str) -> Result<(), Failure>,
}

/// A listener at the client's loopback redirect URI, on a port of its own.
pub(super) struct Callback {
    listener: TcpListener,
    redirect_uri: String,
}

impl Callback {
    /// Listens at a registered `http://127.0.0.1/path`, `[::1]` or `localhost`.
    pub(super) fn listen(registered: &str) -> Result<Self, Failure> {
        let parts = registered.strip_prefix("http://").and_then(|rest| rest.split_once('/'));
        let Some((authority, path)) = parts else {
            return Err(Failure::new(format!(
                "{registered} is no loopback address, so the browser would not come back here; try a native client \
                 (`proofkey clients add NAME --native --redirect-uri http://127.0.0.1/callback`), or give --username"
            )));
        };
        let host = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => host,
            _ => authority,
        };
        let address = if host == "localhost" { "127.0.0.1" } else { host };
        let told = |error: std::io::Error| Failure::new(format!("cannot listen on {address}: {error}"));
        let listener = TcpListener::bind(format!("{address}:0")).map_err(told)?;
        let port = listener.local_addr().map_err(told)?.port();
        Ok(Self { listener, redirect_uri: format!("http://{host}:{port}/{path}") })
    }

    /// Waits for the browser, and answers it. Requests for anything else, as a browser makes for its icon, are told that
    /// there is nothing.
    fn wait(&self) -> Result<Map<String, Value>, Failure> {
        let path = self.redirect_uri.splitn(4, '/').nth(3).unwrap_or_default().split('?').next().unwrap_or_default();
        loop {
            let (stream, _) = self.listener.accept()?;
            let Some(target) = target(&stream) else { continue };
            let (at, query) = target.split_once('?').unwrap_or((&target, ""));
            if at.trim_start_matches('/') != path {
                answer(stream, "404 Not Found", "")?;
                continue;
            }
            answer(stream, "200 OK", DONE)?;
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            return Ok(pairs.map(|(name, value)| (unescape(name), Value::from(unescape(value)))).collect());
        }
    }
}

/// The target of the request, if it is a `GET`.
fn target(stream: &TcpStream) -> Option<String> {
    stream.set_read_timeout(Some(LINE)).ok()?;
    let mut line = String::new();
    BufReader::new(std::io::Read::take(stream, 16 * 1024)).read_line(&mut line).ok()?;
    let mut words = line.split(' ');
    (words.next() == Some("GET")).then(|| words.next().map(str::to_owned)).flatten()
}

fn answer(mut stream: TcpStream, status: &str, body: &str) -> Result<(), Failure> {
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {length}\r\n\
         cache-control: no-store\r\nconnection: close\r\n\r\n{body}"
    )?;
    Ok(())
}

impl Walk {
    /// Sends somebody to the pages of the server and waits until they come back.
    pub(super) fn sign_in_by_browser(
        &self,
        road: &mut Road<'_>,
        begin: &Begin<'_>,
        verifier: String,
    ) -> Result<SignIn, Failure> {
        let callback = Callback::listen(&self.redirect_uri)?;
        let fields = [
            ("response_type", "code"),
            ("client_id", &self.client_id),
            ("redirect_uri", &callback.redirect_uri),
            ("code_challenge", begin.challenge),
            ("code_challenge_method", "S256"),
            ("state", begin.state),
            ("scope", &self.scope),
        ];
        let given = fields.iter().filter(|(_, value)| !value.is_empty());
        let query: Vec<String> = given.map(|(name, value)| format!("{name}={}", escape(value))).collect();
        (begin.show)(&format!("{}/authorize?{}", self.issuer.trim_end_matches('/'), query.join("&")))?;
        let answer = Answer { status: 303, body: callback.wait()? };
        let answer = road.arrived(begin.title, &callback.redirect_uri, answer, |answer| {
            answer.has("state", begin.state)?;
            answer.has("iss", &self.issuer)?;
            answer.text("code")
        })?;
        Ok(SignIn { code: answer.known("code"), verifier, redirect_uri: callback.redirect_uri })
    }
}
