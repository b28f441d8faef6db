//! Signing in.

use maud::{Render as _, html};

use super::parts::{Field, Trouble, hidden, isolated, summary, too_many};
use super::texts::Id;
use super::{Frame, Sheet};

/// The form `POST {base}/login` with `request`, `username` and `password`.
pub(crate) struct SignIn<'a> {
    /// The sealed request, which goes back as it is.
    pub(crate) request: &'a str,
    /// The application's name.
    pub(crate) client: Option<&'a str>,
    /// What stands in the field of the user name already (`login_hint`, or what was typed before).
    pub(crate) username: &'a str,
    pub(crate) problem: Option<SignInProblem>,
    /// Whether there is a link to `{base}/forgot`.
    pub(crate) may_reset: bool,
}

/// Why a sign-in was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignInProblem {
    Busy,
    Missing,
    TooMany { minutes: u64 },
    Wrong,
}

pub(crate) fn sign_in(frame: &Frame<'_>, page: &SignIn<'_>) -> String {
    let texts = frame.texts;
    let trouble = page.problem.map(|problem| match problem {
        SignInProblem::Busy => Trouble { text: texts.get(Id::Busy).render(), field: None },
        SignInProblem::Missing => Trouble { text: texts.get(Id::SignInMissing).render(), field: Some("username") },
        SignInProblem::TooMany { minutes } => Trouble { text: too_many(frame, minutes), field: None },
        SignInProblem::Wrong => Trouble { text: texts.get(Id::SignInWrong).render(), field: Some("username") },
    });
    let invalid = trouble.as_ref().is_some_and(|trouble| trouble.field.is_some());
    let first = trouble.is_none() && page.username.is_empty();
    let content = html! {
        (summary(frame, trouble.as_ref()))
        h1 { (texts.get(Id::SignInTitle)) }
        @if let Some(client) = page.client {
            p.soft { (texts.fill(Id::SignInFor, &[("client", &isolated(client))])) }
        }
        form method="post" action=(frame.path("login")) {
            (hidden("request", page.request))
            (Field::username(frame, page.username).invalid(invalid).autofocus(first))
            (Field::password("password", texts.get(Id::Password), "current-password")
                .invalid(invalid)
                .autofocus(trouble.is_none() && !first))
            button type="submit" { (texts.get(Id::SignInTitle)) }
        }
        @if page.may_reset {
            p.links { a href=(frame.path("forgot")) { (texts.get(Id::SignInForgot)) } }
        }
    };
    frame.page(&Sheet::with_problem(Id::SignInTitle, trouble.is_some()), &content)
}
