//! Every code and token that anybody in a world has seen, and what browsers keep, under a short name.

use std::collections::HashMap;
use std::fmt;

/// The name of a code or a token, of a forgery, or of what a browser keeps: `code3`, `access7`, `refresh12`, `cookie9`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Paper {
    pub(crate) kind: Kind,
    pub(crate) number: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Access,
    /// The cookie that knows a browser again.
    Browser,
    Code,
    /// The cookie of a sign-in.
    Cookie,
    Forged,
    /// What a page hid in its form to know it again.
    Form,
    Refresh,
    /// A request on its way through the pages.
    Request,
    /// A sign-in, as the page that lists them names it.
    SignIn,
}

impl fmt::Display for Paper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Access => "access",
            Kind::Browser => "browser",
            Kind::Code => "code",
            Kind::Cookie => "cookie",
            Kind::Forged => "forgery",
            Kind::Form => "form",
            Kind::Refresh => "refresh",
            Kind::Request => "request",
            Kind::SignIn => "sign-in",
        };
        write!(f, "{kind}{}", self.number)
    }
}

/// All of them, in the order in which they were first seen.
#[derive(Default)]
pub(crate) struct Wallet {
    papers: Vec<(Paper, String)>,
    /// The codes and tokens among them.
    tokens: Vec<Paper>,
    known: HashMap<String, Paper>,
}

impl Wallet {
    /// The name of a text, and whether it was seen before.
    pub(crate) fn note(&mut self, kind: Kind, text: &str) -> (Paper, bool) {
        if let Some(paper) = self.known.get(text) {
            return (*paper, true);
        }
        let paper = Paper { kind, number: self.papers.len() };
        self.papers.push((paper, text.to_owned()));
        self.known.insert(text.to_owned(), paper);
        if matches!(kind, Kind::Access | Kind::Code | Kind::Forged | Kind::Refresh) {
            self.tokens.push(paper);
        }
        (paper, false)
    }

    /// A text that differs from a genuine one in a character of its secret.
    pub(crate) fn forge(&mut self, like: Paper) -> Paper {
        let mut text = self.text(like).to_owned();
        let at = text.len().saturating_sub(20);
        let other = if text.as_bytes().get(at) == Some(&b'A') { "B" } else { "A" };
        text.replace_range(at..=at, other);
        self.note(Kind::Forged, &text).0
    }

    pub(crate) fn text(&self, paper: Paper) -> &str {
        self.papers.get(paper.number).map_or("", |(_, text)| text)
    }

    /// How many codes and tokens there are.
    pub(crate) fn len(&self) -> usize {
        self.tokens.len()
    }

    pub(crate) fn get(&self, number: usize) -> Option<Paper> {
        self.tokens.get(number).copied()
    }
}
