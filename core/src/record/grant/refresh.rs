//! Rotation that survives a lost reply, and tells it from a theft (design section 4).

use std::time::Duration;

use minicbor::bytes::ByteArray;
use zeroize::Zeroizing;

use super::{Access, Grant, Issued, Live, RefreshToken, Rotate, Shared, State, Terms, Turn, same, terms};
use crate::UnixTime;
use crate::keys::{KeyId, KeyRing, RingKey};
use crate::refusal::Refusal;
use crate::scope::Scope;
use crate::secret::SecretDigest;
use crate::token::Token;

/// More than this many rotations within [`BURST`] are refused without a write, so that nobody can starve a revocation.
const MAX_BURST: usize = 5;
const BURST: u64 = 10;
/// Access tokens of one rotation: the first, and three repeats with another scope or audience.
const MAX_PER_ROTATION: usize = 4;
/// Clocks of two processes agree within this many seconds.
const CLOCK_MARGIN: u64 = 5;

/// A refresh token as it was presented, with all that the decision depends on.
pub(crate) struct Presented<'a> {
    pub(crate) token: &'a Token,
    pub(crate) client_id: &'a str,
    pub(crate) ask: &'a RefreshAsk,
    pub(crate) terms: &'a Terms,
    pub(crate) ring: &'a KeyRing,
    /// Fresh bytes: a rotation keeps them, a repeat uses those that were kept.
    pub(crate) seed: [u8; 32],
    pub(crate) now: UnixTime,
}

/// What a refresh asks for; nothing means all that was granted.
#[derive(Debug, Default)]
pub(crate) struct RefreshAsk {
    pub(crate) scope: Option<Scope>,
    /// Sorted, without repeats.
    pub(crate) resources: Vec<String>,
}

/// What becomes of a refresh.
#[derive(Debug)]
pub(crate) enum Refreshed {
    /// Refused; nothing changes.
    Deny(Refusal),
    /// The repeat of a refresh with another scope or audience: the same refresh token, a further access token.
    Further(Grant, Issued),
    /// The repeat of a refresh: the same tokens, nothing to write.
    Repeat(Issued),
    /// A theft: the grant is to be revoked.
    Replay(Grant),
    /// The token is newer than the record: the store lost writes. Refused, nothing is revoked.
    RolledBack,
    /// A new refresh token, or, where tokens do not rotate, a new access token.
    Rotate(Grant, Issued),
    /// A slow duplicate: refused, nothing is revoked.
    Stale,
    /// Too many in a short time: refused without a write.
    TooMany,
    /// The record names a ring key that is not there.
    UnknownKey(KeyId),
}

/// Scope and audience of one access token, once they are known to be within the grant.
struct Extent {
    scope: Scope,
    resources: Vec<String>,
}

const INVALID: &str = "the refresh token is invalid, expired or revoked";

