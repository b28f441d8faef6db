//! Where all chance of a world comes from: one generator, seeded by a number.

use chacha20::ChaCha8Rng;
use proofkey_core::Entropy;
use rand_core::{Rng as _, SeedableRng as _};

/// A generator: the same seed, the same throws.
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number below `bound`, which is not zero.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let (drawn, bound) = (u64::from(self.0.next_u32()), bound as u64);
        // The bias is below one in a million: bounds are small.
        usize::try_from((drawn * bound) >> 32).unwrap_or(0)
    }

    /// Whether something happens that does so `times` in a thousand.
    pub(crate) fn permille(&mut self, times: usize) -> bool {
        times > 0 && self.below(1000) < times
    }

    /// What a driver draws for one flow.
    pub(crate) fn entropy(&mut self) -> Entropy {
        let mut bytes = [0; 32];
        self.0.fill_bytes(&mut bytes);
        Entropy::from_driver(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::Dice;

    #[test]
    fn the_same_seed_throws_the_same_and_each_face_comes_up() {
        let throws = |seed| {
            let mut dice = Dice::seeded(seed);
            std::array::from_fn::<usize, 200, _>(|_| dice.below(6))
        };
        assert_eq!(throws(7), throws(7));
        assert_ne!(throws(7), throws(8));
        assert!((0..6).all(|face| throws(7).contains(&face)) && throws(7).iter().all(|face| *face < 6));
    }
}
