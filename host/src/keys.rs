//! Key texts, as they come from the environment or a secret store, and how new ones are made.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use proofkey_core::{KeyError, KeyId, KeyRing, Problem, Secret, SessionKeys, parse_session_key};
use zeroize::Zeroizing;

use crate::entropy::NoEntropy;

/// The environment variables that hold key texts, with the setting that each is.
pub const KEY_VARIABLES: &[(&str, &str)] = &[
    ("encryption_keys", "OAUTH2_ENCRYPTION_KEY"),
    ("encryption_keys", "PROOFKEY_ENCRYPTION_KEYS"),
    ("session_keys", "SECRET_ENCRYPTION_KEY"),
    ("session_keys", "PROOFKEY_SESSION_KEYS"),
];

/// The keys of a server: those that seal records and make tokens, and those of browser sessions.
///
/// Key texts are wiped when dropped and never printed. Nothing is read from the environment unless asked for.
pub struct Keys {
    encryption: Vec<Zeroizing<String>>,
    session: Vec<Zeroizing<String>>,
}

impl Keys {
    /// Keys from their texts: `encryption` as in `OAUTH2_ENCRYPTION_KEY`, a comma-separated list of Fernet-format keys
    /// of which the first is the primary.
    ///
    /// # Errors
    /// If a key is missing, malformed, weak or stands there twice; the text says how to make one.
    pub fn parse(encryption: &Secret) -> Result<Self, KeyError> {
        KeyRing::parse(encryption)?;
        let encryption = split(encryption.expose_text().unwrap_or_default());
        Ok(Self { encryption, session: Vec::new() })
    }

    /// The same keys, with those of browser sessions as in `SECRET_ENCRYPTION_KEY`: any base64 of 32 bytes or more.
    ///
    /// # Errors
    /// If one of them is malformed, too short or weak.
    pub fn with_session(mut self, session: &Secret) -> Result<Self, KeyError> {
        let session = split(session.expose_text().unwrap_or_default());
        for key in &session {
            parse_session_key(&Secret::from(key.as_str()))?;
        }
        self.session = session;
        Ok(self)
    }

    /// Keys from `OAUTH2_ENCRYPTION_KEY` and `SECRET_ENCRYPTION_KEY`, or their canonical names
    /// `PROOFKEY_ENCRYPTION_KEYS` and `PROOFKEY_SESSION_KEYS`.
    ///
    /// # Errors
    /// A [`Problem`] that names the variable and the remedy.
    pub fn from_env() -> Result<Self, Problem> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// Keys from variables that the caller has at hand, by the names of [`KEY_VARIABLES`].
    ///
    /// # Errors
    /// As [`Keys::from_env`].
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Problem> {
        let read = |setting: &'static str| {
            let names = KEY_VARIABLES.iter().filter(|(of, _)| *of == setting).map(|(_, name)| *name);
            let mut found: Vec<(&str, Zeroizing<String>)> =
                names.filter_map(|name| Some((name, Zeroizing::new(variable(name)?)))).collect();
            found.retain(|(_, text)| !text.trim().is_empty());
            if let [(one, a), (two, b)] = found.as_slice()
                && a != b
            {
                return Err(Problem::new(setting, format!("{one} and {two} are both set, and differ; unset one")));
            }
            Ok(found.into_iter().next())
        };
        let missing = "it is missing: set OAUTH2_ENCRYPTION_KEY; `proofkey keys generate` makes one";
        let (name, text) = read("encryption_keys")?.ok_or_else(|| Problem::new("encryption_keys", missing))?;
        let told = |setting, name: &str, error: KeyError| Problem::new(setting, format!("{name}: {error}"));
        let keys = Self::parse(&Secret::from(text.as_str())).map_err(|error| told("encryption_keys", name, error))?;
        match read("session_keys")? {
            None => Ok(keys),
            Some((name, text)) => {
                keys.with_session(&Secret::from(text.as_str())).map_err(|error| told("session_keys", name, error))
            }
        }
    }

    /// Fresh random keys, for a first start or a test. They are lost with the process unless they are written down:
    /// see [`Keys::encryption_text`].
    ///
    /// # Errors
    /// If the operating system gives no random bytes.
    pub fn generate() -> Result<Self, NoEntropy> {
        Ok(Self { encryption: vec![random_key()?], session: vec![random_key()?] })
    }

    /// The same keys and a fresh one, which reads and does not write yet: the first step of a rotation.
    ///
    /// # Errors
    /// If the operating system gives no random bytes.
    pub fn with_added(mut self) -> Result<Self, NoEntropy> {
        self.encryption.push(random_key()?);
        Ok(self)
    }

    /// The same keys, of which `id` is the primary: the second step of a rotation. Nothing if there is no such key.
    #[must_use]
    pub fn with_promoted(mut self, id: KeyId) -> Option<Self> {
        let at = self.ids().iter().position(|one| *one == id)?;
        let key = self.encryption.remove(at);
        self.encryption.insert(0, key);
        Some(self)
    }

    /// The same keys without `id`. Nothing if there is no such key, or it is the primary one.
    #[must_use]
    pub fn without(mut self, id: KeyId) -> Option<Self> {
        let at = self.ids().iter().position(|one| *one == id).filter(|at| *at > 0)?;
        self.encryption.remove(at);
        Some(self)
    }

    /// The names of the encryption keys, the primary first.
    #[must_use]
    pub fn ids(&self) -> Vec<KeyId> {
        self.ring().map(|ring| ring.ids().collect()).unwrap_or_default()
    }

    /// How many session keys there are.
    #[must_use]
    pub const fn session_count(&self) -> usize {
        self.session.len()
    }

    /// The text for `OAUTH2_ENCRYPTION_KEY`.
    #[must_use]
    pub fn encryption_text(&self) -> Secret {
        joined(&self.encryption)
    }

    /// The text for `SECRET_ENCRYPTION_KEY`; empty without session keys.
    #[must_use]
    pub fn session_text(&self) -> Secret {
        joined(&self.session)
    }

    /// The keys of browser sessions; nothing if there are none.
    pub(crate) fn session_ring(&self) -> Option<Result<SessionKeys, KeyError>> {
        (!self.session.is_empty()).then(|| SessionKeys::parse(&self.session_text()))
    }

    pub(crate) fn ring(&self) -> Result<KeyRing, KeyError> {
        KeyRing::parse(&self.encryption_text())
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("encryption", &self.ids()).finish_non_exhaustive()
    }
}

