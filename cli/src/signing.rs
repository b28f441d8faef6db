//! The key that will sign ID tokens: made by `keys generate`, and read so far only to find mistakes early.

use chacha20::ChaCha20Rng;
use rand_core::SeedableRng as _;
use rsa::PrivateKey;
use rsa::pkcs1::DecodeRsaPrivateKey as _;
use rsa::pkcs8::der::Decode as _;
use rsa::pkcs8::{
    DecodePrivateKey as _, EncodePrivateKey as _, LineEnding, ObjectIdentifier, PrivateKeyInfoRef, SecretDocument,
};
use rsa::traits::PublicKeyParts as _;
use zeroize::Zeroizing;

use crate::failure::Failure;

/// NIST SP 800-57: 112 bits of strength, good until 2030; what every library reads.
const BITS: usize = 2048;
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

/// A fresh RSA key as PKCS#8 PEM.
pub(crate) fn generate() -> Result<Zeroizing<String>, Failure> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *seed).map_err(|error| Failure::new(error.to_string()))?;
    let key = PrivateKey::new(&mut ChaCha20Rng::from_seed(*seed), BITS);
    let pem = key
        .map_err(|error| error.to_string())
        .and_then(|key| key.to_pkcs8_pem(LineEnding::LF).map_err(|error| error.to_string()));
    pem.map_err(|error| Failure::new(format!("no RSA key could be made: {error}")))
}

/// What is wrong with the text of a signing key. Line ends may be written as `\n`.
pub(crate) fn problem(text: &str) -> Option<&'static str> {
    let text = Zeroizing::new(text.replace("\\n", "\n"));
    let text = Zeroizing::new(format!("{}\n", text.trim()));
    let rsa = PrivateKey::from_pkcs8_pem(&text).ok().or_else(|| PrivateKey::from_pkcs1_pem(&text).ok());
    match rsa {
        Some(key) if key.n().bit_width() < 2048 => {
            Some("it has fewer than 2048 bits; `proofkey keys generate` makes another")
        }
        Some(_) => None,
        None if is_elliptic(&text) => None,
        None => Some("it is no RSA or P-256 private key in PEM; `proofkey keys generate` makes one"),
    }
}

fn is_elliptic(text: &str) -> bool {
    let Ok((label, document)) = SecretDocument::from_pem(text) else { return false };
    let algorithm = PrivateKeyInfoRef::from_der(document.as_bytes()).map(|key| key.algorithm.oid);
    label == "EC PRIVATE KEY" || algorithm.is_ok_and(|oid| oid == EC_PUBLIC_KEY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_fewer_than_2048_bits_is_refused() {
        let _rows = proofkey_conformance::shows(&["secrets-key-2"]);
        let short = PrivateKey::new(&mut ChaCha20Rng::from_seed([7; 32]), 1024).unwrap();
        let text = short.to_pkcs8_pem(LineEnding::LF).unwrap();
        assert!(problem(&text).unwrap().contains("fewer than 2048 bits"));
        assert_eq!(PrivateKey::from_pkcs8_pem(&generate().unwrap()).unwrap().n().bit_width(), 2048);
    }

    #[test]
    fn a_generated_key_reads_with_line_ends_of_both_kinds_and_a_damaged_one_does_not() {
        let pem = generate().unwrap();
        assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"));
        assert_eq!(problem(&pem), None);
        assert_eq!(problem(&pem.replace('\n', "\\n")), None);
        assert!(problem(&pem.replace("MII", "MIX")).unwrap().contains("proofkey keys generate"));
        assert!(problem("no key").is_some());
    }
}
