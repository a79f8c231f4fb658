//! Who is left out together.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::examples::Example;

/// A person, or an image that stands for itself, with the indices of its examples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoldGroup {
    /// Places of those that have the attribute.
    pub with: Vec<usize>,
    /// Places of those that do not.
    pub without: Vec<usize>,
}

/// The groups among the examples at `indices`, in an order that depends on the seed and the groups alone; those with most examples that have the
/// attribute first, then those with most that do not.
pub fn groups(examples: &[Example], indices: &[usize], seed: u64) -> Vec<FoldGroup> {
    let mut found: BTreeMap<u64, FoldGroup> = BTreeMap::new();
    for index in indices {
        let Some(example) = examples.get(*index) else { continue };
        let empty = FoldGroup { with: Vec::new(), without: Vec::new() };
        let group = found.entry(example.group).or_insert(empty);
        if example.answer { group.with.push(*index) } else { group.without.push(*index) }
    }
    let mut groups: Vec<FoldGroup> = found.into_values().collect();
    groups.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    groups.sort_by_key(|group| (std::cmp::Reverse(group.with.len()), std::cmp::Reverse(group.without.len())));
    groups
}

/// The fold of every one of `indices`, in their order: all of a group in one, dealt out so that folds have about as many examples of each kind.
pub fn folds(examples: &[Example], indices: &[usize], count: usize, seed: u64) -> Vec<usize> {
    let mut of_index: BTreeMap<usize, usize> = BTreeMap::new();
    for (turn, group) in groups(examples, indices, seed).iter().enumerate() {
        // There and back again: the first fold does not get the largest of every round.
        let (round, step) = (turn / count.max(1), turn % count.max(1));
        let fold = if round.is_multiple_of(2) { step } else { count.saturating_sub(1 + step) };
        of_index.extend(group.with.iter().chain(&group.without).map(|index| (*index, fold)));
    }
    indices.iter().map(|index| of_index.get(index).copied().unwrap_or_default()).collect()
}

/// The fold of every image, given who is on it: people are dealt out in the order in which they first come, so that all images of one are left out
/// together whatever the numbers are that they go by.
pub fn assign_folds(people: impl IntoIterator<Item = u64>, count: usize) -> Vec<usize> {
    let mut turns: BTreeMap<u64, usize> = BTreeMap::new();
    let turn = |person| {
        let next = turns.len();
        *turns.entry(person).or_insert(next) % count.max(1)
    };
    people.into_iter().map(turn).collect()
}

/// A share of the examples at `indices`, drawn group by group, with as much of each kind as can be; at least two groups of each.
pub fn part(examples: &[Example], indices: &[usize], share: f64, seed: u64) -> Vec<usize> {
    let mut kept = Vec::new();
    let kinds: [fn(&FoldGroup) -> bool; 2] = [|group| !group.with.is_empty(), |group| group.with.is_empty()];
    let all = groups(examples, indices, seed);
    for of_kind in kinds {
        let mut own: Vec<&FoldGroup> = all.iter().filter(|group| of_kind(group)).collect();
        own.shuffle(&mut ChaCha8Rng::seed_from_u64(seed ^ 0x7061_7274));
        let count = ((own.len() as f64 * share).round() as usize).max(2);
        kept.extend(
            own.iter().take(count).flat_map(|group| group.with.iter().chain(&group.without)).copied(),
        );
    }
    kept.sort_unstable();
    kept
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn people_are_dealt_out_whatever_their_numbers() {
        // Remainders of their numbers would put all of these into one fold.
        assert_eq!(assign_folds([5, 10, 5, 15, 20, 10], 3), [0, 1, 0, 2, 0, 1]);
        assert_eq!(assign_folds([7, 7], 0), [0, 0]);
    }

    proptest! {
        #[test]
        fn a_group_is_in_one_fold_and_kinds_are_spread(
            kinds in prop::collection::vec((any::<bool>(), 0_u64..40), 40..120), seed: u64,
        ) {
            let example = |(answer, group): &(bool, u64)| Example { vector: vec![], answer: *answer, group: *group };
            let examples: Vec<Example> = kinds.iter().map(example).collect();
            let indices: Vec<usize> = (0..examples.len()).collect();
            let found = folds(&examples, &indices, 5, seed);
            prop_assert_eq!(&found, &folds(&examples, &indices, 5, seed));
            for (one, fold) in examples.iter().zip(&found) {
                for (other, other_fold) in examples.iter().zip(&found) {
                    prop_assert!(one.group != other.group || fold == other_fold);
                }
            }
            let half = part(&examples, &indices, 0.5, seed);
            prop_assert!(half.len() < examples.len() && half.is_sorted());
            prop_assert_eq!(part(&examples, &indices, 1.0, seed), indices);
        }
    }

    #[test]
    fn single_images_are_dealt_evenly() {
        let examples: Vec<Example> =
            (0..50).map(|i| Example { vector: vec![], answer: i % 2 == 0, group: i }).collect();
        let indices: Vec<usize> = (0..50).collect();
        let found = folds(&examples, &indices, 5, 3);
        for fold in 0..5 {
            let of_kind =
                |kind| found.iter().zip(&examples).filter(|(f, e)| **f == fold && e.answer == kind).count();
            assert_eq!((of_kind(true), of_kind(false)), (5, 5));
        }
    }
}
