//! The whole server as a function: a request, the time and entropy in; steps, and at the end a response, out.

use std::net::IpAddr;
use std::sync::Arc;

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW, CONTENT_LENGTH, HeaderValue,
    STRICT_TRANSPORT_SECURITY, VARY,
};
use http::{Method, StatusCode};

use crate::UnixTime;
use crate::config::Config;
use crate::endpoint::token::Entrance;
use crate::endpoint::{
    applications, authorize, challenge, consent, forgot, introspect, login, logo, logout, metadata, pages, password,
    reset, revoke, status, token, userinfo,
};
use crate::entropy::Entropy;
use crate::event::{Event, EventKind};
use crate::flow::Flow;
use crate::io::Io;
use crate::refusal::Refusal;
use crate::reply::{Reply, Response, empty, insert, refused};
use crate::request::Request;
use crate::router::Endpoint;
use crate::step::Step;
use crate::store::Query;

/// An authorization server without a world: it decides, its driver does.
///
/// Cheap to clone, immutable, `Send` and `Sync`: any number of flows run at once.
#[derive(Clone, Debug)]
pub struct Core {
    pub(crate) config: Arc<Config>,
}

impl Core {
    /// A server of this configuration.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self { config: Arc::new(config) }
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Starts the flow that answers one HTTP request.
    ///
    /// The answer is always a well-formed response; a refused one carries an error body of the RFCs (RFC 6749 section
    /// 5.2). The response to `HEAD` has the headers of `GET` and no body.
    pub fn begin(&self, request: Request, now: UnixTime, entropy: Entropy) -> Step {
        self.flow(request, None, now, entropy)
    }

    /// Starts the flow of one HTTP request that the host refuses for a reason of its own: the response is like that of
    /// any refused request to its endpoint, and no store is asked.
    pub fn refuse(&self, request: Request, refusal: Refusal, now: UnixTime, entropy: Entropy) -> Step {
        self.flow(request, Some(refusal), now, entropy)
    }

    fn flow(&self, request: Request, foregone: Option<Refusal>, now: UnixTime, entropy: Entropy) -> Step {
        let config = Arc::clone(&self.config);
        let body = move |mailbox| {
            let mut io = Io::new(config, now, &entropy, mailbox);
            io.address = request.client_address(&io.config.trusted_proxies);
            io.origin = request.origin().map(str::to_owned);
            io.accept_language = request.accept_language().map(str::to_owned);
            async move {
                let mut response = answer(&mut io, &request, foregone).await;
                response.extensions_mut().insert(io.store_calls);
                io.done(response)
            }
        };
        Flow::start(body, |refusal| refused(&refusal, "proofkey"))
    }

    /// The address that has to answer for this request, if it is a read that anybody may make and that touches no
    /// store (but, from a page of an unknown origin, for one look-up of that): hosts limit those within the process
    /// (design section 3). Nothing for every other request, and where `limit_address` is off.
    #[must_use]
    pub fn open_read(&self, request: &Request) -> Option<IpAddr> {
        self.config.settings.limit_address?;
        match Endpoint::at(&self.config, request.http().uri().path())? {
            Endpoint::Challenge | Endpoint::Metadata => request.client_address(&self.config.trusted_proxies),
            _ => None,
        }
    }

    /// The response to a request that is refused without a flow: by a guard of the host's own API, or because the host
    /// could not begin one.
    #[must_use]
    pub fn refused(&self, refusal: &Refusal) -> Response {
        let mut response = refused(refusal, self.config.issuer());
        secure(&self.config, &mut response);
        response
    }

    /// Starts the flow of a typed call.
    pub(crate) fn call<T, F, Fut>(&self, now: UnixTime, entropy: Entropy, call: F) -> Step<Result<T, Refusal>>
    where
        F: FnOnce(Io) -> Fut,
        Fut: Future<Output = Reply<Result<T, Refusal>>> + Send + 'static,
    {
        let config = Arc::clone(&self.config);
        Flow::start(move |mailbox| call(Io::new(config, now, &entropy, mailbox)), Err)
    }
}

