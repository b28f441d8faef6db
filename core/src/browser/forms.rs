//! Forms: only our own pages, in the browser that they were shown to, are listened to.

use std::time::Duration;

use http::Method;
use http::header::{CONTENT_TYPE, HeaderName};

use super::keys::{Purpose, Unsealed};
use super::session::Current;
use super::travel::Travel;
use super::visitor::Browser;
use crate::event::{Event, EventKind};
use crate::form;
use crate::io::Io;
use crate::redirect::RedirectUri;
use crate::refusal::Refusal;
use crate::request::{MAX_PARAMETERS, Request};
use crate::secret::Secret;

/// To learn from a request that is over where it was to lead.
const FOREVER: Duration = Duration::from_secs(u64::MAX);
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What the form is of whose token is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FormOf<'a> {
    Applications,
    /// One travelling request, as it was sealed.
    Consent(&'a str),
    Logout,
    Password,
}

impl FormOf<'_> {
    const fn parts(&self) -> (&'static [u8], &[u8]) {
        match self {
            Self::Applications => (b"applications", b""),
            Self::Consent(sealed) => (b"consent", sealed.as_bytes()),
            Self::Logout => (b"logout", b""),
            Self::Password => (b"password", b""),
        }
    }
}

/// The fields of a form, or of a query; each at most once.
#[derive(Debug)]
pub(crate) struct Fields(Vec<(String, Secret)>);

impl Fields {
    /// The form in the body of a `POST` by one of our pages.
    pub(crate) fn posted(io: &mut Io, request: &Request) -> Result<Self, Refusal> {
        io.check_origin(request, None)?;
        if !is_form(request) {
            return Err(Refusal::invalid_request("the content type must be application/x-www-form-urlencoded"));
        }
        Self::decode(request.http().body())
    }

    /// The query of a `GET`.
    pub(crate) fn queried(request: &Request) -> Result<Self, Refusal> {
        Self::decode(request.http().uri().query().unwrap_or_default().as_bytes())
    }

    fn decode(text: &[u8]) -> Result<Self, Refusal> {
        let fields = form::decode(text, MAX_PARAMETERS);
        let fields = fields.map_err(|_| Refusal::invalid_request("the form is not well-formed in UTF-8"))?;
        let fields: Vec<(String, Secret)> =
            fields.into_iter().map(|(name, value)| (name.into_owned(), value)).collect();
        let mut names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        if !names.is_sorted_by(|one, next| one < next) {
            return Err(Refusal::invalid_request("a parameter is repeated"));
        }
        Ok(Self(fields))
    }

    /// The value as text; empty if it is absent.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(one, _)| one == name).and_then(|(_, value)| value.expose_text()).unwrap_or_default()
    }

    /// The value, taken out; empty if it is absent.
    pub(crate) fn take(&mut self, name: &str) -> Secret {
        let at = self.0.iter().position(|(one, _)| one == name);
        at.map_or_else(|| Secret::from(""), |at| self.0.swap_remove(at).1)
    }
}

/// The sealed request that comes to the host's own login page: in its form, or in the query, where the page came with
/// it. What else stands in the host's form is the host's.
pub(crate) fn sent_to_host(io: &mut Io, request: &Request) -> Result<String, Refusal> {
    let query = request.http().uri().query().unwrap_or_default().as_bytes();
    if matches!(*request.http().method(), Method::GET | Method::HEAD) {
        return only(query, "request");
    }
    let page = io.config.settings.login_url.as_deref().and_then(origin_of).map(str::to_owned);
    io.check_origin(request, page.as_deref())?;
    let posted = if is_form(request) { only(request.http().body(), "request")? } else { String::new() };
    if posted.is_empty() { only(query, "request") } else { Ok(posted) }
}

/// The one value of that name; empty if there is none.
fn only(form: &[u8], name: &str) -> Result<String, Refusal> {
    let fields = form::decode(form, MAX_PARAMETERS);
    let fields = fields.map_err(|_| Refusal::invalid_request("the form is not well-formed in UTF-8"))?;
    let mut values = fields.iter().filter(|(one, _)| one == name).filter_map(|(_, value)| value.expose_text());
    let value = values.next().unwrap_or_default().to_owned();
    if values.next().is_some() {
        return Err(Refusal::invalid_request("a parameter is repeated"));
    }
    Ok(value)
}

