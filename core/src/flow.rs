//! One request as a coroutine, polled by hand: straight-line `async` code inside, owned steps outside.
//!
//! A flow asks one thing at a time through its mailbox. Only [`Io`](crate::io::Io) can put a question there, it needs
//! `&mut` for it, and it is not `Clone`; two questions in one poll cannot be written.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::step::{Delete, Find, Get, Put, Step, UserStep, Work};
use crate::store::{Key, Query, Record, StoreError, Version, Write};
use crate::user::{UserAnswer, UserQuestion};
use crate::work::{Job, Worked};

/// What a flow asks of the world.
pub(crate) enum Ask {
    Delete(Key, Version),
    Find(Query),
    Get(Key),
    Put(Arc<Write>),
    User(UserQuestion),
    Work(Job),
}

/// What the world answered. The step that was handed out decides the kind, so the kinds always agree.
pub(crate) enum Answer {
    Declined,
    Found(Result<Vec<Key>, StoreError>),
    Got(Result<Option<Record>, StoreError>),
    User(Result<UserAnswer, StoreError>),
    Worked(Worked),
    Written(Result<bool, StoreError>),
}

enum Slot {
    Answered(Answer),
    Asked(Ask),
    Empty,
}

/// The one place where a flow and its driver meet.
pub(crate) struct Mailbox(Mutex<Slot>);

impl Mailbox {
    fn swap(&self, slot: Slot) -> Slot {
        // Nothing panics while it holds the lock, so a poisoned one is as good as a clean one.
        std::mem::replace(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner), slot)
    }

    /// Hands `ask` to the driver and waits for its answer.
    pub(crate) const fn ask(&self, ask: Ask) -> Asking<'_> {
        Asking { mailbox: self, ask: Some(ask) }
    }
}

/// The future of one question: pending once, then ready with the answer.
pub(crate) struct Asking<'a> {
    mailbox: &'a Mailbox,
    ask: Option<Ask>,
}

impl Future for Asking<'_> {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Answer> {
        if let Some(ask) = self.ask.take() {
            self.mailbox.swap(Slot::Asked(ask));
            return Poll::Pending;
        }
        match self.mailbox.swap(Slot::Empty) {
            Slot::Answered(answer) => Poll::Ready(answer),
            Slot::Asked(_) | Slot::Empty => Poll::Ready(Answer::Declined),
        }
    }
}

/// A request under way: dropped at any step, it has done what its answered steps did and nothing more.
pub(crate) struct Flow<T> {
    future: Pin<Box<dyn Future<Output = Reply<T>> + Send>>,
    mailbox: Arc<Mailbox>,
    refused: fn(Refusal) -> T,
}

impl<T> Flow<T> {
    /// Runs `body` to its first step. `refused` turns a bug in the core into an answer instead of a panic.
    pub(crate) fn start<F>(body: impl FnOnce(Arc<Mailbox>) -> F, refused: fn(Refusal) -> T) -> Step<T>
    where
        F: Future<Output = Reply<T>> + Send + 'static,
    {
        #[expect(clippy::disallowed_methods, reason = "a slot of this flow's own, never waited for")]
        let mailbox = Arc::new(Mailbox(Mutex::new(Slot::Empty)));
        Self { future: Box::pin(body(Arc::clone(&mailbox))), mailbox, refused }.advance()
    }

    pub(crate) fn answer(self, answer: Answer) -> Step<T> {
        self.mailbox.swap(Slot::Answered(answer));
        self.advance()
    }

    fn advance(mut self) -> Step<T> {
        match self.future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(reply) => Step::Done(reply),
            Poll::Pending => match self.mailbox.swap(Slot::Empty) {
                Slot::Asked(Ask::Delete(key, expect)) => Step::Delete(Delete { key, expect, flow: self }),
                Slot::Asked(Ask::Find(query)) => Step::Find(Find { query, flow: self }),
                Slot::Asked(Ask::Get(key)) => Step::Get(Get { key, flow: self }),
                Slot::Asked(Ask::Put(write)) => Step::Put(Put { write, flow: self }),
                Slot::Asked(Ask::User(question)) => Step::User(UserStep { question: Arc::new(question), flow: self }),
                Slot::Asked(Ask::Work(job)) => Step::Work(Work { job, flow: self }),
                // A future that waits without a question is foreign to flows: a bug, answered as one.
                Slot::Answered(_) | Slot::Empty => {
                    Step::Done(Reply::new((self.refused)(Refusal::server_error("a flow waits for nothing"))))
                }
            },
        }
    }
}
