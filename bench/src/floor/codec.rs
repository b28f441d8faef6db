//! Forms in, tokens in and out: what the floor reads and writes.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

pub(crate) type Mac = Hmac<Sha256>;

/// The parameters of a form, decoded.
pub(crate) struct Form<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Form<'a> {
    pub(crate) fn parse(body: &'a [u8]) -> Option<Self> {
        let mut parameters = Vec::with_capacity(8);
        for pair in std::str::from_utf8(body).ok()?.split('&') {
            let (name, value) = pair.split_once('=')?;
            parameters.push((decode(name)?, decode(value)?));
        }
        Some(Self(parameters))
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(one, _)| one == name).map(|(_, value)| &**value)
    }
}

fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.bytes().any(|byte| byte == b'%' || byte == b'+') {
        return Some(text.into());
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let high = char::from(bytes.next()?).to_digit(16)?;
                let low = char::from(bytes.next()?).to_digit(16)?;
                u8::try_from(high * 16 + low).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

/// HMAC whose key was worked in beforehand.
pub(crate) fn prekeyed(label: &[u8]) -> Mac {
    Mac::new_from_slice(&Sha256::digest(label)).expect("HMAC takes keys of any length")
}

pub(crate) fn mac(prekeyed: &Mac, parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = prekeyed.clone();
    for part in parts {
        mac.update(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// A token taken apart.
pub(super) struct Token {
    pub(super) id: [u8; 16],
    pub(super) generation: u32,
    pub(super) secret: [u8; 20],
}

impl Token {
    fn check(&self, prefix: &str, issuer: &str, key: &Mac) -> [u8; 8] {
        let generation = self.generation.to_be_bytes();
        let full = mac(key, &[issuer.as_bytes(), prefix.as_bytes(), &self.id, &generation, &self.secret]);
        full[..8].try_into().expect("32 bytes have 8 at their start")
    }

    pub(super) fn open(text: &str, prefix: &str, issuer: &str, key: &Mac) -> Option<Self> {
        let mut body = [0; 48];
        let encoded = text.strip_prefix(prefix).filter(|encoded| encoded.len() == 64)?;
        URL_SAFE_NO_PAD.decode_slice(encoded, &mut body).ok()?;
        let token = Self {
            id: body[..16].try_into().ok()?,
            generation: u32::from_be_bytes(body[16..20].try_into().ok()?),
            secret: body[20..40].try_into().ok()?,
        };
        bool::from(token.check(prefix, issuer, key).ct_eq(&body[40..])).then_some(token)
    }

    pub(super) fn seal(&self, prefix: &str, issuer: &str, key: &Mac) -> String {
        let mut body = [0; 48];
        body[..16].copy_from_slice(&self.id);
        body[16..20].copy_from_slice(&self.generation.to_be_bytes());
        body[20..40].copy_from_slice(&self.secret);
        body[40..].copy_from_slice(&self.check(prefix, issuer, key));
        let mut text = String::with_capacity(prefix.len() + 64);
        text.push_str(prefix);
        URL_SAFE_NO_PAD.encode_string(body, &mut text);
        text
    }
}

/// The key of a record, or one of its tags.
pub(crate) fn name(what: &str, id: &[u8]) -> String {
    let hash = Sha256::new().chain_update("proofkey ").chain_update(what).chain_update(" ").chain_update(id).finalize();
    let mut text = String::with_capacity(45);
    text.push_str("g.");
    URL_SAFE_NO_PAD.encode_string(hash, &mut text);
    text
}
