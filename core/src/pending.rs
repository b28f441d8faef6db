//! The host's own login page: what a browser that comes there is on its way with, and how it goes on.
//!
//! `GET /authorize` sends the browser to `login_url` with the sealed request in `request`. The host takes that by
//! [`Core::pending`], signs the user in as it likes, and answers with what [`Core::approve`] or [`Core::deny`] gives.

use std::sync::Arc;

use crate::UnixTime;
use crate::browser::forms::sent_to_host;
use crate::browser::travel::{Approved, Asked, Destination, Travel};
use crate::endpoint::authorize::{self, Approver, SKEW, approve, back_to_host, needs_consent};
use crate::endpoint::login;
use crate::endpoint::pages::{self, Visitor};
use crate::entropy::Entropy;
use crate::io::Io;
use crate::record::{Client, OwnerRecord};
use crate::redirect::RedirectUri;
use crate::refusal::Refusal;
use crate::reply::Response;
use crate::request::Request;
use crate::router::Endpoint;
use crate::scope::Scope;
use crate::server::{Core, check_way, note, secure};
use crate::step::Step;
use crate::user::UserAnswer;

/// The longest subject identifier, in characters (OpenID Connect Core section 2), and the longest method.
const MAX_SUBJECT: usize = 255;
const MAX_METHOD: usize = 32;

/// An authorization request on the host's login page, begun by the browser that brings it.
///
/// It is a value: a host may take it again for each request of its page, and nothing is kept meanwhile. It is good for
/// `pending_lifetime`. `Send` and `Sync`.
#[derive(Clone, Debug)]
pub struct Pending {
    travel: Travel,
    asked: Asked,
    sealed: String,
    client: Arc<Client>,
    scope_texts: Vec<String>,
    accept_language: Option<String>,
    now: UnixTime,
}

/// Whom the host signed in, when and how.
#[derive(Clone, Debug)]
pub struct Authentication {
    subject: String,
    username: Option<String>,
    auth_time: UnixTime,
    amr: Vec<String>,
    scope: Option<Scope>,
}

impl Authentication {
    /// The user of this subject identifier, who signed in at `auth_time`: now, or earlier where the host's own session
    /// still holds.
    #[must_use]
    pub fn new(subject: impl Into<String>, auth_time: UnixTime) -> Self {
        Self { subject: subject.into(), username: None, auth_time, amr: Vec::new(), scope: None }
    }

    /// The name that people are shown. Without it, the one that the table of users has.
    #[must_use]
    pub fn username(mut self, username: impl Into<String>) -> Self {
        self.username = Some(username.into());
        self
    }

    /// How the user signed in (RFC 8176): `pwd`, `otp`, `hwk` and the like.
    #[must_use]
    pub fn amr(mut self, methods: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.amr = methods.into_iter().map(Into::into).collect();
        self
    }

    /// Less than what the client asked for.
    #[must_use]
    pub fn scope(mut self, scope: Scope) -> Self {
        self.scope = Some(scope);
        self
    }
}

impl Pending {
    /// The client that asks.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Where the browser goes back to, as people read it: a host, or an application's own scheme.
    #[must_use]
    pub fn redirect_host(&self) -> String {
        RedirectUri::shown_host(&self.asked.redirect_uri)
    }

    /// What it asks for, as far as it may have it.
    #[must_use]
    pub const fn scope(&self) -> &Scope {
        &self.asked.scope
    }

    /// The texts of the scope for people, in its order.
    #[must_use]
    pub fn scope_texts(&self) -> &[String] {
        &self.scope_texts
    }

    /// The name that the client suggests. It comes from the request: escape it.
    #[must_use]
    pub fn login_hint(&self) -> Option<&str> {
        self.asked.login_hint.as_deref()
    }

    /// The languages that the client asks for, separated by blanks. They come from the request.
    #[must_use]
    pub fn ui_locales(&self) -> Option<&str> {
        self.travel.ui_locales.as_deref()
    }

    /// Whether no page may be shown (`prompt=none`): approve whoever is signed in, or deny.
    #[must_use]
    pub const fn is_silent(&self) -> bool {
        self.asked.prompt.none
    }

