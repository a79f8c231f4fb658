//! How a bundle finds faces; stored in its card.

use super::detector::Detector;
use super::error::LocateError;
use super::given::GivenLocalizer;
use super::pyramid::without_attributes;
use super::whole::WholeLocalizer;
use super::{Cells, Localizer, PaperLocalizer, PaperParameters, PyramidLocalizer, PyramidParameters};
use crate::engine::{Engine, EngineError, Runner};
use crate::input::Preprocess;
use lineament_net::{NetSpec, Weights};
use serde::{Deserialize, Serialize};

/// How a bundle finds faces.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
#[expect(clippy::large_enum_variant, reason = "there is one in a card, and no list of them")]
pub enum LocalizerSpec {
    /// Two nets that were trained on tags alone.
    Lnets(Lnets),
    /// Somebody else's detector, which was trained on boxes.
    Detector(Detector),
    /// Not at all: the caller gives the face.
    Given,
}

/// The LNets and how their responses become boxes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lnets {
    /// LNet_o: the photo to the head and shoulders.
    pub lnet_o: NetSpec,
    /// LNet_s: head and shoulders to the face.
    pub lnet_s: NetSpec,
    /// How responses become boxes.
    #[serde(rename = "localisation")]
    pub method: LnetMethod,
}

impl LocalizerSpec {
    /// A threshold below every score.
    pub const EVERY_SCORE: f32 = -1e30;

    /// Whether every value is one that the localizer can work with.
    ///
    /// # Errors
    /// The first that is not, or an LNet that answers with no map.
    pub fn check(&self) -> Result<(), LocateError> {
        match self {
            Self::Lnets(lnets) => {
                lnets.method.check()?;
                Cells::of_net(&lnets.lnet_o)?;
                Cells::of_net(&lnets.lnet_s)?;
                Ok(())
            }
            Self::Detector(detector) => Ok(detector.check()?),
            Self::Given => Ok(()),
        }
    }

    /// Its nets by the name of their tensors.
    pub fn nets(&self) -> Vec<(String, &NetSpec)> {
        match self {
            Self::Lnets(lnets) => {
                vec![("lnet_o".to_owned(), &lnets.lnet_o), ("lnet_s".to_owned(), &lnets.lnet_s)]
            }
            Self::Detector(_) | Self::Given => Vec::new(),
        }
    }

    /// Whether faces come with five landmarks; where the face is given, they may.
    pub fn gives_landmarks(&self) -> bool {
        match self {
            Self::Lnets(_) => false,
            Self::Detector(detector) => detector.gives_landmarks(),
            Self::Given => true,
        }
    }

    /// From which score on something is a face, where scores decide.
    pub fn threshold(&self) -> Option<f32> {
        match self {
            Self::Lnets(Lnets { method: LnetMethod::Paper(parameters), .. }) => Some(parameters.threshold),
            Self::Lnets(Lnets { method: LnetMethod::Pyramid(parameters), .. }) => Some(parameters.threshold),
            Self::Detector(detector) => Some(detector.threshold),
            _ => None,
        }
    }

    /// Changes [`Self::threshold`], where there is one.
    pub fn set_threshold(&mut self, score: f32) {
        match self {
            Self::Lnets(Lnets { method: LnetMethod::Paper(parameters), .. }) => parameters.threshold = score,
            Self::Lnets(Lnets { method: LnetMethod::Pyramid(parameters), .. }) => {
                parameters.threshold = score
            }
            // Each cell of a detector's maps has a score, and most are next to nothing.
            Self::Detector(detector) => detector.threshold = score.clamp(Detector::LEAST_SCORE, 1.0),
            _ => {}
        }
    }

