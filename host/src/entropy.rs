//! Where flows get their entropy from: a generator in this process, seeded by the operating system.
//!
//! A system call for each flow would cost more than the flow's own hashing (facts: 0.58 µs against 0.013 µs), so each
//! source draws 32 bytes from the system once, expands them with ChaCha12 and seeds itself anew every 4,096 flows and
//! in every forked child.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use chacha20::ChaCha12Rng;
use proofkey_core::{ClientSecret, Entropy, Secret};
use rand_core::{Rng as _, SeedableRng as _};
use zeroize::Zeroizing;

/// Flows between two seeds from the system.
const FLOWS_A_SEED: u32 = 4096;
/// Generators side by side, so that threads seldom meet at one.
const LANES: usize = 8;

/// The system's generator failed: no token can be made. Seen on machines that are starting, and in broken sandboxes.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gives no random bytes: {0}")]
pub struct NoEntropy(#[from] getrandom::Error);

/// Entropy for one flow that the host drives by hand: 32 bytes of the operating system's. [`crate::Server`] and
/// [`crate::AsyncServer`] draw their own.
///
/// # Errors
/// If the operating system gives no random bytes.
pub fn system_entropy() -> Result<Entropy, NoEntropy> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(Entropy::from_driver(bytes))
}

pub(crate) struct Lane {
    generator: ChaCha12Rng,
    left: u32,
    process: u32,
}

impl Lane {
    fn seeded() -> Result<Self, NoEntropy> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *seed)?;
        Ok(Self { generator: ChaCha12Rng::from_seed(*seed), left: FLOWS_A_SEED, process: std::process::id() })
    }

    fn draw(&mut self) -> Result<Entropy, NoEntropy> {
        if self.left == 0 || self.process != std::process::id() {
            *self = Self::seeded()?;
        }
        self.left = self.left.saturating_sub(1);
        let mut bytes = [0; 32];
        self.generator.fill_bytes(&mut bytes);
        Ok(Entropy::from_driver(bytes))
    }
}

/// A client secret of 256 random bits: the digest that is kept, and the text that is shown once.
///
/// # Errors
/// If the operating system gives no random bytes.
pub fn generate_client_secret() -> Result<(ClientSecret, Secret), NoEntropy> {
    let mut random = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *random)?;
    Ok(ClientSecret::generate(*random))
}

/// A source of entropy, one draw a flow.
pub(crate) enum EntropySource {
    System {
        lanes: Box<[Mutex<Option<Lane>>; LANES]>,
        next: AtomicUsize,
    },
    /// The system's generator failed.
    #[cfg(feature = "testing")]
    Dry,
    #[cfg(feature = "testing")]
    Seeded(std::sync::atomic::AtomicU64),
}

impl EntropySource {
    pub(crate) fn system() -> Self {
        Self::System { lanes: Box::new(std::array::from_fn(|_| Mutex::new(None))), next: AtomicUsize::new(0) }
    }

    pub(crate) fn draw(&self) -> Result<Entropy, NoEntropy> {
        match self {
            Self::System { lanes, next } => {
                let lane = &lanes[next.fetch_add(1, Ordering::Relaxed) % LANES];
                let mut lane = lane.lock().unwrap_or_else(PoisonError::into_inner);
                match &mut *lane {
                    Some(lane) => lane.draw(),
                    None => lane.insert(Lane::seeded()?).draw(),
                }
            }
            #[cfg(feature = "testing")]
            Self::Dry => Err(getrandom::Error::UNSUPPORTED.into()),
            #[cfg(feature = "testing")]
            Self::Seeded(next) => Ok(Entropy::from_seed(next.fetch_add(1, Ordering::Relaxed))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(process: u32, left: u32) -> Lane {
        Lane { generator: ChaCha12Rng::from_seed([7; 32]), left, process }
    }

    fn next(lane: &mut Lane) -> [u8; 32] {
        let mut bytes = [0; 32];
        lane.generator.fill_bytes(&mut bytes);
        bytes
    }

    #[test]
    fn a_forked_child_never_repeats_its_parent() {
        // What a fork leaves in the child: the same state under another process number.
        let (mut parent, mut child) = (lane(std::process::id(), 9), lane(std::process::id() ^ 1, 9));
        parent.draw().unwrap();
        child.draw().unwrap();
        assert_eq!(child.process, std::process::id());
        assert_ne!(next(&mut parent), next(&mut child));
    }

    #[test]
    fn a_lane_seeds_itself_anew_after_its_flows() {
        let (mut fresh, mut spent) = (lane(std::process::id(), 1), lane(std::process::id(), 0));
        fresh.draw().unwrap();
        spent.draw().unwrap();
        assert_eq!((fresh.left, spent.left), (0, FLOWS_A_SEED - 1));
        assert_ne!(next(&mut fresh), next(&mut spent));
    }
}
