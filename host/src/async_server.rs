//! The server for hosts on tokio.

use std::fmt;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use proofkey_core::{
    Config, Core, Entropy, KeyError, Refusal, Response, Step, StoreError, UnixTime, UserAnswer, UserQuestion, Work,
};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout_at};

use crate::BoxFuture;
use crate::builder::Builder;
use crate::keys::Keys;
use crate::server::Directory;
use crate::shared::{ROWS_A_SWEEP, Shared};
use crate::store::{AsyncStore, Store};
use crate::users::{AsyncAuthenticator, AsyncUsers, authenticate_async, look_up_async};

/// A store, by how it is to be called.
pub(crate) enum StoreCalls {
    Async(Arc<dyn AsyncStore>),
    /// May wait for a disk or a network: called where blocking is fine.
    Blocking(Arc<dyn Store>),
    /// Never waits: called in place.
    Inline(Arc<dyn Store>),
}

/// Who answers questions about users.
pub(crate) enum AsyncDirectory {
    Async(Arc<dyn AsyncUsers>),
    AsyncAuthenticator(Arc<dyn AsyncAuthenticator>),
    Blocking(Arc<Directory>),
}

pub(crate) struct AsyncParts {
    pub(crate) shared: Shared,
    pub(crate) store: StoreCalls,
    pub(crate) directory: AsyncDirectory,
    pub(crate) turns: Semaphore,
    pub(crate) store_timeout: Duration,
    pub(crate) flow_deadline: Duration,
}

/// An authorization server for tokio.
///
/// Cheap to clone, and usable from any number of tasks at once. Store calls are bounded by `store_timeout`, a request
/// in all by `flow_deadline`; password hashes and blocking stores run on tokio's blocking threads. A call whose future
/// is dropped runs to its end in the background: what it began is not left half done.
#[derive(Clone)]
pub struct AsyncServer(Arc<AsyncParts>);

/// How long a flow may take in all.
#[derive(Clone, Copy)]
pub(crate) enum Patience {
    /// `flow_deadline`: a client waits.
    Client,
    /// As long as it takes: the host asked, and each store call is bounded.
    Host,
}

impl AsyncServer {
    /// Starts to build a server of this issuer: the URL under which clients reach it.
    pub fn builder(issuer: &str) -> Builder<Self> {
        Builder::new(issuer)
    }

    pub(crate) fn new(parts: AsyncParts) -> Self {
        Self(Arc::new(parts))
    }

    /// Answers one HTTP request, given with its outer path and raw query. As [`crate::Server::handle`].
    pub async fn handle(&self, request: http::Request<Bytes>, peer: Option<IpAddr>) -> Response {
        match self.0.shared.begin(request, peer) {
            Ok(step) => self.to_end(step, Patience::Client).await,
            Err(refusal) => self.refused(&refusal),
        }
    }

    /// The answer to a request whose body could not be read to its end.
    #[cfg(feature = "axum")]
    pub(crate) fn unreadable(&self) -> Response {
        self.0.shared.core().refused(&Refusal::unreadable())
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
    /// If the store failed or did not answer in time.
    pub async fn sweep(&self, limit: usize) -> Result<usize, StoreError> {
        self.0.sweep(limit).await
    }

    /// Runs a typed call.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        patience: Patience,
        begin: impl FnOnce(&Core, UnixTime, Entropy) -> Step<Result<T, Refusal>>,
    ) -> Result<T, Refusal> {
        let (core, now, entropy) = self.0.shared.start()?;
        self.to_end(begin(&core, now, entropy), patience).await
    }

    fn to_end<T: Send + 'static>(&self, step: Step<T>, patience: Patience) -> ToEnd<T> {
        let parts = Arc::clone(&self.0);
        ToEnd(Some(Box::pin(async move {
            let reply = parts.drive(step, patience).await;
            let value = parts.shared.finish(reply);
            if parts.shared.sweep_is_due() {
                // After the answer is out; what a failed sweep leaves, the next one drops.
                tokio::spawn(async move { parts.sweep(ROWS_A_SWEEP).await });
            }
            value
        })))
    }
}

impl fmt::Debug for AsyncServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncServer").field("issuer", &self.0.shared.core().config().issuer()).finish_non_exhaustive()
    }
}

/// A flow that goes on in the background when its caller goes away: whoever presents a stolen token cannot stop its
/// revocation by hanging up.
struct ToEnd<T: Send + 'static>(Option<BoxFuture<'static, T>>);

impl<T: Send + 'static> Future for ToEnd<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let Some(future) = &mut self.0 else { return Poll::Pending };
        let polled = future.as_mut().poll(context);
        if polled.is_ready() {
            self.0 = None;
        }
        polled
    }
}

impl<T: Send + 'static> Drop for ToEnd<T> {
    fn drop(&mut self) {
        if let Some(future) = self.0.take()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(future);
        }
    }
}

