//! What the tests of whole servers share: a world with a clock that stands still, a store that can be told to fail,
//! scenarios that are data, and a walker over the interleavings of flows.

#![forbid(unsafe_code)]

mod faulty;
mod interleave;
mod people;
mod rows;
mod scenario;
mod worker;
mod world;

pub use faulty::{Call, Fault, Faulty};
pub use interleave::{Explorer, Move, Outcome, answer, drive};
pub use people::{ADA, Admitted, BOB, People};
pub use rows::Rows;
pub use scenario::{Scenario, replay};
pub use worker::{Performed, WorkerProcess, perform};
pub use world::{
    CHALLENGE, ISSUER, PASSWORD, REDIRECT_URI, Reply, SERVICE_URI, START, SignedIn, VERIFIER, World, basic, clients,
    configure, core, core_with, form_request, secret_of,
};
