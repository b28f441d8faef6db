//! Client secrets, as they are kept.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};

use crate::secret::{Secret, SecretDigest};

/// A client secret as it is kept: a digest, and whether it can be guessed at all.
#[derive(Clone, Encode, Decode)]
pub struct ClientSecret {
    #[n(0)]
    digest: ByteArray<32>,
    /// Chosen by a person, so attempts are counted before it is compared.
    #[n(1)]
    pub(super) chosen: bool,
}

impl ClientSecret {
    /// Makes a secret of 256 random bits; the text is shown once, the digest is kept.
    #[must_use]
    pub fn generate(random: [u8; 32]) -> (Self, Secret) {
        let text = Secret::from_text(format!("{SECRET_PREFIX}{}", URL_SAFE_NO_PAD.encode(random)));
        (Self::from_text(&text), text)
    }

    /// Keeps the digest of a secret that exists already. One that [`ClientSecret::generate`] made is known by its form.
    #[must_use]
    pub fn from_text(text: &Secret) -> Self {
        let generated = text
            .expose_text()
            .and_then(|text| text.strip_prefix(SECRET_PREFIX))
            .is_some_and(|rest| URL_SAFE_NO_PAD.decode(rest).is_ok_and(|bytes| bytes.len() == 32));
        Self { digest: ByteArray::from(*text.digest().as_bytes()), chosen: !generated }
    }

    pub(crate) fn matches(&self, presented: &Secret) -> bool {
        SecretDigest::from_bytes(*self.digest).matches(&presented.digest())
    }
}

impl fmt::Debug for ClientSecret {
    /// A chosen secret can be guessed from its digest, so that is not printed either.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[digest]")
    }
}

const SECRET_PREFIX: &str = "pfk_secret_";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_secret_is_known_by_its_form() {
        let (kept, text) = ClientSecret::generate([7; 32]);
        assert!(!kept.chosen && kept.matches(&text));
        assert!(ClientSecret::from_text(&Secret::from("pfk_secret_short")).chosen);
        assert!(ClientSecret::from_text(&Secret::from("p%+ ä:1")).chosen);
    }
}
