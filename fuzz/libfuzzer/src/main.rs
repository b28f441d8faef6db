//! libFuzzer over the target that `PROOFKEY_FUZZ_TARGET` names; `make fuzz` runs it.

#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use proofkey_fuzz::{TARGETS, Target, run};

fn chosen() -> Target {
    static CHOSEN: OnceLock<Target> = OnceLock::new();
    *CHOSEN.get_or_init(|| {
        let name = std::env::var("PROOFKEY_FUZZ_TARGET").unwrap_or_default();
        *TARGETS.iter().find(|target| target.name == name).unwrap_or_else(|| panic!("no target {name:?}"))
    })
}

fuzz_target!(|bytes: &[u8]| run(&chosen(), bytes));
