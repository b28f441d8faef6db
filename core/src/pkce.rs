//! Proof Key for Code Exchange (RFC 7636), with S256 only.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;

use crate::secret::Secret;

/// The SHA-256 digest of a verifier that only the client knows.
#[derive(Clone, Debug)]
pub(crate) struct Challenge([u8; 32]);

/// Why an authorization request has no usable challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChallengeError {
    Malformed,
    Missing,
    UnsupportedMethod,
}

/// Whether a verifier fits a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Malformed,
    Match,
    Mismatch,
}

impl Challenge {
    /// Reads `code_challenge` and `code_challenge_method`. A request without a method means `plain` (RFC 7636 section
    /// 4.3), which does not exist here.
    pub(crate) fn parse(challenge: &str, method: Option<&str>) -> Result<Self, ChallengeError> {
        if challenge.is_empty() {
            return Err(ChallengeError::Missing);
        }
        if method != Some("S256") {
            return Err(ChallengeError::UnsupportedMethod);
        }
        let digest = URL_SAFE_NO_PAD.decode(challenge).ok().and_then(|digest| digest.try_into().ok());
        digest.map(Self).ok_or(ChallengeError::Malformed)
    }

    pub(crate) const fn from_bytes(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// RFC 7636 section 4.2.
    pub(crate) fn of(verifier: &Secret) -> Self {
        Self(Sha256::digest(verifier.expose()).into())
    }

    pub(crate) fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// RFC 7636 section 4.6: two digests of 32 bytes, compared in constant time.
    pub(crate) fn verify(&self, verifier: &Secret) -> Verdict {
        let text = verifier.expose();
        let unreserved = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
        // RFC 7636 section 4.1.
        if !(43..=128).contains(&text.len()) || !text.iter().all(unreserved) {
            return Verdict::Malformed;
        }
        if Self::of(verifier).0.ct_eq(&self.0).into() { Verdict::Match } else { Verdict::Mismatch }
    }
}

/// A verifier of 256 random bits (RFC 7636 section 4.1).
pub(crate) fn verifier(random: [u8; 32]) -> Secret {
    Secret::from_text(URL_SAFE_NO_PAD.encode(random))
}

/// A `state` of 128 random bits.
pub(crate) fn state(random: [u8; 16]) -> String {
    URL_SAFE_NO_PAD.encode(random)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636 appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn a_verifier_fits_its_challenge_and_no_other() {
        let challenge = Challenge::parse(CHALLENGE, Some("S256")).unwrap();
        assert_eq!(challenge.to_text(), CHALLENGE);
        assert_eq!(challenge.as_bytes(), Challenge::of(&Secret::from(VERIFIER)).as_bytes());
        assert_eq!(challenge.verify(&Secret::from(VERIFIER)), Verdict::Match);
        assert_eq!(challenge.verify(&Secret::from(&*VERIFIER.replace('d', "e"))), Verdict::Mismatch);
        assert_eq!(challenge.verify(&Secret::from(CHALLENGE)), Verdict::Mismatch);
    }

    #[test]
    fn a_verifier_is_43_to_128_unreserved_characters() {
        let challenge = Challenge::from_bytes([0; 32]);
        for (text, verdict) in [
            ("a".repeat(42), Verdict::Malformed),
            ("a".repeat(43), Verdict::Mismatch),
            ("a".repeat(128), Verdict::Mismatch),
            ("a".repeat(129), Verdict::Malformed),
            (format!("{}-._~", "a".repeat(43)), Verdict::Mismatch),
            (format!("{}+", "a".repeat(43)), Verdict::Malformed),
        ] {
            assert_eq!(challenge.verify(&Secret::from(&*text)), verdict, "{text}");
        }
    }

    #[test]
    fn a_challenge_is_43_characters_under_s256() {
        for (challenge, method, error) in [
            ("", Some("S256"), ChallengeError::Missing),
            (CHALLENGE, None, ChallengeError::UnsupportedMethod),
            (CHALLENGE, Some("plain"), ChallengeError::UnsupportedMethod),
            ("E9Melhoa", Some("S256"), ChallengeError::Malformed),
            ("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM", Some("S256"), ChallengeError::Malformed),
        ] {
            assert_eq!(Challenge::parse(challenge, method).unwrap_err(), error, "{challenge} {method:?}");
        }
    }

    #[test]
    fn what_is_made_for_a_client_is_made_of_the_random_bytes() {
        assert_eq!(verifier([0; 32]).expose(), "A".repeat(43).as_bytes());
        assert_eq!(state([0; 16]), "A".repeat(22));
    }
}
