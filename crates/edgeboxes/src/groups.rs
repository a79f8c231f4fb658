//! Edge groups: runs of edge pixels that bend little, and how likely two neighbouring groups belong to one
//! contour (Zitnick and Dollar, "Edge Boxes", ECCV 2014, section 3.1).

use crate::edges::Edges;
use crate::lists::EdgeLists;
use crate::pixels::EdgePixels;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::f32::consts::PI;

/// Label of a pixel that belongs to no group.
pub(crate) const NO_GROUP: u32 = u32::MAX;

/// How edge pixels are gathered into groups.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Grouping {
    /// A group is closed when its summed change of orientation (in units of pi, at most 0.5 a step) reaches
    /// this.
    pub(crate) merge_threshold: f32,
    /// Groups of at most this summed magnitude are dissolved into their neighbours.
    pub(crate) min_group_magnitude: f32,
    /// Exponent of the affinity.
    pub(crate) gamma: f32,
}

/// One group of edge pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct EdgeGroup {
    /// Summed magnitude of its pixels.
    pub(crate) magnitude: f32,
    /// Mean orientation, by doubled angles, in [0, pi).
    pub(crate) orientation: f32,
    /// Mean position (column, row), weighted by magnitude.
    pub(crate) mean: (f32, f32),
    /// Its pixel (column, row) nearest to the mean: a box holds the group when it holds this pixel.
    pub(crate) pixel: (usize, usize),
}

/// The groups of a image, the group of every pixel, and the affinities between groups.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EdgeGroups {
    labels: Vec<u32>,
    groups: Vec<EdgeGroup>,
    /// The neighbours of each group with their affinities.
    neighbours: EdgeLists,
}

impl EdgeGroups {
    /// Gathers the edges of a image.
    pub(crate) fn of(edges: &Edges, how: &Grouping) -> Self {
        let pixels = EdgePixels::of(edges);
        let mut of_pixels = gather(&pixels, how);
        dissolve_small(&pixels, how, &mut of_pixels);
        let groups = describe(&pixels, &of_pixels);
        let mut of_each = vec![Vec::new(); groups.len()];
        for (a, b) in touching(&pixels, &of_pixels) {
            let affinity = affinity(&groups[a as usize], &groups[b as usize], how.gamma);
            if affinity > 0.0 {
                of_each[a as usize].push((b, affinity));
                of_each[b as usize].push((a, affinity));
            }
        }
        let mut neighbours = EdgeLists::default();
        for mut list in of_each {
            list.sort_by(|a: &(u32, f32), b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            list.into_iter().for_each(|(label, affinity)| neighbours.push(label, affinity));
            neighbours.end();
        }
        let mut labels = vec![NO_GROUP; edges.width() * edges.height()];
        for (pixel, label) in pixels.list().iter().zip(of_pixels) {
            labels[pixel.y * edges.width() + pixel.x] = label;
        }
        Self { labels, groups, neighbours }
    }

    /// The group of every pixel, row by row; [`NO_GROUP`] where there is no edge.
    pub(crate) fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// The groups; labels index them.
    pub(crate) fn groups(&self) -> &[EdgeGroup] {
        &self.groups
    }

    /// Neighbours of a group with an affinity in (0, 1], the closest first. None for an unknown label.
    pub(crate) fn neighbours(&self, group: u32) -> &[(u32, f32)] {
        self.neighbours.of(group)
    }
}

/// |cos(th_i - th_ij) cos(th_j - th_ij)|^gamma, th_ij being the direction from one mean to the other: 1 for two
/// pieces of one straight line, 0 where one of them stands across.
pub(crate) fn affinity(a: &EdgeGroup, b: &EdgeGroup, gamma: f32) -> f32 {
    let (dx, dy) = (b.mean.0 - a.mean.0, b.mean.1 - a.mean.1);
    // Two groups about one centre have no direction between them: only their own angle is left.
    let between = if dx == 0.0 && dy == 0.0 { a.orientation } else { dy.atan2(dx) };
    ((a.orientation - between).cos() * (b.orientation - between).cos()).abs().powf(gamma)
}

/// Difference of two orientations in units of pi, folded: 0.5 is a right angle.
fn turn(a: f32, b: f32) -> f32 {
    let difference = (a - b).abs() / PI;
    if difference > 0.5 { 1.0 - difference } else { difference }
}

/// Greedy grouping: from a first pixel on, always the touching pixel that turns least from the one it was
/// reached from, until the turns sum up to the threshold.
fn gather(pixels: &EdgePixels, how: &Grouping) -> Vec<u32> {
    let mut labels = vec![NO_GROUP; pixels.list().len()];
    // Ordered by (turn, pixel); a turn is never negative, so that its bits rise with it.
    let mut frontier: BinaryHeap<Reverse<(u32, usize)>> = BinaryHeap::new();
    let mut next_label = 0;
    for start in 0..labels.len() {
        if labels[start] != NO_GROUP {
            continue;
        }
        frontier.clear();
        let mut turned = 0.0;
        let mut current = start;
        loop {
            labels[current] = next_label;
            let from = pixels.list()[current].orientation;
            for q in pixels.around(current).filter(|&q| labels[q] == NO_GROUP) {
                frontier.push(Reverse((turn(pixels.list()[q].orientation, from).to_bits(), q)));
            }
            let Some((least, pixel)) = std::iter::from_fn(|| frontier.pop())
                .map(|Reverse(entry)| entry)
                .find(|&(_, pixel)| labels[pixel] == NO_GROUP)
            else {
                break;
            };
            turned += f32::from_bits(least);
            if turned >= how.merge_threshold {
                break;
            }
            current = pixel;
        }
        next_label += 1;
    }
    labels
}

/// Takes the pixels of small groups away and gives them, layer by layer, to the touching group they turn least
/// from; what touches no group is left out. Labels are then made dense.
fn dissolve_small(pixels: &EdgePixels, how: &Grouping, labels: &mut [u32]) {
    let mut sums: Vec<f32> = Vec::new();
    for (&label, pixel) in labels.iter().zip(pixels.list()) {
        let label = label as usize;
        if label >= sums.len() {
            sums.resize(label + 1, 0.0);
        }
        sums[label] += pixel.magnitude;
    }
    let mut count = 0;
    let mut number = |sum: f32| {
        let large = sum > how.min_group_magnitude;
        count += u32::from(large);
        if large { count - 1 } else { NO_GROUP }
    };
    let dense: Vec<u32> = sums.into_iter().map(&mut number).collect();

    let mut loose: Vec<usize> = Vec::new();
    for (p, label) in labels.iter_mut().enumerate() {
        *label = dense[*label as usize];
        if *label == NO_GROUP {
            loose.push(p);
        }
    }
    while !loose.is_empty() {
        let orientation = |p: usize| pixels.list()[p].orientation;
        let layer: Vec<(usize, u32)> = loose
            .iter()
            .filter_map(|&p| {
                pixels
                    .around(p)
                    .filter(|&q| labels[q] != NO_GROUP)
                    .map(|q| (turn(orientation(p), orientation(q)), labels[q]))
                    .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)))
                    .map(|(_, label)| (p, label))
            })
            .collect();
        if layer.is_empty() {
            break;
        }
        layer.iter().for_each(|&(p, label)| labels[p] = label);
        loose.retain(|&p| labels[p] == NO_GROUP);
    }
}

