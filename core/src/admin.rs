//! What an operator does: clients, users, the key ring, a look at a record.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::UnixTime;
use crate::config::{ApiMisuse, Problem};
use crate::entropy::Entropy;
use crate::event::{Event, EventKind};
use crate::io::{Io, Listing, Written};
use crate::keys::KeyId;
use crate::password::PasswordError;
use crate::record::{
    Account, Body, Client, ClientRecord, Consent, Grant, Kind, Registration, Sentinel, Session, UserRecord, UserState,
};
use crate::refusal::Refusal;
use crate::secret::Secret;
use crate::server::Core;
use crate::step::Step;
use crate::store::Key;
use crate::user::User;

/// Why an operator's call was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdminError {
    /// There is such a client or user already.
    #[error("{0} exists already")]
    Exists(String),
    /// The client is misregistered.
    #[error("{0}")]
    Invalid(ApiMisuse),
    /// A grant that may live was made under the key.
    #[error("{0} grants made under this key may still be used; the last of them until {1} (seconds since 1970)")]
    KeyInUse(usize, UnixTime),
    /// There is no such client or user.
    #[error("there is no {0}")]
    NotFound(String),
    /// The password cannot be set.
    #[error("{0}")]
    Password(PasswordError),
    /// One client has one type (OAuth 2.1 section 2.1).
    #[error("client {0} cannot change between public and confidential; delete it and register it anew")]
    TypeChange(String),
    /// The store failed, or a record is broken.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// The end of an operator's call.
type Called<T> = Step<Result<T, Refusal>>;
type Managed<T> = Step<Result<Result<T, AdminError>, Refusal>>;

/// Separates what the operator can mend from what the store did.
fn split<T>(outcome: Result<T, AdminError>) -> Result<Result<T, AdminError>, Refusal> {
    match outcome {
        Err(AdminError::Refused(refusal)) => Err(refusal),
        other => Ok(other),
    }
}

/// A user of the built-in store, as listings show it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct UserSummary {
    subject: String,
    username: String,
    disabled: bool,
    created_at: u64,
    claims: Map<String, Value>,
}

impl UserSummary {
    fn new(account: &Account) -> Self {
        Self {
            subject: account.subject.clone(),
            username: account.username.clone(),
            disabled: account.state == UserState::Disabled,
            created_at: account.created_at,
            claims: account.to_user().claims,
        }
    }

    /// The subject identifier.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The name.
    #[must_use]
    pub fn username(&self) -> &str {
        &self.username
    }

    /// Whether the user may not sign in.
    #[must_use]
    pub const fn is_disabled(&self) -> bool {
        self.disabled
    }
}

/// A change to a user of the built-in store.
#[derive(Debug)]
#[non_exhaustive]
pub enum UserChange {
    /// The user may no longer sign in, and every grant ends.
    Disable,
    /// The user may sign in again.
    Enable,
    /// A new password; every grant ends.
    Password(Secret),
}

impl Core {
    /// Shows that the store answers and holds nothing under unknown keys: called once when a server starts.
    pub fn check_in(&self, now: UnixTime, entropy: Entropy) -> Called<()> {
        self.call(now, entropy, |mut io| async move {
            let outcome = io.check_in().await;
            io.done(outcome)
        })
    }

    /// Registers a client in the store.
    pub fn create_client(&self, client: Client, now: UnixTime, entropy: Entropy) -> Managed<()> {
        self.call(now, entropy, move |mut io| async move {
            let outcome = split(io.register(client, ClientRecord::create, AdminError::Exists).await);
            io.done(outcome)
        })
    }

    /// Replaces the registration of a stored client.
    pub fn update_client(&self, client: Client, now: UnixTime, entropy: Entropy) -> Managed<()> {
        self.call(now, entropy, move |mut io| async move {
            let outcome = split(io.register(client, ClientRecord::update, AdminError::NotFound).await);
            io.done(outcome)
        })
    }

    /// Deletes a stored client and ends its grants; returns how many.
    pub fn delete_client(&self, client_id: impl Into<String>, now: UnixTime, entropy: Entropy) -> Managed<usize> {
        let client_id = client_id.into();
        self.call(now, entropy, move |mut io| async move {
            let outcome = split(io.unregister(&client_id).await);
            io.done(outcome)
        })
    }

