//! What the tests of whole servers share: a world with a clock that stands still, a store that can be told to fail,
//! scenarios that are data, and a walker over the interleavings of flows.

#![forbid(unsafe_code)]

mod aftermath;
mod aftermath_of_pages;
mod browser;
mod endpoints;
mod errands;
mod faulty;
mod grammar;
#[cfg(doctest)]
mod guides;
mod interleave;
mod jar;
mod kept;
mod ledger;
mod load;
mod opened;
mod operations;
mod page;
mod past;
mod people;
mod recorder;
mod rows;
mod scanner;
mod scenario;
mod session;
mod slow;
mod states;
mod surroundings;
mod visit;
mod wire;
mod worker;
mod world;
mod world_file;

pub use aftermath::{assert_aftermath, assert_unavailable};
pub use browser::{Browser, authorize_path};
pub use endpoints::{Endpoint, Reads, endpoints, pages};
pub use errands::{Brought, Ended, Errand, NEXT_URI};
pub use faulty::{Call, Fault, Faulty};
pub use grammar::{assert_well_formed, challenge};
pub use interleave::{Explorer, Move, Outcome, answer, drive};
pub use jar::Jar;
pub use kept::{Kept, OLD_KEY};
pub use ledger::Ledger;
pub use load::{Load, minting, sessions};
pub use opened::{NEW_PASSWORD, Opened, THIRD_URI};
pub use operations::{Held, Operation};
pub use page::{Form, Location};
pub use past::Past;
pub use people::{ADA, Admitted, BOB, Keeper, People};
pub use recorder::{Overheard, Recorder};
pub use rows::Rows;
pub use scanner::Scanner;
pub use scenario::{Driver, Scenario, replay};
pub use session::{Figures, Inquiry, Session, Settled, works};
pub use slow::{Pause, Slow};
pub use states::{Meeting, Met, Party, Taken, call, request};
pub use visit::{Visit, authorization, code_in, hidden, without_reference};
pub use wire::{exchange, get, post};
pub use worker::{Performed, WorkerProcess, perform};
pub use world::{
    CHALLENGE, ISSUER, KEY, PASSWORD, REDIRECT_URI, Reply, SERVICE_URI, START, SignedIn, VERIFIER, World, basic,
    clients, configure, core, core_with, encode, form_request, keys, secret_of,
};
