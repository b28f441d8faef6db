//! All settings as one: which source counts, and everything that is wrong.
//!
//! A flag goes before a variable, a variable before the file, the file before the default. An old name that is set
//! beside the canonical one and differs is an error; only `store` goes before `DATABASE_URL` without one.

use proofkey::core::{Alias, is_true};
use proofkey::{ApiMisuse, AsyncServer, Builder, Client, Event, Keys, Server, Settings};

use super::file::File;
use super::key::{keys, missing_keys, session_keys};
use super::table::Section;
use super::texts::texts;
use super::{AuditLog, Flag, Origins, Own, Row, Source, Variables, nearest, rows};
use crate::failure::{Complaint, Failure};
use crate::log::{append_event, can_append};
use crate::private_file::is_shared;

/// One setting with its value and where that came from.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub(crate) row: Row,
    /// As it may be shown: secrets by their names.
    pub(crate) shown: String,
    pub(crate) source: Source,
}

/// All settings, and what is wrong with them.
pub(crate) struct Collected {
    pub(crate) values: Vec<Value>,
    pub(crate) settings: Settings,
    pub(crate) own: Own,
    pub(crate) keys: Option<Keys>,
    pub(crate) clients: Vec<(Client, Source)>,
    pub(crate) complaints: Vec<Complaint>,
    pub(crate) warnings: Vec<String>,
    has_file: bool,
}

impl Collected {
    /// Reads every source.
    pub(crate) fn from(origins: &Origins) -> Self {
        let (variables, mut complaints) = origins.variables();
        let file = File::read(&origins.config_path(), origins.config_is_named(), &variables);
        complaints.extend(misused(origins));
        complaints.extend(unknown_variables(&variables));
        let mut all = Self {
            values: Vec::new(),
            settings: Settings::new(),
            own: Own::default(),
            keys: None,
            clients: file.clients,
            complaints,
            warnings: Vec::new(),
            has_file: origins.config_path().exists(),
        };
        all.complaints.extend(file.complaints);
        for (client, source) in &all.clients {
            let problems = client.problems().into_iter();
            let problems =
                problems.map(|problem| Complaint::of("clients", Some(source.to_string()), problem.to_string()));
            all.complaints.extend(problems);
        }
        let named: Vec<(&str, &str, &Source)> =
            file.values.iter().map(|(name, text, source)| (*name, text.as_str(), source)).collect();
        for row in rows() {
            if row.section == Section::Secret {
                if row.name() == "session_keys" {
                    all.take_session_keys(row, &variables);
                } else {
                    all.take_keys(row, &variables);
                }
                continue;
            }
            let file_scopes = file.scopes.as_ref().filter(|_| row.name() == "scopes");
            let chosen = all.choose(row, origins, &variables, &named);
            match (chosen, file_scopes) {
                (None, Some((scopes, source))) => {
                    for (name, text) in scopes {
                        all.settings.scope(name, text.clone());
                    }
                    all.show(row, source.clone());
                }
                (None, None) => all.show(row, Source::Default),
                (Some((text, source)), _) => all.take(row, &text, source),
            }
        }
        all.check_switches(&variables);
        all.warn(origins, file.holds_secret);
        all
    }

    /// A server that answers on the calling thread. What it does is noted in the audit log, if that is a file.
    pub(crate) fn server(mut self) -> Result<Server, Failure> {
        let builder = self.configure(Server::builder(""));
        let audit_log = self.own.audit_log.clone();
        if let Err(error) = can_append(&audit_log) {
            self.complaints.push(self.unopenable(&error));
        }
        // The call is done when its event comes: a log that cannot be written is no reason to say that it is not.
        let builder = builder.on_event(move |event| drop(append_event(&audit_log, event)));
        self.finish(builder.build())
    }

    /// A server for tokio.
    pub(crate) fn async_server(
        mut self,
        on_event: impl Fn(&Event) + Send + Sync + 'static,
    ) -> Result<AsyncServer, Failure> {
        let builder = self.configure(AsyncServer::builder("")).on_event(on_event);
        self.finish(builder.build())
    }

