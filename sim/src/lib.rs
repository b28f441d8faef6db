//! A deterministic world that tries to break proofkey: virtual time, seeded chance, several server processes over one
//! store, clients, an attacker, an operator, and faults wherever a step can fail.

mod answer;
mod attacker;
mod browser;
mod call;
mod calm;
mod calm_browser;
mod client;
mod dice;
pub mod exhaustive;
mod fault;
mod flight;
mod house;
mod many;
mod model;
mod operator;
mod report;
mod rows;
mod run;
mod sheet;
mod story;
mod visit;
mod wallet;
mod world;

pub use call::Operation;
pub use fault::Fault;
pub use many::{Failure, Summary, play_many};
pub use model::Violation;
pub use report::{Answers, FEWEST_TOKENS, Tally};
pub use rows::Flaw;
pub use run::{Ending, Ground};
pub use story::about;
