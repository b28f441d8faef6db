//! Grants from the owner's side: epochs, listings, revoking one or all.

use crate::config::UserSource;
use crate::event::{Event, EventKind};
use crate::io::{Io, Listing, Written};
use crate::record::{Grant, Kind, OwnerRecord, Stored, UserRecord};
use crate::refusal::Refusal;
use crate::store::{Key, Owner, Version};
use crate::user::{UserAnswer, UserQuestion};

/// The epochs of the owners of a grant: the versions of their records, or none.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Epochs {
    user: Option<Version>,
    client: Option<Version>,
}

/// What the host says now about the user of a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Absent,
    Dismissed,
    Present,
}

/// A grant, as listings show it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct GrantSummary {
    id: String,
    client_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    scope: String,
    created_at: u64,
    expires_at: u64,
}

impl GrantSummary {
    pub(crate) fn new(grant: &Grant) -> Self {
        Self {
            id: grant.id(),
            client_id: grant.approval.client_id.clone(),
            subject: grant.approval.subject.clone(),
            scope: grant.approval.scope.as_str().to_owned(),
            created_at: grant.approval.created_at,
            expires_at: grant.last_use().seconds(),
        }
    }

    /// Its identifier, under which it can be revoked.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The client that holds it.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The user who gave it; none where a client acts for itself.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// Its scope, space-separated.
    #[must_use]
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// When it was given, in seconds since 1970.
    #[must_use]
    pub const fn created_at(&self) -> u64 {
        self.created_at
    }

    /// The last moment at which any of its tokens works, as things stand.
    #[must_use]
    pub const fn expires_at(&self) -> u64 {
        self.expires_at
    }
}

impl Io {
    /// Reads the epochs of a user and a client.
    pub(crate) async fn epochs(&mut self, subject: Option<&str>, client_id: &str) -> Result<Epochs, Refusal> {
        let user = match subject {
            None => None,
            Some(subject) => {
                let key = self.names().user_epoch(subject);
                self.load_or_forget::<OwnerRecord>(&key).await?.map(|stored| stored.version)
            }
        };
        let key = self.names().client_epoch(client_id);
        let client = self.load_or_forget::<OwnerRecord>(&key).await?.map(|stored| stored.version);
        Ok(Epochs { user, client })
    }

    /// Raises the epoch of an owner: whatever is created from now on, or just now, sees it (invariant I14).
    async fn raise_epoch(&mut self, key: &Key) -> Result<(), Refusal> {
        let mut tries = self.tries();
        loop {
            let old: Option<Stored<OwnerRecord>> = self.load_or_forget(key).await?;
            let next = OwnerRecord::raise(old.as_ref().map(|old| &old.body), self.now);
            tries.again_to_end()?;
            if self.upsert(key, old.as_ref(), &next).await? == Written::Done {
                return Ok(());
            }
        }
    }

    /// Revokes the grant under a key; whether there was one to revoke.
    pub(crate) async fn revoke_key(&mut self, key: &Key) -> Result<bool, Refusal> {
        let mut tries = self.tries();
        loop {
            let Some(stored) = self.load::<Grant>(key).await? else { return Ok(false) };
            let Some(revoked) = stored.body.revoke(self.now) else { return Ok(false) };
            tries.again_to_end()?;
            if self.replace(&stored, &revoked).await? == Written::Done {
                let event = Event::new(EventKind::GrantRevoked).client(&revoked.approval.client_id);
                self.event(event.subject(revoked.approval.subject.as_deref()).grant(revoked.id()));
                return Ok(true);
            }
        }
    }

    /// Signs an owner out: the epoch first, then every grant that carries its tag. Returns how many were revoked.
    ///
    /// A grant that cannot be read or written keeps no other alive: the rest is revoked before its failure is told. A
    /// store that fails ends it at once, and a repetition goes on.
    async fn sign_out(&mut self, epoch: &Key, tag: Owner) -> Result<usize, Refusal> {
        self.raise_epoch(epoch).await?;
        let (mut revoked, mut stuck) = (0_usize, None);
        let mut listing = Listing::new(tag, Kind::Grant);
        while let Some(page) = self.turn(&mut listing).await? {
            for key in page {
                match self.revoke_key(&key).await {
                    Ok(done) => revoked = revoked.saturating_add(usize::from(done)),
                    Err(refusal) if refusal.cause().is_none() => stuck = stuck.or(Some(refusal)),
                    Err(refusal) => return Err(refusal),
                }
            }
        }
        stuck.map_or(Ok(revoked), Err)
    }

    pub(crate) async fn sign_out_user(&mut self, subject: &str) -> Result<usize, Refusal> {
        let (epoch, tag) = (self.names().user_epoch(subject), self.names().user_tag(subject));
        let revoked = self.sign_out(&epoch, tag).await?;
        self.event(Event::new(EventKind::OwnerSignedOut).subject(Some(subject)));
        Ok(revoked)
    }

    pub(crate) async fn sign_out_client(&mut self, client_id: &str) -> Result<usize, Refusal> {
        let (epoch, tag) = (self.names().client_epoch(client_id), self.names().client_tag(client_id));
        let revoked = self.sign_out(&epoch, tag).await?;
        self.event(Event::new(EventKind::OwnerSignedOut).client(client_id));
        Ok(revoked)
    }

    /// The usable grants that carry a tag.
    pub(crate) async fn grants(&mut self, tag: Owner) -> Result<Vec<GrantSummary>, Refusal> {
        let mut grants = Vec::new();
        let mut listing = Listing::new(tag, Kind::Grant);
        while let Some(page) = self.turn(&mut listing).await? {
            for key in page {
                let Some(stored) = self.load::<Grant>(&key).await? else { continue };
                if stored.body.is_usable(self.now) {
                    grants.push(GrantSummary::new(&stored.body));
                }
            }
        }
        Ok(grants)
    }

    /// Whether the user of a grant may go on. A client's own grant has none to ask for.
    pub(crate) async fn standing(&mut self, grant: &Grant) -> Result<Standing, Refusal> {
        let Some(subject) = &grant.approval.subject else { return Ok(Standing::Present) };
        if !self.config.settings.refresh_checks_user {
            return Ok(Standing::Present);
        }
        Ok(match self.user_by_subject(subject.clone(), grant.approval.username.as_deref()).await? {
            UserAnswer::Absent => Standing::Absent,
            UserAnswer::Dismissed => Standing::Dismissed,
            UserAnswer::Found(_) => Standing::Present,
        })
    }

    /// The user of a subject identifier. The built-in store finds it by the name that the grant remembers.
    pub(crate) async fn user_by_subject(
        &mut self,
        subject: String,
        username: Option<&str>,
    ) -> Result<UserAnswer, Refusal> {
        if self.config.users != UserSource::BuiltIn {
            return self.ask_user(UserQuestion::Find { subject }).await;
        }
        let Some(username) = username else { return Ok(UserAnswer::Absent) };
        let key = self.user_key(username);
        Ok(match self.load::<UserRecord>(&key).await? {
            None => UserAnswer::Absent,
            // Somebody else has the name now: the user of this subject is gone.
            Some(stored) if stored.body.account().is_none_or(|account| account.subject != subject) => {
                UserAnswer::Dismissed
            }
            Some(stored) => stored.body.answer(),
        })
    }

    /// Where the built-in store keeps the user of a name; names differ by more than letter case.
    pub(crate) fn user_key(&self, username: &str) -> Key {
        self.names().key(Kind::User, username.to_lowercase().as_bytes())
    }
}
