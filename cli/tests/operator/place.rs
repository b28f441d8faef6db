//! A directory of one test, the binary run in it, and a server that runs there.

use std::io::{BufRead, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

/// Longer than anything here takes: a test that waits for it in vain fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Settings under which a server starts: loopback issuer, a free port, a store in the directory, cheap hashes.
pub(crate) const SETTINGS: &str = "\
issuer = \"http://127.0.0.1:1\"
store = \"sqlite:///auth.db\"
password_cost = 10
[serve]
listen = \"127.0.0.1:0\"
[scopes]
\"contacts:read\" = \"See your contacts\"
[[clients]]
client_id = \"web\"
redirect_uris = [\"https://crm.example/callback\"]
first_party = true
[[clients]]
client_id = \"job\"
client_secret_env = \"JOB_SECRET\"
token_endpoint_auth_method = \"client_secret_post\"
grant_types = [\"client_credentials\"]
introspect = true
";
/// Of the form that `clients add` generates, so it is checked without touching a limit.
pub(crate) const JOB_SECRET: &str = "pfk_secret_XoyZAiB6-utxIEMMWFpEXyHpKTIIHWS8mfgOSSW8sAI";

/// A directory, removed at the end of the test.
pub(crate) struct Place(PathBuf);

/// How a command ended.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A command that runs.
pub(crate) struct Begun {
    child: Child,
    lines: Receiver<String>,
}

impl Begun {
    /// The next line of its error stream that contains a text.
    pub(crate) fn line_with(&self, text: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no line with {text}"));
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Waits for its end.
    pub(crate) fn end(self) -> Run {
        let output = self.child.wait_with_output().unwrap();
        Run { stderr: self.lines.iter().collect::<Vec<_>>().join("\n"), ..Run::of(output) }
    }
}

impl Run {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", self.stdout, self.stderr))
    }

    /// Setting, source and problem of everything that is wrong; the command ran with `--json`.
    pub(crate) fn errors(&self) -> Vec<[String; 3]> {
        // A server has logged before.
        let last = self.stderr.lines().last().unwrap_or_default();
        let value: Value = serde_json::from_str(last).unwrap_or_else(|_| panic!("{}{}", self.stdout, self.stderr));
        let text = |error: &Value, name: &str| error[name].as_str().unwrap_or_default().to_owned();
        let errors = value["errors"].as_array().unwrap();
        errors.iter().map(|error| ["setting", "source", "problem"].map(|name| text(error, name))).collect()
    }

    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.code, 0, "{}{}", self.stdout, self.stderr);
        self
    }
}

impl Place {
    /// An empty directory; `name` tells the tests apart.
    pub(crate) fn empty(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// A directory with settings and keys under which a server starts.
    pub(crate) fn ready(name: &str) -> Self {
        let place = Self::empty(name);
        place.write("proofkey.toml", SETTINGS);
        let keys = proofkey::Keys::generate().unwrap();
        let (list, session) = (keys.encryption_text(), keys.session_text());
        let (list, session) = (list.expose_text().unwrap(), session.expose_text().unwrap());
        let keys = format!("OAUTH2_ENCRYPTION_KEY={list}\nSECRET_ENCRYPTION_KEY={session}\n");
        place.write_private("proofkey.env", &format!("# kept\n{keys}JOB_SECRET={JOB_SECRET}\n"));
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn write_private(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        self.write(name, text);
        std::fs::set_permissions(self.path(name), std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    pub(crate) fn mode(&self, name: &str) -> u32 {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::metadata(self.path(name)).unwrap().permissions().mode() & 0o777
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.run_with(&[], arguments)
    }

    /// Runs the binary with these variables and no others.
    pub(crate) fn run_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Run {
        Run::of(self.command(arguments).envs(variables.iter().copied()).stdin(Stdio::null()).output().unwrap())
    }

    /// Runs the binary with this text on its standard input.
    pub(crate) fn run_fed(&self, input: &str, arguments: &[&str]) -> Run {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that reads nothing may be gone already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        Run::of(child.wait_with_output().unwrap())
    }

    /// Starts the binary, and goes on while it runs.
    pub(crate) fn begin(&self, arguments: &[&str]) -> Begun {
        let mut command = self.command(arguments);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Begun { child, lines }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_proofkey"));
        command.args(arguments).env_clear().current_dir(&self.0);
        command
    }

    /// Starts a server and waits until it listens.
    pub(crate) fn serve(&self, arguments: &[&str]) -> Served {
        let mut command = self.command(&["serve", "--json"]);
        let mut child = command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let Ok(start) = serde_json::from_str::<Value>(&first) else {
            panic!("the server did not start: {:?}", lines.iter().collect::<Vec<_>>())
        };
        let address = start["listen"].as_str().unwrap().parse().unwrap();
        Served { child, address, start, lines, log: Vec::new() }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A running server; killed if a test fails before it is stopped.
pub(crate) struct Served {
    child: Child,
    pub(crate) address: SocketAddr,
    /// What it said at the start.
    pub(crate) start: Value,
    lines: Receiver<String>,
    log: Vec<String>,
}

impl Served {
    /// The next line of the log that is as wanted.
    pub(crate) fn wait_for(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|error| panic!("{error}; the log until then: {:#?}", self.log));
            let value: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
            self.log.push(line);
            if wanted(&value) {
                return value;
            }
        }
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    /// Stops the server and returns its exit code and its whole log.
    pub(crate) fn stop(self) -> (i32, Vec<String>) {
        self.signal("TERM");
        self.ended()
    }

    /// Waits until the server has ended; the log ends with it.
    pub(crate) fn ended(mut self) -> (i32, Vec<String>) {
        let mut log = std::mem::take(&mut self.log);
        log.extend(self.lines.iter());
        (self.child.wait().unwrap().code().unwrap_or(-1), log)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
