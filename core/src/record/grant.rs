//! A grant: the authorization, its code, its refresh token and its access tokens live and change as one record.
//!
//! | state | redeem | refresh | revoke |
//! | --- | --- | --- | --- |
//! | `Issued` | spends the code, once | denied: the store lost writes | `Revoked` |
//! | `Live` | a valid second redemption is a replay: `Revoked` | judged by generation, see [`Grant::refresh`] | `Revoked` |
//! | `Revoked` | denied | denied | nothing to do |

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};

use super::shared::Shared;
use super::{Body, Kind, outlived};
use crate::UnixTime;
use crate::keys::KeyId;
use crate::name::Names;
use crate::pkce::Challenge;
use crate::refusal::Refusal;
use crate::scope::Scope;
use crate::secret::SecretDigest;
use crate::store::Owner;

mod redeem;
mod refresh;
mod shown;
mod terms;

pub(crate) use redeem::{Redeem, Redemption};
pub(crate) use refresh::{Presented, RefreshAsk, Refreshed};
pub(crate) use terms::{Fresh, Issued, Rotate, Terms};

/// The most access tokens that are live at once; the oldest falls out.
const MAX_ACCESS: usize = 32;

/// What an owner approved: the part of a grant that never changes.
#[derive(Clone, Debug, Encode, Decode)]
pub(crate) struct Approval {
    #[n(0)]
    pub(crate) client_id: String,
    /// None for a client that acts for itself.
    #[n(1)]
    pub(crate) subject: Option<String>,
    #[n(2)]
    pub(crate) username: Option<String>,
    #[n(3)]
    pub(crate) scope: Scope,
    /// The audience; empty means the issuer itself.
    #[n(4)]
    pub(crate) resources: Vec<String>,
    #[n(5)]
    pub(crate) created_at: u64,
    /// The absolute end of the family (invariant I11).
    #[n(6)]
    pub(crate) ends_at: u64,
    #[n(7)]
    pub(crate) auth_time: Option<u64>,
    #[n(8)]
    pub(crate) amr: Vec<String>,
    /// Stands in every code and token of the grant; no secret.
    #[n(9)]
    pub(crate) id: ByteArray<16>,
    /// The browser's sign-in that it ends with; none if it outlives that.
    #[n(10)]
    pub(crate) session: Option<ByteArray<16>>,
}

/// What a code is bound to.
#[derive(Clone, Debug, Encode, Decode)]
pub(crate) struct Binding {
    #[n(0)]
    pub(crate) code: ByteArray<32>,
    #[n(1)]
    pub(crate) challenge: ByteArray<32>,
    /// Where the answer went.
    #[n(2)]
    pub(crate) redirect_uri: String,
    /// Whether the authorization request named it, so that RFC 6749 section 4.1.3 asks for it again.
    #[n(3)]
    pub(crate) redirect_uri_sent: bool,
}

#[derive(Clone, Debug, Encode, Decode)]
pub(crate) struct RefreshToken {
    #[n(0)]
    pub(crate) digest: ByteArray<32>,
    /// The digest of the token before this one.
    #[n(1)]
    pub(crate) predecessor: Option<ByteArray<32>>,
    /// The bytes of the rotation that made it: with its predecessor they derive it again.
    #[n(2)]
    pub(crate) seed: ByteArray<32>,
    /// The ring key that derived it and that made its check.
    #[n(3)]
    pub(crate) key: ByteArray<4>,
    #[n(4)]
    pub(crate) expires_at: u64,
}

/// One access token of a grant.
#[derive(Clone, Debug, Encode, Decode)]
pub(crate) struct Access {
    #[n(0)]
    pub(crate) digest: ByteArray<32>,
    #[n(1)]
    pub(crate) generation: u32,
    /// None: the whole scope of the grant.
    #[n(2)]
    pub(crate) scope: Option<Scope>,
    /// None: the whole audience of the grant.
    #[n(3)]
    pub(crate) resources: Option<Vec<String>>,
    #[n(4)]
    pub(crate) issued_at: u64,
    #[n(5)]
    pub(crate) expires_at: u64,
    /// The ring key that made its check.
    #[n(6)]
    pub(crate) key: ByteArray<4>,
    /// Kept until it expires, so that a repeated refresh cannot bring it back.
    #[n(7)]
    pub(crate) revoked: bool,
}

/// A write that made tokens, remembered for as long as it tells a slow duplicate from a theft, or limits the rate.
#[derive(Clone, Debug, Encode, Decode)]
pub(crate) struct Turn {
    #[n(0)]
    pub(crate) at: u64,
    /// The generation that it retired; none where the client's tokens do not rotate.
    #[n(1)]
    pub(crate) retired: Option<u32>,
}

