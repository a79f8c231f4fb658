//! Density peaks: several faces in one map separated (Rodriguez and Laio, "Clustering by fast search and
//! find of density peaks", Science 344, 2014; paper, section 3.1).
//!
//! A peak is a cell that speaks strongly (density rho) and is far from every cell that speaks more strongly
//! (separation sigma); peaks are ranked by d = sqrt(rho^2 + sigma^2). All other cells follow, from strong to
//! weak, the nearest cell that is stronger, and so come to belong to one peak each.

use super::super::parameters::{ParameterError, Range};
use super::super::response::ResponseMap;
use crate::geometry::{Point, Rect};
use serde::{Deserialize, Serialize};

/// When a cell is a peak.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PeakParameters {
    /// Least density, as a share of the strongest response looked at; weaker cells belong to no peak.
    pub min_density: f32,
    /// Least distance to a stronger cell, as a share of the longer side of the area looked at.
    pub min_separation: f32,
    /// A peak's box holds its cells whose response is at least this share of the peak's.
    pub box_level: f32,
    /// Peaks returned at most.
    pub peaks: usize,
}

impl Default for PeakParameters {
    /// Our choice: the paper states none of them.
    fn default() -> Self {
        Self { min_density: 0.5, min_separation: 0.3, box_level: 0.5, peaks: 16 }
    }
}

impl PeakParameters {
    /// Whether every value makes sense.
    ///
    /// # Errors
    /// Names the value that is out of range, and the range.
    pub fn check(&self) -> Result<(), ParameterError> {
        Range::of("peaks.min_density", 0.0, 1.0).holds(self.min_density)?;
        Range::of("peaks.min_separation", 0.0, 2.0).holds(self.min_separation)?;
        Range::of("peaks.box_level", 0.0, 1.0).holds(self.box_level)?;
        Range::of("peaks.peaks", 1.0, 10_000.0).holds(self.peaks as f64)
    }
}

/// A peak of a map.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Peak {
    /// Column of its cell.
    pub column: usize,
    /// Row of its cell.
    pub row: usize,
    /// The point of the image that its cell looks at.
    pub position: Point,
    /// rho: its response as a share of the strongest one looked at.
    pub density: f32,
    /// sigma: its distance to the nearest stronger cell (of the strongest cell: to the farthest cell), as a
    /// share of the longer side of the area looked at.
    pub separation: f32,
}

impl Peak {
    /// d = sqrt(rho^2 + sigma^2), what peaks are ranked by.
    pub fn rank(&self) -> f32 {
        self.density.hypot(self.separation)
    }
}

/// The peaks of a map, and the peak that each of its cells belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct DensityPeaks {
    peaks: Vec<Peak>,
    assignment: Vec<Option<usize>>,
    boxes: Vec<Rect>,
}

impl DensityPeaks {
    /// The peaks of a whole map.
    pub fn of(map: &ResponseMap, how: &PeakParameters) -> Self {
        Self::within(map, map.extent(), how)
    }

    /// The peaks among the cells whose centres lie in a window, which is given in pixels of the image. No
    /// cell inside, or none with a positive response: no peaks.
    pub fn within(map: &ResponseMap, window: Rect, how: &PeakParameters) -> Self {
        let field = Field::of(map, window, how.min_density);
        let longer =
            f32::max(field.columns as f32 * map.cells().stride.x, field.rows as f32 * map.cells().stride.y);
        let step = map.cells().stride.x.hypot(map.cells().stride.y);
        let mut peaks = Vec::new();
        let mut owner = vec![None; field.densities.len()];
        // From strong to weak, so that a cell's stronger neighbour has its peak before it.
        for (rank, &cell) in field.order.iter().enumerate() {
            let (followed, distance) = field.nearest_stronger(cell, rank);
            let separation = distance / longer;
            owner[cell] = match followed {
                // In a window of few cells a single step is a large share of its side: next to a stronger cell
                // there is no peak all the same.
                Some(stronger) if separation < how.min_separation || distance <= step => owner[stronger],
                _ => {
                    let (column, row) = field.column_row(cell);
                    let position = map.cells().centre(column, row);
                    peaks.push(Peak { column, row, position, density: field.densities[cell], separation });
                    Some(peaks.len() - 1)
                }
            };
        }

        // By rank; a stable sort keeps the stronger of two equals first.
        let mut by_rank: Vec<usize> = (0..peaks.len()).collect();
        by_rank.sort_by(|&a, &b| peaks[b].rank().total_cmp(&peaks[a].rank()));
        let mut index_of = vec![None; peaks.len()];
        for (index, &old) in by_rank.iter().take(how.peaks).enumerate() {
            index_of[old] = Some(index);
        }
        let peaks: Vec<Peak> = by_rank.iter().take(how.peaks).map(|&old| peaks[old]).collect();

        let mut assignment = vec![None; map.values().len()];
        for (cell, peak) in owner.iter().enumerate() {
            let (column, row) = field.column_row(cell);
            assignment[row * map.width() + column] = peak.and_then(|old| index_of[old]);
        }
        let boxes = boxes(map, &peaks, &assignment, how.box_level);
        Self { peaks, assignment, boxes }
    }

