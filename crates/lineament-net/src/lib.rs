//! Nets as data: a checked specification, its weights, and its fast forward on the CPU.

mod spec;
mod tensor;
mod weights;

pub use spec::{
    Checked, CheckedLayer, Layer, MAX_DEPTH, MAX_ELEMENTS, MAX_LAYERS, MAX_NAME, NetSpec, Parameter,
    ParameterKind, Shape, SpecError,
};
pub use tensor::{Tensor, TensorError};
pub use weights::{Array, Precision, Stored, Weights, WeightsError};
