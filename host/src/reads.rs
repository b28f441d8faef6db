//! Reads that anybody may make: limited for each address, in this process only, for nothing is stored for a stranger.

use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use proofkey_core::UnixTime;

/// Ten a second: a page that signs somebody in needs two.
const MOST: u64 = 600;
const WINDOW: u64 = 60;
/// Addresses meet in a slot only by the chance of a hash that nobody outside can foresee. A power of two.
const SLOTS: usize = 4096;
/// A slot is the number of its window, and how many reads were counted in it, in as many bits.
const COUNT_BITS: u32 = 24;

/// The counters of a process.
pub(crate) struct OpenReads {
    slots: Box<[AtomicU64]>,
    hash: RandomState,
}

impl Default for OpenReads {
    fn default() -> Self {
        Self { slots: (0..SLOTS).map(|_| AtomicU64::new(0)).collect(), hash: RandomState::new() }
    }
}

impl OpenReads {
    /// Counts a read of `address`; if it is one too many, tells how long to wait.
    pub(crate) fn refuse(&self, address: IpAddr, now: UnixTime) -> Option<Duration> {
        let window = now.seconds() / WINDOW;
        let next = |slot: u64| match (slot >> COUNT_BITS == window, slot & ((1 << COUNT_BITS) - 1)) {
            (true, count) if count >= MOST => None,
            (true, _) => Some(slot + 1),
            (false, _) => Some((window << COUNT_BITS) + 1),
        };
        let slot = self.slots.get(self.slot_of(address))?;
        match slot.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next) {
            Ok(_) => None,
            Err(_) => Some(Duration::from_secs(WINDOW - now.seconds() % WINDOW)),
        }
    }

    /// An IPv6 address counts with its whole /64, as in the limits of the core.
    fn slot_of(&self, address: IpAddr) -> usize {
        let network = match address {
            IpAddr::V4(address) => u64::from(address.to_bits()),
            IpAddr::V6(address) => u64::from_be_bytes(*address.octets().first_chunk().unwrap_or(&[0; 8])),
        };
        usize::try_from(self.hash.hash_one(network)).unwrap_or_default() % SLOTS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_so_often_in_a_minute_and_again_in_the_next() {
        let reads = OpenReads::default();
        let (address, at) = (IpAddr::from([192, 0, 2, 1]), |seconds| UnixTime::from_seconds(seconds));
        for _ in 0..MOST {
            assert_eq!(reads.refuse(address, at(610)), None);
        }
        assert_eq!(reads.refuse(address, at(610)), Some(Duration::from_secs(50)));
        assert_eq!(reads.refuse(address, at(659)), Some(Duration::from_secs(1)));
        assert_eq!(reads.refuse(address, at(660)), None);
    }

    #[test]
    fn an_ipv6_network_counts_as_one() {
        let reads = OpenReads::default();
        let slot = |text: &str| reads.slot_of(text.parse().unwrap());
        assert_eq!(slot("2001:db8:1:2::1"), slot("2001:db8:1:2:ffff::9"));
    }
}
