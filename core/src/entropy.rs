//! Randomness as a value: 32 bytes from the host, expanded inside the flow.

use chacha20::ChaCha12Rng;
use rand_core::{Rng as _, SeedableRng as _};
use zeroize::Zeroizing;

use crate::store::Version;

/// 32 unpredictable bytes that one flow may use up.
///
/// A flow is a function of its entropy: the same bytes give the same tokens. Drivers therefore draw it themselves, for
/// each flow afresh; a seed from outside is for tests only.
pub struct Entropy(Zeroizing<[u8; 32]>);

impl Entropy {
    /// Entropy that a driver drew from a cryptographic generator, for one flow.
    ///
    /// # Security
    /// Bytes that are guessable, or used for two flows, make tokens guessable.
    #[must_use]
    pub fn from_driver(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The entropy of a test run: the same seed, the same bytes.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        use sha2::{Digest, Sha256};
        Self(Zeroizing::new(
            Sha256::new().chain_update(b"proofkey test seed").chain_update(seed.to_be_bytes()).finalize().into(),
        ))
    }

    pub(crate) fn expand(&self) -> Generator {
        Generator(ChaCha12Rng::from_seed(*self.0))
    }
}

impl std::fmt::Debug for Entropy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The generator inside one flow: ChaCha with 12 rounds, seeded by the flow's entropy.
pub(crate) struct Generator(ChaCha12Rng);

impl Generator {
    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    /// A fresh version: 64 bits as 11 base64url characters.
    pub(crate) fn version(&mut self) -> Version {
        Version::from_random(self.bytes())
    }
}
