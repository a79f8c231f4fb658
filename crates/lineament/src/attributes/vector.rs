//! From a face to the vector that its attributes are read from, and the SVMs that read them.

use super::anet::{Anet, AnetError};
use super::describe::DescribeError;
use super::facetracer::{FaceTracer, FaceTracerError};
use super::panda::{Panda, PandaError, PandaNets};
use super::patches::{Patches, PatchesError};
use super::place::Place;
use super::region::{Region, RegionError};
use super::svm::{LinearSvms, SvmError};
use crate::engine::{Engine, EngineError};
use crate::geometry::{Point, Rect};
use crate::input::Preprocess;
use crate::photo::Photo;
use lineament_net::{NetSpec, SpecError, Weights};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Describes a face by a vector.
pub trait FaceVector: Send + Sync {
    /// Length of the vector.
    fn features(&self) -> usize;

    /// The vector of the face at `place` of a photo.
    ///
    /// # Errors
    /// A place without an inside, or one of another kind than the describer needs.
    fn vector(&self, photo: &Photo, place: &Place) -> Result<Vec<f32>, DescribeError>;
}

impl<T: FaceVector + ?Sized> FaceVector for Arc<T> {
    fn features(&self) -> usize {
        (**self).features()
    }

    fn vector(&self, photo: &Photo, place: &Place) -> Result<Vec<f32>, DescribeError> {
        (**self).vector(photo, place)
    }
}

/// How a bundle describes faces; stored in its card.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Describer {
    /// ANet on overlapping patches of the face.
    Anet(AnetPatches),
    /// Histograms in parts of the face.
    Facetracer(FaceTracer),
    /// A net for each part of the face.
    Panda(Panda),
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

/// Why no describer can be made.
#[derive(Debug, thiserror::Error)]
pub enum DescriberError {
    /// ANet.
    #[error(transparent)]
    Anet(#[from] AnetError),
    /// The region.
    #[error("the card's region is wrong: {0}")]
    Region(#[from] RegionError),
    /// The patches.
    #[error("the card's patches are wrong: {0}")]
    Patches(#[from] PatchesError),
    /// FaceTracer.
    #[error("the card's facetracer is wrong: {0}")]
    FaceTracer(#[from] FaceTracerError),
    /// PANDA.
    #[error("the card's panda is wrong: {0}")]
    Panda(#[from] PandaError),
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
    #[error("the SVMs do not fit the describer: {0}")]
    Svm(#[from] SvmError),
}

impl Describer {
    /// Refuses constants that describe nothing; nets are checked by the card.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), DescriberError> {
        match self {
            Self::Anet(anet) => {
                anet.region.check()?;
                Ok(anet.patches.check()?)
            }
            Self::Facetracer(facetracer) => Ok(facetracer.check()?),
            Self::Panda(panda) => Ok(panda.check()?),
        }
    }

    /// Its nets by the name of their tensors, and how many pictures each is shown of a face.
    pub fn nets(&self) -> Vec<(String, &NetSpec, u64)> {
        match self {
            Self::Anet(anet) => vec![("anet".to_owned(), &anet.anet, anet.patches.count() as u64)],
            Self::Facetracer(_) => Vec::new(),
            Self::Panda(panda) => panda.nets().into_iter().map(|(name, net)| (name, net, 1)).collect(),
        }
    }

    /// Length of the vector.
    ///
    /// # Errors
    /// A net that is wrong.
    pub fn features(&self) -> Result<usize, SpecError> {
        match self {
            Self::Anet(anet) => Ok(anet.anet.output()?.elements()),
            Self::Facetracer(facetracer) => Ok(facetracer.features()),
            Self::Panda(panda) => panda.features(),
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
    pub fn place_of_landmarks(&self, landmarks: &[Point; 5]) -> Result<Place, RegionError> {
        match self {
            Self::Anet(anet) => Ok(anet.region.of_landmarks(landmarks)?.into()),
            _ => Ok((*landmarks).into()),
        }
    }

    /// Where it looks, of a face box.
    ///
    /// # Errors
    /// A box without an inside, or a describer that needs landmarks.
    pub fn region_of_box(&self, face: Rect) -> Result<Rect, RegionError> {
        match self {
            Self::Anet(anet) => anet.region.of_box(face),
            _ => Err(RegionError::NoLandmarks),
        }
    }

    /// The describer, ready to run. `weights` gives those of each of [`Self::nets`].
    ///
    /// # Errors
    /// Nets that do not fit, or that the engine refuses.
    pub fn ready<'a>(
        &self,
        engine: &Engine,
        weights: impl Fn(&str) -> Option<&'a Weights>,
        preprocess: Preprocess,
    ) -> Result<Box<dyn FaceVector>, DescriberError> {
        let get = |name: &str| weights(name).ok_or_else(|| DescriberError::NoWeights(name.to_owned()));
        match self {
            Self::Anet(AnetPatches { anet, patches, .. }) => {
                Ok(Box::new(Anet::on(engine, anet, get("anet")?, preprocess, patches.clone())?))
            }
            Self::Facetracer(facetracer) => {
                facetracer.check()?;
                Ok(Box::new(facetracer.clone()))
            }
            Self::Panda(panda) => {
                let runner = |(name, net): (String, &NetSpec)| Ok(engine.runner(net, get(&name)?)?);
                let nets = panda.nets().into_iter().map(runner).collect::<Result<_, DescriberError>>()?;
                Ok(Box::new(PandaNets::new(panda.clone(), nets, preprocess)?))
            }
        }
    }
}

/// Scores the attributes of a face: one linear SVM an attribute on its vector.
pub struct AttributeModel {
    describer: Box<dyn FaceVector>,
    svms: LinearSvms,
}

impl AttributeModel {
    /// Joins a describer and its SVMs.
    ///
    /// # Errors
    /// SVMs that read vectors of another length.
    pub fn new(describer: Box<dyn FaceVector>, svms: LinearSvms) -> Result<Self, DescriberError> {
        let (found, expected) = (describer.features(), svms.features());
        if found != expected {
            return Err(SvmError::Features { found, expected }.into());
        }
        Ok(Self { describer, svms })
    }

    /// What reads the vector.
    pub fn svms(&self) -> &LinearSvms {
        &self.svms
    }

    /// What the scores are made from.
    ///
    /// # Errors
    /// As [`FaceVector::vector`].
    pub fn vector(&self, photo: &Photo, place: &Place) -> Result<Vec<f32>, DescribeError> {
        self.describer.vector(photo, place)
    }

    /// One score an attribute, in the order of the bundle's card.
    ///
    /// # Errors
    /// As [`FaceVector::vector`], and a score that is not finite.
    pub fn scores(&self, photo: &Photo, place: &Place) -> Result<Vec<f32>, DescribeError> {
        let scores = self.svms.scores(&self.describer.vector(photo, place)?)?;
        match scores.iter().position(|score| !score.is_finite()) {
            Some(attribute) => Err(DescribeError::NotFinite(attribute)),
            None => Ok(scores),
        }
    }
}
