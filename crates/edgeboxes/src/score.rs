//! The score of a box in EdgeBoxes: the contours that lie wholly inside it (Zitnick and Dollar, "Edge Boxes",
//! ECCV 2014, sections 3.1 and 3.2).
//!
//! score = (sum of the magnitudes of the groups in the box - edges in its centre quarter - sum of w_i m_i)
//!         / (width / 2 + height / 2)^kappa
//!
//! where w_i is how strongly group i hangs together with the rim of the box: the largest product of affinities
//! along a path of groups from one that crosses the rim.

use crate::Window;
use crate::edges::Edges;
use crate::groups::{EdgeGroups, NO_GROUP};
use crate::integral::Integral;
use crate::rim::Rim;
pub(crate) use crate::rim::Scratch;

/// Everything that the scores of the boxes of one image share.
#[derive(Debug)]
pub(crate) struct BoxScorer {
    width: usize,
    height: usize,
    /// Integral of the group magnitudes, each put on the group's own pixel.
    in_groups: Integral,
    /// Integral of the edges.
    on_edges: Integral,
    rim: Rim,
    /// 1 / (s / 2)^kappa for every half perimeter s.
    norms: Vec<f32>,
}

impl BoxScorer {
    /// Prepares a image; `groups` must be those of `edges`.
    pub(crate) fn new(edges: &Edges, groups: &EdgeGroups, kappa: f32) -> Self {
        let (width, height) = (edges.width(), edges.height());
        let mut on_pixels = vec![0.0f32; width * height];
        for group in groups.groups() {
            on_pixels[group.pixel.1 * width + group.pixel.0] += group.magnitude;
        }
        // Only edges that belong to a group count, so that no more is taken off than was put in.
        let grouped: Vec<f32> = edges
            .magnitude()
            .iter()
            .zip(groups.labels())
            .map(|(&m, &label)| if label == NO_GROUP { 0.0 } else { m })
            .collect();
        Self {
            width,
            height,
            in_groups: Integral::of(&on_pixels, width, height),
            on_edges: Integral::of(&grouped, width, height),
            rim: Rim::of(groups, width),
            norms: (0..=width + height).map(|s| (s as f32 / 2.0).max(0.5).powf(-kappa)).collect(),
        }
    }

    /// Columns of the image.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Rows of the image.
    pub(crate) fn height(&self) -> usize {
        self.height
    }

