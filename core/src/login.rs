//! Name and password: found by the host, verified here, counted before they are judged.
//!
//! Unknown user, wrong password and disabled user are one answer at one cost (invariant I21).

use crate::browser::visitor::Browser;
use crate::config::{Limit, UserSource};
use crate::event::{Event, EventKind};
use crate::grants::Epochs;
use crate::io::{Io, Written};
use crate::limit::{Counter, Settle, address_bytes};
use crate::password::{MAX_PASSWORD, Verification};
use crate::record::UserRecord;
use crate::refusal::Refusal;
use crate::request::Parameters;
use crate::secret::Secret;
use crate::user::{User, UserAnswer, UserQuestion};
use crate::work::{Outcome, Task};

/// A name longer than this is nobody's.
const MAX_NAME: usize = 255;
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

/// What became of a name and a password.
enum Judged {
    /// They do not fit. The user, if the name is somebody's: what else was typed as a name may be a password, and is
    /// not logged (invariant I20).
    Failed(Option<String>),
    SignedIn(SignedIn),
}

const fn failed() -> Refusal {
    Refusal::access_denied("the name or the password is wrong")
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
        let counters = self.counters(io, browser)?;
        io.take_all(&counters.iter().map(|(counter, _)| counter).collect::<Vec<_>>()).await?;
        let users = io.config.users;
        let judged = match users {
            UserSource::Authenticate => self.ask_host(io, client_id).await,
            UserSource::BuiltIn | UserSource::Find => self.verify(io, client_id).await,
        };
        let signed_in = match judged {
            Ok(Judged::SignedIn(signed_in)) => signed_in,
            Ok(Judged::Failed(subject)) => {
                io.event(Event::new(EventKind::LoginFailed).client_if(client_id).subject(subject.as_deref()));
                return Err(failed());
            }
            Err(refusal) => {
                // No password was judged, so nobody is to be held off for it. Only a host that judges for itself may
                // have failed afterwards, or may call a wrong password a failure.
                if users != UserSource::Authenticate {
                    for (counter, _) in &counters {
                        io.settle_counter(counter, Settle::Refund).await;
                    }
                }
                return Err(refusal);
            }
        };
        for (counter, settle) in &counters {
            io.settle_counter(counter, *settle).await;
        }
        io.event(Event::new(EventKind::LoginSucceeded).client_if(client_id).subject(Some(&signed_in.subject)));
        Ok(signed_in)
    }

    /// Per user and address; per address; per user alone at ten times the first, so that a stranger cannot cheaply lock
    /// the user out. A browser in which this user has signed in before has a counter of its own, so that strangers lock
    /// nobody out of it.
    fn counters(&self, io: &Io, browser: Option<&Browser>) -> Result<Vec<(Counter, Settle)>, Refusal> {
        let settings = &io.config.settings;
        let name = self.name.to_lowercase();
        if let Some(browser) = browser.filter(|browser| browser.knows(&name)) {
            let own = io.counter(settings.limit_user, &[b"user browser", name.as_bytes(), &browser.id[..]])?;
            return Ok(own.into_iter().map(|own| (own, Settle::Clear)).collect());
        }
        let address = io.address.map(address_bytes);
        let alone = settings.limit_user.map(|limit| Limit { failures: limit.failures.saturating_mul(10), ..limit });
        let from = address.unwrap_or_default();
        let by_both = io.counter(settings.limit_user, &[b"user address", name.as_bytes(), &from])?;
        let by_user = io.counter(alone, &[b"user", name.as_bytes()])?;
        let by_address = match address {
            None => None,
            Some(address) => io.counter(settings.limit_address, &[b"address", &address])?,
        };
        let settles = [(by_both, Settle::Clear), (by_address, Settle::Refund), (by_user, Settle::Refund)];
        Ok(settles.into_iter().filter_map(|(counter, settle)| Some((counter?, settle))).collect())
    }

    /// The host verifies for itself. Whose epoch to read is known only afterwards, so the host is asked again, by
    /// subject, whether the user still stands: what was dismissed before the epoch was read gets nothing.
    async fn ask_host(self, io: &mut Io, client_id: Option<&str>) -> Result<Judged, Refusal> {
        let question = UserQuestion::Authenticate { name: self.name, password: self.password };
        let UserAnswer::Found(user) = io.ask_user(question).await? else { return Ok(Judged::Failed(None)) };
        let epochs = io.epochs(Some(&user.subject), client_id).await?;
        let question = UserQuestion::Find { subject: user.subject.clone() };
        let UserAnswer::Found(_) = io.ask_user(question).await? else { return Ok(Judged::Failed(Some(user.subject))) };
        Ok(Judged::SignedIn(SignedIn { subject: user.subject, username: user.username, epochs }))
    }

    async fn verify(self, io: &mut Io, client_id: Option<&str>) -> Result<Judged, Refusal> {
        // The name has to be looked up to know whose epoch to read, and again after it: a password or a standing that
        // is older than the epoch would outlive the sign-out that came with its change (invariant I14). An unknown
        // user costs the same calls.
        let subject = match io.user_by_name(&self.name).await? {
            UserAnswer::Found(user) => user.subject,
            UserAnswer::Absent | UserAnswer::Dismissed => String::new(),
        };
        let epochs = io.epochs(Some(&subject), client_id).await?;
        let user = match io.user_by_name(&self.name).await? {
            UserAnswer::Found(user) if user.subject == subject => Some(user),
            UserAnswer::Found(_) | UserAnswer::Absent | UserAnswer::Dismissed => None,
        };
        let cost = io.config.settings.password_cost;
        let hash = user.as_ref().and_then(|user| user.password_hash.clone());
        let fits = self.password.expose().len() <= MAX_PASSWORD;
        let copy = Secret::new(self.password.expose().into());
        let Outcome::Verified(verified) = io.work(Task::Verify(Verification::new(copy, hash, cost))).await? else {
            return Err(Refusal::server_error("a job came back as another"));
        };
        let Some(user) = user else { return Ok(Judged::Failed(None)) };
        if verified.malformed {
            io.event(Event::new(EventKind::HashMalformed).subject(Some(&user.subject)));
        }
        if !verified.matched {
            return Ok(Judged::Failed(Some(user.subject)));
        }
        if verified.rehash_wanted && fits {
            io.rehash(&user, &self.name, self.password, cost).await;
        }
        let username = user.username.or(Some(self.name));
        Ok(Judged::SignedIn(SignedIn { subject: user.subject, username, epochs }))
    }
}

