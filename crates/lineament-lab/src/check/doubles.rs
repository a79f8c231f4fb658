//! The same image more than once.

use std::collections::HashMap;

use super::fingerprint::{Fingerprint, MOST_BITS};

/// Bits of a part of a hash. Of so many parts that no two hashes that are alike differ in all of them, one is the same in both.
const PART: u32 = 128 / (MOST_BITS + 1);

/// Groups of places whose images are alike, each of two or more, in the order of their first; places without a fingerprint are in none.
pub(super) fn groups(fingerprints: &[Option<Fingerprint>]) -> Vec<Vec<usize>> {
    let mut sets = Sets((0..fingerprints.len()).collect());
    // Equal ones first, so that many copies of one image are no square of pairs.
    let mut first: HashMap<&Fingerprint, usize> = HashMap::new();
    let mut unlike: Vec<(usize, &Fingerprint)> = Vec::new();
    for (place, fingerprint) in fingerprints.iter().enumerate() {
        let Some(fingerprint) = fingerprint else { continue };
        match first.get(fingerprint) {
            Some(known) => sets.join(*known, place),
            None => {
                first.insert(fingerprint, place);
                unlike.push((place, fingerprint));
            }
        }
    }
    for part in 0..=MOST_BITS {
        let mut buckets: HashMap<u128, Vec<(usize, &Fingerprint)>> = HashMap::new();
        for &(place, fingerprint) in &unlike {
            let key = fingerprint.hash >> (part * PART) & ((1 << PART) - 1);
            let bucket = buckets.entry(key).or_default();
            for (other, known) in bucket.iter().filter(|(_, known)| known.is_like(fingerprint)) {
                debug_assert!(known.is_like(fingerprint));
                sets.join(*other, place);
            }
            bucket.push((place, fingerprint));
        }
    }
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); fingerprints.len()];
    for place in 0..fingerprints.len() {
        if let Some(group) = members.get_mut(sets.first(place)) {
            group.push(place);
        }
    }
    members.retain(|group| group.len() > 1);
    members
}

/// Sets of places; each knows a place that stands before it in its set.
struct Sets(Vec<usize>);

impl Sets {
    /// The first place of the set.
    fn first(&mut self, place: usize) -> usize {
        let mut at = place;
        while let Some(&before) = self.0.get(at)
            && before != at
        {
            at = before;
        }
        // The way is shorter next time.
        if let Some(entry) = self.0.get_mut(place) {
            *entry = at;
        }
        at
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.first(one), self.first(other));
        if let Some(later) = self.0.get_mut(one.max(other)) {
            *later = one.min(other);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use lineament::Photo;
    use lineament::crop::crop;
    use lineament::testing::blocks;

    #[test]
    fn copies_are_grouped_whatever_part_of_the_hash_differs() {
        let photos: Vec<Photo> = (0..40).map(|seed| blocks(240, 180, seed)).collect();
        let of = |photo: &Photo| Some(Fingerprint::of(photo));
        let mut all: Vec<Option<Fingerprint>> = photos.iter().map(of).collect();
        assert!(groups(&all).is_empty(), "{:?}", groups(&all));
        all.push(None);
        all.push(of(&crop(&photos[7], photos[7].rect(), 120, 90)));
        all.push(of(&photos[3]));
        all.push(of(&photos[7]));
        // A bit here and there.
        let mut noisy = all[9].clone().unwrap();
        noisy.hash ^= 1 << 127 | 1 << 64 | 1;
        all.push(Some(noisy));
        assert_eq!(groups(&all), [vec![3, 42], vec![7, 41, 43], vec![9, 44]]);
    }
}
