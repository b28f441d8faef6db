//! An axum service that is its own authorization server.

fn main() {}