    /// Whether a sign-in of that time is not enough for this client (`prompt=login`, `max_age`).
    #[must_use]
    pub fn must_login_again(&self, last_login: UnixTime) -> bool {
        let age = self.now.since(last_login);
        let young = self.asked.max_age.is_none_or(|most| most > 0 && age <= most);
        !(self.is_fresh(last_login) || (young && !self.asked.prompt.login))
    }

    /// The value of `request`, for a hidden field of the host's form.
    #[must_use]
    pub fn request_value(&self) -> &str {
        &self.sealed
    }

    /// Whether somebody who signed in then did so for this request.
    const fn is_fresh(&self, last_login: UnixTime) -> bool {
        last_login.seconds().saturating_add(SKEW) >= self.travel.began_at
    }

    fn check(&self, authentication: &Authentication) -> Result<(), &'static str> {
        let legal = |method: &String| {
            (1..=MAX_METHOD).contains(&method.len()) && method.bytes().all(|byte| byte.is_ascii_graphic())
        };
        if !(1..=MAX_SUBJECT).contains(&authentication.subject.chars().count()) {
            return Err("approve: the subject has 1 to 255 characters");
        }
        if authentication.amr.len() > 8 || !authentication.amr.iter().all(legal) {
            return Err("approve: amr is up to 8 words of up to 32 printable characters");
        }
        if authentication.auth_time.seconds() > self.now.seconds().saturating_add(SKEW) {
            return Err("approve: auth_time is in the future");
        }
        if authentication.scope.as_ref().is_some_and(|scope| scope.is_empty() || !scope.is_subset_of(self.scope())) {
            return Err("approve: the scope is empty, or more than was asked for");
        }
        Ok(())
    }
}

impl Core {
    /// What the browser is on its way with that asks for the host's login page, or sends its form: `request` stands in
    /// the query, or in a field of the form. The headers tell which browser it is, and that the form is the host's own.
    ///
    /// Ends in a [`Refusal`] if another browser began it (403), if it is over (400), or if the store fails (503);
    /// [`Core::refused_page`] shows it.
    pub fn pending(&self, request: Request, now: UnixTime, entropy: Entropy) -> Step<Result<Pending, Refusal>> {
        self.call(now, entropy, move |mut io| async move {
            io.accept_language = request.accept_language().map(str::to_owned);
            let outcome = io.pending(&request).await;
            let outcome = outcome.map_err(|mut refusal| {
                let reference = io.reference();
                note(&mut io, &refusal, Some(&reference));
                refusal.visitor = Some(Box::new(Visitor::of(&io, reference)));
                refusal
            });
            io.done(outcome)
        })
    }

    /// Goes on with the user whom the host signed in: to the consent page, or back to the client with a code. The same
    /// request, approved again for the same user, gets the same code while nobody has redeemed it.
    ///
    /// A user who was signed out everywhere after that sign-in is sent to the host's page again, where
    /// [`Pending::must_login_again`] then says so. What no host may say is a page with status 500 and a reason in the
    /// log: a scope beyond what was asked for, a sign-in that is too old for the client.
    pub fn approve(
        &self,
        pending: Pending,
        authentication: Authentication,
        now: UnixTime,
        entropy: Entropy,
    ) -> Step<Result<Response, Refusal>> {
        self.call(now, entropy, move |mut io| async move {
            let outcome = io.approve_pending(&pending, authentication).await;
            let mut response = io.shown(outcome, &pending);
            secure(&io.config, &mut response);
            io.done(Ok(response))
        })
    }

    /// Back to the client with `access_denied`, or, where no page could be shown, with `login_required`.
    pub fn deny(&self, pending: Pending, now: UnixTime, entropy: Entropy) -> Step<Result<Response, Refusal>> {
        self.call(now, entropy, move |mut io| async move {
            let refusal = if pending.is_silent() {
                Refusal::login_required()
            } else {
                Refusal::access_denied("the user was not signed in")
            };
            let mut response = authorize::denied(&mut io, &pending.asked, &refusal);
            secure(&io.config, &mut response);
            io.done(Ok(response))
        })
    }

    /// The page of a refusal, for the host's own handlers.
    #[must_use]
    pub fn refused_page(&self, refusal: &Refusal) -> Response {
        let mut response = pages::refused_to_visitor(&self.config, refusal);
        secure(&self.config, &mut response);
        response
    }
}