fn is_form(request: &Request) -> bool {
    let content_type = request.http().headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = content_type.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// Scheme and authority of an absolute URL.
fn origin_of(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?']).next().unwrap_or_default().len();
    url.get(..scheme.len().saturating_add(3).saturating_add(authority))
}

/// A form that is not ours, or not of this browser: 403.
pub(crate) fn forged(io: &mut Io, why: &'static str) -> Refusal {
    io.event(Event::new(EventKind::FormForged).detail(why));
    Refusal::forged(why)
}

impl Io {
    /// Refuses a `POST` that a page of another site made, where the browser says so. Under our referrer policy the
    /// `Origin` of our own forms is `null`, which says nothing. `page` is the origin of the host's page, where that is
    /// another than ours.
    fn check_origin(&mut self, request: &Request, page: Option<&str>) -> Result<(), Refusal> {
        let header = |name: &HeaderName| request.http().headers().get(name).map(|value| value.to_str().unwrap_or("?"));
        let site = header(&SEC_FETCH_SITE);
        if site.is_some_and(|site| site != "same-origin" && site != "none") {
            return Err(forged(self, "the browser says that another site made the request"));
        }
        let origin = header(&http::header::ORIGIN).filter(|origin| *origin != "null");
        let own = page.unwrap_or_else(|| self.config.issuer.origin());
        if origin.is_some_and(|origin| !origin.eq_ignore_ascii_case(own)) {
            return Err(forged(self, "the request comes from another origin"));
        }
        Ok(())
    }

    /// Seals a request for its way through the pages.
    pub(crate) fn seal_travel(&mut self, travel: &Travel) -> Result<String, Refusal> {
        let iv = self.random();
        let keys = self.config.session_keys().ok_or_else(no_keys)?;
        Ok(keys.seal(Purpose::Travel, travel, self.now, iv))
    }

    /// Opens a travelling request that this browser began. A value of somebody else's browser, in a link or a form,
    /// signs nobody in to anything.
    pub(crate) fn open_travel(&mut self, sealed: &str, browser: Option<&Browser>) -> Result<Travel, Refusal> {
        let lifetime = self.config.settings.pending_lifetime;
        let keys = self.config.session_keys().ok_or_else(no_keys)?;
        let (opened, expired) = match keys.open::<Travel>(Purpose::Travel, sealed, lifetime, self.now) {
            Err(Unsealed::Expired) => (keys.open(Purpose::Travel, sealed, FOREVER, self.now), true),
            opened => (opened, false),
        };
        let Ok(travel) = opened else { return Err(forged(self, "the travelling request is not ours")) };
        self.ui_locales.clone_from(&travel.ui_locales);
        if browser.is_none_or(|browser| browser.id != travel.browser) {
            return Err(forged(self, "another browser began the request"));
        }
        self.back = travel.asked().and_then(|asked| RedirectUri::home(&asked.redirect_uri));
        if expired {
            return Err(Refusal::expired());
        }
        Ok(travel)
    }

    /// What a form of ours carries.
    pub(crate) fn form_token(&self, of: FormOf<'_>, browser: &Browser, session: Option<&Current>) -> String {
        let parts = form_parts(&of, browser, session.map(|session| &session.id));
        self.config.session_keys().map(|keys| keys.form_token(&parts)).unwrap_or_default()
    }

    /// Refuses a form that our page did not make for this browser and this sign-in.
    pub(crate) fn check_form(
        &mut self,
        token: &str,
        of: FormOf<'_>,
        browser: Option<&Browser>,
        session: Option<&Current>,
    ) -> Result<(), Refusal> {
        if self.is_form(token, of, browser, session.map(|session| &session.id)) {
            return Ok(());
        }
        Err(forged(self, "the form was not made for this browser and this sign-in"))
    }

    /// Whether our page made a form for this browser and the sign-in of this identifier.
    pub(crate) fn is_form(
        &self,
        token: &str,
        of: FormOf<'_>,
        browser: Option<&Browser>,
        id: Option<&[u8; 16]>,
    ) -> bool {
        let keys = self.config.session_keys();
        browser.zip(keys).is_some_and(|(browser, keys)| keys.made_form(token, &form_parts(&of, browser, id)))
    }
}

fn no_keys() -> Refusal {
    Refusal::server_error("there are no session keys")
}

fn form_parts<'a>(of: &'a FormOf<'_>, browser: &'a Browser, session: Option<&'a [u8; 16]>) -> [&'a [u8]; 4] {
    let (purpose, subject) = of.parts();
    [purpose, subject, &browser.id[..], session.map(|id| &id[..]).unwrap_or_default()]
}
