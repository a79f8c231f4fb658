//! What an answer rests on: which FC neurons of ANet spoke for or against an attribute, and which places of the face.
//!
//! An attribute's score is linear in ANet's FC vector, so that each neuron's part in it is known exactly ([`neurons`]).
//! The places come from what the score loses when a place is hidden or, if asked for, from an LNet whose last convolution has
//! a channel for each attribute, slid over the face ([`regions`]). Both tell what the model looked at; neither says why a
//! face has an attribute, nor that it has.
//!
//! ```no_run
//! use lineament::explain::{ExplainOptions, Explainer};
//! use lineament::{Bundle, Engine, Limits, Photo, Tagger};
//! use std::path::Path;
//!
//! let bundle = Bundle::open(Path::new("faces.lineament"))?;
//! let explainer = Explainer::new(&bundle, &Engine::Native)?;
//! let tagger = Tagger::new(bundle)?;
//! let photo = Photo::open(Path::new("party.jpg"), &Limits::default())?;
//! for face in tagger.locate(&photo)? {
//!     for told in explainer.explain(&photo, face.rect, &ExplainOptions::default())? {
//!         let name = &tagger.card().attributes[told.attribute.index].name;
//!         println!("{name}: {:?} in {:?}", told.neurons.strongest, told.region);
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod neurons;
pub mod regions;

pub use neurons::{Contribution, NeuronShare};
pub use regions::MapSource;

use crate::attributes::{Anet, AnetError, Attribute, DescribeError, LinearSvms, OperatingPoint, RegionError};
use crate::bundle::{Bundle, Card};
use crate::crop::crop;
use crate::engine::{Engine, EngineError};
use crate::geometry::{Point, Rect};
use crate::locate::{Cells, LocateError, ResponseError, ResponseMap};
use crate::photo::Photo;
use regions::AttributeHead;

