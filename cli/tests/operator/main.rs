//! The `proofkey` binary as an operator meets it: run in directories of its own, on loopback ports.

mod client;
mod drain;
mod help;
mod init;
mod keys;
mod limits;
mod place;
mod rotation;
mod secrets;
mod serve;
mod settings;
