//! What comes next for a request, now that it is known who, if anybody, is signed in.

use crate::browser::session::Current;
use crate::browser::travel::{Asked, Travel};
use crate::io::Io;
use crate::record::{Client, Consent};
use crate::redirect::RedirectUri;
use crate::refusal::Refusal;

/// The next page, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Nobody has to be asked anything.
    Approve,
    /// The user has to agree.
    Consent,
    /// Somebody has to sign in.
    SignIn,
}

/// Decides. With `prompt=none` no page is next: what would have needed one is an error.
pub(crate) async fn decide(
    io: &mut Io,
    client: &Client,
    travel: &Travel,
    asked: &Asked,
    current: Option<&Current>,
) -> Result<Next, Refusal> {
    let signed_in = current.filter(|current| suffices(io, travel, asked, current));
    let Some(current) = signed_in else {
        return if asked.prompt.none { Err(Refusal::login_required()) } else { Ok(Next::SignIn) };
    };
    let just_now = is_fresh(travel, current);
    if needs_consent(io, client, asked, &current.active.subject, just_now).await? {
        return if asked.prompt.none { Err(Refusal::consent_required()) } else { Ok(Next::Consent) };
    }
    Ok(Next::Approve)
}

/// Whether the sign-in was made for this very request.
fn is_fresh(travel: &Travel, current: &Current) -> bool {
    *current.active.occasion == travel.occasion()
}

/// Whether the client puts up with this sign-in.
fn suffices(io: &Io, travel: &Travel, asked: &Asked, current: &Current) -> bool {
    let age = io.now.seconds().saturating_sub(current.active.signed_in_at);
    let young = asked.max_age.is_none_or(|most| age <= most && most > 0);
    is_fresh(travel, current) || (young && !asked.prompt.login)
}

/// Whether the user has to agree, after signing in, `just_now` or before.
///
/// The operator's own clients need no consent, and others none that is remembered. Neither holds for redirect URIs that
/// any program on the device could receive: there somebody has to act, each time (RFC 8252 section 8.6, RFC 6749
/// section 10.2).
pub(crate) async fn needs_consent(
    io: &mut Io,
    client: &Client,
    asked: &Asked,
    subject: &str,
    just_now: bool,
) -> Result<bool, Refusal> {
    let on_device = RedirectUri::is_on_device(&asked.redirect_uri);
    if asked.prompt.consent {
        return Ok(true);
    }
    if client.first_party {
        return Ok(on_device && !just_now);
    }
    if on_device {
        return Ok(true);
    }
    let key = io.names().consent(subject, &client.client_id);
    let found = io.load::<Consent>(&key).await?;
    Ok(!found.is_some_and(|stored| stored.body.covers(&asked.scope, io.now)))
}
