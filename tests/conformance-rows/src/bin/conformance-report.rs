//! Writes `docs/conformance.md` from the rows, the deferrals and the run that `PROOFKEY_CONFORMANCE` names; with `--check` it
//! writes nothing and fails if the committed page is not this run's. Either way it fails if a row is neither shown nor excused.

#![forbid(unsafe_code)]

use std::{
    env,
    error::Error,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use proofkey_conformance::{Deferrals, Matrix, RUN_DIRECTORY, Report, Run};

const USAGE: &str = "usage: PROOFKEY_CONFORMANCE=<directory of a run> conformance-report [--check]";

fn main() -> ExitCode {
    match report() {
        Ok(problems) if problems.is_empty() => ExitCode::SUCCESS,
        Ok(problems) => complain(&format!("{}\n{} problems", problems.join("\n"), problems.len())),
        Err(error) => complain(&error.to_string()),
    }
}

fn report() -> Result<Vec<String>, Box<dyn Error>> {
    let check = match env::args().skip(1).collect::<Vec<_>>().as_slice() {
        [] => false,
        [only] if only == "--check" => true,
        _ => return Err(USAGE.into()),
    };
    let directory = env::var_os(RUN_DIRECTORY).map(PathBuf::from).ok_or(USAGE)?;
    let report = Report::new(&Matrix::read()?, &Deferrals::read()?, &Run::read(&directory)?);
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/conformance.md");
    let mut problems = report.problems().to_vec();
    if check {
        let committed = fs::read_to_string(&page).unwrap_or_default();
        if let Some(difference) = report.first_difference(&committed) {
            problems
                .push(format!("docs/conformance.md is not this run's (`make conformance` writes it): {difference}"));
        }
    } else {
        fs::write(&page, report.text())?;
    }
    Ok(problems)
}

fn complain(text: &str) -> ExitCode {
    // Nothing is left to tell when stderr is closed.
    let _ = writeln!(io::stderr(), "{text}");
    ExitCode::FAILURE
}
