//! CPU-heavy and pure: jobs that leave a flow, run anywhere, and come back.

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

pub(crate) enum Outcome {
    Hashed(Result<String, PasswordError>),
    Verified(Verified),
}
