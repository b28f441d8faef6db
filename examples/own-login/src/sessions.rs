//! Who is signed in to this service: a cookie with a random name for what is kept here.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::HeaderMap;
use axum::http::header::COOKIE;

/// How long a sign-in lasts, and how long one may take from the password to the code, in seconds.
const LASTS: u64 = 12 * 3600;
const MAY_TAKE: u64 = 5 * 60;

/// How far somebody has come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The password was right. That is no sign-in.
    Password,
    /// The code, too.
    SignedIn,
}

#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) subject: String,
    pub(crate) stage: Stage,
    /// When it came to that stage, in seconds since 1970.
    pub(crate) since: u64,
}

#[derive(Default)]
pub(crate) struct Sessions(Mutex<BTreeMap<String, Session>>);

impl Sessions {
    /// The session of a request, if it has come to `stage`.
    pub(crate) fn at(&self, stage: Stage, headers: &HeaderMap, now: u64) -> Option<Session> {
        let lifetime = if stage == Stage::SignedIn { LASTS } else { MAY_TAKE };
        let found = cookies(headers).find_map(|name| self.all().get(name).cloned());
        found.filter(|session| session.stage == stage && now < session.since + lifetime)
    }

    /// Puts a session in the place of what the request came with. Returns its cookie: each stage has a new one, so that
    /// whoever planted the one before has nothing.
    pub(crate) fn start(&self, headers: &HeaderMap, session: Session) -> Result<String, getrandom::Error> {
        let mut random = [0; 16];
        getrandom::fill(&mut random)?;
        let name = format!("{:032x}", u128::from_be_bytes(random));
        let mut all = self.all();
        cookies(headers).for_each(|old| drop(all.remove(old)));
        all.retain(|_, one| session.since < one.since + LASTS);
        all.insert(name.clone(), session);
        // A service on https adds `; Secure`.
        Ok(format!("example-session={name}; Path=/; HttpOnly; SameSite=Lax"))
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split("; ")).filter_map(|pair| pair.strip_prefix("example-session="))
}
