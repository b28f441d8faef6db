//! The values that cross the persistence contract: five calls on single records.
//!
//! What a store must do with them is the contract of the host's `Store` trait; here they are only values.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;

use crate::UnixTime;
use crate::name::hashed;

/// The longest key or tag, in bytes.
pub const MAX_KEY: usize = 80;
/// The longest version, in bytes.
pub const MAX_VERSION: usize = 16;
/// The longest record body, in bytes.
pub const MAX_BODY: usize = 64 * 1024;
/// The most tags a record carries.
pub const MAX_OWNERS: usize = 3;

/// Text that cannot be a key, a tag or a version: empty, too long, or not printable ASCII.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a {what} is 1 to {longest} printable ASCII characters without blanks")]
pub struct InvalidText {
    what: &'static str,
    longest: usize,
}

fn check(what: &'static str, longest: usize, text: &str) -> Result<(), InvalidText> {
    if text.is_empty() || text.len() > longest || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(InvalidText { what, longest });
    }
    Ok(())
}

/// The name of one record: up to 80 printable ASCII characters, without blanks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Arc<str>);

impl Key {
    /// Reads back a key that a store kept.
    ///
    /// # Errors
    /// If the text cannot be a key.
    pub fn parse(text: &str) -> Result<Self, InvalidText> {
        check("key", MAX_KEY, text)?;
        Ok(Self(text.into()))
    }

