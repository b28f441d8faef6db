//! The settings that only the command line has, in the shape of the core's table, and the two as one.

use proofkey::core::{SETTINGS, Setting, Unit};

/// One row of the table: a setting, and where it stands in `proofkey.toml`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) setting: &'static Setting,
    pub(crate) section: Section,
}

/// Where a setting is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    /// In `proofkey.env` or the environment only: a secret.
    Secret,
    /// Under `[serve]`.
    Serve,
    /// At the top of the file.
    Top,
}

impl Row {
    pub(crate) const fn name(&self) -> &'static str {
        self.setting.name()
    }

    /// The environment variable of the setting.
    pub(crate) fn variable(&self) -> String {
        format!("PROOFKEY_{}", self.name().to_ascii_uppercase())
    }
}

/// All settings, in the order in which they are documented.
pub(crate) fn rows() -> impl Iterator<Item = Row> {
    let rows = |settings: &'static [Setting], section| settings.iter().map(move |setting| Row { setting, section });
    rows(SETTINGS, Section::Top)
        .chain(rows(SECRETS, Section::Secret))
        .chain(rows(FILES, Section::Top))
        .chain(rows(SERVE, Section::Serve))
}

/// The known name that is nearest to an unknown one.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> &'a str {
    known.min_by_key(|one| strsim::damerau_levenshtein(one, name)).unwrap_or_default()
}

static SECRETS: &[Setting] = &[
    Setting::new(
        "encryption_keys",
        "",
        "1 to 16 keys, separated by commas, the first is primary",
        "seal records and make tokens; `proofkey keys generate` makes one",
    )
    .aliased("OAUTH2_ENCRYPTION_KEY", Unit::Same),
    Setting::new(
        "session_keys",
        "",
        "1 to 16 keys, separated by commas, the first is primary",
        "seal cookies and what travels through the pages; needed unless authorize is switched off",
    )
    .aliased("SECRET_ENCRYPTION_KEY", Unit::Same),
];

static FILES: &[Setting] = &[
    Setting::new("page_texts", "", "list of TOML files", "the words of the pages in further languages"),
    Setting::new("audit_log", "stderr", "stderr, off, or a path", "what happened, as JSON lines; never a secret")
        .aliased("AUDIT_LOG_ENABLED", Unit::Switch),
];

static SERVE: &[Setting] = &[
    Setting::new("listen", "127.0.0.1:8000", "address and port", "public only on purpose"),
    Setting::new(
        "request_timeout",
        "10s",
        "1 to 60 s",
        "to receive a request, and to answer it; cuts slow clients off",
    ),
    Setting::new("drain_timeout", "10s", "0 to 300 s", "for requests under way when the server is told to stop"),
    Setting::new("max_header", "16 KiB", "4 KiB to 32 KiB", "longer request heads are refused with 431"),
];
