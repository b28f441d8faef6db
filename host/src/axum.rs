//! For axum: the endpoints as routes, a layer that guards a route of the host's own, and the token that it found; what
//! a browser is on its way with that comes to the host's own login page, and how it goes on.
//!
//! ```no_run
//! # use axum::{Router, routing::get};
//! # use proofkey::{AsyncServer, axum::{Token, require_scope, routes}};
//! # fn app(server: &AsyncServer) -> Router {
//! async fn contacts(token: Token) -> String {
//!     format!("contacts of {}", token.subject().unwrap_or("a client"))
//! }
//! Router::new().route("/contacts", get(contacts)).route_layer(require_scope(server, "contacts:read")).merge(routes(server))
//! # }
//! ```

use std::convert::Infallible;
use std::net::SocketAddr;
use std::ops::Deref;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{Request, Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::any;
use bytes::Bytes;
use http_body_util::LengthLimitError;
use proofkey_core::{AccessToken, Authentication, Refusal, Requirement, Scope};
use tokio::time::timeout;
use tower::{Layer, Service};

use crate::{AsyncServer, BoxFuture};

/// The endpoints under the issuer, and the metadata document at the host's root (RFC 8414 section 3).
///
/// Serve with `into_make_service_with_connect_info::<SocketAddr>()`, else limits by address do not apply.
pub fn routes(server: &AsyncServer) -> Router {
    at(server, |path| !STATUS.contains(&path))
}

/// `/health` and `/`, for a service that has none of its own.
pub fn status_routes(server: &AsyncServer) -> Router {
    at(server, |path| STATUS.contains(&path))
}

const STATUS: [&str; 2] = ["/", "/health"];

fn at(server: &AsyncServer, wanted: impl Fn(&str) -> bool) -> Router {
    let paths = server.with_config(|config| config.paths());
    paths.iter().filter(|path| wanted(path)).fold(Router::new(), |router, path| {
        let server = server.clone();
        router.route(path, any(move |request| answer(server, request)))
    })
}

/// Answers one request of axum's; for hosts that route by themselves.
pub async fn answer(server: AsyncServer, request: Request<Body>) -> Response<Body> {
    answer_within(server, request, Duration::MAX).await
}

/// As [`answer`], for a service that slow clients reach directly: a body that has not arrived in full after `receive` is
/// refused. What follows is bounded by `flow_deadline`.
pub async fn answer_within(server: AsyncServer, request: Request<Body>, receive: Duration) -> Response<Body> {
    let peer = peer(&request);
    let (parts, body) = request.into_parts();
    let limit = server.with_config(|config| config.settings().max_body());
    let body = match timeout(receive, to_bytes(body, limit)).await {
        Ok(Ok(body)) => body,
        // One byte too many is as good as all of them: the answer is 413.
        Ok(Err(error)) if is_too_long(&error) => Bytes::from(vec![0; limit.saturating_add(1)]),
        Ok(Err(_)) | Err(_) => return server.unreadable().map(Body::from),
    };
    server.handle(Request::from_parts(parts, body), peer).await.map(Body::from)
}

fn is_too_long(error: &axum::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<LengthLimitError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

fn peer<B>(request: &Request<B>) -> Option<std::net::IpAddr> {
    request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip())
}

/// A layer that lets a request pass only with a live access token of this scope (RFC 6750), which the handler may
/// take as a [`Token`].
///
/// # Panics
/// If `scope` is no scope: its names are written in the program.
pub fn require_scope(server: &AsyncServer, scope: &str) -> RequireScope {
    let scope = Scope::parse(scope).unwrap_or_else(|_| panic!("{scope:?} is not a scope (RFC 6749 section 3.3)"));
    require(server, Requirement::scope(scope))
}

/// A layer that lets a request pass only with a live access token that fulfils `requirement`.
#[must_use]
pub fn require(server: &AsyncServer, requirement: Requirement) -> RequireScope {
    RequireScope { server: server.clone(), requirement }
}

/// The layer of [`require_scope`].
#[derive(Clone, Debug)]
pub struct RequireScope {
    server: AsyncServer,
    requirement: Requirement,
}

impl<S> Layer<S> for RequireScope {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { inner, guard: self.clone() }
    }
}

/// A service behind [`require_scope`].
#[derive(Clone, Debug)]
pub struct Guarded<S> {
    inner: S,
    guard: RequireScope,
}

impl<S> Service<Request<Body>> for Guarded<S>
where
    S: Service<Request<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Response: IntoResponse,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        // The service that was polled ready must be the one that is called.
        let ready = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, ready);
        let RequireScope { server, requirement } = self.guard.clone();
        Box::pin(async move {
            let mut seen = Request::new(Bytes::new());
            *seen.method_mut() = request.method().clone();
            *seen.uri_mut() = request.uri().clone();
            seen.headers_mut().clone_from(request.headers());
            let seen = proofkey_core::Request::new(seen, peer(&request));
            match server.check_access(seen, requirement).await {
                Ok(token) => {
                    request.extensions_mut().insert(Token(token));
                    Ok(inner.call(request).await?.into_response())
                }
                Err(refusal) => Ok(server.refused(&refusal).map(Body::from)),
            }
        })
    }
}

/// The access token of a request that passed [`require_scope`].
#[derive(Clone, Debug)]
pub struct Token(AccessToken);

impl Deref for Token {
    type Target = AccessToken;

    fn deref(&self) -> &AccessToken {
        &self.0
    }
}

impl<S: Sync> FromRequestParts<S> for Token {
    type Rejection = (StatusCode, &'static str);

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        // Only a route that nobody guards gets here: better closed than open.
        parts.extensions.get::<Self>().cloned().ok_or((StatusCode::INTERNAL_SERVER_ERROR, "the route has no guard"))
    }
}

/// The authorization request with which a browser comes to a route of the host's own login page (`login_url`), for a
/// handler whose state is the server or holds it.
///
/// It is read from the query, also of a form's request: a form without `action` is sent to the address of its page, and
/// so brings it along. Whatever is wrong with it is answered by a page, before the handler runs.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "handlers take it apart, like axum's own extractors")]
pub struct Pending(pub proofkey_core::Pending);

impl<S> FromRequestParts<S> for Pending
where
    S: Send + Sync,
    AsyncServer: FromRef<S>,
{
    type Rejection = Response<Body>;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let server = AsyncServer::from_ref(state);
        let mut seen = Request::new(Bytes::new());
        *seen.method_mut() = parts.method.clone();
        *seen.uri_mut() = parts.uri.clone();
        seen.headers_mut().clone_from(&parts.headers);
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip());
        let pending = server.pending(proofkey_core::Request::new(seen, peer)).await;
        pending.map(Self).map_err(|refusal| server.refused_page(&refusal).map(Body::from))
    }
}

/// The response that goes on with the user whom the host signed in; see [`AsyncServer::approve`].
pub async fn approve(
    server: &AsyncServer,
    pending: proofkey_core::Pending,
    authentication: Authentication,
) -> Response<Body> {
    shown(server, server.approve(pending, authentication).await)
}

/// The response that sends the browser back to the client, with nobody signed in; see [`AsyncServer::deny`].
pub async fn deny(server: &AsyncServer, pending: proofkey_core::Pending) -> Response<Body> {
    shown(server, server.deny(pending).await)
}

fn shown(server: &AsyncServer, outcome: Result<proofkey_core::Response, Refusal>) -> Response<Body> {
    outcome.unwrap_or_else(|refusal| server.refused_page(&refusal)).map(Body::from)
}
