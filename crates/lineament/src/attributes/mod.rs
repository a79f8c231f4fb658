//! Attributes of a located face: a [`FeatureExtractor`] makes an embedding of it, linear SVMs read the embedding, and their scores
//! become calibrated answers.
//!
//! [`Extractor`] says what a bundle uses: ANet's FC vectors of patches, or an extractor that the program brings along.

mod anet;
mod calibration;
mod custom;
mod describe;
mod extractor;
mod face_region;
mod names;
mod patches;
mod quality;
mod region;
mod svm;
mod thresholds;

pub use anet::{Anet, AnetError};
pub use calibration::{Platt, SigmoidError};
pub use custom::{CustomExtractor, CustomExtractorError};
pub use describe::{AttributeCard, AttributeCardError, DescribeError, Group, Provenance, Reading};
pub use extractor::{AnetPatches, AttributeModel, Embedding, Extractor, ExtractorError, FeatureExtractor};
pub use face_region::FaceRegion;
pub use names::{CELEBA, EASY_TO_SEE, UnknownAttribute, find};
pub use patches::{FlipMode, Patches, PatchesError};
pub use quality::{Quality, QualityError, certainty};
pub use region::{Region, RegionError};
pub use svm::{LinearSvms, SvmError, mean_vector};
pub use thresholds::{OperatingPoint, Thresholds};