    /// The localizer. `weights` gives those of each of [`Self::nets`], `onnx` is the detector's file.
    ///
    /// # Errors
    /// Nets that do not fit, or a detector that this program cannot run.
    pub fn localizer<'a>(
        &self,
        engine: &Engine,
        weights: impl Fn(&str) -> Option<&'a Weights>,
        onnx: Option<&[u8]>,
        preprocess: Preprocess,
    ) -> Result<Box<dyn Localizer>, LocateError> {
        match self {
            Self::Lnets(lnets) => {
                let net = |name: &'static str, spec| {
                    let weights = weights(name).ok_or(LocateError::NoWeights { net: name })?;
                    let cut = match lnets.method {
                        LnetMethod::Pyramid(_) => {
                            without_attributes(spec, weights).map_err(EngineError::from)?
                        }
                        LnetMethod::Paper(_) | LnetMethod::Whole => None,
                    };
                    let (spec, weights) =
                        cut.as_ref().map_or((spec, weights), |(spec, weights)| (spec, weights));
                    Ok::<_, LocateError>(engine.runner(spec, weights)?)
                };
                let (lnet_o, lnet_s) = (net("lnet_o", &lnets.lnet_o)?, net("lnet_s", &lnets.lnet_s)?);
                lnets.method.localizer(lnet_o, lnet_s, preprocess)
            }
            Self::Detector(detector) => detector.localizer(onnx.unwrap_or_default()),
            Self::Given => Ok(Box::new(GivenLocalizer)),
        }
    }
}

/// How a bundle's LNets lead to boxes, with all constants; stored in its card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum LnetMethod {
    /// As the paper does it.
    Paper(PaperParameters),
    /// Window classifiers slid over a pyramid.
    Pyramid(PyramidParameters),
    /// The full image is the face, whatever is on it.
    Whole,
}

impl LnetMethod {
    /// Whether every value is one that the localizer can work with.
    ///
    /// # Errors
    /// Names the value that is out of range, and the range.
    pub fn check(&self) -> Result<(), LocateError> {
        match self {
            Self::Paper(parameters) => Ok(parameters.check()?),
            Self::Pyramid(parameters) => Ok(parameters.check()?),
            Self::Whole => Ok(()),
        }
    }

    /// The localizer of two nets.
    ///
    /// # Errors
    /// Parameters out of range, or nets that do not end in maps.
    pub fn localizer(
        &self,
        lnet_o: impl Into<Runner>,
        lnet_s: impl Into<Runner>,
        preprocess: Preprocess,
    ) -> Result<Box<dyn Localizer>, LocateError> {
        match self {
            Self::Paper(parameters) => {
                Ok(Box::new(PaperLocalizer::new(lnet_o, lnet_s, preprocess, parameters.clone())?))
            }
            Self::Pyramid(parameters) => {
                Ok(Box::new(PyramidLocalizer::new(lnet_o, lnet_s, preprocess, parameters.clone())?))
            }
            Self::Whole => Ok(Box::new(WholeLocalizer::new(lnet_o, preprocess)?)),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_localisation_is_written_and_read_with_its_kind() {
        let parameters = PaperParameters { threshold: 0.25, ..PaperParameters::default() };
        let written = serde_json::to_string(&LnetMethod::Paper(parameters.clone())).unwrap();
        assert!(written.starts_with(r#"{"kind":"paper","threshold":0.25"#), "{written}");
        assert_eq!(serde_json::from_str::<LnetMethod>(&written).unwrap(), LnetMethod::Paper(parameters));
        let short: LnetMethod = serde_json::from_str(r#"{"kind": "paper"}"#).unwrap();
        assert_eq!(short, LnetMethod::Paper(PaperParameters::default()));
        assert!(short.check().is_ok());
    }

    #[test]
    fn unknown_kinds_and_fields_are_refused() {
        for text in [
            "{}",
            r#"{"kind": "sliding"}"#,
            r#"{"kind": "paper", "treshold": 1}"#,
            r#"{"kind": "paper", "peaks": {"x": 1}}"#,
        ] {
            assert!(serde_json::from_str::<LnetMethod>(text).is_err(), "{text}");
        }
        let wrong = r#"{"kind": "paper", "edge_boxes": {"alpha": 1.0}}"#;
        let read: LnetMethod = serde_json::from_str(wrong).unwrap();
        assert!(read.check().unwrap_err().to_string().contains("edge_boxes.alpha"));
    }
}