    /// The stored client of this identifier.
    pub fn stored_client(
        &self,
        client_id: impl Into<String>,
        now: UnixTime,
        entropy: Entropy,
    ) -> Called<Option<Client>> {
        let client_id = client_id.into();
        self.call(now, entropy, move |mut io| async move {
            let key = io.names().key(Kind::Client, client_id.as_bytes());
            let outcome = io.load::<ClientRecord>(&key).await;
            io.done(outcome.map(|found| found.and_then(|stored| stored.body.client().cloned())))
        })
    }

    /// All stored clients.
    pub fn stored_clients(&self, now: UnixTime, entropy: Entropy) -> Called<Vec<Client>> {
        self.call(now, entropy, |mut io| async move {
            let outcome = io.all::<ClientRecord>().await;
            io.done(outcome.map(|all| all.iter().filter_map(|record| record.client().cloned()).collect()))
        })
    }

    /// Creates a user of the built-in store, with a password and claims. Returns the new subject.
    pub fn create_user(&self, user: User, password: Secret, now: UnixTime, entropy: Entropy) -> Managed<String> {
        self.call(now, entropy, move |mut io| async move {
            let outcome = split(io.create_user(user, password).await);
            io.done(outcome)
        })
    }

    /// Changes a user of the built-in store.
    pub fn change_user(
        &self,
        username: impl Into<String>,
        change: UserChange,
        now: UnixTime,
        entropy: Entropy,
    ) -> Managed<()> {
        let username = username.into();
        self.call(now, entropy, move |mut io| async move {
            let outcome = split(io.change_user(&username, change).await.map(|_| ()));
            io.done(outcome)
        })
    }

    /// Deletes a user of the built-in store and ends every grant; returns how many.
    pub fn delete_user(&self, username: impl Into<String>, now: UnixTime, entropy: Entropy) -> Managed<usize> {
        let username = username.into();
        self.call(now, entropy, move |mut io| async move {
            let outcome = split(io.delete_user(&username).await);
            io.done(outcome)
        })
    }

    /// The user of this name in the built-in store.
    pub fn stored_user(
        &self,
        username: impl Into<String>,
        now: UnixTime,
        entropy: Entropy,
    ) -> Called<Option<UserSummary>> {
        let username = username.into();
        self.call(now, entropy, move |mut io| async move {
            let key = io.user_key(&username);
            let outcome = io.load::<UserRecord>(&key).await;
            io.done(outcome.map(|found| found.and_then(|stored| stored.body.account().map(UserSummary::new))))
        })
    }

    /// All users of the built-in store.
    pub fn stored_users(&self, now: UnixTime, entropy: Entropy) -> Called<Vec<UserSummary>> {
        self.call(now, entropy, |mut io| async move {
            let outcome = io.all::<UserRecord>().await;
            io.done(outcome.map(|all| all.iter().filter_map(UserRecord::account).map(UserSummary::new).collect()))
        })
    }

    /// Forgets the failed attempts at the password of this name, whoever has it: a lock-out ends. Limits by address
    /// stay.
    pub fn unlock_user(&self, username: impl Into<String>, now: UnixTime, entropy: Entropy) -> Called<()> {
        let username = username.into();
        self.call(now, entropy, move |mut io| async move {
            let outcome = io.lift_limits(&username).await;
            io.done(outcome)
        })
    }

    /// Makes a key of the ring removable: seals again what never expires, and refuses while a grant that was made
    /// under it may live (design section 6).
    pub fn retire_key(&self, key: KeyId, now: UnixTime, entropy: Entropy) -> Managed<()> {
        self.call(now, entropy, move |mut io| async move {
            let outcome = split(io.retire_key(key).await);
            io.done(outcome)
        })
    }
}

impl Io {
    pub(crate) async fn read_sentinel(&mut self) -> Result<Option<(Sentinel, KeyId)>, Refusal> {
        let key = self.names().key(Kind::Sentinel, b"");
        let found = self.load::<Sentinel>(&key).await?;
        Ok(found.map(|stored| (stored.body, stored.sealed_under)))
    }

    async fn check_in(&mut self) -> Result<(), Refusal> {
        let key = self.names().key(Kind::Sentinel, b"");
        let old = self.load::<Sentinel>(&key).await?;
        let current = old.as_ref().map(|old| (&old.body, old.sealed_under));
        if let Some(next) = Sentinel::check_in(current, self.primary()?.id, self.now) {
            self.upsert(&key, old.as_ref(), &next).await?; // a lost race means that another process has just done it
        }
        Ok(())
    }

