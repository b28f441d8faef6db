//! The `proofkey` binary as an operator meets it: run in directories of its own, on loopback ports.

mod client;
mod clients;
mod drain;
mod grants;
mod help;
mod init;
mod keys;
mod limits;
mod place;
mod records;
mod rotation;
mod secrets;
mod serve;
mod sessions;
mod settings;
mod simulate;
mod users;
mod walk;