/// Sums, means and representative pixels of dense labels.
fn describe(pixels: &EdgePixels, labels: &[u32]) -> Vec<EdgeGroup> {
    #[derive(Default, Clone)]
    struct Sums {
        magnitude: f64,
        x: f64,
        y: f64,
        cos: f64,
        sin: f64,
    }
    let members = || labels.iter().zip(pixels.list()).filter(|&(&label, _)| label != NO_GROUP);
    let count = members().map(|(&label, _)| label as usize + 1).max().unwrap_or(0);

    let mut sums = vec![Sums::default(); count];
    for (&label, pixel) in members() {
        let m = f64::from(pixel.magnitude);
        let (sin, cos) = (2.0 * f64::from(pixel.orientation)).sin_cos();
        let s = &mut sums[label as usize];
        s.magnitude += m;
        s.x += m * pixel.x as f64;
        s.y += m * pixel.y as f64;
        s.cos += m * cos;
        s.sin += m * sin;
    }
    let mut groups: Vec<EdgeGroup> = sums
        .iter()
        .map(|s| EdgeGroup {
            magnitude: s.magnitude as f32,
            orientation: ((s.sin.atan2(s.cos) / 2.0) as f32).rem_euclid(PI).min(PI.next_down()),
            mean: ((s.x / s.magnitude) as f32, (s.y / s.magnitude) as f32),
            pixel: (0, 0),
        })
        .collect();

    let mut nearest = vec![f32::INFINITY; count];
    for (&label, pixel) in members() {
        let group = &mut groups[label as usize];
        let distance = (pixel.x as f32 - group.mean.0).hypot(pixel.y as f32 - group.mean.1);
        if distance < nearest[label as usize] {
            nearest[label as usize] = distance;
            group.pixel = (pixel.x, pixel.y);
        }
    }
    groups
}