impl Io {
    async fn user_by_name(&mut self, name: &str) -> Result<UserAnswer, Refusal> {
        if self.config.users != UserSource::BuiltIn {
            return self.ask_user(UserQuestion::FindByName { name: name.to_owned() }).await;
        }
        let key = self.user_key(name);
        let found = self.load::<UserRecord>(&key).await?;
        Ok(found.map_or(UserAnswer::Absent, |stored| stored.body.answer()))
    }

    /// Replaces a hash whose cost has changed. A lost race, a full work queue or a host that cannot does not fail the
    /// login: the next one tries again.
    async fn rehash(&mut self, user: &User, typed: &str, password: Secret, cost: u32) {
        let salt = self.random();
        let Ok(Outcome::Hashed(Ok(hash))) = self.work(Task::Hash { password, cost, salt }).await else { return };
        let replaced = if self.config.users == UserSource::BuiltIn {
            let name = user.username.as_deref().unwrap_or_default();
            let key = self.user_key(name);
            let Ok(Some(stored)) = self.load::<UserRecord>(&key).await else { return };
            // Another hash than the one that was verified: the password was changed meanwhile.
            let unchanged = stored
                .body
                .account()
                .is_some_and(|account| Some(&account.password_hash) == user.password_hash.as_ref());
            let next = stored.body.change(|account| account.password_hash = hash).filter(|_| unchanged);
            match next {
                None => false,
                Some(next) => matches!(self.replace(&stored, &next).await, Ok(Written::Done)),
            }
        } else {
            // The host keeps what it is told, so it is asked once more: hashing takes as long as changing a password.
            let Ok(UserAnswer::Found(now)) = self.user_by_name(typed).await else { return };
            if now.subject != user.subject || now.password_hash != user.password_hash {
                return;
            }
            let question = UserQuestion::StorePasswordHash { subject: user.subject.clone(), hash };
            self.ask_user(question).await.is_ok()
        };
        if replaced {
            self.event(Event::new(EventKind::HashReplaced).subject(Some(&user.subject)));
        }
    }
}
