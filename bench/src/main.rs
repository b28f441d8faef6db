//! Times of the core and the stores, each beside its floor. `docs/benchmarks.md` says what is measured and how.
#![forbid(unsafe_code)]

mod floor;
mod floors;
mod http;
mod in_process;
mod measure;
mod pages;
mod program;
mod report;
mod rows;
mod served;
mod sqlite;
mod world;

use std::io;

use clap::Parser;

use crate::report::Report;
use crate::served::Served;

/// Measures the server beside what the same work costs without it.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// A few rounds of everything, to see that it runs; the figures say nothing.
    #[arg(long)]
    quick: bool,
    /// All rows as JSON.
    #[arg(long)]
    json: bool,
    /// Only rows whose "section: name" contains this text.
    #[arg(long)]
    only: Option<String>,
    /// Serves over HTTP instead: one side of a comparison, started by the benchmark itself.
    #[arg(long, hide = true)]
    serve: Option<Served>,
}

fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    if let Some(what) = arguments.serve {
        return served::serve(what);
    }
    let mut report = Report::new(arguments.json, arguments.only);
    floors::floors(&mut report, arguments.quick)?;
    in_process::memory(&mut report, arguments.quick)?;
    in_process::sqlite(&mut report, arguments.quick)?;
    sqlite::sqlite(&mut report, arguments.quick)?;
    http::http(&mut report, arguments.quick)?;
    pages::pages(&mut report, arguments.quick)?;
    report.finish()
}
