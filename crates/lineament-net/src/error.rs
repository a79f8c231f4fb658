//! Why a forward pass was refused.

use thiserror::Error;

use crate::{Shape, SpecError, WeightsError};

/// An input that a net cannot take, or a net that is none.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum ForwardError {
    /// The input has another number of channels.
    #[error("net {net} takes {} channels, the input is {given}", expected.channels)]
    Channels {
        /// The net.
        net: String,
        /// Its declared input.
        expected: Shape,
        /// What was given.
        given: Shape,
    },
    /// The batch's output would not fit into memory's address space.
    #[error("a batch of {items} items is too large for net {net}: pass fewer at a time")]
    Batch {
        /// The net.
        net: String,
        /// Items in the batch.
        items: usize,
    },
    /// A tensor for the output of another shape.
    #[error(
        "net {net} cannot write its output into a tensor of shape {given:?}: make one of the output's shape"
    )]
    Output {
        /// The net.
        net: String,
        /// The tensor's shape: items, channels, height, width.
        given: [usize; 4],
    },
    /// The spec is wrong, or the net cannot take an input of this size.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The weights do not belong to the spec.
    #[error(transparent)]
    Weights(#[from] WeightsError),
}
