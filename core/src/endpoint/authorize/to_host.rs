//! The way to the host's own login page.

use super::redirect::{to, with_query};
use crate::UnixTime;
use crate::browser::travel::{Asked, Destination, Travel};
use crate::io::Io;
use crate::refusal::Refusal;
use crate::reply::Response;

/// How far the clock that the host tells the time of a sign-in by may differ from ours, in seconds.
pub(crate) const SKEW: u64 = 5;

/// To the host's login page, with the sealed request.
pub(super) fn to_host(io: &mut Io, travel: &Travel) -> Result<Response, Refusal> {
    let Some(login_url) = io.config.settings.login_url.clone() else {
        return Err(Refusal::server_error("login_url is not set, so the host has no login page"));
    };
    Ok(to(&with_query(&login_url, [("request", io.seal_travel(travel)?.as_str())])))
}

/// There again: no sign-in up to now is enough, whichever clock tells of it.
pub(crate) fn back_to_host(io: &mut Io, travel: &Travel, asked: &Asked) -> Result<Response, Refusal> {
    let mut asked = asked.clone();
    asked.prompt.login = true;
    let began_at = UnixTime::from_seconds(io.now.seconds().saturating_add(SKEW)).seconds();
    let destination = Destination::Client(Box::new(asked));
    to_host(io, &Travel { destination, approved: None, began_at, ..travel.clone() })
}
