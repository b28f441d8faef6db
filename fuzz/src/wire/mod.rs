//! Whole requests: written by choices, answered by a core, judged by what every answer must be.

mod draft;
mod drive;
mod judge;

pub(crate) use draft::{Body, Draft, MARK};
pub(crate) use drive::{Driven, Faults, drive};
pub(crate) use judge::judge;
