//! What a client gets: the answer of the token endpoint.

use serde::{Serialize, Serializer};

use crate::keys::KeyRing;
use crate::record::Issued;
use crate::scope::Scope;
use crate::secret::Secret;
use crate::token::{Token, TokenKind};

/// Tokens, as the token endpoint answers them (RFC 6749 section 5.1).
///
/// The record that makes them valid is durable before this value exists.
#[derive(Debug, Serialize)]
pub struct Tokens {
    #[serde(serialize_with = "exposed")]
    access_token: Secret,
    token_type: &'static str,
    expires_in: u64,
    #[serde(serialize_with = "exposed_if_any", skip_serializing_if = "Option::is_none")]
    refresh_token: Option<Secret>,
    #[serde(serialize_with = "scope_text")]
    scope: Scope,
}

impl Tokens {
    /// Writes the texts of tokens that a transition made; nothing if the ring lost their key meanwhile.
    pub(crate) fn seal(id: [u8; 16], issued: Issued, issuer: &str, ring: &KeyRing) -> Option<Self> {
        let key = ring.find(crate::keys::KeyId(issued.key))?;
        let access = Token::new(TokenKind::Access, id, issued.access_generation, issued.access);
        let generation = issued.generation;
        let refresh = issued.refresh.map(|secret| Token::new(TokenKind::Refresh, id, generation, secret));
        Some(Self {
            access_token: access.seal(issuer, key),
            token_type: "Bearer",
            expires_in: issued.expires_in,
            refresh_token: refresh.map(|token| token.seal(issuer, key)),
            scope: issued.scope,
        })
    }

    /// The access token.
    #[must_use]
    pub const fn access_token(&self) -> &Secret {
        &self.access_token
    }

    /// Seconds until the access token expires.
    #[must_use]
    pub const fn expires_in(&self) -> u64 {
        self.expires_in
    }

    /// The refresh token, if the client gets one; absent where the presented one stays valid.
    #[must_use]
    pub const fn refresh_token(&self) -> Option<&Secret> {
        self.refresh_token.as_ref()
    }

    /// The scope of the access token.
    #[must_use]
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }
}

fn exposed<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_text().unwrap_or_default())
}

fn exposed_if_any<S: Serializer>(secret: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
    match secret {
        None => serializer.serialize_none(),
        Some(secret) => exposed(secret, serializer),
    }
}

fn scope_text<S: Serializer>(scope: &Scope, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(scope.as_str())
}