    /// The complaint of an audit log that cannot be written.
    pub(crate) fn unopenable(&self, error: &std::io::Error) -> Complaint {
        let problem = format!("it cannot be opened: {error}; give a path in a directory that exists, stderr or off");
        self.complaint_of("audit_log", problem)
    }

    fn configure<S>(&mut self, builder: Builder<S>) -> Builder<S> {
        let builder = builder.settings(self.settings.clone());
        let builder = self.clients.iter().fold(builder, |builder, (client, _)| builder.client(client.clone()));
        let mut builder = match self.keys.take() {
            Some(keys) => builder.keys(keys),
            None => builder,
        };
        for path in self.own.page_texts.clone() {
            match texts(&path) {
                Ok(texts) => builder = builder.texts(texts),
                Err(problems) => {
                    let complaints: Vec<Complaint> =
                        problems.into_iter().map(|problem| self.complaint_of("page_texts", problem)).collect();
                    self.complaints.extend(complaints);
                }
            }
        }
        builder
    }

    /// Adds what is wrong with the whole to what is wrong with its parts.
    fn finish<S>(mut self, built: Result<S, ApiMisuse>) -> Result<S, Failure> {
        let misuse = match built {
            Ok(server) if self.complaints.is_empty() => return Ok(server),
            Ok(_) => return Err(Failure::of(self.complaints)),
            Err(misuse) => misuse,
        };
        for problem in misuse.problems() {
            let complaint = self.complaint_of(problem.setting(), problem.text());
            let is_told = |told: &Complaint| {
                told.setting == complaint.setting
                    && (told.problem == complaint.problem || problem.setting().ends_with("_keys"))
            };
            if !self.complaints.iter().any(is_told) {
                self.complaints.push(complaint);
            }
        }
        let lacks_issuer = misuse.problems().iter().any(|problem| problem.setting() == "issuer");
        if lacks_issuer && !self.has_file {
            let problem = "there is none here; `proofkey init --issuer URL` writes one with all that is missing";
            self.complaints.push(Complaint::of("proofkey.toml", None, problem));
        }
        Err(Failure::of(self.complaints))
    }

    /// A complaint of a setting, with the source of its value.
    pub(crate) fn complaint_of(&self, name: &str, problem: impl Into<String>) -> Complaint {
        Complaint::of(name, self.value(name).map(|value| value.source.to_string()), problem)
    }

    /// Where the value of a setting comes from.
    pub(crate) fn source_of(&self, name: &str) -> String {
        self.value(name).map(|value| value.source.to_string()).unwrap_or_default()
    }

    /// The value of a setting, as it may be shown.
    pub(crate) fn shown(&self, name: &str) -> String {
        self.value(name).map(|value| value.shown.clone()).unwrap_or_default()
    }

    /// A setting by its name.
    pub(crate) fn value(&self, name: &str) -> Option<&Value> {
        self.values.iter().find(|value| value.row.name() == name)
    }

    fn take_keys(&mut self, row: Row, variables: &Variables<'_>) {
        let found = keys(variables, &mut self.complaints);
        if let Some((keys, source)) = found {
            let ids = keys.ids();
            let count = if ids.len() == 1 { "1 key".to_owned() } else { format!("{} keys", ids.len()) };
            let primary = ids.first().map(ToString::to_string).unwrap_or_default();
            self.values.push(Value { row, shown: format!("{count}, primary {primary}"), source });
            self.keys = Some(keys);
        } else {
            if !self.complaints.iter().any(|complaint| complaint.setting.as_deref() == Some(row.name())) {
                self.complaints.push(missing_keys());
            }
            self.values.push(Value { row, shown: String::new(), source: Source::Default });
        }
    }

