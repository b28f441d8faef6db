//! `/health` and `/`: is it there, and what is it.

use http::StatusCode;
use serde::Serialize;

use crate::config::Config;
use crate::io::Io;
use crate::reply::{Caching, Response, json};

#[derive(Serialize)]
struct Health {
    status: &'static str,
}

#[derive(Serialize)]
struct Greeting<'a> {
    message: &'static str,
    issuer: &'a str,
    metadata: String,
}

/// Asks the store for one record: a server that cannot read answers 503.
pub(crate) async fn health(io: &mut Io) -> Response {
    match io.read_sentinel().await {
        Ok(_) => json(StatusCode::OK, Caching::Forbidden, &Health { status: "healthy" }),
        Err(_) => json(StatusCode::SERVICE_UNAVAILABLE, Caching::Forbidden, &Health { status: "unhealthy" }),
    }
}

pub(crate) fn greeting(config: &Config) -> Response {
    let body = Greeting {
        message: "This is a proofkey authorization server.",
        issuer: config.issuer(),
        metadata: config.issuer.well_known_url(),
    };
    json(StatusCode::OK, Caching::Forbidden, &body)
}