    /// The score of a box within the image, when it is above `floor`.
    pub(crate) fn score_above(&self, area: &Window, floor: f32, scratch: &mut Scratch) -> Option<f32> {
        if area.x1 > self.width || area.y1 > self.height || area.width() == 0 || area.height() == 0 {
            return None;
        }
        let norm = self.norms[area.width() + area.height()];
        let wanted = f64::from(floor) / f64::from(norm);
        let sum = |integral: &Integral, of: &Window| integral.sum(of.x0..of.x1, of.y0..of.y1);
        let whole = sum(&self.in_groups, area) - sum(&self.on_edges, &area.centre_quarter());
        // The rim only takes off.
        if whole <= wanted {
            return None;
        }
        let score = (whole - f64::from(self.rim.holds(area, scratch))) as f32 * norm;
        (score > floor).then_some(score)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::Image;
    use crate::groups::{Grouping, affinity};
    use crate::paths::PATH_CUT;
    use proptest::prelude::*;

    const KAPPA: f32 = 1.5;
    const GAMMA: f32 = 2.0;
    const HOW: Grouping = Grouping { merge_threshold: 0.5, min_group_magnitude: 0.5, gamma: GAMMA };

    /// The score straight from its definition: direct sums over pixels, neighbours from all pairs of pixels,
    /// best paths by relaxing all pairs of groups until nothing changes.
    fn brute_force(edges: &Edges, groups: &EdgeGroups, area: &Window) -> f32 {
        let (width, height) = (edges.width(), edges.height());
        let label = |x: usize, y: usize| groups.labels()[y * width + x];
        let all = groups.groups();
        let mut near = vec![vec![false; all.len()]; all.len()];
        let mut weight = vec![0.0f32; all.len()];
        let mut centre = 0.0f64;
        let quarter = area.centre_quarter();
        for y in 0..height {
            for x in 0..width {
                let a = label(x, y);
                if a == NO_GROUP {
                    continue;
                }
                for v in 0..height {
                    for u in 0..width {
                        let b = label(u, v);
                        if b != NO_GROUP && x.abs_diff(u) <= 2 && y.abs_diff(v) <= 2 {
                            near[a as usize][b as usize] = true;
                        }
                    }
                }
                let within = |b: &Window| x >= b.x0 && x < b.x1 && y >= b.y0 && y < b.y1;
                if within(area) && (x == area.x0 || x == area.x1 - 1 || y == area.y0 || y == area.y1 - 1) {
                    weight[a as usize] = 1.0;
                }
                if within(&quarter) {
                    centre += f64::from(edges.magnitude()[y * width + x]);
                }
            }
        }
        loop {
            let mut changed = false;
            for i in 0..all.len() {
                for j in 0..all.len() {
                    if i != j && near[i][j] {
                        let along = weight[i] * affinity(&all[i.min(j)], &all[i.max(j)], GAMMA);
                        if along >= PATH_CUT && along > weight[j] {
                            weight[j] = along;
                            changed = true;
                        }
                    }
                }
            }
            if !changed {
                break;
            }
        }
        let mut inside = -centre;
        for (group, w) in all.iter().zip(&weight) {
            let (x, y) = group.pixel;
            if x >= area.x0 && x < area.x1 && y >= area.y0 && y < area.y1 {
                inside += f64::from(group.magnitude) * (1.0 - f64::from(*w));
            }
        }
        let half_perimeter = (area.width() + area.height()) as f64 / 2.0;
        (inside / half_perimeter.powf(f64::from(KAPPA))) as f32
    }

    /// Random boxes on a image, from four numbers in 0..1.
    fn some_box(width: usize, height: usize, at: (f32, f32, f32, f32)) -> Window {
        let span = |a: f32, b: f32, length: usize| {
            let p = |v: f32| ((v * length as f32) as usize).min(length - 1);
            (p(a).min(p(b)), p(a).max(p(b)) + 1)
        };
        let ((x0, x1), (y0, y1)) = (span(at.0, at.1, width), span(at.2, at.3, height));
        Window { x0, y0, x1, y1 }
    }

    /// Images of blocks of random grey, so that there are contours as well as noise.
    fn images() -> impl Strategy<Value = (usize, Vec<[u8; 3]>)> {
        (8usize..26, 8usize..26, 1usize..7, prop::collection::vec(any::<u8>(), 26 * 26)).prop_map(
            |(w, h, block, greys)| {
                let grey = |x: usize, y: usize| greys[(y / block) * 26 + x / block];
                (w, (0..w * h).map(|i| [grey(i % w, i / w); 3]).collect())
            },
        )
    }

    fn unit() -> std::ops::Range<f32> {
        0.0..1.0
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]

        #[test]
        fn the_score_equals_its_brute_force_twin(
            (width, pixels) in images(), blur in 0usize..3, thin: bool,
            corners in prop::collection::vec((unit(), unit(), unit(), unit()), 12),
        ) {
            let edges = Edges::of(Image::rgb(width, &pixels), blur, thin, 0.1);
            let groups = EdgeGroups::of(&edges, &HOW);
            let scorer = BoxScorer::new(&edges, &groups, KAPPA);
            let mut scratch = Scratch::default();
            for at in corners {
                let area = some_box(edges.width(), edges.height(), at);
                let direct = brute_force(&edges, &groups, &area);
                // Below every score there can be: the score itself must come out.
                let fast = scorer.score_above(&area, -1e9, &mut scratch).unwrap();
                prop_assert!((fast - direct).abs() <= 1e-4 * (1.0 + direct.abs()), "{area:?}: {fast} against {direct}");
                let floor = 0.01;
                let above = scorer.score_above(&area, floor, &mut scratch);
                prop_assert_eq!(above, (fast > floor).then_some(fast));
            }
        }
    }

    #[test]
    fn a_contour_inside_scores_and_a_cut_one_does_not() {
        // A closed square of edges, 9 pixels a side, in the middle of 31 by 31.
        let on = |x: usize, y: usize| {
            (11..=19).contains(&x) && (11..=19).contains(&y) && (x % 8 == 3 || y % 8 == 3)
        };
        let pixels = || (0..31 * 31).map(|i| (i % 31, i / 31));
        let magnitude = pixels().map(|(x, y)| f32::from(u8::from(on(x, y)))).collect();
        let orientation =
            pixels().map(|(x, _)| if x % 8 == 3 { std::f32::consts::FRAC_PI_2 } else { 0.0 }).collect();
        let edges = Edges::from_parts(31, 31, magnitude, orientation);
        let groups = EdgeGroups::of(&edges, &HOW);
        let scorer = BoxScorer::new(&edges, &groups, KAPPA);
        let mut scratch = Scratch::default();
        let mut score =
            |x0, y0, x1, y1| scorer.score_above(&Window { x0, y0, x1, y1 }, 0.0, &mut scratch).unwrap_or(0.0);
        let around = score(9, 9, 22, 22);
        assert!(around > 0.3, "{around}");
        assert!(around > score(2, 2, 29, 29));
        assert!(score(15, 9, 28, 22) < around / 2.0);
        assert_eq!(score(0, 0, 8, 8), 0.0);
        // Outside of the image, and without extent.
        assert_eq!(score(0, 0, 40, 8), 0.0);
        assert_eq!(score(5, 5, 5, 9), 0.0);
    }
}
