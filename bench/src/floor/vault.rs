//! The floor's sealing: the same cipher and associated data as a record's, or none at all.

use aes_gcm_siv::aead::AeadInOut as _;
use aes_gcm_siv::aead::array::Array;
use aes_gcm_siv::{Aes256GcmSiv, KeyInit as _};
use sha2::{Digest as _, Sha256};

/// Whether records are sealed: the first floors were measured before they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sealing {
    Plain,
    Sealed,
}

pub(super) struct Vault {
    cipher: Aes256GcmSiv,
    sealing: Sealing,
}

impl Vault {
    pub(super) fn new(sealing: Sealing) -> Self {
        let key: [u8; 32] = Sha256::digest(b"the records of the floor").into();
        Self { cipher: Aes256GcmSiv::new(&Array(key)), sealing }
    }

    pub(super) fn seal(&self, nonce: [u8; 12], place: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
        if self.sealing == Sealing::Plain {
            return Some(plain.to_vec());
        }
        let mut body = Vec::with_capacity(HEADER + plain.len() + 16);
        body.extend_from_slice(&[1, 0, 0, 0, 0]);
        body.extend_from_slice(&nonce);
        body.extend_from_slice(plain);
        let tag = self.cipher.encrypt_inout_detached(&Array(nonce), place, (&mut body[HEADER..]).into()).ok()?;
        body.extend_from_slice(&tag);
        Some(body)
    }

    pub(super) fn open<'a>(&self, place: &[u8], body: &'a mut [u8]) -> Option<&'a [u8]> {
        if self.sealing == Sealing::Plain {
            return Some(body);
        }
        let (header, sealed) = body.split_at_mut_checked(HEADER)?;
        let nonce: [u8; 12] = header[5..].try_into().ok()?;
        let (sealed, tag) = sealed.split_last_chunk_mut::<16>()?;
        self.cipher.decrypt_inout_detached(&Array(nonce), place, (&mut *sealed).into(), &Array(*tag)).ok()?;
        Some(sealed)
    }
}

const HEADER: usize = 1 + 4 + 12;
