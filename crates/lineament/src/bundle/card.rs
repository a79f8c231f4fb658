//! The card of a bundle: everything about the model but its weights.

use crate::attributes::{
    AnetPatches, AttributeCard, AttributeCardError, Extractor, ExtractorError, FaceRegion, Quality,
    QualityError, Region, RegionError, UnknownAttribute, find,
};
use crate::geometry::{Point, Rect};
use crate::input::{Preprocess, PreprocessError};
use crate::locate::{
    Detector, Face, LandmarkError, LandmarkSpec, LnetMethod, Lnets, LocalizerSpec, LocateError,
};
use lineament_net::{CheckedLayer, NetSpec, SpecError};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// What a bundle says of itself: how it locates and describes faces, preprocessing, attributes, origin. Stored as JSON under the metadata
/// key `lineament` of the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// Version of the format: [`Card::FORMAT`].
    pub format: u32,
    /// Name of the model.
    pub name: String,
    /// Version of the model.
    pub version: String,
    /// When it was made, as a date (RFC 3339), where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// How faces are found.
    #[serde(rename = "locator")]
    pub localizer: LocalizerSpec,
    /// How they are described.
    #[serde(rename = "describer")]
    pub extractor: Extractor,
    /// How landmarks of a face are found, where the model knows them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub landmarks: Option<LandmarkSpec>,
    /// How the quality of a face is told, where the model does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<Quality>,
    /// How pixels become numbers, for all nets but a detector, which has its own way.
    pub preprocess: Preprocess,
    /// The attributes, in the order of the SVMs.
    pub attributes: Vec<AttributeCard>,
    /// The data it was trained on.
    pub trained_on: Vec<String>,
    /// How it scored, by the name of the measure.
    pub scores: BTreeMap<String, f64>,
    /// The terms of the weights.
    pub licence: String,
    /// What else is to be said.
    pub note: String,
}

