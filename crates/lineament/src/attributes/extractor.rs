//! From a face to the embedding that its attributes are read from, and the SVMs that read it.

use super::anet::{Anet, AnetError};
use super::custom::{CustomExtractor, CustomExtractorError};
use super::describe::DescribeError;
use super::face_region::FaceRegion;
use super::patches::{Patches, PatchesError};
use super::region::{Region, RegionError};
use super::svm::{LinearSvms, SvmError};
use crate::engine::{Engine, EngineError};
use crate::geometry::{Point, Rect};
use crate::input::Preprocess;
use crate::photo::Photo;
use lineament_net::{NetSpec, SpecError, Weights};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::sync::Arc;

/// What a face becomes: [`FeatureExtractor::features`] numbers.
pub type Embedding = Vec<f32>;

/// Makes embeddings of faces.
///
/// The library has one, [`Anet`]. A program can bring one along for bundles whose card names a [`CustomExtractor`]:
/// [`TaggerBuilder::extractor`](crate::TaggerBuilder::extractor).
pub trait FeatureExtractor: Send + Sync {
    /// Length of an embedding.
    fn features(&self) -> usize;

    /// The embedding of the face at `region` of a photo.
    ///
    /// # Errors
    /// A region without an inside, or one of another kind than the extractor needs.
    fn embed(&self, photo: &Photo, region: &FaceRegion) -> Result<Embedding, DescribeError>;
}

impl<T: FeatureExtractor + ?Sized> FeatureExtractor for Arc<T> {
    fn features(&self) -> usize {
        (**self).features()
    }

    fn embed(&self, photo: &Photo, region: &FaceRegion) -> Result<Embedding, DescribeError> {
        (**self).embed(photo, region)
    }
}

/// How a bundle makes embeddings of faces; stored in its card.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Extractor {
    /// ANet on overlapping patches of the face.
    Anet(AnetPatches),
    /// One that the program must bring along.
    Custom(CustomExtractor),
}

/// ANet and where it looks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnetPatches {
    /// A patch of the face to its FC vector.
    pub anet: NetSpec,
    /// How a box or landmarks become the square that ANet looks at.
    pub region: Region,
    /// Which patches of it ANet sees.
    pub patches: Patches,
}

/// The kind of [`Extractor::Anet`] in a card.
pub(super) const ANET: &str = "anet";

/// ANet as it stands in a card.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Written<T> {
    Anet(T),
}

impl Serialize for Extractor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Anet(anet) => Written::Anet(anet).serialize(serializer),
            Self::Custom(custom) => custom.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Extractor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;

        let value = serde_json::Value::deserialize(deserializer)?;
        let kind = value.get("kind").and_then(serde_json::Value::as_str);
        let read = if kind == Some(ANET) {
            serde_json::from_value(value).map(|Written::Anet(anet)| Self::Anet(anet))
        } else {
            serde_json::from_value(value).map(Self::Custom)
        };
        read.map_err(D::Error::custom)
    }
}

