//! Sealing records: CBOR inside AES-256-GCM-SIV, bound to the record's key and version.
//!
//! A sealed body is: format (1 byte), key id (4), nonce (12), ciphertext with its tag. Key and version are associated
//! data, so a row copied over another, or an old body under a newer version, does not open (invariant I22).

use aes_gcm_siv::aead::AeadInOut as _;
use aes_gcm_siv::aead::array::Array;
use bytes::Bytes;
use minicbor::Encode;

use crate::bytes::join;
use crate::entropy::Generator;
use crate::keys::{KeyId, KeyRing};
use crate::store::{Key, MAX_KEY, MAX_VERSION, Version};

const FORMAT: u8 = 1;
const HEADER: usize = 1 + 4 + 12;
/// Room for most sealed bodies: a grant with a few access tokens.
const ROOM: usize = 640;

/// Why a body does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unopened {
    /// Damaged, edited, moved, or of a format that this release does not know.
    Broken,
    /// Sealed under a key that the ring does not hold: putting the key back mends it.
    UnknownKey(KeyId),
}

/// Seals `plain` for this key and version under the primary key.
///
/// It is encoded where it is encrypted, so that its plain text is in no other buffer.
pub(crate) fn seal(
    ring: &KeyRing,
    random: &mut Generator,
    key: &Key,
    version: &Version,
    plain: &impl Encode<()>,
) -> Option<Bytes> {
    seal_written(ring, random, key, version, |body| minicbor::encode(plain, body).ok())
}

/// Seals what `write` adds to a buffer.
pub(crate) fn seal_written(
    ring: &KeyRing,
    random: &mut Generator,
    key: &Key,
    version: &Version,
    write: impl FnOnce(&mut Vec<u8>) -> Option<()>,
) -> Option<Bytes> {
    let primary = ring.primary()?;
    let nonce: [u8; 12] = random.bytes();
    let mut body = Vec::with_capacity(ROOM);
    body.push(FORMAT);
    body.extend_from_slice(&primary.id.0);
    body.extend_from_slice(&nonce);
    write(&mut body)?;
    let (_, text) = body.split_at_mut_checked(HEADER)?;
    let tag = primary.cipher.encrypt_inout_detached(&Array(nonce), place(key, version).as_slice(), text.into()).ok()?;
    body.extend_from_slice(&tag);
    body.shrink_to_fit();
    Some(body.into())
}

/// Opens what [`seal`] made for this key and version.
pub(crate) fn open(ring: &KeyRing, key: &Key, version: &Version, body: &[u8]) -> Result<(KeyId, Vec<u8>), Unopened> {
    let (header, sealed) = body.split_at_checked(HEADER).ok_or(Unopened::Broken)?;
    let [FORMAT, a, b, c, d, nonce @ ..] = header else { return Err(Unopened::Broken) };
    let id = KeyId([*a, *b, *c, *d]);
    let nonce: [u8; 12] = nonce.try_into().map_err(|_| Unopened::Broken)?;
    let (sealed, tag) = sealed.split_last_chunk::<16>().ok_or(Unopened::Broken)?;
    let ring_key = ring.find(id).ok_or(Unopened::UnknownKey(id))?;
    let mut plain = sealed.to_vec();
    ring_key
        .cipher
        .decrypt_inout_detached(
            &Array(nonce),
            place(key, version).as_slice(),
            plain.as_mut_slice().into(),
            &Array(*tag),
        )
        .map_err(|_| Unopened::Broken)?;
    Ok((id, plain))
}

/// The associated data: key and version, which hold no blank, separated by one.
struct Place(([u8; MAX_KEY + 1 + MAX_VERSION], usize));

impl Place {
    fn as_slice(&self) -> &[u8] {
        let (bytes, len) = &self.0;
        bytes.get(..*len).unwrap_or_default()
    }
}

fn place(key: &Key, version: &Version) -> Place {
    Place(join(&[key.as_str().as_bytes(), b" ", version.as_str().as_bytes()]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Entropy, Secret};

    fn ring(key: &str) -> KeyRing {
        KeyRing::parse(&Secret::from(key)).unwrap()
    }

    const ONE: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
    const TWO: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    fn sealed() -> (Key, Version, Bytes) {
        let (key, version) = (Key::parse("g.one").unwrap(), Version::parse("AAAAAAAAAAA").unwrap());
        let mut random = Entropy::from_driver([3; 32]).expand();
        let body = seal(&ring(ONE), &mut random, &key, &version, &"plain").unwrap();
        (key, version, body)
    }

    #[test]
    fn a_body_opens_at_its_own_place_only() {
        let (key, version, body) = sealed();
        assert_eq!(open(&ring(ONE), &key, &version, &body).unwrap().1, b"\x65plain");
        let (other_key, other_version) = (Key::parse("g.two").unwrap(), Version::parse("BAAAAAAAAAA").unwrap());
        assert_eq!(open(&ring(ONE), &other_key, &version, &body).err(), Some(Unopened::Broken));
        assert_eq!(open(&ring(ONE), &key, &other_version, &body).err(), Some(Unopened::Broken));
    }

    #[test]
    fn any_changed_bit_makes_it_broken_or_of_an_unknown_key() {
        let (key, version, body) = sealed();
        for bit in 0..body.len() * 8 {
            let mut changed = body.to_vec();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(open(&ring(ONE), &key, &version, &changed).is_err(), "bit {bit}");
        }
        for len in 0..body.len() {
            assert!(open(&ring(ONE), &key, &version, &body[..len]).is_err(), "length {len}");
        }
    }

    #[test]
    fn an_old_key_still_opens_and_a_missing_one_is_named() {
        let (key, version, body) = sealed();
        assert!(open(&ring(&format!("{TWO},{ONE}")), &key, &version, &body).is_ok());
        let named = ring(ONE).ids().next().unwrap();
        assert_eq!(open(&ring(TWO), &key, &version, &body).err(), Some(Unopened::UnknownKey(named)));
    }
}
