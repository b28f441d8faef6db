//! The host's users: it finds them, proofkey verifies their passwords; or, for LDAP and the like, it does both.

use proofkey_core::{Secret, StoreError, UserAnswer, UserQuestion};

#[cfg(feature = "tokio")]
use crate::BoxFuture;

/// A table of users in which the host looks up. proofkey verifies the password, so equal timing, limits, the length
/// rule and rehashing hold without the host's doing.
///
/// Called from any thread. An error is answered to the client by a 503; "no such user" is never an error.
pub trait Users: Send + Sync {
    /// The user of this subject identifier: asked at a refresh and at `/userinfo`. [`UserAnswer::Dismissed`] ends the
    /// grant, [`UserAnswer::Absent`] refuses without effect.
    ///
    /// # Errors
    /// If the host cannot tell.
    fn find(&self, subject: &str) -> Result<UserAnswer, StoreError>;

    /// The user who signs in with this name, with a bcrypt hash of the password. It takes the name that it gives with
    /// the user as well, or [`Users::find`] gives the hash too: so a user who is signed in is found to change it.
    ///
    /// # Errors
    /// If the host cannot tell.
    fn find_by_name(&self, name: &str) -> Result<UserAnswer, StoreError>;

    /// Keeps a new hash: after the configured cost changed, or because the user has chosen another password. Whether it
    /// is kept; the default keeps none, and then nobody can change or reset a password on our pages.
    ///
    /// # Security
    /// `replaces` is the hash that was found before. To be kept only while that is the stored one, by one statement
    /// (`update .. where subject = ? and hash = ?`): else two changes at the same moment both succeed, and a link that
    /// sets a password may work twice.
    ///
    /// # Errors
    /// If it could not be kept. A login goes on all the same.
    fn store_password_hash(&self, subject: &str, hash: &str, replaces: Option<&str>) -> Result<bool, StoreError> {
        let _ = (subject, hash, replaces);
        Ok(false)
    }
}

/// A host that verifies passwords itself.
///
/// # Security
/// An unknown name must cost as much time as a wrong password, else the time tells who exists (invariant I21). Where
/// the host has a hash at hand, implement [`Users`] instead: then proofkey sees to that.
pub trait Authenticator: Send + Sync {
    /// The user with this name and this password. [`UserAnswer::Absent`] stands for every failure.
    ///
    /// # Errors
    /// If the host cannot tell.
    fn authenticate(&self, name: &str, password: &Secret) -> Result<UserAnswer, StoreError>;

    /// As [`Users::find`].
    ///
    /// # Errors
    /// If the host cannot tell.
    fn find(&self, subject: &str) -> Result<UserAnswer, StoreError>;
}

/// [`Users`] for hosts whose look-ups are futures.
#[cfg(feature = "tokio")]
pub trait AsyncUsers: Send + Sync {
    /// As [`Users::find`].
    fn find<'a>(&'a self, subject: &'a str) -> BoxFuture<'a, Result<UserAnswer, StoreError>>;

    /// As [`Users::find_by_name`].
    fn find_by_name<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<UserAnswer, StoreError>>;

    /// As [`Users::store_password_hash`].
    fn store_password_hash<'a>(
        &'a self,
        subject: &'a str,
        hash: &'a str,
        replaces: Option<&'a str>,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        let _ = (subject, hash, replaces);
        Box::pin(async { Ok(false) })
    }
}

/// [`Authenticator`] for hosts whose checks are futures; the same duty of equal time.
#[cfg(feature = "tokio")]
pub trait AsyncAuthenticator: Send + Sync {
    /// As [`Authenticator::authenticate`].
    fn authenticate<'a>(&'a self, name: &'a str, password: &'a Secret)
    -> BoxFuture<'a, Result<UserAnswer, StoreError>>;

    /// As [`Users::find`].
    fn find<'a>(&'a self, subject: &'a str) -> BoxFuture<'a, Result<UserAnswer, StoreError>>;
}

fn not_asked() -> StoreError {
    StoreError::new("the host's users do not answer this question")
}

const fn stored(kept: bool) -> UserAnswer {
    if kept { UserAnswer::Stored } else { UserAnswer::Absent }
}

/// Answers a question of a flow from a table of users.
pub(crate) fn look_up(users: &dyn Users, question: &UserQuestion) -> Result<UserAnswer, StoreError> {
    match question {
        UserQuestion::Find { subject } => users.find(subject),
        UserQuestion::FindByName { name } => users.find_by_name(name),
        UserQuestion::StorePasswordHash { subject, hash, replaces } => {
            users.store_password_hash(subject, hash, replaces.as_deref()).map(stored)
        }
        _ => Err(not_asked()),
    }
}

/// Answers a question of a flow by a host that verifies for itself.
pub(crate) fn authenticate(host: &dyn Authenticator, question: &UserQuestion) -> Result<UserAnswer, StoreError> {
    match question {
        UserQuestion::Authenticate { name, password } => host.authenticate(name, password),
        UserQuestion::Find { subject } => host.find(subject),
        _ => Err(not_asked()),
    }
}

/// [`look_up`] for futures.
#[cfg(feature = "tokio")]
pub(crate) async fn look_up_async(users: &dyn AsyncUsers, question: &UserQuestion) -> Result<UserAnswer, StoreError> {
    match question {
        UserQuestion::Find { subject } => users.find(subject).await,
        UserQuestion::FindByName { name } => users.find_by_name(name).await,
        UserQuestion::StorePasswordHash { subject, hash, replaces } => {
            users.store_password_hash(subject, hash, replaces.as_deref()).await.map(stored)
        }
        _ => Err(not_asked()),
    }
}

/// [`authenticate`] for futures.
#[cfg(feature = "tokio")]
pub(crate) async fn authenticate_async(
    host: &dyn AsyncAuthenticator,
    question: &UserQuestion,
) -> Result<UserAnswer, StoreError> {
    match question {
        UserQuestion::Authenticate { name, password } => host.authenticate(name, password).await,
        UserQuestion::Find { subject } => host.find(subject).await,
        _ => Err(not_asked()),
    }
}
