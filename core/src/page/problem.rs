//! Pages that end a flow: what went wrong, and what to do.

use maud::html;

use super::parts::{Shown, isolated};
use super::texts::Id;
use super::{Frame, Sheet};

/// A page about something that cannot go on.
pub(crate) struct ProblemPage<'a> {
    pub(crate) kind: ProblemKind,
    /// The error's description for developers: fixed English text, shown small; may be empty.
    pub(crate) description: &'a str,
    /// What to look for in the log; may be empty.
    pub(crate) reference: &'a str,
    /// The host and the URL of a way back; rendered for https only.
    pub(crate) back: Option<(&'a str, &'a str)>,
}

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProblemKind {
    /// The form was dealt with before.
    AlreadyUsed,
    /// Client, redirect URI or parameters are wrong.
    BadRequest,
    /// The page was open for too long.
    Expired,
    /// An error of ours.
    Failed,
    /// The form is not from a page of this browser.
    Forged,
    Method,
    NoLongerSignedIn,
    NotFound,
    TooMany,
    /// The store does not answer.
    Unavailable,
}

impl ProblemKind {
    const fn texts(self) -> (Id, Id) {
        match self {
            Self::AlreadyUsed => (Id::AlreadyUsedTitle, Id::AlreadyUsedText),
            Self::BadRequest => (Id::BadRequestTitle, Id::BadRequestText),
            Self::Expired => (Id::ExpiredTitle, Id::ExpiredText),
            Self::Failed => (Id::FailedTitle, Id::FailedText),
            Self::Forged => (Id::ForgedTitle, Id::ForgedText),
            Self::Method => (Id::MethodTitle, Id::MethodText),
            Self::NoLongerSignedIn => (Id::NoLongerSignedInTitle, Id::NoLongerSignedInText),
            Self::NotFound => (Id::NotFoundTitle, Id::NotFoundText),
            Self::TooMany => (Id::TooManyTitle, Id::TooManyText),
            Self::Unavailable => (Id::UnavailableTitle, Id::UnavailableText),
        }
    }
}

pub(crate) fn problem(frame: &Frame<'_>, page: &ProblemPage<'_>) -> String {
    let texts = frame.texts;
    let (title, text) = page.kind.texts();
    let content = html! {
        h1 { (texts.get(title)) }
        p { (texts.get(text)) }
        @if let Some((host, url)) = page.back.filter(|(_, url)| url.starts_with("https://")) {
            p.links { a href=(url) { (texts.fill(Id::ProblemBack, &[("host", &isolated(host))])) } }
        }
        @if !page.description.is_empty() {
            p.soft lang="en" dir="ltr" { (Shown(page.description)) }
        }
        @if !page.reference.is_empty() {
            p.soft { (texts.fill(Id::ProblemReference, &[("reference", &html! { code { (isolated(page.reference)) } })])) }
        }
    };
    frame.page(&Sheet::with_problem(title, true), &content)
}
