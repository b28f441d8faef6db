//! Name and password: found by the host, verified here, counted before they are judged.
//!
//! Unknown user, wrong password and disabled user are one answer at one cost (invariant I21).

use crate::attempt::{Attempt, Judge, Judged};
use crate::browser::visitor::Browser;
use crate::config::UserSource;
use crate::event::{Event, EventKind};
use crate::grants::Epochs;
use crate::io::Io;
use crate::new_password::Swapped;
use crate::password::MAX_PASSWORD;
use crate::record::Active;
use crate::refusal::Refusal;
use crate::request::Parameters;
use crate::secret::Secret;
use crate::user::{User, UserAnswer, UserQuestion};
use crate::work::{Outcome, Task};

/// A name longer than this is nobody's.
pub(crate) const MAX_NAME: usize = 255;
/// A password longer than this is not even hashed.
const MAX_TYPED: usize = 4096;

/// A name and a password as they were typed.
pub(crate) struct Login {
    name: String,
    password: Secret,
}

/// Who signed in, and the epochs that were in force before the password was looked at.
pub(crate) struct SignedIn {
    pub(crate) subject: String,
    pub(crate) username: Option<String>,
    pub(crate) epochs: Epochs,
}

/// Who is signed in and has shown the password again.
pub(crate) struct Confirmed {
    pub(crate) user: User,
    /// As typed, or as the host calls the user: under this the user was found.
    pub(crate) name: String,
    pub(crate) epochs: Epochs,
}

impl Login {
    /// Reads `username` or `email`, and `password`.
    pub(crate) fn read(parameters: &mut Parameters) -> Result<Self, Refusal> {
        let name = match (parameters.text("username"), parameters.text("email")) {
            (Some(_), Some(_)) => return Err(Refusal::invalid_request("username and email are both given")),
            (Some(name), None) | (None, Some(name)) => name.to_owned(),
            (None, None) => return Err(Refusal::invalid_request("username or email is missing")),
        };
        let password = parameters.take("password").ok_or(Refusal::invalid_request("password is missing"))?;
        Self::typed(&name, password)
    }

    /// A name and a password from a form.
    pub(crate) fn typed(name: &str, password: Secret) -> Result<Self, Refusal> {
        if name.chars().count() > MAX_NAME || password.expose().len() > MAX_TYPED {
            return Err(Refusal::invalid_request("the name or the password is too long"));
        }
        Ok(Self { name: name.to_owned(), password })
    }

    /// Signs the user in: to a client, or to the pages themselves, from a browser that may be known.
    pub(crate) async fn run(
        self,
        io: &mut Io,
        client_id: Option<&str>,
        browser: Option<&Browser>,
    ) -> Result<SignedIn, Refusal> {
        let attempt = Attempt::count(io, &self.name, browser).await?;
        let (judge, judged) = match io.config.users {
            UserSource::Authenticate => (Judge::Host, self.ask_host(io, client_id).await),
            UserSource::BuiltIn | UserSource::Find => (Judge::Ourselves, self.verify(io, client_id).await),
        };
        let signed_in = attempt.conclude(io, client_id, judge, judged).await?;
        io.event(Event::new(EventKind::LoginSucceeded).client_if(client_id).subject(Some(&signed_in.subject)));
        Ok(signed_in)
    }

    /// Has somebody who is signed in show the password again: the same limits, the same cost.
    pub(crate) async fn confirm(
        self,
        io: &mut Io,
        active: &Active,
        browser: Option<&Browser>,
    ) -> Result<Confirmed, Refusal> {
        let attempt = Attempt::count(io, &self.name, browser).await?;
        let judged = self.verify_again(io, active).await;
        attempt.conclude(io, None, Judge::Ourselves, judged).await
    }

    /// The host verifies for itself. Whose epoch to read is known only afterwards, so the host is asked again, by
    /// subject, whether the user still stands: what was dismissed before the epoch was read gets nothing.
    async fn ask_host(self, io: &mut Io, client_id: Option<&str>) -> Result<Judged<SignedIn>, Refusal> {
        let question = UserQuestion::Authenticate { name: self.name, password: self.password };
        let UserAnswer::Found(user) = io.ask_user(question).await? else { return Ok(Judged::Failed(None)) };
        let epochs = io.epochs(Some(&user.subject), client_id).await?;
        let question = UserQuestion::Find { subject: user.subject.clone() };
        let UserAnswer::Found(_) = io.ask_user(question).await? else { return Ok(Judged::Failed(Some(user.subject))) };
        Ok(Judged::Right(SignedIn { subject: user.subject, username: user.username, epochs }))
    }

    async fn verify(self, io: &mut Io, client_id: Option<&str>) -> Result<Judged<SignedIn>, Refusal> {
        // The name has to be looked up to know whose epoch to read, and again after it: a password or a standing that
        // is older than the epoch would outlive the sign-out that came with its change (invariant I14). An unknown
        // user costs the same calls.
        let subject = match io.user_by_name(&self.name).await? {
            UserAnswer::Found(user) => user.subject,
            UserAnswer::Absent | UserAnswer::Dismissed | UserAnswer::Stored => String::new(),
        };
        let epochs = io.epochs(Some(&subject), client_id).await?;
        let user = io.user_by_name(&self.name).await?.of(&subject);
        let verified = io.verify(user.as_ref(), &self.password).await?;
        let Some(user) = user else { return Ok(Judged::Failed(None)) };
        if !verified.matched {
            return Ok(Judged::Failed(Some(user.subject)));
        }
        if verified.rehash_wanted && self.password.expose().len() <= MAX_PASSWORD {
            io.rehash(&user, &self.name, self.password).await;
        }
        let username = user.username.or(Some(self.name));
        Ok(Judged::Right(SignedIn { subject: user.subject, username, epochs }))
    }

    async fn verify_again(self, io: &mut Io, active: &Active) -> Result<Judged<Confirmed>, Refusal> {
        let epochs = io.epochs(Some(&active.subject), None).await?;
        if !active.is_of_epoch(epochs.user()) {
            return Err(Refusal::signed_out());
        }
        let mut user = io.user_by_name(&self.name).await?.of(&active.subject);
        if user.is_none() {
            // What the host calls the user may not be what the user types.
            let found = io.user_by_subject(active.subject.clone(), active.username.as_deref()).await?;
            user = found.of(&active.subject);
        }
        let verified = io.verify(user.as_ref(), &self.password).await?;
        Ok(match user {
            Some(user) if verified.matched => Judged::Right(Confirmed { user, name: self.name, epochs }),
            _ => Judged::Failed(Some(active.subject.clone())),
        })
    }
}

impl Io {
    /// Replaces a hash whose cost has changed. A lost race, a full work queue or a host that cannot does not fail the
    /// login: the next one tries again.
    async fn rehash(&mut self, user: &User, typed: &str, password: Secret) {
        let (cost, salt) = (self.config.settings.password_cost, self.random());
        let Ok(Outcome::Hashed(Ok(hash))) = self.work(Task::Hash { password, cost, salt }).await else { return };
        if self.config.users == UserSource::Find {
            // A host need not compare, so it is asked once more: hashing takes as long as changing a password.
            let Ok(UserAnswer::Found(now)) = self.user_by_name(typed).await else { return };
            if now.subject != user.subject || now.password_hash != user.password_hash {
                return;
            }
        }
        if matches!(self.swap_hash(user, typed, &hash).await, Ok(Swapped::Done)) {
            self.event(Event::new(EventKind::HashReplaced).subject(Some(&user.subject)));
        }
    }
}
