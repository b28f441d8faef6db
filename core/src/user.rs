//! Users as the host knows them, and the questions a flow asks about them.

use std::fmt;

use serde_json::{Map, Value};

use crate::Secret;

/// What a flow asks the host about its users.
#[non_exhaustive]
pub enum UserQuestion {
    /// Who signs in with this name and this password? Asked of hosts that verify for themselves (LDAP and the like);
    /// such a host must take the same time for an unknown name as for a wrong password.
    Authenticate {
        /// The name as it was typed.
        name: String,
        /// The password as it was typed.
        password: Secret,
    },
    /// Who has this subject identifier?
    Find {
        /// The identifier that the host gave in an earlier answer.
        subject: String,
    },
    /// Who signs in with this name?
    FindByName {
        /// The name as it was typed.
        name: String,
    },
    /// Replace the stored password hash, because its cost changed or the user has chosen another password. Answered by
    /// [`UserAnswer::Stored`] if that was done; a host that keeps none, or finds another hash than the one to replace,
    /// answers [`UserAnswer::Absent`].
    StorePasswordHash {
        /// Whose hash.
        subject: String,
        /// The new hash in bcrypt's text form.
        hash: String,
        /// The hash that it replaces, as the host gave it; none where it gave none. A host that compares and swaps by
        /// it loses no change that is made at the same moment.
        replaces: Option<String>,
    },
}

impl fmt::Debug for UserQuestion {
    /// A password hash can be guessed at, so it is printed no more than a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (question, of, text) = match self {
            Self::Authenticate { name, .. } => ("Authenticate", "name", name),
            Self::Find { subject } => ("Find", "subject", subject),
            Self::FindByName { name } => ("FindByName", "name", name),
            Self::StorePasswordHash { subject, .. } => ("StorePasswordHash", "subject", subject),
        };
        f.debug_struct(question).field(of, text).finish_non_exhaustive()
    }
}

/// The host's answer to a [`UserQuestion`].
#[derive(Debug)]
#[non_exhaustive]
pub enum UserAnswer {
    /// There is no such user: refused, without effect on existing grants.
    Absent,
    /// The user existed and may no longer be signed in: at a refresh this ends the grant.
    Dismissed,
    /// The user.
    Found(User),
    /// The password hash is stored: the answer to [`UserQuestion::StorePasswordHash`], and to nothing else.
    Stored,
}

impl UserAnswer {
    /// The user who was found, if it is the one of this subject.
    pub(crate) fn of(self, subject: &str) -> Option<User> {
        match self {
            Self::Found(user) if user.subject == subject => Some(user),
            Self::Absent | Self::Dismissed | Self::Found(_) | Self::Stored => None,
        }
    }
}

/// A user of the host.
#[derive(Clone)]
pub struct User {
    pub(crate) subject: String,
    pub(crate) username: Option<String>,
    pub(crate) password_hash: Option<String>,
    pub(crate) claims: Map<String, Value>,
}

impl User {
    /// A user with a stable subject identifier: 1 to 255 characters, never given to anybody else.
    #[must_use]
    pub fn new(subject: impl Into<String>) -> Self {
        Self { subject: subject.into(), username: None, password_hash: None, claims: Map::new() }
    }

    /// The same user, with the name shown to resource servers that may see it.
    #[must_use]
    pub fn with_username(mut self, username: impl Into<String>) -> Self {
        self.username = Some(username.into());
        self
    }

    /// The same user, with a bcrypt hash (`$2a$`, `$2b$` or `$2y$`) for proofkey to verify.
    #[must_use]
    pub fn with_password_hash(mut self, hash: impl Into<String>) -> Self {
        self.password_hash = Some(hash.into());
        self
    }

    /// The same user, with one claim more. Which scope shows it is set by the configured scopes.
    #[must_use]
    pub fn with_claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.claims.insert(name.into(), value.into());
        self
    }

    /// The subject identifier.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The name, if the host gave one.
    #[must_use]
    pub fn username(&self) -> Option<&str> {
        self.username.as_deref()
    }

    /// The claims.
    #[must_use]
    pub const fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").field("subject", &self.subject).finish_non_exhaustive()
    }
}