impl AsyncParts {
    /// Answers a flow's steps until it is done.
    ///
    /// Whatever waits is boxed: the future of a store that never waits stays as small as allocators hand out quickly.
    async fn drive<T: Send + 'static>(&self, mut step: Step<T>, patience: Patience) -> proofkey_core::Reply<T> {
        let end = match patience {
            Patience::Client => Some(Instant::now() + self.flow_deadline),
            Patience::Host => None,
        };
        loop {
            step = match step {
                Step::Delete(delete) => {
                    self.shared.count_write();
                    let (key, expect) = (delete.key().clone(), *delete.expect());
                    let removed = match &self.store {
                        StoreCalls::Inline(store) => store.delete(&key, &expect),
                        StoreCalls::Blocking(store) => {
                            let store = Arc::clone(store);
                            Box::pin(self.blocking(end, move || store.delete(&key, &expect))).await
                        }
                        StoreCalls::Async(store) => Box::pin(self.within(end, store.delete(&key, &expect))).await,
                    };
                    delete.answer(removed)
                }
                Step::Done(reply) => return reply,
                Step::Find(find) => {
                    let keys = match &self.store {
                        StoreCalls::Inline(store) => store.find(find.query()),
                        StoreCalls::Blocking(store) => {
                            let (store, query) = (Arc::clone(store), find.query().clone());
                            Box::pin(self.blocking(end, move || store.find(&query))).await
                        }
                        StoreCalls::Async(store) => Box::pin(self.within(end, store.find(find.query()))).await,
                    };
                    find.answer(keys)
                }
                Step::Get(get) => {
                    let found = match &self.store {
                        StoreCalls::Inline(store) => store.get(get.key()),
                        StoreCalls::Blocking(store) => {
                            let (store, key) = (Arc::clone(store), get.key().clone());
                            Box::pin(self.blocking(end, move || store.get(&key))).await
                        }
                        StoreCalls::Async(store) => Box::pin(self.within(end, store.get(get.key()))).await,
                    };
                    get.answer(found)
                }
                Step::Put(put) => {
                    self.shared.count_write();
                    let stored = match &self.store {
                        StoreCalls::Inline(store) => store.put(put.write()),
                        StoreCalls::Blocking(store) => {
                            let (store, write) = (Arc::clone(store), put.write().clone());
                            Box::pin(self.blocking(end, move || store.put(&write))).await
                        }
                        StoreCalls::Async(store) => Box::pin(self.within(end, store.put(put.write()))).await,
                    };
                    put.answer(stored)
                }
                Step::User(user) => {
                    let answer = Box::pin(self.ask(end, &user.shared_question())).await;
                    user.answer(answer)
                }
                Step::Work(work) => Box::pin(self.work(end, work)).await,
                other => other.decline(),
            };
        }
    }

    /// A call of the host, bounded by `store_timeout` and by what is left of the flow's time.
    async fn within<R>(
        &self,
        end: Option<Instant>,
        call: impl Future<Output = Result<R, StoreError>>,
    ) -> Result<R, StoreError> {
        let now = Instant::now();
        let latest = now + self.store_timeout;
        let latest = end.map_or(latest, |end| end.min(latest));
        if latest <= now {
            return Err(StoreError::new("the request has used up its flow_deadline"));
        }
        let answer = timeout_at(latest, call).await;
        answer.unwrap_or_else(|_| Err(StoreError::new("the call took longer than store_timeout")))
    }

    async fn blocking<R: Send + 'static>(
        &self,
        end: Option<Instant>,
        call: impl FnOnce() -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, StoreError> {
        self.within(end, async { spawn_blocking(call).await.unwrap_or_else(|panic| Err(StoreError::new(panic))) }).await
    }

    async fn ask(&self, end: Option<Instant>, question: &Arc<UserQuestion>) -> Result<UserAnswer, StoreError> {
        match &self.directory {
            AsyncDirectory::Async(users) => self.within(end, look_up_async(users.as_ref(), question)).await,
            AsyncDirectory::AsyncAuthenticator(host) => {
                self.within(end, authenticate_async(host.as_ref(), question)).await
            }
            AsyncDirectory::Blocking(directory) => {
                let (directory, question) = (Arc::clone(directory), Arc::clone(question));
                self.blocking(end, move || directory.answer(&question)).await
            }
        }
    }

    /// Runs a job on a blocking thread when its turn comes, unless that would be too late.
    async fn work<T>(&self, end: Option<Instant>, work: Work<T>) -> Step<T> {
        let queue = &self.shared.queue;
        let Some(_place) = queue.join() else { return Step::Work(work).decline() };
        let latest = end.unwrap_or_else(|| Instant::now() + self.flow_deadline);
        let Ok(Ok(_turn)) = timeout_at(latest, self.turns.acquire()).await else { return Step::Work(work).decline() };
        let (job, waiting) = work.detach();
        let since = Instant::now();
        // The permit is held until the job is done, whatever becomes of the request.
        let worked = spawn_blocking(move || job.run()).await;
        queue.note(since.elapsed());
        match worked {
            Ok(worked) => waiting.answer(worked),
            Err(_) => waiting.decline(),
        }
    }

    async fn sweep(&self, limit: usize) -> Result<usize, StoreError> {
        let now = self.shared.clock.now();
        match &self.store {
            StoreCalls::Inline(store) => store.sweep(now, limit),
            StoreCalls::Blocking(store) => {
                let store = Arc::clone(store);
                self.blocking(None, move || store.sweep(now, limit)).await
            }
            StoreCalls::Async(store) => self.within(None, store.sweep(now, limit)).await,
        }
    }
}
