//! The learnt arrays of a net, by name.

mod file;

use std::collections::BTreeMap;
use std::collections::btree_map;

use thiserror::Error;

use crate::{NetSpec, ParameterKind, SpecError};

pub use file::{Precision, Stored};

/// The learnt arrays of a net, by the names that [`NetSpec::parameters`] gives them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Weights(BTreeMap<String, Array>);

/// One learnt array, row-major. [`Weights::check`] refuses one whose values do not fill its shape.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Array {
    /// Sizes, outermost first.
    pub shape: Vec<usize>,
    /// The values.
    pub data: Vec<f32>,
}

/// Weights that cannot be read, written or used.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// The bytes are not a safetensors file.
    #[error(
        "the weights are not a safetensors file ({reason}): it may be cut off or damaged, fetch or export it again"
    )]
    File {
        /// What the reader says.
        reason: String,
    },
    /// A tensor in a number format that weights do not come in.
    #[error("tensor {name} holds {found} values: weights are F32 or F16, convert it")]
    Format {
        /// Name in the file.
        name: String,
        /// Format in the file.
        found: String,
    },
    /// More values than any net may have.
    #[error("the tensors under {prefix:?} hold more than {} values together", crate::MAX_ELEMENTS)]
    TooLarge {
        /// The prefix that was read.
        prefix: String,
    },
    /// A value beyond half precision.
    #[error("{name} holds {value}, which half precision cannot: store this net in F32")]
    BeyondHalf {
        /// The parameter.
        name: String,
        /// The first such value.
        value: f32,
    },
    /// The spec asks for an array that is not there.
    #[error("{name} is missing from the weights of net {net}: they belong to another net")]
    Missing {
        /// The parameter.
        name: String,
        /// The net.
        net: String,
    },
    /// There is an array that the spec does not know.
    #[error("{name} is among the weights but not in net {net}: they belong to another net")]
    Extra {
        /// The array.
        name: String,
        /// The net.
        net: String,
    },
    /// An array of another shape.
    #[error("{name} has shape {found:?} but net {net} needs {wanted:?}: it belongs to another net")]
    Misshaped {
        /// The parameter.
        name: String,
        /// The net.
        net: String,
        /// Shape there.
        found: Vec<usize>,
        /// Shape asked for.
        wanted: Vec<usize>,
    },
    /// An array that does not fill its own shape.
    #[error("{name} has shape {shape:?} but {values} values")]
    Unfilled {
        /// The parameter.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
        /// How many values there are.
        values: usize,
    },
    /// A value that is infinite or not a number.
    #[error("{name} holds {value} at place {place}: training diverged or the file is damaged")]
    NotFinite {
        /// The parameter.
        name: String,
        /// Index of the first such value.
        place: usize,
        /// The value.
        value: f32,
    },
    /// A running variance below zero.
    #[error("{name} holds the negative variance {value} at place {place}: the file is damaged")]
    NegativeVariance {
        /// The parameter.
        name: String,
        /// Index of the first such value.
        place: usize,
        /// The value.
        value: f32,
    },
    /// The spec itself is wrong.
    #[error(transparent)]
    Spec(#[from] SpecError),
}

impl Array {
    /// An array of the given values.
    ///
    /// # Errors
    /// [`WeightsError::Unfilled`] when their number is not the product of the shape.
    pub fn new(name: &str, shape: Vec<usize>, data: Vec<f32>) -> Result<Self, WeightsError> {
        let array = Self { shape, data };
        array.check_filled(name)?;
        Ok(array)
    }

    fn check_filled(&self, name: &str) -> Result<(), WeightsError> {
        let elements = self.shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
        if elements == Some(self.data.len()) {
            return Ok(());
        }
        Err(WeightsError::Unfilled {
            name: name.to_owned(),
            shape: self.shape.clone(),
            values: self.data.len(),
        })
    }
}

impl Weights {
    /// No arrays.
    pub fn new() -> Self {
        Self::default()
    }

    /// The array of that name.
    pub fn get(&self, name: &str) -> Option<&Array> {
        self.0.get(name)
    }