impl Grant {
    /// Decides a refresh.
    pub(crate) fn refresh(&self, presented: &Presented<'_>) -> Refreshed {
        let (ask, now) = (presented.ask, presented.now);
        if self.approval.client_id != presented.client_id && !planted!(ForeignClientRefreshes) {
            return deny("the refresh token was issued to another client");
        }
        let (live, refresh) = match &self.state {
            State::Issued { .. } => return Refreshed::RolledBack,
            State::Live(Live { refresh: None, .. }) => return deny("the grant has no refresh token"),
            State::Live(live @ Live { refresh: Some(refresh), .. }) => (live, refresh),
            State::Revoked { .. } => return deny("the grant is revoked"),
        };
        let (generation, digest) = (presented.token.generation(), presented.token.digest());
        if generation > live.generation {
            return Refreshed::RolledBack;
        }
        if generation == live.generation {
            if !same(&refresh.digest, &digest) {
                return Refreshed::RolledBack; // its check is ours, its digest is not: a twin from lost writes
            }
            return self.renew(presented, live, refresh);
        }
        let retired_at = live.turns.iter().find(|turn| turn.retired == Some(generation)).map(|turn| turn.at);
        let age = retired_at.map(|at| now.seconds().saturating_sub(at));
        let leeway = presented.terms.leeway.as_secs();
        let rotations = live.generation.saturating_sub(generation);
        match age {
            Some(age) if leeway > 0 && rotations == 1 && (age <= leeway || planted!(LeewayNeverEnds)) => {
                if !refresh.predecessor.as_ref().is_some_and(|stored| same(stored, &digest)) {
                    return Refreshed::RolledBack;
                }
                if refresh.expires_at <= now.seconds() {
                    return deny("the grant, or its successor, has expired");
                }
                match self.extent(ask) {
                    Err(refusal) => Refreshed::Deny(refusal),
                    Ok(extent) => self.repeat(presented, live, refresh, extent),
                }
            }
            Some(age) if age <= leeway && planted!(LeewayAfterSuccessorUsed) => self.renew(presented, live, refresh),
            Some(age) if age <= leeway && rotations == 2 && planted!(LeewayOfTwoGenerations) => {
                self.extent(ask).map_or_else(Refreshed::Deny, |extent| self.repeat(presented, live, refresh, extent))
            }
            Some(age) if leeway > 0 && age < leeway.saturating_add(CLOCK_MARGIN) && !planted!(StaleRevokes) => {
                Refreshed::Stale
            }
            _ if planted!(RefreshReplayDoesNotRevoke) => Refreshed::Stale,
            _ => match self.revoke(now) {
                Some(revoked) => Refreshed::Replay(revoked),
                None => deny("the grant is revoked"),
            },
        }
    }

    /// Answers the current refresh token.
    fn renew(&self, presented: &Presented<'_>, live: &Live, refresh: &Shared<RefreshToken>) -> Refreshed {
        if refresh.expires_at <= presented.now.seconds() {
            return deny("the refresh token has expired");
        }
        let Some(lifetime) = presented.terms.refresh_lifetime else {
            return deny("refresh tokens were switched off for this client");
        };
        match self.extent(presented.ask) {
            Err(refusal) => Refreshed::Deny(refusal),
            Ok(_) if self.bursts(live, presented.now) => Refreshed::TooMany,
            Ok(extent) => self.rotate(presented, live, refresh, lifetime, extent),
        }
    }

    /// Scope and audience asked for, if they are within the grant (RFC 6749 section 6, RFC 8707 section 2.2).
    fn extent(&self, ask: &RefreshAsk) -> Result<Extent, Refusal> {
        let scope = match &ask.scope {
            None => self.approval.scope.clone(),
            Some(scope) if scope.is_subset_of(&self.approval.scope) || planted!(ScopeWidens) => scope.clone(),
            Some(_) => return Err(Refusal::invalid_scope("the scope is more than was granted")),
        };
        Ok(Extent { scope, resources: self.audience(&ask.resources)? })
    }

    fn bursts(&self, live: &Live, now: UnixTime) -> bool {
        live.turns.iter().filter(|turn| turn.at.saturating_add(BURST) > now.seconds()).count() >= MAX_BURST
    }

    fn rotate(
        &self,
        presented: &Presented<'_>,
        live: &Live,
        refresh: &Shared<RefreshToken>,
        lifetime: Duration,
        extent: Extent,
    ) -> Refreshed {
        let Presented { token, terms, ring, seed, now, .. } = presented;
        let Some(key) = ring.primary() else { return Refreshed::Deny(Refusal::server_error("the key ring is empty")) };
        let remembered = terms.leeway.as_secs().saturating_add(CLOCK_MARGIN).max(BURST);
        let mut next = live.clone();
        next.turns.retain(|turn| turn.at.saturating_add(remembered) > now.seconds());
        let expires_at = self.approval.until(now.after(lifetime));
        let (refresh, retired, successor) = match terms.rotate {
            Rotate::Always => {
                next.generation = live.generation.saturating_add(1);
                let successor = derive_refresh(key, token, next.generation, seed);
                let rotated = RefreshToken {
                    digest: terms::digest(&successor),
                    predecessor: Some(refresh.digest),
                    seed: ByteArray::from(*seed),
                    key: ByteArray::from(key.id.0),
                    expires_at,
                };
                (rotated, Some(live.generation), Some(successor))
            }
            Rotate::Never => (RefreshToken { expires_at, ..(**refresh).clone() }, None, None),
        };
        next.turns.push(Turn { at: now.seconds(), retired });
        next.refresh = Some(Shared::new(refresh));
        if planted!(SpentCodeForgotten) {
            next.spent = None;
        }
        let access = derive_access(key, token, next.generation, seed, &extent);
        let issued = self.add_access(&mut next, access, successor, extent, presented, key.id);
        Refreshed::Rotate(self.with(next), issued)
    }

