//! The terms under which a grant makes tokens, and the tokens it makes.

use std::fmt;
use std::time::Duration;

use minicbor::bytes::ByteArray;
use zeroize::Zeroizing;

use super::{Access, Approval, Live, MAX_ACCESS, RefreshToken, Shared};
use crate::UnixTime;
use crate::keys::RingKey;
use crate::scope::Scope;
use crate::secret::SecretDigest;

/// Whether a client's refresh token is replaced at each use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rotate {
    Always,
    Never,
}

/// What configuration and client allow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) access_lifetime: Duration,
    /// None: the client gets no refresh tokens.
    pub(crate) refresh_lifetime: Option<Duration>,
    pub(crate) leeway: Duration,
    pub(crate) rotate: Rotate,
}

/// Random bytes for a first access and refresh token, under the key that will make their checks.
pub(crate) struct Fresh<'a> {
    pub(crate) key: &'a RingKey,
    pub(crate) access: Zeroizing<[u8; 20]>,
    pub(crate) refresh: Zeroizing<[u8; 20]>,
    pub(crate) seed: [u8; 32],
}

/// Tokens that a transition made; they leave the process only after the write that holds them.
pub(crate) struct Issued {
    pub(crate) generation: u32,
    pub(crate) access: Zeroizing<[u8; 20]>,
    pub(crate) access_generation: u32,
    pub(crate) refresh: Option<Zeroizing<[u8; 20]>>,
    pub(crate) scope: Scope,
    pub(crate) expires_in: u64,
    pub(crate) key: [u8; 4],
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued")
            .field("scope", &self.scope)
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

/// The first tokens of a grant, whole in scope.
pub(super) fn issue_first(
    approval: &Approval,
    live: &mut Live,
    terms: &Terms,
    fresh: &Fresh<'_>,
    resources: Vec<String>,
    now: UnixTime,
) -> Issued {
    live.refresh = terms.refresh_lifetime.map(|lifetime| {
        Shared::new(RefreshToken {
            digest: digest(&fresh.refresh),
            predecessor: None,
            seed: ByteArray::from(fresh.seed),
            key: ByteArray::from(fresh.key.id.0),
            expires_at: approval.until(now.after(lifetime)),
        })
    });
    let access = Access {
        digest: digest(&fresh.access),
        generation: live.generation,
        scope: None,
        resources: (resources != approval.resources).then_some(resources),
        issued_at: now.seconds(),
        expires_at: approval.until(now.after(terms.access_lifetime)),
        key: ByteArray::from(fresh.key.id.0),
        revoked: false,
    };
    let expires_in = access.expires_at.saturating_sub(now.seconds());
    push(live, access, now);
    Issued {
        generation: live.generation,
        access: fresh.access.clone(),
        access_generation: live.generation,
        refresh: live.refresh.is_some().then(|| fresh.refresh.clone()),
        scope: approval.scope.clone(),
        expires_in,
        key: fresh.key.id.0,
    }
}

/// Adds an access token; expired ones leave, and of more than 32 the oldest. Those of the current generation stay
/// until it is over: a repeated refresh must find them, expired or revoked as they may be.
pub(super) fn push(live: &mut Live, access: Access, now: UnixTime) {
    let generation = live.generation;
    live.access.retain(|access| access.expires_at > now.seconds() || access.generation == generation);
    let surplus = live.access.len().saturating_add(1).saturating_sub(MAX_ACCESS);
    live.access.drain(..surplus.min(live.access.len()));
    live.access.push(access);
}

pub(super) fn digest(secret: &[u8; 20]) -> ByteArray<32> {
    ByteArray::from(*SecretDigest::of(secret).as_bytes())
}
