//! What nets are run on: our own forward pass, in single precision or with sums in eight-bit integers, or ONNX Runtime on what our own export writes (feature
//! `ort`).
//!
//! An [`Engine`] makes a [`Runner`] of a spec and its weights. Localization and attributes know runners only, so that the same
//! code runs on either.

mod error;
#[cfg(feature = "ort")]
mod ort;

pub use error::EngineError;
#[cfg(feature = "ort")]
pub use ort::{OnnxRuntime, Provider};

use lineament_net::{Arithmetic, Net, NetSpec, Shape, Tensor, Weights};

/// What nets are run on.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum Engine {
    /// [`Net`], on the threads of the rayon pool that it is called in.
    #[default]
    Native,
    /// [`Net`] with the sums of convolutions in eight-bit integers ([`Arithmetic::EightBit`]). Nets that are unrolled over patches stay in single precision: that
    /// saves more.
    Int8,
    /// ONNX Runtime, on threads of its own.
    #[cfg(feature = "ort")]
    Ort(OnnxRuntime),
}

impl Engine {
    /// Makes a net ready to run.
    ///
    /// # Errors
    /// A spec that is wrong, weights that do not belong to it, or a net that ONNX Runtime refuses.
    pub fn runner(&self, spec: &NetSpec, weights: &Weights) -> Result<Runner, EngineError> {
        match self {
            Self::Native => Ok(Net::new(spec, weights)?.into()),
            Self::Int8 => Ok(Net::with_arithmetic(spec, weights, Arithmetic::EightBit)?.into()),
            #[cfg(feature = "ort")]
            Self::Ort(runtime) => Ok(Runner(Backend::Ort(runtime.session(spec, weights)?))),
        }
    }

    /// Whether it has threads of its own, and how many; the native engine works on those of its caller.
    pub fn own_threads(&self) -> Option<usize> {
        match self {
            Self::Native | Self::Int8 => None,
            #[cfg(feature = "ort")]
            Self::Ort(runtime) => Some(runtime.threads()),
        }
    }
}

impl std::fmt::Display for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Native => f.write_str("native"),
            Self::Int8 => f.write_str("native, int8"),
            #[cfg(feature = "ort")]
            Self::Ort(runtime) => write!(f, "{runtime}"),
        }
    }
}

/// A net ready to run on an engine. It can be shared between threads.
#[derive(Debug)]
pub struct Runner(Backend);

#[derive(Debug)]
enum Backend {
    Native(Net),
    #[cfg(feature = "ort")]
    Ort(ort::OnnxNet),
}

impl Runner {
    /// The spec that it was made of.
    pub fn spec(&self) -> &NetSpec {
        match &self.0 {
            Backend::Native(net) => net.spec(),
            #[cfg(feature = "ort")]
            Backend::Ort(net) => net.spec(),
        }
    }

    /// Shape of the input that the net is declared for.
    pub fn input(&self) -> Shape {
        self.spec().input
    }

    /// Shape of the output for the declared input.
    pub fn output(&self) -> Shape {
        match &self.0 {
            Backend::Native(net) => net.output(),
            #[cfg(feature = "ort")]
            Backend::Ort(net) => net.output(),
        }
    }

    /// Runs the net on a batch `[N, C, H, W]`, as [`Net::forward`] does.
    ///
    /// # Errors
    /// When the input does not fit the net, or ONNX Runtime fails.
    pub fn forward(&self, input: &Tensor) -> Result<Tensor, EngineError> {
        match &self.0 {
            Backend::Native(net) => Ok(net.forward(input)?),
            #[cfg(feature = "ort")]
            Backend::Ort(net) => net.forward(input),
        }
    }
}

impl From<Net> for Runner {
    fn from(net: Net) -> Self {
        Self(Backend::Native(net))
    }
}
