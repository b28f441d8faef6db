//! Looks for secrets in what was said: each as it is written, and in every form in which it might be kept or printed.

use std::collections::{HashMap, HashSet};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

/// Shorter ones would be found by chance.
const SHORTEST: usize = 8;
/// Bytes of a needle that are looked up at once.
const START: usize = 8;
/// Bits of the sieve: of three bytes.
const SIEVE: usize = 1 << 24;

/// The secrets, in all forms.
pub struct Scanner {
    known: HashSet<String>,
    needles: Vec<(usize, Vec<u8>)>,
    names: Vec<String>,
    starts: HashMap<[u8; START], Vec<usize>>,
    /// Which three bytes begin a needle: most places are passed by that alone.
    sieve: Vec<u8>,
}

impl Default for Scanner {
    fn default() -> Self {
        let sieve = vec![0; SIEVE / 8];
        Self { known: HashSet::new(), needles: Vec::new(), names: Vec::new(), starts: HashMap::new(), sieve }
    }
}

impl Scanner {
    /// Looks for this secret, too. Returns whether it is one that can be told from chance, and new.
    pub fn add(&mut self, kind: &str, secret: &str) -> bool {
        if secret.len() < SHORTEST || !self.known.insert(secret.to_owned()) {
            return false;
        }
        self.names.push(format!("{kind} {secret}"));
        let mut forms = HashSet::new();
        written(secret.as_bytes(), &mut forms);
        // What stands behind the prefix of a token; a cookie or a link; a key.
        let tail = secret.strip_prefix("pfk_").and_then(|rest| rest.split_once('_'));
        let encoded = tail.map_or(secret, |(_, encoded)| encoded);
        forms.insert(encoded.as_bytes().to_vec());
        let decoded =
            [URL_SAFE, URL_SAFE_NO_PAD, STANDARD, STANDARD_NO_PAD].iter().find_map(|one| one.decode(encoded).ok());
        if let Some(raw) = decoded.filter(|raw| raw.len() >= 16) {
            written(&raw, &mut forms);
            if raw.len() == 48 {
                // Identifier, generation, secret, check: the identifier is none.
                written(&raw[20..40], &mut forms);
            }
        }
        let name = self.names.len() - 1;
        for form in forms.into_iter().filter(|form| form.len() >= SHORTEST) {
            let start = *form.first_chunk::<START>().unwrap_or(&[0; START]);
            let at = place(&start);
            self.sieve[at / 8] |= 1 << (at % 8);
            self.starts.entry(start).or_default().push(self.needles.len());
            self.needles.push((name, form));
        }
        true
    }

    /// How many secrets there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The first secret that is there, in whatever form, and where.
    #[must_use]
    pub fn find(&self, said: &[u8]) -> Option<(&str, usize)> {
        for at in 0..said.len().saturating_sub(START - 1) {
            let place = place(&said[at..]);
            if self.sieve[place / 8] & (1 << (place % 8)) == 0 {
                continue;
            }
            let start = said[at..].first_chunk::<START>().and_then(|start| self.starts.get(start));
            for needle in start.into_iter().flatten() {
                let (name, form) = &self.needles[*needle];
                if said[at..].starts_with(form) {
                    return Some((&self.names[*name], at));
                }
            }
        }
        None
    }
}

fn place(start: &[u8]) -> usize {
    usize::from(start[0]) << 16 | usize::from(start[1]) << 8 | usize::from(start[2])
}

/// Bytes as they are, in base64, in hexadecimal digits, as lists of numbers print them, and in forms.
fn written(bytes: &[u8], forms: &mut HashSet<Vec<u8>>) {
    forms.insert(bytes.to_vec());
    for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
        forms.insert(engine.encode(bytes).into_bytes());
    }
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    forms.insert(hex.to_uppercase().into_bytes());
    forms.insert(hex.into_bytes());
    let numbers: Vec<String> = bytes.iter().map(ToString::to_string).collect();
    forms.insert(numbers.join(", ").into_bytes());
    if let Ok(text) = std::str::from_utf8(bytes) {
        let encoded = crate::encode(&[("", text)]);
        forms.insert(encoded.as_bytes()[1..].to_vec());
        forms.insert(text.replace(' ', "+").into_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "pfk_access_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v";

    #[test]
    fn a_secret_is_found_in_every_form() {
        let mut scanner = Scanner::default();
        assert!(scanner.add("token", TOKEN) && !scanner.add("token", TOKEN) && !scanner.add("token", "short"));
        scanner.add("password", "correct horse battery");
        let raw: Vec<u8> = (0..48).collect();
        let secret = &raw[20..40];
        let forms: [Vec<u8>; 10] = [
            TOKEN.into(),
            TOKEN["pfk_access_".len()..].into(),
            raw.clone(),
            secret.to_vec(),
            STANDARD.encode(secret).into(),
            secret.iter().map(|byte| format!("{byte:02X}")).collect::<String>().into(),
            format!("{secret:?}").into(),
            "correct+horse+battery".into(),
            "correct%20horse%20battery".into(),
            STANDARD.encode("correct horse battery").into(),
        ];
        for form in forms {
            let said = [b"before ".as_slice(), &form, b" after"].concat();
            assert!(scanner.find(&said).is_some(), "{}", String::from_utf8_lossy(&form));
        }
        for harmless in [&raw[..16], b"pfk_access_", b"correct horse batter", b"", &TOKEN.as_bytes()[..30]] {
            assert!(scanner.find(harmless).is_none(), "{}", String::from_utf8_lossy(harmless));
        }
    }
}
