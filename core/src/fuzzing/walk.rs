//! One grant, and everybody who holds a token of it.

use std::sync::Arc;
use std::time::Duration;

use minicbor::bytes::ByteArray;
use zeroize::Zeroizing;

use crate::UnixTime;
use crate::keys::KeyRing;
use crate::pkce::Challenge;
use crate::record::{
    Approval, Binding, Body, Fresh, Grant, Issued, Presented, Redeem, Redemption, RefreshAsk, Refreshed, Rotate, Terms,
};
use crate::scope::Scope;
use crate::secret::{Secret, SecretDigest};
use crate::server::Core;
use crate::token::{Token, TokenKind};

const CLIENT: &str = "walker";
const URI: &str = "https://walker.example/cb";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const RESOURCES: [&str; 2] = ["https://api.example/", "https://files.example/"];

/// A grant with the tokens that were ever issued of it.
pub struct GrantWalk {
    ring: Arc<KeyRing>,
    grant: Grant,
    access: Vec<Token>,
    refresh: Vec<Token>,
}

/// An attempt to redeem the code; what is not `wrong` is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "fuzz targets match on all of them")]
pub enum Attempt {
    /// All is right.
    Right,
    /// Of another client.
    WrongClient,
    /// With another code.
    WrongCode,
    /// For a resource that was not granted.
    WrongResource,
    /// With another redirect URI.
    WrongUri,
    /// With another verifier.
    WrongVerifier,
}

/// A refresh.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "fuzz targets build it")]
pub struct Refresh {
    /// Which of the refresh tokens that were issued.
    pub token: usize,
    /// Whether the client is that of the grant.
    pub own: bool,
    /// Which part of the scope is asked for: 0 all, 1 and 2 one word, 3 more than was granted.
    pub scope: u8,
    /// Which resource is asked for: 0 all, 1 and 2 one, 3 another.
    pub resource: u8,
    /// Seconds in which a repeat gets the same tokens.
    pub leeway: u64,
    /// Whether the client's tokens are replaced at each use.
    pub rotate: bool,
    /// Random bytes.
    pub seed: [u8; 32],
}

/// What came of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "fuzz targets match on all of them")]
pub enum Happened {
    /// Refused; nothing changed.
    Denied,
    /// The repeat of a refresh: another access token; the refresh token is the one of this place.
    Further(usize),
    /// Nothing was there to change.
    Nothing,
    /// The token is newer than the record; nothing changed.
    RolledBack,
    /// The repeat of a refresh: the same tokens; the refresh token is the one of this place.
    Repeated(usize),
    /// Revoked, as a theft.
    Replayed,
    /// Revoked.
    Revoked,
    /// Tokens were issued.
    Rotated,
    /// The code was spent.
    Spent,
    /// A slow duplicate; nothing changed.
    Stale,
    /// Too many; nothing changed.
    TooMany,
}

/// What an access token is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Standing {
    /// Its scope.
    pub scope: Scope,
    /// Its audience.
    pub resources: Vec<String>,
    /// When it expires.
    pub expires_at: u64,
}

impl GrantWalk {
    /// A grant with a code that nobody has redeemed.
    #[must_use]
    pub fn issued(core: &Core, now: UnixTime, lifetime: u64) -> Self {
        let scope = Scope::parse("read write").unwrap_or_default();
        let approval = Approval {
            client_id: CLIENT.to_owned(),
            subject: Some("u-ada".to_owned()),
            username: None,
            scope,
            resources: RESOURCES.map(str::to_owned).to_vec(),
            created_at: now.seconds(),
            ends_at: now.after(Duration::from_secs(lifetime)).seconds(),
            auth_time: None,
            amr: Vec::new(),
            id: ByteArray::from([7; 16]),
            session: None,
        };
        let challenge = Challenge::of(&Secret::from(VERIFIER));
        let binding = Binding::new(&SecretDigest::of(CODE), &challenge, URI.to_owned(), true);
        let grant = Grant::issued(approval, binding, now.after(Duration::from_secs(60)));
        Self { ring: Arc::clone(&core.config.ring), grant, access: Vec::new(), refresh: Vec::new() }
    }

