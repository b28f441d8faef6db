//! Starts the example and runs what it prints.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A running example in a directory of its own; both end with the test.
struct Example {
    process: Child,
    directory: PathBuf,
}

impl Example {
    fn start(name: &str) -> Self {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&directory);
        std::fs::create_dir_all(&directory).unwrap();
        Self { process: run(&directory, &["--development", "127.0.0.1:0"]), directory }
    }

    /// What it prints until it listens.
    fn printed(&mut self) -> String {
        let lines = BufReader::new(self.process.stdout.take().unwrap()).lines().map(Result::unwrap);
        lines.take_while(|line| !line.starts_with("listening")).collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn run(directory: &Path, arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_proofkey-example-axum"));
    command
        .args(arguments)
        .current_dir(directory)
        .env_remove("OAUTH2_ENCRYPTION_KEY")
        .env_remove("PROOFKEY_ENCRYPTION_KEYS");
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn the_commands_it_prints_walk_the_flow_from_sign_in_to_revocation() {
    let mut example = Example::start("walk");
    let printed = example.printed();
    let (_, commands) = printed.split_once("\n\n").unwrap();
    let walked = Command::new("sh").arg("-euc").arg(commands).output().unwrap();
    let (said, complaints) = (String::from_utf8(walked.stdout).unwrap(), String::from_utf8(walked.stderr).unwrap());
    assert!(walked.status.success(), "{said}\n{complaints}");
    let [contacts, userinfo, refused] = *said.lines().collect::<Vec<_>>() else { panic!("{said}\n{complaints}") };
    assert!(contacts.starts_with(r#"[{"name":"Grace","owner":""#), "{contacts}");
    assert!(
        userinfo.contains(r#""name":"Ada L.""#) && userinfo.contains(r#""scope":"contacts:read profile""#),
        "{userinfo}"
    );
    assert!(refused.contains(r#""error":"invalid_token""#), "{refused}");
}

#[test]
fn without_keys_and_without_the_word_development_it_does_not_start() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no-keys");
    std::fs::create_dir_all(&directory).unwrap();
    let mut process = run(&directory, &["127.0.0.1:0"]);
    let mut complaint = String::new();
    process.stderr.take().unwrap().read_to_string(&mut complaint).unwrap();
    assert!(!process.wait().unwrap().success());
    assert!(complaint.contains("OAUTH2_ENCRYPTION_KEY") && complaint.contains("proofkey keys generate"), "{complaint}");
    assert!(std::fs::read_dir(&directory).unwrap().next().is_none(), "it left a file behind");
    std::fs::remove_dir_all(&directory).unwrap();
}
