//! The pages of the browser flow: HTML without script, in one language, under one theme.
//!
//! Every value is escaped where it is written, and text of others is isolated (`bdi`), so that its direction cannot
//! reorder ours. The only addresses of others are a logo and a way back, both https.

mod applications;
mod colour;
mod consent;
mod date;
mod languages;
mod parts;
mod password;
mod problem;
mod respond;
mod sign_in;
mod sign_out;
mod style;
#[cfg(test)]
mod tests;
mod texts;
mod theme;

use maud::{DOCTYPE, Markup, PreEscaped, Render as _, html};

pub(crate) use applications::{Application, ApplicationsPage, BrowserSession, Done, applications};
pub(crate) use consent::{ConsentPage, consent};
pub(crate) use languages::Languages;
pub(crate) use password::{
    ForgotProblem, PasswordPage, PasswordProblem, ResetPage, forgot, forgot_sent, password, password_set, reset,
};
pub(crate) use problem::{ProblemKind, ProblemPage, problem};
pub(crate) use respond::respond;
pub(crate) use sign_in::{SignIn, SignInProblem, sign_in};
pub(crate) use sign_out::{SignOut, sign_out, signed_out};
pub use texts::Texts;
pub(crate) use theme::Theme;

use texts::Id;

/// What all pages of a server have in common.
#[derive(Clone, Copy)]
pub(crate) struct Frame<'a> {
    pub(crate) theme: &'a Theme,
    pub(crate) texts: &'a Texts,
    /// The path before the endpoints' names, as the browser sees it: `/auth`, or nothing.
    pub(crate) base: &'a str,
}

/// What one page is, beside its content.
struct Sheet {
    title: Id,
    /// Whether the title begins with "Error".
    problem: bool,
    wide: bool,
}

impl Sheet {
    const fn new(title: Id) -> Self {
        Self { title, problem: false, wide: false }
    }

    const fn with_problem(title: Id, problem: bool) -> Self {
        Self { title, problem, wide: false }
    }
}

impl Frame<'_> {
    /// The path of an endpoint.
    fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.base)
    }

    /// The whole document around the content of `main`, which has the heading.
    fn page(&self, sheet: &Sheet, content: &Markup) -> String {
        let title = self.texts.get(sheet.title).render();
        let title = if sheet.problem { self.texts.fill(Id::ErrorTitle, &[("title", &title)]) } else { title };
        let name = self.theme.name();
        let document = html! {
            (DOCTYPE)
            html lang=(self.texts.lang()) dir=(self.texts.direction()) {
                head {
                    meta charset="utf-8";
                    title { (title) " \u{b7} " (name) }
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="robots" content="noindex";
                    @if let Some(logo) = self.theme.logo() { link rel="icon" href=(logo); }
                    style { (PreEscaped(self.theme.style())) }
                }
                body {
                    header {
                        @match self.theme.logo() {
                            Some(logo) => img src=(logo) alt=(name) height="48";,
                            None => p { (name) }
                        }
                    }
                    main.wide[sheet.wide] { (content) }
                }
            }
        };
        document.into_string()
    }

    /// A page of a heading and a sentence.
    fn message(&self, title: Id, text: Id) -> String {
        let content = html! {
            h1 { (self.texts.get(title)) }
            p { (self.texts.get(text)) }
        };
        self.page(&Sheet::new(title), &content)
    }
}
