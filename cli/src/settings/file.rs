//! `proofkey.toml`: settings at the top, `[serve]`, `[scopes]`, `[[clients]]`.

use std::ops::Range;
use std::path::Path;

use proofkey::{Client, ScopeText};
use serde_json::Value;
use toml::de::{DeTable, DeValue};

use super::client::client;
use super::{Row, Source, Variables, nearest, rows};
use crate::failure::Complaint;
use crate::settings::table::Section;

/// A value of the file, as text.
pub(super) type Entry<'a> = (&'a str, Range<usize>, &'a DeValue<'a>);

/// What a settings file says.
#[derive(Default)]
pub(super) struct File {
    /// Settings of the table with their texts.
    pub(super) values: Vec<(&'static str, String, Source)>,
    pub(super) scopes: Option<(Vec<(String, ScopeText)>, Source)>,
    pub(super) clients: Vec<(Client, Source)>,
    /// Whether a client's secret stands in it.
    pub(super) holds_secret: bool,
    pub(super) complaints: Vec<Complaint>,
}

/// Where in a file something stands.
pub(super) struct Place<'a> {
    path: String,
    text: &'a str,
}

impl Place<'_> {
    pub(super) fn source(&self, span: &Range<usize>) -> Source {
        let before = self.text.get(..span.start).unwrap_or_default();
        Source::File { path: self.path.clone(), line: before.matches('\n').count() + 1 }
    }

    fn quoted(&self, span: &Range<usize>) -> &str {
        self.text.get(span.clone()).unwrap_or("a key")
    }

    pub(super) fn complaint(&self, name: &str, span: &Range<usize>, problem: impl Into<String>) -> Complaint {
        Complaint::of(name, Some(self.source(span).to_string()), problem)
    }
}

impl File {
    /// Reads a file; one that is not there says nothing, unless it `must_exist`.
    pub(super) fn read(path: &Path, must_exist: bool, variables: &Variables<'_>) -> Self {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text, &path.display().to_string(), variables),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !must_exist => Self::default(),
            Err(error) => {
                let remedy = match error.kind() {
                    std::io::ErrorKind::NotFound => "`proofkey init` writes one",
                    _ => "give a file that this user may read",
                };
                let problem = format!("it cannot be read: {error}; {remedy}");
                Self { complaints: vec![Complaint::of(path.display().to_string(), None, problem)], ..Self::default() }
            }
        }
    }

    fn parse(text: &str, path: &str, variables: &Variables<'_>) -> Self {
        let place = Place { path: path.to_owned(), text };
        let mut file = Self::default();
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let span = error.span().unwrap_or_default();
            let source = place.source(&span).to_string();
            file.complaints.push(Complaint {
                setting: None,
                source: Some(source),
                problem: match error.message() {
                    "duplicate key" => format!("{} is there twice; make one of the two", place.quoted(&span)),
                    message => message.to_owned(),
                },
            });
        }
        for (name, span, value) in entries(table.get_ref()) {
            match (name, value) {
                ("serve", DeValue::Table(serve)) => {
                    for (name, span, value) in entries(serve) {
                        file.setting(Section::Serve, (name, span, value), &place);
                    }
                }
                ("scopes", DeValue::Table(scopes)) => file.scopes(scopes, &span, &place),
                ("clients", DeValue::Array(clients)) => {
                    for one in clients {
                        file.client(one.span(), one.get_ref(), &place, variables);
                    }
                }
                ("clients", _) => {
                    file.complaints.push(place.complaint(name, &span, "it is a list: write [[clients]] above each"));
                }
                _ => file.setting(Section::Top, (name, span, value), &place),
            }
        }
        file
    }

    fn setting(&mut self, section: Section, (name, span, value): Entry<'_>, place: &Place<'_>) {
        let alias = |row: &Row| row.setting.alias().is_some_and(|alias| alias.variable() == name);
        let secret = |row: &Row| row.section == Section::Secret && (row.variable() == name || alias(row));
        let row = rows().find(|row| row.name() == name || secret(row));
        let problem = match row {
            Some(row) if row.section == section => match text_of(value) {
                Some(text) => return self.values.push((row.name(), text, place.source(&span))),
                None => format!("it is no text, number, switch or list of texts; it takes: {}", row.setting.range()),
            },
            Some(row @ Row { section: Section::Secret, .. }) => {
                format!("a secret does not belong into this file: set {} in proofkey.env", variable_of(row.name()))
            }
            Some(Row { section: Section::Serve, .. }) => "it belongs under [serve]; move it there".to_owned(),
            Some(_) => "it belongs to the top of the file, above the first [table]; move it there".to_owned(),
            None => {
                let known = rows().filter(|row| row.section == section).map(|row| row.name());
                let known: Vec<&str> = match section {
                    Section::Top => known.chain(["serve", "clients"]).collect(),
                    _ => known.collect(),
                };
                format!("there is no such setting; did you mean {}?", nearest(name, known.into_iter()))
            }
        };
        self.complaints.push(place.complaint(name, &span, problem));
    }

    fn scopes(&mut self, scopes: &DeTable<'_>, span: &Range<usize>, place: &Place<'_>) {
        let mut texts = Vec::new();
        for (name, span, value) in entries(scopes) {
            match scope(name, value) {
                Ok(text) => texts.push((name.to_owned(), text)),
                Err(problem) => self.complaints.push(place.complaint(&format!("scopes.{name}"), &span, problem)),
            }
        }
        self.scopes = Some((texts, place.source(span)));
    }

    fn client(&mut self, span: Range<usize>, value: &DeValue<'_>, place: &Place<'_>, variables: &Variables<'_>) {
        let Some(table) = value.as_table() else {
            return self.complaints.push(place.complaint("clients", &span, "a client is a table of its fields"));
        };
        self.holds_secret |= entries(table).any(|(name, ..)| name == "client_secret");
        match client(table, &span, place, variables) {
            Ok(client) => self.clients.push((client, place.source(&span))),
            Err(complaints) => self.complaints.extend(complaints),
        }
    }
}

