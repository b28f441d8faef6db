//! Settings from a file, the environment and flags: collected with their sources, checked as a whole.

mod client;
mod collect;
mod env_file;
mod file;
mod key;
mod origin;
mod own;
mod page;
mod table;
mod texts;

pub(crate) use collect::{Collected, Value};
pub(crate) use env_file::{EnvFile, assignment};
pub(crate) use origin::{Flag, Origins, Source, Variables};
pub(crate) use own::{AuditLog, Own};
pub(crate) use page::page;
pub(crate) use table::{Row, Section, nearest, rows};
