//! The floor: what a request costs when a straight line of Rust does the same work and nothing else.
//!
//! The same form, hashes, MACs, sealing, encoding and JSON by the same crates; no flow, no steps, no errors to tell
//! apart, nothing wiped, one thread. Nobody should run it: it only says how far down the time could go.

mod codec;
mod record;
pub(crate) mod table;
mod vault;

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chacha20::ChaCha12Rng;
use minicbor::bytes::ByteArray;
use rand_core::{Rng as _, SeedableRng as _};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use self::codec::Token;
use self::record::{Access, Binding, Grant, Live};
use self::table::{Row, Table, Version};
use self::vault::Vault;
use crate::world::{CHALLENGE, CLIENT, ISSUER, REDIRECT_URI, SCOPE, SECRET, SERVICE, SUBJECT, USERNAME};

pub(crate) use self::codec::{Form, mac, name, prekeyed};
pub(crate) use self::vault::Sealing;

pub(crate) struct Floor<T> {
    pub(crate) now: u64,
    table: T,
    vault: Vault,
    check: codec::Mac,
    successor: codec::Mac,
    random: ChaCha12Rng,
    /// Each client with the digest of its secret.
    clients: HashMap<String, Option<[u8; 32]>>,
    users: HashMap<String, String>,
}

#[derive(Serialize)]
struct Tokens<'a> {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    refresh_token: String,
    scope: &'a str,
}

#[derive(Serialize)]
struct Introspection<'a> {
    active: bool,
    scope: &'a str,
    client_id: &'a str,
    token_type: &'static str,
    exp: u64,
    iat: u64,
    sub: Option<&'a str>,
    iss: &'a str,
}

#[derive(Serialize)]
struct Pkce {
    code_challenge: String,
    code_challenge_method: &'static str,
    code_verifier: String,
    state: String,
}

/// What a guard of an API learns of an access token.
pub(crate) struct Checked {
    pub(crate) grant: String,
    pub(crate) client_id: String,
    pub(crate) subject: Option<String>,
    pub(crate) username: Option<String>,
    pub(crate) scope: String,
    pub(crate) audience: Vec<String>,
    pub(crate) expires_at: u64,
}

impl<T: Table> Floor<T> {
    pub(crate) fn new(table: T, sealing: Sealing, now: u64) -> Self {
        let secret: [u8; 32] = Sha256::digest(SECRET).into();
        Self {
            now,
            table,
            vault: Vault::new(sealing),
            check: prekeyed(b"check"),
            successor: prekeyed(b"successor"),
            random: ChaCha12Rng::from_seed([7; 32]),
            clients: HashMap::from([(CLIENT.to_owned(), None), (SERVICE.to_owned(), Some(secret))]),
            users: HashMap::from([(SUBJECT.to_owned(), USERNAME.to_owned())]),
        }
    }

    /// A grant with a fresh code.
    pub(crate) fn code(&mut self, client_id: &str) -> Option<String> {
        let (id, secret): ([u8; 16], [u8; 20]) = (self.random(), self.random());
        let challenge: [u8; 32] = URL_SAFE_NO_PAD.decode(CHALLENGE).ok()?.try_into().ok()?;
        let binding = Binding {
            code: digest(&secret),
            challenge: challenge.into(),
            redirect_uri: REDIRECT_URI,
            expires_at: self.now + 60,
        };
        let grant = Grant {
            client_id,
            subject: Some(SUBJECT),
            username: Some(USERNAME),
            scope: SCOPE,
            resources: Vec::new(),
            created_at: self.now,
            ends_at: self.now + GRANT_LIFETIME,
            auth_time: Some(self.now),
            amr: vec!["pwd"],
            id: id.into(),
            binding,
            live: None,
        };
        let key = name("key", &id);
        let row = self.row(&key, &grant, self.now + 60)?;
        self.table.insert(key, row).then(|| Token { id, generation: 0, secret }.seal(CODE, ISSUER, &self.check))
    }

