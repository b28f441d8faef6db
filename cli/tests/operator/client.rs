//! An HTTP/1.1 client that sends what it is told, byte for byte, and the flows that the tests walk.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use proofkey::{Keys, Secret, Server, User};
use serde_json::{Value, json};

use crate::place::{JOB_SECRET, PATIENCE, Place};

pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// An HTTP answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    /// Reads an answer to the end of the connection; nothing if it ends without one.
    pub(crate) fn read(mut stream: &TcpStream) -> Option<Self> {
        let mut bytes = Vec::new();
        // A reset behind a whole answer is the server's way not to read on.
        let _ = stream.read_to_end(&mut bytes);
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some(Self { status, head: head.to_owned(), body: body.to_owned() })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        fields.into_iter().find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn text(&self, field: &str) -> String {
        self.json()[field].as_str().unwrap_or_else(|| panic!("no {field}: {self:?}")).to_owned()
    }
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Sends bytes and reads the answer.
pub(crate) fn send(address: SocketAddr, bytes: &str) -> Option<Answer> {
    let mut stream = connect(address);
    // The server may refuse before it has read all.
    let _ = stream.write_all(bytes.as_bytes());
    Answer::read(&stream)
}

/// A whole request, with further header lines.
pub(crate) fn request(method: &str, path: &str, headers: &[&str], body: &str) -> String {
    let headers: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    )
}

pub(crate) const FORM: &str = "Content-Type: application/x-www-form-urlencoded";
pub(crate) const JSON: &str = "Content-Type: application/json";

pub(crate) fn get(address: SocketAddr, path: &str, headers: &[&str]) -> Answer {
    send(address, &request("GET", path, headers, "")).unwrap()
}

pub(crate) fn post(address: SocketAddr, path: &str, headers: &[&str], body: &str) -> Answer {
    send(address, &request("POST", path, headers, body)).unwrap()
}

pub(crate) fn form(address: SocketAddr, path: &str, body: &str) -> Answer {
    post(address, path, &[FORM], body)
}

/// A token of the job for itself.
pub(crate) fn job_token(address: SocketAddr) -> Option<Answer> {
    let body = format!("grant_type=client_credentials&client_id=job&client_secret={JOB_SECRET}&scope=contacts:read");
    send(address, &request("POST", "/token", &[FORM], &body))
}

pub(crate) fn is_active(address: SocketAddr, token: &str) -> bool {
    let body = format!("token={token}&client_id=job&client_secret={JOB_SECRET}");
    let answer = form(address, "/introspect", &body);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["active"] == true
}

/// Puts the user into the store of a directory, by the library and the directory's own keys.
pub(crate) fn add_ada(place: &Place) {
    let keys = place.read("proofkey.env");
    let list = keys.lines().find_map(|line| line.strip_prefix("OAUTH2_ENCRYPTION_KEY=")).unwrap();
    let store = format!("sqlite:///{}", place.path("auth.db").display());
    let server = Server::builder("http://127.0.0.1:1").set("store", &store).set("password_cost", "10");
    let server = server
        .keys(Keys::parse(&Secret::from(list)).unwrap().with_session(&Secret::from(list)).unwrap())
        .build()
        .unwrap();
    server.create_user(User::new("ada@example.com"), Secret::from(PASSWORD)).unwrap();
}

/// What a sign-in leaves: all of it secret.
pub(crate) struct SignedIn {
    pub(crate) verifier: String,
    pub(crate) code: String,
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
}

/// Ada signs in through the first-party client.
pub(crate) fn sign_in(address: SocketAddr) -> SignedIn {
    let challenge = post(address, "/challenge", &[JSON], "{}");
    let body = json!({
        "client_id": "web",
        "redirect_uri": "https://crm.example/callback",
        "code_challenge": challenge.text("code_challenge"),
        "code_challenge_method": "S256",
        "state": "xyz",
        "scope": "contacts:read",
        "username": "ada@example.com",
        "password": PASSWORD,
    });
    let authorized = post(address, "/authorize", &[JSON], &body.to_string());
    let (code, verifier) = (authorized.text("code"), challenge.text("code_verifier"));
    let exchange = format!(
        "grant_type=authorization_code&client_id=web&code={code}&code_verifier={verifier}\
         &redirect_uri=https%3A%2F%2Fcrm.example%2Fcallback"
    );
    let tokens = form(address, "/token", &exchange);
    assert_eq!(tokens.status, 200, "{tokens:?}");
    SignedIn { verifier, code, access_token: tokens.text("access_token"), refresh_token: tokens.text("refresh_token") }
}
