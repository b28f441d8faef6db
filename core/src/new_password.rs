//! A new password in the place of another: by the rules, and only where the hash that it replaces is still in force.

use crate::config::UserSource;
use crate::event::{Event, EventKind};
use crate::io::{Io, Written};
use crate::password::{PasswordError, Verification, Verified};
use crate::record::UserRecord;
use crate::refusal::Refusal;
use crate::secret::Secret;
use crate::user::{User, UserAnswer, UserQuestion};
use crate::work::{Outcome, Task};

/// What became of a new hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Swapped {
    /// It is stored.
    Done,
    /// Another hash than the one that it replaces is in force.
    Foreign,
    /// The user's record was changed at the same moment: look again.
    Lost,
    /// The host keeps no hashes.
    Unkept,
}

impl Io {
    /// Verifies a password against the hash of a user, or against nobody's, at the configured cost.
    pub(crate) async fn verify(&mut self, user: Option<&User>, password: &Secret) -> Result<Verified, Refusal> {
        let hash = user.and_then(|user| user.password_hash.clone());
        let copy = Secret::new(password.expose().into());
        let task = Task::Verify(Verification::new(copy, hash, self.config.settings.password_cost));
        match self.work(task).await? {
            Outcome::Verified(verified) => {
                if let Some(user) = user.filter(|_| verified.malformed) {
                    self.event(Event::new(EventKind::HashMalformed).subject(Some(&user.subject)));
                }
                Ok(verified)
            }
            Outcome::Hashed(_) => Err(mixed_up()),
        }
    }

    /// Whether a password may be set.
    pub(crate) fn check_new(&self, password: &Secret) -> Result<(), PasswordError> {
        self.config.password_rules.check(password.expose())
    }

    /// Makes a hash of a password, if it may be set.
    pub(crate) async fn hash_new(&mut self, password: Secret) -> Result<Result<String, PasswordError>, Refusal> {
        if let Err(error) = self.check_new(&password) {
            return Ok(Err(error));
        }
        let task = Task::Hash { password, cost: self.config.settings.password_cost, salt: self.random() };
        match self.work(task).await? {
            Outcome::Hashed(hash) => Ok(hash),
            Outcome::Verified(_) => Err(mixed_up()),
        }
    }

    /// Replaces the hash with which `user` was found under `name`, if that is still in force.
    pub(crate) async fn replace_hash(&mut self, user: &User, name: &str, hash: &str) -> Result<Swapped, Refusal> {
        let mut tries = self.tries();
        loop {
            tries.again()?;
            match self.swap_hash(user, name, hash).await? {
                Swapped::Lost => {}
                swapped => return Ok(swapped),
            }
        }
    }

    /// The same, by one write.
    pub(crate) async fn swap_hash(&mut self, user: &User, name: &str, hash: &str) -> Result<Swapped, Refusal> {
        if self.config.users == UserSource::BuiltIn {
            let key = self.user_key(name);
            let Some(stored) = self.load::<UserRecord>(&key).await? else { return Ok(Swapped::Foreign) };
            let account = stored.body.account().filter(|account| account.subject == user.subject);
            if account.is_none_or(|account| Some(&account.password_hash) != user.password_hash.as_ref()) {
                return Ok(Swapped::Foreign);
            }
            let next = stored.body.change(|account| hash.clone_into(&mut account.password_hash));
            let Some(next) = next else { return Ok(Swapped::Done) };
            return Ok(match self.replace(&stored, &next).await? {
                Written::Done => Swapped::Done,
                Written::Lost => Swapped::Lost,
            });
        }
        let question = UserQuestion::StorePasswordHash {
            subject: user.subject.clone(),
            hash: hash.to_owned(),
            replaces: user.password_hash.clone(),
        };
        if matches!(self.ask_user(question).await?, UserAnswer::Stored) {
            return Ok(Swapped::Done);
        }
        let UserAnswer::Found(now) = self.user_by_name(name).await? else { return Ok(Swapped::Foreign) };
        let same = now.subject == user.subject && now.password_hash == user.password_hash;
        Ok(if same { Swapped::Unkept } else { Swapped::Foreign })
    }

    /// The user who signs in with a name.
    pub(crate) async fn user_by_name(&mut self, name: &str) -> Result<UserAnswer, Refusal> {
        if self.config.users != UserSource::BuiltIn {
            return self.ask_user(UserQuestion::FindByName { name: name.to_owned() }).await;
        }
        let key = self.user_key(name);
        let found = self.load::<UserRecord>(&key).await?;
        Ok(found.map_or(UserAnswer::Absent, |stored| stored.body.answer()))
    }
}

fn mixed_up() -> Refusal {
    Refusal::server_error("a job came back as another")
}
