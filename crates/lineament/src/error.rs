//! What a tagger's caller can meet.

use crate::attributes::{DescribeError, ExtractorError, QualityError, RegionError, UnknownAttribute};
use crate::bundle::BundleError;
use crate::engine::EngineError;
use crate::explain::ExplainError;
use crate::locate::{LandmarkError, LocateError, SmallestFaceError};
use crate::photo::PhotoError;
use crate::threads::ThreadsError;

/// [`std::result::Result`] with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a tagger cannot be made, or an image not be tagged. Each message says what is wrong and what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bundle cannot be read.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The image cannot be read.
    #[error(transparent)]
    Photo(#[from] PhotoError),
    /// The engine cannot be loaded, or refuses a net.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The nets find no faces.
    #[error("the faces cannot be located: {0}")]
    Locate(#[from] LocateError),
    /// The nets and SVMs that describe faces do not belong together.
    #[error("the bundle does not fit together: {0}")]
    Extractor(#[from] ExtractorError),
    /// A face box or landmarks that give no region.
    #[error(transparent)]
    Region(#[from] RegionError),
    /// Landmarks that are not found.
    #[error(transparent)]
    Landmarks(#[from] LandmarkError),
    /// The nets fail on a face.
    #[error("the face cannot be described: {0}")]
    Describe(#[from] DescribeError),
    /// An answer that cannot be explained.
    #[error(transparent)]
    Explain(#[from] ExplainError),
    /// A name that the model does not know.
    #[error(transparent)]
    Attribute(#[from] UnknownAttribute),
    /// A threshold that is no probability.
    #[error("the threshold is {0}; give a probability between 0 and 1")]
    Threshold(f32),
    /// A share of right answers that is none.
    #[error("answers are given that are right with a probability of {0} or more; give one between 0 and 1")]
    Abstain(f32),
    /// A quality that no face can have, or of a model that does not tell it.
    #[error(transparent)]
    Quality(#[from] QualityError),
    /// A smallest face that is none.
    #[error(transparent)]
    SmallestFace(#[from] SmallestFaceError),
    /// The system starts no more threads.
    #[error("the threads cannot be started: {0}; ask for fewer")]
    Threads(#[from] ThreadsError),
}