fn split(list: &str) -> Vec<Zeroizing<String>> {
    let keys = list.split(',').map(str::trim).filter(|key| !key.is_empty());
    keys.map(|key| Zeroizing::new(key.to_owned())).collect()
}

fn joined(keys: &[Zeroizing<String>]) -> Secret {
    let texts: Vec<&str> = keys.iter().map(|key| key.as_str()).collect();
    Secret::from_text(texts.join(","))
}

fn random_key() -> Result<Zeroizing<String>, NoEntropy> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *bytes)?;
    Ok(Zeroizing::new(URL_SAFE.encode(*bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables<'a>(set: &'a [(&'a str, String)]) -> impl Fn(&str) -> Option<String> + 'a {
        |name| set.iter().find(|(one, _)| *one == name).map(|(_, value)| value.clone())
    }

    fn key() -> String {
        Keys::generate().unwrap().encryption_text().expose_text().unwrap().to_owned()
    }

    #[test]
    fn a_missing_or_bad_key_is_an_error_that_names_variable_and_remedy() {
        let told = |set: &[(&str, String)]| Keys::from_variables(variables(set)).unwrap_err().to_string();
        let missing = told(&[]);
        assert!(missing.contains("OAUTH2_ENCRYPTION_KEY") && missing.contains("proofkey keys generate"), "{missing}");
        let malformed = told(&[("OAUTH2_ENCRYPTION_KEY", "short".to_owned())]);
        assert!(malformed.contains("OAUTH2_ENCRYPTION_KEY: a key is base64"), "{malformed}");
        let two = told(&[("OAUTH2_ENCRYPTION_KEY", key()), ("PROOFKEY_ENCRYPTION_KEYS", key())]);
        assert!(two.contains("both set"), "{two}");
    }

    #[test]
    fn a_rotation_adds_then_promotes_then_removes() {
        let keys = Keys::generate().unwrap();
        let old = keys.ids()[0];
        let keys = keys.with_added().unwrap();
        assert_eq!(keys.ids()[0], old);
        let new = keys.ids()[1];
        let keys = keys.with_promoted(new).unwrap();
        assert_eq!(keys.ids(), [new, old]);
        assert!(Keys::parse(&keys.encryption_text()).unwrap().without(new).is_none());
        assert_eq!(keys.without(old).unwrap().ids(), [new]);
    }

    #[test]
    fn keys_print_their_names_only() {
        let keys = Keys::generate().unwrap();
        let printed = format!("{keys:?}");
        assert!(!printed.contains(keys.encryption_text().expose_text().unwrap()));
        assert!(printed.contains(&keys.ids()[0].to_string()));
    }
}
