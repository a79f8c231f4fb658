//! Why a bundle cannot be read or written.

use super::card::CardError;
use crate::attributes::SvmError;
use crate::locate::Detector;
use lineament_net::WeightsError;
use std::path::PathBuf;

/// Why a bundle cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// Any of the others, with the file.
    #[error("{}: {cause}", .path.display())]
    At {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: Box<BundleError>,
    },
    /// The file cannot be read.
    #[error("the bundle cannot be read: {0}")]
    Unreadable(std::io::Error),
    /// The file cannot be written.
    #[error("the bundle cannot be written: {0}")]
    Unwritable(std::io::Error),
    /// Too large for a bundle.
    #[error("this is no bundle: it has more than {limit} bytes, the most that a bundle may have")]
    TooLarge {
        /// The most allowed.
        limit: u64,
    },
    /// Not a safetensors file, or a damaged one.
    #[error(
        "this is no bundle, or a damaged one ({reason}): give a .lineament file, or fetch or export it again"
    )]
    NotSafetensors {
        /// What the reader says.
        reason: String,
    },
    /// A safetensors file without a card.
    #[error(
        "this safetensors file holds weights but no card of a Lineament model: give a file that `lineament train` wrote"
    )]
    NoCard,
    /// The contents are not those that were written.
    #[error("the bundle's contents do not match its checksum: it is damaged, fetch or export it again")]
    Checksum,
    /// The card is wrong.
    #[error(transparent)]
    Card(#[from] CardError),
    /// The weights of a net are wrong.
    #[error("the weights of {net} do not fit the card: {reason}")]
    Weights {
        /// The name of its tensors, such as `lnet_o`, `anet` or `svm`.
        net: String,
        /// What is wrong.
        reason: WeightsError,
    },
    /// The SVMs are wrong.
    #[error("the bundle's SVMs are wrong: {0}")]
    Svm(#[from] SvmError),
    /// The SVMs are no matrix and vector of the card's attributes and the extractor's features.
    #[error(
        "the bundle's SVMs have shapes {weight:?} and {bias:?} where {attributes} attributes on {features} features need \
         [{attributes}, {features}] and [{attributes}]"
    )]
    SvmShape {
        /// Shape of `svm.weight`.
        weight: Vec<usize>,
        /// Shape of `svm.bias`.
        bias: Vec<usize>,
        /// Attributes on the card.
        attributes: usize,
        /// Length of the extractor's embedding.
        features: usize,
    },
    /// A detector's file that is not there, or is no row of bytes.
    #[error(
        "the card names a detector, but the bundle does not hold its ONNX file as bytes, {} at most: it is damaged or forged",
        Detector::MAX_BYTES
    )]
    NoDetector,
    /// A tensor that does not belong in a bundle.
    #[error("the bundle holds a tensor {0:?} that belongs to none of its nets: it is damaged or forged")]
    Stray(String),
    /// This build carries no model.
    #[error(
        "this build carries no default model: give one with --model FILE, or build with the feature `default-model`"
    )]
    NotEmbedded,
}
