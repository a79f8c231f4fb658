//! Integral images: sums over boxes in constant time.

use std::ops::Range;

/// Sums of a map over every box from its top left corner. In double precision: differences of sums over a whole
/// image lose too many digits in single.
#[derive(Debug, Clone, PartialEq)]
pub struct Integral {
    width: usize,
    height: usize,
    /// `height + 1` rows of `width + 1` sums; the first row and column are zero.
    sums: Vec<f64>,
}

impl Integral {
    /// Sums up a map of `width * height` values, row by row; missing values count as zero.
    pub fn of(values: &[f32], width: usize, height: usize) -> Self {
        let stride = width + 1;
        let mut sums = vec![0.0f64; stride * (height + 1)];
        if width > 0 {
            for (y, line) in values.chunks(width).take(height).enumerate() {
                let mut row = 0.0;
                for (x, &value) in line.iter().enumerate() {
                    row += f64::from(value);
                    sums[(y + 1) * stride + x + 1] = sums[y * stride + x + 1] + row;
                }
            }
        }
        Self { width, height, sums }
    }

    /// Sum over whole cells; what lies outside of the map counts as zero.
    pub fn sum(&self, columns: Range<usize>, rows: Range<usize>) -> f64 {
        let at = |x: usize, y: usize| self.sums[y.min(self.height) * (self.width + 1) + x.min(self.width)];
        at(columns.end, rows.end) - at(columns.start, rows.end) - at(columns.end, rows.start)
            + at(columns.start, rows.start)
    }

    /// Integral over a box with fractional corners, where cell `(column, row)` fills the unit square from
    /// `(column, row)` on: cells that are cut count by the part inside. Outside of the map is zero.
    pub fn over(&self, x: Range<f64>, y: Range<f64>) -> f64 {
        let up_to = |x: f64, y: f64| {
            let (left, right, fx) = Self::between(x, self.width);
            let (top, bottom, fy) = Self::between(y, self.height);
            let at = |x: usize, y: usize| self.sums[y * (self.width + 1) + x];
            let above = at(left, top) * (1.0 - fx) + at(right, top) * fx;
            let below = at(left, bottom) * (1.0 - fx) + at(right, bottom) * fx;
            above * (1.0 - fy) + below * fy
        };
        up_to(x.end, y.end) - up_to(x.start, y.end) - up_to(x.end, y.start) + up_to(x.start, y.start)
    }

    /// The grid lines about a coordinate, and how far it is from the first to the second. The integral of a constant
    /// cell is bilinear between them, so that reading it so is exact.
    fn between(at: f64, length: usize) -> (usize, usize, f64) {
        // What is not a number goes to zero as well.
        let at = if at > 0.0 { at.min(length as f64) } else { 0.0 };
        let first = (at as usize).min(length);
        (first, (first + 1).min(length), at - first as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sums_equal_direct_sums(
            values in prop::collection::vec(-4.0f32..4.0, 63),
            a in -2.0f64..12.0, b in -2.0f64..12.0, c in -2.0f64..10.0, d in -2.0f64..10.0,
        ) {
            let integral = Integral::of(&values, 9, 7);
            let (x, y) = (a.min(b)..a.max(b), c.min(d)..c.max(d));
            let part = |cell: usize, span: &Range<f64>| {
                (span.end.min(cell as f64 + 1.0) - span.start.max(cell as f64)).max(0.0)
            };
            let direct: f64 = (0..63).map(|i| f64::from(values[i]) * part(i % 9, &x) * part(i / 9, &y)).sum();
            prop_assert!((integral.over(x.clone(), y.clone()) - direct).abs() < 1e-9);

            let (columns, rows) = (x.start.max(0.0) as usize..x.end.max(0.0) as usize, y.start.max(0.0) as usize..y.end.max(0.0) as usize);
            let direct: f64 = (0..63)
                .filter(|i| columns.contains(&(i % 9)) && rows.contains(&(i / 9)))
                .map(|i| f64::from(values[i]))
                .sum();
            prop_assert!((integral.sum(columns, rows) - direct).abs() < 1e-9);
        }
    }

    #[test]
    fn an_empty_map_sums_to_nothing() {
        assert_eq!(Integral::of(&[], 0, 0).over(-1.0..5.0, -1.0..5.0), 0.0);
        assert_eq!(Integral::of(&[1.0, 2.0], 2, 1).over(f64::NAN..2.0, 0.0..1.0), 3.0);
    }
}
