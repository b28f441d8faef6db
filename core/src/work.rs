//! CPU-heavy and pure: jobs that leave a flow, run anywhere, and come back.

use std::collections::BTreeMap;
use std::fmt;

use sha2::{Digest, Sha256};

use crate::password::{self, PasswordError, Verification, Verified};
use crate::secret::Secret;

/// A job that takes milliseconds to a second of processor time: a password hash to compute or to verify.
///
/// It is `Send`, owns all it needs, and may outlive its flow. A host bounds how many run at once by `work_limit`.
#[must_use = "a job that is not run answers nobody"]
pub struct Job {
    pub(crate) flow: u64,
    pub(crate) task: Task,
}

pub(crate) enum Task {
    Hash { password: Secret, cost: u32, salt: [u8; 16] },
    Verify(Verification),
}

impl Job {
    /// As [`Job::run`], but an equal job is run once only. For simulations, which meet the same few passwords a
    /// million times; a server must not, since the time of an answer would tell who was here before.
    #[must_use]
    pub fn recall(self, memo: &mut Memo) -> Worked {
        let (flow, digest) = (self.flow, self.digest());
        let outcome = memo.0.entry(digest).or_insert_with(|| self.run().outcome).clone();
        Worked { flow, outcome }
    }

    /// Of all that the outcome depends on.
    fn digest(&self) -> [u8; 32] {
        let mut hasher = Sha256::new();
        let mut part = |bytes: &[u8]| {
            hasher.update(bytes.len().to_be_bytes());
            hasher.update(bytes);
        };
        match &self.task {
            Task::Hash { password, cost, salt } => {
                part(b"hash");
                part(password.expose());
                part(&cost.to_be_bytes());
                part(salt);
            }
            Task::Verify(verification) => {
                part(b"verify");
                verification.parts(part);
            }
        }
        hasher.finalize().into()
    }

    /// Runs the job on this thread.
    #[must_use]
    pub fn run(self) -> Worked {
        let outcome = match self.task {
            Task::Hash { password, cost, salt } => Outcome::Hashed(password::hash(password.expose(), cost, salt)),
            Task::Verify(verification) => Outcome::Verified(verification.run()),
        };
        Worked { flow: self.flow, outcome }
    }
}

/// What jobs came to: see [`Job::recall`]. It grows by each job that is new.
#[derive(Default)]
pub struct Memo(BTreeMap<[u8; 32], Outcome>);

impl fmt::Debug for Memo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memo").field("jobs", &self.0.len()).finish_non_exhaustive()
    }
}

/// What a [`Job`] came to.
pub struct Worked {
    pub(crate) flow: u64,
    pub(crate) outcome: Outcome,
}

impl Worked {
    /// How many rounds of bcrypt a verification ran, whoever asked; none for a hash.
    #[cfg(feature = "testing")]
    #[must_use]
    pub const fn rounds(&self) -> Option<u64> {
        match &self.outcome {
            Outcome::Hashed(_) => None,
            Outcome::Verified(verified) => Some(verified.rounds),
        }
    }
}

#[derive(Clone)]
pub(crate) enum Outcome {
    Hashed(Result<String, PasswordError>),
    Verified(Verified),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verify(password: &str, hash: Option<&str>) -> Job {
        let hash = hash.map(str::to_owned);
        Job { flow: 7, task: Task::Verify(Verification::new(Secret::from(password), hash, 4)) }
    }

    fn matched(worked: &Worked) -> Option<bool> {
        match &worked.outcome {
            Outcome::Hashed(_) => None,
            Outcome::Verified(verified) => Some(verified.matched),
        }
    }

    #[test]
    fn a_job_that_is_recalled_comes_to_what_it_came_to_when_it_ran() {
        let hash = password::hash(b"a passphrase", 4, [7; 16]).unwrap();
        let mut memo = Memo::default();
        for (typed, stored) in [("a passphrase", Some(&*hash)), ("another", Some(&hash)), ("a passphrase", None)] {
            let ran = verify(typed, stored).run();
            for _ in 0..2 {
                let recalled = verify(typed, stored).recall(&mut memo);
                assert_eq!((recalled.flow, matched(&recalled)), (7, matched(&ran)), "{typed}");
            }
        }
        assert_eq!(memo.0.len(), 3);
    }

    #[test]
    fn hashes_with_different_salts_are_different_jobs() {
        let job = |salt| Job { flow: 0, task: Task::Hash { password: Secret::from("a passphrase"), cost: 4, salt } };
        let mut memo = Memo::default();
        let texts = [[1; 16], [2; 16], [1; 16]].map(|salt| match job(salt).recall(&mut memo).outcome {
            Outcome::Hashed(text) => text.unwrap(),
            Outcome::Verified(_) => String::new(),
        });
        assert_eq!((texts[0] == texts[2], texts[0] == texts[1], memo.0.len()), (true, false, 2));
    }
}
