//! What has access to an account, where it is signed in, and taking both back.

use maud::{Markup, html};

use super::date;
use super::parts::{hidden, isolated};
use super::texts::Id;
use super::{Frame, Sheet};

/// The forms `POST {base}/applications` with `form_token` and `action`: `withdraw` with `client_id`, `end_session` with
/// `session`, or `sign_out_everywhere`.
pub(crate) struct ApplicationsPage<'a> {
    pub(crate) token: &'a str,
    pub(crate) username: &'a str,
    pub(crate) applications: &'a [Application<'a>],
    pub(crate) sessions: &'a [BrowserSession<'a>],
    /// What the form before has done.
    pub(crate) done: Option<Done>,
    /// Whether there is a link to `{base}/password`.
    pub(crate) may_change_password: bool,
}

/// An application with access.
pub(crate) struct Application<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) name: &'a str,
    pub(crate) redirect_host: Option<&'a str>,
    /// The texts of the scopes.
    pub(crate) scopes: Vec<&'a str>,
    /// Seconds since 1970.
    pub(crate) since: u64,
}

/// A browser that is signed in.
pub(crate) struct BrowserSession<'a> {
    pub(crate) id: &'a str,
    /// Seconds since 1970.
    pub(crate) since: u64,
    /// Seconds since 1970.
    pub(crate) last_used: u64,
    /// Whether it is the one that asks; it has no button, because there is a link to sign out.
    pub(crate) current: bool,
}

/// What was done before the page is shown again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    PasswordChanged,
    SessionEnded,
    Withdrawn,
}

pub(crate) fn applications(frame: &Frame<'_>, page: &ApplicationsPage<'_>) -> String {
    let texts = frame.texts;
    let done = page.done.map(|done| match done {
        Done::PasswordChanged => Id::DonePasswordChanged,
        Done::SessionEnded => Id::DoneSessionEnded,
        Done::Withdrawn => Id::DoneWithdrawn,
    });
    let content = html! {
        h1 { (texts.get(Id::AccountTitle)) }
        @if let Some(done) = done { div.note.good role="status" { p { (texts.get(done)) } } }
        p { (texts.fill(Id::SignedInAs, &[("username", &isolated(page.username))])) }
        h2 { (texts.get(Id::ApplicationsHeading)) }
        @if page.applications.is_empty() {
            p { (texts.get(Id::ApplicationsNone)) }
        } @else {
            (form(frame, page.token, WITHDRAW, None))
            ul.items { @for one in page.applications { (application(frame, one)) } }
        }
        h2 { (texts.get(Id::SessionsHeading)) }
        @if page.sessions.iter().any(|one| !one.current) { (form(frame, page.token, END_SESSION, None)) }
        ul.items { @for one in page.sessions { (session(frame, one)) } }
        p.soft { (texts.get(Id::SignOutEverywhereText)) }
        (form(frame, page.token, EVERYWHERE, Some(texts.get(Id::SignOutEverywhere))))
        nav aria-label=(texts.get(Id::AccountLinks)) {
            ul.links {
                @if page.may_change_password {
                    li { a href=(frame.path("password")) { (texts.get(Id::PasswordTitle)) } }
                }
                li { a href=(frame.path("logout")) { (texts.get(Id::SignOutTitle)) } }
            }
        }
    };
    frame.page(&Sheet { wide: true, ..Sheet::new(Id::AccountTitle) }, &content)
}

const WITHDRAW: &str = "withdraw";
const END_SESSION: &str = "end_session";
const EVERYWHERE: &str = "sign_out_everywhere";

/// A form, whose id is its action. The buttons of a list belong to one form before it and bring what they are about, so
/// that the token is in the page once for each action and not once for each row.
fn form(frame: &Frame<'_>, token: &str, action: &str, button: Option<&str>) -> Markup {
    html! {
        form id=(action) method="post" action=(frame.path("applications")) {
            (hidden("form_token", token))
            (hidden("action", action))
            @if let Some(button) = button { button.plain type="submit" { (button) } }
        }
    }
}

fn application(frame: &Frame<'_>, one: &Application<'_>) -> Markup {
    let texts = frame.texts;
    html! {
        li.item {
            div {
                h3 { (isolated(one.name)) }
                @if !one.scopes.is_empty() { ul { @for scope in &one.scopes { li { (isolated(scope)) } } } }
                p.soft { (texts.fill(Id::ApplicationSince, &[("date", &date::day(one.since))])) }
                @if let Some(host) = one.redirect_host {
                    p.soft { (texts.fill(Id::ApplicationHost, &[("host", &isolated(host))])) }
                }
            }
            button.plain type="submit" form=(WITHDRAW) name="client_id" value=(one.client_id) {
                (texts.get(Id::ApplicationWithdraw))
                span.unseen { ": " (isolated(one.name)) }
            }
        }
    }
}

fn session(frame: &Frame<'_>, one: &BrowserSession<'_>) -> Markup {
    let texts = frame.texts;
    let since = texts.fill(Id::SessionSince, &[("date", &date::minute(one.since))]);
    html! {
        li.item {
            div {
                h3 { (texts.get(if one.current { Id::SessionCurrent } else { Id::SessionOther })) }
                p.soft { (since) }
                p.soft { (texts.fill(Id::SessionUsed, &[("date", &date::minute(one.last_used))])) }
            }
            @if !one.current {
                button.plain type="submit" form=(END_SESSION) name="session" value=(one.id) {
                    (texts.get(Id::SessionEnd))
                    span.unseen { ": " (since) }
                }
            }
        }
    }
}