/// Why no extractor can be made.
#[derive(Debug, thiserror::Error)]
pub enum ExtractorError {
    /// ANet.
    #[error(transparent)]
    Anet(#[from] AnetError),
    /// The region.
    #[error("the card's region is wrong: {0}")]
    Region(#[from] RegionError),
    /// The patches.
    #[error("the card's patches are wrong: {0}")]
    Patches(#[from] PatchesError),
    /// What the card says of an extractor that the program must bring along.
    #[error(transparent)]
    Custom(#[from] CustomExtractorError),
    /// An extractor that this program does not have.
    #[error(
        "the bundle describes faces with {about} ({kind}), which this program does not have; the baselines of the paper \
         need a build with training: `cargo install --path crates/lineament-cli --features train`"
    )]
    Unknown {
        /// What the card calls it.
        kind: String,
        /// What it is.
        about: String,
    },
    /// A net's engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A net's architecture.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The weights of a net are not there.
    #[error("the weights of {0} are missing: the bundle is damaged, fetch or export it again")]
    NoWeights(String),
    /// The SVMs read other vectors.
    #[error("the SVMs do not fit the extractor: {0}")]
    Svm(#[from] SvmError),
}

impl Extractor {
    /// Refuses constants that describe nothing; nets are checked by the card.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), ExtractorError> {
        match self {
            Self::Anet(anet) => {
                anet.region.check()?;
                Ok(anet.patches.check()?)
            }
            Self::Custom(custom) => Ok(custom.check()?),
        }
    }

    /// Its nets by the name of their tensors, and how many images each is shown of a face.
    pub fn nets(&self) -> Vec<(String, &NetSpec, u64)> {
        match self {
            Self::Anet(anet) => vec![(ANET.to_owned(), &anet.anet, anet.patches.count() as u64)],
            Self::Custom(custom) => custom.nets.iter().map(|(name, net)| (name.clone(), net, 1)).collect(),
        }
    }

    /// Length of an embedding.
    ///
    /// # Errors
    /// A net that is wrong.
    pub fn features(&self) -> Result<usize, SpecError> {
        match self {
            Self::Anet(anet) => Ok(anet.anet.output()?.elements()),
            Self::Custom(custom) => Ok(custom.features),
        }
    }

    /// Whether it places what it looks at by landmarks, so that a box is not enough.
    pub fn needs_landmarks(&self) -> bool {
        !matches!(self, Self::Anet(_))
    }

    /// Where it looks, of five landmarks.
    ///
    /// # Errors
    /// Landmarks that fall together.
    pub fn face_region_of_landmarks(&self, landmarks: &[Point; 5]) -> Result<FaceRegion, RegionError> {
        match self {
            Self::Anet(anet) => Ok(anet.region.of_landmarks(landmarks)?.into()),
            Self::Custom(_) => Ok((*landmarks).into()),
        }
    }

    /// Where it looks, of a face box.
    ///
    /// # Errors
    /// A box without an inside, or an extractor that needs landmarks.
    pub fn region_of_box(&self, face: Rect) -> Result<Rect, RegionError> {
        match self {
            Self::Anet(anet) => anet.region.of_box(face),
            Self::Custom(_) => Err(RegionError::NoLandmarks),
        }
    }

    /// The extractor, ready to run. `weights` gives those of each of [`Self::nets`].
    ///
    /// # Errors
    /// Nets that do not fit, or that the engine refuses; [`ExtractorError::Unknown`] of one that the program must bring along.
    pub fn ready<'a>(
        &self,
        engine: &Engine,
        weights: impl Fn(&str) -> Option<&'a Weights>,
        preprocess: Preprocess,
    ) -> Result<Box<dyn FeatureExtractor>, ExtractorError> {
        match self {
            Self::Anet(AnetPatches { anet, patches, .. }) => {
                let weights = weights(ANET).ok_or_else(|| ExtractorError::NoWeights(ANET.to_owned()))?;
                Ok(Box::new(Anet::on(engine, anet, weights, preprocess, patches.clone())?))
            }
            Self::Custom(CustomExtractor { kind, about, .. }) => {
                Err(ExtractorError::Unknown { kind: kind.clone(), about: about.clone() })
            }
        }
    }
}

/// Scores the attributes of a face: one linear SVM an attribute on its embedding.
pub struct AttributeModel {
    extractor: Box<dyn FeatureExtractor>,
    svms: LinearSvms,
}

impl AttributeModel {
    /// Joins an extractor and its SVMs.
    ///
    /// # Errors
    /// SVMs that read vectors of another length.
    pub fn new(extractor: Box<dyn FeatureExtractor>, svms: LinearSvms) -> Result<Self, ExtractorError> {
        let (found, expected) = (extractor.features(), svms.features());
        if found != expected {
            return Err(SvmError::Features { found, expected }.into());
        }
        Ok(Self { extractor, svms })
    }

    /// What reads the embedding.
    pub fn svms(&self) -> &LinearSvms {
        &self.svms
    }

    /// What the scores are made from.
    ///
    /// # Errors
    /// As [`FeatureExtractor::embed`].
    pub fn embed(&self, photo: &Photo, region: &FaceRegion) -> Result<Embedding, DescribeError> {
        self.extractor.embed(photo, region)
    }

    /// One score an attribute, in the order of the bundle's card.
    ///
    /// # Errors
    /// As [`FeatureExtractor::embed`], and a score that is not finite.
    pub fn scores(&self, photo: &Photo, region: &FaceRegion) -> Result<Vec<f32>, DescribeError> {
        self.scores_of(&self.extractor.embed(photo, region)?)
    }

    /// The same from an embedding that is there already.
    ///
    /// # Errors
    /// An embedding of another length, and a score that is not finite.
    pub fn scores_of(&self, embedding: &[f32]) -> Result<Vec<f32>, DescribeError> {
        let scores = self.svms.scores(embedding)?;
        match scores.iter().position(|score| !score.is_finite()) {
            Some(attribute) => Err(DescribeError::NotFinite(attribute)),
            None => Ok(scores),
        }
    }
}
