//! The texts of the pages in one language, and their places for values.

mod table;

use std::borrow::Cow;

use maud::{Markup, PreEscaped, Render as _};

pub(crate) use table::Id;

/// The longest text, in bytes, so that a page stays small.
const MAX_TEXT: usize = 600;
/// The longest language tag (RFC 5646 section 4.4.1 advises room for 35).
const MAX_TAG: usize = 35;

/// The texts of the pages in one language.
#[derive(Clone, Debug)]
pub struct Texts {
    lang: String,
    /// In the order of [`Id`].
    texts: Vec<Cow<'static, str>>,
}

impl Texts {
    pub(crate) fn english() -> Self {
        Self::built_in("en", Id::english)
    }

    pub(crate) fn german() -> Self {
        Self::built_in("de", Id::german)
    }

    fn built_in(lang: &str, text: fn(Id) -> &'static str) -> Self {
        Self { lang: lang.to_owned(), texts: Id::ALL.iter().map(|id| Cow::Borrowed(text(*id))).collect() }
    }

    /// Reads the texts of a language, from pairs of id and text. What is not given is English, or German for a tag that
    /// begins with `de`.
    ///
    /// # Errors
    /// Everything that is wrong: a tag that is none (RFC 5646), an id that does not exist, a text that is empty, longer
    /// than 600 bytes, or has other words in braces than the English one.
    pub fn read(tag: &str, pairs: impl IntoIterator<Item = (String, String)>) -> Result<Self, Vec<String>> {
        let mut problems = Vec::new();
        if !is_tag(tag) {
            problems.push(format!("{tag:?} is no language tag; use one like \"fr\" or \"pt-BR\""));
        }
        let mut texts = if primary(tag).eq_ignore_ascii_case("de") { Self::german() } else { Self::english() };
        texts.lang = tag.to_owned();
        for (name, text) in pairs {
            let place = texts.texts.iter_mut().zip(Id::ALL).find(|(_, id)| id.name() == name);
            match place {
                None => problems.push(unknown(&name)),
                Some((place, id)) => match check(*id, &text) {
                    Ok(()) => *place = Cow::Owned(text),
                    Err(problem) => problems.push(format!("{name}: {problem}")),
                },
            }
        }
        if problems.is_empty() { Ok(texts) } else { Err(problems) }
    }

    /// The language's tag, for the attribute `lang`.
    #[must_use]
    pub fn lang(&self) -> &str {
        &self.lang
    }

    /// The direction of its script, for the attribute `dir`.
    pub(crate) fn direction(&self) -> &'static str {
        let is_one_of = |part: &str, all: &[&str]| all.iter().any(|one| one.eq_ignore_ascii_case(part));
        let script = self.lang.split('-').skip(1).find(|part| part.len() == 4 && !part.starts_with(char::is_numeric));
        let to_left = match script {
            Some(script) => is_one_of(script, &["Adlm", "Arab", "Hebr", "Mand", "Nkoo", "Rohg", "Syrc", "Thaa"]),
            None => is_one_of(primary(&self.lang), &["ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"]),
        };
        if to_left { "rtl" } else { "ltr" }
    }

    /// A text without places for values.
    pub(crate) fn get(&self, id: Id) -> &str {
        self.texts.get(id as usize).map_or("", AsRef::as_ref)
    }

    /// A text with its values, which are markup already.
    pub(crate) fn fill(&self, id: Id, values: &[(&str, &Markup)]) -> Markup {
        let mut filled = String::new();
        for piece in pieces(self.get(id)) {
            match piece {
                Piece::Words(words) => words.render_to(&mut filled),
                Piece::Value(name) => {
                    let value = values.iter().find(|(one, _)| *one == name);
                    filled.push_str(value.map_or("", |(_, value)| value.0.as_str()));
                }
                Piece::Stray => {}
            }
        }
        PreEscaped(filled)
    }

    /// A text with a number in it.
    pub(crate) fn count(&self, id: Id, name: &str, number: u64) -> Markup {
        self.fill(id, &[(name, &number.render())])
    }
}

enum Piece<'a> {
    Words(&'a str),
    Value(&'a str),
    /// A brace without its partner.
    Stray,
}

/// The pieces of a text: words, and names in braces.
fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some(name) = rest.strip_prefix('{') {
            let closed = name.split_once('}').filter(|(name, _)| !name.contains('{'));
            rest = closed.map_or(name, |(_, after)| after);
            return Some(closed.map_or(Piece::Stray, |(name, _)| Piece::Value(name)));
        }
        if let Some(after) = rest.strip_prefix('}') {
            rest = after;
            return Some(Piece::Stray);
        }
        let (words, after) = rest.split_at_checked(rest.find(['{', '}']).unwrap_or(rest.len()))?;
        rest = after;
        Some(Piece::Words(words))
    })
}

/// The names in braces, each once, in alphabetical order; `None` if a brace has no partner.
fn places(text: &str) -> Option<Vec<&str>> {
    let mut names = Vec::new();
    for piece in pieces(text) {
        match piece {
            Piece::Words(_) => {}
            Piece::Value(name) => names.push(name),
            Piece::Stray => return None,
        }
    }
    names.sort_unstable();
    names.dedup();
    Some(names)
}

