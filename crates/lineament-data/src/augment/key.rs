//! Where random numbers come from: a stream for every image, epoch and purpose.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// What decides all random numbers of one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The training's seed.
    pub seed: u64,
    /// The epoch.
    pub epoch: u64,
    /// The image's place in the data set (not in the shuffled epoch).
    pub index: u64,
}

impl Key {
    /// The stream of random numbers for one `purpose`, independent of those for others.
    pub fn stream(self, purpose: u64) -> ChaCha8Rng {
        let mut seed = [0_u8; 32];
        let words = [self.seed, self.epoch, self.index, purpose];
        for (bytes, word) in seed.chunks_exact_mut(8).zip(words) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        ChaCha8Rng::from_seed(seed)
    }
}

/// The purposes of streams within this crate.
pub(crate) mod purpose {
    pub(crate) const ORDER: u64 = 2;
    pub(crate) const PERSON: u64 = 3;
    pub(crate) const IMAGE: u64 = 4;
    pub(crate) const BACKGROUND: u64 = 5;
    pub(crate) const OBJECT: u64 = 6;
    pub(crate) const CROWD: u64 = 7;
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngCore as _;

    #[test]
    fn keys_differ_in_every_part() {
        let first = |seed, epoch, index| Key { seed, epoch, index }.stream(0).next_u64();
        let base = first(1, 2, 3);
        assert!([first(2, 2, 3), first(1, 3, 3), first(1, 2, 4)].iter().all(|other| *other != base));
    }
}
