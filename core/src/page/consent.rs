//! Agreeing that an application gets access.

use maud::{Render as _, html};

use super::parts::{hidden, isolated};
use super::texts::Id;
use super::{Frame, Sheet};

/// The form `POST {base}/consent` with `request`, `form_token` and `decision`: `allow`, `deny` or `switch`.
pub(crate) struct ConsentPage<'a> {
    /// The sealed request, which goes back as it is.
    pub(crate) request: &'a str,
    pub(crate) token: &'a str,
    /// The application's name.
    pub(crate) client: &'a str,
    pub(crate) redirect_host: &'a str,
    /// The texts of the scopes.
    pub(crate) scopes: &'a [&'a str],
    pub(crate) username: &'a str,
    /// The life of the grant.
    pub(crate) days: u64,
    /// Whether the redirect goes to an application on the device, which anything there can pretend to be (RFC 8252
    /// section 8.6).
    pub(crate) loopback_or_private: bool,
}

pub(crate) fn consent(frame: &Frame<'_>, page: &ConsentPage<'_>) -> String {
    let texts = frame.texts;
    let client = isolated(page.client);
    let days = match page.days {
        0 | 1 => texts.get(Id::ConsentDaysOne).render(),
        days => texts.count(Id::ConsentDays, "days", days),
    };
    let content = html! {
        h1 { (texts.fill(Id::ConsentHeading, &[("client", &client)])) }
        p { (texts.fill(Id::SignedInAs, &[("username", &isolated(page.username))])) }
        @if page.loopback_or_private {
            div.note.bad { p { (texts.get(Id::ConsentDevice)) } }
        }
        @if !page.scopes.is_empty() {
            p { (texts.get(Id::ConsentScopes)) }
            ul.scopes { @for scope in page.scopes { li { (isolated(scope)) } } }
        }
        p { (texts.fill(Id::ConsentReturn, &[("host", &isolated(page.redirect_host))])) }
        p.soft { (days) }
        form method="post" action=(frame.path("consent")) {
            (hidden("request", page.request))
            (hidden("form_token", page.token))
            div.pair {
                button type="submit" name="decision" value="allow" { (texts.get(Id::ConsentAllow)) }
                button.plain type="submit" name="decision" value="deny" { (texts.get(Id::ConsentDeny)) }
            }
            button.link type="submit" name="decision" value="switch" { (texts.get(Id::ConsentSwitch)) }
        }
    };
    frame.page(&Sheet::new(Id::ConsentTitle), &content)
}
