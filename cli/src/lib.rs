//! The `proofkey` command as a library: settings, the server, and the operator's commands.
//!
//! The binary calls [`run`] with its arguments and variables; nothing here reads the environment by itself.
#![forbid(unsafe_code)]

mod command;
mod failure;
mod log;
mod output;
mod password;
mod private_file;
mod secret_file;
mod serve;
mod settings;
mod signing;
mod text;
mod walk;

pub use command::{World, run};
