//! Operations of the client `web` as words, and processes that perform them.

use std::fmt;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::str::FromStr;

use proofkey::Server;
use serde_json::Value;

use crate::world::encode;
use crate::{REDIRECT_URI, Reply, VERIFIER, assert_well_formed};

/// What an operation came to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Performed {
    /// The HTTP status.
    pub status: u16,
    /// The access token, if one was given.
    pub access: Option<String>,
    /// The refresh token, if one was given.
    pub refresh: Option<String>,
    /// The code of the error body, if there was one.
    pub error: Option<String>,
}

impl fmt::Display for Performed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |token: &Option<String>| token.clone().unwrap_or_else(|| "-".to_owned());
        let (access, refresh, error) = (word(&self.access), word(&self.refresh), word(&self.error));
        write!(f, "{} {access} {refresh} {error}", self.status)
    }
}

impl FromStr for Performed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words: Vec<_> = text.split(' ').collect();
        let [status, access, refresh, error] = *words else { return Err(text.to_owned()) };
        let token = |word: &str| (word != "-").then(|| word.to_owned());
        let status = status.parse().map_err(|_| text.to_owned())?;
        Ok(Self { status, access: token(access), refresh: token(refresh), error: token(error) })
    }
}

/// Performs one operation: `redeem`, `refresh`, `revoke` or `check` with a code or token.
///
/// # Panics
/// If there is no such operation, or the answer is not well formed.
#[must_use]
pub fn perform(server: &Server, operation: &str, token: &str) -> Performed {
    let (path, fields) = match operation {
        "redeem" => (
            "/auth/token",
            vec![
                ("grant_type", "authorization_code"),
                ("code", token),
                ("redirect_uri", REDIRECT_URI),
                ("code_verifier", VERIFIER),
            ],
        ),
        "refresh" => ("/auth/token", vec![("grant_type", "refresh_token"), ("refresh_token", token)]),
        "revoke" => ("/auth/revoke", vec![("token", token)]),
        "check" => ("/auth/userinfo", Vec::new()),
        other => panic!("there is no operation {other:?}"),
    };
    let request = if fields.is_empty() {
        http::Request::get(path).header("authorization", format!("Bearer {token}")).body(bytes::Bytes::new())
    } else {
        let fields: Vec<_> = fields.into_iter().chain([("client_id", "web")]).collect();
        let request = http::Request::post(path).header("content-type", "application/x-www-form-urlencoded");
        request.body(encode(&fields).into())
    };
    let reply: Reply = server.handle(request.unwrap_or_else(|error| panic!("a request: {error}")), None).into();
    assert_well_formed(&reply, operation);
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    let (access, refresh, error) = (text("access_token"), text("refresh_token"), text("error"));
    Performed { status: reply.status.as_u16(), access, refresh, error }
}

/// A `worker` process.
pub struct WorkerProcess {
    child: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl WorkerProcess {
    /// Starts one on a SQLite file.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start(program: &str, file: &Path, threads: usize) -> Self {
        Self::spawn(Command::new(program).arg(file).arg(threads.to_string()))
    }

    /// Starts what a command says, which must come to a `worker`.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn spawn(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("the worker starts: {error}"));
        let orders = child.stdin.take();
        let answers = child.stdout.take().unwrap_or_else(|| panic!("the worker answers"));
        Self { child, orders, answers: BufReader::new(answers) }
    }

    /// Orders an operation; whether the process took it.
    pub fn order(&mut self, number: usize, operation: &str, token: &str) -> bool {
        let line = format!("{number} {operation} {token}\n");
        self.orders.as_mut().is_some_and(|orders| orders.write_all(line.as_bytes()).is_ok())
    }

    /// The next answer: the number of its order, and what it came to. Nothing when the process has ended.
    pub fn answer(&mut self) -> Option<(usize, Performed)> {
        let mut line = String::new();
        let read = self.answers.read_line(&mut line).unwrap_or(0);
        // A line without its end was cut off by the death of the process: it acknowledges nothing.
        if read == 0 || !line.ends_with('\n') {
            return None;
        }
        let (number, performed) = line.trim_end().split_once(' ')?;
        Some((number.parse().ok()?, performed.parse().ok()?))
    }

    /// Has the process end when it has answered everything.
    pub fn end(&mut self) {
        self.orders = None;
        let _ = self.child.wait();
    }

    /// Kills the process as it stands (SIGKILL).
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for WorkerProcess {
    fn drop(&mut self) {
        self.orders = None;
        self.kill();
    }
}
