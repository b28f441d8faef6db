//! What all pages share: the theme, the language, where their forms may lead, and how a refusal looks.

use std::sync::Arc;

use http::StatusCode;
use http::header::RETRY_AFTER;

use crate::browser::travel::{Asked, Destination, Travel};
use crate::config::Config;
use crate::io::Io;
use crate::page::{self, Frame, ProblemKind, ProblemPage};
use crate::record::Client;
use crate::redirect::RedirectUri;
use crate::refusal::{PageCause, Refusal};
use crate::reply::{Response, insert};

/// The frame of a page for this visitor.
pub(crate) fn frame(io: &Io) -> Frame<'_> {
    let texts = io.config.languages.choose(io.ui_locales.as_deref(), io.accept_language.as_deref());
    Frame { theme: &io.config.theme, texts, base: io.config.issuer.path() }
}

/// A page whose forms may lead to the client of `asked`.
pub(crate) fn respond(io: &Io, status: StatusCode, html: String, asked: Option<&Asked>) -> Response {
    let targets: Vec<String> = asked.map(|asked| RedirectUri::form_target(&asked.redirect_uri)).into_iter().collect();
    let mut response = page::respond(status, &io.config.theme, html, &targets);
    if let Some(wait) = io.wait {
        insert(&mut response, RETRY_AFTER, &wait.as_secs().max(1).to_string());
    }
    response
}

/// The client that a travelling request goes to, if it goes to one.
pub(crate) async fn client_of(io: &mut Io, travel: &Travel) -> Result<Option<Arc<Client>>, Refusal> {
    let Destination::Client(asked) = &travel.destination else { return Ok(None) };
    let client = io.client(&asked.client_id).await?;
    client.map(Some).ok_or(Refusal::invalid_request("the client is unknown"))
}

/// The page of a refusal: fixed words, and a reference under which the log has the rest.
pub(crate) fn refused(io: &Io, refusal: &Refusal, reference: &str) -> Response {
    let back = io.back.as_ref().map(|(host, url)| (host.as_str(), url.as_str()));
    problem(&io.config, &frame(io), refusal, reference, back)
}

/// Who is to see the page of a refusal, for which a flow has ended that the host began.
#[derive(Default)]
pub(crate) struct Visitor {
    ui_locales: Option<String>,
    accept_language: Option<String>,
    back: Option<(String, String)>,
    reference: String,
}

impl Visitor {
    /// The one of this flow.
    pub(crate) fn of(io: &Io, reference: String) -> Self {
        Self {
            ui_locales: io.ui_locales.clone(),
            accept_language: io.accept_language.clone(),
            back: io.back.clone(),
            reference,
        }
    }
}

/// The same page after its flow.
pub(crate) fn refused_to_visitor(config: &Config, refusal: &Refusal) -> Response {
    let nobody = Visitor::default();
    let visitor = refusal.visitor.as_deref().unwrap_or(&nobody);
    let texts = config.languages.choose(visitor.ui_locales.as_deref(), visitor.accept_language.as_deref());
    let frame = Frame { theme: &config.theme, texts, base: config.issuer.path() };
    let back = visitor.back.as_ref().map(|(host, url)| (host.as_str(), url.as_str()));
    problem(config, &frame, refusal, &visitor.reference, back)
}

fn problem(
    config: &Config,
    frame: &Frame<'_>,
    refusal: &Refusal,
    reference: &str,
    back: Option<(&str, &str)>,
) -> Response {
    let kind = match (refusal.page, refusal.status()) {
        (Some(PageCause::Expired), _) => ProblemKind::Expired,
        (Some(PageCause::Forged), _) => ProblemKind::Forged,
        (Some(PageCause::SignedOut), _) => ProblemKind::NoLongerSignedIn,
        (Some(PageCause::Used), _) => ProblemKind::AlreadyUsed,
        (None, StatusCode::NOT_FOUND) => ProblemKind::NotFound,
        (None, StatusCode::METHOD_NOT_ALLOWED) => ProblemKind::Method,
        (None, StatusCode::TOO_MANY_REQUESTS) => ProblemKind::TooMany,
        (None, StatusCode::SERVICE_UNAVAILABLE) => ProblemKind::Unavailable,
        (None, StatusCode::INTERNAL_SERVER_ERROR) => ProblemKind::Failed,
        (None, _) => ProblemKind::BadRequest,
    };
    let description = refusal.description();
    let html = page::problem(frame, &ProblemPage { kind, description, reference, back });
    let mut response = page::respond(refusal.status(), &config.theme, html, &[]);
    if let Some(wait) = refusal.retry_after() {
        insert(&mut response, RETRY_AFTER, &wait.as_secs().max(1).to_string());
    }
    response
}
