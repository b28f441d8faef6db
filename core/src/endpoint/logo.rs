//! The image above the pages, where the host handed one over.

use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};

use crate::io::Io;
use crate::refusal::Refusal;
use crate::reply::{Caching, Response, insert, response};

/// The largest image.
const MAX_LOGO: usize = 256 * 1024;

/// An image for the top of the pages: PNG, JPEG, WebP or SVG, up to 256 KiB.
#[derive(Clone, Debug)]
pub struct Logo {
    content_type: &'static str,
    bytes: Bytes,
}

impl Logo {
    /// An image from the bytes of a file.
    ///
    /// # Errors
    /// What is wrong, if it is too large or none of the four formats.
    pub fn new(bytes: impl Into<Bytes>) -> Result<Self, &'static str> {
        let bytes = bytes.into();
        if bytes.len() > MAX_LOGO {
            return Err("the image is larger than 256 KiB");
        }
        let content_type = kind(&bytes).ok_or("the image is none of PNG, JPEG, WebP and SVG")?;
        Ok(Self { content_type, bytes })
    }
}

/// Told from its first bytes, for a name says little.
fn kind(bytes: &[u8]) -> Option<&'static str> {
    let text = std::str::from_utf8(bytes).ok().map(|text| text.trim_start_matches('\u{feff}').trim_start());
    match bytes {
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ if text.is_some_and(|text| text.starts_with("<svg") || text.starts_with("<?xml")) => Some("image/svg+xml"),
        _ => None,
    }
}

pub(crate) fn logo(io: &Io) -> Result<Response, Refusal> {
    let logo = io.config.logo.as_ref().ok_or_else(Refusal::not_found)?;
    let mut response = response(StatusCode::OK, Caching::Minutes, logo.bytes.clone());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(logo.content_type));
    // An SVG that somebody opens by itself is a document: it may style itself, and nothing more.
    insert(&mut response, CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; sandbox");
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_told_by_its_first_bytes() {
        for (bytes, content_type) in [
            (&b"\x89PNG\r\n\x1a\n...."[..], "image/png"),
            (b"\xff\xd8\xff\xe0..", "image/jpeg"),
            (b"RIFF....WEBPVP8 ", "image/webp"),
            (b"\n<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"),
            (b"<?xml version='1.0'?><svg/>", "image/svg+xml"),
        ] {
            assert_eq!(Logo::new(bytes).unwrap().content_type, content_type);
        }
        assert!(Logo::new(&b"<html><script>"[..]).is_err());
        assert!(Logo::new(&b""[..]).is_err());
        assert!(Logo::new(vec![b' '; MAX_LOGO + 1]).is_err());
    }
}
