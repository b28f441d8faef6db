//! Fuzz targets: for any bytes, what each parser, record and answer of the server must be.
//!
//! Their seeds and a small corpus run as ordinary tests (`tests/corpus.rs`); `make fuzz` lets a fuzzer look for more.
//! docs/fuzzing.md says what each target holds, and how to add one.

#![forbid(unsafe_code)]

mod held;
mod html;
mod mutator;
mod source;
mod targets;
mod wire;

pub use mutator::Mutator;
pub use targets::{TARGETS, Target};

/// Runs a target, and names the input on standard error if a property does not hold.
pub fn run(target: &Target, input: &[u8]) {
    let named = Named { target: target.name, input };
    (target.run)(input);
    std::mem::forget(named);
}

struct Named<'a> {
    target: &'a str,
    input: &'a [u8],
}

impl Drop for Named<'_> {
    #[expect(clippy::print_stderr, reason = "whoever sees the panic has to see its input")]
    fn drop(&mut self) {
        let hex: String = self.input.iter().map(|byte| format!("{byte:02x}")).collect();
        eprintln!("{}: {}\nin hexadecimal: {hex}", self.target, self.input.escape_ascii());
    }
}
