//! What a flow hands out: owned steps, so that a wrong, second or late answer does not compile.
//!
//! ```compile_fail
//! # use proofkey_core::Step;
//! fn twice(get: proofkey_core::Get) {
//!     get.answer(Ok(None));
//!     get.answer(Ok(None)); // a step is consumed by its answer
//! }
//! ```
//!
//! ```compile_fail
//! fn wrong(get: proofkey_core::Get) {
//!     get.answer(Ok(true)); // that is an answer to a put
//! }
//! ```

use std::sync::Arc;

use crate::flow::{Answer, Flow};
use crate::reply::{Reply, Response};
use crate::store::{Key, Query, Record, StoreError, Version, Write};
use crate::user::{UserAnswer, UserQuestion};
use crate::work::{Job, Worked};

/// The next thing a flow needs, or its end.
///
/// `T` is what the flow answers: an HTTP [`Response`], or the value of a typed call. Steps are `Send`; a flow can be
/// dropped at any of them. A driver that does not know a step answers with its `decline`, and the flow ends in a 503.
#[non_exhaustive]
#[must_use = "a flow that is not driven does nothing more"]
pub enum Step<T = Response> {
    /// Remove one record if it is unchanged.
    Delete(Delete<T>),
    /// The flow is done.
    Done(Reply<T>),
    /// List keys that carry a tag.
    Find(Find<T>),
    /// Fetch one record by key.
    Get(Get<T>),
    /// Compare-and-swap one record.
    Put(Put<T>),
    /// Ask the host about a user.
    User(UserStep<T>),
    /// Run something pure that takes milliseconds of processor time.
    Work(Work<T>),
}

impl<T> Step<T> {
    /// Answers any step with "this driver cannot": the flow ends in a 503 and nothing is claimed.
    /// A finished flow stays as it is.
    pub fn decline(self) -> Self {
        match self {
            Self::Delete(step) => step.flow.answer(Answer::Declined),
            Self::Done(reply) => Self::Done(reply),
            Self::Find(step) => step.flow.answer(Answer::Declined),
            Self::Get(step) => step.flow.answer(Answer::Declined),
            Self::Put(step) => step.flow.answer(Answer::Declined),
            Self::User(step) => step.flow.answer(Answer::Declined),
            Self::Work(step) => step.flow.answer(Answer::Declined),
        }
    }
}

/// Remove one record if its version is still the expected one.
#[must_use = "a flow that is not driven does nothing more"]
pub struct Delete<T = Response> {
    pub(crate) key: Key,
    pub(crate) expect: Version,
    pub(crate) flow: Flow<T>,
}

impl<T> Delete<T> {
    /// The record.
    #[must_use]
    pub const fn key(&self) -> &Key {
        &self.key
    }

    /// The version that must be stored now.
    #[must_use]
    pub const fn expect(&self) -> &Version {
        &self.expect
    }

    /// Whether it was removed; an error means that the outcome is unknown.
    pub fn answer(self, removed: Result<bool, StoreError>) -> Step<T> {
        self.flow.answer(Answer::Written(removed))
    }
}

/// List keys that carry a tag.
#[must_use = "a flow that is not driven does nothing more"]
pub struct Find<T = Response> {
    pub(crate) query: Query,
    pub(crate) flow: Flow<T>,
}

impl<T> Find<T> {
    /// Tag, page and limit.
    #[must_use]
    pub const fn query(&self) -> &Query {
        &self.query
    }

    /// The keys, in the store's fixed order.
    pub fn answer(self, keys: Result<Vec<Key>, StoreError>) -> Step<T> {
        self.flow.answer(Answer::Found(keys))
    }
}

/// Fetch one record by key.
#[must_use = "a flow that is not driven does nothing more"]
pub struct Get<T = Response> {
    pub(crate) key: Key,
    pub(crate) flow: Flow<T>,
}

impl<T> Get<T> {
    /// The record.
    #[must_use]
    pub const fn key(&self) -> &Key {
        &self.key
    }

    /// The record, or nothing. "Nothing" and "failed" are never the same answer.
    pub fn answer(self, found: Result<Option<Record>, StoreError>) -> Step<T> {
        self.flow.answer(Answer::Got(found))
    }
}

/// Compare-and-swap one record.
#[must_use = "a flow that is not driven does nothing more"]
pub struct Put<T = Response> {
    pub(crate) write: Arc<Write>,
    pub(crate) flow: Flow<T>,
}

impl<T> Put<T> {
    /// What to write, and on which condition.
    #[must_use]
    pub fn write(&self) -> &Write {
        &self.write
    }

    /// Whether it was stored; an error means that the outcome is unknown.
    pub fn answer(self, stored: Result<bool, StoreError>) -> Step<T> {
        self.flow.answer(Answer::Written(stored))
    }
}

/// Ask the host about a user.
#[must_use = "a flow that is not driven does nothing more"]
pub struct UserStep<T = Response> {
    pub(crate) question: Arc<UserQuestion>,
    pub(crate) flow: Flow<T>,
}

impl<T> UserStep<T> {
    /// What is asked.
    #[must_use]
    pub fn question(&self) -> &UserQuestion {
        &self.question
    }

    /// What is asked, for a driver that asks on another thread.
    #[must_use]
    pub fn shared_question(&self) -> Arc<UserQuestion> {
        Arc::clone(&self.question)
    }

    /// What the host knows; an error is answered by a 503.
    pub fn answer(self, answer: Result<UserAnswer, StoreError>) -> Step<T> {
        self.flow.answer(Answer::User(answer))
    }
}

/// Run something pure that takes milliseconds of processor time, where blocking is fine.
#[must_use = "a flow that is not driven does nothing more"]
pub struct Work<T = Response> {
    pub(crate) job: Job,
    pub(crate) flow: Flow<T>,
}

impl<T> Work<T> {
    /// Runs the job here and now, blocking this thread for up to a second.
    pub fn run(self) -> Step<T> {
        let worked = self.job.run();
        self.flow.answer(Answer::Worked(worked))
    }

    /// Parts the job, which may run on any thread and outlive the flow, from the flow that waits for it.
    pub fn detach(self) -> (Job, Waiting<T>) {
        (self.job, Waiting { flow: self.flow })
    }
}

/// A flow that waits for a detached [`Job`].
#[must_use = "a flow that is not driven does nothing more"]
pub struct Waiting<T = Response> {
    flow: Flow<T>,
}

impl<T> Waiting<T> {
    /// What the job of this very flow came to; that of another flow is refused with a 503.
    pub fn answer(self, worked: Worked) -> Step<T> {
        self.flow.answer(Answer::Worked(worked))
    }

    /// The job will not be run: the flow ends in a 503.
    pub fn decline(self) -> Step<T> {
        self.flow.answer(Answer::Declined)
    }
}
