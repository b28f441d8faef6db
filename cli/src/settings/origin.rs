//! Where a value comes from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::EnvFile;
use crate::failure::Complaint;

/// The place of a value, as it is told to the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Default,
    /// A line of the settings file.
    File {
        path: String,
        line: usize,
    },
    Flag(String),
    /// A variable, with the line of the file of secrets if it stands there.
    Variable {
        name: String,
        file: Option<(String, usize)>,
    },
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{path}:{line}"),
            Self::Flag(name) => f.write_str(name),
            Self::Variable { name, file: None } => f.write_str(name),
            Self::Variable { name, file: Some((path, line)) } => write!(f, "{path}:{line} {name}"),
        }
    }
}

/// What the operator gave: files, variables and flags.
#[derive(Clone, Debug)]
pub(crate) struct Origins {
    config: Option<PathBuf>,
    env_file: Option<PathBuf>,
    /// Name, text, and how the flag is called.
    pub(crate) flags: Vec<(String, String, Source)>,
    /// `--set` without an equals sign.
    pub(crate) misused: Vec<String>,
    variables: BTreeMap<String, String>,
}

impl Origins {
    pub(crate) fn new(
        config: Option<PathBuf>,
        env_file: Option<PathBuf>,
        set: Vec<String>,
        variables: BTreeMap<String, String>,
    ) -> Self {
        let mut origins = Self { config, env_file, flags: Vec::new(), misused: Vec::new(), variables };
        for one in set {
            match one.split_once('=') {
                Some((name, text)) => {
                    let source = Source::Flag(format!("--set {}", name.trim()));
                    origins.flags.push((name.trim().to_owned(), text.trim().to_owned(), source));
                }
                None => origins.misused.push(one),
            }
        }
        origins
    }

    /// The settings file.
    pub(crate) fn config_path(&self) -> PathBuf {
        self.config.clone().unwrap_or_else(|| PathBuf::from("proofkey.toml"))
    }

    /// Whether the settings file was asked for, so that it must be there.
    pub(crate) const fn config_is_named(&self) -> bool {
        self.config.is_some()
    }

    /// The file of secrets: beside the settings file unless it was named.
    pub(crate) fn env_path(&self) -> PathBuf {
        self.env_file.clone().unwrap_or_else(|| {
            let beside = self.config.as_deref().and_then(Path::parent).unwrap_or_else(|| Path::new(""));
            beside.join("proofkey.env")
        })
    }

    /// The variables: those of the environment, and behind them those of the file of secrets.
    pub(crate) fn variables(&self) -> (Variables<'_>, Vec<Complaint>) {
        let path = self.env_path();
        let (file, mut complaints) = match EnvFile::read(&path) {
            Ok(file) => (file, Vec::new()),
            Err(complaint) => (EnvFile::default(), vec![complaint]),
        };
        complaints.extend(file.complaints(&path));
        (Variables { environment: &self.variables, file, path: path.display().to_string() }, complaints)
    }

    /// Whether the file of secrets was asked for, so that it must be there.
    pub(crate) const fn env_file_is_named(&self) -> bool {
        self.env_file.is_some()
    }
}

/// The variables of the environment and of the file of secrets.
pub(crate) struct Variables<'a> {
    environment: &'a BTreeMap<String, String>,
    file: EnvFile,
    path: String,
}

impl Variables<'_> {
    /// A variable that is set, and not to nothing.
    pub(crate) fn find(&self, name: &str) -> Option<(&str, Source)> {
        let given = |text: &&str| !text.trim().is_empty();
        let variable = |file| Source::Variable { name: name.to_owned(), file };
        if let Some(text) = self.environment.get(name).map(String::as_str).filter(given) {
            return Some((text, variable(None)));
        }
        let (text, line) = self.file.find(name)?;
        Some((text, variable(Some((self.path.clone(), line))))).filter(|(text, _)| given(text))
    }

    /// The names of all variables.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.environment.keys().map(String::as_str).chain(self.file.names())
    }
}
