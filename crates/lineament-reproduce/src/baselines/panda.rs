//! PANDA (N. Zhang and others, "PANDA: Pose Aligned Networks for Deep Attribute Modeling", CVPR 2014) with parts that landmarks place, as the
//! paper ran it: a net for each part and one or more for the whole, their outputs concatenated, power-normalised, and read by one linear SVM
//! an attribute.

use std::collections::BTreeMap;

use lineament::Photo;
use lineament::attributes::{DescribeError, Embedding, FaceRegion, FeatureExtractor};
use lineament::engine::Runner;
use lineament::input::Preprocess;
use lineament_net::{NetSpec, SpecError};
use serde::{Deserialize, Serialize};

use super::parts::{Frame, Part, PartsError};

/// The parts, their nets, and what becomes of their outputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Panda {
    /// Parts of the face, each with weights of its own.
    pub parts: Vec<Part>,
    /// The net of a part, the same for all.
    pub net: NetSpec,
    /// What sees the whole.
    #[serde(default)]
    pub holistic: Vec<Holistic>,
    /// Every number becomes its power, with its sign; 0.3 in PANDA.
    pub power: f32,
}

/// A net on the whole head.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holistic {
    /// What it sees.
    pub part: Part,
    /// The net.
    pub net: NetSpec,
}

/// Parts and nets that do not fit together.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PandaError {
    /// The parts.
    #[error(transparent)]
    Parts(#[from] PartsError),
    /// A net that reads images of another size than its part has.
    #[error(
        "the net of part {0} reads pictures of another size than the part has; give both the same, with 3 channels"
    )]
    Input(String),
    /// The power.
    #[error("power must lie between 0.05 and 1")]
    Power,
    /// A card that lacks a net, or has different ones for the parts.
    #[error(
        "the parts need one net each, all of the same architecture; that of part {0} is missing or another one"
    )]
    PartNet(String),
    /// As many nets as parts, in their order.
    #[error("there are {found} nets for {expected} parts")]
    Nets {
        /// Nets given.
        found: usize,
        /// Nets needed.
        expected: usize,
    },
}

impl Panda {
    /// Refuses parts and nets that do not fit together.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), PandaError> {
        Part::check_all(&self.parts)?;
        if !self.holistic.is_empty() {
            Part::check_all(self.holistic.iter().map(|whole| &whole.part))?;
        }
        if !(0.05..=1.0).contains(&self.power) {
            return Err(PandaError::Power);
        }
        let fits = |part: &Part, net: &NetSpec| {
            let shape = (net.input.channels, net.input.width, net.input.height);
            shape == (3, part.pixels[0] as usize, part.pixels[1] as usize)
        };
        match self.all().find(|(part, net)| !fits(part, net)) {
            Some((part, _)) => Err(PandaError::Input(part.name.clone())),
            None => Ok(()),
        }
    }

    /// All that is looked at, in the order of the vector.
    fn all(&self) -> impl Iterator<Item = (&Part, &NetSpec)> {
        let parts = self.parts.iter().map(|part| (part, &self.net));
        parts.chain(self.holistic.iter().map(|whole| (&whole.part, &whole.net)))
    }

    /// Its nets by the name of their tensors, in the order of the vector.
    pub fn nets(&self) -> Vec<(String, &NetSpec)> {
        let parts = self.parts.iter().map(|part| (format!("{PART}_{}", part.name), &self.net));
        let whole = self.holistic.iter().map(|whole| (format!("{WHOLE}_{}", whole.part.name), &whole.net));
        parts.chain(whole).collect()
    }

    /// Length of the vector.
    ///
    /// # Errors
    /// A net that is wrong.
    pub fn features(&self) -> Result<usize, SpecError> {
        self.all().map(|(_, net)| Ok(net.output()?.elements())).sum()
    }

    /// `sign(x) |x|^power` of every number.
    pub fn finish(&self, outputs: &mut [f32]) {
        if self.power != 1.0 {
            outputs.iter_mut().for_each(|value| *value = value.signum() * value.abs().powf(self.power));
        }
    }
}

/// What a card holds of PANDA beside its nets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PandaSettings {
    parts: Vec<Part>,
    #[serde(default)]
    holistic: Vec<Part>,
    power: f32,
}

impl PandaSettings {
    /// Those of `panda`.
    pub(super) fn of(panda: &Panda) -> Self {
        let holistic = panda.holistic.iter().map(|whole| whole.part.clone()).collect();
        Self { parts: panda.parts.clone(), holistic, power: panda.power }
    }

    /// PANDA with these settings and a card's nets.
    pub(super) fn with_nets(self, nets: &BTreeMap<String, NetSpec>) -> Result<Panda, PandaError> {
        Part::check_all(&self.parts)?;
        let net = |kind: &str, part: &Part| {
            let net = nets.get(&format!("{kind}_{}", part.name));
            net.cloned().ok_or_else(|| PandaError::PartNet(part.name.clone()))
        };
        let Some(first) = self.parts.first() else { return Err(PartsError::Count(0).into()) };
        let first = net(PART, first)?;
        for part in &self.parts {
            if net(PART, part)? != first {
                return Err(PandaError::PartNet(part.name.clone()));
            }
        }
        let whole = |part: Part| Ok(Holistic { net: net(WHOLE, &part)?, part });
        let holistic = self.holistic.into_iter().map(whole).collect::<Result<_, PandaError>>()?;
        Ok(Panda { parts: self.parts, net: first, holistic, power: self.power })
    }
}

/// What the names of nets begin with: of those of a part, and of those of the whole head.
const PART: &str = "part";
const WHOLE: &str = "whole";

/// PANDA, ready to run.
pub struct PandaNets {
    panda: Panda,
    nets: Vec<Runner>,
    preprocess: Preprocess,
    features: usize,
}

impl PandaNets {
    /// Nets in the order of [`Panda::nets`].
    ///
    /// # Errors
    /// Parts and nets that do not fit together.
    pub fn new(panda: Panda, nets: Vec<Runner>, preprocess: Preprocess) -> Result<Self, PandaError> {
        panda.check()?;
        let (found, expected) = (nets.len(), panda.all().count());
        if found != expected {
            return Err(PandaError::Nets { found, expected });
        }
        let features = nets.iter().map(|net| net.output().elements()).sum();
        Ok(Self { panda, nets, preprocess, features })
    }

    /// What the nets say of a face, before [`Panda::finish`].
    ///
    /// # Errors
    /// Landmarks that are no face.
    pub fn outputs(&self, photo: &Photo, region: &FaceRegion) -> Result<Vec<f32>, DescribeError> {
        let FaceRegion::Landmarks(landmarks) = region else { return Err(DescribeError::NeedsLandmarks) };
        let frame = Frame::of(landmarks)?;
        let mut outputs = Vec::with_capacity(self.features);
        for ((part, _), net) in self.panda.all().zip(&self.nets) {
            let input = self.preprocess.tensor_of(&[frame.draw(photo, part)]);
            outputs.extend_from_slice(net.forward(&input)?.data());
        }
        Ok(outputs)
    }
}

impl FeatureExtractor for PandaNets {
    fn features(&self) -> usize {
        self.features
    }

    fn embed(&self, photo: &Photo, region: &FaceRegion) -> Result<Embedding, DescribeError> {
        let mut outputs = self.outputs(photo, region)?;
        self.panda.finish(&mut outputs);
        Ok(outputs)
    }
}
