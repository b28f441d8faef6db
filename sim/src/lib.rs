//! A deterministic world that tries to break proofkey: virtual time, seeded chance, several server processes over one
//! store, clients, an attacker, an operator, and faults wherever a step can fail.

mod dice;
mod exhaustive;
mod rows;

pub use exhaustive::{Bounds, Explored, Summary, Violation, explore};
