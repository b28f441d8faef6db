//! Time as a value: whole seconds since 1970, supplied by the host.

use std::fmt;
use std::time::Duration;

/// A moment in whole seconds since 1970-01-01T00:00:00Z, without leap seconds.
///
/// The core never reads a clock; each flow is started with the moment it runs at. Arithmetic saturates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(u64);

impl UnixTime {
    /// The end of the year 9999: stands for "never" in `expires_at`, and fits a double exactly.
    pub const NEVER: Self = Self(253_402_300_799);

    /// A moment from seconds since 1970; moments after [`UnixTime::NEVER`] become it.
    #[must_use]
    pub const fn from_seconds(seconds: u64) -> Self {
        if seconds > Self::NEVER.0 { Self::NEVER } else { Self(seconds) }
    }

    /// Seconds since 1970.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0
    }

    /// This moment, `span` later; parts of a second in `span` are dropped.
    #[must_use]
    pub const fn after(self, span: Duration) -> Self {
        Self::from_seconds(self.0.saturating_add(span.as_secs()))
    }

    /// Seconds from `earlier` to this moment; zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// This moment or the next full hour after it.
    #[must_use]
    pub const fn to_full_hour(self) -> Self {
        Self::from_seconds(self.0.div_ceil(3600).saturating_mul(3600))
    }
}

impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_at_never() {
        let late = UnixTime::from_seconds(u64::MAX);
        assert_eq!(late, UnixTime::NEVER);
        assert_eq!(late.after(Duration::from_secs(1)), UnixTime::NEVER);
        assert_eq!(UnixTime::from_seconds(5).since(UnixTime::from_seconds(9)), 0);
    }

    #[test]
    fn a_full_hour_stays_and_any_second_more_is_the_next() {
        assert_eq!(UnixTime::from_seconds(7200).to_full_hour().seconds(), 7200);
        assert_eq!(UnixTime::from_seconds(7201).to_full_hour().seconds(), 10800);
    }
}
