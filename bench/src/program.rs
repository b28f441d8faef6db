//! The `proofkey` program as it comes, serving over memory with its log on: a client gets tokens for itself and
//! introspects them.

use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::rows::Directory;
use crate::world::{ISSUER, KEY, SECRET, SERVICE};

/// The program, and a directory with its settings.
pub(crate) struct Program {
    path: PathBuf,
    directory: Directory,
}

impl Program {
    /// The program beside the benchmark's own, if it was built.
    pub(crate) fn find() -> io::Result<Option<Self>> {
        let path = std::env::current_exe()?.with_file_name("proofkey");
        if !path.exists() {
            return Ok(None);
        }
        let directory = Directory::new("program")?;
        std::fs::write(directory.file("proofkey.toml"), settings())?;
        Ok(Some(Self { path, directory }))
    }

    /// Serves on a free port; the first line that it prints says which.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.args(["serve", "--json", "--config"]).arg(self.directory.file("proofkey.toml"));
        command.env_clear().env("OAUTH2_ENCRYPTION_KEY", KEY).env("SECRET_ENCRYPTION_KEY", KEY);
        command.env("SERVICE_SECRET", SECRET);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        command
    }
}

fn settings() -> String {
    format!(
        r#"issuer = "{ISSUER}"
store = "memory:"
[serve]
listen = "127.0.0.1:0"
[scopes]
read = "Read your things"
[[clients]]
client_id = "{SERVICE}"
client_secret_env = "SERVICE_SECRET"
grant_types = ["client_credentials"]
introspect = true
"#
    )
}