async fn answer(io: &mut Io, request: &Request, foregone: Option<Refusal>) -> Response {
    let endpoint = Endpoint::at(&io.config, request.http().uri().path());
    let method = request.http().method();
    let outcome = match (endpoint, foregone) {
        (_, Some(refusal)) => {
            io.origin_allowed = io.origin.as_ref().is_some_and(|origin| io.config.origins.contains(origin));
            Err(refusal)
        }
        (None, None) => Err(Refusal::not_found()),
        (Some(endpoint), None) if method == Method::OPTIONS => Box::pin(preflight(io, endpoint)).await,
        (Some(endpoint), None) if !endpoint.methods().contains(method) => Err(Refusal::method_not_allowed()),
        (Some(endpoint), None) => match check_outside(io, endpoint, request) {
            Err(refusal) => Err(refusal),
            Ok(()) => dispatch(io, endpoint, request).await,
        },
    };
    let mut response = outcome.unwrap_or_else(|refusal| {
        if endpoint.is_some_and(|endpoint| shows_pages(endpoint, request)) {
            let reference = io.reference();
            note(io, &refusal, Some(&reference));
            return pages::refused(io, &refusal, &reference);
        }
        note(io, &refusal, None);
        refused(&refusal, io.config.issuer())
    });
    if endpoint.is_some_and(|endpoint| shows_pages(endpoint, request)) {
        io.drop_foreign_session(request, &mut response);
    }
    if response.status() == StatusCode::METHOD_NOT_ALLOWED
        && let Some(endpoint) = endpoint
    {
        insert(&mut response, ALLOW, &format!("{}, OPTIONS", endpoint.allow()));
    }
    if let Some(endpoint) = endpoint {
        share(io, endpoint, &mut response);
    }
    secure(&io.config, &mut response);
    if method == Method::HEAD {
        // Said here, for a face only sees that there is no body (RFC 9110 section 9.3.2).
        let length = response.body().len().to_string();
        insert(&mut response, CONTENT_LENGTH, &length);
        response.body_mut().clear();
    }
    response
}

/// What is refused before any endpoint looks at it: what is too large, and what came over plain HTTP to an https issuer
/// (RFC 6749 section 3.1), unless it is for everybody to read. A face sees one hop of the way only, so it is a trusted
/// proxy that tells.
fn check_outside(io: &Io, endpoint: Endpoint, request: &Request) -> Result<(), Refusal> {
    if matches!(endpoint, Endpoint::Health | Endpoint::Logo | Endpoint::Metadata | Endpoint::Root) {
        return request.check_size(io.config.settings.max_body);
    }
    check_way(io, request)
}

/// The same for what only the visitor may read.
pub(crate) fn check_way(io: &Io, request: &Request) -> Result<(), Refusal> {
    request.check_size(io.config.settings.max_body)?;
    if io.config.issuer.is_https() && request.is_plain_http(&io.config.trusted_proxies) {
        return Err(Refusal::invalid_request("the request came over plain http; use https"));
    }
    Ok(())
}

/// A browser that was here once never tries plain HTTP again (RFC 6797).
pub(crate) fn secure(config: &Config, response: &mut Response) {
    if config.issuer.is_https() {
        let a_year = HeaderValue::from_static("max-age=31536000");
        response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, a_year);
    }
}

/// Whether a person sees the answer.
fn shows_pages(endpoint: Endpoint, request: &Request) -> bool {
    endpoint.is_page() || (endpoint == Endpoint::Authorize && request.http().method() != Method::POST)
}

/// Tells the log why a request was refused, and under which reference a page said so.
pub(crate) fn note(io: &mut Io, refusal: &Refusal, reference: Option<&str>) {
    let detail = refusal.private_detail().unwrap_or_else(|| refusal.description());
    let reference = reference.map(|reference| format!(" (page {reference})")).unwrap_or_default();
    io.event(Event::new(EventKind::Refused).detail(&format!("{}: {detail}{reference}", refusal.code())));
}

