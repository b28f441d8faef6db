//! Whether the time of a comparison of secrets tells where they differ: Welch's t-test over two classes of inputs, after
//! dudect (Reparaz, Balasch, Verbauwhede 2017). `docs/timing.md` says what is measured and how.
//!
//! Beside each comparison runs a twin that leaks: the same work, and then a comparison that ends at the first byte that
//! differs. A run that does not catch it sees nothing, and is void.
#![forbid(unsafe_code)]

mod dice;
mod report;
mod sample;
mod subjects;
mod welch;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::report::Row;
use crate::sample::measure;
use crate::subjects::{Classes, Subject, Way};
use crate::welch::THRESHOLD;

/// Asks whether comparisons of secrets take the same time, wherever the secrets differ.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Measurements of each comparison and each pair of classes.
    #[arg(long, default_value_t = 300_000)]
    samples: usize,
    /// Writes the outcome into this file, with an explanation.
    #[arg(long)]
    report: Option<PathBuf>,
}

fn main() -> io::Result<ExitCode> {
    let arguments = Arguments::parse();
    let mut rows = Vec::new();
    for subject in subjects::all() {
        for classes in Classes::ALL {
            let row = judge(&subject, classes, arguments.samples);
            report::show(&row)?;
            rows.push(row);
        }
    }
    report::conclude(&rows)?;
    if let Some(path) = arguments.report {
        std::fs::write(path, report::document(&rows))?;
    }
    Ok(if rows.iter().all(Row::is_well) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A comparison that seems to leak is measured again, with twice the samples: what leaks shows itself the more, and what
/// the machine did by chance does not come back.
fn judge(subject: &Subject, classes: Classes, samples: usize) -> Row {
    let leaky = measure(subject, classes, Way::Leaky, samples, 1);
    let (mut honest, mut rounds) = (measure(subject, classes, Way::Honest, samples, 2), 1);
    while honest.t > THRESHOLD && rounds < 3 {
        honest = measure(subject, classes, Way::Honest, samples << rounds, 2 + rounds);
        rounds += 1;
    }
    Row { name: subject.name, classes, honest, leaky, rounds }
}
