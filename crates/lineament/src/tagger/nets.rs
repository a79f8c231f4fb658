//! The nets of a bundle, ready to run: what all clones of a tagger share.

use std::sync::Arc;

use super::FaceArea;
use crate::attributes::{
    Anet, AnetPatches, AttributeModel, ExtractorError, FaceRegion, FeatureExtractor, QualityError,
    RegionError,
};
use crate::bundle::{Bundle, BundleError, Card};
use crate::engine::Engine;
use crate::error::Result;
use crate::explain::{ExplainError, ExplainOptions, Explainer, Explanation};
use crate::geometry::Point;
use crate::locate::{DetectorFile, Face, LandmarkError, LandmarkSpec, Landmarker, Localizer, LocalizerSpec};
use crate::photo::Photo;
use crate::selection::Reader;

pub(super) struct Nets {
    pub(super) card: Card,
    pub(super) hash: String,
    pub(super) engine: Engine,
    pub(super) localizer: Box<dyn Localizer>,
    pub(super) model: AttributeModel,
    pub(super) landmarker: Option<Landmarker>,
    /// Where the model describes faces with ANet, which this and `model` share.
    explainer: Option<Explainer>,
}

/// What a program has otherwise than the bundle.
#[derive(Default)]
pub(super) struct Changes {
    /// Makes the embeddings where the card names a custom extractor.
    pub(super) extractor: Option<Box<dyn FeatureExtractor>>,
    /// Finds faces instead of the bundle's own localizer.
    pub(super) detector: Option<DetectorFile>,
    /// From which score on something is a face.
    pub(super) least_score: Option<f32>,
}

impl Nets {
    pub(super) fn new(bundle: Bundle, engine: Engine, changes: Changes) -> Result<Self> {
        let hash = bundle.hash();
        let (mut card, mut parts) = bundle.into_parts();
        if let Some(file) = changes.detector {
            let (detector, onnx) = file.into_parts();
            card.find_with(detector).map_err(BundleError::from)?;
            parts.detector = Some(onnx);
        }
        if let Some(score) = changes.least_score {
            card.localizer.set_threshold(score);
        }
        let net = |name: &str| parts.net(name);
        let localizer = card.localizer.localizer(&engine, net, parts.detector.as_deref(), card.preprocess)?;
        let (extractor, explainer): (Box<dyn FeatureExtractor>, _) = match card.anet() {
            Some(AnetPatches { anet, patches, .. }) => {
                let weights = net("anet").ok_or_else(|| ExtractorError::NoWeights("anet".to_owned()))?;
                let anet = Anet::on(&engine, anet, weights, card.preprocess, patches.clone());
                let anet = Arc::new(anet.map_err(ExtractorError::from)?);
                let explainer = Explainer::new(&card, &parts, &engine, Arc::clone(&anet))?;
                (Box::new(anet), Some(explainer))
            }
            None => match changes.extractor {
                Some(brought) => (brought, None),
                None => (card.extractor.ready(&engine, net, card.preprocess)?, None),
            },
        };
        let landmarker = match &card.landmarks {
            Some(spec) => {
                let weights = net(LandmarkSpec::NET)
                    .ok_or_else(|| ExtractorError::NoWeights(LandmarkSpec::NET.to_owned()))?;
                // Positions lose more by eight bits than the small net gains by them.
                let engine = if matches!(engine, Engine::Int8) { &Engine::Native } else { &engine };
                Some(Landmarker::new(engine, spec, weights, card.preprocess)?)
            }
            None => None,
        };
        let model = AttributeModel::new(extractor, parts.svms)?;
        Ok(Self { card, hash, engine, localizer, model, landmarker, explainer })
    }

    /// Whether landmarks can be found: by the net for them, or by the localizer.
    pub(super) fn knows_landmarks(&self) -> bool {
        self.landmarker.is_some() || self.localizer_tells_landmarks()
    }

    fn localizer_tells_landmarks(&self) -> bool {
        matches!(self.card.localizer, LocalizerSpec::Detector(_)) && self.card.localizer.gives_landmarks()
    }

    /// The landmarks of a face: those that a detector told, or the net's.
    pub(super) fn landmarks(&self, photo: &Photo, face: &Face) -> Result<[Point; 5], LandmarkError> {
        match (face.landmarks, &self.landmarker) {
            (Some(landmarks), _) => Ok(landmarks),
            (None, Some(landmarker)) => {
                let upright = self.card.upright_box(face.rect, face.roll);
                landmarker.find(photo, upright, face.roll.unwrap_or(0.0))
            }
            (None, None) => Err(LandmarkError::None),
        }
    }

    /// How far the attributes of a face can be trusted, given the scores of all of them.
    pub(super) fn quality(&self, face: &Face, scores: &[f32]) -> Result<f32, QualityError> {
        let quality = self.card.quality.as_ref().ok_or(QualityError::None)?;
        let height = self.card.upright_box(face.rect, face.roll).height;
        Ok(quality.of(&self.card.attributes, scores, height))
    }

    /// Where the model looks for a face.
    pub(super) fn region(&self, face: FaceArea) -> Result<FaceRegion, RegionError> {
        match face {
            FaceArea::Face(face) => self.card.face_region(&face),
            FaceArea::Region(region) => Ok(region),
        }
    }

    pub(super) fn explain(
        &self,
        photo: &Photo,
        face: &Face,
        reader: &Reader,
        options: &ExplainOptions,
    ) -> Result<Vec<Explanation>, ExplainError> {
        let explainer = self.explainer.as_ref().ok_or(ExplainError::NoAnet)?;
        explainer.explain(&self.card, self.model.svms(), reader, photo, face, options)
    }
}
