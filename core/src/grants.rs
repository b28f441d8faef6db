//! Grants from the owner's side: epochs, listings, revoking one or all.

use std::sync::Arc;

use crate::UnixTime;
use crate::config::UserSource;
use crate::event::{Event, EventKind};
use crate::io::{Io, Listing, Written};
use crate::record::{Body as _, Consent, End, Grant, Kind, OwnerRecord, Session, Stored, UserRecord};
use crate::refusal::Refusal;
use crate::store::{Key, Owner, Version};
use crate::user::{UserAnswer, UserQuestion};

/// The epochs of the owners of a grant: the versions of their records, or none.
#[derive(Debug)]
pub(crate) struct Epochs {
    user: Option<Version>,
    client: Option<Version>,
}

impl Epochs {
    /// The user's.
    pub(crate) const fn user(&self) -> Option<&Version> {
        self.user.as_ref()
    }

    /// Whether an owner was signed out between these epochs and those.
    pub(crate) fn are_raised_in(&self, later: &Self) -> bool {
        is_raised(self.user.as_ref(), later.user.as_ref()) || is_raised(self.client.as_ref(), later.client.as_ref())
    }
}

/// Whether an epoch was raised between two looks at it. One that is gone was swept, hours after it mattered: a raise
/// leaves a record.
pub(crate) fn is_raised(before: Option<&Version>, after: Option<&Version>) -> bool {
    after.is_some() && after != before
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
    pub(crate) async fn epochs(&mut self, subject: Option<&str>, client_id: Option<&str>) -> Result<Epochs, Refusal> {
        let user = match subject {
            None => None,
            Some(subject) => self.user_epoch(subject).await?,
        };
        let client = match client_id {
            None => None,
            Some(client_id) => {
                let key = self.names().client_epoch(client_id);
                self.epoch(&key).await?
            }
        };
        Ok(Epochs { user, client })
    }

    /// Reads the epoch of a user.
    pub(crate) async fn user_epoch(&mut self, subject: &str) -> Result<Option<Version>, Refusal> {
        let key = self.names().user_epoch(subject);
        self.epoch(&key).await
    }

    /// Reads an epoch.
    pub(crate) async fn epoch(&mut self, key: &Key) -> Result<Option<Version>, Refusal> {
        Ok(self.load_or_forget::<OwnerRecord>(key).await?.map(|stored| stored.version))
    }

    /// Raises an epoch: whatever is created from now on, or just now, sees it (invariant I14). What was made under an
    /// earlier one is over by `until`.
    pub(crate) async fn raise_epoch(&mut self, key: &Key, until: UnixTime) -> Result<(), Refusal> {
        let mut tries = self.tries();
        loop {
            let old: Option<Stored<OwnerRecord>> = self.load_or_forget(key).await?;
            let next = OwnerRecord::raise(old.as_ref().map(|old| &old.body), self.now, until);
            tries.again_to_end()?;
            if self.upsert(key, old.as_ref(), &next).await? == Written::Done {
                return Ok(());
            }
        }
    }

    /// Raises the epoch of a user who goes on under the next one. Refused if it is not that of `epochs` any more: then
    /// somebody else has signed the user out.
    pub(crate) async fn raise_from(&mut self, subject: &str, epochs: &Epochs) -> Result<Epochs, Refusal> {
        let (key, until) = (self.names().user_epoch(subject), self.last_session_end());
        let mut tries = self.tries();
        loop {
            let old = self.load_or_forget::<OwnerRecord>(&key).await?;
            if is_raised(epochs.user(), old.as_ref().map(|old| &old.version)) {
                return Err(Refusal::signed_out());
            }
            let next = OwnerRecord::raise(old.as_ref().map(|old| &old.body), self.now, until);
            tries.again_to_end()?;
            if self.upsert(&key, old.as_ref(), &next).await? == Written::Done {
                let written = self.load_or_forget::<OwnerRecord>(&key).await?;
                let written = written.filter(|written| written.body == next).ok_or_else(Refusal::signed_out)?;
                return Ok(Epochs { user: Some(written.version), client: None });
            }
        }
    }

    /// Until when a browser that signs in now may be signed in.
    fn last_session_end(&self) -> UnixTime {
        self.now.after(self.config.settings.session_lifetime)
    }

    /// Revokes the grant under a key; whether there was one to revoke.
    pub(crate) async fn revoke_key(&mut self, key: &Key) -> Result<bool, Refusal> {
        self.revoke_key_if(key, |_| true).await
    }

    async fn revoke_key_if(&mut self, key: &Key, meant: impl Fn(&Grant) -> bool) -> Result<bool, Refusal> {
        let mut tries = self.tries();
        loop {
            let Some(stored) = self.load::<Grant>(key).await? else { return Ok(false) };
            if !meant(&stored.body) {
                return Ok(false);
            }
            let Some(revoked) = stored.body.revoke(self.now) else { return Ok(false) };
            tries.again_to_end()?;
            if self.replace(&stored, &revoked).await? == Written::Done {
                let event = Event::new(EventKind::GrantRevoked).client(&revoked.approval.client_id);
                self.event(event.subject(revoked.approval.subject.as_deref()).grant(revoked.id()));
                return Ok(true);
            }
        }
    }

    /// Revokes every grant that carries a tag, whatever else the store lists under it, and is `meant`. Returns how many
    /// were revoked.
    ///
    /// A grant that cannot be read or written keeps no other alive: the rest is revoked before its failure is told. A
    /// store that fails ends it at once, and a repetition goes on.
    pub(crate) async fn revoke_listed(&mut self, tag: Owner, meant: impl Fn(&Grant) -> bool) -> Result<usize, Refusal> {
        let (mut revoked, mut stuck) = (0_usize, None);
        let (config, mut listing) = (Arc::clone(&self.config), Listing::new(tag.clone(), Kind::Grant));
        let meant = |grant: &Grant| grant.owners(&config.names).contains(&tag) && meant(grant);
        while let Some(page) = self.turn(&mut listing).await? {
            for key in page {
                match self.revoke_key_if(&key, &meant).await {
                    Ok(done) => revoked = revoked.saturating_add(usize::from(done)),
                    Err(refusal) if refusal.cause().is_none() => stuck = stuck.or(Some(refusal)),
                    Err(refusal) => return Err(refusal),
                }
            }
        }
        stuck.map_or(Ok(revoked), Err)
    }

    /// Raises an owner's epoch, and then revokes every grant under the owner's tag: what is created meanwhile sees the
    /// one or is seen by the other (invariant I14). Returns how many were revoked.
    async fn sign_out(&mut self, epoch: &Key, tag: Owner) -> Result<usize, Refusal> {
        if planted!(EpochRaisedAfterListing) {
            let revoked = self.revoke_listed(tag, |_| true).await?;
            return self.raise_epoch(epoch, self.last_session_end()).await.map(|()| revoked);
        }
        self.raise_epoch(epoch, self.last_session_end()).await?;
        self.revoke_listed(tag, |_| true).await
    }

    /// Signs a user out: the epoch first, then every grant and every browser's sign-in. Returns how many grants were
    /// revoked.
    pub(crate) async fn sign_out_user(&mut self, subject: &str) -> Result<usize, Refusal> {
        let (epoch, tag) = (self.names().user_epoch(subject), self.names().user_tag(subject));
        let revoked = self.sign_out(&epoch, tag.clone()).await?;
        // The raised epoch has ended the sign-ins; their records need not wait for a sweep.
        let (config, mut listing) = (Arc::clone(&self.config), Listing::new(tag.clone(), Kind::Session));
        let meant = |session: &Session| session.owners(&config.names).contains(&tag);
        while let Some(page) = self.turn(&mut listing).await? {
            for key in page {
                self.end_session_key_if(&key, End::SignedOut, meant).await?;
            }
        }
        self.event(Event::new(EventKind::OwnerSignedOut).subject(Some(subject)));
        Ok(revoked)
    }

    /// Takes a client's access to a user back: the consent first, then every grant. Returns how many were revoked.
    ///
    /// What is no client, and never had anything of the user, leaves neither record nor event: it may be a secret that
    /// was put into the wrong field (invariant I20).
    pub(crate) async fn withdraw(&mut self, subject: &str, client_id: &str) -> Result<usize, Refusal> {
        let (key, tag) = (self.names().consent(subject, client_id), self.names().user_tag(subject));
        let meant = |grant: &Grant| grant.approval.client_id == client_id;
        let mut revoked = 0_usize;
        if self.client(client_id).await?.is_none() && self.load::<Consent>(&key).await?.is_none() {
            revoked = self.revoke_listed(tag.clone(), meant).await?;
            if revoked == 0 {
                return Ok(0);
            }
        }
        let mut tries = self.tries();
        loop {
            let old = self.load::<Consent>(&key).await?;
            let next = Consent::withdraw(old.as_ref().map(|old| &old.body), subject, client_id, self.now);
            tries.again_to_end()?;
            if self.upsert(&key, old.as_ref(), &next).await? == Written::Done {
                break;
            }
        }
        revoked = revoked.saturating_add(self.revoke_listed(tag, meant).await?);
        self.event(Event::new(EventKind::AccessWithdrawn).client(client_id).subject(Some(subject)));
        Ok(revoked)
    }

    pub(crate) async fn sign_out_client(&mut self, client_id: &str) -> Result<usize, Refusal> {
        let (epoch, tag) = (self.names().client_epoch(client_id), self.names().client_tag(client_id));
        let revoked = self.sign_out(&epoch, tag).await?;
        self.event(Event::new(EventKind::OwnerSignedOut).client(client_id));
        Ok(revoked)
    }

    /// Forgets what was consented to under a tag: of a client that is no more, or a user.
    pub(crate) async fn forget_consents(&mut self, tag: Owner) -> Result<(), Refusal> {
        let mut listing = Listing::new(tag.clone(), Kind::Consent);
        while let Some(page) = self.turn(&mut listing).await? {
            for key in page {
                let mut tries = self.tries();
                while let Some(stored) = self.load_tagged::<Consent>(&key, &tag).await? {
                    let Consent { subject, client_id, .. } = &stored.body;
                    let next = Consent::withdraw(Some(&stored.body), subject, client_id, self.now);
                    tries.again_to_end()?;
                    if self.replace(&stored, &next).await? == Written::Done {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// The usable grants that carry a tag.
    pub(crate) async fn grants(&mut self, tag: Owner) -> Result<Vec<GrantSummary>, Refusal> {
        let mut grants = Vec::new();
        let mut listing = Listing::new(tag.clone(), Kind::Grant);
        while let Some(page) = self.turn(&mut listing).await? {
            for key in page {
                let Some(stored) = self.load_tagged::<Grant>(&key, &tag).await? else { continue };
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
            UserAnswer::Absent | UserAnswer::Stored => Standing::Absent,
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
