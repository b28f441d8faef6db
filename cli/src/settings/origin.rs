//! Where a value comes from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use proofkey::Keys;

use super::EnvFile;
use super::key::{keys, missing_keys};
use crate::command::SettingFlags;
use crate::failure::{Complaint, Failure};

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

/// A setting that was given on the command line.
#[derive(Clone, Debug)]
pub(crate) struct Flag {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) source: Source,
}

impl Flag {
    /// A value of the setting `name`, by the flag that is called `flag`.
    pub(crate) fn new(name: &str, text: &str, flag: String) -> Self {
        Self { name: name.to_owned(), text: text.to_owned(), source: Source::Flag(flag) }
    }
}

/// What the operator gave: files, variables and flags.
#[derive(Clone, Debug)]
pub(crate) struct Origins {
    config: Option<PathBuf>,
    env_file: Option<PathBuf>,
    pub(crate) flags: Vec<Flag>,
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
                    let flag = format!("--set {}", name.trim());
                    origins.flags.push(Flag::new(name.trim(), text.trim(), flag));
                }
                None => origins.misused.push(one),
            }
        }
        origins
    }

    /// Adds the flags of a command.
    pub(crate) fn add_flags(&mut self, flags: SettingFlags) {
        self.flags.extend(flags.0);
    }

    /// The keys as they stand now.
    pub(crate) fn keys(&self) -> Result<Keys, Failure> {
        let (variables, mut complaints) = self.variables();
        match keys(&variables, &mut complaints) {
            Some((keys, _)) if complaints.is_empty() => Ok(keys),
            None if complaints.is_empty() => Err(missing_keys().into()),
            _ => Err(Failure::of(complaints)),
        }
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
            Ok(None) if self.env_file.is_some() => {
                let problem = "there is no such file; `proofkey keys generate` makes one";
                (EnvFile::default(), vec![Complaint::of(path.display().to_string(), None, problem)])
            }
            Ok(file) => (file.unwrap_or_default(), Vec::new()),
            Err(complaint) => (EnvFile::default(), vec![complaint]),
        };
        complaints.extend(file.complaints(&path));
        (Variables { environment: &self.variables, file, path: path.display().to_string() }, complaints)
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
