//! The card of a bundle: everything about the model but its weights.

use crate::attributes::{
    AttributeCard, AttributeCardError, Patches, PatchesError, Region, RegionError, UnknownAttribute, find,
};
use crate::geometry::Rect;
use crate::input::{Preprocess, PreprocessError};
use crate::locate::{Cells, Localisation, LocateError};
use lineament_net::{CheckedLayer, NetSpec, SpecError};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What a bundle says of itself: nets, preprocessing, localisation, attributes, origin. Stored as JSON under the metadata key
/// `lineament` of the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// Version of the format, [`Card::FORMAT`].
    pub format: u32,
    /// Name of the model.
    pub name: String,
    /// Version of the model.
    pub version: String,
    /// When it was made, as a date (RFC 3339), where that is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// LNet_o: the photo to the head and shoulders.
    pub lnet_o: NetSpec,
    /// LNet_s: head and shoulders to the face.
    pub lnet_s: NetSpec,
    /// ANet: a patch of the face to its FC vector.
    pub anet: NetSpec,
    /// How responses become boxes.
    pub localisation: Localisation,
    /// How pixels become numbers, for all three nets.
    pub preprocess: Preprocess,
    /// How a box or landmarks become the square that ANet looks at.
    pub region: Region,
    /// Which patches of it ANet sees.
    pub patches: Patches,
    /// The attributes, in the order of the SVMs.
    pub attributes: Vec<AttributeCard>,
    /// The data that it learnt from.
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
    /// A format that never was.
    #[error(
        "the bundle says it has format 0, which does not exist: it is damaged or forged, fetch or export it again"
    )]
    Format,
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
        /// `lnet_o`, `lnet_s` or `anet`.
        net: &'static str,
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
        /// `lnet_o`, `lnet_s` or `anet`.
        net: &'static str,
    },
    /// ANet reads pictures of another size than the patches.
    #[error("the card's anet reads {input} but the patches are 3x{size}x{size}: both must be the same")]
    Input {
        /// What ANet reads.
        input: lineament_net::Shape,
        /// Side of a patch.
        size: u32,
    },
    /// The localisation parameters, or an LNet that answers with no map.
    #[error("the card's localisation is wrong: {0}")]
    Localisation(#[from] LocateError),
    /// Mean or deviation.
    #[error("the card's preprocess is wrong: {0}")]
    Preprocess(#[from] PreprocessError),
    /// The region.
    #[error("the card's region is wrong: {0}")]
    Region(#[from] RegionError),
    /// The patches.
    #[error("the card's patches are wrong: {0}")]
    Patches(#[from] PatchesError),
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
    pub const FORMAT: u32 = 1;
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

    /// Refuses a card of another format, whatever else it holds.
    pub(super) fn check_format(json: &str) -> Result<(), CardError> {
        #[derive(Deserialize)]
        struct Probe {
            format: u64,
        }
        if json.len() > Self::MAX_BYTES {
            return Err(CardError::TooLong { bytes: json.len() });
        }
        match serde_json::from_str::<Probe>(json)?.format {
            0 => Err(CardError::Format),
            found if found > u64::from(Self::FORMAT) => Err(CardError::Newer { found }),
            _ => Ok(()),
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

    /// The place of an attribute.
    ///
    /// # Errors
    /// A name that the model does not know, with the nearest that it does.
    pub fn find(&self, name: &str) -> Result<usize, UnknownAttribute> {
        find(&self.names(), name)
    }

    /// The square that ANet sees of a located box: a face's region, or all of the picture where the model looks at whole pictures.
    ///
    /// # Errors
    /// A box without an inside.
    pub fn region_of_box(&self, rect: Rect) -> Result<Rect, RegionError> {
        match self.localisation {
            Localisation::Whole => Region::around(rect),
            _ => self.region.of_box(rect),
        }
    }

    /// Refuses a card that no model can have.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), CardError> {
        match self.format {
            0 => return Err(CardError::Format),
            found if found > Self::FORMAT => return Err(CardError::Newer { found: found.into() }),
            _ => {}
        }
        self.check_texts()?;
        self.preprocess.check()?;
        self.region.check()?;
        self.patches.check()?;
        self.localisation.check()?;
        let patches = self.patches.count() as u64;
        for (net, spec, items) in [
            ("lnet_o", &self.lnet_o, Self::REGIONS),
            ("lnet_s", &self.lnet_s, Self::REGIONS),
            ("anet", &self.anet, patches),
        ] {
            let checked = spec.check().map_err(|reason| CardError::Net { net, reason })?;
            let values = largest(checked.layers()).max(checked.input().elements() as u64);
            if values.saturating_mul(items) > Self::MAX_VALUES || checked.multiply_adds() > Self::MAX_WORK {
                return Err(CardError::Heavy { net });
            }
        }
        Cells::of_net(&self.lnet_o)?;
        Cells::of_net(&self.lnet_s)?;
        let (input, size) = (self.anet.input, self.patches.size);
        if (input.channels, input.height, input.width) != (3, size as usize, size as usize) {
            return Err(CardError::Input { input, size });
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