/// Why a card cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CardError {
    /// Written by a later program.
    #[error(
        "the bundle has format {found} and this program ({}) reads format {}: update lineament to use it",
        env!("CARGO_PKG_VERSION"), Card::FORMAT
    )]
    Newer {
        /// Its format.
        found: u64,
    },
    /// Written before the first release.
    #[error(
        "the bundle has format {found}, from before the first release, and this program reads format {}: export, teach or train it with this program",
        Card::FORMAT
    )]
    Format {
        /// Its format.
        found: u64,
    },
    /// More text than a card has.
    #[error(
        "the card is {bytes} bytes long and may be {} at most: this is no card of lineament",
        Card::MAX_BYTES
    )]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// No JSON, or not the JSON of a card.
    #[error(
        "the card cannot be read ({0}): the bundle is damaged, or was written by an early version; export it again"
    )]
    Json(#[from] serde_json::Error),
    /// A text that is empty, too long or holds control characters.
    #[error(
        "the card's {field} must have at most {most} characters, no control characters, and something in it"
    )]
    Text {
        /// The field.
        field: &'static str,
        /// Most characters allowed.
        most: usize,
    },
    /// A net that makes no sense.
    #[error("the card's {net} is wrong: {reason}")]
    Net {
        /// The name of its tensors, such as `lnet_o` or `anet`.
        net: String,
        /// What is wrong with it.
        reason: SpecError,
    },
    /// A net that no machine should be asked to run.
    #[error(
        "the card's {net} asks for more memory or work than {} values or {} multiply-adds a picture: the bundle is forged",
        Card::MAX_VALUES,
        Card::MAX_WORK
    )]
    Heavy {
        /// The name of its tensors.
        net: String,
    },
    /// ANet reads images of another size than the patches.
    #[error("the card's anet reads {input} but the patches are 3x{size}x{size}: both must be the same")]
    Input {
        /// What ANet reads.
        input: lineament_net::Shape,
        /// Side of a patch.
        size: u32,
    },
    /// The localization parameters, or an LNet that answers with no map.
    #[error("the card's localisation is wrong: {0}")]
    Localisation(#[from] LocateError),
    /// The quality.
    #[error("the card's quality is wrong: {0}")]
    Quality(#[from] QualityError),
    /// The net for landmarks.
    #[error("the card's landmarks are wrong: {0}")]
    Landmarks(#[from] LandmarkError),
    /// Mean or deviation.
    #[error("the card's preprocess is wrong: {0}")]
    Preprocess(#[from] PreprocessError),
    /// The extractor's constants.
    #[error(transparent)]
    Extractor(#[from] ExtractorError),
    /// An extractor that needs landmarks behind a locator that tells none.
    #[error(
        "the card's describer places its parts by landmarks, which its locator does not tell: use a detector that does (yunet), or leave them to \
         be given"
    )]
    NoLandmarks,
    /// No attributes, or too many.
    #[error("the card lists {0} attributes; there must be between 1 and {most}", most = Card::MAX_ATTRIBUTES)]
    Attributes(usize),
    /// One attribute.
    #[error("the card is wrong: {0}")]
    Attribute(#[from] AttributeCardError),
    /// The same name twice.
    #[error("the card lists the attribute \"{0}\" twice; every name must be its own")]
    Repeated(String),
    /// A figure that is infinite or not a number.
    #[error("the card's score \"{0}\" is not finite; leave it out")]
    Score(String),
}

impl Card {
    /// The format that this program reads and writes.
    pub const FORMAT: u32 = 2;
    /// Longest card read, in bytes of JSON.
    pub const MAX_BYTES: usize = 4 << 20;
    /// Most attributes of a bundle.
    pub const MAX_ATTRIBUTES: usize = 10_000;

    /// Most values of the largest map of a net, all items of its batches together.
    pub const MAX_VALUES: u64 = 1 << 27;
    /// Most multiply-adds of a net for one input.
    pub const MAX_WORK: u64 = 1_000_000_000_000;
    /// LNets are shown a few regions at a time.
    const REGIONS: u64 = 16;

    /// Reads a card and checks all of it.
    ///
    /// # Errors
    /// The first thing that is wrong; a newer format before all others, since its other fields may be anything.
    pub fn from_json(json: &str) -> Result<Self, CardError> {
        Self::check_format(json)?;
        let card: Self = serde_json::from_str(json)?;
        card.check()?;
        Ok(card)
    }

    /// Refuses a card of an unknown format, whatever else it holds.
    pub(super) fn check_format(json: &str) -> Result<(), CardError> {
        #[derive(Deserialize)]
        struct Probe {
            format: u64,
        }
        if json.len() > Self::MAX_BYTES {
            return Err(CardError::TooLong { bytes: json.len() });
        }
        Self::known_format(serde_json::from_str::<Probe>(json)?.format)
    }

    fn known_format(found: u64) -> Result<(), CardError> {
        match found.cmp(&u64::from(Self::FORMAT)) {
            Ordering::Less => Err(CardError::Format { found }),
            Ordering::Equal => Ok(()),
            Ordering::Greater => Err(CardError::Newer { found }),
        }
    }

    /// The card as JSON, checked first: what is written can be read.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn to_json(&self) -> Result<String, CardError> {
        self.check()?;
        Ok(serde_json::to_string(self)?)
    }

    /// The names of the attributes, in order.
    pub fn names(&self) -> Vec<&str> {
        self.attributes.iter().map(|attribute| attribute.name.as_str()).collect()
    }

    /// The index of an attribute.
    ///
    /// # Errors
    /// A name that the model does not know, with the nearest that it does.
    pub fn find(&self, name: &str) -> Result<usize, UnknownAttribute> {
        find(&self.names(), name)
    }

    /// The LNets, where they locate.
    pub fn lnets(&self) -> Option<&Lnets> {
        match &self.localizer {
            LocalizerSpec::Lnets(lnets) => Some(lnets),
            _ => None,
        }
    }

    /// The same, to be changed.
    pub fn lnets_mut(&mut self) -> Option<&mut Lnets> {
        match &mut self.localizer {
            LocalizerSpec::Lnets(lnets) => Some(lnets),
            _ => None,
        }
    }

    /// Lets a detector of others find the faces: the localizer, the region around its boxes, and what the model was trained on.
    ///
    /// # Errors
    /// A detector that does not say where the landmarks are, before an extractor that needs them.
    pub fn find_with(&mut self, detector: Detector) -> Result<(), CardError> {
        let family = detector.family;
        if let Some(anet) = self.anet_mut() {
            anet.region = family.region(anet.region);
        }
        self.localizer = LocalizerSpec::Detector(detector);
        self.trained_on
            .push(format!("{}, a detector of others, which was trained on boxes of faces", family.name()));
        self.check()
    }

    /// ANet, where it describes.
    pub fn anet(&self) -> Option<&AnetPatches> {
        match &self.extractor {
            Extractor::Anet(anet) => Some(anet),
            _ => None,
        }
    }

    /// The same, to be changed.
    pub fn anet_mut(&mut self) -> Option<&mut AnetPatches> {
        match &mut self.extractor {
            Extractor::Anet(anet) => Some(anet),
            _ => None,
        }
    }

    /// The square that the extractor sees of a located box: a face's region, or all of the image where the model looks at full images.
    ///
    /// # Errors
    /// A box without an inside, or an extractor that needs landmarks.
    pub fn region_of_box(&self, rect: Rect) -> Result<Rect, RegionError> {
        match (&self.localizer, &self.extractor) {
            (LocalizerSpec::Lnets(Lnets { method: LnetMethod::Whole, .. }), Extractor::Anet(_)) => {
                Region::around(rect)
            }
            (_, extractor) => extractor.region_of_box(rect),
        }
    }

    /// The box that a located face would have if it stood upright, about the same centre: boxes of turned faces are as wide and
    /// as high as the turned face. The box itself where the roll is not known, or the model does not tell rolls.
    pub fn upright_box(&self, rect: Rect, roll: Option<f32>) -> Rect {
        match (&self.localizer, roll) {
            (LocalizerSpec::Lnets(Lnets { method: LnetMethod::Pyramid(pyramid), .. }), Some(_)) => {
                pyramid.face.upright(rect)
            }
            _ => rect,
        }
    }

    /// Where the extractor looks for a located face.
    ///
    /// # Errors
    /// A box without an inside, or an extractor that needs landmarks of a face that has none.
    pub fn face_region(&self, face: &Face) -> Result<FaceRegion, RegionError> {
        match face.landmarks {
            Some(landmarks) if self.extractor.needs_landmarks() => Ok(landmarks.into()),
            _ => {
                let upright = self.upright_box(face.rect, face.roll);
                Ok(FaceRegion::turned(self.region_of_box(upright)?, upright, face.roll.unwrap_or(0.0)))
            }
        }
    }

    /// Where the extractor looks for five landmarks.
    ///
    /// # Errors
    /// Landmarks that fall together.
    pub fn face_region_of_landmarks(&self, landmarks: &[Point; 5]) -> Result<FaceRegion, RegionError> {
        self.extractor.face_region_of_landmarks(landmarks)
    }

    /// All nets, by the name of their tensors, and the most images that each is shown at once.
    pub fn nets(&self) -> Vec<(String, &NetSpec, u64)> {
        let locating = self.localizer.nets().into_iter().map(|(name, net)| (name, net, Self::REGIONS));
        let landmarks = self.landmarks.iter().map(|found| (LandmarkSpec::NET.to_owned(), &found.net, 1));
        locating.chain(self.extractor.nets()).chain(landmarks).collect()
    }

    /// Length of the vector that the SVMs read.
    ///
    /// # Errors
    /// A net that is wrong.
    pub fn features(&self) -> Result<usize, SpecError> {
        self.extractor.features()
    }

    /// Refuses a card that no model can have.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), CardError> {
        Self::known_format(self.format.into())?;
        self.check_texts()?;
        self.preprocess.check()?;
        self.extractor.check()?;
        if self.extractor.needs_landmarks() && !self.localizer.gives_landmarks() {
            return Err(CardError::NoLandmarks);
        }
        for (net, spec, items) in self.nets() {
            let checked = match spec.check() {
                Ok(checked) => checked,
                Err(reason) => return Err(CardError::Net { net, reason }),
            };
            let values = largest(checked.layers()).max(checked.input().elements() as u64);
            if values.saturating_mul(items) > Self::MAX_VALUES || checked.multiply_adds() > Self::MAX_WORK {
                return Err(CardError::Heavy { net });
            }
        }
        self.localizer.check()?;
        self.landmarks.as_ref().map_or(Ok(()), LandmarkSpec::check)?;
        if let Some(AnetPatches { anet, patches, .. }) = self.anet() {
            let (input, size) = (anet.input, patches.size);
            if (input.channels, input.height, input.width) != (3, size as usize, size as usize) {
                return Err(CardError::Input { input, size });
            }
        }
        if self.attributes.is_empty() || self.attributes.len() > Self::MAX_ATTRIBUTES {
            return Err(CardError::Attributes(self.attributes.len()));
        }
        let mut names = BTreeSet::new();
        for attribute in &self.attributes {
            attribute.check()?;
            if !names.insert(attribute.name.as_str()) {
                return Err(CardError::Repeated(attribute.name.clone()));
            }
        }
        self.quality.as_ref().map_or(Ok(()), |quality| quality.check(&self.attributes))?;
        match self.scores.iter().find(|(_, score)| !score.is_finite()) {
            Some((name, _)) => Err(CardError::Score(name.clone())),
            None => Ok(()),
        }
    }

    /// Texts of a card end up on terminals and in file names: no escape sequences, no novels.
    fn check_texts(&self) -> Result<(), CardError> {
        let line = |field, text: &str, most| {
            let wrong =
                text.trim().is_empty() || text.chars().count() > most || text.contains(char::is_control);
            if wrong { Err(CardError::Text { field, most }) } else { Ok(()) }
        };
        line("name", &self.name, 100)?;
        line("version", &self.version, 100)?;
        line("licence", &self.licence, 1000)?;
        self.created.as_deref().map_or(Ok(()), |date| line("created", date, 100))?;
        self.trained_on.iter().try_for_each(|data| line("trained_on", data, 1000))?;
        self.scores.keys().try_for_each(|name| line("scores", name, 100))?;
        let odd = |c: char| c.is_control() && c != '\n';
        if self.note.chars().count() > 100_000 || self.note.contains(odd) {
            return Err(CardError::Text { field: "note", most: 100_000 });
        }
        Ok(())
    }
}

/// Values in the largest map that a layer gives.
fn largest(layers: &[CheckedLayer]) -> u64 {
    let of = |layer: &CheckedLayer| {
        let inner = largest(&layer.body).max(largest(&layer.shortcut));
        inner.max(layer.output.elements() as u64)
    };
    layers.iter().map(of).max().unwrap_or(0)
}
