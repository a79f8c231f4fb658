//! Why a net cannot be written as ONNX.

use thiserror::Error;

use super::MAX_BYTES;
use crate::{InterweaveError, SpecError, WeightsError};

/// A net or head that cannot be written as ONNX.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum OnnxError {
    /// The spec is wrong.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The weights do not belong to the spec.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// Patches of a region that cannot be cut from it, or a net that cannot be made ready for them.
    #[error(transparent)]
    Interweave(#[from] InterweaveError),
    /// A graph for no patches at all.
    #[error("net {net} was given no patches to read: list the upper left corner of at least one")]
    NoPatches {
        /// The net.
        net: String,
    },
    /// Protocol buffers end at 2 GiB.
    #[error(
        "graph {graph} grows beyond the {MAX_BYTES} bytes of an ONNX file at {value}: split the net, or export fewer \
         parameters"
    )]
    TooLarge {
        /// The graph.
        graph: String,
        /// The constant that is too much.
        value: String,
    },
    /// Two values of a graph with one name.
    #[error("graph {graph} has two values called {value}: give each its own name")]
    Repeated {
        /// The graph.
        graph: String,
        /// The name.
        value: String,
    },
    /// A constant whose values do not fill its shape.
    #[error(
        "constant {value} of graph {graph} has shape {shape:?} but {values} values: pass as many as the shape holds"
    )]
    Unfilled {
        /// The graph.
        graph: String,
        /// The constant.
        value: String,
        /// Its shape.
        shape: Vec<usize>,
        /// How many values came.
        values: usize,
    },
}
