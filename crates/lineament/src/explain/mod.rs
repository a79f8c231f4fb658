//! What an answer rests on: which FC neurons of ANet spoke for or against an attribute, and which parts of the face.
//!
//! An attribute's score is linear in ANet's FC vector, so that each neuron's part in it is known exactly ([`NeuronShare`]).
//! The parts come from what the score loses when a part is hidden or, if asked for, from an LNet whose last convolution has a
//! channel for each attribute, slid over the face ([`MapSource`]). Both show what the model looked at; neither shows why a
//! face has an attribute, nor that it has.
//!
//! ```no_run
//! use lineament::Tagger;
//! use lineament::explain::ExplainOptions;
//!
//! let tagger = Tagger::embedded()?;
//! for face in tagger.locate("party.jpg")? {
//!     for explanation in tagger.explain("party.jpg", &face, &ExplainOptions::default())? {
//!         println!("{}: {:?} in {:?}", explanation.name, explanation.neurons.strongest, explanation.region);
//!     }
//! }
//! # Ok::<(), lineament::Error>(())
//! ```

mod neurons;
mod regions;

pub use neurons::{Contribution, NeuronShare};
pub use regions::MapSource;

use std::sync::Arc;

use serde::Serialize;

use crate::attributes::{Anet, DescribeError, LinearSvms, RegionError};
use crate::bundle::{Card, Parts};
use crate::crop::crop;
use crate::engine::{Engine, EngineError};
use crate::geometry::{Point, Rect};
use crate::locate::{Cells, Face, LocateError, ResponseError, ResponseMap};
use crate::photo::Photo;
use crate::prediction::{bounding_box, four_decimals, text};
use crate::selection::Reader;
use regions::AttributeHead;

/// Why a face cannot be explained.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExplainError {
    /// A bundle that describes faces in another way.
    #[error("only models that describe faces with ANet can be explained: this one does not")]
    NoAnet,
    /// The LNet with attribute channels.
    #[error("the bundle's LNet does not fit: {0}")]
    Net(#[from] EngineError),
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
}

/// How a face is explained; which attributes, and at which thresholds, is the tagger's selection.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainOptions {
    /// Neurons named for each attribute; more than there are means all.
    pub neurons: usize,
    /// Where maps come from. [`MapSource::Responses`] of a bundle whose LNet has no channels for attributes falls back to
    /// [`MapSource::Hidden`]; each explanation says which it got.
    pub source: MapSource,
}

impl Default for ExplainOptions {
    /// Five neurons each.
    fn default() -> Self {
        Self { neurons: 5, source: MapSource::default() }
    }
}

/// One attribute of one face, explained. Serialized, it has all but the map, with numbers rounded as in a
/// [`Prediction`](crate::Prediction).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Explanation {
    /// The attribute.
    #[serde(serialize_with = "text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub name: Arc<str>,
    /// Whether the score exceeds the threshold.
    #[serde(rename = "value")]
    pub present: bool,
    /// How likely the label is, 0 to 1.
    #[serde(serialize_with = "four_decimals")]
    #[cfg_attr(feature = "openapi", schema(value_type = f64, minimum = 0, maximum = 1))]
    pub probability: f32,
    /// The raw score that the answer is read from.
    pub score: f32,
    /// The part of the map around its peak where it is above half of its rise, in pixels of the image.
    #[serde(serialize_with = "bounding_box")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::prediction::BoundingBox))]
    pub region: Rect,
    /// Where the map comes from.
    #[serde(rename = "region_from")]
    pub source: MapSource,
    /// The FC neurons that contributed most.
    #[serde(flatten)]
    pub neurons: NeuronShare,
    /// How strongly each part of the face speaks for the attribute, in pixels of the image.
    #[serde(skip)]
    pub map: ResponseMap,
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

/// What explaining needs beside the nets that answer, which it shares with them.
pub(crate) struct Explainer {
    anet: Arc<Anet>,
    head: Option<AttributeHead>,
}

impl Explainer {
    /// For answers of this ANet.
    ///
    /// # Errors
    /// An LNet with channels for attributes that the engine refuses.
    pub(crate) fn new(
        card: &Card,
        parts: &Parts,
        engine: &Engine,
        anet: Arc<Anet>,
    ) -> Result<Self, ExplainError> {
        Ok(Self { anet, head: AttributeHead::of(card, parts, engine)? })
    }

    /// The selected attributes of a face.
    ///
    /// # Errors
    /// A box without an inside.
    pub(crate) fn explain(
        &self,
        card: &Card,
        svms: &LinearSvms,
        selected: &Reader,
        photo: &Photo,
        face: &Face,
        options: &ExplainOptions,
    ) -> Result<Vec<Explanation>, ExplainError> {
        let region = card.face_region(face)?;
        let drawn = self.anet.draw(photo, &region)?;
        let vector = self.anet.vector_of_drawn(&drawn)?;
        let scores = svms.scores(&vector).map_err(DescribeError::from)?;
        if let Some(index) = scores.iter().position(|score| !score.is_finite()) {
            return Err(DescribeError::NotFinite(index).into());
        }
        let chosen: Vec<usize> = selected.indices().collect();
        let head = self.head.as_ref().filter(|_| options.source == MapSource::Responses);
        let (maps, source) = match head {
            Some(head) => {
                let upright = card.upright_box(face.rect, face.roll);
                (head.maps(photo, upright, face.roll, &chosen)?, MapSource::Responses)
            }
            None => {
                let square = region.region().ok_or(DescribeError::NeedsRegion)?;
                let maps = regions::hidden(&self.anet, svms, &drawn, square, &scores, &chosen)?;
                (maps, MapSource::Hidden)
            }
        };
        // Both know the face upright.
        let maps = maps.into_iter().map(|map| match face.roll {
            Some(roll) if roll != 0.0 => map.turned(roll),
            _ => map,
        });
        let each =
            selected.scored(card, &scores).zip(maps).filter_map(|((index, card, score, answer), map)| {
                let weight = svms.weight().chunks_exact(svms.features()).nth(index)?;
                let bias = svms.bias().get(index)?;
                let present = |score| selected.is_present(card, score);
                Some(Explanation {
                    name: answer.name,
                    present: answer.present,
                    probability: answer.probability,
                    score,
                    neurons: NeuronShare::of(weight, *bias, &vector, options.neurons, present),
                    region: regions::around_peak(&map),
                    map,
                    source,
                })
            });
        Ok(each.collect())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
