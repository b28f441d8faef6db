//! The `proofkey` command.

use std::io::{stderr, stdin, stdout};
use std::process::ExitCode;

use proofkey_cli::{World, run};

fn main() -> ExitCode {
    let world = World {
        // A value that is no UTF-8 is no value of ours; as text it is refused by its own name.
        variables: std::env::vars_os().map(|(name, value)| (lossy(name), lossy(value))).collect(),
        stdin: &mut stdin().lock(),
        stdout: &mut stdout(),
        stderr: &mut stderr(),
    };
    ExitCode::from(run(std::env::args_os(), world))
}

fn lossy(text: std::ffi::OsString) -> String {
    text.to_string_lossy().into_owned()
}
