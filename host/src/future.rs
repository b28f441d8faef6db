//! The shape of a call that a host answers later.

use std::pin::Pin;

/// A boxed future, so that asynchronous traits can be used as objects: `Box::pin(async move { .. })` makes one.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
