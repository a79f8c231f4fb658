//! Weights in safetensors files.

use std::borrow::Cow;

use half::f16;
use safetensors::{Dtype, SafeTensors, View};

use super::{Array, Weights, WeightsError};
use crate::MAX_ELEMENTS;

/// The most tensors that a file may hold; a header of millions of names is an attack, not a net.
const MAX_TENSORS: usize = 1 << 16;
/// The most dimensions of an array (a locally shared convolution has five).
const MAX_RANK: usize = 5;

/// How numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// Every value in single precision: exact.
    #[default]
    F32,
    /// Arrays of two and more dimensions (filters, matrices) in half precision. Vectors (biases, normalisations,
    /// slopes) stay in single precision: they are few, and running variances can leave the range of f16.
    F16,
}

/// One tensor ready to be written by [`safetensors::serialize`], alone or beside others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl View for Stored {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

impl Array {
    /// The array as a tensor of a safetensors file; `name` is for messages.
    ///
    /// # Errors
    /// [`WeightsError::Unfilled`], and [`WeightsError::BeyondHalf`] for a finite value that would become infinite.
    pub fn to_stored(&self, name: &str, precision: Precision) -> Result<Stored, WeightsError> {
        self.check_filled(name)?;
        let (dtype, bytes) = match precision {
            Precision::F16 if self.shape.len() > 1 => {
                let mut bytes = Vec::with_capacity(self.data.len() * 2);
                for &value in &self.data {
                    let half = f16::from_f32(value);
                    if value.is_finite() && !half.is_finite() {
                        return Err(WeightsError::BeyondHalf { name: name.to_owned(), value });
                    }
                    bytes.extend_from_slice(&half.to_le_bytes());
                }
                (Dtype::F16, bytes)
            }
            _ => (Dtype::F32, self.data.iter().flat_map(|value| value.to_le_bytes()).collect()),
        };
        Ok(Stored { dtype, shape: self.shape.clone(), bytes })
    }
}

impl Weights {
    /// The tensors of a safetensors file whose names begin with `prefix` and a dot, with that taken off (all tensors
    /// for an empty prefix; a dot at the end of `prefix` itself changes nothing). F32 and F16 are read. Values are not
    /// judged here: [`Weights::check`] does that.
    ///
    /// # Errors
    /// When the bytes are no such file, or hold more than a net can have.
    pub fn from_safetensors(bytes: &[u8], prefix: &str) -> Result<Self, WeightsError> {
        let file = SafeTensors::deserialize(bytes)
            .map_err(|error| WeightsError::File { reason: error.to_string() })?;
        if file.len() > MAX_TENSORS {
            return Err(WeightsError::File { reason: format!("more than {MAX_TENSORS} tensors") });
        }
        let start = start(prefix);
        let mut weights = Self::new();
        let mut total = 0usize;
        for (full, view) in file.iter() {
            let Some(name) = full.strip_prefix(&start) else { continue };
            let width = match view.dtype() {
                Dtype::F32 => 4,
                Dtype::F16 => 2,
                other => {
                    let (name, found) = (full.to_owned(), format!("{other:?}"));
                    return Err(WeightsError::Format { name, found });
                }
            };
            total = total.saturating_add(view.data().len() / width);
            if total > MAX_ELEMENTS {
                return Err(WeightsError::TooLarge { prefix: prefix.to_owned() });
            }
            if view.shape().len() > MAX_RANK {
                let reason = format!("tensor {full} has {} dimensions", view.shape().len());
                return Err(WeightsError::File { reason });
            }
            let data = match view.dtype() {
                Dtype::F16 => {
                    view.data().as_chunks().0.iter().map(|&two| f16::from_le_bytes(two).to_f32()).collect()
                }
                _ => view.data().as_chunks().0.iter().map(|&four| f32::from_le_bytes(four)).collect(),
            };
            weights.insert(name, Array::new(full, view.shape().to_vec(), data)?);
        }
        Ok(weights)
    }

    /// The arrays as tensors named `prefix.name`, for [`safetensors::serialize`] together with whatever else the file
    /// holds.
    ///
    /// # Errors
    /// As [`Array::to_stored`].
    pub fn to_tensors(
        &self,
        prefix: &str,
        precision: Precision,
    ) -> Result<Vec<(String, Stored)>, WeightsError> {
        let start = start(prefix);
        self.iter()
            .map(|(name, array)| {
                let full = format!("{start}{name}");
                let stored = array.to_stored(&full, precision)?;
                Ok((full, stored))
            })
            .collect()
    }

    /// A whole safetensors file of these arrays alone.
    ///
    /// # Errors
    /// As [`Weights::to_tensors`].
    pub fn to_safetensors(&self, precision: Precision) -> Result<Vec<u8>, WeightsError> {
        safetensors::serialize(self.to_tensors("", precision)?, None)
            .map_err(|error| WeightsError::File { reason: error.to_string() })
    }
}

fn start(prefix: &str) -> String {
    match prefix.trim_end_matches('.') {
        "" => String::new(),
        prefix => format!("{prefix}."),
    }
}
