//! What is done to numbered values, operation by operation.

use super::number::Table;
use crate::kernel::activation::Activation;
use crate::kernel::pooling::Pooling;
use crate::net::fold::Affine;
use crate::net::plan::Slot;
use crate::net::step::{Convolution, Depthwise, Matrix};

/// Values that one unit of a cheap operation works on.
pub(super) const VALUES: usize = 128;
/// Outputs of a matrix that one unit sums.
pub(super) const OUTPUTS: usize = 16;

/// A step of the net on numbered values: the same as [`crate::net::plan::Step`], reading through tables.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operation {
    /// `addend`: the values of the map in `output` that the sums are added to.
    Convolve {
        convolution: Convolution,
        table: Table,
        pieces: Vec<Piece>,
        addend: Option<Vec<u32>>,
        inner: usize,
        input: Slot,
        output: Slot,
    },
    Depthwise {
        depthwise: Depthwise,
        table: Table,
        values: usize,
        channels: usize,
        input: Slot,
        output: Slot,
    },
    Multiply {
        matrix: Matrix,
        table: Table,
        values: usize,
        channels: usize,
        input: Slot,
        output: Slot,
    },
    Pool {
        pooling: Pooling,
        table: Table,
        values: usize,
        channels: usize,
        input: Slot,
        output: Slot,
    },
    Copy {
        values: usize,
        channels: usize,
        input: Slot,
        output: Slot,
    },
    Normalise {
        affine: Affine,
        activation: Activation,
        size: usize,
        slot: Slot,
    },
    Activate {
        activation: Activation,
        values: usize,
        channels: usize,
        slot: Slot,
    },
    Add {
        table: Table,
        addend: Vec<u32>,
        channels: usize,
        input: Slot,
        into: Slot,
        activation: Activation,
    },
}

/// Consecutive values under one filter bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) cell: usize,
    pub(crate) first: usize,
    pub(crate) values: usize,
}

impl Operation {
    /// The slot it gives a new map, with so many values of so many channels; nothing for what works in place.
    pub(super) fn makes(&self) -> Option<(Slot, [usize; 2])> {
        match self {
            Self::Convolve { convolution, pieces, output, .. } => {
                let values = pieces.iter().map(|piece| piece.values).sum();
                Some((*output, [values, convolution.filters]))
            }
            Self::Multiply { matrix, values, output, .. } => Some((*output, [*values, matrix.outputs])),
            Self::Depthwise { values, channels, output, .. }
            | Self::Pool { values, channels, output, .. }
            | Self::Copy { values, channels, output, .. } => Some((*output, [*values, *channels])),
            Self::Add { addend, channels, into, .. } => Some((*into, [addend.len(), *channels])),
            Self::Normalise { .. } | Self::Activate { .. } => None,
        }
    }

    /// The slot it reads.
    pub(super) fn reads(&self) -> Slot {
        match self {
            Self::Convolve { input, .. }
            | Self::Depthwise { input, .. }
            | Self::Multiply { input, .. }
            | Self::Pool { input, .. }
            | Self::Copy { input, .. }
            | Self::Add { input, .. } => *input,
            Self::Normalise { slot, .. } | Self::Activate { slot, .. } => *slot,
        }
    }

    /// Values of a unit of work, where all but the last are alike.
    pub(super) fn unit(&self) -> usize {
        match self {
            Self::Normalise { affine, .. } => VALUES * affine.scale.len(),
            Self::Activate { channels, .. }
            | Self::Depthwise { channels, .. }
            | Self::Pool { channels, .. }
            | Self::Add { channels, .. } => VALUES * channels,
            Self::Multiply { values, .. } => values * OUTPUTS,
            Self::Convolve { .. } | Self::Copy { .. } => usize::MAX,
        }
    }
}
