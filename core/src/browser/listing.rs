//! Sign-ins of browsers as a host sees them, and the calls that list and end them.

use serde::Serialize;

use crate::UnixTime;
use crate::entropy::Entropy;
use crate::record::Active;
use crate::refusal::Refusal;
use crate::server::Core;
use crate::step::Step;
use crate::store::Key;

/// A browser's sign-in, as listings show it. Times are in seconds since 1970.
#[derive(Clone, Debug, Serialize)]
pub struct SessionSummary {
    id: String,
    signed_in_at: u64,
    used_at: u64,
    ends_at: u64,
}

impl SessionSummary {
    fn new(key: &Key, active: &Active) -> Self {
        Self {
            id: key.as_str().to_owned(),
            signed_in_at: active.signed_in_at,
            used_at: active.used_at,
            ends_at: active.ends_at.min(active.idle_until),
        }
    }

    /// Its identifier, under which it can be ended. It lets nobody in.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// When the user signed in.
    #[must_use]
    pub const fn signed_in_at(&self) -> u64 {
        self.signed_in_at
    }

    /// When it was used last, to the minute.
    #[must_use]
    pub const fn used_at(&self) -> u64 {
        self.used_at
    }

    /// When it ends, unless it is used before.
    #[must_use]
    pub const fn ends_at(&self) -> u64 {
        self.ends_at
    }
}

impl Core {
    /// Where a user is signed in.
    pub fn sessions_of(
        &self,
        subject: impl Into<String>,
        now: UnixTime,
        entropy: Entropy,
    ) -> Step<Result<Vec<SessionSummary>, Refusal>> {
        let subject = subject.into();
        self.call(now, entropy, move |mut io| async move {
            let sessions = io.sessions(&subject).await;
            let list = |all: Vec<(Key, Active)>| all.iter().map(|(key, one)| SessionSummary::new(key, one)).collect();
            io.done(sessions.map(list))
        })
    }

    /// Ends one of a user's sign-ins, and the grants that end with it; whether there was one to end.
    pub fn end_session(
        &self,
        subject: impl Into<String>,
        id: impl Into<String>,
        now: UnixTime,
        entropy: Entropy,
    ) -> Step<Result<bool, Refusal>> {
        let (subject, id) = (subject.into(), id.into());
        self.call(now, entropy, move |mut io| async move {
            let outcome = io.end_session_of(&subject, &id).await;
            io.done(outcome)
        })
    }

    /// Takes back what a client has of a user: the consent, and every grant, whatever is under way included. Returns how
    /// many grants were revoked.
    pub fn revoke_access(
        &self,
        subject: impl Into<String>,
        client_id: impl Into<String>,
        now: UnixTime,
        entropy: Entropy,
    ) -> Step<Result<usize, Refusal>> {
        let (subject, client_id) = (subject.into(), client_id.into());
        self.call(now, entropy, move |mut io| async move {
            let outcome = io.withdraw(&subject, &client_id).await;
            io.done(outcome)
        })
    }
}
