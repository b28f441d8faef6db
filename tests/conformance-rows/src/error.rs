use std::{io, path::PathBuf};

/// A file of the rows, of the deferrals or of a run that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unreadable {
    /// The file or directory could not be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line of a run is not `pass <id> <test>` or `fail <id> <test>`.
    #[error("{}: line {line:?} is not an outcome", path.display())]
    Line {
        /// The file of the run.
        path: PathBuf,
        /// The line as it stands there.
        line: String,
    },
    /// The file is not the TOML that was expected.
    #[error("{}: {source}", path.display())]
    Toml {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
}

impl Unreadable {
    /// For `map_err` at a call of the file system on `path`.
    pub(crate) fn io(path: &std::path::Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }
}