#[derive(Clone, Debug, Encode, Decode)]
pub(crate) struct Live {
    /// What the spent code was bound to: a second, otherwise valid redemption is a replay.
    #[n(0)]
    pub(crate) spent: Option<Shared<Binding>>,
    #[n(1)]
    pub(crate) generation: u32,
    #[n(2)]
    pub(crate) refresh: Option<Shared<RefreshToken>>,
    #[n(3)]
    pub(crate) turns: Vec<Turn>,
    #[n(4)]
    pub(crate) access: Vec<Access>,
}

#[derive(Clone, Debug, Encode, Decode)]
pub(crate) enum State {
    #[n(0)]
    Issued {
        #[n(0)]
        binding: Shared<Binding>,
        #[n(1)]
        code_expires_at: u64,
    },
    #[n(1)]
    Live(#[n(0)] Live),
    #[n(2)]
    Revoked {
        #[n(0)]
        at: u64,
        /// The last moment at which one of its tokens could have been presented.
        #[n(1)]
        until: u64,
    },
}

/// A grant with the state it is in.
#[derive(Clone, Debug, Encode, Decode)]
pub(crate) struct Grant {
    #[n(0)]
    pub(crate) approval: Shared<Approval>,
    #[n(1)]
    pub(crate) state: State,
}

/// What a presented access token entitles to.
#[derive(Clone, Debug)]
pub(crate) struct Entitlement<'a> {
    pub(crate) scope: &'a Scope,
    pub(crate) resources: &'a [String],
    pub(crate) issued_at: u64,
    pub(crate) expires_at: u64,
}

impl Approval {
    /// When what would last until `moment` ends: no later than the family (invariant I11).
    fn until(&self, moment: UnixTime) -> u64 {
        if planted!(FamilyOutlivesItsEnd) { moment.seconds() } else { moment.seconds().min(self.ends_at) }
    }

    fn is_over(&self, now: UnixTime) -> bool {
        self.ends_at <= now.seconds() && !planted!(FamilyOutlivesItsEnd)
    }
}

impl Grant {
    /// A grant with a code that nobody has redeemed.
    pub(crate) fn issued(approval: Approval, binding: Binding, code_expires_at: UnixTime) -> Self {
        let binding = Shared::new(binding);
        let state = State::Issued { binding, code_expires_at: code_expires_at.seconds() };
        Self { approval: Shared::new(approval), state }
    }

    /// A grant that a client got for itself: one access token, no code, no refresh token (RFC 6749 section 4.4.3).
    pub(crate) fn for_client(approval: Approval, terms: &Terms, fresh: &Fresh<'_>, now: UnixTime) -> (Self, Issued) {
        let mut live = Live { spent: None, generation: 0, refresh: None, turns: Vec::new(), access: Vec::new() };
        let terms = Terms { refresh_lifetime: None, ..*terms };
        let resources = approval.resources.clone();
        let issued = terms::issue_first(&approval, &mut live, &terms, fresh, resources, now);
        (Self { approval: Shared::new(approval), state: State::Live(live) }, issued)
    }

    /// The audience of a token that is asked for: what the request names, if it is within the grant, else all of it
    /// (RFC 8707 section 2.2).
    fn audience(&self, named: &[String]) -> Result<Vec<String>, Refusal> {
        if named.is_empty() {
            return Ok(self.approval.resources.clone());
        }
        if named.iter().any(|resource| !self.approval.resources.contains(resource)) {
            return Err(Refusal::invalid_target("the resource is more than was granted"));
        }
        Ok(named.to_vec())
    }

    /// The identifier as listings and events show it.
    pub(crate) fn id(&self) -> String {
        URL_SAFE_NO_PAD.encode(*self.approval.id)
    }

    /// Revokes the whole grant. Nothing if that has been done.
    pub(crate) fn revoke(&self, now: UnixTime) -> Option<Self> {
        let until = self.last_use();
        match &self.state {
            State::Live(live) if planted!(RevokesLeafAlone) => {
                let rest = Live { refresh: None, ..live.clone() };
                live.refresh.as_ref().map(|_| Self { approval: self.approval.clone(), state: State::Live(rest) })
            }
            State::Issued { .. } | State::Live(_) => Some(Self {
                approval: self.approval.clone(),
                state: State::Revoked { at: now.seconds(), until: until.seconds() },
            }),
            State::Revoked { .. } => None,
        }
    }

    /// Revokes one access token and nothing else. Nothing if there is no such live token.
    pub(crate) fn revoke_access(&self, digest: &SecretDigest) -> Option<Self> {
        let State::Live(live) = &self.state else { return None };
        let mut live = live.clone();
        let access = live.access.iter_mut().find(|access| !access.revoked && same(&access.digest, digest))?;
        access.revoked = true;
        Some(Self { approval: self.approval.clone(), state: State::Live(live) })
    }

