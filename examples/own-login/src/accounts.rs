//! The people of this service, who sign in with a password and a code: a table, as any service has one.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use proofkey::{StoreError, User, UserAnswer, Users};

use crate::totp;

/// So many wrong passwords or codes of one account, and nothing more is right for a while.
const MOST_FAILURES: u32 = 5;
const A_WHILE: u64 = 15 * 60;
/// What an unknown name is compared with, so that it takes as long as a known one: the hash of a random text.
const NOBODY: &str = "$2b$12$eVTqzmj0eXBmYbSPSyhK2.Pw2J3G4.tVmfQdfb/neAg8mYpmwRYmG";

pub(crate) struct Account {
    pub(crate) id: &'static str,
    pub(crate) email: &'static str,
    pub(crate) password_hash: &'static str,
    pub(crate) totp_secret: &'static [u8],
    pub(crate) active: bool,
}

/// What is remembered of an account's attempts.
#[derive(Default)]
struct Attempts {
    failures: u32,
    last_failure: u64,
    /// No code is good twice (RFC 6238 section 5.2).
    last_step: u64,
}

pub(crate) struct Accounts {
    rows: Vec<Account>,
    attempts: Mutex<BTreeMap<&'static str, Attempts>>,
}

impl Accounts {
    pub(crate) fn new(rows: Vec<Account>) -> Self {
        Self { rows, attempts: Mutex::default() }
    }

    /// Whose name and password these are. Takes a quarter of a second, whoever it is.
    pub(crate) fn with_password(&self, email: &str, password: &str, now: u64) -> Option<&Account> {
        let account = self.rows.iter().find(|account| account.active && account.email.eq_ignore_ascii_case(email));
        let hash = account.map_or(NOBODY, |account| account.password_hash);
        let fits = password.len() <= 71 && bcrypt::verify(password, hash).unwrap_or(false); // bcrypt sees no more
        let account = account?;
        self.judge(account.id, now, |_| fits).then_some(account)
    }

    /// Whether the authenticator app of the account shows this code.
    pub(crate) fn has_code(&self, id: &str, typed: &str, now: u64) -> bool {
        let Some(account) = self.find_row(id) else { return false };
        self.judge(account.id, now, |attempts| {
            let step = totp::typed_at(account.totp_secret, typed, now).filter(|step| *step > attempts.last_step);
            attempts.last_step = step.unwrap_or(attempts.last_step);
            step.is_some()
        })
    }

    fn find_row(&self, id: &str) -> Option<&Account> {
        self.rows.iter().find(|account| account.active && account.id == id)
    }

    /// Counts what is wrong; after too much of it nothing is looked at.
    fn judge(&self, id: &'static str, now: u64, fits: impl FnOnce(&mut Attempts) -> bool) -> bool {
        let mut all = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        let attempts = all.entry(id).or_default();
        if now >= attempts.last_failure + A_WHILE {
            attempts.failures = 0;
        }
        if attempts.failures >= MOST_FAILURES {
            return false;
        }
        let fits = fits(attempts);
        if !fits {
            attempts.failures += 1;
            attempts.last_failure = now;
        }
        fits
    }
}

/// proofkey asks whether somebody still works here: before a code is issued, and at each refresh.
impl Users for Accounts {
    fn find(&self, subject: &str) -> Result<UserAnswer, StoreError> {
        Ok(match self.rows.iter().find(|account| account.id == subject) {
            None => UserAnswer::Absent,
            Some(account) if !account.active => UserAnswer::Dismissed,
            Some(account) => UserAnswer::Found(User::new(account.id).with_username(account.email)),
        })
    }

    /// Never asked: people sign in on our page.
    fn find_by_name(&self, _: &str) -> Result<UserAnswer, StoreError> {
        Ok(UserAnswer::Absent)
    }
}