    async fn register(
        &mut self,
        client: Client,
        transition: fn(Option<&ClientRecord>, Client) -> Registration,
        conflict: fn(String) -> AdminError,
    ) -> Result<(), AdminError> {
        let problems = client.problems_when_stored();
        if !problems.is_empty() {
            let problems = problems.iter().map(|problem| Problem::new("clients", problem.to_string()));
            return Err(AdminError::Invalid(ApiMisuse::new(problems.collect())));
        }
        let id = client.client_id.clone();
        if self.config.clients.contains_key(&id) {
            return Err(AdminError::Exists(format!("client {id} (in the configuration)")));
        }
        let key = self.names().key(Kind::Client, id.as_bytes());
        let mut tries = self.tries();
        loop {
            let old = self.load::<ClientRecord>(&key).await?;
            match transition(old.as_ref().map(|old| &old.body), client.clone()) {
                Registration::Conflict => return Err(conflict(format!("client {id}"))),
                Registration::TypeChange => return Err(AdminError::TypeChange(id)),
                Registration::Next(next) => {
                    tries.again()?;
                    if self.upsert(&key, old.as_ref(), &next).await? == Written::Done {
                        self.event(Event::new(EventKind::ClientChanged).client(&id));
                        return Ok(());
                    }
                }
            }
        }
    }

    async fn unregister(&mut self, client_id: &str) -> Result<usize, AdminError> {
        let key = self.names().key(Kind::Client, client_id.as_bytes());
        let mut tries = self.tries();
        loop {
            let old = self.load::<ClientRecord>(&key).await?;
            let (next, known) = (ClientRecord::delete(old.as_ref().map(|old| &old.body), self.now), old.is_some());
            let (Registration::Next(next), Some(old)) = (next, old) else {
                // Where a deletion failed half way, its repetition ends what the client still holds.
                if known {
                    self.end_client(client_id).await?;
                }
                return Err(AdminError::NotFound(format!("client {client_id}")));
            };
            tries.again_to_end()?;
            if self.replace(&old, &next).await? == Written::Done {
                self.event(Event::new(EventKind::ClientChanged).client(client_id));
                return Ok(self.end_client(client_id).await?);
            }
        }
    }

    /// Ends what a deleted client holds; what was consented to is not for whoever gets its identifier next.
    async fn end_client(&mut self, client_id: &str) -> Result<usize, Refusal> {
        let revoked = self.sign_out_client(client_id).await?;
        let tag = self.names().client_tag(client_id);
        self.forget_consents(tag).await?;
        Ok(revoked)
    }

    async fn all<B: Body>(&mut self) -> Result<Vec<B>, Refusal> {
        let mut listing = Listing::new(self.names().all_tag(B::KIND), B::KIND);
        let mut all = Vec::new();
        while let Some(page) = self.turn(&mut listing).await? {
            for key in page {
                all.extend(self.load::<B>(&key).await?.map(|stored| stored.body));
            }
        }
        Ok(all)
    }

    async fn hash(&mut self, password: Secret) -> Result<String, AdminError> {
        self.hash_new(password).await?.map_err(AdminError::Password)
    }

    async fn create_user(&mut self, user: User, password: Secret) -> Result<String, AdminError> {
        let username = user.username.unwrap_or(user.subject);
        let password_hash = self.hash(password).await?;
        let subject = URL_SAFE_NO_PAD.encode(self.random::<16>());
        let account = UserRecord::Present(Account {
            subject: subject.clone(),
            username: username.clone(),
            password_hash,
            claims: Value::Object(user.claims).to_string(),
            state: UserState::Active,
            created_at: self.now.seconds(),
        });
        let key = self.user_key(&username);
        let mut tries = self.tries();
        loop {
            let old = self.load::<UserRecord>(&key).await?;
            if old.as_ref().is_some_and(|old| old.body.account().is_some()) {
                return Err(AdminError::Exists(format!("user {username}")));
            }
            tries.again()?;
            if self.upsert(&key, old.as_ref(), &account).await? == Written::Done {
                self.event(Event::new(EventKind::UserChanged).subject(Some(&subject)));
                return Ok(subject);
            }
        }
    }

