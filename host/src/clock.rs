//! Where a server gets the time from.

use std::time::{SystemTime, UNIX_EPOCH};

use proofkey_core::UnixTime;

/// A clock in whole seconds. Clocks of processes that share a store must agree within 5 s, and must not run back.
pub trait Clock: Send + Sync {
    /// The current time.
    fn now(&self) -> UnixTime;
}

/// The clock of the operating system.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UnixTime {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UnixTime::from_seconds(since.as_secs())
    }
}
