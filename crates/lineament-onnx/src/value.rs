//! What flows through a graph: arrays of numbers with their shapes.

use std::sync::Arc;

use crate::error::OnnxError;

/// Numbers in the order of their shape, last side fastest. A copy shares them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Array<T> {
    pub(crate) shape: Vec<usize>,
    pub(crate) data: Arc<Vec<T>>,
}

/// An array of either kind.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Floats(Array<f32>),
    /// Shapes, indices and what is computed with them.
    Ints(Array<i64>),
}

/// Most sides of a shape.
pub(crate) const RANK: usize = 8;

impl<T> Array<T> {
    /// Data of as many numbers as the shape has; both come from this crate, and shapes were measured before.
    pub(crate) fn new(shape: Vec<usize>, data: Vec<T>) -> Self {
        debug_assert_eq!(shape.iter().product::<usize>(), data.len());
        Self { shape, data: Arc::new(data) }
    }

    /// The sides behind `axis` multiplied, the side itself, and those before it multiplied.
    pub(crate) fn split_at(&self, axis: usize) -> [usize; 3] {
        let product = |sides: Option<&[usize]>| sides.map_or(1, |sides| sides.iter().product());
        [
            product(self.shape.get(..axis)),
            self.shape.get(axis).copied().unwrap_or(1),
            product(self.shape.get(axis + 1..)),
        ]
    }
}

impl Value {
    pub(crate) fn shape(&self) -> &[usize] {
        match self {
            Self::Floats(array) => &array.shape,
            Self::Ints(array) => &array.shape,
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Floats(array) => array.data.len(),
            Self::Ints(array) => array.data.len(),
        }
    }

    /// The same numbers in another shape of the same size.
    pub(crate) fn reshaped(self, shape: Vec<usize>) -> Self {
        match self {
            Self::Floats(array) => Self::Floats(Array { shape, ..array }),
            Self::Ints(array) => Self::Ints(Array { shape, ..array }),
        }
    }

    pub(crate) fn ints(values: Vec<i64>) -> Self {
        Self::Ints(Array::new(vec![values.len()], values))
    }
}

/// How many numbers a shape has.
///
/// # Errors
/// More than a machine can count, or too many sides.
pub(crate) fn elements(shape: &[usize]) -> Result<usize, OnnxError> {
    let limit = || OnnxError::Limit { what: "sides of a shape", most: RANK as u64 };
    if shape.len() > RANK {
        return Err(limit());
    }
    let product = shape.iter().try_fold(1_usize, |product, side| product.checked_mul(*side));
    product.ok_or(OnnxError::Limit { what: "numbers", most: usize::MAX as u64 })
}

/// An axis that may be counted from the end.
pub(crate) fn axis(given: i64, rank: usize) -> Result<usize, String> {
    let rank_i64 = i64::try_from(rank).unwrap_or(i64::MAX);
    let counted = if given < 0 { given.saturating_add(rank_i64) } else { given };
    usize::try_from(counted)
        .ok()
        .filter(|axis| *axis < rank)
        .ok_or_else(|| format!("axis {given} is none of {rank} sides"))
}
