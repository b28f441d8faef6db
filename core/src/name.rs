//! Where records live and which tags they carry: SHA-256 under a label and the tenant's prefix.
//!
//! The names do not depend on the key ring, so a rotation moves nothing. They show no name, but whoever owns the
//! database can test a guess; SECURITY.md says so.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::bytes::join;
use crate::record::Kind;
use crate::store::{Key, MAX_KEY, Owner};

/// The names of one tenant's records.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    prefix: String,
}

impl Names {
    pub(crate) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    pub(crate) fn key(&self, kind: Kind, id: &[u8]) -> Key {
        Key::from_hash(&self.prefix, kind.letter(), &self.hash("key", kind.letter(), id))
    }

    /// The owner record of a user: its epoch.
    pub(crate) fn user_epoch(&self, subject: &str) -> Key {
        self.key(Kind::Owner, format!("user {subject}").as_bytes())
    }

    /// The owner record of a client: its epoch.
    pub(crate) fn client_epoch(&self, client_id: &str) -> Key {
        self.key(Kind::Owner, format!("client {client_id}").as_bytes())
    }

    /// The owner record of a name, in lower case, at whose password people try: whenever it is raised, the counters of
    /// that name begin anew.
    pub(crate) fn attempts(&self, name: &str) -> Key {
        self.key(Kind::Owner, format!("attempts {name}").as_bytes())
    }

    /// One user's consent to one client.
    pub(crate) fn consent(&self, subject: &str, client_id: &str) -> Key {
        self.key(Kind::Consent, format!("{} {subject}{client_id}", subject.len()).as_bytes())
    }

    /// Everything of one user.
    pub(crate) fn user_tag(&self, subject: &str) -> Owner {
        self.tag('u', subject)
    }

    /// Everything of one client.
    pub(crate) fn client_tag(&self, client_id: &str) -> Owner {
        self.tag('c', client_id)
    }

    /// The grants that end with one browser's sign-in.
    pub(crate) fn session_tag(&self, sid: &[u8]) -> Owner {
        self.tag('b', &URL_SAFE_NO_PAD.encode(sid))
    }

    /// The stored clients that are called from a web origin.
    pub(crate) fn origin_tag(&self, origin: &str) -> Owner {
        self.tag('o', origin)
    }

    /// All records of a kind.
    pub(crate) fn all_tag(&self, kind: Kind) -> Owner {
        self.tag('a', &kind.letter().to_string())
    }

    /// Whether a key that a tag led to names a record of this kind.
    pub(crate) fn is_of_kind(&self, key: &Key, kind: Kind) -> bool {
        let rest = if self.prefix.is_empty() {
            Some(key.as_str())
        } else {
            key.as_str().strip_prefix(self.prefix.as_str()).and_then(|rest| rest.strip_prefix('.'))
        };
        rest.and_then(|rest| rest.strip_prefix(kind.letter())).is_some_and(|rest| rest.starts_with('.'))
    }

    fn tag(&self, letter: char, id: &str) -> Owner {
        Owner::from_hash(&self.prefix, letter, &self.hash("tag", letter, id.as_bytes()))
    }

    fn hash(&self, what: &str, letter: char, id: &[u8]) -> [u8; 32] {
        let mut letter_bytes = [0; 4];
        Sha256::new()
            .chain_update(b"proofkey ")
            .chain_update(what)
            .chain_update(b" 1 ")
            .chain_update(&self.prefix)
            .chain_update(b" ")
            .chain_update(letter.encode_utf8(&mut letter_bytes))
            .chain_update(b" ")
            .chain_update(id)
            .finalize()
            .into()
    }
}

/// `prefix.letter.hash`, or `letter.hash` without a prefix; at most 16 + 1 + 1 + 1 + 43 characters.
pub(crate) fn hashed(prefix: &str, letter: char, hash: &[u8; 32]) -> Arc<str> {
    let (mut encoded, mut letter_bytes) = ([0; 43], [0; 4]);
    let _ = URL_SAFE_NO_PAD.encode_slice(hash, &mut encoded); // 32 bytes are exactly 43 characters
    let dot = if prefix.is_empty() { "" } else { "." };
    let letter = letter.encode_utf8(&mut letter_bytes);
    let (text, len) = join::<MAX_KEY>(&[prefix.as_bytes(), dot.as_bytes(), letter.as_bytes(), b".", &encoded]);
    text.get(..len).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenants_kinds_and_identifiers_never_share_a_name() {
        let names = [Names::new(""), Names::new("a"), Names::new("b")];
        let mut seen = std::collections::BTreeSet::new();
        for names in &names {
            for kind in Kind::ALL {
                for id in ["x", "y", "a g x"] {
                    assert!(seen.insert(names.key(kind, id.as_bytes()).as_str().to_owned()));
                }
            }
        }
    }

    #[test]
    fn the_longest_prefix_leaves_room() {
        let names = Names::new(&"p".repeat(16));
        assert!(names.key(Kind::Grant, b"x").as_str().len() <= MAX_KEY);
        assert!(Key::parse(names.key(Kind::Grant, b"x").as_str()).is_ok());
    }
}
