//! What is compared: each by a right value, by the bytes of it in which wrong ones differ, and by a call that refuses them.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use bytes::Bytes;
use proofkey::core::{
    Client, ClientCredentials, ClientSecret, Config, Core, Entropy, FernetKey, GrantType, KeyRing, Pages, Request,
    Secret, SecretDigest, SessionKeys, Settings, Step, UnixTime, UserSource, fits_challenge,
};
use proofkey::store::{MemoryStore, Store as _};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::dice::Dice;

/// Two classes of wrong values. Within a pair both look alike: which of them one is of shows only beside the right one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Classes {
    /// Wrong in the first byte, or in the last one.
    FirstOrLast,
    /// Wrong in the last byte only, or random.
    NearOrRandom,
}

impl Classes {
    pub(crate) const ALL: [Self; 2] = [Self::FirstOrLast, Self::NearOrRandom];
}

impl fmt::Display for Classes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FirstOrLast => "first or last byte",
            Self::NearOrRandom => "last byte or random",
        })
    }
}

/// How it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Honest,
    /// So too, and then byte by byte to the first that differs.
    Leaky,
}

/// A wrong value, ready to be presented in the place of a right one.
pub(crate) struct Input {
    right: Vec<u8>,
    raw: Vec<u8>,
    presented: Presented,
}

/// What is presented and, unless it judges itself, what is known.
enum Presented {
    Client(ClientCredentials),
    Digest { shown: SecretDigest, kept: SecretDigest },
    Sealed(String),
    Secret { shown: Secret, kept: Secret },
    Token(Secret),
    Verifier { shown: Secret, challenge: [u8; 32] },
}

/// A right value, and the one that is shown in its place.
struct Pair<'a> {
    right: &'a [u8],
    shown: &'a [u8],
}

/// Where right values come from.
enum Right {
    /// A new one each time, of so many bytes.
    Drawn(usize),
    /// One of many that were made before.
    Made(Vec<Vec<u8>>),
}

