//! A new file that holds one secret and that nobody else can read.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use proofkey::Secret;

use crate::failure::Failure;

/// The file, which is removed again unless it is kept: what its secret was made for may fail.
pub(crate) struct SecretFile {
    path: PathBuf,
    kept: bool,
}

impl SecretFile {
    /// Writes a secret to a file that must not exist yet.
    pub(crate) fn create(path: PathBuf, secret: &Secret) -> Result<Self, Failure> {
        let told = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => {
                Failure::new(format!("{} exists, and is not overwritten; move it away first", path.display()))
            }
            _ => Failure::new(format!("{}: {error}", path.display())),
        };
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(told)?;
        let mut text = zeroize::Zeroizing::new(secret.expose().to_vec());
        text.push(b'\n');
        file.write_all(&text).and_then(|()| file.sync_all()).map_err(told)?;
        Ok(Self { path, kept: false })
    }

    /// Leaves the file where it is.
    pub(crate) fn keep(mut self) -> PathBuf {
        self.kept = true;
        std::mem::take(&mut self.path)
    }
}

impl Drop for SecretFile {
    fn drop(&mut self) {
        if !self.kept {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
