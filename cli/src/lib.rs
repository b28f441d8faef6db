//! The proofkey server and its operator's commands, as a library with a thin binary.

#![forbid(unsafe_code)]
