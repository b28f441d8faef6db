//! The server for hosts that block: one call a request, on the thread that calls.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use proofkey_core::{Config, KeyError, Refusal, Response, Step, StoreError, UserAnswer, UserQuestion, Work};

use crate::builder::Builder;
use crate::keys::Keys;
use crate::shared::{ROWS_A_SWEEP, Shared};
use crate::store::Store;
use crate::users::{Authenticator, Users, authenticate, look_up};

/// Who answers questions about users.
pub(crate) enum Directory {
    Authenticator(Arc<dyn Authenticator>),
    /// Nobody is asked: users are records.
    BuiltIn,
    Users(Arc<dyn Users>),
}

impl Directory {
    pub(crate) fn answer(&self, question: &UserQuestion) -> Result<UserAnswer, StoreError> {
        match self {
            Self::Authenticator(host) => authenticate(host.as_ref(), question),
            Self::BuiltIn => Err(StoreError::new("the server keeps its users itself")),
            Self::Users(users) => look_up(users.as_ref(), question),
        }
    }
}

pub(crate) struct Parts {
    pub(crate) shared: Shared,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) directory: Directory,
}

/// An authorization server that answers on the calling thread.
///
/// Cheap to clone, and usable from any number of threads at once. A call blocks for its store calls and, at a sign-in,
/// for a password hash. The store bounds its own calls: this server enforces no timeout.
#[derive(Clone)]
pub struct Server(Arc<Parts>);

impl Server {
    /// Starts to build a server of this issuer: the URL under which clients reach it.
    pub fn builder(issuer: &str) -> Builder<Self> {
        Builder::new(issuer)
    }

    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Answers one HTTP request, given with its outer path and raw query.
    ///
    /// The answer is always well formed: a failing store is a 503, bad input an error body of the RFCs. `peer` is the
    /// address that the connection came from; without it, limits by address do not apply.
    #[must_use]
    pub fn handle(&self, request: http::Request<Bytes>, peer: Option<IpAddr>) -> Response {
        match self.0.shared.begin(request, peer) {
            Ok(step) => self.drive(step),
            Err(refusal) => self.refused(&refusal),
        }
    }

    /// The answer to a refused request to the host's API.
    #[must_use]
    pub fn refused(&self, refusal: &Refusal) -> Response {
        self.0.shared.core().refused(refusal)
    }

    /// The page of a refusal, for the host's own login page.
    #[must_use]
    pub fn refused_page(&self, refusal: &Refusal) -> Response {
        self.0.shared.core().refused_page(refusal)
    }

    /// The configuration in force.
    #[must_use]
    pub fn with_config<R>(&self, read: impl FnOnce(&Config) -> R) -> R {
        read(self.0.shared.core().config())
    }

    /// Puts other keys in force: a step of a rotation. Flows that have begun end with the keys they began with.
    ///
    /// # Errors
    /// If the keys make no ring; the old ones stay in force.
    pub fn replace_keys(&self, keys: &Keys) -> Result<(), KeyError> {
        self.0.shared.replace_keys(keys)
    }

    /// Drops up to `limit` expired rows; for hosts that set `sweep` to `manual`.
    ///
    /// # Errors
    /// If the store failed.
    pub fn sweep(&self, limit: usize) -> Result<usize, StoreError> {
        self.0.store.sweep(self.0.shared.clock.now(), limit)
    }

    /// Runs a typed call.
    pub(crate) fn call<T>(
        &self,
        begin: impl FnOnce(
            &proofkey_core::Core,
            proofkey_core::UnixTime,
            proofkey_core::Entropy,
        ) -> Step<Result<T, Refusal>>,
    ) -> Result<T, Refusal> {
        let (core, now, entropy) = self.0.shared.start()?;
        self.drive(begin(&core, now, entropy))
    }

    /// Answers a flow's steps until it is done.
    fn drive<T>(&self, mut step: Step<T>) -> T {
        let Parts { shared, store, directory } = self.0.as_ref();
        let reply = loop {
            step = match step {
                Step::Delete(delete) => {
                    shared.count_write();
                    let removed = store.delete(delete.key(), delete.expect());
                    delete.answer(removed)
                }
                Step::Done(reply) => break reply,
                Step::Find(find) => {
                    let keys = store.find(find.query());
                    find.answer(keys)
                }
                Step::Get(get) => {
                    let found = store.get(get.key());
                    get.answer(found)
                }
                Step::Put(put) => {
                    shared.count_write();
                    let stored = store.put(put.write());
                    put.answer(stored)
                }
                Step::User(user) => {
                    let answer = directory.answer(user.question());
                    user.answer(answer)
                }
                Step::Work(work) => self.work(work),
                other => other.decline(),
            };
        };
        if shared.sweep_is_due() {
            // What a failed sweep leaves, the next one drops.
            let _ = self.sweep(ROWS_A_SWEEP);
        }
        shared.finish(reply)
    }

    fn work<T>(&self, work: Work<T>) -> Step<T> {
        let queue = &self.0.shared.queue;
        let Some(place) = queue.join() else { return Step::Work(work).decline() };
        let Some(_turn) = queue.wait(&place) else { return Step::Work(work).decline() };
        work.run()
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("issuer", &self.0.shared.core().config().issuer()).finish_non_exhaustive()
    }
}