    /// A grant as it was written, of which nobody holds a token; nothing if it cannot be read.
    #[must_use]
    pub fn read(core: &Core, plain: &[u8]) -> Option<Self> {
        let grant = minicbor::decode(plain).ok()?;
        // Tokens that fit no record, of the generations that are judged differently.
        let strangers = [0, 1, u32::MAX].map(|at| Token::new(TokenKind::Refresh, [7; 16], at, Zeroizing::new([9; 20])));
        Some(Self { ring: Arc::clone(&core.config.ring), grant, access: Vec::new(), refresh: strangers.into() })
    }

    /// The grant as it is written.
    #[must_use]
    pub fn plain(&self) -> Vec<u8> {
        minicbor::to_vec(&self.grant).unwrap_or_default() // into memory: it cannot fail
    }

    /// The grant as an operator sees it.
    #[must_use]
    pub fn shown(&self) -> serde_json::Value {
        self.grant.shown()
    }

    /// Writes the grant down and reads it again.
    pub fn reload(&mut self) {
        if let Ok(grant) = minicbor::decode(&self.plain()) {
            self.grant = grant;
        }
    }

    /// How many refresh tokens were issued.
    #[must_use]
    pub const fn refresh_tokens(&self) -> usize {
        self.refresh.len()
    }

    /// The secret of a refresh token.
    #[must_use]
    pub fn refresh_secret(&self, at: usize) -> Option<&[u8]> {
        self.refresh.get(at).map(Token::secret)
    }

    /// What each access token that was ever issued is good for now.
    #[must_use]
    pub fn standings(&self, now: UnixTime) -> Vec<Option<Standing>> {
        let standing = |token: &Token| {
            let entitled = self.grant.access(&token.digest(), now)?;
            let (scope, resources) = (entitled.scope.clone(), entitled.resources.to_vec());
            Some(Standing { scope, resources, expires_at: entitled.expires_at })
        };
        self.access.iter().map(standing).collect()
    }

    /// When each refresh token that was ever issued ends, if it is the current one.
    #[must_use]
    pub fn current(&self, now: UnixTime) -> Vec<Option<u64>> {
        let current = |token: &Token| self.grant.current_refresh(token.generation(), &token.digest(), now);
        self.refresh.iter().map(current).collect()
    }

    /// Tries to redeem the code.
    pub fn redeem(&mut self, attempt: Attempt, refreshable: bool, seed: [u8; 32], now: UnixTime) -> Happened {
        let Some(key) = self.ring.primary() else { return Happened::Nothing };
        let pick = |wrong, right: &'static str, other: &'static str| if attempt == wrong { other } else { right };
        let code = if attempt == Attempt::WrongCode { SecretDigest::of(b"another") } else { SecretDigest::of(CODE) };
        let verifier = Secret::from(pick(Attempt::WrongVerifier, VERIFIER, WRONG_VERIFIER));
        let other = ["https://elsewhere.example/".to_owned()];
        let redeem = Redeem {
            code,
            client_id: pick(Attempt::WrongClient, CLIENT, "another"),
            redirect_uri: Some(pick(Attempt::WrongUri, URI, "https://walker.example/cb/")),
            verifier: Some(&verifier),
            resources: if attempt == Attempt::WrongResource { &other } else { &[] },
            oauth21: false,
        };
        let (access, refresh) = (first_20(&seed, 1), first_20(&seed, 2));
        let fresh = Fresh { key, access, refresh, seed };
        match self.grant.redeem(&redeem, &terms(30, true, refreshable), &fresh, now) {
            Redemption::Deny(_) => Happened::Denied,
            Redemption::Replay(next) => self.become_revoked(next, Happened::Replayed),
            Redemption::Spend(next, issued) => {
                self.grant = next;
                self.keep(issued);
                Happened::Spent
            }
        }
    }

