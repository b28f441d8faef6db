//! Codes of an authenticator app (RFC 6238): six digits, a new one every 30 seconds, by HMAC-SHA-1, which is what such
//! apps know.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

/// The 30 seconds that a moment, in seconds since 1970, lies in.
pub(crate) const fn step(seconds: u64) -> u64 {
    seconds / 30
}

/// The code of a step (RFC 4226 section 5.3).
pub(crate) fn code(secret: &[u8], step: u64) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(&step.to_be_bytes());
    let hash: [u8; 20] = mac.finalize().into_bytes().into();
    let at = usize::from(hash[19] & 15);
    let number = u32::from_be_bytes([hash[at], hash[at + 1], hash[at + 2], hash[at + 3]]) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

/// The step whose code was typed: the present one, or one beside it, for clocks differ.
pub(crate) fn typed_at(secret: &[u8], typed: &str, seconds: u64) -> Option<u64> {
    let now = step(seconds);
    [now, now.saturating_sub(1), now + 1].into_iter().find(|step| code(secret, *step) == typed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238 appendix B, of which the last six digits.
    #[test]
    fn the_codes_are_those_of_the_rfc() {
        for (seconds, wanted) in [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924")] {
            assert_eq!(code(b"12345678901234567890", step(seconds)), wanted);
        }
    }

    #[test]
    fn a_code_is_good_for_the_steps_beside_it_and_no_further() {
        let typed = code(b"secret", 100);
        for (step, good) in [(98, false), (99, true), (100, true), (101, true), (102, false)] {
            assert_eq!(typed_at(b"secret", &typed, step * 30).is_some(), good, "{step}");
        }
    }
}
