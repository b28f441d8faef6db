//! A new private file with one secret, for as long as it is not known whether the secret will be of use.

use std::path::PathBuf;

use proofkey::Secret;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::private_file;

/// Removed again unless it is kept: what its secret was made for may fail.
pub(crate) struct SecretFile {
    path: PathBuf,
    kept: bool,
}

impl SecretFile {
    /// Writes a secret to a file that must not exist yet.
    pub(crate) fn create(path: PathBuf, secret: &Secret) -> Result<Self, Failure> {
        private_file::create(&path, &Zeroizing::new(format!("{}\n", secret.expose_text().unwrap_or_default())))?;
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
