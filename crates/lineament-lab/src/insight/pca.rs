//! Principal components of rows.

use nalgebra::{DMatrix, SymmetricEigen};

use super::features::Features;

/// Directions along which rows differ most, fitted to some rows and then applied to any.
#[derive(Debug, Clone)]
pub struct Pca {
    mean: Vec<f64>,
    /// One a component, of unit length; the entry of the largest size is above 0.
    axes: Vec<Vec<f64>>,
    /// The variance along each, falling.
    pub variance: Vec<f64>,
}

impl Pca {
    /// The `most` strongest components of rows; fewer where the rows span fewer.
    pub fn fit(rows: &Features, most: usize) -> Self {
        let (count, width) = (rows.len(), rows.width());
        if count < 2 {
            return Self { mean: vec![0.0; width], axes: Vec::new(), variance: Vec::new() };
        }
        let centred = DMatrix::from_row_iterator(count, width, rows.rows().flatten().map(|x| f64::from(*x)));
        let mean: Vec<f64> = centred.column_iter().map(|column| column.sum() / count.max(1) as f64).collect();
        let mut centred = centred;
        for (mut column, mean) in centred.column_iter_mut().zip(&mean) {
            column.add_scalar_mut(-mean);
        }
        // The smaller of the two products has the same spectrum.
        let across = width <= count;
        let product = if across { centred.tr_mul(&centred) } else { &centred * centred.transpose() };
        let eigen = SymmetricEigen::new(product);
        let mut order: Vec<usize> = (0..eigen.eigenvalues.len()).collect();
        order.sort_by(|a, b| eigen.eigenvalues[*b].total_cmp(&eigen.eigenvalues[*a]));
        let largest = order.first().map_or(0.0, |first| eigen.eigenvalues[*first]);
        let (mut axes, mut variance) = (Vec::new(), Vec::new());
        for place in order.into_iter().take(most) {
            let value = eigen.eigenvalues[place];
            if value <= largest * 1e-10 {
                break;
            }
            let vector = eigen.eigenvectors.column(place);
            let axis = if across { vector.into_owned() } else { centred.tr_mul(&vector) };
            let strongest = axis.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap_or(1.0);
            let length = axis.norm() * strongest.signum();
            axes.push(axis.iter().map(|x| x / length).collect());
            variance.push(value / count.saturating_sub(1).max(1) as f64);
        }
        Self { mean, axes, variance }
    }

    /// Every row's place along each component.
    pub fn apply(&self, rows: &Features) -> Features {
        let place = |row: &[f32], axis: &Vec<f64>| -> f32 {
            let along = row.iter().zip(&self.mean).zip(axis);
            along.map(|((x, mean), axis)| (f64::from(*x) - mean) * axis).sum::<f64>() as f32
        };
        let all =
            rows.rows().map(|row| -> Vec<f32> { self.axes.iter().map(|axis| place(row, axis)).collect() });
        Features::of_rows(all)
    }
}
