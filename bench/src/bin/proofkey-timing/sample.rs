//! One run: inputs of both classes in random order, made before the clock runs.

use std::hint::black_box;
use std::time::Instant;

use crate::dice::Dice;
use crate::subjects::{Classes, Input, Subject, Way};
use crate::welch::{Measurement, Verdict, judge};

/// Inputs that are made at once.
const CHUNK: usize = 2048;
/// How long a measurement takes at least: far longer than reading the clock.
const LEAST_NANOS: f64 = 2000.0;

pub(crate) fn measure(subject: &Subject, classes: Classes, way: Way, samples: usize, seed: u64) -> Verdict {
    let mut dice = Dice::new(seed);
    let calls = calls_a_measurement(subject, way);
    let mut measurements: Vec<Measurement> = Vec::with_capacity(samples + CHUNK);
    let mut warm = false;
    while measurements.len() < samples {
        let inputs: Vec<(bool, Input)> = (0..CHUNK)
            .map(|_| {
                let class = dice.next() >> 63 == 1;
                (class, subject.input(classes, class, &mut dice))
            })
            .collect();
        for (class, input) in &inputs {
            let since = Instant::now();
            for _ in 0..calls {
                black_box(subject.compare(way, black_box(input)));
            }
            let took = since.elapsed().as_nanos() as f64 / calls as f64;
            if warm {
                measurements.push((*class, took));
            }
        }
        warm = true;
    }
    measurements.truncate(samples);
    judge(&measurements)
}

/// How many calls make a measurement long enough.
fn calls_a_measurement(subject: &Subject, way: Way) -> usize {
    let input = subject.input(Classes::FirstOrLast, true, &mut Dice::new(3));
    let runs = 2000;
    let since = Instant::now();
    for _ in 0..runs {
        black_box(subject.compare(way, black_box(&input)));
    }
    let one = since.elapsed().as_nanos() as f64 / f64::from(runs);
    ((LEAST_NANOS / one.max(1.0)).ceil() as usize).clamp(1, 512)
}