    /// A token request with a code.
    pub(crate) fn redeem(&mut self, body: &[u8]) -> Option<Vec<u8>> {
        let form = Form::parse(body)?;
        if form.text("grant_type")? != "authorization_code" {
            return None;
        }
        let client_id = form.text("client_id")?;
        self.clients.get(client_id)?;
        let code = Token::open(form.text("code")?, CODE, ISSUER, &self.check)?;
        let key = name("key", &code.id);
        let mut found = self.table.get(&key)?;
        let mut grant = self.open(&key, found.version, &mut found.body)?;
        let verifier = form.text("code_verifier").filter(|verifier| (43..=128).contains(&verifier.len()))?;
        let right = bool::from(digest(&code.secret).ct_eq(&*grant.binding.code))
            && grant.client_id == client_id
            && form.text("redirect_uri")? == grant.binding.redirect_uri
            && bool::from(digest(verifier.as_bytes()).ct_eq(&*grant.binding.challenge))
            && grant.binding.expires_at > self.now
            && grant.live.is_none();
        if !right {
            return None;
        }
        let access = Token { id: code.id, generation: 0, secret: self.random() };
        let refresh = Token { id: code.id, generation: 0, secret: self.random() };
        let refresh_expires_at = (self.now + REFRESH_LIFETIME).min(grant.ends_at);
        grant.live = Some(Live {
            generation: 0,
            refresh: digest(&refresh.secret),
            predecessor: None,
            seed: self.random::<32>().into(),
            key: KEY.into(),
            refresh_expires_at,
            turns: Vec::new(),
            access: vec![self.access(&access)],
        });
        let row = self.row(&key, &grant, refresh_expires_at)?;
        self.table.replace(&key, &found.version, row).then(|| self.tokens(&access, &refresh, grant.scope))
    }

    /// A token request with a refresh token.
    pub(crate) fn refresh(&mut self, body: &[u8]) -> Option<Vec<u8>> {
        let form = Form::parse(body)?;
        if form.text("grant_type")? != "refresh_token" {
            return None;
        }
        let client_id = form.text("client_id")?;
        self.clients.get(client_id)?;
        let presented = Token::open(form.text("refresh_token")?, REFRESH, ISSUER, &self.check)?;
        let key = name("key", &presented.id);
        let mut found = self.table.get(&key)?;
        let mut grant = self.open(&key, found.version, &mut found.body)?;
        self.users.get(grant.subject?)?;
        let live = grant.live.as_mut()?;
        let right = grant.client_id == client_id
            && live.generation == presented.generation
            && bool::from(digest(&presented.secret).ct_eq(&*live.refresh))
            && live.refresh_expires_at > self.now;
        if !right {
            return None;
        }
        let seed: [u8; 32] = self.random();
        let generation = presented.generation + 1;
        let derive = |parts: &[&[u8]]| -> [u8; 20] {
            mac(&self.successor, parts)[..20].try_into().expect("32 bytes have 20 at their start")
        };
        let (id, secret, number) = (presented.id, presented.secret, generation.to_be_bytes());
        let refresh = Token { id, generation, secret: derive(&[b"refresh", &id, &secret, &number, &seed]) };
        let parts: [&[u8]; 6] = [b"access", &id, &secret, &number, &seed, grant.scope.as_bytes()];
        let access = Token { id, generation, secret: derive(&parts) };
        live.generation = generation;
        live.predecessor = Some(std::mem::replace(&mut live.refresh, digest(&refresh.secret)));
        live.seed = seed.into();
        live.refresh_expires_at = (self.now + REFRESH_LIFETIME).min(grant.ends_at);
        live.turns.retain(|at| at + 35 > self.now);
        live.turns.push(self.now);
        live.access.retain(|access| access.expires_at > self.now);
        live.access.push(self.access(&access));
        let expires_at = live.refresh_expires_at;
        let row = self.row(&key, &grant, expires_at)?;
        self.table.replace(&key, &found.version, row).then(|| self.tokens(&access, &refresh, grant.scope))
    }

    /// The guard of an API: the value of an `Authorization` header in, what the token entitles to out.
    pub(crate) fn check_access(&self, header: &str) -> Option<Checked> {
        let token = Token::open(header.strip_prefix("Bearer ")?, ACCESS, ISSUER, &self.check)?;
        let key = name("key", &token.id);
        let mut found = self.table.get(&key)?;
        let grant = self.open(&key, found.version, &mut found.body)?;
        let expires_at = self.find(&grant, &token)?.expires_at;
        Some(Checked {
            grant: URL_SAFE_NO_PAD.encode(token.id),
            client_id: grant.client_id.to_owned(),
            subject: grant.subject.map(str::to_owned),
            username: grant.username.map(str::to_owned),
            scope: grant.scope.to_owned(),
            audience: grant.resources.iter().map(|&resource| resource.to_owned()).collect(),
            expires_at,
        })
    }