    pub(crate) fn from_hash(prefix: &str, letter: char, hash: &[u8; 32]) -> Self {
        Self(hashed(prefix, letter, hash))
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A tag by which records are found: the hash of a user, a client or a browser session, or a fixed word that lists all
/// records of a kind. Same limits as a [`Key`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner(Arc<str>);

impl Owner {
    /// Reads back a tag that a store kept.
    ///
    /// # Errors
    /// If the text cannot be a tag.
    pub fn parse(text: &str) -> Result<Self, InvalidText> {
        check("tag", MAX_KEY, text)?;
        Ok(Self(text.into()))
    }

    pub(crate) fn from_hash(prefix: &str, letter: char, hash: &[u8; 32]) -> Self {
        Self(hashed(prefix, letter, hash))
    }

    /// The tag as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What tells one body of a record from the next, like an ETag: the core draws it afresh for each write.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Version {
    bytes: [u8; MAX_VERSION],
    len: u8,
}

impl Version {
    /// Reads back a version that a store kept.
    ///
    /// # Errors
    /// If the text cannot be a version.
    pub fn parse(text: &str) -> Result<Self, InvalidText> {
        check("version", MAX_VERSION, text)?;
        let mut bytes = [0; MAX_VERSION];
        for (to, from) in bytes.iter_mut().zip(text.bytes()) {
            *to = from;
        }
        // `check` bounds the length by MAX_VERSION.
        Ok(Self { bytes, len: u8::try_from(text.len()).unwrap_or(0) })
    }

    /// 64 random bits as 11 base64url characters.
    pub(crate) fn from_random(bits: [u8; 8]) -> Self {
        let mut bytes = [0; MAX_VERSION];
        let written = URL_SAFE_NO_PAD.encode_slice(bits, &mut bytes).unwrap_or(0); // 11 always fit into 16
        Self { bytes, len: u8::try_from(written).unwrap_or(0) }
    }

    /// The version as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.bytes.get(..usize::from(self.len)).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Version({})", self.as_str())
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What `get` finds: the body of a record and the version that was written with it.
#[derive(Clone, Debug)]
pub struct Record {
    version: Version,
    body: Bytes,
}

impl Record {
    /// A record as the store holds it.
    #[must_use]
    pub const fn new(version: Version, body: Bytes) -> Self {
        Self { version, body }
    }

    /// The version written with the body.
    #[must_use]
    pub const fn version(&self) -> &Version {
        &self.version
    }

    /// The sealed body.
    #[must_use]
    pub const fn body(&self) -> &Bytes {
        &self.body
    }
}

/// One conditional write. A value, so that a field can be added without breaking a stranger's store.
#[derive(Clone, Debug)]
pub struct Write {
    pub(crate) key: Key,
    pub(crate) expect: Option<Version>,
    pub(crate) version: Version,
    pub(crate) body: Bytes,
    pub(crate) expires_at: UnixTime,
    pub(crate) owners: Vec<Owner>,
    pub(crate) index_kept: bool,
}

impl Write {
    /// A write with a new version and body, that must not find its key; for tests of stores.
    #[must_use]
    pub const fn new(key: Key, version: Version, body: Bytes, expires_at: UnixTime) -> Self {
        Self { key, expect: None, version, body, expires_at, owners: Vec::new(), index_kept: false }
    }

    /// The same write, on the condition that the stored version is `version`.
    #[must_use]
    pub const fn expecting(mut self, version: Version) -> Self {
        self.expect = Some(version);
        self
    }

    /// The same write, with these tags.
    #[must_use]
    pub fn owned_by(mut self, owners: Vec<Owner>) -> Self {
        self.owners = owners;
        self
    }

    /// The same write, saying that tags and expiry are those that are stored.
    #[must_use]
    pub const fn keeping_index(mut self) -> Self {
        self.index_kept = true;
        self
    }

    /// The record to write.
    #[must_use]
    pub const fn key(&self) -> &Key {
        &self.key
    }

    /// The version that must be stored now; `None` means that the key must not exist.
    #[must_use]
    pub const fn expect(&self) -> Option<&Version> {
        self.expect.as_ref()
    }

    /// The version to store with the body.
    #[must_use]
    pub const fn version(&self) -> &Version {
        &self.version
    }

    /// The sealed body, up to 64 KiB.
    #[must_use]
    pub const fn body(&self) -> &Bytes {
        &self.body
    }

    /// When `sweep` may drop the row: the row's index, never trusted by the core.
    #[must_use]
    pub const fn expires_at(&self) -> UnixTime {
        self.expires_at
    }

    /// Up to three tags to keep in the row.
    #[must_use]
    pub fn owners(&self) -> &[Owner] {
        &self.owners
    }

    /// Whether tags and expiry equal those of the row that is replaced, so that no index need be touched. A store may
    /// ignore it.
    #[must_use]
    pub const fn index_kept(&self) -> bool {
        self.index_kept
    }
}

/// One page of the keys that carry a tag.
#[derive(Clone, Debug)]
pub struct Query {
    owner: Owner,
    after: String,
    limit: usize,
}

impl Query {
    /// The first `limit` keys that carry `owner`.
    #[must_use]
    pub const fn new(owner: Owner, limit: usize) -> Self {
        Self { owner, after: String::new(), limit }
    }

    /// The page that follows `key`.
    #[must_use]
    pub fn after_key(mut self, key: &Key) -> Self {
        key.as_str().clone_into(&mut self.after);
        self
    }

    /// The tag.
    #[must_use]
    pub const fn owner(&self) -> &Owner {
        &self.owner
    }

    /// The last key of the page before; empty at the start.
    #[must_use]
    pub fn after(&self) -> &str {
        &self.after
    }

    /// The most keys to return.
    #[must_use]
    pub const fn limit(&self) -> usize {
        self.limit
    }
}

/// A store, or another part of the host, could not answer. Carries the host's own error.
///
/// From `put` and `delete` it means *unknown*: the write may have landed, or may still land. "Nothing found" is never
/// an error.
#[derive(Debug, thiserror::Error)]
#[error("{source}")]
pub struct StoreError {
    source: Box<dyn Error + Send + Sync>,
}

impl StoreError {
    /// Wraps the host's error, or a text that says what failed.
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { source: source.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_tags_and_versions_are_printable_ascii_of_bounded_length() {
        for bad in ["", "a b", "a\n", "é", &"k".repeat(81)] {
            assert!(Key::parse(bad).is_err() && Owner::parse(bad).is_err(), "{bad:?}");
        }
        assert!(Key::parse(&"k".repeat(80)).is_ok());
        assert!(Version::parse(&"v".repeat(17)).is_err());
        assert_eq!(Version::parse("AAAAAAAAAAA").unwrap().as_str(), "AAAAAAAAAAA");
    }
}
