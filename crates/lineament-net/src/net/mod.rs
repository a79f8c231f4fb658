//! The fast forward pass on the CPU.
//!
//! [`Net::new`] compiles a spec into steps; [`Net::forward`] runs them. Work is split into pieces by the sizes of maps
//! alone and every piece is summed in one order, so an item's result is the same to the bit for any number of threads
//! and whatever else is in the batch.

pub(crate) mod fold;
pub(crate) mod plan;
pub(crate) mod run;
pub(crate) mod scratch;
pub(crate) mod step;

use thiserror::Error;

use crate::{ForwardError, NetSpec, Shape, SpecError, Tensor, Weights, WeightsError};
use plan::Stretch;
use run::Arena;
use scratch::Shelf;

/// A net ready to run. It can be shared between threads, each calling [`Net::forward`].
pub struct Net {
    spec: NetSpec,
    output: Shape,
    stretches: Vec<Stretch>,
    arenas: Shelf<Arena>,
    batches: Shelf<Vec<f32>>,
    buffers: Shelf<Vec<f32>>,
}

/// A spec and weights that do not make a net.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum NetError {
    /// The spec is wrong.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The weights do not belong to the spec.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// A normalisation multiplies its layer out of the range of numbers.
    #[error(
        "layer {layer}: its weights leave the range of f32 when the normalisation is multiplied in: they are damaged"
    )]
    NotFinite {
        /// The layer.
        layer: String,
    },
    /// A layer that cannot be compiled as what the plan takes it for: a mistake in this crate.
    #[error("layer {layer} of kind {kind} cannot be compiled here: please report this")]
    Mismatch {
        /// The layer.
        layer: String,
        /// Its kind.
        kind: &'static str,
    },
}

impl Net {
    /// Compiles a net.
    ///
    /// # Errors
    /// When the spec is wrong, or the weights do not belong to it ([`Weights::check`]).
    pub fn new(spec: &NetSpec, weights: &Weights) -> Result<Self, NetError> {
        weights.check(spec)?;
        let checked = spec.check()?;
        Ok(Self {
            spec: spec.clone(),
            output: checked.output(),
            stretches: plan::compile(&spec.layers, checked.layers(), weights)?,
            arenas: Shelf::default(),
            batches: Shelf::default(),
            buffers: Shelf::default(),
        })
    }

    /// The spec it was compiled from.
    pub fn spec(&self) -> &NetSpec {
        &self.spec
    }

    /// Shape of the input that it is declared for.
    pub fn input(&self) -> Shape {
        self.spec.input
    }

    /// Shape of the output for the declared input.
    pub fn output(&self) -> Shape {
        self.output
    }

    /// Runs the net on a batch `[N, C, H, W]`, on the threads of the rayon pool it is called in. Heights and widths other
    /// than the declared ones pass through nets without fully connected and locally shared layers. Inputs are taken
    /// to be finite; what infinities and NaN lead to is not defined, though it is no panic.
    ///
    /// # Errors
    /// When the input does not fit the net.
    pub fn forward(&self, input: &Tensor) -> Result<Tensor, ForwardError> {
        let (given, expected) = (input.map(), self.input());
        let net = || self.spec.name.clone();
        if given.channels != expected.channels {
            return Err(ForwardError::Channels { net: net(), expected, given });
        }
        let output =
            if given == expected { self.output } else { self.spec.output_for(given.height, given.width)? };
        let items = input.items();
        let shape = [items, output.channels, output.height, output.width];
        let too_large = || ForwardError::Batch { net: net(), items };
        let elements = output.elements().checked_mul(items).ok_or_else(too_large)?;
        let mut data = Vec::new();
        data.try_reserve_exact(elements).map_err(|_| too_large())?;
        data.resize(elements, 0.0);
        self.run(input.data(), given, &mut data, items);
        Tensor::from_vec(shape, data).map_err(|_| too_large())
    }
}

impl std::fmt::Debug for Net {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Net").field("spec", &self.spec).finish_non_exhaustive()
    }
}