    /// An introspection request of a client with a secret.
    pub(crate) fn introspect(&self, authorization: &str, body: &[u8]) -> Option<Vec<u8>> {
        let form = Form::parse(body)?;
        let credentials = STANDARD.decode(authorization.strip_prefix("Basic ")?).ok()?;
        let (client_id, secret) = std::str::from_utf8(&credentials).ok()?.split_once(':')?;
        if !bool::from(self.clients.get(client_id)?.as_ref()?.ct_eq(&*digest(secret.as_bytes()))) {
            return None;
        }
        let token = Token::open(form.text("token")?, ACCESS, ISSUER, &self.check)?;
        let key = name("key", &token.id);
        let mut found = self.table.get(&key)?;
        let grant = self.open(&key, found.version, &mut found.body)?;
        let access = self.find(&grant, &token)?;
        let answer = Introspection {
            active: grant.client_id == client_id,
            scope: grant.scope,
            client_id: grant.client_id,
            token_type: "Bearer",
            exp: access.expires_at,
            iat: access.issued_at,
            sub: grant.subject,
            iss: ISSUER,
        };
        serde_json::to_vec(&answer).ok()
    }

    /// A PKCE pair and a state.
    pub(crate) fn challenge(&mut self) -> Option<Vec<u8>> {
        let code_verifier = URL_SAFE_NO_PAD.encode(self.random::<32>());
        let answer = Pkce {
            code_challenge: URL_SAFE_NO_PAD.encode(*digest(code_verifier.as_bytes())),
            code_challenge_method: "S256",
            code_verifier,
            state: URL_SAFE_NO_PAD.encode(self.random::<16>()),
        };
        serde_json::to_vec(&answer).ok()
    }

    fn random<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.random.fill_bytes(&mut bytes);
        bytes
    }

    fn open<'a>(&self, key: &str, version: Version, body: &'a mut [u8]) -> Option<Grant<'a>> {
        let plain = self.vault.open(&place(key, &version), body)?;
        minicbor::decode(plain).ok()
    }

    fn row(&mut self, key: &str, grant: &Grant<'_>, expires_at: u64) -> Option<Row> {
        let mut version = Version::default();
        URL_SAFE_NO_PAD.encode_slice(self.random::<8>(), &mut version).ok()?;
        let plain = minicbor::to_vec(grant).ok()?;
        let nonce = self.random();
        Some(Row {
            body: self.vault.seal(nonce, &place(key, &version), &plain)?,
            version,
            expires_at: (expires_at + 2 * 3600).div_ceil(3600) * 3600,
            owners: [name("user", grant.subject?.as_bytes()), name("client", grant.client_id.as_bytes())],
        })
    }

    fn access(&self, token: &Token) -> Access {
        Access {
            digest: digest(&token.secret),
            generation: token.generation,
            issued_at: self.now,
            expires_at: self.now + ACCESS_LIFETIME,
            key: KEY.into(),
        }
    }

    fn find<'a>(&self, grant: &'a Grant<'_>, token: &Token) -> Option<&'a Access> {
        let digest = digest(&token.secret);
        let access = grant.live.as_ref()?.access.iter().find(|access| bool::from(access.digest.ct_eq(&*digest)))?;
        (access.expires_at > self.now && grant.ends_at > self.now).then_some(access)
    }

    fn tokens(&self, access: &Token, refresh: &Token, scope: &str) -> Vec<u8> {
        let answer = Tokens {
            access_token: access.seal(ACCESS, ISSUER, &self.check),
            token_type: "Bearer",
            expires_in: ACCESS_LIFETIME,
            refresh_token: refresh.seal(REFRESH, ISSUER, &self.check),
            scope,
        };
        serde_json::to_vec(&answer).unwrap_or_default()
    }
}

/// A key of 45 characters, a blank and a version: what a record is sealed to.
fn place(key: &str, version: &Version) -> [u8; 57] {
    let mut place = [b' '; 57];
    place[..45].copy_from_slice(key.as_bytes());
    place[46..].copy_from_slice(version);
    place
}

fn digest(secret: &[u8]) -> ByteArray<32> {
    let digest: [u8; 32] = Sha256::digest(secret).into();
    digest.into()
}

const ACCESS: &str = "pfk_access_";
const CODE: &str = "pfk_code_";
const REFRESH: &str = "pfk_refresh_";
const KEY: [u8; 4] = [0; 4];
const ACCESS_LIFETIME: u64 = 3600;
const REFRESH_LIFETIME: u64 = 30 * 86_400;
const GRANT_LIFETIME: u64 = 90 * 86_400;
