//! The key ring: one primary key that writes, older and newer ones that still read.

use std::fmt;

use aes_gcm_siv::aead::array::Array;
use aes_gcm_siv::{Aes256GcmSiv, KeyInit as _};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::Secret;
use crate::mac::{keyed, over_parts};

/// The most keys a ring holds.
pub const MAX_KEYS: usize = 16;

/// A key or a list of keys that cannot be used. The text names the remedy and never the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// No key at all.
    #[error("there is no key; make one with `proofkey keys generate`")]
    Missing,
    /// Not base64 of the right length.
    #[error("a key is base64 of 32 bytes; make one with `proofkey keys generate`")]
    Malformed,
    /// The same key twice.
    #[error("the same key stands in the list twice")]
    Repeated,
    /// More keys than a ring holds.
    #[error("a ring holds at most 16 keys; retire the oldest with `proofkey keys retire`")]
    TooMany,
    /// Bytes that nobody drew at random.
    #[error("the key is not random; make one with `proofkey keys generate`")]
    Weak,
}

/// The first four bytes of a key's own derivation: names a key in records and logs without telling anything of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId(pub(crate) [u8; 4]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// What one key of the ring is used for, each through its own derivation (RFC 5869).
pub(crate) struct RingKey {
    pub(crate) id: KeyId,
    pub(crate) cipher: Aes256GcmSiv,
    check: Hmac<Sha256>,
    successor: Hmac<Sha256>,
    slot: Hmac<Sha256>,
}

/// The keys that seal records, derive successors, make token checks and address limit slots.
///
/// The first key is the primary: it writes. All keys read. A ring is immutable; a rotation is a new ring.
pub struct KeyRing(Vec<RingKey>);

impl KeyRing {
    /// Reads `OAUTH2_ENCRYPTION_KEY`: Fernet-format keys (base64url of 32 bytes), separated by commas, the primary first.
    ///
    /// # Errors
    /// If the list is empty, too long, holds a key twice, or a key is malformed or visibly not random.
    pub fn parse(list: &Secret) -> Result<Self, KeyError> {
        let text = list.expose_text().ok_or(KeyError::Malformed)?;
        let mut keys = Vec::new();
        for one in text.split(',').map(str::trim).filter(|one| !one.is_empty()) {
            keys.push(decode_key(one)?);
        }
        Self::new(&keys)
    }

    /// A ring of raw keys, the primary first.
    ///
    /// # Errors
    /// As [`KeyRing::parse`].
    pub fn new(keys: &[Zeroizing<[u8; 32]>]) -> Result<Self, KeyError> {
        if keys.is_empty() {
            return Err(KeyError::Missing);
        }
        if keys.len() > MAX_KEYS {
            return Err(KeyError::TooMany);
        }
        let mut ring: Vec<RingKey> = Vec::with_capacity(keys.len());
        for key in keys {
            if is_weak(&key[..]) {
                return Err(KeyError::Weak);
            }
            let derived = RingKey::derive(key);
            if ring.iter().any(|other| other.id == derived.id) {
                return Err(KeyError::Repeated);
            }
            ring.push(derived);
        }
        Ok(Self(ring))
    }

    /// The names of the keys, the primary first.
    pub fn ids(&self) -> impl Iterator<Item = KeyId> {
        self.0.iter().map(|key| key.id)
    }

    pub(crate) fn primary(&self) -> Option<&RingKey> {
        self.0.first()
    }

    /// The keys, the primary first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &RingKey> {
        self.0.iter()
    }

    pub(crate) fn find(&self, id: KeyId) -> Option<&RingKey> {
        self.0.iter().find(|key| key.id == id)
    }

    /// Whether any key of the ring made `check` for these parts.
    pub(crate) fn verifies(&self, parts: &[&[u8]], check: &[u8; 8]) -> bool {
        self.0.iter().any(|key| key.check(parts).ct_eq(check).into())
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.ids()).finish()
    }
}

impl RingKey {
    fn derive(key: &Zeroizing<[u8; 32]>) -> Self {
        let hkdf = Hkdf::<Sha256>::new(None, &key[..]);
        let derive = |label: &[u8]| {
            let mut okm = Zeroizing::new([0; 32]);
            // 32 bytes are far below HKDF's limit of 255 blocks.
            let _ = hkdf.expand(label, &mut okm[..]);
            okm
        };
        let id = derive(b"proofkey key id 1");
        let [a, b, c, d, ..] = *id;
        Self {
            id: KeyId([a, b, c, d]),
            cipher: Aes256GcmSiv::new(&Array(*derive(b"proofkey record 1"))),
            check: keyed(&*derive(b"proofkey token check 1")),
            successor: keyed(&*derive(b"proofkey successor 1")),
            slot: keyed(&*derive(b"proofkey limit slot 1")),
        }
    }

    /// The eight bytes that end a token (design: a filter before the store, not the proof).
    pub(crate) fn check(&self, parts: &[&[u8]]) -> [u8; 8] {
        let [a, b, c, d, e, f, g, h, ..] = mac(&self.check, parts);
        [a, b, c, d, e, f, g, h]
    }

