//! Changing a password, and choosing a new one for a password that was forgotten.

use maud::{Markup, Render as _, html};

use super::parts::{Field, Shown, Trouble, hidden, isolated, summary, too_many};
use super::texts::Id;
use super::{Frame, Sheet};

/// The form `POST {base}/password` with `form_token`, `current_password`, `new_password` and, if the box is ticked,
/// `end_others=yes`.
pub(crate) struct PasswordPage<'a> {
    pub(crate) token: &'a str,
    pub(crate) username: &'a str,
    pub(crate) problem: Option<PasswordProblem>,
    /// In characters.
    pub(crate) min_length: usize,
}

/// The form `POST {base}/reset` with `token` and `new_password`.
pub(crate) struct ResetPage<'a> {
    pub(crate) token: &'a str,
    pub(crate) problem: Option<PasswordProblem>,
    /// In characters.
    pub(crate) min_length: usize,
}

/// Why a new password was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PasswordProblem {
    Busy,
    Missing,
    TooCommon,
    TooLong,
    TooMany { minutes: u64 },
    TooShort,
    WrongCurrent,
}

/// Why no reset link was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ForgotProblem {
    Busy,
    Missing,
    TooMany { minutes: u64 },
}

const CURRENT: &str = "current_password";
const NEW: &str = "new_password";

pub(crate) fn password(frame: &Frame<'_>, page: &PasswordPage<'_>) -> String {
    let texts = frame.texts;
    let trouble = page.problem.map(|problem| trouble(frame, problem, CURRENT, page.min_length));
    let current = Field::password(CURRENT, texts.get(Id::PasswordCurrent), "current-password");
    let content = html! {
        (summary(frame, trouble.as_ref()))
        h1 { (texts.get(Id::PasswordTitle)) }
        p { (texts.fill(Id::SignedInAs, &[("username", &isolated(page.username))])) }
        form method="post" action=(frame.path("password")) {
            (hidden("form_token", page.token))
            // Without a name it is not sent: it tells password managers whose password this is.
            input type="text" autocomplete="username" value=(Shown(page.username)) readonly hidden;
            (current.invalid(points_at(trouble.as_ref(), CURRENT)))
            (new_password(frame, trouble.as_ref(), page.min_length))
            label.check {
                input type="checkbox" name="end_others" value="yes" checked;
                span { (texts.get(Id::PasswordEndOthers)) }
            }
            button type="submit" { (texts.get(Id::PasswordTitle)) }
        }
        p.links { a href=(frame.path("applications")) { (texts.get(Id::PasswordBack)) } }
    };
    frame.page(&Sheet::with_problem(Id::PasswordTitle, trouble.is_some()), &content)
}

pub(crate) fn reset(frame: &Frame<'_>, page: &ResetPage<'_>) -> String {
    let texts = frame.texts;
    let trouble = page.problem.map(|problem| trouble(frame, problem, NEW, page.min_length));
    let content = html! {
        (summary(frame, trouble.as_ref()))
        h1 { (texts.get(Id::ResetTitle)) }
        form method="post" action=(frame.path("reset")) {
            (hidden("token", page.token))
            (new_password(frame, trouble.as_ref(), page.min_length))
            button type="submit" { (texts.get(Id::ResetButton)) }
        }
    };
    frame.page(&Sheet::with_problem(Id::ResetTitle, trouble.is_some()), &content)
}

/// The page after a reset.
pub(crate) fn password_set(frame: &Frame<'_>) -> String {
    frame.message(Id::PasswordSetTitle, Id::PasswordSetText)
}

/// The form `POST {base}/forgot` with `username`.
pub(crate) fn forgot(frame: &Frame<'_>, problem: Option<ForgotProblem>) -> String {
    let texts = frame.texts;
    let trouble = problem.map(|problem| match problem {
        ForgotProblem::Busy => Trouble { text: texts.get(Id::Busy).render(), field: None },
        ForgotProblem::Missing => Trouble { text: texts.get(Id::ForgotMissing).render(), field: Some("username") },
        ForgotProblem::TooMany { minutes } => Trouble { text: too_many(frame, minutes), field: None },
    });
    let content = html! {
        (summary(frame, trouble.as_ref()))
        h1 { (texts.get(Id::ForgotTitle)) }
        p { (texts.get(Id::ForgotText)) }
        form method="post" action=(frame.path("forgot")) {
            (Field::username(frame, "").invalid(points_at(trouble.as_ref(), "username")))
            button type="submit" { (texts.get(Id::ForgotButton)) }
        }
    };
    frame.page(&Sheet::with_problem(Id::ForgotTitle, trouble.is_some()), &content)
}

/// The page after `forgot`, which is the same whether there is such a user or not.
pub(crate) fn forgot_sent(frame: &Frame<'_>) -> String {
    frame.message(Id::ForgotSentTitle, Id::ForgotSentText)
}

fn trouble(frame: &Frame<'_>, problem: PasswordProblem, first: &'static str, min_length: usize) -> Trouble {
    let texts = frame.texts;
    let (text, field) = match problem {
        PasswordProblem::Busy => (texts.get(Id::Busy).render(), None),
        PasswordProblem::Missing => (texts.get(Id::PasswordMissing).render(), Some(first)),
        PasswordProblem::TooCommon => (texts.get(Id::PasswordTooCommon).render(), Some(NEW)),
        PasswordProblem::TooLong => (texts.get(Id::PasswordTooLong).render(), Some(NEW)),
        PasswordProblem::TooMany { minutes } => (too_many(frame, minutes), None),
        PasswordProblem::TooShort => (length(frame, Id::PasswordTooShort, min_length), Some(NEW)),
        PasswordProblem::WrongCurrent => (texts.get(Id::PasswordWrongCurrent).render(), Some(first)),
    };
    Trouble { text, field }
}

fn length(frame: &Frame<'_>, id: Id, min_length: usize) -> Markup {
    frame.texts.fill(id, &[("length", &min_length.render())])
}

fn new_password<'a>(frame: &'a Frame<'_>, trouble: Option<&Trouble>, min_length: usize) -> Field<'a> {
    Field::password(NEW, frame.texts.get(Id::PasswordNew), "new-password")
        .hint(length(frame, Id::PasswordRule, min_length))
        .invalid(points_at(trouble, NEW))
}

fn points_at(trouble: Option<&Trouble>, field: &str) -> bool {
    trouble.and_then(|trouble| trouble.field) == Some(field)
}
