//! Welch's t-test, with and without the slowest measurements: what the machine does now and then is slow, and hides what
//! the comparison does always.

/// Beyond this the classes differ: under equal ones, one value in 150,000.
pub(crate) const THRESHOLD: f64 = 4.5;
/// Shares of the measurements that are kept, besides all of them.
const KEPT: [f64; 8] = [0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999];
/// Fewer measurements of a class than this say nothing.
const LEAST: f64 = 500.0;

/// One measurement: of which class, and how long it took, in nanoseconds for each call.
pub(crate) type Measurement = (bool, f64);

/// Mean and variance of one class, as measurements come in (Welford).
#[derive(Clone, Copy, Default)]
struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn push(&mut self, value: f64) {
        self.count += 1.0;
        let from = value - self.mean;
        self.mean += from / self.count;
        self.squares += from * (value - self.mean);
    }

    /// The variance of the mean.
    fn error(&self) -> f64 {
        self.squares / (self.count - 1.0) / self.count
    }
}

/// How far the means of the two classes are apart, in standard errors, and in nanoseconds; nothing where there is too
/// little to tell.
fn apart<'a>(measurements: impl Iterator<Item = &'a Measurement>) -> Option<(f64, f64)> {
    let mut classes = [Moments::default(); 2];
    for (class, took) in measurements {
        classes[usize::from(*class)].push(*took);
    }
    let [one, other] = classes;
    if one.count < LEAST || other.count < LEAST {
        return None;
    }
    let (difference, error) = (one.mean - other.mean, (one.error() + other.error()).sqrt());
    // All alike to the clock.
    Some(if error > 0.0 { ((difference / error).abs(), difference.abs()) } else { (0.0, difference.abs()) })
}

/// What a run came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Verdict {
    /// The largest t, whatever was cropped.
    pub(crate) t: f64,
    /// How far apart the means are there, in nanoseconds.
    pub(crate) difference: f64,
    /// How many measurements there were.
    pub(crate) samples: usize,
    /// The middle one, in nanoseconds for each call.
    pub(crate) median: f64,
}

/// The largest t of all crops. A crop is one value for both classes, so it favours none.
pub(crate) fn judge(measurements: &[Measurement]) -> Verdict {
    let mut sorted: Vec<f64> = measurements.iter().map(|(_, took)| *took).collect();
    sorted.sort_by(f64::total_cmp);
    let at = |share: f64| sorted.get((sorted.len() as f64 * share) as usize).copied().unwrap_or(f64::INFINITY);
    let cropped = KEPT.iter().filter_map(|share| {
        let limit = at(*share);
        apart(measurements.iter().filter(|(_, took)| *took < limit))
    });
    let (t, difference) =
        cropped.chain(apart(measurements.iter())).fold((0.0, 0.0), |most, one| if one.0 > most.0 { one } else { most });
    Verdict { t, difference, samples: measurements.len(), median: at(0.5) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Measurements around 100 ns, of which the second class takes `more`, and one in 50 is disturbed.
    fn measurements(more: f64) -> Vec<Measurement> {
        let mut dice = crate::dice::Dice::new(7);
        let each = |_| {
            let (class, noise) = (dice.next() % 2 == 1, f64::from(dice.byte()) / 16.0);
            let disturbed = if dice.next().is_multiple_of(50) { 5000.0 } else { 0.0 };
            (class, 100.0 + noise + disturbed + if class { more } else { 0.0 })
        };
        (0..100_000).map(each).collect()
    }

    #[test]
    fn equal_classes_are_no_further_apart_than_chance_has_it() {
        assert!(judge(&measurements(0.0)).t < THRESHOLD);
    }

    #[test]
    fn a_quarter_of_a_nanosecond_is_seen_through_the_noise() {
        let verdict = judge(&measurements(0.25));
        assert!(verdict.t > THRESHOLD, "{verdict:?}");
        let whole = apart(measurements(0.25).iter()).unwrap();
        assert!(whole.0 < THRESHOLD, "without cropping it would not be: {whole:?}");
    }

    #[test]
    fn t_is_that_of_the_textbook() {
        // Two classes of 500 and 1000: 1, 2, 1, 2, ... and 3, 5, 3, 5, ...
        let of = |class: bool, low: f64, high: f64, count: usize| {
            (0..count).map(move |at| (class, if at % 2 == 0 { low } else { high }))
        };
        let all: Vec<Measurement> = of(false, 1.0, 2.0, 500).chain(of(true, 3.0, 5.0, 1000)).collect();
        let (t, difference) = apart(all.iter()).unwrap();
        let expected = 2.5 / (0.25 / 499.0 + 1.0 / 999.0_f64).sqrt();
        assert!((difference - 2.5).abs() < 1e-9 && (t - expected).abs() < 1e-9, "{t} {expected}");
    }
}