/// One comparison.
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    right: Right,
    /// Which bytes are wrong in a wrong one.
    span: Range<usize>,
    /// Whether they are characters of base64url.
    is_text: bool,
    present: Box<dyn Fn(Pair<'_>) -> Presented>,
    accept: Box<dyn Fn(&Presented) -> bool>,
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// How many right values are made: they fit a processor's first cache.
const MADE: usize = 128;

impl Subject {
    fn new(
        name: &'static str,
        right: Right,
        present: impl Fn(Pair<'_>) -> Presented + 'static,
        accept: impl Fn(&Presented) -> bool + 'static,
    ) -> Self {
        let span = match &right {
            Right::Drawn(length) => 0..*length,
            Right::Made(all) => 0..all[0].len(),
        };
        Self { name, right, span, is_text: false, present: Box::new(present), accept: Box::new(accept) }
    }

    /// One whose values are texts.
    fn text(self) -> Self {
        Self { is_text: true, ..self }
    }

    /// One whose wrong values differ in the last bytes only.
    fn differing_in_the_last(self, bytes: usize) -> Self {
        Self { span: self.span.end - bytes..self.span.end, ..self }
    }

    /// That right values are taken, and wrong ones are not: else nothing is measured.
    fn checked(self) -> Self {
        let mut dice = Dice::new(5);
        for _ in 0..MADE {
            let right = self.right(&mut dice);
            assert!(
                (self.accept)(&(self.present)(Pair { right: &right, shown: &right })),
                "{} takes the right one",
                self.name
            );
        }
        for (classes, class) in Classes::ALL.into_iter().flat_map(|classes| [(classes, false), (classes, true)]) {
            let input = self.input(classes, class, &mut dice);
            assert!(!self.compare(Way::Honest, &input), "{} refuses a wrong one", self.name);
        }
        self
    }

    fn right(&self, dice: &mut Dice) -> Vec<u8> {
        match &self.right {
            Right::Drawn(length) => (0..*length).map(|_| self.any(dice)).collect(),
            Right::Made(all) => all[usize::from(dice.byte()) % all.len()].clone(),
        }
    }

    /// A wrong value of one of the classes.
    pub(crate) fn input(&self, classes: Classes, class: bool, dice: &mut Dice) -> Input {
        let right = self.right(dice);
        let mut raw = right.clone();
        // Drawn for both classes, so that making one costs what making the other does.
        let random: Vec<u8> = self.span.clone().map(|_| self.any(dice)).collect();
        let at = match (classes, class) {
            (Classes::FirstOrLast, false) => self.span.start,
            _ => self.span.end - 1,
        };
        if (classes, class) == (Classes::NearOrRandom, true) {
            raw[self.span.clone()].copy_from_slice(&random);
        }
        while raw[at] == right[at] {
            raw[at] = self.any(dice);
        }
        Input { presented: (self.present)(Pair { right: &right, shown: &raw }), right, raw }
    }

    fn any(&self, dice: &mut Dice) -> u8 {
        if self.is_text { letter(dice) } else { dice.byte() }
    }

    /// Whether the value is taken for the right one.
    #[inline(never)]
    pub(crate) fn compare(&self, way: Way, input: &Input) -> bool {
        let honest = (self.accept)(&input.presented);
        match way {
            Way::Honest => honest,
            Way::Leaky => honest | early(&input.raw[self.span.clone()], &input.right[self.span.clone()]),
        }
    }
}

fn letter(dice: &mut Dice) -> u8 {
    ALPHABET[usize::from(dice.byte() & 63)]
}

/// What nobody should write: it ends at the first byte that differs.
#[inline(never)]
fn early(one: &[u8], other: &[u8]) -> bool {
    for (one, other) in one.iter().zip(other) {
        if std::hint::black_box(*one) != std::hint::black_box(*other) {
            return false;
        }
    }
    true
}

const KEY: &str = "cJ8nAnXkXgY0R0hcJ3E4bZQf3t7x1s6pUo5v2wKq9dE=";
/// Letters of a client's secret.
const SECRET: usize = 43;
const NOW: UnixTime = UnixTime::from_seconds(1_767_268_800);

/// All comparisons.
pub(crate) fn all() -> Vec<Subject> {
    let mut dice = Dice::new(11);
    let secrets: Vec<Vec<u8>> = (0..MADE).map(|_| (0..SECRET).map(|_| letter(&mut dice)).collect()).collect();
    let core = core(&secrets);
    let ids: BTreeMap<Vec<u8>, String> =
        secrets.iter().enumerate().map(|(of, secret)| (secret.clone(), client_id(of))).collect();
    let tokens = secrets.iter().enumerate().map(|(of, secret)| {
        let token = access_token(&core, of, secret);
        URL_SAFE_NO_PAD.decode(&token["pfk_access_".len()..]).expect("a token")
    });
    let tokens = tokens.collect();
    let fernet = FernetKey::parse(KEY).expect("a key");
    let sealed = (0..MADE).map(|_| {
        let iv = std::array::from_fn(|_| dice.byte());
        URL_SAFE.decode(fernet.encrypt(b"a sign-in and its secret", NOW, iv)).expect("a sealed value")
    });
    let sealed = sealed.collect();

    let secret = |raw: &[u8]| Secret::new(raw.into());
    let for_tokens = core.clone();
    let subjects = [
        Subject::new(
            "digests: SecretDigest::matches",
            Right::Drawn(32),
            |pair| Presented::Digest { shown: digest(pair.shown), kept: digest(pair.right) },
            |presented| matches!(presented, Presented::Digest { shown, kept } if kept.matches(shown)),
        ),
        Subject::new(
            "secrets: Secret::matches",
            Right::Drawn(43),
            move |pair| Presented::Secret { shown: secret(pair.shown), kept: secret(pair.right) },
            |presented| matches!(presented, Presented::Secret { shown, kept } if kept.matches(shown)),
        )
        .text(),
        Subject::new(
            "the keyed check of a token",
            Right::Made(tokens),
            |pair| Presented::Token(Secret::from_text(format!("pfk_access_{}", URL_SAFE_NO_PAD.encode(pair.shown)))),
            move |presented| matches!(presented, Presented::Token(token) if for_tokens.made_token(token)),
        )
        .differing_in_the_last(8),
        Subject::new(
            "the secret of a client",
            Right::Made(secrets),
            move |pair| {
                let client_id = ids.get(pair.right).cloned().unwrap_or_default();
                Presented::Client(ClientCredentials::secret(client_id, secret(pair.shown)))
            },
            move |presented| matches!(presented, Presented::Client(client) if core.accepts(client)),
        )
        .text(),
        Subject::new(
            "PKCE: a verifier and its challenge",
            Right::Drawn(43),
            move |pair| Presented::Verifier { shown: secret(pair.shown), challenge: Sha256::digest(pair.right).into() },
            |presented| matches!(presented, Presented::Verifier { shown, challenge } if fits_challenge(challenge, shown)),
        )
        .text(),
        Subject::new(
            "the MAC of a cookie or a link (Fernet)",
            Right::Made(sealed),
            |pair| Presented::Sealed(URL_SAFE.encode(pair.shown)),
            move |presented| matches!(presented, Presented::Sealed(text) if fernet.decrypt(text, None, NOW).is_ok()),
        )
        .differing_in_the_last(32),
    ];
    subjects.into_iter().map(Subject::checked).collect()
}

fn digest(raw: &[u8]) -> SecretDigest {
    SecretDigest::from_bytes(raw.try_into().expect("32 bytes"))
}

fn client_id(of: usize) -> String {
    format!("service-{of:03}")
}

/// A core with a client for each secret.
fn core(secrets: &[Vec<u8>]) -> Core {
    let mut settings = Settings::new();
    for (name, text) in [("issuer", "https://as.example/auth"), ("endpoints", "token")] {
        settings.set(name, text).expect("a setting");
    }
    settings.scope("read", proofkey::ScopeText::new("read", "Read your things"));
    let ring = KeyRing::parse(&Secret::from(KEY)).expect("a key");
    let clients = secrets.iter().enumerate().map(|(of, secret)| {
        let secret = ClientSecret::from_text(&Secret::new(secret.as_slice().into()));
        Client::confidential(client_id(of), secret).grant_types([GrantType::ClientCredentials])
    });
    let mut pages = Pages::default();
    pages.session_keys = SessionKeys::parse(&Secret::from(KEY)).ok();
    Core::new(Config::new(settings, ring, UserSource::BuiltIn, clients, pages).expect("a configuration"))
}

/// A token that a client gets for itself.
fn access_token(core: &Core, of: usize, secret: &[u8]) -> String {
    let basic = STANDARD.encode([client_id(of).as_bytes(), b":", secret].concat());
    let request = http::Request::post("/auth/token").header("authorization", format!("Basic {basic}"));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let request = request.body(Bytes::from("grant_type=client_credentials&scope=read")).expect("a request");
    let store = MemoryStore::new();
    let seed = u64::try_from(of).expect("a small number");
    let mut step = core.begin(Request::new(request, None), NOW, Entropy::from_seed(seed));
    let response = loop {
        step = match step {
            Step::Done(reply) => break reply.into_value(),
            Step::Delete(delete) => {
                let removed = store.delete(delete.key(), delete.expect());
                delete.answer(removed)
            }
            Step::Get(get) => {
                let found = store.get(get.key());
                get.answer(found)
            }
            Step::Put(put) => {
                let stored = store.put(put.write());
                put.answer(stored)
            }
            other => other.decline(),
        };
    };
    let body: Value = serde_json::from_slice(response.body()).expect("JSON");
    body["access_token"].as_str().unwrap_or_else(|| panic!("a token: {body}")).to_owned()
}
