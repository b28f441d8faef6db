//! `application/x-www-form-urlencoded`, strictly: complete percent escapes, UTF-8, a bounded number of parameters.

use std::borrow::Cow;

use zeroize::Zeroizing;

use crate::secret::Secret;

/// A body that is no form: a broken escape, not UTF-8, or too many parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// One parameter; the value, which is text, may be a secret.
pub(crate) type Parameter<'a> = (Cow<'a, str>, Secret);

/// Decodes a body or query (RFC 6749 appendix B) of at most `most` parameters.
pub(crate) fn decode(text: &[u8], most: usize) -> Result<Vec<Parameter<'_>>, Malformed> {
    let mut parameters = Vec::new();
    for pair in text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        if parameters.len() >= most {
            return Err(Malformed);
        }
        let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        let (name, value) = pair.split_at_checked(at).ok_or(Malformed)?;
        let value = value.strip_prefix(b"=").unwrap_or_default();
        parameters.push((decode_name(name)?, decode_component(value)?));
    }
    Ok(parameters)
}

fn decode_name(name: &[u8]) -> Result<Cow<'_, str>, Malformed> {
    if name.iter().any(|byte| matches!(byte, b'+' | b'%')) {
        return Ok(Cow::Owned(decode_component(name)?.expose_text().ok_or(Malformed)?.to_owned()));
    }
    std::str::from_utf8(name).map(Cow::Borrowed).map_err(|_| Malformed)
}

/// Decodes one name or value, which is text.
pub(crate) fn decode_component(text: &[u8]) -> Result<Secret, Malformed> {
    // Three characters of an escape become one, so the buffer is never moved, which would leave a copy behind.
    let escapes = text.iter().filter(|byte| **byte == b'%').count();
    let mut decoded = Zeroizing::new(Vec::with_capacity(text.len().saturating_sub(escapes.saturating_mul(2))));
    if escapes == 0 && !text.contains(&b'+') {
        decoded.extend_from_slice(text);
    } else {
        let mut bytes = text.iter();
        while let Some(byte) = bytes.next() {
            decoded.push(match byte {
                b'+' => b' ',
                b'%' => {
                    let mut digit = || bytes.next().and_then(|byte| char::from(*byte).to_digit(16)).ok_or(Malformed);
                    let (high, low) = (digit()?, digit()?);
                    u8::try_from(high.wrapping_mul(16).wrapping_add(low)).map_err(|_| Malformed)?
                }
                byte => *byte,
            });
        }
    }
    std::str::from_utf8(&decoded).map_err(|_| Malformed)?;
    Ok(Secret::new(std::mem::take(&mut *decoded).into_boxed_slice()))
}
