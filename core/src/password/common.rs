//! Passwords that everybody tries first.

/// Common passwords and beginnings of such, in lower case and without digits at the end.
const COMMON: &[&str] = &[
    "abc",
    "access",
    "adminadmin",
    "administrator",
    "baseball",
    "batman",
    "changeme",
    "charlie",
    "computer",
    "correcthorsebatterystaple",
    "default",
    "donald",
    "dragon",
    "football",
    "freedom",
    "hello",
    "helloworld",
    "iloveyou",
    "iloveyouforever",
    "jordan",
    "letmein",
    "letmeinletmein",
    "login",
    "lovely",
    "master",
    "michael",
    "monkey",
    "mustang",
    "mypassword",
    "ninja",
    "passphrase",
    "password",
    "passwordpassword",
    "pokemon",
    "princess",
    "qazwsx",
    "qwerty",
    "qwertyqwerty",
    "qwertyuiop",
    "qwertyuiopasdfghjkl",
    "secret",
    "secretsecret",
    "shadow",
    "solo",
    "starwars",
    "sunshine",
    "superman",
    "thisismypassword",
    "trustno",
    "welcome",
    "whatever",
    "zaq",
];

/// Whether a password is one of the common ones, whatever its case and closing digits or marks, or one short text
/// again and again.
pub(super) fn is_common(password: &str) -> bool {
    let lower = password.to_lowercase();
    let stem = lower.trim_end_matches(|letter: char| !letter.is_alphabetic());
    if COMMON.contains(&stem) || (stem.is_empty() && is_run(&lower)) {
        return true;
    }
    let letters: Vec<char> = lower.chars().collect();
    (1..=3).any(|period| letters.len() > period && letters.iter().zip(letters.iter().skip(period)).all(|(a, b)| a == b))
}

/// Digits that count up or down, wrapping at ten.
fn is_run(text: &str) -> bool {
    let digits: Option<Vec<u32>> = text.chars().map(|letter| letter.to_digit(10)).collect();
    let Some(digits) = digits else { return false };
    let by = |step: u32| {
        digits.iter().zip(digits.iter().skip(1)).all(|(a, b)| a.saturating_add(step).checked_rem(10) == Some(*b))
    };
    by(1) || by(9)
}

#[cfg(test)]
mod tests {
    use super::is_common;

    #[test]
    fn common_passwords_are_known_whatever_their_case_and_ending() {
        for common in [
            "password",
            "Password123!",
            "QWERTY1234567890",
            "123456789012345",
            "aaaaaaaaaaaaaaa",
            "abababababababab",
            "iloveyouforever",
        ] {
            assert!(is_common(common), "{common}");
        }
        for own in ["correct horse battery staple", "my dog ate the pass", "31415926535897932"] {
            assert!(!is_common(own), "{own}");
        }
    }
}