/// Why a face cannot be explained, or an explainer not be made.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// A bundle that describes faces in another way.
    #[error("only models that describe faces with ANet can be explained: this one does not")]
    NoAnet,
    /// The LNet with attribute channels.
    #[error("the bundle's LNet does not fit: {0}")]
    Net(#[from] EngineError),
    /// ANet and its SVMs.
    #[error("the bundle does not fit together: {0}")]
    Anet(#[from] AnetError),
    /// A face box that gives no region.
    #[error(transparent)]
    Region(#[from] RegionError),
    /// ANet on the face.
    #[error("the face cannot be described: {0}")]
    Describe(#[from] DescribeError),
    /// The LNet on the face.
    #[error("the attributes cannot be placed: {0}")]
    Locate(#[from] LocateError),
    /// A map that is none.
    #[error("the attributes cannot be placed: {0}")]
    Response(#[from] ResponseError),
    /// A place of an attribute beyond the card.
    #[error("there is no attribute {index}; the model has {attributes}, counted from 0")]
    Attribute {
        /// The place asked for.
        index: usize,
        /// How many there are.
        attributes: usize,
    },
}

/// What is told about a face.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainOptions {
    /// Places of the attributes in the card, in the order wanted; `None` is all.
    pub attributes: Option<Vec<usize>>,
    /// Neurons named for each attribute; more than there are means all.
    pub neurons: usize,
    /// What answers are read at.
    pub point: OperatingPoint,
    /// Where maps come from. [`MapSource::Responses`] of a bundle whose LNet has no channels for attributes falls back to
    /// [`MapSource::Hidden`]; each explanation says which it got.
    pub source: MapSource,
}

impl Default for ExplainOptions {
    /// All attributes, five neurons each.
    fn default() -> Self {
        Self { attributes: None, neurons: 5, point: OperatingPoint::default(), source: MapSource::default() }
    }
}

/// One attribute of one face, explained.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The answer, as [`crate::Tagger`] gives it.
    pub attribute: Attribute,
    /// The raw score that it is read from.
    pub score: f32,
    /// What the neurons said.
    pub neurons: NeuronShare,
    /// How strongly each place of the face speaks for the attribute, in pixels of the photo.
    pub map: ResponseMap,
    /// The part of the map around its peak where it is above half of its rise, in pixels of the photo.
    pub region: Rect,
    /// Where the map comes from.
    pub source: MapSource,
}

impl Explanation {
    /// The part of the photo that the map is about, with the map over it; `opacity` 0 shows the photo alone, 1 the map alone.
    pub fn over(&self, photo: &Photo, opacity: f32) -> Photo {
        let extent = self.map.extent();
        let pixels = |side: f32| (side.round() as u32).clamp(128, 512);
        let (width, height) = (pixels(extent.width), pixels(extent.height));
        let shown = crop(photo, extent, width, height);
        let (sx, sy) = (width as f32 / extent.width, height as f32 / extent.height);
        let Cells { origin, stride } = self.map.cells();
        let cells = Cells {
            origin: Point::new((origin.x - extent.x) * sx, (origin.y - extent.y) * sy),
            stride: Point::new(stride.x * sx, stride.y * sy),
        };
        self.map.clone().on(cells).over(&shown, opacity)
    }
}

/// Explains faces with the nets of one bundle. It can be shared between threads and gives the same on any number of them.
pub struct Explainer {
    card: Card,
    anet: Anet,
    svms: LinearSvms,
    head: Option<AttributeHead>,
}

impl Explainer {
    /// An explainer of a bundle's answers, with nets that run on the given engine.
    ///
    /// # Errors
    /// Nets that do not fit together, or that the engine refuses.
    pub fn new(bundle: &Bundle, engine: &Engine) -> Result<Self, ExplainError> {
        let (card, parts) = (bundle.card().clone(), bundle.parts());
        let (Some(look), Some(weights)) = (card.anet(), parts.net("anet")) else {
            return Err(ExplainError::NoAnet);
        };
        let anet = Anet::on(engine, &look.anet, weights, card.preprocess, look.patches.clone())?;
        let head = AttributeHead::of(&card, parts, engine)?;
        Ok(Self { card, anet, svms: parts.svms.clone(), head })
    }

    /// The attributes of the face in the box `face` (in pixels of the photo), in the order asked for.
    ///
    /// # Errors
    /// A box without an inside, or an attribute that the card does not have.
    pub fn explain(
        &self,
        photo: &Photo,
        face: Rect,
        options: &ExplainOptions,
    ) -> Result<Vec<Explanation>, ExplainError> {
        let attributes = self.card.attributes.len();
        let chosen = options.attributes.clone().unwrap_or_else(|| (0..attributes).collect());
        if let Some(&index) = chosen.iter().find(|&&index| index >= attributes) {
            return Err(ExplainError::Attribute { index, attributes });
        }
        let region = self.card.describer.region_of_box(face)?;
        let vector = self.anet.vector(photo, region)?;
        let scores = self.svms.scores(&vector).map_err(DescribeError::from)?;
        if let Some(index) = scores.iter().position(|score| !score.is_finite()) {
            return Err(DescribeError::NotFinite(index).into());
        }
        let head = self.head.as_ref().filter(|_| options.source == MapSource::Responses);
        let (maps, source) = match head {
            Some(head) => (head.maps(photo, face, &chosen)?, MapSource::Responses),
            None => {
                let maps = regions::hidden(&self.anet, &self.svms, photo, region, &scores, &chosen)?;
                (maps, MapSource::Hidden)
            }
        };
        let each = chosen.into_iter().zip(maps).filter_map(|(index, map)| {
            let (card, &score) = (self.card.attributes.get(index)?, scores.get(index)?);
            let weight = self.svms.weight().chunks_exact(self.svms.features()).nth(index)?;
            let bias = self.svms.bias().get(index)?;
            let threshold = card.thresholds.at(options.point);
            Some(Explanation {
                attribute: card.read(index, score, options.point),
                score,
                neurons: NeuronShare::of(weight, *bias, &vector, threshold, options.neurons),
                region: regions::around_peak(&map),
                map,
                source,
            })
        });
        Ok(each.collect())
    }
}

impl std::fmt::Debug for Explainer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Explainer({} {})", self.card.name, self.card.version)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
