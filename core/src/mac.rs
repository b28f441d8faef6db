//! HMAC-SHA256 (RFC 2104) under keys that are no longer than its block.

use aes_gcm_siv::aead::array::Array;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// HMAC under `key`, of which the first 64 bytes count; HMAC itself fills shorter keys up with zeros.
pub(crate) fn keyed(key: &[u8]) -> Hmac<Sha256> {
    let mut block = Zeroizing::new([0; 64]);
    block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    Hmac::new(&Array(*block))
}

/// MAC over parts whose lengths are part of the message, so that no two lists of parts collide.
pub(crate) fn over_parts(keyed: &Hmac<Sha256>, parts: &[&[u8]]) -> Hmac<Sha256> {
    let mut mac = keyed.clone();
    for part in parts {
        mac.update(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        mac.update(part);
    }
    mac
}

#[cfg(test)]
mod tests {
    use hmac::Mac as _;

    #[test]
    fn a_padded_key_is_the_key() {
        let ours = super::keyed(b"key").chain_update(b"message").finalize().into_bytes();
        let theirs = <super::Hmac<super::Sha256> as hmac::KeyInit>::new_from_slice(b"key").unwrap();
        assert_eq!(ours, theirs.chain_update(b"message").finalize().into_bytes());
    }
}
