//! Pairs measured in turns: ours, the other, ours, the other. The ratio of a pair cancels what the machine does.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;

/// Processor time of the calling thread: what other processes do costs it little.
pub(crate) fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// What a run took: processor time of the thread, and elapsed time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Took {
    pub(crate) processor: Duration,
    pub(crate) elapsed: Duration,
}

impl Took {
    /// Measures `run`.
    pub(crate) fn of(run: impl FnOnce()) -> Self {
        let (processor, elapsed) = (thread_time(), Instant::now());
        run();
        Self { processor: thread_time().saturating_sub(processor), elapsed: elapsed.elapsed() }
    }

    /// The same, for one of `operations`.
    pub(crate) fn each(self, operations: usize) -> Self {
        let operations = u32::try_from(operations.max(1)).unwrap_or(u32::MAX);
        Self { processor: self.processor / operations, elapsed: self.elapsed / operations }
    }
}

pub(crate) fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// The middle of many rounds, and the best of them.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Figures {
    pub(crate) median: f64,
    pub(crate) best: f64,
}

/// Which end of a scale is the good one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Better {
    Higher,
    Lower,
}

impl Figures {
    pub(crate) fn of(mut values: Vec<f64>, better: Better) -> Self {
        values.sort_by(f64::total_cmp);
        let best = match better {
            Better::Higher => values.last(),
            Better::Lower => values.first(),
        };
        Self { median: values.get(values.len() / 2).copied().unwrap_or(0.0), best: best.copied().unwrap_or(0.0) }
    }
}

/// Rounds of two things that are compared.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pairs(Vec<(f64, f64)>);

impl Pairs {
    pub(crate) fn push(&mut self, ours: f64, other: f64) {
        self.0.push((ours, other));
    }

    pub(crate) fn ours(&self, better: Better) -> Figures {
        Figures::of(self.0.iter().map(|(ours, _)| *ours).collect(), better)
    }

    pub(crate) fn other(&self, better: Better) -> Figures {
        Figures::of(self.0.iter().map(|(_, other)| *other).collect(), better)
    }

    pub(crate) fn ratio(&self, better: Better) -> Figures {
        Figures::of(self.0.iter().map(|(ours, other)| ours / other).collect(), better)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_is_the_lowest_time_and_the_highest_rate() {
        let values = vec![3.0, 1.0, 2.0];
        assert_eq!(Figures::of(values.clone(), Better::Lower).best, 1.0);
        assert_eq!(Figures::of(values.clone(), Better::Higher).best, 3.0);
        assert_eq!(Figures::of(values, Better::Higher).median, 2.0);
    }

    #[test]
    fn a_ratio_is_taken_pair_by_pair() {
        let mut pairs = Pairs::default();
        for (ours, other) in [(2.0, 1.0), (30.0, 10.0), (8.0, 2.0)] {
            pairs.push(ours, other);
        }
        assert_eq!(pairs.ratio(Better::Lower).median, 3.0);
        assert_eq!(pairs.other(Better::Lower).best, 1.0);
    }
}
