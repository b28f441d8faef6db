//! The authorization endpoint (RFC 6749 section 3.1): for browsers, pages that end in a redirect; for the operator's
//! own applications, credentials and challenge in, code out, as JSON.

use http::Method;

use crate::io::Io;
use crate::refusal::Refusal;
use crate::reply::Response;
use crate::request::Request;

mod asked;
mod code;
mod decide;
mod json;
mod redirect;
mod start;
mod to_host;

pub(crate) use code::{Approver, approve};
pub(crate) use decide::{Next, decide, needs_consent};
pub(crate) use redirect::{answered, denied, to, with_query};
pub(crate) use to_host::{SKEW, back_to_host};

pub(crate) async fn authorize(io: &mut Io, request: &Request) -> Result<Response, Refusal> {
    if request.http().method() == Method::POST {
        return Box::pin(json::authorize(io, request)).await;
    }
    Box::pin(start::start(io, request)).await
}
