//! What stands before the endpoints: a request's identifier, and its line in the log.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proofkey::AsyncServer;
use proofkey::axum::answer_within;
use proofkey::core::StoreCalls;
use serde::Serialize;

use crate::failure::Failure;
use crate::log::Log;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Shorter than any token of ours, which therefore cannot be logged as an identifier.
const MAX_ID: usize = 64;
/// Longer parts of an unknown path may be something that does not belong into a log.
const MAX_SEGMENT: usize = 32;
const MAX_PATH: usize = 255;

tokio::task_local! {
    static CURRENT: Arc<str>;
}

/// Calls with the identifier of the request under way.
pub(super) fn request_id(log: impl FnOnce(Option<&str>)) {
    let id = CURRENT.try_with(Arc::clone).ok();
    log(id.as_deref());
}

/// The server, as requests meet it.
pub(super) struct Front {
    server: AsyncServer,
    receive: Duration,
    log: Log,
    /// Differs from process to process.
    prefix: String,
    next: AtomicU64,
}

impl Front {
    pub(super) fn new(server: AsyncServer, receive: Duration, log: Log) -> Result<Arc<Self>, Failure> {
        let mut random = [0; 6];
        getrandom::fill(&mut random).map_err(|error| Failure::new(error.to_string()))?;
        Ok(Arc::new(Self { server, receive, log, prefix: URL_SAFE_NO_PAD.encode(random), next: AtomicU64::new(1) }))
    }

    /// Every path goes to the core, which knows its own.
    pub(super) fn router(self: Arc<Self>) -> Router {
        Router::new().fallback(answer).with_state(self)
    }

    /// The identifier that the client or a proxy sent, if it is well-formed, or a new one.
    fn identify(&self, request: &Request) -> Arc<str> {
        let given = request.headers().get(REQUEST_ID).and_then(|value| value.to_str().ok());
        let given = given.filter(|id| (1..=MAX_ID).contains(&id.len()) && id.bytes().all(is_id_byte));
        given
            .map_or_else(|| format!("{}-{}", self.prefix, self.next.fetch_add(1, Ordering::Relaxed)).into(), Into::into)
    }
}

async fn answer(State(front): State<Arc<Front>>, request: Request) -> Response {
    let mut entry = Entry::new(&front, &request);
    let id = Arc::clone(&entry.id);
    let mut response = CURRENT.scope(id, answer_within(front.server.clone(), request, front.receive)).await;
    if let Ok(value) = HeaderValue::from_str(&entry.id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    entry.status = Some(response.status().as_u16());
    entry.store_calls = response.extensions().get::<StoreCalls>().map(|calls| calls.count());
    response
}

/// A request's line, which is logged when the request ends: without a status if the client went away before.
struct Entry<'a> {
    front: &'a Front,
    id: Arc<str>,
    method: Method,
    path: String,
    since: Instant,
    status: Option<u16>,
    store_calls: Option<u32>,
}

impl<'a> Entry<'a> {
    fn new(front: &'a Front, request: &Request) -> Self {
        Self {
            front,
            id: front.identify(request),
            method: request.method().clone(),
            path: loggable(request.uri().path()),
            since: Instant::now(),
            status: None,
            store_calls: None,
        }
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        #[derive(Serialize)]
        struct Fields<'a> {
            request_id: &'a str,
            method: &'a str,
            path: &'a str,
            status: Option<u16>,
            /// None for an answer without a flow.
            store_calls: Option<u32>,
            ms: f64,
        }
        let micros = u32::try_from(self.since.elapsed().as_micros()).unwrap_or(u32::MAX);
        let method = self.method.as_str();
        let fields = Fields {
            request_id: &self.id,
            method: method.get(..method.len().min(MAX_SEGMENT)).unwrap_or_default(),
            path: &self.path,
            status: self.status,
            store_calls: self.store_calls,
            ms: f64::from(micros) / 1000.0,
        };
        self.front.log.line("request", &fields);
    }
}

const fn is_id_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':')
}

/// A path as it may be logged: who pastes a token into one must not find it there.
fn loggable(path: &str) -> String {
    if path.len() <= MAX_SEGMENT {
        return path.to_owned();
    }
    let segments = path.split('/').map(|segment| if segment.len() > MAX_SEGMENT { "..." } else { segment });
    let path = segments.collect::<Vec<_>>().join("/");
    path.chars().take(MAX_PATH).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_part_of_a_path_is_not_logged() {
        assert_eq!(
            loggable("/auth/.well-known/oauth-authorization-server"),
            "/auth/.well-known/oauth-authorization-server"
        );
        let token = "t".repeat(70);
        assert_eq!(loggable(&format!("/me/{token}/x")), "/me/.../x");
        assert_eq!(loggable(&"/a".repeat(400)).len(), MAX_PATH);
    }
}