    fn repeat(&self, presented: &Presented<'_>, live: &Live, refresh: &RefreshToken, extent: Extent) -> Refreshed {
        let Presented { token, ring, now, .. } = presented;
        let seed = if planted!(FreshBytesAtRepeat) { &presented.seed } else { &*refresh.seed };
        let id = KeyId(*refresh.key);
        let Some(key) = ring.find(id) else { return Refreshed::UnknownKey(id) };
        let successor = derive_refresh(key, token, live.generation, seed);
        let access = derive_access(key, token, live.generation, seed, &extent);
        let digest = SecretDigest::of(&access[..]);
        let of_rotation = || live.access.iter().filter(|access| access.generation == live.generation);
        if let Some(known) = of_rotation().find(|known| same(&known.digest, &digest)) {
            if known.revoked {
                return Refreshed::Deny(Refusal::invalid_grant(INVALID).detail("its access token was revoked"));
            }
            return Refreshed::Repeat(Issued {
                generation: live.generation,
                access,
                access_generation: known.generation,
                refresh: Some(successor),
                scope: extent.scope,
                expires_in: known.expires_at.saturating_sub(now.seconds()),
                key: id.0,
            });
        }
        if of_rotation().count() >= MAX_PER_ROTATION {
            return Refreshed::TooMany;
        }
        let mut next = live.clone();
        let issued = self.add_access(&mut next, access, Some(successor), extent, presented, id);
        Refreshed::Further(self.with(next), issued)
    }

    fn add_access(
        &self,
        live: &mut Live,
        access: Zeroizing<[u8; 20]>,
        refresh: Option<Zeroizing<[u8; 20]>>,
        extent: Extent,
        presented: &Presented<'_>,
        key: KeyId,
    ) -> Issued {
        let (terms, now) = (presented.terms, presented.now);
        let expires_at = self.approval.until(now.after(terms.access_lifetime));
        let entry = Access {
            digest: terms::digest(&access),
            generation: live.generation,
            scope: (extent.scope != self.approval.scope).then(|| extent.scope.clone()),
            resources: (extent.resources != self.approval.resources).then(|| extent.resources.clone()),
            issued_at: now.seconds(),
            expires_at,
            key: ByteArray::from(key.0),
            revoked: false,
        };
        terms::push(live, entry, now);
        Issued {
            generation: live.generation,
            access,
            access_generation: live.generation,
            refresh,
            scope: extent.scope,
            expires_in: expires_at.saturating_sub(now.seconds()),
            key: key.0,
        }
    }

    fn with(&self, live: Live) -> Self {
        Self { approval: self.approval.clone(), state: State::Live(live) }
    }
}

fn deny(detail: &'static str) -> Refreshed {
    Refreshed::Deny(Refusal::invalid_grant(INVALID).detail(detail))
}

fn derive_refresh(key: &RingKey, token: &Token, generation: u32, seed: &[u8; 32]) -> Zeroizing<[u8; 20]> {
    key.successor(&[b"refresh", token.id(), token.secret(), &generation.to_be_bytes(), seed])
}

/// A repeat gets the same access token only for the same scope and audience (invariant I10).
fn derive_access(
    key: &RingKey,
    token: &Token,
    generation: u32,
    seed: &[u8; 32],
    extent: &Extent,
) -> Zeroizing<[u8; 20]> {
    let (generation, scope) = (generation.to_be_bytes(), extent.scope.as_str());
    let mut parts: Vec<&[u8]> = vec![b"access", token.id(), token.secret(), &generation, seed, scope.as_bytes()];
    if !planted!(RepeatIgnoresResource) {
        parts.extend(extent.resources.iter().map(|resource| resource.as_bytes()));
    }
    key.successor(&parts)
}
