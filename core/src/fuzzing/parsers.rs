//! What strangers send, as the core reads it.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::browser::cookie::CookieName;
use crate::pkce::{Challenge, Verdict};
use crate::redirect::RedirectUri;
use crate::request::Request;
use crate::secret::Secret;
use crate::server::Core;
use crate::token::Token;
use crate::{basic, form, json};

/// Names and values of a form of at most `most` parameters; nothing if it is malformed.
#[must_use]
pub fn form(text: &[u8], most: usize) -> Option<Vec<(String, String)>> {
    let pairs = form::decode(text, most).ok()?;
    pairs.into_iter().map(|(name, value)| Some((name.into_owned(), value.expose_text()?.to_owned()))).collect()
}

/// The known members of a JSON body; nothing if it is refused.
#[must_use]
pub fn json(body: &[u8]) -> Option<Vec<(&'static str, String)>> {
    let members = json::decode(body).ok()?;
    Some(members.into_iter().map(|(name, value)| (name, value.to_string())).collect())
}

/// What an `Authorization` header is to a client's authentication.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "fuzz targets match on all of them")]
pub enum Basic {
    /// Identifier and secret.
    Credentials(String, String),
    /// Of the scheme, and unreadable.
    Malformed,
    /// Of another scheme.
    Other,
}

/// Reads an `Authorization` header.
#[must_use]
pub fn basic(header: &[u8]) -> Basic {
    match basic::parse(header) {
        Err(basic::Malformed) => Basic::Malformed,
        Ok(None) => Basic::Other,
        Ok(Some((id, secret))) => Basic::Credentials(id, secret.expose_text().unwrap_or_default().to_owned()),
    }
}

/// A `code_challenge` with its method, written again; nothing if it is refused.
#[must_use]
pub fn challenge(text: &str, method: Option<&str>) -> Option<String> {
    Challenge::parse(text, method).ok().map(|challenge| challenge.to_text())
}

/// The challenge of a verifier (RFC 7636 section 4.2).
#[must_use]
pub fn challenge_of(verifier: &[u8]) -> String {
    Challenge::of(&Secret::new(verifier.into())).to_text()
}

/// Whether a verifier fits a challenge; nothing if either is malformed.
#[must_use]
pub fn verifies(challenge: &str, verifier: &[u8]) -> Option<bool> {
    let challenge = Challenge::parse(challenge, Some("S256")).ok()?;
    match challenge.verify(&Secret::new(verifier.into())) {
        Verdict::Malformed => None,
        Verdict::Match => Some(true),
        Verdict::Mismatch => Some(false),
    }
}

/// What a policy has to name so that a form may end at a redirect URI.
#[must_use]
pub fn form_target(uri: &str) -> String {
    RedirectUri::form_target(uri)
}

/// The address that limits count, behind these proxies.
#[must_use]
pub fn client_address(request: &Request, trusted: &[IpNet]) -> Option<IpAddr> {
    request.client_address(trusted)
}

impl Core {
    /// A code or token that opens, sealed again: its kind, generation and text; nothing if it does not open.
    #[must_use]
    pub fn reopened(&self, presented: &Secret) -> Option<(&'static str, u32, Secret)> {
        let token = Token::open(presented, self.config.issuer.as_str(), &self.config.ring)?;
        let text = token.seal(self.config.issuer.as_str(), self.config.ring.primary()?);
        Some((token.kind().prefix(), token.generation(), text))
    }

    /// The values of the browser's cookie and of the session's in a request, as they would be opened.
    #[must_use]
    pub fn cookies(&self, request: &Request) -> [Vec<String>; 2] {
        let read = |name| self.config.cookies.read(request, name).map(str::to_owned).collect();
        [read(CookieName::Browser), read(CookieName::Session)]
    }
}
