//! Session keys: what seals cookies and travelling values, each purpose under a key of its own.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use minicbor::{Decode, Encode};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::UnixTime;
use crate::fernet::{FernetKey, FernetRing};
use crate::keys::{KeyError, MAX_KEYS, parse_session_key};
use crate::mac::{keyed, over_parts};
use crate::secret::Secret;

/// What a sealed value is for: one of another purpose does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The cookie that knows a browser again.
    Browser,
    /// The link that sets a new password.
    Reset,
    /// The cookie of a browser's sign-in.
    Session,
    /// A request on its way through the pages.
    Travel,
}

impl Purpose {
    const ALL: [Self; 4] = [Self::Browser, Self::Reset, Self::Session, Self::Travel];

    const fn label(self) -> &'static [u8] {
        match self {
            Self::Browser => b"proofkey browser cookie 1",
            Self::Reset => b"proofkey reset link 1",
            Self::Session => b"proofkey session cookie 1",
            Self::Travel => b"proofkey travelling request 1",
        }
    }
}

/// Why a sealed value does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unsealed {
    /// It was ours, and its time is over.
    Expired,
    /// Nobody with the keys made it, or for another purpose.
    Foreign,
}

/// The keys of browser sessions: the first seals, all open. A rotation lets old values run out.
pub struct SessionKeys {
    rings: Vec<(Purpose, FernetRing)>,
    forms: Vec<Hmac<Sha256>>,
}

impl SessionKeys {
    /// Reads `SECRET_ENCRYPTION_KEY`: base64 of 32 bytes or more, or several of them separated by commas, the first of
    /// which seals.
    ///
    /// # Errors
    /// If there is no key, more than 16, or one is malformed, too short or visibly not random.
    pub fn parse(list: &Secret) -> Result<Self, KeyError> {
        let text = list.expose_text().ok_or(KeyError::Malformed)?;
        let keys = text.split(',').map(str::trim).filter(|one| !one.is_empty());
        let keys: Vec<_> = keys.map(|one| parse_session_key(&Secret::from(one))).collect::<Result<_, _>>()?;
        if keys.len() > MAX_KEYS {
            return Err(KeyError::TooMany);
        }
        let rings = Purpose::ALL.into_iter().map(|purpose| {
            let mut derived = keys.iter().map(|key| FernetKey::from_bytes(&derive(key, purpose.label())));
            Some((purpose, FernetRing::new(derived.next()?, derived.collect())))
        });
        let rings: Option<Vec<_>> = rings.collect();
        let forms = keys.iter().map(|key| keyed(&*derive(key, b"proofkey form 1"))).collect();
        Ok(Self { rings: rings.ok_or(KeyError::Missing)?, forms })
    }

    /// Seals a value at `now` in the characters of base64url: it fits a cookie, a form and a URL.
    pub(crate) fn seal(&self, purpose: Purpose, value: &impl Encode<()>, now: UnixTime, iv: [u8; 16]) -> String {
        let plain = Zeroizing::new(minicbor::to_vec(value).unwrap_or_default()); // into memory: it cannot fail
        let sealed = self.ring(purpose).map(|ring| ring.encrypt(&plain, now, iv)).unwrap_or_default();
        sealed.trim_end_matches('=').to_owned()
    }

    /// Opens what [`Self::seal`] made for this purpose at most `lifetime` ago.
    pub(crate) fn open<T: for<'b> Decode<'b, ()>>(
        &self,
        purpose: Purpose,
        sealed: &str,
        lifetime: std::time::Duration,
        now: UnixTime,
    ) -> Result<T, Unsealed> {
        let ring = self.ring(purpose).ok_or(Unsealed::Foreign)?;
        let Ok(plain) = ring.decrypt(sealed, Some(lifetime), now) else {
            let ours = ring.decrypt(sealed, None, now).is_ok();
            return Err(if ours { Unsealed::Expired } else { Unsealed::Foreign });
        };
        minicbor::decode(plain.expose()).map_err(|_| Unsealed::Foreign)
    }

    /// What a form carries to show that our own page made it, for this browser and this session: no more secret than
    /// the page it stands in, and no use on any other.
    pub(crate) fn form_token(&self, parts: &[&[u8]]) -> String {
        self.forms
            .first()
            .map(|key| URL_SAFE_NO_PAD.encode(over_parts(key, parts).finalize().into_bytes()))
            .unwrap_or_default()
    }

    /// Whether a key of the ring made the token for these parts, compared in constant time.
    pub(crate) fn made_form(&self, token: &str, parts: &[&[u8]]) -> bool {
        let Ok(token) = URL_SAFE_NO_PAD.decode(token) else { return false };
        self.forms.iter().any(|key| over_parts(key, parts).verify_slice(&token).is_ok())
    }

    fn ring(&self, purpose: Purpose) -> Option<&FernetRing> {
        self.rings.iter().find(|(of, _)| *of == purpose).map(|(_, ring)| ring)
    }
}

impl std::fmt::Debug for SessionKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} session keys", self.forms.len())
    }
}

fn derive(key: &Zeroizing<[u8; 32]>, label: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut derived = Zeroizing::new([0; 32]);
    let _ = Hkdf::<Sha256>::new(None, &key[..]).expand(label, &mut derived[..]); // 32 bytes always expand
    derived
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const ONE: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const TWO: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
    const HOUR: Duration = Duration::from_secs(3600);
    const NOW: UnixTime = UnixTime::from_seconds(1_000_000);

    fn keys(list: &str) -> SessionKeys {
        SessionKeys::parse(&Secret::from(list)).unwrap()
    }

    #[test]
    fn a_value_opens_for_its_own_purpose_only() {
        let keys = keys(ONE);
        for purpose in Purpose::ALL {
            let sealed = keys.seal(purpose, &"value", NOW, [7; 16]);
            assert!(sealed.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
            for other in Purpose::ALL {
                let opened = keys.open::<String>(other, &sealed, HOUR, NOW);
                assert_eq!(opened.is_ok(), other == purpose, "{purpose:?} as {other:?}");
            }
        }
    }

    #[test]
    fn what_is_over_is_told_from_what_is_foreign() {
        let keys = keys(ONE);
        let sealed = keys.seal(Purpose::Travel, &7_u32, NOW, [7; 16]);
        let later = NOW.after(Duration::from_secs(3601));
        assert_eq!(keys.open::<u32>(Purpose::Travel, &sealed, HOUR, NOW), Ok(7));
        assert_eq!(keys.open::<u32>(Purpose::Travel, &sealed, HOUR, later), Err(Unsealed::Expired));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            if changed != sealed {
                assert_eq!(keys.open::<u32>(Purpose::Travel, &changed, HOUR, NOW), Err(Unsealed::Foreign), "at {at}");
            }
        }
    }

    #[test]
    fn after_a_rotation_old_values_open_until_their_key_is_gone() {
        let (old, both, new) = (keys(ONE), keys(&format!("{TWO},{ONE}")), keys(TWO));
        let sealed = old.seal(Purpose::Session, &1_u8, NOW, [7; 16]);
        let token = old.form_token(&[b"a", b"b"]);
        assert!(both.open::<u8>(Purpose::Session, &sealed, HOUR, NOW).is_ok());
        assert!(new.open::<u8>(Purpose::Session, &sealed, HOUR, NOW).is_err());
        assert!(both.made_form(&token, &[b"a", b"b"]) && !new.made_form(&token, &[b"a", b"b"]));
        assert!(!old.made_form(&token, &[b"ab", b""]) && !old.made_form("", &[b"a", b"b"]));
    }
}
