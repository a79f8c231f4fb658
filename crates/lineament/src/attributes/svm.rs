//! One linear support vector machine an attribute, on the FC vectors of ANet (paper, section 3.2).

/// Why linear SVMs do not fit together, or do not fit a vector.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SvmError {
    /// No attribute or no feature.
    #[error("the SVMs have {attributes} attributes and {features} features; both must be at least 1")]
    Empty {
        /// Attributes.
        attributes: usize,
        /// Features.
        features: usize,
    },
    /// Weights or biases of another number than the shape says.
    #[error("{what} holds {found} numbers where {expected} are needed; the file does not belong together")]
    Size {
        /// `svm.weight` or `svm.bias`.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// A weight or bias that is infinite or not a number.
    #[error("{what} number {index} is not finite; train the SVMs again")]
    NotFinite {
        /// `svm.weight` or `svm.bias`.
        what: &'static str,
        /// Its index.
        index: usize,
    },
    /// A feature vector of another length.
    #[error("the SVMs read vectors of {expected} features, not of {found}")]
    Features {
        /// Length of the vector given.
        found: usize,
        /// Length that the SVMs read.
        expected: usize,
    },
}

/// Linear scorers `w · x + b`, one an attribute.
#[derive(Clone, Debug, PartialEq)]
pub struct LinearSvms {
    features: usize,
    /// `[attributes, features]`, row-major.
    weight: Vec<f32>,
    /// `[attributes]`.
    bias: Vec<f32>,
}

impl LinearSvms {
    /// Scorers from `weight` (`[attributes, features]`, row-major) and `bias` (`[attributes]`).
    ///
    /// # Errors
    /// Numbers that are missing, too many or not finite.
    pub fn new(features: usize, weight: Vec<f32>, bias: Vec<f32>) -> Result<Self, SvmError> {
        let attributes = bias.len();
        if attributes == 0 || features == 0 {
            return Err(SvmError::Empty { attributes, features });
        }
        let expected = attributes.saturating_mul(features);
        if weight.len() != expected {
            return Err(SvmError::Size { what: "svm.weight", found: weight.len(), expected });
        }
        for (what, numbers) in [("svm.weight", &weight), ("svm.bias", &bias)] {
            if let Some(index) = numbers.iter().position(|number| !number.is_finite()) {
                return Err(SvmError::NotFinite { what, index });
            }
        }
        Ok(Self { features, weight, bias })
    }

    /// How many attributes are scored.
    pub fn attributes(&self) -> usize {
        self.bias.len()
    }

    /// Length of the vectors read.
    pub fn features(&self) -> usize {
        self.features
    }

    /// Weights, `[attributes, features]`, row-major.
    pub fn weight(&self) -> &[f32] {
        &self.weight
    }

    /// Biases, `[attributes]`.
    pub fn bias(&self) -> &[f32] {
        &self.bias
    }

    /// The scores of one feature vector, one an attribute.
    ///
    /// # Errors
    /// [`SvmError::Features`] for a vector of another length.
    pub fn scores(&self, vector: &[f32]) -> Result<Vec<f32>, SvmError> {
        if vector.len() != self.features {
            return Err(SvmError::Features { found: vector.len(), expected: self.features });
        }
        let rows = self.weight.chunks_exact(self.features);
        Ok(rows
            .zip(&self.bias)
            .map(|(row, &bias)| {
                let sum: f64 = row.iter().zip(vector).map(|(&w, &x)| f64::from(w) * f64::from(x)).sum();
                (sum + f64::from(bias)) as f32
            })
            .collect())
    }
}

/// The mean of feature vectors laid one after the other, each `features` long.
///
/// A linear scorer's mean score over patches (paper, section 3.2) is its score of their mean vector, so the patches are
/// joined here, once, and not after every scorer.
///
/// # Errors
/// [`SvmError::Features`] where `vectors` is empty or no whole number of vectors.
pub fn mean_vector(vectors: &[f32], features: usize) -> Result<Vec<f32>, SvmError> {
    if features == 0 || vectors.is_empty() || !vectors.len().is_multiple_of(features) {
        return Err(SvmError::Features { found: vectors.len(), expected: features });
    }
    let mut sum = vec![0.0_f64; features];
    for vector in vectors.chunks_exact(features) {
        for (total, &x) in sum.iter_mut().zip(vector) {
            *total += f64::from(x);
        }
    }
    let count = (vectors.len() / features) as f64;
    Ok(sum.into_iter().map(|total| (total / count) as f32).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn scores_are_dot_products_and_biases() {
        let svms = LinearSvms::new(3, vec![1.0, 2.0, 3.0, -1.0, 0.0, 0.5], vec![0.25, -1.0]).unwrap();
        assert_eq!(svms.scores(&[1.0, -1.0, 2.0]).unwrap(), [5.25, -1.0]);
        assert_eq!((svms.attributes(), svms.features()), (2, 3));
    }

    #[test]
    fn misfits_are_refused() {
        assert!(matches!(LinearSvms::new(3, vec![], vec![]), Err(SvmError::Empty { .. })));
        assert!(matches!(LinearSvms::new(0, vec![], vec![1.0]), Err(SvmError::Empty { .. })));
        assert!(matches!(LinearSvms::new(3, vec![0.0; 5], vec![1.0; 2]), Err(SvmError::Size { .. })));
        assert!(matches!(
            LinearSvms::new(usize::MAX, vec![0.0; 5], vec![1.0; 2]),
            Err(SvmError::Size { .. })
        ));
        let hole = LinearSvms::new(1, vec![1.0, f32::NAN], vec![0.0; 2]);
        assert_eq!(hole, Err(SvmError::NotFinite { what: "svm.weight", index: 1 }));
        let svms = LinearSvms::new(2, vec![0.0; 4], vec![0.0; 2]).unwrap();
        assert_eq!(svms.scores(&[0.0]), Err(SvmError::Features { found: 1, expected: 2 }));
        assert!(
            mean_vector(&[1.0; 3], 2).is_err()
                && mean_vector(&[], 2).is_err()
                && mean_vector(&[1.0], 0).is_err()
        );
    }

    proptest! {
        #[test]
        fn score_of_the_mean_is_the_mean_of_the_scores(
            vectors in prop::collection::vec(prop::array::uniform4(-3.0_f32..3.0), 1..9),
            weight in prop::collection::vec(-2.0_f32..2.0, 8),
        ) {
            let svms = LinearSvms::new(4, weight, vec![0.5, -0.5]).unwrap();
            let joined = svms.scores(&mean_vector(&vectors.concat(), 4).unwrap()).unwrap();
            for (attribute, &score) in joined.iter().enumerate() {
                let each: Vec<f32> = vectors.iter().map(|v| svms.scores(v).unwrap()[attribute]).collect();
                let mean = each.iter().sum::<f32>() / each.len() as f32;
                prop_assert!((score - mean).abs() < 1e-4, "{score} {mean}");
            }
        }
    }
}
