//! The configurations that worlds are played under, each with the stages of a rotation of keys.

use std::net::{IpAddr, Ipv4Addr};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proofkey_core::{
    AuthMethod, Client, ClientSecret, Config, Core, KeyRing, Pages, ScopeText, Secret, SessionKeys, Settings,
    UserSource,
};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::call::Set;

/// The issuer of every world.
pub(crate) const ISSUER: &str = "https://as.example/auth";
/// 2026-01-01T12:00:00Z: when every world begins.
pub(crate) const START: u64 = 1_767_268_800;
/// Everybody's password, and its hash at cost 10.
pub(crate) const PASSWORD: &str = "correct horse battery staple";
pub(crate) const PASSWORD_HASH: &str = "$2b$10$AOiHAOiHAOiHAOiHAOiHAOjckqKXqSkJsWyugiHe0456v/VylNdDK";
/// Users of a world.
pub(crate) const USERS: usize = 3;
/// Stages of a rotation of keys: the old key alone, the new one beside it, the new one first.
pub(crate) const STAGES: usize = 3;
/// The resources that clients may ask for, as bits of a set.
pub(crate) const RESOURCES: [&str; 2] = ["https://api.example/", "https://files.example/"];
/// The scopes, as bits of a set.
pub(crate) const SCOPES: [&str; 3] = ["read", "write", "offline_access"];
/// The scope with which a grant outlives the sign-in that it was given in.
pub(crate) const OFFLINE: Set = 0b100;
/// The name of a sign-in's cookie; that of a browser has it, too.
pub(crate) const SESSION_COOKIE: &str = "__Secure-proofkey";
/// Pairs of verifier and challenge that clients have ready.
const PAIRS: usize = 32;

/// Where legitimate requests come from, and where the attacker's.
pub(crate) const AT_HOME: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
pub(crate) const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9));

/// A client of every world.
pub(crate) struct Registered {
    pub(crate) client_id: &'static str,
    /// As a form field's value.
    pub(crate) redirect_encoded: &'static str,
    pub(crate) redirect_uri: &'static str,
    pub(crate) authentication: Authentication,
    /// Whether it may ask for a resource.
    pub(crate) has_resources: bool,
}

/// How a client authenticates itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Authentication {
    None,
    Basic,
    Post,
}

/// The clients; the model and the actors name them by their place.
pub(crate) const CLIENTS: [Registered; 5] = [
    Registered {
        client_id: "spa",
        redirect_encoded: "https%3A%2F%2Fspa.example%2Fcb",
        redirect_uri: "https://spa.example/cb",
        authentication: Authentication::None,
        has_resources: true,
    },
    Registered {
        client_id: "mobile",
        redirect_encoded: "https%3A%2F%2Fmobile.example%2Fcb",
        redirect_uri: "https://mobile.example/cb",
        authentication: Authentication::None,
        has_resources: false,
    },
    Registered {
        client_id: "web",
        redirect_encoded: "https%3A%2F%2Fweb.example%2Fcb",
        redirect_uri: "https://web.example/cb",
        authentication: Authentication::Basic,
        has_resources: true,
    },
    Registered {
        client_id: "portal",
        redirect_encoded: "https%3A%2F%2Fportal.example%2Fcb",
        redirect_uri: "https://portal.example/cb",
        authentication: Authentication::Post,
        has_resources: false,
    },
    Registered {
        client_id: "third",
        redirect_encoded: "https%3A%2F%2Fthird.example%2Fcb",
        redirect_uri: "https://third.example/cb",
        authentication: Authentication::None,
        has_resources: false,
    },
];

/// The first so many clients are the operator's own: they may take passwords, and need no consent.
pub(crate) const FIRST_PARTY: usize = 4;

/// What a configuration promises, in seconds: the model judges by these numbers, never by the core's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) code_lifetime: u64,
    pub(crate) access_lifetime: u64,
    pub(crate) refresh_lifetime: u64,
    pub(crate) grant_lifetime: u64,
    pub(crate) leeway: u64,
    pub(crate) deadline: u64,
    pub(crate) attempts: u32,
    /// Whether confidential clients keep their refresh tokens.
    pub(crate) only_public_rotate: bool,
    pub(crate) checks_user: bool,
    /// A sign-in that is not used.
    pub(crate) session_idle: u64,
    pub(crate) session_lifetime: u64,
    /// A request on its way through the pages.
    pub(crate) pending_lifetime: u64,
}

impl Terms {
    /// Whether a client's refresh token is replaced at each use.
    pub(crate) fn rotates(&self, client: usize) -> bool {
        !self.only_public_rotate || is_public(client)
    }
}

/// Whether a client has no secret.
pub(crate) fn is_public(client: usize) -> bool {
    CLIENTS[client].authentication == Authentication::None
}

/// One configuration, built once and played many times.
pub(crate) struct House {
    pub(crate) terms: Terms,
    pub(crate) users: UserSource,
    /// One server for each stage of a rotation.
    pub(crate) cores: [Core; STAGES],
}

/// All configurations, and what their clients hold.
pub(crate) struct Houses {
    pub(crate) houses: Vec<House>,
    pub(crate) secrets: [String; CLIENTS.len()],
    pub(crate) basics: [String; CLIENTS.len()],
    /// Verifiers and their challenges.
    pub(crate) pairs: Vec<(String, String)>,
}

const TERMS: Terms = Terms {
    code_lifetime: 60,
    access_lifetime: 120,
    refresh_lifetime: 900,
    grant_lifetime: 3600,
    leeway: 30,
    deadline: 5,
    attempts: 4,
    only_public_rotate: false,
    checks_user: true,
    session_idle: 600,
    session_lifetime: 1800,
    pending_lifetime: 120,
};

