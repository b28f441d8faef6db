//! Files that hold secrets: mode 0600 from the first byte, and replaced as a whole or not at all.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::failure::{Complaint, Failure};

/// Writes a new file; one that is there already is an error.
pub(crate) fn create(path: &Path, text: &str) -> Result<(), Failure> {
    let written = private().open(path).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            complaint(path, "it exists already, and is not overwritten; move it away, or name another file")
        }
        _ => complaint(path, &format!("it cannot be written: {error}")),
    })
}

/// Replaces a file by what `change` makes of its text. Of two commands that want to change it at once, one is refused.
pub(crate) fn rewrite<T>(
    path: &Path,
    change: impl FnOnce(&str) -> Result<(Zeroizing<String>, T), Failure>,
) -> Result<T, Failure> {
    // Where a link leads, so that it stays one.
    let path = &std::fs::canonicalize(path).map_err(|error| unwritten(path, &error))?;
    let beside = beside(path);
    let file = private().open(&beside).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            let problem = "it exists: another command changes the keys, or one was killed while it did; remove it then";
            complaint(&beside, problem)
        }
        _ => complaint(&beside, &format!("it cannot be written: {error}")),
    })?;
    let outcome = std::fs::read_to_string(path).map(Zeroizing::new).map_err(|error| unwritten(path, &error));
    let outcome = outcome.and_then(|old| change(&old)).and_then(|(new, told)| {
        replace(path, &beside, file, &new).map_err(|error| unwritten(path, &error))?;
        Ok(told)
    });
    if outcome.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    outcome
}

/// Whether others than the owner may read a file; nothing if there is none.
pub(crate) fn is_shared(path: &Path) -> Option<bool> {
    Some(std::fs::metadata(path).ok()?.permissions().mode() & 0o077 != 0)
}

fn replace(path: &Path, beside: &Path, mut file: File, text: &str) -> io::Result<()> {
    let old = std::fs::metadata(path)?;
    let new = file.metadata()?;
    if (old.uid(), old.gid()) != (new.uid(), new.gid()) {
        // Run by root for a service of its own user: the service must be able to read its keys afterwards.
        fchown(&file, Some(old.uid()), Some(old.gid()))?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(beside, path)?;
    // The new name must survive a power cut as the bytes do.
    File::open(directory(path))?.sync_all()
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options
}

fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    directory(path).join(format!(".{name}.new"))
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

fn complaint(path: &Path, problem: &str) -> Failure {
    Complaint::of(path.display().to_string(), None, problem).into()
}

fn unwritten(path: &Path, error: &io::Error) -> Failure {
    complaint(path, &format!("it cannot be changed: {error}"))
}