fn check(id: Id, text: &str) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("the text is empty; leave the id out to keep the built-in text".to_owned());
    }
    if text.len() > MAX_TEXT || text.chars().any(char::is_control) {
        return Err(format!("a text is one line of at most {MAX_TEXT} bytes"));
    }
    let Some(given) = places(text) else { return Err("a brace has no partner".to_owned()) };
    let wanted = places(id.english()).unwrap_or_default();
    if given == wanted {
        return Ok(());
    }
    let braced = |names: &[&str]| names.iter().map(|name| format!("{{{name}}}")).collect::<Vec<_>>().join(" ");
    Err(match (given.as_slice(), wanted.as_slice()) {
        (given, []) => format!("it has {}, but nothing is filled in here", braced(given)),
        ([], wanted) => format!("it lacks {}", braced(wanted)),
        (given, wanted) => format!("it has {}, but must have {}", braced(given), braced(wanted)),
    })
}

fn unknown(name: &str) -> String {
    // The distance takes time with the length, and no id is longer than this.
    let nearest = Id::ALL.iter().filter(|_| name.len() <= 64);
    let nearest = nearest.min_by_key(|id| strsim::damerau_levenshtein(id.name(), name));
    let hint = nearest.map_or_else(String::new, |id| format!("; did you mean {}?", id.name()));
    format!("{name:?}: there is no such text{hint}")
}

fn primary(tag: &str) -> &str {
    tag.split('-').next().unwrap_or(tag)
}

/// Whether this may stand in `lang`: subtags of one to eight letters and digits, the first of letters only, the last of
/// more than one.
pub(super) fn is_tag(text: &str) -> bool {
    let subtag = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let first = primary(text);
    text.len() <= MAX_TAG
        && text.split('-').all(subtag)
        && first.len() >= 2
        && text.rsplit('-').next().is_some_and(|last| last.len() >= 2)
        && first.bytes().all(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(tag: &str, pairs: &[(&str, &str)]) -> Result<Texts, Vec<String>> {
        Texts::read(tag, pairs.iter().map(|(id, text)| ((*id).to_owned(), (*text).to_owned())))
    }

    #[test]
    fn every_text_stands_in_both_languages_with_the_same_places() {
        for (at, id) in Id::ALL.iter().enumerate() {
            assert_eq!(check(*id, id.english()), Ok(()), "{id:?}");
            assert_eq!(check(*id, id.german()), Ok(()), "{id:?}");
            assert_eq!(Texts::english().get(*id), id.english());
            assert_eq!(Texts::german().get(*id), id.german());
            let twin = Id::ALL.iter().skip(at + 1).find(|other| other.name() == id.name());
            assert_eq!(twin, None, "two texts have one id");
        }
    }

    #[test]
    fn the_document_lists_every_id_with_its_english_text() {
        let document = include_str!("../../../docs/pages.md");
        let rows: Vec<&str> =
            document.lines().filter(|line| line.starts_with("| `") && line.contains("` | \"")).collect();
        let expected: Vec<String> =
            Id::ALL.iter().map(|id| format!("| `{}` | \"{}\" |", id.name(), id.english())).collect();
        assert_eq!(rows, expected, "docs/pages.md needs these rows:\n{}", expected.join("\n"));
    }

    #[test]
    fn a_translation_orders_its_values_freely_and_falls_back_to_english() {
        let french = read("fr", &[("consent_heading", "Votre compte & {client} ?"), ("username", "Nom")]).unwrap();
        let name = PreEscaped("<bdi>N</bdi>".to_owned());
        let heading = french.fill(Id::ConsentHeading, &[("client", &name)]);
        assert_eq!(heading.into_string(), "Votre compte &amp; <bdi>N</bdi> ?");
        assert_eq!((french.get(Id::Username), french.get(Id::Password)), ("Nom", "Password"));
        assert_eq!(read("de-CH", &[]).unwrap().get(Id::Password), "Passwort");
    }

    #[test]
    fn everything_that_is_wrong_with_texts_is_told_at_once_and_by_name() {
        let long = "x".repeat(MAX_TEXT + 1);
        let problems = read(
            "f",
            &[
                ("usrname", "Nom"),
                ("username", " "),
                ("password", "Mot {de} passe"),
                ("consent_heading", "Permettre ?"),
                ("application_since", "depuis {dat}"),
                ("application_host", "vers {host"),
                ("problem_back", "vers host}"),
                ("busy", &long),
                ("sign_in_title", "a\nb"),
            ],
        );
        assert_eq!(
            problems.unwrap_err(),
            [
                r#""f" is no language tag; use one like "fr" or "pt-BR""#,
                r#""usrname": there is no such text; did you mean username?"#,
                "username: the text is empty; leave the id out to keep the built-in text",
                "password: it has {de}, but nothing is filled in here",
                "consent_heading: it lacks {client}",
                "application_since: it has {dat}, but must have {date}",
                "application_host: a brace has no partner",
                "problem_back: a brace has no partner",
                "busy: a text is one line of at most 600 bytes",
                "sign_in_title: a text is one line of at most 600 bytes",
            ]
        );
    }

    #[test]
    fn the_direction_is_that_of_the_script() {
        for (tag, direction) in [
            ("en", "ltr"),
            ("ar", "rtl"),
            ("he-IL", "rtl"),
            ("FA", "rtl"),
            ("az-Arab", "rtl"),
            ("ku-Latn", "ltr"),
            ("ar-Latn", "ltr"),
            ("de-1996", "ltr"),
            ("uz-Cyrl-UZ", "ltr"),
        ] {
            assert_eq!(read(tag, &[]).unwrap().direction(), direction, "{tag}");
        }
        for bad in [
            "",
            "-",
            "en-",
            "en--GB",
            "en-x",
            "e",
            "1en",
            "en_GB",
            "en\"",
            "abcdefghi",
            "en-x-abcdefgh-abcdefgh-abcdefgh-abcd",
        ] {
            assert!(read(bad, &[]).is_err(), "{bad}");
        }
    }
}
