//! Why faces cannot be located.

use super::parameters::ParameterError;
use super::response::ResponseError;
use crate::engine::EngineError;
use crate::input::PreprocessError;
use lineament_net::SpecError;
use thiserror::Error;

/// A localizer that cannot be built, or a net that fails on a photo.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum LocateError {
    /// A parameter of the localization is out of range.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    /// Numbers that no photo can be prepared with.
    #[error(transparent)]
    Preprocess(#[from] PreprocessError),
    /// A net's architecture is wrong.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// A net with a fully connected layer leaves no map.
    #[error(
        "net {net} has the fully connected layer {layer}, behind which there is no response map: keep it up to its last convolution"
    )]
    NoMap {
        /// The net.
        net: String,
        /// The layer.
        layer: String,
    },
    /// A net that should classify windows but is no window classifier.
    #[error(
        "net {net} must give exactly one cell for its square input to be slid over photos: leave out padding, and layers other than convolutions, \
         poolings, normalizations and activations"
    )]
    NoWindow {
        /// The net.
        net: String,
    },
    /// A window classifier with too few channels.
    #[error(
        "net {net} answers with {channels} channels, but its last convolution needs six at least (face, right, down, size, sine and \
         cosine of the roll): train it with this version"
    )]
    Responses {
        /// The net.
        net: String,
        /// How many it has.
        channels: usize,
    },
    /// A net that does not look at colour photos.
    #[error("net {net} takes {channels} channels, but photos have 3: declare its input with 3 channels")]
    Channels {
        /// The net.
        net: String,
        /// What it takes.
        channels: usize,
    },
    /// A net whose input is larger than any photo it should be shown.
    #[error("net {net} has an input of {side} pixels a side: declare one of {most} at most")]
    Input {
        /// The net.
        net: String,
        /// The longer side of its input.
        side: usize,
        /// The longest it may be.
        most: usize,
    },
    /// A bundle that was meant to have a net's weights and has not.
    #[error("the weights of {net} are missing: the bundle is damaged, fetch or export it again")]
    NoWeights {
        /// The net.
        net: &'static str,
    },
    /// The bundle has no localizer.
    #[error(
        "this model finds no faces, it only describes those whose landmarks are given: find them with \
         `--detector yunet`, use `evaluate --region landmarks`, or train it with `--detector FILE`"
    )]
    Given,
    /// A detector's file that is none, or another one than the card says.
    #[error("the detector cannot be used: {reason}")]
    Detector {
        /// What is wrong.
        reason: String,
    },
    /// A response map was asked of a localizer without LNets.
    #[error("this model has no LNets to find faces with, and so no response map: use a model with LNets")]
    NoResponses,
    /// A net refused its input, or its engine failed.
    #[error(transparent)]
    Forward(#[from] EngineError),
    /// A net's output is no response map.
    #[error("net {net}: {cause}")]
    Response {
        /// The net.
        net: String,
        /// What is wrong with it.
        #[source]
        cause: ResponseError,
    },
}
