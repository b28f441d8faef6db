//! Codes and tokens: `prefix` + base64url of id, generation, secret and keyed check, 48 bytes in all.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::bytes::join;
use crate::keys::{KeyRing, RingKey};
use crate::secret::{Secret, SecretDigest};

const ID: usize = 16;
const SECRET: usize = 20;
const CHECK: usize = 8;
const BODY: usize = ID + 4 + SECRET + CHECK;
const ENCODED: usize = 64; // 48 bytes in base64url

/// The longest code or token that the server issues, in characters (RFC 6749 section 5.1 asks to document it).
pub const MAX_TOKEN: usize = ENCODED + 12;

/// What a token is good for; part of its check, so that a token of one kind is never another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Access,
    Code,
    Refresh,
}

impl TokenKind {
    /// Readable, so that secret scanners find leaked tokens.
    pub(crate) const fn prefix(self) -> &'static str {
        match self {
            Self::Access => "pfk_access_",
            Self::Code => "pfk_code_",
            Self::Refresh => "pfk_refresh_",
        }
    }
}

/// A token taken apart whose check is right: it was issued by this issuer under a key of the ring.
///
/// That is a filter, not the proof: the digest in the record decides.
pub(crate) struct Token {
    kind: TokenKind,
    id: [u8; ID],
    generation: u32,
    secret: Zeroizing<[u8; SECRET]>,
}

impl Token {
    pub(crate) const fn new(kind: TokenKind, id: [u8; ID], generation: u32, secret: Zeroizing<[u8; SECRET]>) -> Self {
        Self { kind, id, generation, secret }
    }

    /// Reads a presented token. Nothing, if it is malformed or its check is wrong; the store is not asked.
    pub(crate) fn open(presented: &Secret, issuer: &str, ring: &KeyRing) -> Option<Self> {
        let text = presented.expose_text()?;
        let (kind, encoded) = [TokenKind::Access, TokenKind::Refresh, TokenKind::Code]
            .into_iter()
            .find_map(|kind| Some((kind, text.strip_prefix(kind.prefix())?)))?;
        if encoded.len() != ENCODED {
            return None;
        }
        let mut body = Zeroizing::new([0; BODY]);
        URL_SAFE_NO_PAD.decode_slice(encoded, &mut body[..]).ok()?;
        let (id, rest) = body.split_first_chunk::<ID>()?;
        let (generation, rest) = rest.split_first_chunk::<4>()?;
        let (secret, rest) = rest.split_first_chunk::<SECRET>()?;
        let (check, _) = rest.split_first_chunk::<CHECK>()?;
        let token = Self::new(kind, *id, u32::from_be_bytes(*generation), Zeroizing::new(*secret));
        ring.verifies(&token.parts(issuer, &generation[..]), check).then_some(token)
    }

    /// The text that the client gets.
    pub(crate) fn seal(&self, issuer: &str, key: &RingKey) -> Secret {
        let generation = self.generation.to_be_bytes();
        let check = key.check(&self.parts(issuer, &generation));
        let body = Zeroizing::new(join::<BODY>(&[&self.id, &generation, &self.secret[..], &check]).0);
        let prefix = self.kind.prefix().as_bytes();
        let mut text = vec![0; prefix.len().saturating_add(ENCODED)].into_boxed_slice();
        if let Some((start, end)) = text.split_at_mut_checked(prefix.len()) {
            start.copy_from_slice(prefix);
            let _ = URL_SAFE_NO_PAD.encode_slice(&body[..], end); // 48 bytes are exactly 64 characters
        }
        Secret::new(text)
    }

    /// What a record keeps of the token.
    pub(crate) fn digest(&self) -> SecretDigest {
        SecretDigest::of(&self.secret[..])
    }

    pub(crate) const fn kind(&self) -> TokenKind {
        self.kind
    }

    pub(crate) const fn id(&self) -> &[u8; ID] {
        &self.id
    }

    pub(crate) const fn generation(&self) -> u32 {
        self.generation
    }

    pub(crate) fn secret(&self) -> &[u8] {
        &self.secret[..]
    }

    fn parts<'a>(&'a self, issuer: &'a str, generation: &'a [u8]) -> [&'a [u8]; 5] {
        [issuer.as_bytes(), self.kind.prefix().as_bytes(), &self.id, generation, &self.secret[..]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://as.example";

    fn ring() -> KeyRing {
        KeyRing::parse(&Secret::from("cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=")).unwrap()
    }

    fn sealed(kind: TokenKind) -> Secret {
        Token::new(kind, [7; 16], 3, Zeroizing::new([9; 20])).seal(ISSUER, ring().primary().unwrap())
    }

    #[test]
    fn a_token_reads_back_what_was_sealed() {
        for kind in [TokenKind::Access, TokenKind::Code, TokenKind::Refresh] {
            let text = sealed(kind);
            assert!(text.expose().len() <= MAX_TOKEN);
            let token = Token::open(&text, ISSUER, &ring()).unwrap();
            assert_eq!((token.kind(), *token.id(), token.generation()), (kind, [7; 16], 3));
            assert_eq!(token.secret(), [9; 20]);
        }
    }

    #[test]
    fn a_token_is_as_long_as_documented_and_begins_with_its_kind() {
        for (kind, prefix) in
            [(TokenKind::Access, "pfk_access_"), (TokenKind::Code, "pfk_code_"), (TokenKind::Refresh, "pfk_refresh_")]
        {
            let text = sealed(kind);
            let text = text.expose_text().unwrap();
            assert!(text.starts_with(prefix));
            assert_eq!(text.len(), prefix.len() + 64);
        }
        assert_eq!(sealed(TokenKind::Refresh).expose().len(), MAX_TOKEN, "the longest of them");
    }

    #[test]
    fn a_token_of_another_issuer_or_kind_is_no_token() {
        let text = sealed(TokenKind::Access);
        assert!(Token::open(&text, "https://other.example", &ring()).is_none());
        let text = text.expose_text().unwrap().replace("pfk_access_", "pfk_refresh_");
        assert!(Token::open(&Secret::from(&*text), ISSUER, &ring()).is_none());
    }

    #[test]
    fn any_changed_character_makes_it_no_token() {
        let text = sealed(TokenKind::Refresh);
        let text = text.expose_text().unwrap();
        for at in 0..text.len() {
            let mut changed = text.as_bytes().to_vec();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            assert!(Token::open(&Secret::new(changed.into()), ISSUER, &ring()).is_none(), "character {at}");
        }
        assert!(Token::open(&Secret::from(&text[..text.len() - 1]), ISSUER, &ring()).is_none());
        assert!(Token::open(&Secret::from(&*format!("{text}A")), ISSUER, &ring()).is_none());
    }
}
