//! Orders drawn from a seed.

use rand::seq::SliceRandom;

use crate::augment::{Key, purpose};

/// The order of `count` items in an epoch: the same for the same seed and epoch.
pub fn shuffled(count: usize, seed: u64, epoch: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    order.shuffle(&mut Key { seed, epoch, index: 0 }.stream(purpose::ORDER));
    order
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_epochs_order_is_a_permutation_that_its_seed_decides(count in 0..300_usize, seed: u64, epoch: u64) {
            let order = shuffled(count, seed, epoch);
            prop_assert_eq!(&order, &shuffled(count, seed, epoch));
            let mut sorted = order;
            sorted.sort_unstable();
            prop_assert_eq!(sorted, (0..count).collect::<Vec<_>>());
        }
    }

    #[test]
    fn epochs_differ() {
        assert_ne!(shuffled(50, 1, 0), shuffled(50, 1, 1));
    }
}
