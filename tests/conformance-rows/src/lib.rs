//! The conformance rows of `tests/conformance/`: how a test declares the rows it shows, and the report made of what a run showed.
//!
//! A test names its rows in its first line and keeps the guard until it ends:
//!
//! ```no_run
//! let _rows = proofkey_conformance::shows(&["rfc6749-2.1-1"]);
//! ```
//!
//! The rows and what a run says about them:
//! - [`Matrix`] is what is required, [`Deferrals`] what is not here yet and why, [`Run`] what was executed;
//! - [`Report`] joins the three into `docs/conformance.md`, and lists what is wrong.

#![forbid(unsafe_code)]

mod deferral;
mod error;
mod matrix;
mod report;
mod run;
mod shows;

pub use deferral::{Deferrals, Reason};
pub use error::Unreadable;
pub use matrix::{Document, Matrix, Row};
pub use report::Report;
pub use run::{Outcome, Run};
pub use shows::{RUN_DIRECTORY, Shows, shows, shows_as};
