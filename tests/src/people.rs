//! The users of the tests: a table of the host's own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use proofkey::{Authenticator, Secret, StoreError, User, UserAnswer, Users};

use crate::world_file::{UserEntry, world_file};

/// Ada's subject. Her name is `ada@example.com`, her password [`crate::PASSWORD`].
pub const ADA: &str = "u-ada";
/// Bob's subject. His name is `bob`, his password `another long passphrase`.
pub const BOB: &str = "u-bob";

/// Who keeps the users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "tests match on both")]
pub enum Keeper {
    /// The host, in a table of its own.
    Host,
    /// The server, in its store.
    Server,
}

impl Keeper {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Host, Self::Server];
}

#[derive(Clone)]
struct Person {
    name: String,
    user: User,
    hash: String,
    standing: Standing,
}

#[derive(Clone, Copy)]
enum Standing {
    Absent,
    Dismissed,
    Present,
    Unreachable,
}

/// A table of users; clones share it.
#[derive(Clone)]
pub struct People(Arc<Mutex<BTreeMap<String, Person>>>);

impl Default for People {
    fn default() -> Self {
        let person = |entry: &UserEntry| Person {
            name: entry.username.clone(),
            user: entry.user(),
            hash: entry.password_hash.clone(),
            standing: Standing::Present,
        };
        let people = world_file().users.iter().map(|entry| (entry.subject.clone(), person(entry)));
        Self(Arc::new(Mutex::new(people.collect())))
    }
}

impl People {
    fn people(&self) -> MutexGuard<'_, BTreeMap<String, Person>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stand(&self, subject: &str, standing: Standing) {
        if let Some(person) = self.people().get_mut(subject) {
            person.standing = standing;
        }
    }

    /// The user may no longer be signed in.
    pub fn dismiss(&self, subject: &str) {
        self.stand(subject, Standing::Dismissed);
    }

    /// The table cannot be reached where this user is asked for.
    pub fn lose(&self, subject: &str) {
        self.stand(subject, Standing::Unreachable);
    }

    /// All is well with the user again.
    pub fn restore(&self, subject: &str) {
        self.stand(subject, Standing::Present);
    }

    /// The table does not hold the user.
    pub fn remove(&self, subject: &str) {
        self.stand(subject, Standing::Absent);
    }

    /// Gives the user another password hash.
    pub fn set_hash(&self, subject: &str, hash: &str) {
        if let Some(person) = self.people().get_mut(subject) {
            hash.clone_into(&mut person.hash);
        }
    }

    /// The password hash of a user.
    #[must_use]
    pub fn hash_of(&self, subject: &str) -> Option<String> {
        self.people().get(subject).map(|person| person.hash.clone())
    }
}

impl Person {
    fn answer(&self) -> Result<UserAnswer, StoreError> {
        match self.standing {
            Standing::Absent => Ok(UserAnswer::Absent),
            Standing::Dismissed => Ok(UserAnswer::Dismissed),
            Standing::Present => Ok(UserAnswer::Found(self.user.clone().with_password_hash(self.hash.clone()))),
            Standing::Unreachable => Err(StoreError::new("the users' table was told to fail")),
        }
    }
}

impl Users for People {
    fn find(&self, subject: &str) -> Result<UserAnswer, StoreError> {
        self.people().get(subject).map_or(Ok(UserAnswer::Absent), Person::answer)
    }

    fn find_by_name(&self, name: &str) -> Result<UserAnswer, StoreError> {
        let people = self.people();
        let found = people.values().find(|person| person.name.eq_ignore_ascii_case(name));
        found.map_or(Ok(UserAnswer::Absent), Person::answer)
    }

    fn store_password_hash(&self, subject: &str, hash: &str, replaces: Option<&str>) -> Result<bool, StoreError> {
        let mut people = self.people();
        let unchanged = people.get_mut(subject).filter(|person| Some(person.hash.as_str()) == replaces);
        Ok(unchanged.map(|person| hash.clone_into(&mut person.hash)).is_some())
    }
}

/// A host that lets Ada in without looking: for tests that need many codes and no hash.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Admitted;

impl Authenticator for Admitted {
    fn authenticate(&self, _: &str, _: &Secret) -> Result<UserAnswer, StoreError> {
        Ok(UserAnswer::Found(User::new(ADA).with_username("ada@example.com")))
    }

    fn find(&self, subject: &str) -> Result<UserAnswer, StoreError> {
        Ok(UserAnswer::Found(User::new(subject)))
    }
}
