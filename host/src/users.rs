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

    /// The user who signs in with this name, with a bcrypt hash of the password.
    ///
    /// # Errors
    /// If the host cannot tell.
    fn find_by_name(&self, name: &str) -> Result<UserAnswer, StoreError>;

    /// Keeps a new hash after the configured cost changed, of the password that was just verified. The default keeps
    /// none. That the hash before it is still the one of [`Users::find_by_name`] was looked up a moment ago.
    ///
    /// # Errors
    /// If it could not be kept; the login goes on.
    fn store_password_hash(&self, subject: &str, hash: &str) -> Result<(), StoreError> {
        let _ = (subject, hash);
        Ok(())
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
    fn store_password_hash<'a>(&'a self, subject: &'a str, hash: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        let _ = (subject, hash);
        Box::pin(async { Ok(()) })
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

/// Answers a question of a flow from a table of users.
pub(crate) fn look_up(users: &dyn Users, question: &UserQuestion) -> Result<UserAnswer, StoreError> {
    match question {
        UserQuestion::Find { subject } => users.find(subject),
        UserQuestion::FindByName { name } => users.find_by_name(name),
        UserQuestion::StorePasswordHash { subject, hash } => {
            users.store_password_hash(subject, hash).map(|()| UserAnswer::Absent)
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
        UserQuestion::StorePasswordHash { subject, hash } => {
            users.store_password_hash(subject, hash).await.map(|()| UserAnswer::Absent)
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
