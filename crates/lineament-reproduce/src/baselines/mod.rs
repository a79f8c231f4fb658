//! The systems that the paper compares itself with: FaceTracer and PANDA, and their training.
//!
//! Their bundles are ordinary ones whose card names a [`CustomExtractor`]: the library reads, checks and writes them, and
//! [`builder`] makes taggers that run them.

pub mod colour_histogram;
pub mod facetracer;
pub mod panda;
pub mod parts;
pub mod train;

use lineament::attributes::{CustomExtractor, Extractor, FeatureExtractor};
use lineament::bundle::{Bundle, Parts};
use lineament::engine::{Engine, EngineError};
use lineament::input::Preprocess;
use lineament::{Tagger, TaggerBuilder};
use lineament_net::{NetSpec, SpecError};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use colour_histogram::ColourHistogram;
pub use facetracer::{FaceTracer, FaceTracerError};
pub use panda::{Panda, PandaError};
pub use parts::{Part, PartsError};

use panda::{PandaNets, PandaSettings};

/// The extractor of a baseline.
#[derive(Debug, Clone, PartialEq)]
pub enum Baseline {
    /// Histograms in parts of the face.
    Facetracer(FaceTracer),
    /// A net for each part of the face.
    Panda(Panda),
}

/// Why a bundle's extractor is no baseline that can be run.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// One that is not known here.
    #[error(
        "the bundle describes faces with {0:?}, which is neither facetracer nor panda: it was made by another program"
    )]
    Unknown(String),
    /// Settings that are none of the kind.
    #[error(
        "the card's settings of {kind} cannot be read ({reason}): the bundle is damaged, export it again"
    )]
    Settings {
        /// The kind.
        kind: String,
        /// What is wrong with them.
        reason: String,
    },
    /// A card whose settings, nets and features contradict each other.
    #[error(
        "the card's nets or features are not those of its settings of {0}: the bundle is damaged, export it again"
    )]
    Mismatch(String),
    /// FaceTracer.
    #[error("the card's facetracer is wrong: {0}")]
    FaceTracer(#[from] FaceTracerError),
    /// PANDA.
    #[error("the card's panda is wrong: {0}")]
    Panda(#[from] PandaError),
    /// A net's architecture.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// A net's engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The weights of a net are not there.
    #[error("the weights of {0} are missing: the bundle is damaged, fetch or export it again")]
    NoWeights(String),
}

const FACETRACER: &str = "facetracer";
const PANDA: &str = "panda";

impl Baseline {
    /// Refuses constants that describe nothing, and nets that do not fit.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), BaselineError> {
        match self {
            Self::Facetracer(tracer) => Ok(tracer.check()?),
            Self::Panda(panda) => Ok(panda.check()?),
        }
    }

    /// Its nets by the name of their tensors, in the order of the embedding.
    pub fn nets(&self) -> Vec<(String, &NetSpec)> {
        match self {
            Self::Facetracer(_) => Vec::new(),
            Self::Panda(panda) => panda.nets(),
        }
    }

    /// What the card of a bundle says of it.
    ///
    /// # Errors
    /// What [`Baseline::check`] finds.
    pub fn to_card(&self) -> Result<CustomExtractor, BaselineError> {
        self.check()?;
        let nets = self.nets().into_iter().map(|(name, net)| (name, net.clone())).collect();
        let (kind, about, features, settings) = match self {
            Self::Facetracer(tracer) => {
                let about = "FaceTracer: gradients and colours in parts of the face that landmarks place";
                (FACETRACER, about, tracer.features(), written(FACETRACER, tracer)?)
            }
            Self::Panda(panda) => {
                let about = "PANDA: a net for each part of the face that landmarks place";
                (PANDA, about, panda.features()?, written(PANDA, &PandaSettings::of(panda))?)
            }
        };
        Ok(CustomExtractor { kind: kind.to_owned(), about: about.to_owned(), features, nets, settings })
    }

    /// What a card says.
    ///
    /// # Errors
    /// A kind that is not known, or a card that contradicts itself.
    pub fn of_card(card: &CustomExtractor) -> Result<Self, BaselineError> {
        let baseline = match card.kind.as_str() {
            FACETRACER => Self::Facetracer(read(card)?),
            PANDA => Self::Panda(read::<PandaSettings>(card)?.with_nets(&card.nets)?),
            other => return Err(BaselineError::Unknown(other.to_owned())),
        };
        let expected = baseline.to_card()?;
        if (&expected.nets, expected.features) != (&card.nets, card.features) {
            return Err(BaselineError::Mismatch(card.kind.clone()));
        }
        Ok(baseline)
    }

    /// The extractor, ready to run with the weights of a bundle.
    ///
    /// # Errors
    /// Nets that do not fit, or that the engine refuses.
    pub fn ready(
        self,
        engine: &Engine,
        parts: &Parts,
        preprocess: Preprocess,
    ) -> Result<Box<dyn FeatureExtractor>, BaselineError> {
        self.check()?;
        match self {
            Self::Facetracer(tracer) => Ok(Box::new(tracer)),
            Self::Panda(panda) => {
                let runner = |(name, net): (String, &NetSpec)| {
                    let weights = parts.net(&name).ok_or_else(|| BaselineError::NoWeights(name.clone()))?;
                    Ok(engine.runner(net, weights)?)
                };
                let nets = panda.nets().into_iter().map(runner).collect::<Result<_, BaselineError>>()?;
                Ok(Box::new(PandaNets::new(panda, nets, preprocess)?))
            }
        }
    }
}

/// A tagger of any bundle, before it is built: of LNets and ANet, or of a baseline.
///
/// # Errors
/// A bundle of another program, or a baseline that does not fit together.
pub fn builder(bundle: Bundle, engine: Engine) -> Result<TaggerBuilder, BaselineError> {
    let builder = Tagger::builder();
    let builder = match &bundle.card().extractor {
        Extractor::Custom(custom) => {
            let baseline = Baseline::of_card(custom)?;
            builder.extractor(baseline.ready(&engine, bundle.parts(), bundle.card().preprocess)?)
        }
        _ => builder,
    };
    Ok(builder.bundle(bundle).engine(engine))
}

/// Settings as a card holds them: numbers are written as they are in a recipe.
fn written(kind: &str, settings: &impl Serialize) -> Result<serde_json::Value, BaselineError> {
    let text = serde_json::to_string(settings).and_then(|text| serde_json::from_str(&text));
    text.map_err(|e| BaselineError::Settings { kind: kind.to_owned(), reason: e.to_string() })
}

fn read<T: DeserializeOwned>(card: &CustomExtractor) -> Result<T, BaselineError> {
    T::deserialize(&card.settings)
        .map_err(|e| BaselineError::Settings { kind: card.kind.clone(), reason: e.to_string() })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
