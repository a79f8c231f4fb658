//! The learnt arrays that a spec asks for.

/// One learnt array: its name in files, its shape and what it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// The layer's path and the array's own word: `block1.conv1.weight`.
    pub name: String,
    /// Sizes, outermost first, as [`crate::Layer`] documents them.
    pub shape: Vec<usize>,
    /// What the array does.
    pub kind: ParameterKind,
}

impl Parameter {
    /// Number of values; within [`crate::MAX_ELEMENTS`] for a spec that passed its check.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }
}

/// What a learnt array does: training initialises, decays and freezes by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ParameterKind {
    /// Filters or a matrix.
    Weight {
        /// Number of inputs that one output sums.
        fan_in: usize,
    },
    /// Added to each output channel.
    Bias,
    /// Multiplies a normalised channel.
    Scale,
    /// Added to a normalised channel.
    Shift,
    /// Slope of a PReLU below zero.
    Slope,
    /// Running mean of a batch normalisation; observed, not learnt by gradient.
    Mean,
    /// Running variance of a batch normalisation; observed, not learnt by gradient.
    Variance,
}
