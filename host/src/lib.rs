//! An embeddable OAuth 2.1 authorization server.
#![forbid(unsafe_code)]

pub mod store;
