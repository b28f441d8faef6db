//! The socket: connections are accepted, bounded in time and size, and drained at the end.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use serde_json::json;
use tokio::net::TcpListener;
use tower::Service as _;

use super::front::Front;
use crate::log::Log;

/// How long the loop waits when the system has no descriptors left: connections that end free some.
const PAUSE: Duration = Duration::from_millis(200);
/// The least that the connection's buffer can be; the request's head is bounded by `max_header`.
const MIN_BUFFER: usize = 64 * 1024;

/// What one connection may cost.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub(super) max_header: usize,
    /// For the head of a request, from the moment at which the connection waits for it.
    pub(super) request_timeout: Duration,
}

/// Accepts connections until `stop` is done; returns what `stop` says, and the connections that are still open.
pub(super) async fn accept<S>(
    listener: TcpListener,
    front: Arc<Front>,
    limits: Limits,
    log: &Log,
    stop: impl Future<Output = S>,
) -> (S, GracefulShutdown) {
    let connections = GracefulShutdown::new();
    let mut services = front.router().into_make_service_with_connect_info::<SocketAddr>();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.request_timeout)
        .max_header_size(limits.max_header)
        .max_buf_size(MIN_BUFFER);
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            stopped = &mut stop => return (stopped, connections),
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                if !is_of_the_connection(error.kind()) {
                    log.line(
                        "server",
                        &json!({"message": "no connection can be accepted", "cause": error.to_string()}),
                    );
                    tokio::time::sleep(PAUSE).await;
                }
                continue;
            }
        };
        // Answers are small: waiting to fill a packet only delays them.
        let _ = stream.set_nodelay(true);
        let Ok(service) = services.call(peer).await;
        let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
        let watched = connections.watch(connection);
        // A connection that breaks is the client's affair; its requests have their lines in the log.
        tokio::spawn(async move { drop(watched.await) });
    }
}

/// The client went away before it was accepted; the next one is there.
const fn is_of_the_connection(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::ConnectionAborted | ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset)
}
