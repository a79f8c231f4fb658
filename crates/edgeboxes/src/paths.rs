//! How strongly edge groups hang together along paths of neighbours (Zitnick and Dollar, "Edge Boxes", ECCV 2014,
//! section 3.2), worked out once a image: a box asks for the paths from each group that crosses its rim.

use crate::groups::EdgeGroups;
use crate::lists::EdgeLists;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Paths whose product of affinities falls below this are not followed.
pub(crate) const PATH_CUT: f32 = 0.05;

/// For every group, the groups that a path leads to and the product of affinities along the best one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EdgePaths {
    /// What each group reaches, the strongest first: the group itself, with weight 1.
    reached: EdgeLists,
}

impl EdgePaths {
    /// Follows all paths between the groups of a image.
    pub(crate) fn of(groups: &EdgeGroups) -> Self {
        let count = groups.groups().len();
        let mut reached = EdgeLists::default();
        // The start from which a group was last reached.
        let mut seen_from = vec![None; count];
        // Products are positive, so that their bits rise with them, and only fall along a path: what comes first is the best.
        let mut open: BinaryHeap<(u32, Reverse<u32>)> = BinaryHeap::new();
        // Fewer groups than pixels, and fewer pixels than 2^32.
        for start in 0..count as u32 {
            open.push((1.0f32.to_bits(), Reverse(start)));
            while let Some((bits, Reverse(label))) = open.pop() {
                if seen_from[label as usize].replace(start) == Some(start) {
                    continue;
                }
                let weight = f32::from_bits(bits);
                reached.push(label, weight);
                // The closest neighbours come first.
                let along =
                    groups.neighbours(label).iter().map(|&(next, affinity)| (next, weight * affinity));
                for (next, along) in along.take_while(|&(_, along)| along >= PATH_CUT) {
                    open.push((along.to_bits(), Reverse(next)));
                }
            }
            reached.end();
        }
        Self { reached }
    }

    /// What a group reaches, itself first. Nothing for an unknown label.
    pub(crate) fn from(&self, group: u32) -> &[(u32, f32)] {
        self.reached.of(group)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::edges::Edges;
    use crate::groups::Grouping;

    /// Pieces of level lines, `step` rows lower from one to the next, so that affinities fall below 1.
    fn stairs(pieces: usize, step: usize) -> EdgeGroups {
        let (width, height) = (8 * pieces, 1 + step * pieces);
        let mut magnitude = vec![0.0; width * height];
        for piece in 0..pieces {
            let start = piece * step * width + 8 * piece;
            magnitude[start..start + 7].fill(1.0);
        }
        let edges = Edges::from_parts(width, height, magnitude, vec![0.0; width * height]);
        let how = Grouping { merge_threshold: 0.5, min_group_magnitude: 0.5, gamma: 2.0 };
        EdgeGroups::of(&edges, &how)
    }

    #[test]
    fn a_path_multiplies_its_affinities_and_ends_where_they_get_weak() {
        let groups = stairs(12, 2);
        assert_eq!(groups.groups().len(), 12);
        let paths = EdgePaths::of(&groups);
        let affinity = groups.neighbours(0)[0].1;
        assert!(affinity < 0.95);
        let reached = paths.from(0);
        for (hops, &(label, weight)) in (0..).zip(reached) {
            assert_eq!(label, hops);
            assert!((weight - affinity.powi(hops as i32)).abs() < 1e-5, "{hops}: {weight}");
            assert!(weight >= PATH_CUT);
        }
        let hops = (PATH_CUT.ln() / affinity.ln()).floor() as usize;
        assert_eq!(reached.len(), (hops + 1).min(12));
        // Both ways from the middle, itself first.
        assert_eq!(paths.from(5)[0], (5, 1.0));
        assert!(paths.from(5).iter().any(|&(label, _)| label == 4));
        assert!(paths.from(12).is_empty());
    }
}