    /// Presents a refresh token.
    pub fn refresh(&mut self, refresh: Refresh, now: UnixTime) -> Happened {
        let Some(token) = self.refresh.get(refresh.token) else { return Happened::Nothing };
        let scope = ["", "read", "write", "read write admin"].get(usize::from(refresh.scope % 4)).copied();
        let named = [None, Some(RESOURCES[0]), Some(RESOURCES[1]), Some("https://elsewhere.example/")];
        let resource = named.get(usize::from(refresh.resource % 4)).copied().flatten();
        let ask = RefreshAsk {
            scope: scope.and_then(|scope| Scope::parse(scope).ok()),
            resources: resource.map(str::to_owned).into_iter().collect(),
        };
        let presented = Presented {
            token,
            client_id: if refresh.own { &self.grant.approval.client_id } else { "another" },
            ask: &ask,
            terms: &terms(refresh.leeway, refresh.rotate, true),
            ring: &self.ring,
            seed: refresh.seed,
            now,
        };
        match self.grant.refresh(&presented) {
            Refreshed::Deny(_) => Happened::Denied,
            Refreshed::Further(next, issued) => {
                self.grant = next;
                self.keep(issued).map_or(Happened::Nothing, Happened::Further)
            }
            Refreshed::Repeat(issued) => self.keep(issued).map_or(Happened::Nothing, Happened::Repeated),
            Refreshed::Replay(next) => self.become_revoked(next, Happened::Replayed),
            Refreshed::RolledBack | Refreshed::UnknownKey(_) => Happened::RolledBack,
            Refreshed::Rotate(next, issued) => {
                self.grant = next;
                self.keep(issued);
                Happened::Rotated
            }
            Refreshed::Stale => Happened::Stale,
            Refreshed::TooMany => Happened::TooMany,
        }
    }

    /// Revokes the grant.
    pub fn revoke(&mut self, now: UnixTime) -> Happened {
        match self.grant.revoke(now) {
            None => Happened::Nothing,
            Some(next) => self.become_revoked(next, Happened::Revoked),
        }
    }

    /// Revokes one access token.
    pub fn revoke_access(&mut self, at: usize) -> Happened {
        match self.access.get(at).and_then(|token| self.grant.revoke_access(&token.digest())) {
            None => Happened::Nothing,
            Some(next) => self.become_revoked(next, Happened::Revoked),
        }
    }

    fn become_revoked(&mut self, next: Grant, happened: Happened) -> Happened {
        self.grant = next;
        happened
    }

    /// Keeps tokens that were issued, each once; the place of the refresh token.
    fn keep(&mut self, issued: Issued) -> Option<usize> {
        let id = *self.grant.approval.id;
        if self.access.iter().all(|token| token.secret() != &issued.access[..]) {
            self.access.push(Token::new(TokenKind::Access, id, issued.access_generation, issued.access));
        }
        let secret = issued.refresh?;
        let known = self.refresh.iter().position(|token| token.secret() == &secret[..]);
        known.or_else(|| {
            self.refresh.push(Token::new(TokenKind::Refresh, id, issued.generation, secret));
            self.refresh.len().checked_sub(1)
        })
    }
}

const CODE: &[u8] = b"the code";
const WRONG_VERIFIER: &str = "xBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

fn terms(leeway: u64, rotate: bool, refreshable: bool) -> Terms {
    Terms {
        access_lifetime: Duration::from_secs(900),
        refresh_lifetime: refreshable.then_some(Duration::from_secs(86_400)),
        leeway: Duration::from_secs(leeway),
        rotate: if rotate { Rotate::Always } else { Rotate::Never },
    }
}

/// 20 bytes that differ by `label`.
fn first_20(seed: &[u8; 32], label: u8) -> Zeroizing<[u8; 20]> {
    let labelled: Vec<u8> = seed.iter().copied().chain([label]).collect();
    let digest = SecretDigest::of(&labelled);
    Zeroizing::new(digest.as_bytes().first_chunk::<20>().copied().unwrap_or_default())
}
