//! How a bundle finds faces; stored in its card.

use super::detector::Detector;
use super::error::LocateError;
use super::given::GivenLocalizer;
use super::{Cells, Localisation, Localizer};
use crate::engine::Engine;
use crate::input::Preprocess;
use lineament_net::{NetSpec, Weights};
use serde::{Deserialize, Serialize};

/// How a bundle finds faces.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
#[expect(clippy::large_enum_variant, reason = "there is one in a card, and no list of them")]
pub enum Locator {
    /// Two nets that learnt from tags alone.
    Lnets(Lnets),
    /// Somebody else's detector, which learnt from boxes.
    Detector(Detector),
    /// Not at all: whoever asks says where the face is.
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
    pub localisation: Localisation,
}

impl Locator {
    /// Whether every value is one that the localiser can work with.
    ///
    /// # Errors
    /// The first that is not, or an LNet that answers with no map.
    pub fn check(&self) -> Result<(), LocateError> {
        match self {
            Self::Lnets(lnets) => {
                lnets.localisation.check()?;
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

    /// The localiser. `weights` gives those of each of [`Self::nets`], `onnx` is the detector's file.
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
                    Ok::<_, LocateError>(engine.runner(spec, weights)?)
                };
                let (lnet_o, lnet_s) = (net("lnet_o", &lnets.lnet_o)?, net("lnet_s", &lnets.lnet_s)?);
                lnets.localisation.localizer(lnet_o, lnet_s, preprocess)
            }
            Self::Detector(detector) => detector.localizer(onnx.unwrap_or_default()),
            Self::Given => Ok(Box::new(GivenLocalizer)),
        }
    }
}