impl Io {
    async fn pending(&mut self, request: &Request) -> Result<Pending, Refusal> {
        if self.config.settings.login_url.is_none() {
            return Err(Refusal::server_error("pending: set login_url, so that browsers come to the host's page"));
        }
        check_way(self, request)?;
        let sealed = sent_to_host(self, request)?;
        let browser = self.browser(request);
        let travel = self.open_travel(&sealed, browser.as_ref())?;
        let Destination::Client(asked) = &travel.destination else {
            return Err(Refusal::invalid_request("the request leads to no client"));
        };
        let asked = Asked::clone(asked);
        let client = pages::client_of(self, &travel).await?.ok_or(Refusal::invalid_request("the client is unknown"))?;
        let texts = asked.scope.iter().map(|name| self.config.scope_text(name).to_owned());
        Ok(Pending {
            scope_texts: texts.collect(),
            sealed,
            accept_language: request.accept_language().map(str::to_owned),
            now: self.now,
            travel,
            asked,
            client,
        })
    }

    async fn approve_pending(
        &mut self,
        pending: &Pending,
        authentication: Authentication,
    ) -> Result<Response, Refusal> {
        if let Err(problem) = pending.check(&authentication) {
            return Err(Refusal::server_error(problem));
        }
        if self.now.since(pending.now) > self.config.settings.pending_lifetime.as_secs() {
            return Err(Refusal::expired());
        }
        let Authentication { subject, username, auth_time, amr, scope } = authentication;
        let mut asked = pending.asked.clone();
        asked.scope = scope.unwrap_or(asked.scope);
        if pending.must_login_again(auth_time) {
            if asked.prompt.none {
                return Ok(authorize::denied(self, &asked, &Refusal::login_required()));
            }
            return Err(Refusal::server_error("approve: the client wants a newer sign-in; see must_login_again"));
        }
        let epoch = self.load_or_forget::<OwnerRecord>(&self.names().user_epoch(&subject)).await?;
        if epoch.as_ref().is_some_and(|epoch| epoch.body.ended_after(auth_time.seconds())) {
            if asked.prompt.none {
                return Ok(authorize::denied(self, &asked, &Refusal::login_required()));
            }
            return back_to_host(self, &pending.travel, &pending.asked);
        }
        let epoch = epoch.map(|epoch| epoch.version.as_str().to_owned());
        let UserAnswer::Found(user) = self.user_by_subject(subject.clone(), username.as_deref()).await? else {
            let refusal = Refusal::access_denied("the user may not sign in");
            return Ok(authorize::denied(self, &asked, &refusal));
        };
        let username = username.or(user.username);
        let approved = Approved { subject, username, auth_time: auth_time.seconds(), amr, epoch };
        let just_now = pending.is_fresh(auth_time);
        if needs_consent(self, &pending.client, &asked, &approved.subject, just_now).await? {
            if asked.prompt.none {
                return Ok(authorize::denied(self, &asked, &Refusal::consent_required()));
            }
            let destination = Destination::Client(Box::new(asked));
            let travel = Travel { destination, approved: Some(approved), ..pending.travel.clone() };
            let sealed = self.seal_travel(&travel)?;
            let url = self.config.issuer.url(Endpoint::Consent.name());
            return Ok(authorize::to(&authorize::with_query(&url, [("request", sealed.as_str())])));
        }
        let code = approve(self, &pending.client, &pending.travel, &asked, &Approver::from(&approved)).await;
        let outcome = code.map(|code| authorize::answered(self, &asked, &code));
        login::finish(self, &asked, outcome)
    }

    /// The answer to the browser, whatever it came to.
    fn shown(&mut self, outcome: Result<Response, Refusal>, pending: &Pending) -> Response {
        self.ui_locales.clone_from(&pending.travel.ui_locales);
        self.accept_language.clone_from(&pending.accept_language);
        self.back = RedirectUri::home(&pending.asked.redirect_uri);
        outcome.unwrap_or_else(|refusal| {
            let reference = self.reference();
            note(self, &refusal, Some(&reference));
            pages::refused(self, &refusal, &reference)
        })
    }
}
