//! Rows of numbers, one a face: what a layer, or HOG, says of it.

/// A table of `f32`, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    width: usize,
    values: Vec<f32>,
}

impl Features {
    /// No row yet, each to be of `width` numbers (at least 1).
    pub fn new(width: usize) -> Self {
        Self { width: width.max(1), values: Vec::new() }
    }

    /// A table of rows that all have the length of the first; shorter ones are filled with 0, longer ones cut.
    pub fn of_rows<R: AsRef<[f32]>>(rows: impl IntoIterator<Item = R>) -> Self {
        let mut rows = rows.into_iter().peekable();
        let mut table = Self::new(rows.peek().map_or(1, |row| row.as_ref().len()));
        for row in rows {
            let row = row.as_ref().iter().copied().chain(std::iter::repeat(0.0));
            table.values.extend(row.take(table.width));
        }
        table
    }

    /// Numbers in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.values.len() / self.width
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// One row; empty beyond the last.
    pub fn row(&self, place: usize) -> &[f32] {
        self.values.get(place * self.width..(place + 1) * self.width).unwrap_or_default()
    }

    /// All rows.
    pub fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.width)
    }

    /// One number of every row.
    pub fn column(&self, column: usize) -> Vec<f32> {
        self.rows().map(|row| row.get(column).copied().unwrap_or_default()).collect()
    }

    /// Some columns, in the order given.
    pub fn select(&self, columns: &[usize]) -> Self {
        let mut chosen = Self::new(columns.len());
        for row in self.rows() {
            chosen.values.extend(columns.iter().map(|column| row.get(*column).copied().unwrap_or_default()));
        }
        chosen
    }

    /// The standard deviation of every column.
    pub fn deviations(&self) -> Vec<f64> {
        let count = self.len().max(1) as f64;
        let sums = |value: &dyn Fn(usize, f32) -> f64| -> Vec<f64> {
            let mut sums = vec![0.0; self.width];
            for row in self.rows() {
                sums.iter_mut().zip(row).enumerate().for_each(|(at, (sum, x))| *sum += value(at, *x));
            }
            sums.into_iter().map(|sum| sum / count).collect()
        };
        let mean = sums(&|_, x| f64::from(x));
        let square = |at: usize, x: f32| mean.get(at).map_or(0.0, |mean| (f64::from(x) - mean).powi(2));
        sums(&square).into_iter().map(f64::sqrt).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_taken_and_measured() {
        let table = Features::of_rows([[1.0_f32, 5.0, -1.0], [3.0, 5.0, 1.0]]);
        assert_eq!((table.len(), table.width(), table.column(2)), (2, 3, vec![-1.0, 1.0]));
        assert_eq!(table.select(&[2, 0]), Features::of_rows([[-1.0_f32, 1.0], [1.0, 3.0]]));
        assert_eq!(table.deviations(), [1.0, 0.0, 1.0]);
        assert!(table.row(2).is_empty());
    }
}