/// The entries of a table in the order of the file.
pub(super) fn entries<'a>(table: &'a DeTable<'a>) -> impl Iterator<Item = Entry<'a>> {
    let mut entries: Vec<Entry<'a>> =
        table.iter().map(|(name, value)| (name.get_ref().as_ref(), name.span(), value.get_ref())).collect();
    entries.sort_by_key(|(_, span, _)| span.start);
    entries.into_iter()
}

/// A value as the text that settings take: lists are joined by blanks.
pub(super) fn text_of(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::Array(list) => {
            let words: Option<Vec<String>> = list.iter().map(|one| text_of(one.get_ref())).collect();
            words.map(|words| words.join(" "))
        }
        DeValue::Boolean(on) => Some(if *on { "on" } else { "off" }.to_owned()),
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        DeValue::Integer(number) => Some(i64::from_str_radix(number.as_str(), number.radix()).ok()?.to_string()),
        DeValue::String(text) => Some(text.as_ref().to_owned()),
        DeValue::Datetime(_) | DeValue::Table(_) => None,
    }
}

/// A value as JSON; nothing for a date, a table or a number that JSON does not have.
pub(super) fn json_of(value: &DeValue<'_>) -> Option<Value> {
    Some(match value {
        DeValue::Array(list) => list.iter().map(|one| json_of(one.get_ref())).collect::<Option<Vec<_>>>()?.into(),
        DeValue::Boolean(on) => (*on).into(),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok()?.into(),
        DeValue::String(text) => text.as_ref().into(),
        DeValue::Datetime(_) | DeValue::Float(_) | DeValue::Table(_) => return None,
    })
}

/// `name = "text"`, or `name = { text = "..", claims = [".."], hidden = true }`.
fn scope(name: &str, value: &DeValue<'_>) -> Result<ScopeText, String> {
    const FIELDS: [&str; 3] = ["claims", "hidden", "text"];
    match value {
        DeValue::String(text) => Ok(ScopeText::new(name, text.as_ref())),
        DeValue::Table(table) => {
            if let Some((field, ..)) = entries(table).find(|(field, ..)| !FIELDS.contains(field)) {
                return Err(format!(
                    "there is no {field} of a scope; did you mean {}?",
                    nearest(field, FIELDS.into_iter())
                ));
            }
            let field = |name: &str| entries(table).find(|(field, ..)| *field == name).map(|(.., value)| value);
            let text = field("text").and_then(DeValue::as_str).ok_or("it lacks its text, which people read")?;
            let mut scope = ScopeText::new(name, text);
            if let Some(claims) = field("claims") {
                let claims = text_of(claims).ok_or("claims is a list of texts")?;
                scope = scope.showing(claims.split_whitespace());
            }
            match field("hidden").map(DeValue::as_bool) {
                None | Some(Some(false)) => Ok(scope),
                Some(Some(true)) => Ok(scope.hidden()),
                Some(None) => Err("hidden is true or false".to_owned()),
            }
        }
        _ => Err("it is the text that people read: name = \"text\"".to_owned()),
    }
}

fn variable_of(name: &str) -> String {
    let row = rows().find(|row| row.name() == name);
    let alias = row.and_then(|row| row.setting.alias()).map(|alias| alias.variable().to_owned());
    alias.unwrap_or_else(|| format!("PROOFKEY_{}", name.to_ascii_uppercase()))
}
