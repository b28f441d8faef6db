//! Password hashes at once, and how many may wait for their turn.
//!
//! A hash takes a quarter of a second of a core, so admission is the limit: at most `work_limit` run, and behind them
//! only as many wait as `flow_deadline` leaves time for. Whoever comes later is told at once.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What one job is taken to last before any has been measured: bcrypt at cost 12 on a slow core.
const FIRST_GUESS: Duration = Duration::from_millis(285);

/// The queue of a server.
pub(crate) struct WorkQueue {
    limit: usize,
    patience: Duration,
    present: AtomicUsize,
    average_micros: AtomicU64,
    running: Mutex<usize>,
    freed: Condvar,
}

/// A place in the queue; given up when dropped.
pub(crate) struct Place<'a>(&'a WorkQueue);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.present.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The right to run a job now; returned when dropped.
pub(crate) struct Turn<'a> {
    queue: &'a WorkQueue,
    since: Instant,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.queue.note(self.since.elapsed());
        *self.queue.running.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.queue.freed.notify_one();
    }
}

impl WorkQueue {
    /// A queue for `limit` jobs at once; nothing means one for each core.
    pub(crate) fn new(limit: Option<usize>, flow_deadline: Duration) -> Self {
        let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            limit: limit.unwrap_or_else(cores),
            patience: flow_deadline,
            present: AtomicUsize::new(0),
            average_micros: AtomicU64::new(u64::try_from(FIRST_GUESS.as_micros()).unwrap_or(u64::MAX)),
            running: Mutex::new(0),
            freed: Condvar::new(),
        }
    }

    #[cfg(feature = "tokio")]
    pub(crate) const fn limit(&self) -> usize {
        self.limit
    }

    /// How many may run or wait: what the average job leaves of the deadline.
    fn capacity(&self) -> usize {
        let average = u128::from(self.average_micros.load(Ordering::Relaxed).max(1));
        let rounds = usize::try_from(self.patience.as_micros() / average).unwrap_or(usize::MAX);
        self.limit.saturating_mul(rounds.clamp(1, 256))
    }

    /// Joins the queue, unless it is full.
    pub(crate) fn join(&self) -> Option<Place<'_>> {
        let capacity = self.capacity();
        let joined = self.present.fetch_update(Ordering::AcqRel, Ordering::Acquire, |present| {
            (present < capacity).then(|| present.saturating_add(1))
        });
        joined.is_ok().then(|| Place(self))
    }

    /// Waits, blocking this thread, for the turn of a place.
    pub(crate) fn wait(&self, _: &Place<'_>) -> Option<Turn<'_>> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let full = |running: &mut usize| *running >= self.limit;
        let waited = self.freed.wait_timeout_while(running, self.patience, full);
        let (mut running, timed_out) = waited.unwrap_or_else(PoisonError::into_inner);
        if timed_out.timed_out() && *running >= self.limit {
            return None;
        }
        *running += 1;
        Some(Turn { queue: self, since: Instant::now() })
    }

    /// Takes the length of a finished job into the average.
    pub(crate) fn note(&self, took: Duration) {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let average = self.average_micros.load(Ordering::Relaxed);
        self.average_micros.store(average - average / 8 + took / 8, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_takes_what_the_deadline_leaves_time_for_and_no_more() {
        let queue = WorkQueue::new(Some(2), Duration::from_secs(1));
        let places: Vec<_> = std::iter::from_fn(|| queue.join()).collect();
        assert_eq!(places.len(), 6, "two at once, three rounds of 285 ms in a second");
        drop(places);
        assert!(queue.join().is_some());
    }

    #[test]
    fn cheaper_jobs_make_the_queue_longer() {
        let queue = WorkQueue::new(Some(1), Duration::from_secs(1));
        for _ in 0..100 {
            queue.note(Duration::from_millis(50));
        }
        let capacity = queue.capacity();
        assert!((19..=20).contains(&capacity), "{capacity}");
    }

    #[test]
    fn a_turn_is_passed_on_when_it_ends() {
        let queue = WorkQueue::new(Some(1), Duration::from_millis(1));
        let (one, two) = (queue.join().unwrap(), Place(&queue));
        let turn = queue.wait(&one).unwrap();
        assert!(queue.wait(&two).is_none());
        drop(turn);
        assert!(queue.wait(&two).is_some());
        queue.present.fetch_add(1, Ordering::AcqRel); // the second place was made by hand
    }
}
