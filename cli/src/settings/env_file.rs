//! `proofkey.env`: one `NAME=value` a line, as shells, systemd and container runtimes read it.
//!
//! A value may stand in double quotes, where `\n`, `\"` and `\\` are escapes and line ends are kept, or in single
//! quotes, where nothing is. A line that starts with `#` is a comment; `export` before a name is allowed.

use std::path::Path;

use zeroize::Zeroizing;

use crate::failure::Complaint;

/// The variables of a file, with the lines on which they stand.
#[derive(Default)]
pub(crate) struct EnvFile {
    variables: Vec<Variable>,
    unreadable: Vec<usize>,
}

struct Variable {
    name: String,
    text: Zeroizing<String>,
    line: usize,
    /// Where the assignment stands in the text, without its line end.
    place: std::ops::Range<usize>,
}

impl EnvFile {
    /// The file at this path, if there is one.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, Complaint> {
        match std::fs::read_to_string(path).map(Zeroizing::new) {
            Ok(text) => Ok(Some(Self::parse(&text))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Complaint::of(path.display().to_string(), None, format!("it cannot be read: {error}"))),
        }
    }

    /// Reads the text of a file.
    pub(crate) fn parse(text: &str) -> Self {
        let mut file = Self::default();
        let mut at = 0;
        while at < text.len() {
            let rest = &text[at..];
            let line = text[..at].matches('\n').count() + 1;
            let end = rest.find('\n').unwrap_or(rest.len());
            let first = rest[..end].trim();
            if first.is_empty() || first.starts_with('#') {
                at += end + 1;
                continue;
            }
            match read(rest) {
                Some((name, value, length)) => {
                    let place = at..at + length;
                    file.variables.retain(|other| other.name != name); // as in a shell, the last one counts
                    file.variables.push(Variable { name: name.to_owned(), text: value, line, place });
                    at += length + rest[length..].find('\n').map_or(rest.len(), |end| end + 1);
                }
                None => {
                    file.unreadable.push(line);
                    at += end + 1;
                }
            }
        }
        file
    }

    /// A variable and its line.
    pub(crate) fn find(&self, name: &str) -> Option<(&str, usize)> {
        let found = self.variables.iter().find(|variable| variable.name == name)?;
        Some((found.text.as_str(), found.line))
    }

    /// The names of the variables.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.variables.iter().map(|variable| variable.name.as_str())
    }

    /// One complaint for each line that is no assignment.
    pub(crate) fn complaints(&self, path: &Path) -> impl Iterator<Item = Complaint> {
        let path = path.display().to_string();
        let remedy = "the line is no NAME=value; mend it, or begin it with #";
        self.unreadable.iter().map(move |line| Complaint::of(format!("{path}:{line}"), None, remedy))
    }

    /// The text with another value for a variable, which is appended if it does not stand there.
    pub(crate) fn replaced(&self, text: &str, name: &str, value: &str) -> Zeroizing<String> {
        let assignment = assignment(name, value);
        let found = self.variables.iter().find(|variable| variable.name == name);
        Zeroizing::new(match found.map(|found| found.place.clone()) {
            Some(place) => [&text[..place.start], &assignment, &text[place.end..]].concat(),
            None if text.is_empty() || text.ends_with('\n') => [text, &assignment, "\n"].concat(),
            None => [text, "\n", &assignment, "\n"].concat(),
        })
    }
}

/// The line that gives a variable a value, without its line end.
pub(crate) fn assignment(name: &str, value: &str) -> Zeroizing<String> {
    Zeroizing::new(format!("{name}={}", quoted(value).as_str()))
}

fn quoted(value: &str) -> Zeroizing<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=,./:+@?".contains(&byte);
    if value.bytes().all(plain) {
        return Zeroizing::new(value.to_owned());
    }
    let escaped = Zeroizing::new(value.replace('\\', "\\\\"));
    let escaped = Zeroizing::new(escaped.replace('"', "\\\""));
    Zeroizing::new(format!("\"{}\"", escaped.replace('\n', "\\n")))
}

/// Name, value and length of the assignment at the start of a text.
fn read(text: &str) -> Option<(&str, Zeroizing<String>, usize)> {
    let equals = text.find('=')?;
    let name = text[..equals].trim();
    let name = name.strip_prefix("export ").unwrap_or(name).trim();
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if name.is_empty() || !name.bytes().all(legal) {
        return None;
    }
    let rest = &text[equals + 1..];
    let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    let (start, rest) = (equals + 1 + blanks, &rest[blanks..]);
    let (value, length) = match rest.bytes().next() {
        Some(b'"') => double_quoted(rest)?,
        Some(b'\'') => {
            let end = rest[1..].find('\'')? + 1;
            (Zeroizing::new(rest[1..end].to_owned()), end + 1)
        }
        _ => {
            let line = rest.split('\n').next().unwrap_or_default();
            let value = line.split(" #").next().unwrap_or_default().trim();
            (Zeroizing::new(value.to_owned()), line.trim_end().len())
        }
    };
    let tail = rest[length..].split('\n').next().unwrap_or_default().trim();
    (tail.is_empty() || tail.starts_with('#')).then_some((name, value, start + length))
}

fn double_quoted(text: &str) -> Option<(Zeroizing<String>, usize)> {
    let mut value = Zeroizing::new(String::with_capacity(text.len()));
    let mut letters = text.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, at + 1)),
            '\\' => match letters.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# keys\nA=one\nexport B = \"two\\nlines\\\\\"\n\nC='sin # gle'\nD=bare # comment\nnonsense\nE=\"real\nline\" # x\nF=";

    #[test]
    fn a_file_reads_as_a_shell_would_read_it() {
        let file = EnvFile::parse(TEXT);
        let found = |name| file.find(name).map(|(text, line)| (text.to_owned(), line));
        assert_eq!(found("A"), Some(("one".to_owned(), 2)));
        assert_eq!(found("B"), Some(("two\nlines\\".to_owned(), 3)));
        assert_eq!(found("C"), Some(("sin # gle".to_owned(), 5)));
        assert_eq!(found("D"), Some(("bare".to_owned(), 6)));
        assert_eq!(found("E"), Some(("real\nline".to_owned(), 8)));
        assert_eq!(found("F"), Some((String::new(), 10)));
        assert_eq!(file.unreadable, [7]);
    }

    #[test]
    fn a_replaced_value_leaves_every_other_byte_alone() {
        let file = EnvFile::parse(TEXT);
        let text = file.replaced(TEXT, "E", "new\n\"x\"");
        assert_eq!(*text, TEXT.replace("E=\"real\nline\"", "E=\"new\\n\\\"x\\\"\""));
        assert_eq!(EnvFile::parse(&text).find("E").unwrap().0, "new\n\"x\"");
        let text = file.replaced(TEXT, "D", "k1=,k2=");
        assert_eq!(*text, TEXT.replace("D=bare # comment", "D=k1=,k2="));
        assert_eq!(*file.replaced(TEXT, "G", "7"), format!("{TEXT}\nG=7\n"));
    }

    #[test]
    fn the_last_assignment_of_a_name_counts_and_an_open_quote_is_no_assignment() {
        let file = EnvFile::parse("A=1\nA=2\nB=\"open\nC=3\n");
        assert_eq!(file.find("A"), Some(("2", 2)));
        assert_eq!(file.find("B"), None);
        assert_eq!(file.find("C"), Some(("3", 4)));
        assert_eq!(file.unreadable, [3]);
    }
}
