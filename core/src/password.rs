//! Passwords: bcrypt in its text form, with the limits that its makers leave to their callers.
//!
//! A password is the bytes that were typed: it is not normalised, so a composed and a decomposed `é` are different
//! passwords, in every face the same. One that is set through us has at most 71 bytes, for bcrypt sees 72 with the
//! closing NUL: so nothing of a hash that we made was cut off. An imported hash of a longer password was cut at 72
//! bytes by its maker, and is verified as it was made.

use base64::Engine as _;
use base64::alphabet::BCRYPT;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::secret::Secret;

mod common;

/// The most bytes of a password that is set through us.
pub(crate) const MAX_PASSWORD: usize = 71;
/// What bcrypt looks at.
const SEEN: usize = 72;
/// A hash that says more than this is refused: one verification would take minutes.
const MAX_COST: u32 = 16;
const MIN_COST: u32 = 4;

const BASE64: GeneralPurpose = GeneralPurpose::new(&BCRYPT, NO_PAD);

/// Why a password cannot be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// No password at all.
    #[error("the password is empty")]
    Empty,
    /// One of the passwords that everybody tries first.
    #[error("the password is one of the most common ones")]
    TooCommon,
    /// More than bcrypt could tell from another.
    #[error("the password is longer than 71 bytes in UTF-8")]
    TooLong,
    /// Fewer characters than `password_min_length`.
    #[error("the password is shorter than password_min_length")]
    TooShort,
}

/// What a new password has to fulfil: a length and not to be common; no composition (NIST SP 800-63B).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) min_length: usize,
}

impl Rules {
    pub(crate) fn check(self, password: &[u8]) -> Result<(), PasswordError> {
        let text = String::from_utf8_lossy(password);
        if password.is_empty() {
            return Err(PasswordError::Empty);
        }
        if password.len() > MAX_PASSWORD {
            return Err(PasswordError::TooLong);
        }
        if text.chars().count() < self.min_length {
            return Err(PasswordError::TooShort);
        }
        if common::is_common(&text) {
            return Err(PasswordError::TooCommon);
        }
        Ok(())
    }
}

/// Hashes a password into `$2b$` text form.
pub(crate) fn hash(password: &[u8], cost: u32, salt: [u8; 16]) -> Result<String, PasswordError> {
    if password.is_empty() {
        return Err(PasswordError::Empty);
    }
    if password.len() > MAX_PASSWORD {
        return Err(PasswordError::TooLong);
    }
    let digest = digest(password, cost, salt);
    let digest = digest.get(..23).unwrap_or_default(); // bcrypt's text form leaves out the last byte
    Ok(format!("$2b${cost:02}${}{}", BASE64.encode(salt), BASE64.encode(digest)))
}

/// A bcrypt hash taken apart.
struct Parsed {
    cost: u32,
    salt: [u8; 16],
    digest: [u8; 23],
}

impl Parsed {
    fn read(text: &str) -> Option<Self> {
        let rest = ["$2a$", "$2b$", "$2y$"].iter().find_map(|prefix| text.strip_prefix(prefix))?;
        let (cost, rest) = rest.split_once('$')?;
        let digits = cost.len() == 2 && cost.bytes().all(|byte| byte.is_ascii_digit());
        let cost = cost.parse().ok().filter(|cost| digits && (MIN_COST..=MAX_COST).contains(cost))?;
        let (salt, digest) = rest.split_at_checked(22).filter(|(_, digest)| digest.len() == 31)?;
        Some(Self {
            cost,
            salt: BASE64.decode(salt).ok()?.try_into().ok()?,
            digest: BASE64.decode(digest).ok()?.try_into().ok()?,
        })
    }

    fn matches(&self, password: &[u8]) -> bool {
        let computed = digest(password, self.cost, self.salt);
        // An empty password never logs in, not even where the stored hash is of one.
        let same: bool = computed.get(..23).unwrap_or_default().ct_eq(&self.digest).into();
        same && !password.is_empty()
    }
}

fn digest(password: &[u8], cost: u32, salt: [u8; 16]) -> [u8; 24] {
    let mut seen = Zeroizing::new(Vec::with_capacity(SEEN));
    seen.extend(password.iter().chain([&0]).take(SEEN));
    bcrypt::bcrypt(cost, salt, &seen)
}

/// One verification, at a cost that does not tell whether there was a user, or how old the hash is.
pub(crate) struct Verification {
    password: Secret,
    hash: Option<String>,
    cost: u32,
}

/// What a verification came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verified {
    pub(crate) matched: bool,
    /// There is a hash, and it cannot be read.
    pub(crate) malformed: bool,
    /// The password is right, and its hash is not of the configured cost or form.
    pub(crate) rehash_wanted: bool,
    /// Rounds of bcrypt that were run: 2^cost, whoever asked.
    pub(crate) rounds: u64,
}

impl Verification {
    /// Verifies `password` against `hash`, or against nobody's.
    pub(crate) const fn new(password: Secret, hash: Option<String>, cost: u32) -> Self {
        Self { password, hash, cost }
    }

    /// All that the outcome depends on, one after the other.
    pub(crate) fn parts(&self, mut part: impl FnMut(&[u8])) {
        part(self.password.expose());
        part(self.hash.as_deref().map_or(b"none", str::as_bytes));
        part(&self.cost.to_be_bytes());
    }

    /// Runs bcrypt. A missing or unreadable hash costs one run at the configured cost; a cheaper one is topped up by
    /// runs at its own cost and each above it, which makes 2^cost rounds as well.
    pub(crate) fn run(self) -> Verified {
        let password = self.password.expose();
        let parsed = self.hash.as_deref().and_then(Parsed::read);
        let malformed = self.hash.is_some() && parsed.is_none();
        let mut rounds = 0_u64;
        let mut count = |cost: u32| rounds = rounds.saturating_add(1_u64.checked_shl(cost).unwrap_or(u64::MAX));
        let Some(parsed) = parsed else {
            std::hint::black_box(digest(password, self.cost, [0; 16]));
            count(self.cost);
            return Verified { matched: false, malformed, rehash_wanted: false, rounds };
        };
        let matched = parsed.matches(password);
        count(parsed.cost);
        for cost in parsed.cost..self.cost {
            std::hint::black_box(digest(password, cost, parsed.salt));
            count(cost);
        }
        let current = parsed.cost == self.cost && self.hash.is_some_and(|hash| hash.starts_with("$2b$"));
        Verified { matched, malformed, rehash_wanted: matched && !current, rounds }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verify(password: &str, hash: Option<&str>, cost: u32) -> Verified {
        Verification::new(Secret::from(password), hash.map(str::to_owned), cost).run()
    }

    #[test]
    fn a_hash_of_the_empty_text_matches_nothing() {
        // The server refuses an empty password before it gets here; this is the second lock.
        let empty = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy";
        assert!(!verify("", Some(empty), 5).matched);
    }

    #[test]
    fn every_verification_runs_the_configured_rounds_or_those_of_a_dearer_hash() {
        let of = |cost| hash(b"a passphrase", cost, [7; 16]).unwrap();
        let table =
            [(None, 32), (Some("not a hash".to_owned()), 32), (Some(of(4)), 32), (Some(of(5)), 32), (Some(of(6)), 64)];
        for (hash, rounds) in table {
            for password in ["a passphrase", "another"] {
                assert_eq!(verify(password, hash.as_deref(), 5).rounds, rounds, "{hash:?}");
            }
        }
    }
}