/// Pairs of groups with pixels within [`REACH`](crate::pixels::REACH) of one another, smaller label first, each once, sorted.
fn touching(pixels: &EdgePixels, labels: &[u32]) -> Vec<(u32, u32)> {
    let mut pairs = Vec::new();
    for (p, &a) in labels.iter().enumerate().filter(|&(_, &label)| label != NO_GROUP) {
        let mut last = NO_GROUP;
        for q in pixels.near_behind(p) {
            let b = labels[q];
            // The last one is kept because most neighbours repeat it.
            if b != a && b != last && b != NO_GROUP {
                pairs.push((a.min(b), a.max(b)));
                last = b;
            }
        }
    }
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

/// A group as a short straight line, for tests.
#[cfg(test)]
pub(crate) fn line(mean: (f32, f32), orientation: f32) -> EdgeGroup {
    EdgeGroup { magnitude: 1.0, orientation: orientation.rem_euclid(PI), mean, pixel: (0, 0) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::f32::consts::FRAC_PI_2;

    const HOW: Grouping = Grouping { merge_threshold: 0.5, min_group_magnitude: 0.5, gamma: 2.0 };

    /// A image of edges drawn as text: `-`, `|`, `/` and `\` are edges of full strength, `.` is none and
    /// digits are level edges of that many tenths.
    fn drawn(rows: &[&str]) -> Edges {
        let cells: Vec<char> = rows.iter().flat_map(|row| row.chars()).collect();
        let magnitude = cells.iter().map(|c| match c {
            '.' => 0.0,
            d if d.is_ascii_digit() => d.to_digit(10).unwrap() as f32 / 10.0,
            _ => 1.0,
        });
        let orientation = cells.iter().map(|c| match c {
            '|' => FRAC_PI_2,
            '\\' => PI / 4.0,
            '/' => 3.0 * PI / 4.0,
            _ => 0.0,
        });
        Edges::from_parts(rows[0].len(), rows.len(), magnitude.collect(), orientation.collect())
    }

    #[test]
    fn a_straight_line_is_one_group() {
        let groups = EdgeGroups::of(&drawn(&[".......", ".-----.", "......."]), &HOW);
        assert_eq!(groups.groups().len(), 1);
        let group = groups.groups()[0];
        assert_eq!(group.magnitude, 5.0);
        assert_eq!(group.mean, (3.0, 1.0));
        assert_eq!(group.pixel, (3, 1));
        assert_eq!(group.orientation, 0.0);
        assert_eq!(groups.labels().iter().filter(|&&l| l == 0).count(), 5);
    }

    #[test]
    fn a_right_angle_parts_two_groups() {
        let groups = EdgeGroups::of(&drawn(&["-----.", ".....|", ".....|", ".....|"]), &HOW);
        assert_eq!(groups.groups().len(), 2);
        assert_eq!(groups.neighbours(0).len(), 1);
        assert!(groups.neighbours(0)[0].1 < 0.5);
    }

    #[test]
    fn two_gentle_bends_sum_up_to_a_cut() {
        // A quarter of a half turn each: the second one reaches 0.5.
        let bent = drawn(&["---....", "...\\...", "....|..", "....|.."]);
        assert_eq!(EdgeGroups::of(&bent, &HOW).groups().len(), 2);
        let patient = Grouping { merge_threshold: 0.6, ..HOW };
        assert_eq!(EdgeGroups::of(&bent, &patient).groups().len(), 1);
    }

    #[test]
    fn small_groups_are_dissolved_into_neighbours_or_dropped() {
        let image = drawn(&["-----......", "..3........", ".........4."]);
        let groups = EdgeGroups::of(&image, &HOW);
        assert_eq!(groups.groups().len(), 1);
        // The weak pixel belongs to the line already; the lonely one to nothing.
        assert_eq!(groups.labels()[11 + 2], 0);
        assert_eq!(groups.labels()[22 + 9], NO_GROUP);

        let across = Edges::from_parts(3, 2, vec![1.0, 1.0, 1.0, 0.0, 0.3, 0.0], {
            vec![0.0, 0.0, 0.0, 0.0, FRAC_PI_2, 0.0]
        });
        let groups = EdgeGroups::of(&across, &HOW);
        assert_eq!((groups.groups().len(), groups.labels()[4]), (1, 0));
        assert!((groups.groups()[0].magnitude - 3.3).abs() < 1e-5);
    }

    #[test]
    fn affinity_is_one_along_a_line_and_nought_across() {
        let a = line((0.0, 0.0), 0.0);
        assert!((affinity(&a, &line((5.0, 0.0), 0.0), 2.0) - 1.0).abs() < 1e-6);
        assert!(affinity(&a, &line((5.0, 0.0), FRAC_PI_2), 2.0) < 1e-6);
        assert!(affinity(&a, &line((0.0, 5.0), 0.0), 2.0) < 1e-6);
        assert!((affinity(&a, &line((0.0, 0.0), PI / 3.0), 2.0) - 0.25).abs() < 1e-6);
        // 45 degrees from both: (1/2)^2.
        assert!((affinity(&a, &line((3.0, 3.0), 0.0), 2.0) - 0.25).abs() < 1e-6);
    }

    #[test]
    fn groups_two_pixels_apart_are_neighbours_and_three_are_not() {
        let near = EdgeGroups::of(&drawn(&["--.--"]), &HOW);
        assert_eq!(near.neighbours(0), [(1, 1.0)]);
        assert_eq!(near.neighbours(1), [(0, 1.0)]);
        let far = EdgeGroups::of(&drawn(&["--..--"]), &HOW);
        assert!(far.neighbours(0).is_empty() && far.neighbours(7).is_empty());
    }
}
