//! Stores by URL, as the setting `store` names them.

use std::sync::Arc;

use super::Store;

/// A URL that names no store that this build can open. The text says which URLs it understands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}; a store is `sqlite:///auth.db` (relative), `sqlite:////var/lib/auth.db` (absolute) or `memory:`")]
pub struct OpenError {
    problem: String,
}

impl OpenError {
    fn new(problem: impl Into<String>) -> Self {
        Self { problem: problem.into() }
    }
}

/// The store of a URL: `memory:`, or `sqlite:///PATH` with the option `?synchronous=normal`.
///
/// Three slashes begin a relative path, four an absolute one. The database is opened, and made if need be, at the first
/// call: so the URL can be read before a process forks.
///
/// # Errors
/// [`OpenError`] if the URL is of another kind, has an unknown option, or its directory does not exist.
pub fn open(url: &str) -> Result<Arc<dyn Store>, OpenError> {
    #[cfg(feature = "memory")]
    if matches!(url, "memory:" | "memory://") {
        return Ok(Arc::new(super::MemoryStore::new()));
    }
    #[cfg(feature = "sqlite")]
    if let Some(rest) = url.strip_prefix("sqlite://") {
        return open_sqlite(rest);
    }
    let scheme = url.split(':').next().unwrap_or_default();
    let scheme: String = scheme.chars().filter(char::is_ascii_alphanumeric).take(20).collect();
    Err(OpenError::new(format!("there is no store for URLs of the scheme {scheme:?}")))
}

#[cfg(feature = "sqlite")]
fn open_sqlite(rest: &str) -> Result<Arc<dyn Store>, OpenError> {
    use super::{SqliteStore, Synchronous};

    let (path, options) = rest.split_once('?').unwrap_or((rest, ""));
    let path = path.strip_prefix('/').filter(|path| !path.is_empty());
    let path = path.ok_or_else(|| OpenError::new("the SQLite URL names no file"))?;
    let mut synchronous = Synchronous::Full;
    for option in options.split('&').filter(|option| !option.is_empty()) {
        synchronous = match option {
            "synchronous=full" => Synchronous::Full,
            "synchronous=normal" => Synchronous::Normal,
            _ => return Err(OpenError::new("the one option is synchronous=full or synchronous=normal")),
        };
    }
    let store = SqliteStore::new(path).synchronous(synchronous);
    if !store.directory_exists() {
        return Err(OpenError::new(format!("the directory of {path:?} does not exist; make it first")));
    }
    Ok(Arc::new(store))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_urls_are_refused_with_what_is_understood() {
        for (url, told) in [
            ("postgres://u:secret@h/db", "\"postgres\""),
            ("", "\"\""),
            ("sqlite://", "names no file"),
            ("sqlite:///a.db?mode=ro", "synchronous"),
            ("sqlite:////no/such/directory/a.db", "does not exist"),
        ] {
            let Err(error) = open(url) else { panic!("{url} was opened") };
            let text = error.to_string();
            assert!(text.contains(told) && text.contains("sqlite:///auth.db"), "{text}");
            assert!(!text.contains("secret"), "{text}");
        }
        assert!(open("memory:").is_ok());
        assert!(open("sqlite:///auth.db?synchronous=normal").is_ok());
    }
}
