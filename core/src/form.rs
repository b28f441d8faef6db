//! `application/x-www-form-urlencoded`, strictly: complete percent escapes, UTF-8, a bounded number of parameters.

use zeroize::Zeroizing;

/// A body that is no form: a broken escape, not UTF-8, or too many parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// One parameter; the value may be a secret.
pub(crate) type Parameter = (String, Zeroizing<String>);

/// Decodes a body or query (RFC 6749 appendix B) of at most `most` parameters.
pub(crate) fn decode(text: &[u8], most: usize) -> Result<Vec<Parameter>, Malformed> {
    let mut parameters = Vec::new();
    for pair in text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        if parameters.len() >= most {
            return Err(Malformed);
        }
        let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        let (name, value) = pair.split_at_checked(at).ok_or(Malformed)?;
        let value = value.strip_prefix(b"=").unwrap_or_default();
        parameters.push((decode_component(name)?.to_string(), decode_component(value)?));
    }
    Ok(parameters)
}

/// Decodes one name or value.
pub(crate) fn decode_component(text: &[u8]) -> Result<Zeroizing<String>, Malformed> {
    let mut decoded = Zeroizing::new(Vec::with_capacity(text.len()));
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
    let text = std::str::from_utf8(&decoded).map_err(|_| Malformed)?;
    Ok(Zeroizing::new(text.to_owned()))
}
