//! `Authorization: Basic`, with form-encoded parts (RFC 6749 section 2.3.1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::form;
use crate::secret::Secret;

/// A header that is longer than any identifier and secret.
const MAX_HEADER: usize = 4096;

/// A Basic header that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Identifier and secret; nothing if the header is of another scheme.
pub(crate) fn parse(header: &[u8]) -> Result<Option<(String, Secret)>, Malformed> {
    let at = header.iter().position(|byte| *byte == b' ').unwrap_or(header.len());
    let (scheme, rest) = header.split_at_checked(at).ok_or(Malformed)?;
    if !scheme.eq_ignore_ascii_case(b"basic") {
        return Ok(None);
    }
    if header.len() > MAX_HEADER {
        return Err(Malformed);
    }
    let decoded = Zeroizing::new(STANDARD.decode(rest.trim_ascii()).map_err(|_| Malformed)?);
    let colon = decoded.iter().position(|byte| *byte == b':').ok_or(Malformed)?;
    let (id, secret) = decoded.split_at_checked(colon).ok_or(Malformed)?;
    let secret = secret.strip_prefix(b":").ok_or(Malformed)?;
    let id = form::decode_component(id).map_err(|_| Malformed)?;
    let secret = form::decode_component(secret).map_err(|_| Malformed)?;
    Ok(Some((id.expose_text().ok_or(Malformed)?.to_owned(), secret)))
}