    /// The peaks, the highest rank first.
    pub fn peaks(&self) -> &[Peak] {
        &self.peaks
    }

    /// For every cell of the map, row by row, the index of the peak it belongs to; none for cells that are
    /// weak, lie outside the window, or follow a peak beyond the most that were wanted.
    pub fn assignment(&self) -> &[Option<usize>] {
        &self.assignment
    }

    /// A box in the image for every peak, around the cells that belong to it and come near its strength.
    pub fn boxes(&self) -> &[Rect] {
        &self.boxes
    }
}

/// The part of a map that is looked at.
struct Field {
    columns: usize,
    rows: usize,
    first_column: usize,
    first_row: usize,
    stride: Point,
    /// Responses as shares of the strongest; negative ones are zero.
    densities: Vec<f32>,
    /// Cells with enough density, the strongest first; of equal ones the first of the map counts as stronger.
    order: Vec<usize>,
    /// Place of a cell in that order; `usize::MAX` for those with too little density.
    rank: Vec<usize>,
}

impl Field {
    fn of(map: &ResponseMap, window: Rect, min_density: f32) -> Self {
        let (x, y) = map.cells().span(window);
        // A centre lies at + 0.5; casting saturates.
        let whole = |at: f64, length: usize| ((at - 0.5).ceil().max(0.0) as usize).min(length);
        let columns = whole(x.start, map.width())..whole(x.end, map.width());
        let rows = whole(y.start, map.height())..whole(y.end, map.height());

        let mut densities = Vec::with_capacity(columns.len() * rows.len());
        for row in rows.clone() {
            let line = &map.values()[row * map.width()..(row + 1) * map.width()];
            densities.extend(columns.clone().map(|column| line[column].max(0.0)));
        }
        let strongest = densities.iter().fold(0.0f32, |a, &b| a.max(b));
        let mut order = Vec::new();
        if strongest > 0.0 {
            densities.iter_mut().for_each(|density| *density /= strongest);
            order.extend((0..densities.len()).filter(|&i| densities[i] > 0.0 && densities[i] >= min_density));
            order.sort_by(|&a, &b| densities[b].total_cmp(&densities[a]));
        }
        let mut rank = vec![usize::MAX; densities.len()];
        order.iter().enumerate().for_each(|(index, &cell)| rank[cell] = index);
        Self {
            columns: columns.len(),
            rows: rows.len(),
            first_column: columns.start,
            first_row: rows.start,
            stride: map.cells().stride,
            densities,
            order,
            rank,
        }
    }

    /// Column and row in the map.
    fn column_row(&self, cell: usize) -> (usize, usize) {
        (self.first_column + cell % self.columns, self.first_row + cell / self.columns)
    }

    /// Distance of two cells in pixels of the image.
    fn distance(&self, a: usize, b: usize) -> f32 {
        let along = |a: usize, b: usize, stride: f32| a.abs_diff(b) as f32 * stride;
        let dx = along(a % self.columns, b % self.columns, self.stride.x);
        let dy = along(a / self.columns, b / self.columns, self.stride.y);
        dx.hypot(dy)
    }

    /// The nearest cell that is stronger, and how far it is; of equally near ones the strongest. For the
    /// strongest cell there is none, and the distance is to the farthest cell.
    fn nearest_stronger(&self, cell: usize, rank: usize) -> (Option<usize>, f32) {
        if rank == 0 {
            let farthest = (0..self.densities.len()).map(|other| self.distance(cell, other));
            return (None, farthest.fold(0.0, f32::max));
        }
        let mut best: Option<(f32, usize)> = None;
        // Squares of cells around it, until the next one cannot hold a nearer cell.
        for ring in 1..self.columns.max(self.rows) {
            let least = ring as f32 * self.stride.x.min(self.stride.y);
            if best.is_some_and(|(distance, _)| least > distance) {
                break;
            }
            for other in self.ring(cell, ring).filter(|&other| self.rank[other] < rank) {
                let distance = self.distance(cell, other);
                let nearer = best
                    .is_none_or(|(d, b)| distance < d || (distance == d && self.rank[other] < self.rank[b]));
                if nearer {
                    best = Some((distance, other));
                }
            }
        }
        best.map_or((None, 0.0), |(distance, other)| (Some(other), distance))
    }