    /// The array of that name, to be written.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Array> {
        self.0.get_mut(name)
    }

    /// Puts an array under a name; gives back what was there.
    pub fn insert(&mut self, name: impl Into<String>, array: Array) -> Option<Array> {
        self.0.insert(name.into(), array)
    }

    /// Takes an array out.
    pub fn remove(&mut self, name: &str) -> Option<Array> {
        self.0.remove(name)
    }

    /// All arrays, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Array)> {
        self.0.iter().map(|(name, array)| (name.as_str(), array))
    }

    /// Number of arrays.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether these are the weights of that net: every parameter there, none besides, all of the right shape,
    /// every value finite, no variance negative.
    ///
    /// # Errors
    /// The first parameter that does not fit, by name.
    pub fn check(&self, spec: &NetSpec) -> Result<(), WeightsError> {
        let net = || spec.name.clone();
        let parameters = spec.parameters()?;
        for parameter in &parameters {
            let name = || parameter.name.clone();
            let array = self
                .get(&parameter.name)
                .ok_or_else(|| WeightsError::Missing { name: name(), net: net() })?;
            if array.shape != parameter.shape {
                let (found, wanted) = (array.shape.clone(), parameter.shape.clone());
                return Err(WeightsError::Misshaped { name: name(), net: net(), found, wanted });
            }
            array.check_filled(&parameter.name)?;
            let strange = |value: &f32| !value.is_finite();
            if let Some((place, &value)) = array.data.iter().enumerate().find(|(_, value)| strange(value)) {
                return Err(WeightsError::NotFinite { name: name(), place, value });
            }
            if parameter.kind == ParameterKind::Variance
                && let Some((place, &value)) = array.data.iter().enumerate().find(|(_, value)| **value < 0.0)
            {
                return Err(WeightsError::NegativeVariance { name: name(), place, value });
            }
        }
        // All names of a checked spec differ, so an equal count leaves none besides.
        if self.len() != parameters.len() {
            let known = |name: &str| parameters.iter().any(|parameter| parameter.name == name);
            if let Some((name, _)) = self.iter().find(|(name, _)| !known(name)) {
                return Err(WeightsError::Extra { name: name.to_owned(), net: net() });
            }
        }
        Ok(())
    }

    /// Weights to start a training from: filters and matrices normal with variance 2 / fan-in (He, Zhang, Ren, Sun:
    /// "Delving Deep into Rectifiers", 2015), PReLU slopes 0.25 (same article), normalisations the identity, biases
    /// zero. The same seed gives the same weights.
    ///
    /// # Errors
    /// When the spec is wrong.
    pub fn random(spec: &NetSpec, seed: u64) -> Result<Self, SpecError> {
        let mut normal = Normal::new(seed);
        let mut weights = Self::new();
        for parameter in spec.parameters()? {
            let elements = parameter.elements();
            let data = match parameter.kind {
                ParameterKind::Weight { fan_in } => {
                    let deviation = (2.0 / fan_in as f64).sqrt();
                    (0..elements).map(|_| (normal.draw() * deviation) as f32).collect()
                }
                ParameterKind::Scale | ParameterKind::Variance => vec![1.0; elements],
                ParameterKind::Slope => vec![0.25; elements],
                ParameterKind::Bias | ParameterKind::Shift | ParameterKind::Mean => vec![0.0; elements],
            };
            weights.insert(parameter.name, Array { shape: parameter.shape, data });
        }
        Ok(weights)
    }
}

impl FromIterator<(String, Array)> for Weights {
    fn from_iter<I: IntoIterator<Item = (String, Array)>>(arrays: I) -> Self {
        Self(arrays.into_iter().collect())
    }
}

impl IntoIterator for Weights {
    type Item = (String, Array);
    type IntoIter = btree_map::IntoIter<String, Array>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Standard normal numbers: SplitMix64 (Steele, Lea, Flood 2014) through Box-Muller. A library that runs nets needs no
/// random number crate for its starting weights.
struct Normal {
    state: u64,
}

impl Normal {
    fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Uniform in (0, 1].
    fn uniform(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        ((z >> 11) + 1) as f64 / (1u64 << 53) as f64
    }

    fn draw(&mut self) -> f64 {
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}
