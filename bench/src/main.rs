//! Times of the core and the stores, each beside its floor in the same run.

#![forbid(unsafe_code)]

fn main() {}
