//! Client secrets, as they are kept.

use std::fmt;

use std::collections::BTreeSet;

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

    /// Keeps the digest of a secret that exists already. One that [`ClientSecret::generate`] made is known by its form;
    /// any other of 32 characters or more, of which ten are different, nobody guesses by trying either.
    #[must_use]
    pub fn from_text(text: &Secret) -> Self {
        let generated = text
            .expose_text()
            .and_then(|text| text.strip_prefix(SECRET_PREFIX))
            .is_some_and(|rest| URL_SAFE_NO_PAD.decode(rest).is_ok_and(|bytes| bytes.len() == 32));
        let different: BTreeSet<&u8> = text.expose().iter().collect();
        let long = text.expose().len() >= UNGUESSABLE && different.len() >= VARIED;
        Self { digest: ByteArray::from(*text.digest().as_bytes()), chosen: !generated && !long }
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
/// The length, and the number of different characters, from which a secret cannot be guessed at the endpoint.
const UNGUESSABLE: usize = 32;
const VARIED: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_of_32_characters_of_which_ten_differ_counts_as_random() {
        let chosen = |text: &str| ClientSecret::from_text(&Secret::from(text)).chosen;
        assert!(!chosen("abcdefghijabcdefghijabcdefghijab"));
        assert!(chosen("abcdefghijabcdefghijabcdefghija"), "31 characters");
        assert!(chosen("abcdefghiabcdefghiabcdefghiabcdefghi"), "nine different ones");
        assert!(!chosen(&format!("pfk_secret_{}", "c".repeat(43))), "32 bytes after the prefix");
        assert!(chosen(&format!("pfk_secret_{}", "c".repeat(44))), "33 bytes after it");
    }

    #[test]
    fn a_kept_secret_matches_itself_and_is_not_printed() {
        let (kept, text) = ClientSecret::generate([7; 32]);
        assert!(kept.matches(&text) && !kept.matches(&Secret::from("other")));
        assert_eq!(format!("{kept:?}"), "[digest]");
    }

    #[test]
    fn a_generated_secret_is_known_by_its_form() {
        let (kept, text) = ClientSecret::generate([7; 32]);
        assert!(!kept.chosen && kept.matches(&text));
        assert!(ClientSecret::from_text(&Secret::from("pfk_secret_short")).chosen);
        assert!(ClientSecret::from_text(&Secret::from("p%+ ä:1")).chosen);
        assert!(ClientSecret::from_text(&Secret::from(&*"abc".repeat(20))).chosen);
        assert!(!ClientSecret::from_text(&Secret::from("3f2b8a4e-9c1d-4f6a-b0e7-5d8c2a1f9e64")).chosen);
    }
}
