//! What goes into a net and comes out of it.

use thiserror::Error;

use crate::Shape;

/// A batch of maps: `[N, C, H, W]`, row-major f32.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    shape: [usize; 4],
    data: Vec<f32>,
}

/// Values that do not fill the shape they were given.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a tensor of shape {shape:?} (items, channels, height, width) cannot be made of {values} values")]
pub struct TensorError {
    /// The shape asked for.
    pub shape: [usize; 4],
    /// How many values there were.
    pub values: usize,
}

impl Tensor {
    /// A tensor of the given values, in the order item, channel, row, column.
    ///
    /// # Errors
    /// When the number of values is not the product of the shape.
    pub fn from_vec(shape: [usize; 4], data: Vec<f32>) -> Result<Self, TensorError> {
        let elements = shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
        if elements != Some(data.len()) {
            return Err(TensorError { shape, values: data.len() });
        }
        Ok(Self { shape, data })
    }

    /// A tensor of zeros. As with `vec![0.0; n]`, a shape beyond the address space aborts: check sizes that come from
    /// outside first (what [`crate::NetSpec::check`] passes is within bounds).
    pub fn zeros(shape: [usize; 4]) -> Self {
        let elements = shape.iter().fold(1usize, |product, &size| product.saturating_mul(size));
        Self { shape, data: vec![0.0; elements] }
    }

    /// Items, channels, height, width.
    pub fn shape(&self) -> [usize; 4] {
        self.shape
    }

    /// Number of items in the batch.
    pub fn items(&self) -> usize {
        self.shape[0]
    }

    /// Shape of one item.
    pub fn map(&self) -> Shape {
        Shape::new(self.shape[1], self.shape[2], self.shape[3])
    }

    /// All values.
    pub fn data(&self) -> &[f32] {
        &self.data
    }

    /// All values, to be written.
    pub fn data_mut(&mut self) -> &mut [f32] {
        &mut self.data
    }

    /// The values of one item, channels x height x width; `None` beyond the batch.
    pub fn item(&self, item: usize) -> Option<&[f32]> {
        let size = self.map().elements();
        self.data.get(item.checked_mul(size)?..item.checked_add(1)?.checked_mul(size)?)
    }

    /// Gives the values away.
    pub fn into_vec(self) -> Vec<f32> {
        self.data
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn values_fill_their_shape() {
        let tensor = Tensor::from_vec([2, 1, 1, 2], vec![1.0, 2.0, 3.0, 4.0]).unwrap();
        assert_eq!(tensor.item(1).unwrap(), [3.0, 4.0]);
        assert_eq!(tensor.item(2), None);
        assert_eq!(tensor.item(usize::MAX), None);
        assert!(Tensor::from_vec([2, 1, 1, 2], vec![1.0; 3]).is_err());
        assert!(Tensor::from_vec([usize::MAX, 2, 2, 2], vec![]).is_err());
        assert!(Tensor::from_vec([0, 3, 2, 2], vec![]).is_ok());
    }
}