    /// What the access token entitles to now; nothing if it is unknown, expired or revoked.
    pub(crate) fn access(&self, digest: &SecretDigest, now: UnixTime) -> Option<Entitlement<'_>> {
        let State::Live(live) = &self.state else { return None };
        let access = live.access.iter().find(|access| same(&access.digest, digest))?;
        let revoked = access.revoked && !planted!(RevokedAccessAccepted);
        if revoked || access.expires_at <= now.seconds() || self.approval.is_over(now) {
            return None;
        }
        Some(Entitlement {
            scope: access.scope.as_ref().unwrap_or(&self.approval.scope),
            resources: access.resources.as_deref().unwrap_or(&self.approval.resources),
            issued_at: access.issued_at,
            expires_at: access.expires_at,
        })
    }

    /// When the refresh token ends, if it is the current one and lives. Never judges (design section 4).
    pub(crate) fn current_refresh(&self, generation: u32, digest: &SecretDigest, now: UnixTime) -> Option<u64> {
        let State::Live(live) = &self.state else { return None };
        let refresh = live.refresh.as_ref().filter(|refresh| same(&refresh.digest, digest))?;
        (live.generation == generation && refresh.expires_at > now.seconds()).then_some(refresh.expires_at)
    }

    /// Whether its code, which nobody has redeemed, is this one, given for the same and in the same sign-in at `now`: then
    /// the same request was approved once more, and is answered once more.
    pub(crate) fn waits_with(&self, code: &SecretDigest, approval: &Approval, now: UnixTime) -> bool {
        let State::Issued { binding, code_expires_at } = &self.state else { return false };
        let alike = self.approval.subject == approval.subject
            && self.approval.scope == approval.scope
            && self.approval.session == approval.session;
        alike && same(&binding.code, code) && *code_expires_at > now.seconds()
    }

    /// Whether the grant can still be used for anything at `now`.
    pub(crate) fn is_usable(&self, now: UnixTime) -> bool {
        !matches!(self.state, State::Revoked { .. }) && self.last_use() > now
    }

    /// Whether a token of this grant was made under `key`.
    pub(crate) fn names_key(&self, key: KeyId) -> bool {
        let State::Live(live) = &self.state else { return false };
        live.refresh.as_ref().is_some_and(|refresh| *refresh.key == key.0)
            || live.access.iter().any(|access| *access.key == key.0)
    }

    /// The last moment at which a code or token of this grant could be presented with success.
    pub(crate) fn last_use(&self) -> UnixTime {
        let seconds = match &self.state {
            State::Issued { code_expires_at, .. } => *code_expires_at,
            State::Live(live) => {
                let refresh = live.refresh.as_ref().filter(|_| !planted!(RowEndsWithAccess));
                let refresh = refresh.map(|refresh| refresh.expires_at);
                live.access.iter().map(|access| access.expires_at).chain(refresh).max().unwrap_or(0)
            }
            State::Revoked { until, .. } => *until,
        };
        UnixTime::from_seconds(seconds)
    }
}

impl Body for Grant {
    const KIND: Kind = Kind::Grant;

    fn expires_at(&self) -> UnixTime {
        outlived(self.last_use().seconds())
    }

    fn owners(&self, names: &Names) -> Vec<Owner> {
        // A revoked grant is nobody's any more: no listing and no sign-out has to read it. It stays listed as one, so
        // that it can be sealed again before its key is retired.
        if matches!(self.state, State::Revoked { .. }) {
            return vec![names.all_tag(Kind::Grant)];
        }
        let user = self.approval.subject.as_deref().map(|subject| names.user_tag(subject));
        let session = self.approval.session.as_ref().map(|sid| names.session_tag(&sid[..]));
        user.into_iter().chain([names.client_tag(&self.approval.client_id)]).chain(session).collect()
    }

    fn shown(&self) -> serde_json::Value {
        shown::shown(self)
    }

    /// Without a hash: tags are made of these three, and of a session that never changes.
    fn keeps_owners(&self, old: &Self, _: &Names) -> bool {
        let is_revoked = |grant: &Self| matches!(grant.state, State::Revoked { .. });
        self.approval.subject == old.approval.subject
            && self.approval.client_id == old.approval.client_id
            && is_revoked(self) == is_revoked(old)
    }
}

/// The identifier of a grant, as [`Grant::id`] wrote it.
pub(crate) fn parse_grant_id(text: &str) -> Option<[u8; 16]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

pub(crate) fn same(stored: &ByteArray<32>, digest: &SecretDigest) -> bool {
    SecretDigest::from_bytes(**stored).matches(digest)
}

impl Binding {
    pub(crate) fn new(
        code: &SecretDigest,
        challenge: &Challenge,
        redirect_uri: String,
        redirect_uri_sent: bool,
    ) -> Self {
        Self {
            code: ByteArray::from(*code.as_bytes()),
            challenge: ByteArray::from(*challenge.as_bytes()),
            redirect_uri,
            redirect_uri_sent,
        }
    }
}

#[cfg(test)]
mod tests;
