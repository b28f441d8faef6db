//! Signing out.

use maud::html;

use super::parts::{hidden, isolated};
use super::texts::Id;
use super::{Frame, Sheet};

/// The form `POST {base}/logout` with `form_token`.
pub(crate) struct SignOut<'a> {
    pub(crate) token: &'a str,
    pub(crate) username: &'a str,
}

pub(crate) fn sign_out(frame: &Frame<'_>, page: &SignOut<'_>) -> String {
    let texts = frame.texts;
    let content = html! {
        h1 { (texts.get(Id::SignOutHeading)) }
        p { (texts.fill(Id::SignedInAs, &[("username", &isolated(page.username))])) }
        form method="post" action=(frame.path("logout")) {
            (hidden("form_token", page.token))
            button type="submit" { (texts.get(Id::SignOutTitle)) }
        }
    };
    frame.page(&Sheet::new(Id::SignOutTitle), &content)
}

pub(crate) fn signed_out(frame: &Frame<'_>) -> String {
    frame.message(Id::SignedOutTitle, Id::SignedOutText)
}
