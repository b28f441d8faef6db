//! `/health` and `/`: is it there, and what is it.

use http::StatusCode;
use http::header::RETRY_AFTER;
use serde::Serialize;

use crate::config::Config;
use crate::io::Io;
use crate::reply::{Caching, Response, insert, json};

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
        Err(_) => {
            let unhealthy = Health { status: "unhealthy" };
            let mut response = json(StatusCode::SERVICE_UNAVAILABLE, Caching::Forbidden, &unhealthy);
            insert(&mut response, RETRY_AFTER, "1");
            response
        }
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
