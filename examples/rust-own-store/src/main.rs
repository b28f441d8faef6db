//! A store of the host's own.

fn main() {}
