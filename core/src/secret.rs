//! Values that must not be seen: wiped when dropped, never printed, never compared by `==`.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A code, token, verifier, password, key or cookie on its way through the core.
///
/// The bytes live in one heap buffer that is wiped when the value is dropped, so moving a `Secret` leaves no copy
/// behind. It has no `Clone`, `Display`, `PartialEq` or `Serialize`; `Debug` prints `[redacted]`.
///
/// ```compile_fail
/// # use proofkey_core::Secret;
/// let (a, b) = (Secret::new("a".into()), Secret::new("b".into()));
/// a == b; // secrets are compared by Secret::matches, in constant time
/// ```
///
/// ```compile_fail
/// # use proofkey_core::Secret;
/// println!("{}", Secret::new("a".into())); // no Display
/// ```
///
/// ```compile_fail
/// # use proofkey_core::Secret;
/// let copy = Secret::new("a".into()).clone(); // no Clone
/// ```
///
/// ```compile_fail
/// # use proofkey_core::Secret;
/// serde_json::to_string(&Secret::new("a".into())); // no Serialize
/// ```
pub struct Secret(Zeroizing<Box<[u8]>>);

impl Secret {
    /// Takes over `bytes`; the buffer is wiped when the secret is dropped.
    #[must_use]
    pub fn new(bytes: Box<[u8]>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Takes over the text's buffer. A `String` with spare capacity is copied once and its buffer wiped.
    #[must_use]
    pub fn from_text(text: String) -> Self {
        let text = Zeroizing::new(text);
        Self::new(text.as_bytes().into())
    }

    /// The bytes, for the one place that has to look at them.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The bytes as text, or nothing if they are not UTF-8.
    #[must_use]
    pub fn expose_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// Whether both secrets are equal, in time that depends on their lengths only.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }

    /// The SHA-256 digest of the secret.
    #[must_use]
    pub fn digest(&self) -> SecretDigest {
        SecretDigest::of(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text.as_bytes().into())
    }
}

/// SHA-256 of a secret: the only form in which a record holds one.
///
/// There is no `PartialEq`; [`SecretDigest::matches`] compares in constant time.
///
/// ```compile_fail
/// # use proofkey_core::SecretDigest;
/// SecretDigest::of(b"a") == SecretDigest::of(b"b");
/// ```
#[derive(Clone)]
pub struct SecretDigest([u8; 32]);

impl SecretDigest {
    /// The digest of `secret`.
    #[must_use]
    pub fn of(secret: &[u8]) -> Self {
        Self(Sha256::digest(secret).into())
    }

    /// A digest that was stored earlier.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes, to be stored.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether both digests are equal, in constant time.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[digest]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_nothing_of_itself() {
        assert_eq!(format!("{:?}", Secret::from("hunter2")), "[redacted]");
        assert_eq!(format!("{:?}", Some(Secret::from("hunter2").digest())), "Some([digest])");
    }

    #[test]
    fn secrets_match_only_when_every_byte_does() {
        let secret = Secret::from("correct horse");
        assert!(secret.matches(&Secret::from_text("correct horse".to_owned())));
        assert!(!secret.matches(&Secret::from("correct horsf")));
        assert!(!secret.matches(&Secret::from("correct hors")));
        assert!(secret.digest().matches(&SecretDigest::of(b"correct horse")));
        assert!(!secret.digest().matches(&SecretDigest::of(b"correct hors")));
    }

    #[test]
    fn the_buffer_is_wiped_on_drop() {
        // The wrapper type is what wipes; that it wraps the very buffer handed in is what can break.
        let buffer: Box<[u8]> = Box::from(*b"wipe me");
        let address = buffer.as_ptr();
        let secret = Secret::new(buffer);
        assert_eq!(secret.expose().as_ptr(), address);
        let mut held: Zeroizing<Box<[u8]>> = secret.0;
        zeroize::Zeroize::zeroize(&mut *held);
        assert_eq!(&held[..], &[0; 7]);
    }
}