    fn take_session_keys(&mut self, row: Row, variables: &Variables<'_>) {
        let Some((text, source)) = session_keys(variables, &mut self.complaints) else {
            self.values.push(Value { row, shown: String::new(), source: Source::Default });
            return;
        };
        self.keys = self.keys.take().and_then(|keys| keys.with_session(&text).ok());
        let count = self.keys.as_ref().map_or(0, Keys::session_count);
        let shown = if count == 1 { "1 key".to_owned() } else { format!("{count} keys") };
        self.values.push(Value { row, shown, source });
    }

    /// The text that counts, and its source; nothing where the default does.
    fn choose(
        &mut self,
        row: Row,
        origins: &Origins,
        variables: &Variables<'_>,
        file: &[(&str, &str, &Source)],
    ) -> Option<(String, Source)> {
        let name = row.name();
        if let Some(flag) = origins.flags.iter().rev().find(|flag| flag.name == name) {
            return Some((flag.text.clone(), flag.source.clone()));
        }
        let variable = variables.find(&row.variable()).map(|(text, source)| (text.trim().to_owned(), source));
        let written = file.iter().find(|(one, ..)| *one == name);
        let canonical = variable.or_else(|| written.map(|(_, text, source)| ((*text).to_owned(), (*source).clone())));
        let Some(alias) = row.setting.alias() else { return canonical };
        let Some((text, source)) = variables.find(alias.variable()) else { return canonical };
        if name == "store" && canonical.is_some() {
            return canonical;
        }
        match alias.translate(text) {
            Err(takes) => {
                let problem = format!("{text:?} is out of range; {} takes: {takes}", alias.variable());
                self.complaints.push(Complaint::of(name, Some(source.to_string()), problem));
                canonical
            }
            Ok(translated) => {
                let differing = canonical.as_ref().filter(|(text, _)| differs(row, text, translated.as_deref()));
                if let Some((text, canonical)) = differing {
                    self.complaints.push(contradiction(name, (text, canonical), alias, &source));
                }
                canonical.or_else(|| translated.map(|text| (text, source)))
            }
        }
    }

    fn take(&mut self, row: Row, text: &str, source: Source) {
        let name = row.name();
        let taken = if self.own.text(name).is_some() {
            self.own
                .set(name, text)
                .ok_or_else(|| format!("{text:?} is out of range; it takes: {}", row.setting.range()))
        } else {
            self.settings.set(name, text).map_err(|problem| problem.text().to_owned())
        };
        if let Err(problem) = taken {
            self.complaints.push(Complaint::of(name, Some(source.to_string()), problem));
        }
        self.show(row, source);
    }

    fn show(&mut self, row: Row, source: Source) {
        let text = self.own.text(row.name()).or_else(|| self.settings.text(row.name())).unwrap_or_default();
        let shown = if row.name() == "store" { without_password(&text) } else { text };
        self.values.push(Value { row, shown, source });
    }

    /// What a careful operator would want to know.
    fn warn(&mut self, origins: &Origins, config_holds_secret: bool) {
        if self.settings.store_url().is_some_and(|url| url.starts_with("memory:")) {
            self.warnings.push("store is memory: everything is lost when the server ends".to_owned());
        }
        if self.own.audit_log == AuditLog::Off {
            self.warnings.push("audit_log is off: sign-ins, replays and revocations leave no trace".to_owned());
        }
        if self.settings.text("endpoints").is_some_and(|names| names.split(' ').any(|name| name == "forgot")) {
            let text = "endpoints names forgot, and proofkey serve sends no messages: leave it out, and hand links over by \
                        `proofkey users reset-link`";
            self.warnings.push(text.to_owned());
        }
        let config = origins.config_path();
        for path in [Some(origins.env_path()), config_holds_secret.then_some(config)].into_iter().flatten() {
            if is_shared(&path) == Some(true) {
                let path = path.display();
                self.warnings.push(format!("{path} holds secrets and others may read it; chmod 600 {path}"));
            }
        }
    }