impl Houses {
    pub(crate) fn build() -> Self {
        let limited = [("limit_user", "10/15m"), ("limit_address", "100/15m")];
        let open = [("limit_user", "off"), ("limit_address", "off")];
        let houses = vec![
            House::new(TERMS, UserSource::Authenticate, &open),
            House::new(
                Terms { leeway: 12, session_idle: 3600, session_lifetime: 12 * 3600, pending_lifetime: 900, ..TERMS },
                UserSource::Find,
                &limited,
            ),
            House::new(Terms { leeway: 0, ..TERMS }, UserSource::Authenticate, &open),
            House::new(Terms { leeway: 0, attempts: 2, ..TERMS }, UserSource::Authenticate, &open),
            House::new(Terms { leeway: 60, attempts: 1, ..TERMS }, UserSource::Authenticate, &limited),
            House::new(Terms { only_public_rotate: true, checks_user: false, ..TERMS }, UserSource::Find, &open),
            House::new(
                Terms { access_lifetime: 600, refresh_lifetime: 3600, attempts: 8, ..TERMS },
                UserSource::Authenticate,
                &open,
            ),
            // Grants that live long after their code and their first access tokens.
            House::new(
                Terms { access_lifetime: 600, refresh_lifetime: 8 * 3600, grant_lifetime: 24 * 3600, ..TERMS },
                UserSource::Authenticate,
                &open,
            ),
        ];
        let secrets = std::array::from_fn(secret_of);
        let basics = std::array::from_fn(|at| {
            let pair = format!("{}:{}", CLIENTS[at].client_id, secrets[at]);
            format!("Basic {}", STANDARD.encode(pair))
        });
        let pairs = (0..PAIRS).map(|at| {
            let verifier = URL_SAFE_NO_PAD.encode(Sha256::digest(format!("verifier {at}")));
            let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
            (verifier, challenge)
        });
        Self { houses, secrets, basics, pairs: pairs.collect() }
    }
}

impl House {
    fn new(terms: Terms, users: UserSource, further: &[(&str, &str)]) -> Self {
        let cores = std::array::from_fn(|stage| Core::new(config(terms, users, further, stage)));
        Self { terms, users, cores }
    }
}

fn secret_of(client: usize) -> String {
    let (_, secret) = ClientSecret::generate(std::array::from_fn(|at| (at * 7 + client * 31 + 5) as u8));
    secret.expose_text().unwrap_or_default().to_owned()
}

/// The numbers are within their ranges, so nothing here can fail; what does is a mistake in this file.
fn config(terms: Terms, users: UserSource, further: &[(&str, &str)], stage: usize) -> Config {
    let mut settings = Settings::new();
    let spans = [
        ("issuer", ISSUER.to_owned()),
        ("code_lifetime", terms.code_lifetime.to_string()),
        ("access_token_lifetime", terms.access_lifetime.to_string()),
        ("refresh_token_lifetime", terms.refresh_lifetime.to_string()),
        ("grant_lifetime", terms.grant_lifetime.to_string()),
        ("reuse_leeway", terms.leeway.to_string()),
        ("flow_deadline", terms.deadline.to_string()),
        ("store_attempts", terms.attempts.to_string()),
        ("rotation", (if terms.only_public_rotate { "public_clients" } else { "always" }).to_owned()),
        ("refresh_checks_user", (if terms.checks_user { "on" } else { "off" }).to_owned()),
        ("session_idle", terms.session_idle.to_string()),
        ("session_lifetime", terms.session_lifetime.to_string()),
        ("pending_lifetime", terms.pending_lifetime.to_string()),
        ("password_cost", "10".to_owned()),
    ];
    let further = further.iter().map(|(name, value)| (*name, (*value).to_owned()));
    for (name, value) in spans.into_iter().chain(further) {
        settings.set(name, &value).unwrap_or_else(|problem| panic!("{problem}"));
    }
    for scope in SCOPES {
        settings.scope(scope, ScopeText::new(scope, scope));
    }
    let key = |number: u8| Zeroizing::new(std::array::from_fn(|at| (at as u8).wrapping_mul(37).wrapping_add(number)));
    let rings: [&[Zeroizing<[u8; 32]>]; STAGES] = [&[key(1)], &[key(1), key(2)], &[key(2), key(1)]];
    let ring = KeyRing::new(rings[stage]).unwrap_or_else(|error| panic!("{error}"));
    let mut pages = Pages::default();
    pages.session_keys = SessionKeys::parse(&Secret::from("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")).ok();
    let clients = (0..CLIENTS.len()).map(|at| {
        let Registered { client_id, redirect_uri, authentication, has_resources, .. } = CLIENTS[at];
        let secret = || ClientSecret::from_text(&Secret::from(&*secret_of(at)));
        let client = match authentication {
            Authentication::None => Client::public(client_id),
            Authentication::Basic => Client::confidential(client_id, secret()),
            Authentication::Post => Client::confidential(client_id, secret()).auth_method(AuthMethod::ClientSecretPost),
        };
        let client = client.redirect_uri(redirect_uri);
        let client = if at < FIRST_PARTY { client.first_party() } else { client };
        let client = if is_public(at) { client } else { client.may_introspect() };
        if has_resources { RESOURCES.iter().fold(client, |client, uri| client.resource(*uri)) } else { client }
    });
    let clients: Vec<Client> = clients.collect();
    Config::new(settings, ring, users, clients, pages).unwrap_or_else(|misuse| panic!("{misuse}"))
}

/// The leeway within which clocks of processes agree, in seconds (invariant I4).
pub(crate) const SKEW: u64 = 5;
