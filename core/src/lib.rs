//! The pure core of proofkey, an embeddable OAuth 2.1 authorization server.
//!
//! A request becomes a value, a flow is started with the current time and 32 bytes of entropy, and the flow hands out
//! owned [`Step`]s until it is done. Nothing in here touches a socket, a clock, a thread, the environment or a file.

mod entropy;
mod secret;
mod store;
mod time;
mod user;

pub use entropy::Entropy;
pub use secret::{Secret, SecretDigest};
pub use store::{InvalidText, Key, MAX_BODY, MAX_KEY, MAX_OWNERS, MAX_VERSION, Owner, Query, Record, StoreError, Version, Write};
pub use time::UnixTime;
pub use user::{User, UserAnswer, UserQuestion};
