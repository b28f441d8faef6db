//! Settings from a file, the environment and flags: collected with their sources, checked as a whole.

mod client;
mod collect;
mod env_file;
mod file;
mod key;
mod origin;
mod own;
mod table;

pub(crate) use collect::Collected;
pub(crate) use env_file::EnvFile;
pub(crate) use origin::{Origins, Source, Variables};
pub(crate) use own::Own;
pub(crate) use table::{Row, nearest, rows};