    /// 20 bytes that follow from a presented token and the rotation's own bytes.
    pub(crate) fn successor(&self, parts: &[&[u8]]) -> Zeroizing<[u8; 20]> {
        let full = Zeroizing::new(mac(&self.successor, parts));
        let mut secret = Zeroizing::new([0; 20]);
        for (to, from) in secret.iter_mut().zip(full.iter()) {
            *to = *from;
        }
        secret
    }

    /// Where a limit counter lives, and its tag there.
    pub(crate) fn slot(&self, parts: &[&[u8]]) -> [u8; 32] {
        mac(&self.slot, parts)
    }
}

fn mac(keyed: &Hmac<Sha256>, parts: &[&[u8]]) -> [u8; 32] {
    over_parts(keyed, parts).finalize().into_bytes().into()
}

fn decode_key(text: &str) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let decoded = [URL_SAFE, URL_SAFE_NO_PAD].iter().find_map(|engine| engine.decode(text).ok()).map(Zeroizing::new);
    let decoded = decoded.ok_or(KeyError::Malformed)?;
    let key: [u8; 32] = decoded.as_slice().try_into().map_err(|_| KeyError::Malformed)?;
    Ok(Zeroizing::new(key))
}

/// Reads `SECRET_ENCRYPTION_KEY`: any base64 of 32 bytes or more.
///
/// # Errors
/// If it is not base64, too short, or visibly not random.
pub fn parse_session_key(text: &Secret) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let text = text.expose_text().ok_or(KeyError::Malformed)?.trim();
    let engines = [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD];
    let decoded = engines.iter().find_map(|engine| engine.decode(text).ok()).map(Zeroizing::new);
    let decoded = decoded.filter(|bytes| bytes.len() >= 32).ok_or(KeyError::Malformed)?;
    if is_weak(&decoded) {
        return Err(KeyError::Weak);
    }
    let mut key = Zeroizing::new([0; 32]);
    let _ = Hkdf::<Sha256>::new(None, &decoded).expand(b"proofkey session 1", &mut key[..]); // 32 bytes always expand
    Ok(key)
}

/// Fewer than eight different bytes in 32: somebody typed it.
fn is_weak(key: &[u8]) -> bool {
    let mut seen = [false; 256];
    for byte in key {
        if let Some(slot) = seen.get_mut(usize::from(*byte)) {
            *slot = true;
        }
    }
    seen.iter().filter(|seen| **seen).count() < 8
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
    const TWO: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    fn ring(list: &str) -> Result<KeyRing, KeyError> {
        KeyRing::parse(&Secret::from(list))
    }

    #[test]
    fn a_ring_reads_fernet_keys_separated_by_commas() {
        let ring = ring(&format!("{ONE}, {TWO}")).unwrap();
        assert_eq!(ring.ids().count(), 2);
        assert!(!format!("{ring:?}").contains("cw_0x"));
    }

    #[test]
    fn bad_lists_are_refused_with_their_reason() {
        let many = (0_u8..17).map(|n| {
            let mut key: [u8; 32] = std::array::from_fn(|i| i as u8);
            key[0] = n.wrapping_add(100);
            URL_SAFE.encode(key)
        });
        for (list, error) in [
            (String::new(), KeyError::Missing),
            (" , ".to_owned(), KeyError::Missing),
            ("short".to_owned(), KeyError::Malformed),
            (URL_SAFE.encode([1; 31]), KeyError::Malformed),
            (URL_SAFE.encode([1; 33]), KeyError::Malformed),
            (URL_SAFE.encode([0; 32]), KeyError::Weak),
            (format!("{ONE},{ONE}"), KeyError::Repeated),
            (many.collect::<Vec<_>>().join(","), KeyError::TooMany),
        ] {
            assert_eq!(ring(&list).err(), Some(error), "{list}");
        }
    }

    #[test]
    fn parts_that_join_to_the_same_bytes_have_different_macs() {
        let ring = ring(ONE).unwrap();
        let key = ring.primary().unwrap();
        assert_ne!(key.check(&[b"ab", b"c"]), key.check(&[b"a", b"bc"]));
        assert_ne!(key.successor(&[b"ab"])[..8], key.check(&[b"ab"])[..]);
    }

    #[test]
    fn every_key_of_the_ring_verifies_and_no_other() {
        let (old, both) = (ring(ONE).unwrap(), ring(&format!("{TWO},{ONE}")).unwrap());
        let check = old.primary().unwrap().check(&[b"x"]);
        assert!(both.verifies(&[b"x"], &check));
        assert!(!ring(TWO).unwrap().verifies(&[b"x"], &check));
    }

    #[test]
    fn a_session_key_is_any_base64_of_32_bytes_or_more() {
        for text in ["AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"] {
            assert!(parse_session_key(&Secret::from(text)).is_ok(), "{text}");
        }
        assert_eq!(parse_session_key(&Secret::from("c2hvcnQ=")).err(), Some(KeyError::Malformed));
        assert_eq!(parse_session_key(&Secret::from(&*STANDARD.encode([7; 40]))).err(), Some(KeyError::Weak));
    }
}