/// Each endpoint's future in a box of its own: one future for all would be as large as the largest, beyond the sizes
/// that allocators hand out quickly.
async fn dispatch(io: &mut Io, endpoint: Endpoint, request: &Request) -> Result<Response, Refusal> {
    match endpoint {
        Endpoint::Applications => Box::pin(applications::applications(io, request)).await,
        Endpoint::Authorize => Box::pin(authorize::authorize(io, request)).await,
        Endpoint::Challenge => {
            io.origin_allowed = Box::pin(origin_is_registered(io)).await?;
            Ok(challenge::challenge(io))
        }
        Endpoint::Consent => Box::pin(consent::consent(io, request)).await,
        Endpoint::Forgot => Box::pin(forgot::forgot(io, request)).await,
        Endpoint::Health => Ok(Box::pin(status::health(io)).await),
        Endpoint::Introspect => Box::pin(introspect::introspect(io, request)).await,
        Endpoint::Login => Box::pin(login::login(io, request)).await,
        Endpoint::Logo => logo::logo(io),
        Endpoint::Logout => Box::pin(logout::logout(io, request)).await,
        Endpoint::Me | Endpoint::Userinfo => Box::pin(userinfo::userinfo(io, request)).await,
        Endpoint::Metadata => Ok(metadata::metadata(&io.config)),
        Endpoint::Password => Box::pin(password::password(io, request)).await,
        Endpoint::Refresh => Box::pin(token::token(io, request, Entrance::Refresh)).await,
        Endpoint::Reset => Box::pin(reset::reset(io, request)).await,
        Endpoint::Revoke => Box::pin(revoke::revoke(io, request)).await,
        Endpoint::Root => Ok(status::greeting(&io.config)),
        Endpoint::Token => Box::pin(token::token(io, request, Entrance::Token)).await,
    }
}

/// Who may read the answers of an endpoint from a page.
enum Sharing {
    /// Pages of any origin: the document is public.
    Anybody,
    /// Pages of the client's own origins.
    Client,
    /// No page.
    Nobody,
}

const fn sharing(endpoint: Endpoint) -> Sharing {
    match endpoint {
        Endpoint::Metadata => Sharing::Anybody,
        Endpoint::Authorize
        | Endpoint::Challenge
        | Endpoint::Me
        | Endpoint::Refresh
        | Endpoint::Revoke
        | Endpoint::Token
        | Endpoint::Userinfo => Sharing::Client,
        Endpoint::Applications
        | Endpoint::Consent
        | Endpoint::Forgot
        | Endpoint::Health
        | Endpoint::Introspect
        | Endpoint::Login
        | Endpoint::Logo
        | Endpoint::Logout
        | Endpoint::Password
        | Endpoint::Reset
        | Endpoint::Root => Sharing::Nobody,
    }
}

/// Lets a page of the client's own origin read the response, errors included.
fn share(io: &Io, endpoint: Endpoint, response: &mut Response) {
    match (sharing(endpoint), &io.origin) {
        (Sharing::Anybody, _) => insert(response, ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (Sharing::Client, origin) => {
            response.headers_mut().insert(VARY, HeaderValue::from_static("Origin"));
            if let Some(origin) = origin.as_ref().filter(|_| io.origin_allowed) {
                insert(response, ACCESS_CONTROL_ALLOW_ORIGIN, origin);
                insert(response, ACCESS_CONTROL_EXPOSE_HEADERS, "WWW-Authenticate, Retry-After");
            }
        }
        (Sharing::Nobody, _) => {}
    }
}

/// Answers a preflight for the union of the registered origins: it says nothing of any client.
async fn preflight(io: &mut Io, endpoint: Endpoint) -> Result<Response, Refusal> {
    let mut response = empty(StatusCode::NO_CONTENT);
    insert(&mut response, ALLOW, &format!("{}, OPTIONS", endpoint.allow()));
    io.origin_allowed = match sharing(endpoint) {
        Sharing::Anybody => true,
        Sharing::Client => origin_is_registered(io).await?,
        Sharing::Nobody => false,
    };
    if io.origin_allowed {
        insert(&mut response, ACCESS_CONTROL_ALLOW_METHODS, &endpoint.allow());
        insert(&mut response, ACCESS_CONTROL_ALLOW_HEADERS, "Authorization, Content-Type");
        insert(&mut response, ACCESS_CONTROL_MAX_AGE, "600");
    }
    Ok(response)
}

/// Whether any client, configured or, by one find, stored, is called from the request's origin.
async fn origin_is_registered(io: &mut Io) -> Result<bool, Refusal> {
    let Some(origin) = io.origin.clone() else { return Ok(false) };
    if io.config.origins.contains(&origin) {
        return Ok(true);
    }
    let tag = io.names().origin_tag(&origin);
    Ok(!io.find(Query::new(tag, 1)).await?.is_empty())
}