    /// `HTTPS_ONLY` and `SECURE_COOKIES` cannot weaken what the issuer demands.
    fn check_switches(&mut self, variables: &Variables<'_>) {
        let https = self.settings.text("issuer").unwrap_or_default().starts_with("https:");
        for name in ["HTTPS_ONLY", "SECURE_COOKIES"] {
            let Some((text, source)) = variables.find(name) else { continue };
            let problem = match is_true(text) {
                Some(true) => continue,
                Some(false) if !https => continue,
                Some(false) => "it is false, but the issuer is https, and nothing weakens that; unset it".to_owned(),
                None => format!("{text:?} is neither true nor false; unset it"),
            };
            self.complaints.push(Complaint::of(name, Some(source.to_string()), problem));
        }
    }
}

/// Whether a canonical value says other than its alias; values that cannot be read are another complaint.
fn differs(row: Row, canonical: &str, alias: Option<&str>) -> bool {
    let read = |text: &str| {
        let (mut settings, mut own) = (Settings::new(), Own::default());
        let taken = own.set(row.name(), text).is_some() || settings.set(row.name(), text).is_ok();
        taken.then(|| own.text(row.name()).or_else(|| settings.text(row.name()))).flatten()
    };
    match alias {
        Some(alias) => read(canonical).is_some_and(|canonical| read(alias).is_some_and(|alias| alias != canonical)),
        None => read(canonical).is_some_and(|canonical| canonical == "off"),
    }
}

fn contradiction(name: &str, (text, canonical): (&str, &Source), alias: &Alias, source: &Source) -> Complaint {
    let problem = format!("it is {text:?}, and {} ({source}) says otherwise; unset one of them", alias.variable());
    Complaint::of(name, Some(canonical.to_string()), problem)
}

/// Flags that name no setting.
fn misused(origins: &Origins) -> Vec<Complaint> {
    let no_pair = origins.misused.iter().map(|text| {
        let name = text.split_whitespace().next().unwrap_or_default();
        Complaint::of(format!("--set {name}"), None, "it takes NAME=VALUE")
    });
    let unknown = origins.flags.iter().filter_map(|Flag { name, source, .. }| {
        let problem = match rows().find(|row| row.name() == name) {
            Some(row) if row.section == Section::Secret => {
                "a secret does not belong on a command line, where every process can read it: use proofkey.env"
                    .to_owned()
            }
            Some(_) => return None,
            None => format!("there is no such setting; did you mean {}?", nearest(name, rows().map(|row| row.name()))),
        };
        Some(Complaint::of(name.as_str(), Some(source.to_string()), problem))
    });
    no_pair.chain(unknown).collect()
}

/// `PROOFKEY_` variables that name no setting.
fn unknown_variables(variables: &Variables<'_>) -> Vec<Complaint> {
    let known = |name: &str| rows().any(|row| row.variable() == name) || NAMED_LATER.contains(&name);
    let mut unknown: Vec<&str> = variables
        .names()
        .filter(|name| name.starts_with("PROOFKEY_") && !known(name) && !is_service_link(name))
        .collect();
    unknown.sort_unstable();
    unknown.dedup();
    let complaint = |name: &str| {
        let rows: Vec<String> = rows().map(|row| row.variable()).collect();
        let problem =
            format!("there is no such setting; did you mean {}?", nearest(name, rows.iter().map(String::as_str)));
        Complaint::of(name, variables.find(name).map(|(_, source)| source.to_string()), problem)
    };
    unknown.into_iter().map(complaint).collect()
}

/// Container platforms set these for a service that is called `proofkey`.
fn is_service_link(name: &str) -> bool {
    name == "PROOFKEY_PORT" || name.starts_with("PROOFKEY_PORT_") || name.starts_with("PROOFKEY_SERVICE_")
}

/// A store's URL without the password that may stand in it.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    match rest.rsplit_once('@') {
        Some((user, host)) => {
            let user = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}:***@{host}")
        }
        None => url.to_owned(),
    }
}

/// Keys of later uses, which may stand in the environment already.
const NAMED_LATER: [&str; 2] = ["PROOFKEY_SESSION_KEYS", "PROOFKEY_SIGNING_KEYS"];
