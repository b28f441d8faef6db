//! `/challenge`: a verifier and its challenge for clients that cannot hash. Stores nothing; a real client makes its own.

use http::StatusCode;
use serde::Serialize;

use crate::io::Io;
use crate::pkce;
use crate::reply::{Caching, Response, json};

/// A PKCE pair (RFC 7636 section 4) and a `state`.
#[derive(Debug, Serialize)]
pub struct Pkce {
    code_challenge: String,
    code_challenge_method: &'static str,
    #[serde(serialize_with = "exposed")]
    code_verifier: crate::Secret,
    state: String,
}

impl Pkce {
    /// The challenge, for the authorization request.
    #[must_use]
    pub fn code_challenge(&self) -> &str {
        &self.code_challenge
    }

    /// `S256`.
    #[must_use]
    pub const fn code_challenge_method(&self) -> &'static str {
        self.code_challenge_method
    }

    /// The verifier, for the token request.
    #[must_use]
    pub const fn code_verifier(&self) -> &crate::Secret {
        &self.code_verifier
    }

    /// A value that comes back with the code.
    #[must_use]
    pub fn state(&self) -> &str {
        &self.state
    }
}

fn exposed<S: serde::Serializer>(secret: &crate::Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_text().unwrap_or_default())
}

pub(crate) fn make(io: &mut Io) -> Pkce {
    let verifier = pkce::verifier(io.random());
    let challenge = pkce::Challenge::of(&verifier);
    Pkce {
        code_challenge: challenge.to_text(),
        code_challenge_method: "S256",
        code_verifier: verifier,
        state: pkce::state(io.random()),
    }
}

pub(crate) fn challenge(io: &mut Io) -> Response {
    json(StatusCode::OK, Caching::Forbidden, &make(io))
}
