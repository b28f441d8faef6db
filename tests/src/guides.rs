//! The guides of `docs/`, so that their code is compiled and run.

#[doc = include_str!("../../docs/embedding-rust.md")]
mod embedding_rust {}

#[doc = include_str!("../../docs/own-store.md")]
mod own_store {}

#[doc = include_str!("../../docs/store-contract.md")]
mod store_contract {}

#[doc = include_str!("../../docs/users.md")]
mod users {}
