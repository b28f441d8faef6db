//! Fernet (version 0x80): values that travel through a browser, with time and IV given by the caller.
//!
//! Base64url is read with and without padding, in keys and in tokens; the standard alphabet, blanks and line ends are
//! errors. Tokens are written with padding.

use std::time::Duration;

use aes::Aes128;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _};
use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::UnixTime;
use crate::mac::keyed;
use crate::secret::Secret;

const VERSION: u8 = 0x80;
const HEADER: usize = 1 + 8 + 16;
/// How far the clock of a token's maker may be ahead, in seconds.
const SKEW: u64 = 60;

/// A text that is no Fernet key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a Fernet key is base64url of 32 bytes")]
#[non_exhaustive]
pub struct InvalidFernetKey;

/// A token that this key, or ring, did not make lately. One value for every reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the value is not valid")]
#[non_exhaustive]
pub struct InvalidFernetToken;

/// A Fernet key: 16 bytes to sign, 16 to encrypt.
pub struct FernetKey {
    signing: Zeroizing<[u8; 16]>,
    encryption: Zeroizing<[u8; 16]>,
}

impl FernetKey {
    /// Reads a key.
    ///
    /// # Errors
    /// [`InvalidFernetKey`] unless it is base64url of 32 bytes, with or without padding.
    pub fn parse(text: &str) -> Result<Self, InvalidFernetKey> {
        let bytes = Zeroizing::new(decode(text).ok_or(InvalidFernetKey)?);
        let key: [u8; 32] = bytes.as_slice().try_into().map_err(|_| InvalidFernetKey)?;
        Ok(Self::from_bytes(&Zeroizing::new(key)))
    }

    /// A key from 32 random bytes.
    #[must_use]
    pub fn from_bytes(key: &Zeroizing<[u8; 32]>) -> Self {
        let mut halves = Self { signing: Zeroizing::new([0; 16]), encryption: Zeroizing::new([0; 16]) };
        let (signing, encryption) = key.split_at_checked(16).unwrap_or_default();
        halves.signing.iter_mut().zip(signing).for_each(|(to, from)| *to = *from);
        halves.encryption.iter_mut().zip(encryption).for_each(|(to, from)| *to = *from);
        halves
    }

    /// Makes a token at `now`. The IV has to be fresh random bytes.
    #[must_use]
    pub fn encrypt(&self, message: &[u8], now: UnixTime, iv: [u8; 16]) -> String {
        let cipher = cbc::Encryptor::<Aes128>::new(&(*self.encryption).into(), &iv.into());
        let mut token = Vec::with_capacity(HEADER.saturating_add(message.len()).saturating_add(48));
        token.push(VERSION);
        token.extend(now.seconds().to_be_bytes());
        token.extend(iv);
        token.extend(cipher.encrypt_padded_vec::<Pkcs7>(message));
        token.extend(self.mac(&token).finalize().into_bytes());
        URL_SAFE.encode(token)
    }

    /// Opens a token that is at most `ttl` old, and at most 60 s ahead of `now`; without a `ttl`, of any age.
    ///
    /// # Errors
    /// [`InvalidFernetToken`]; the MAC is compared, in constant time, before anything is decrypted.
    pub fn decrypt(&self, token: &str, ttl: Option<Duration>, now: UnixTime) -> Result<Secret, InvalidFernetToken> {
        self.open(token, ttl, now).map(|(message, _)| message)
    }

    fn open(
        &self,
        token: &str,
        ttl: Option<Duration>,
        now: UnixTime,
    ) -> Result<(Secret, UnixTime), InvalidFernetToken> {
        let token = decode(token).ok_or(InvalidFernetToken)?;
        let (signed, tag) = token.split_last_chunk::<32>().ok_or(InvalidFernetToken)?;
        let [VERSION, rest @ ..] = signed else { return Err(InvalidFernetToken) };
        let (time, rest) = rest.split_first_chunk::<8>().ok_or(InvalidFernetToken)?;
        let (iv, ciphertext) = rest.split_first_chunk::<16>().ok_or(InvalidFernetToken)?;
        self.mac(signed).verify(tag.into()).map_err(|_| InvalidFernetToken)?;
        let made = u64::from_be_bytes(*time);
        if let Some(ttl) = ttl {
            let oldest = now.seconds().saturating_sub(ttl.as_secs());
            if made < oldest || made > now.seconds().saturating_add(SKEW) {
                return Err(InvalidFernetToken);
            }
        }
        let cipher = cbc::Decryptor::<Aes128>::new(&(*self.encryption).into(), iv.into());
        let message = cipher.decrypt_padded_vec::<Pkcs7>(ciphertext).map_err(|_| InvalidFernetToken)?;
        Ok((Secret::new(message.into()), UnixTime::from_seconds(made)))
    }

    fn mac(&self, signed: &[u8]) -> Hmac<Sha256> {
        keyed(&self.signing[..]).chain_update(signed)
    }
}

impl std::fmt::Debug for FernetKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Several keys: the first makes tokens, all open them.
#[derive(Debug)]
pub struct FernetRing {
    primary: FernetKey,
    older: Vec<FernetKey>,
}

impl FernetRing {
    /// A ring of the key that makes tokens, and of older ones.
    #[must_use]
    pub const fn new(primary: FernetKey, older: Vec<FernetKey>) -> Self {
        Self { primary, older }
    }

    /// Makes a token with the first key.
    #[must_use]
    pub fn encrypt(&self, message: &[u8], now: UnixTime, iv: [u8; 16]) -> String {
        self.primary.encrypt(message, now, iv)
    }

    /// Opens a token of any key of the ring.
    ///
    /// # Errors
    /// As [`FernetKey::decrypt`].
    pub fn decrypt(&self, token: &str, ttl: Option<Duration>, now: UnixTime) -> Result<Secret, InvalidFernetToken> {
        self.open(token, ttl, now).map(|(message, _)| message)
    }

    /// Makes a token of the first key from one of any key; it keeps its time.
    ///
    /// # Errors
    /// [`InvalidFernetToken`] if no key of the ring made it.
    pub fn rotate(&self, token: &str, iv: [u8; 16]) -> Result<String, InvalidFernetToken> {
        let (message, made) = self.open(token, None, UnixTime::NEVER)?;
        Ok(self.primary.encrypt(message.expose(), made, iv))
    }

    fn open(
        &self,
        token: &str,
        ttl: Option<Duration>,
        now: UnixTime,
    ) -> Result<(Secret, UnixTime), InvalidFernetToken> {
        let mut keys = std::iter::once(&self.primary).chain(&self.older);
        keys.find_map(|key| key.open(token, ttl, now).ok()).ok_or(InvalidFernetToken)
    }
}

fn decode(text: &str) -> Option<Vec<u8>> {
    [URL_SAFE, URL_SAFE_NO_PAD].iter().find_map(|engine| engine.decode(text).ok())
}
