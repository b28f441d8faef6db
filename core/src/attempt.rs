//! One attempt at a password: counted before it is judged, and what its outcome does to the counters.

use crate::browser::visitor::Browser;
use crate::config::Limit;
use crate::event::{Event, EventKind};
use crate::io::Io;
use crate::limit::{Counter, Settle, address_bytes};
use crate::refusal::Refusal;

/// An attempt that was counted.
pub(crate) struct Attempt(Vec<(Counter, Settle)>);

/// What became of a password.
pub(crate) enum Judged<T> {
    /// It does not fit. The user, if the name is somebody's: what else was typed as a name may be a password, and is
    /// not logged (invariant I20).
    Failed(Option<String>),
    Right(T),
}

/// Who judges passwords.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judge {
    /// A host that may have failed after it judged, or may call a wrong password a failure.
    Host,
    Ourselves,
}

impl Attempt {
    /// Counts an attempt at the password of a name: per user and address; per address; per user alone at ten times the
    /// first, so that a stranger cannot cheaply lock the user out. A browser in which this user has signed in before
    /// has a counter of its own, so that strangers lock nobody out of it.
    pub(crate) async fn count(io: &mut Io, name: &str, browser: Option<&Browser>) -> Result<Self, Refusal> {
        let name = name.to_lowercase();
        let generation = io.attempts_generation(&name).await?;
        let attempt = Self(counters(io, &name, generation.as_bytes(), browser)?);
        io.take_all(&attempt.0.iter().map(|(counter, _)| counter).collect::<Vec<_>>()).await?;
        Ok(attempt)
    }

    /// Settles the counters by what became of the password.
    pub(crate) async fn conclude<T>(
        self,
        io: &mut Io,
        client_id: Option<&str>,
        judge: Judge,
        judged: Result<Judged<T>, Refusal>,
    ) -> Result<T, Refusal> {
        match judged {
            Ok(Judged::Right(value)) => {
                for (counter, settle) in &self.0 {
                    io.settle_counter(counter, *settle).await;
                }
                Ok(value)
            }
            Ok(Judged::Failed(subject)) => {
                io.event(Event::new(EventKind::LoginFailed).client_if(client_id).subject(subject.as_deref()));
                Err(Refusal::access_denied("the name or the password is wrong"))
            }
            Err(refusal) => {
                // No password was judged, so nobody is to be held off for it.
                if judge == Judge::Ourselves {
                    for (counter, _) in &self.0 {
                        io.settle_counter(counter, Settle::Refund).await;
                    }
                }
                Err(refusal)
            }
        }
    }
}

fn counters(
    io: &Io,
    name: &str,
    generation: &[u8],
    browser: Option<&Browser>,
) -> Result<Vec<(Counter, Settle)>, Refusal> {
    let settings = &io.config.settings;
    let of_name = |limit, parts: &[&[u8]]| {
        // Nothing is added before the first time that limits are lifted.
        let parts = parts.iter().copied().chain((!generation.is_empty()).then_some(generation));
        io.counter(limit, &parts.collect::<Vec<_>>())
    };
    if let Some(browser) = browser.filter(|browser| browser.knows(name)) {
        let own = of_name(settings.limit_user, &[b"user browser", name.as_bytes(), &browser.id[..]])?;
        return Ok(own.into_iter().map(|own| (own, Settle::Clear)).collect());
    }
    let address = io.address.map(address_bytes);
    let alone = settings.limit_user.map(|limit| Limit { failures: limit.failures.saturating_mul(10), ..limit });
    let from = address.unwrap_or_default();
    let by_both = of_name(settings.limit_user, &[b"user address", name.as_bytes(), &from])?;
    let by_user = of_name(alone, &[b"user", name.as_bytes()])?;
    let by_address = match address {
        None => None,
        Some(address) => io.counter(settings.limit_address, &[b"address", &address])?,
    };
    let settles = [(by_both, Settle::Clear), (by_address, Settle::Refund), (by_user, Settle::Refund)];
    Ok(settles.into_iter().filter_map(|(counter, settle)| Some((counter?, settle))).collect())
}

impl Io {
    /// The generation of the counters of a name, in lower case: none until somebody lifted them. Asked for every name,
    /// whoever has it.
    async fn attempts_generation(&mut self, name: &str) -> Result<String, Refusal> {
        if self.config.settings.limit_user.is_none() {
            return Ok(String::new());
        }
        let key = self.names().attempts(name);
        Ok(self.epoch(&key).await?.map(|version| version.as_str().to_owned()).unwrap_or_default())
    }

    /// Lets all counters of a name begin anew; those of addresses stay.
    pub(crate) async fn lift_limits(&mut self, name: &str) -> Result<(), Refusal> {
        let key = self.names().attempts(&name.to_lowercase());
        // A counter of the generation before runs no longer than this.
        let window = self.config.settings.limit_user.map(|limit| limit.window).unwrap_or_default();
        self.raise_epoch(&key, self.now.after(window)).await?;
        self.event(Event::new(EventKind::LimitsLifted).detail(name));
        Ok(())
    }
}