    /// Changes a user, and ends every grant where the change asks for it; returns how many.
    async fn change_user(&mut self, username: &str, change: UserChange) -> Result<usize, AdminError> {
        let (state, hash) = match change {
            UserChange::Disable => (Some(UserState::Disabled), None),
            UserChange::Enable => (Some(UserState::Active), None),
            UserChange::Password(password) => (None, Some(self.hash(password).await?)),
        };
        let key = self.user_key(username);
        let mut tries = self.tries();
        loop {
            let old = self.load::<UserRecord>(&key).await?;
            let account = old.as_ref().and_then(|old| Some((old, old.body.account()?.subject.clone())));
            let Some((old, subject)) = account else { return Err(AdminError::NotFound(format!("user {username}"))) };
            let next = old.body.change(|account| {
                account.state = state.unwrap_or(account.state);
                if let Some(hash) = &hash {
                    account.password_hash.clone_from(hash);
                }
            });
            if let Some(next) = next {
                tries.again()?;
                if self.replace(old, &next).await? == Written::Lost {
                    continue;
                }
                self.event(Event::new(EventKind::UserChanged).subject(Some(&subject)));
            }
            // Disabling twice signs out twice: where the first time failed half way, the second ends it.
            return Ok(match state {
                Some(UserState::Active) => 0,
                Some(UserState::Disabled) | None => self.sign_out_user(&subject).await?,
            });
        }
    }

    /// Disables the user first, so that a deletion that failed half way can be repeated to its end.
    async fn delete_user(&mut self, username: &str) -> Result<usize, AdminError> {
        let mut revoked = self.change_user(username, UserChange::Disable).await?;
        let key = self.user_key(username);
        let mut tries = self.tries();
        loop {
            let old = self.load::<UserRecord>(&key).await?;
            let found = old.as_ref().and_then(|old| Some((old, old.body.account()?, old.body.delete(self.now)?)));
            let Some((old, account, next)) = found else { return Ok(revoked) };
            tries.again_to_end()?;
            // Somebody let the user in again meanwhile, so there may be new grants.
            if account.state == UserState::Active {
                revoked = revoked.saturating_add(self.change_user(username, UserChange::Disable).await?);
                continue;
            }
            if self.replace(old, &next).await? == Written::Done {
                let subject = account.subject.clone();
                self.event(Event::new(EventKind::UserChanged).subject(Some(&subject)));
                return Ok(revoked);
            }
        }
    }

    async fn retire_key(&mut self, id: KeyId) -> Result<(), AdminError> {
        if self.primary()?.id == id {
            let problem =
                Problem::new("encryption_keys", "the primary key cannot be retired; promote another one first");
            return Err(AdminError::Invalid(problem.into()));
        }
        let mut clients: Vec<String> = self.config.clients.keys().cloned().collect();
        clients.extend(
            self.all::<ClientRecord>().await?.iter().filter_map(ClientRecord::client).map(|one| one.client_id.clone()),
        );
        let (mut in_use, mut last) = (0_usize, self.now);
        for client_id in clients {
            let mut listing = Listing::new(self.names().client_tag(&client_id), Kind::Grant);
            while let Some(page) = self.turn(&mut listing).await? {
                for key in page {
                    let Some(stored) = self.load::<Grant>(&key).await? else { continue };
                    let names_key = stored.sealed_under == id || stored.body.names_key(id);
                    match stored.body.is_usable(self.now) {
                        true if names_key => {
                            in_use = in_use.saturating_add(1);
                            last = last.max(stored.body.last_use());
                        }
                        true => {}
                        // It is over, and stays readable until it is swept: a listing that cannot read it would fail.
                        false => self.reseal_key::<Grant>(&key, id).await?,
                    }
                }
            }
        }
        if in_use > 0 {
            return Err(AdminError::KeyInUse(in_use, last));
        }
        self.reseal::<Grant>(id).await?; // those that are revoked, of clients that are gone as well
        self.reseal::<ClientRecord>(id).await?;
        self.reseal::<UserRecord>(id).await?;
        self.reseal::<Consent>(id).await?;
        self.reseal::<Session>(id).await?;
        Ok(self.check_in().await?)
    }

    /// Seals again, under the primary key, every record of a kind that is sealed under `id`.
    async fn reseal<B: Body>(&mut self, id: KeyId) -> Result<(), Refusal> {
        let mut listing = Listing::new(self.names().all_tag(B::KIND), B::KIND);
        while let Some(page) = self.turn(&mut listing).await? {
            for key in page {
                self.reseal_key::<B>(&key, id).await?;
            }
        }
        Ok(())
    }

    async fn reseal_key<B: Body>(&mut self, key: &Key, id: KeyId) -> Result<(), Refusal> {
        let mut tries = self.tries();
        while let Some(stored) = self.load::<B>(key).await?.filter(|stored| stored.sealed_under == id) {
            tries.again_to_end()?;
            if self.replace(&stored, &stored.body).await? == Written::Done {
                break;
            }
        }
        Ok(())
    }
}