    /// The cells of the field that are `ring` columns or rows away from a cell, and no more.
    fn ring(&self, cell: usize, ring: usize) -> impl Iterator<Item = usize> {
        let (column, row) = (cell % self.columns, cell / self.columns);
        let columns = column.saturating_sub(ring)..(column + ring + 1).min(self.columns);
        let rows = row.saturating_sub(ring)..(row + ring + 1).min(self.rows);
        let width = self.columns;
        rows.flat_map(move |r| {
            // Whole rows at the top and the bottom, two cells in the rows between.
            let step = if r.abs_diff(row) == ring { 1 } else { 2 * ring };
            let from = if step == 1 { columns.start as isize } else { column as isize - ring as isize };
            let inside = columns.clone();
            (from..inside.end as isize)
                .step_by(step)
                .filter(move |&c| c >= inside.start as isize)
                .map(move |c| r * width + c as usize)
        })
    }
}

fn boxes(map: &ResponseMap, peaks: &[Peak], assignment: &[Option<usize>], level: f32) -> Vec<Rect> {
    let mut spans: Vec<_> = peaks.iter().map(|p| (p.column, p.row, p.column, p.row)).collect();
    for (i, peak) in assignment.iter().enumerate() {
        let Some(peak) = *peak else { continue };
        let (column, row) = (i % map.width(), i / map.width());
        let at_peak = map.values()[peaks[peak].row * map.width() + peaks[peak].column];
        if map.values()[i] >= level * at_peak {
            let (left, top, right, bottom) = &mut spans[peak];
            (*left, *top) = ((*left).min(column), (*top).min(row));
            (*right, *bottom) = ((*right).max(column), (*bottom).max(row));
        }
    }
    spans
        .into_iter()
        .map(|(left, top, right, bottom)| map.cells().rect(left..right + 1, top..bottom + 1))
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::locate::Cells;
    use proptest::prelude::*;

    const CELLS: Cells = Cells { origin: Point::new(4.0, 4.0), stride: Point::new(8.0, 8.0) };

    fn gaussians(width: usize, height: usize, centres: &[(f32, f32, f32)], spread: f32) -> ResponseMap {
        let value = |i: usize| -> f32 {
            let (x, y) = ((i % width) as f32, (i / width) as f32);
            centres
                .iter()
                .map(|(cx, cy, top)| {
                    top * (-((x - cx).powi(2) + (y - cy).powi(2)) / (2.0 * spread * spread)).exp()
                })
                .sum()
        };
        ResponseMap::new(width, height, (0..width * height).map(value).collect(), CELLS).unwrap()
    }

    /// All pairs of cells: the twin of the search in rings.
    fn nearest_stronger_directly(field: &Field, cell: usize, rank: usize) -> (Option<usize>, f32) {
        field.order[..rank]
            .iter()
            .map(|&other| (field.distance(cell, other), other))
            .min_by(|a, b| a.0.total_cmp(&b.0).then(field.rank[a.1].cmp(&field.rank[b.1])))
            .map_or((None, 0.0), |(distance, other)| (Some(other), distance))
    }

    #[test]
    fn one_blob_is_one_peak_with_a_box_about_its_half_height() {
        let map = gaussians(20, 20, &[(9.0, 7.0, 3.0)], 3.0);
        let found = DensityPeaks::of(&map, &PeakParameters::default());
        assert_eq!(found.peaks().len(), 1);
        let peak = found.peaks()[0];
        assert_eq!((peak.column, peak.row, peak.density), (9, 7, 1.0));
        assert_eq!(peak.position, Point::new(76.0, 60.0));
        assert!(peak.rank() > 1.0);
        // Half height lies 3.53 cells from the centre.
        assert_eq!(found.boxes(), [map.cells().rect(6..13, 4..11)]);
    }

    #[test]
    fn a_plateau_is_one_peak_and_silence_none() {
        let flat = ResponseMap::new(6, 5, vec![2.0; 30], CELLS).unwrap();
        let found = DensityPeaks::of(&flat, &PeakParameters::default());
        assert_eq!(found.peaks().len(), 1);
        assert!(found.assignment().iter().all(|a| *a == Some(0)));
        assert_eq!(found.boxes(), [flat.extent()]);
        for value in [0.0, -3.0] {
            let silent = ResponseMap::new(6, 5, vec![value; 30], CELLS).unwrap();
            assert!(DensityPeaks::of(&silent, &PeakParameters::default()).peaks().is_empty());
        }
    }

    #[test]
    fn a_window_sees_only_its_own_cells() {
        let map = gaussians(30, 12, &[(6.0, 6.0, 2.0), (23.0, 5.0, 1.0)], 2.0);
        let how = PeakParameters::default();
        assert_eq!(DensityPeaks::of(&map, &how).peaks().len(), 2);
        let right = map.cells().rect(15..30, 0..12);
        let found = DensityPeaks::within(&map, right, &how);
        assert_eq!(found.peaks().len(), 1);
        assert_eq!((found.peaks()[0].column, found.peaks()[0].row), (23, 5));
        assert!((0..360).filter(|i| i % 30 < 15).all(|i| found.assignment()[i].is_none()));
        for outside in [Rect::new(-90.0, 0.0, 50.0, 50.0), Rect::new(40.0, 40.0, 0.1, 0.1)] {
            assert!(DensityPeaks::within(&map, outside, &how).peaks().is_empty());
        }
    }

    #[test]
    fn the_weaker_peaks_beyond_the_limit_are_dropped_with_their_cells() {
        let map = gaussians(30, 12, &[(6.0, 6.0, 2.0), (23.0, 5.0, 1.5)], 2.0);
        let found = DensityPeaks::of(&map, &PeakParameters { peaks: 1, ..Default::default() });
        assert_eq!(found.peaks().len(), 1);
        assert!(found.assignment()[5 * 30 + 23].is_none() && found.assignment()[6 * 30 + 6] == Some(0));
    }

    #[test]
    fn values_out_of_range_are_refused() {
        assert!(PeakParameters { min_density: 1.5, ..Default::default() }.check().is_err());
        assert!(PeakParameters { peaks: 0, ..Default::default() }.check().is_err());
        assert!(PeakParameters::default().check().is_ok());
    }

    /// One to four points, a third of the map apart or more.
    fn centres() -> impl Strategy<Value = Vec<(f32, f32, f32)>> {
        let corners = [(6.0, 6.0), (27.0, 7.0), (7.0, 26.0), (26.0, 27.0)];
        prop::collection::vec((-2.0f32..2.0, -2.0f32..2.0, 0.7f32..1.0), 1..5).prop_map(move |moves| {
            moves.iter().zip(corners).map(|((dx, dy, top), (x, y))| (x + dx, y + dy, *top)).collect()
        })
    }

    proptest! {
        #[test]
        fn well_separated_gaussians_are_counted_and_found(centres in centres(), spread in 1.5f32..3.0) {
            let map = gaussians(34, 34, &centres, spread);
            let found = DensityPeaks::of(&map, &PeakParameters::default());
            prop_assert_eq!(found.peaks().len(), centres.len());
            for (x, y, _) in &centres {
                let near = found.peaks().iter().position(|p| (p.column as f32 - x).hypot(p.row as f32 - y) < 1.5);
                prop_assert!(near.is_some(), "({x}, {y}): {:?}", found.peaks());
                // The cells about a centre belong to its own peak.
                prop_assert_eq!(found.assignment()[(y.round() as usize) * 34 + x.round() as usize], near);
            }
            prop_assert!(found.peaks().windows(2).all(|pair| pair[0].rank() >= pair[1].rank()));
            prop_assert_eq!(DensityPeaks::of(&map, &PeakParameters::default()), found);
        }

        #[test]
        fn rings_find_what_all_pairs_find(
            values in prop::collection::vec(0u8..12, 99), sx in 1.0f32..4.0, sy in 1.0f32..4.0, min_density in 0.0f32..0.9,
        ) {
            let cells = Cells { origin: Point::new(0.0, 0.0), stride: Point::new(sx, sy) };
            let map = ResponseMap::new(11, 9, values.iter().map(|&v| f32::from(v)).collect(), cells).unwrap();
            let field = Field::of(&map, map.extent(), min_density);
            for (rank, &cell) in field.order.iter().enumerate().skip(1) {
                prop_assert_eq!(field.nearest_stronger(cell, rank), nearest_stronger_directly(&field, cell, rank));
            }
            let how = PeakParameters { min_density, ..Default::default() };
            let found = DensityPeaks::of(&map, &how);
            let strong = values.iter().filter(|&&v| v > 0 && f32::from(v) / map.range().1 >= min_density).count();
            prop_assert_eq!(found.assignment().iter().flatten().count(), strong);
        }
    }
}
