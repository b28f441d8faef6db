//! Scope: an order-free set of case-sensitive words (RFC 6749 section 3.3).

use std::fmt;
use std::sync::Arc;

use minicbor::decode::{self, Decoder};
use minicbor::encode::{self, Encoder, Write};
use minicbor::{Decode, Encode};

/// The most words of one scope.
const MAX_WORDS: usize = 64;
/// The longest scope, in bytes.
const MAX_BYTES: usize = 1024;

/// Text that is no scope: a character outside the allowed set, two blanks together, or too much of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a scope is up to 64 words, each of printable ASCII without quote and backslash, with one blank between")]
#[non_exhaustive]
pub struct InvalidScope;

/// A set of scope words, kept as text in one order, so that equal sets are equal texts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(Arc<str>);

impl Scope {
    /// Reads a scope. Order and repeats do not matter.
    ///
    /// # Errors
    /// [`InvalidScope`] for an empty text, a character that RFC 6749 section 3.3 does not allow, and more than 64 words
    /// or 1,024 bytes.
    pub fn parse(text: &str) -> Result<Self, InvalidScope> {
        if text.len() > MAX_BYTES {
            return Err(InvalidScope);
        }
        let mut words: Vec<&str> = text.split(' ').collect();
        if words.len() > MAX_WORDS || !words.iter().all(|word| is_word(word)) {
            return Err(InvalidScope);
        }
        if words.is_sorted_by(|a, b| a < b) {
            return Ok(Self(text.into()));
        }
        words.sort_unstable();
        words.dedup();
        Ok(Self(words.join(" ").into()))
    }

    /// The words, space-separated, in their one order.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The words.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(' ').filter(|word| !word.is_empty())
    }

    /// Whether there is no word.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this word is in the scope.
    #[must_use]
    pub fn contains(&self, word: &str) -> bool {
        self.iter().any(|one| one == word)
    }

    /// Whether every word of this scope is in `other`.
    #[must_use]
    pub fn is_subset_of(&self, other: &Self) -> bool {
        self.0 == other.0 || self.iter().all(|word| other.contains(word))
    }

    /// The words that are in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        if self.is_subset_of(other) {
            return self.clone();
        }
        let both: Vec<&str> = self.iter().filter(|word| other.contains(word)).collect();
        Self(both.join(" ").into())
    }

    /// The words that are in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        if other.is_subset_of(self) {
            return self.clone();
        }
        if self.is_subset_of(other) {
            return other.clone();
        }
        let mut all: Vec<&str> = self.iter().chain(other.iter()).collect();
        all.sort_unstable();
        all.dedup();
        Self(all.join(" ").into())
    }
}

impl Default for Scope {
    fn default() -> Self {
        Self(Arc::from(""))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<C> Encode<C> for Scope {
    fn encode<W: Write>(&self, encoder: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        encoder.str(&self.0)?;
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for Scope {
    fn decode(decoder: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        // The record is authenticated: what was written is a scope.
        Ok(Self(decoder.str()?.into()))
    }
}

fn is_word(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(text: &str) -> Scope {
        Scope::parse(text).unwrap()
    }

    #[test]
    fn order_and_repeats_do_not_matter_and_case_does() {
        for repeated in ["b a b", "a a b", "a b b"] {
            assert_eq!(scope(repeated), scope("a b"), "{repeated}");
        }
        assert_eq!(scope("a a"), scope("a"));
        assert_ne!(scope("Read"), scope("read"));
        assert_eq!(scope("b a").to_string(), "a b");
    }

    #[test]
    fn malformed_text_is_no_scope() {
        let (many, long) = (vec!["w"; 65].join(" "), "w".repeat(1025));
        for bad in ["", " ", "a  b", " a", "a ", "a\"b", "a\\b", "réad", "a\tb", "a\nb", &many, &long] {
            assert_eq!(Scope::parse(bad), Err(InvalidScope), "{bad:?}");
        }
    }

    #[test]
    fn a_scope_has_up_to_64_words_and_1024_bytes() {
        let words: Vec<String> = (10..74).map(|number| format!("w{number}")).collect();
        assert_eq!(scope(&words.join(" ")).iter().count(), 64);
        assert!(Scope::parse(&"w".repeat(1024)).is_ok());
    }

    #[test]
    fn a_union_has_the_words_of_both_and_contains_each() {
        let (some, more) = (scope("a c"), scope("b c"));
        assert_eq!(some.union(&more), scope("a b c"));
        assert_eq!(some.union(&scope("a")), some);
        assert_eq!(scope("a").union(&some), some);
        assert_eq!(Scope::default().union(&some), some);
        assert!(some.contains("a") && !some.contains("b") && !some.contains(""));
        assert!(Scope::default().is_empty() && !some.is_empty());
    }

    #[test]
    fn sets_compare_as_sets() {
        let (all, some, other) = (scope("a b c"), scope("c a"), scope("d a"));
        assert!(some.is_subset_of(&all) && !other.is_subset_of(&all));
        assert_eq!(other.intersection(&all), scope("a"));
        assert!(scope("d").intersection(&all).is_empty());
        assert!(Scope::default().is_subset_of(&some) && Scope::default().iter().next().is_none());
        assert!(!scope("contacts:read").contains("contacts"));
    }
}
