//! Which parts of a face speak for an attribute (paper, section 4: LNet's attribute outputs made convolutional).

use super::ExplainError;
use crate::attributes::{Anet, LinearSvms};
use crate::bundle::{Card, Parts};
use crate::engine::Engine;
use crate::geometry::{Point, Rect};
use crate::locate::pyramid::{Response, Window};
use crate::locate::{Cells, LNet, LnetMethod, LocateError, ResponseMap, WindowToBox};
use crate::photo::Photo;
use rayon::prelude::*;
use serde::Serialize;

/// How much larger than in training the face is shown to the LNet, so that a window sees a part of it.
const ZOOM: f32 = 2.0;
/// What is shown of the photo, in sides of the window that the LNet would take for the face.
const SHOWN: f32 = 1.5;
/// Squares to a side of the face region that are hidden one after the other.
const GRID: usize = 12;
/// Side of what is hidden, in squares of the grid: neighbours overlap, so that the map is smooth.
const HIDDEN: usize = 2;

/// Where an attribute's map comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum MapSource {
    /// The LNet's own channel for the attribute, slid over the face at twice the size it learnt from.
    Responses,
    /// What the attribute's score loses when a square of the face region is painted in the region's mean colour.
    #[default]
    Hidden,
}

/// An LNet whose channels after those that say where the face is answer for the attributes.
pub(super) struct AttributeHead {
    lnet: LNet,
    face: WindowToBox,
}

impl AttributeHead {
    /// The head of a bundle's LNet_s, where it has one for each attribute; the paper's way keeps
    /// LNets only up to their last convolution, and has none.
    pub(super) fn of(card: &Card, parts: &Parts, engine: &Engine) -> Result<Option<Self>, ExplainError> {
        let (Some(lnets), Some(weights)) = (card.lnets(), parts.net("lnet_s")) else { return Ok(None) };
        let LnetMethod::Pyramid(pyramid) = &lnets.method else { return Ok(None) };
        // Planned a second time only where it answers for attributes.
        let channels = lnets.lnet_s.output().map_err(LocateError::from)?.channels;
        if channels != Response::CHANNELS + card.attributes.len() {
            return Ok(None);
        }
        let lnet = LNet::new(engine.runner(&lnets.lnet_s, weights)?, card.preprocess)?;
        Ok(Some(Self { lnet, face: pyramid.face }))
    }

    /// The maps of some attributes around the box that a face has upright: of what it is when it is turned back by `roll`.
    pub(super) fn maps(
        &self,
        photo: &Photo,
        face: Rect,
        roll: Option<f32>,
        attributes: &[usize],
    ) -> Result<Vec<ResponseMap>, ExplainError> {
        let window = Window::of_face(face, roll.unwrap_or(0.0), &self.face);
        let shown = Window { side: window.side * SHOWN, ..window };
        let pixels = (self.lnet.net().input().width as f32 * SHOWN * ZOOM).round() as u32;
        let output = self.lnet.respond(&[shown.drawn(photo, pixels)])?;
        let cells = self.lnet.cells().seen_in(shown.rect(), pixels, pixels);
        let map =
            |&attribute: &usize| Ok(ResponseMap::channel(&output, 0, Response::CHANNELS + attribute, cells)?);
        attributes.iter().map(map).collect()
    }
}

/// What each attribute's score loses when a part of the region is hidden; `drawn` shows the region upright.
pub(super) fn hidden(
    anet: &Anet,
    svms: &LinearSvms,
    drawn: &Photo,
    region: Rect,
    scores: &[f32],
    attributes: &[usize],
) -> Result<Vec<ResponseMap>, ExplainError> {
    let ground = mean_colour(drawn);
    let without = |index: usize| -> Result<Vec<f32>, ExplainError> {
        let painted = painted(drawn, index % GRID, index / GRID, ground);
        let scores = svms.scores(&anet.vector_of_drawn(&painted)?);
        Ok(scores.map_err(crate::attributes::DescribeError::from)?)
    };
    let without: Vec<Vec<f32>> = (0..GRID * GRID).into_par_iter().map(without).collect::<Result<_, _>>()?;
    let stride = Point::new(region.width / GRID as f32, region.height / GRID as f32);
    let cells = Cells { origin: Point::new(region.x + stride.x / 2.0, region.y + stride.y / 2.0), stride };
    let map = |&attribute: &usize| {
        let at = |scores: &[f32]| scores.get(attribute).copied().unwrap_or(f32::NAN);
        let lost = without.iter().map(|left| at(scores) - at(left)).collect();
        Ok(ResponseMap::new(GRID, GRID, lost, cells)?)
    };
    attributes.iter().map(map).collect()
}

fn mean_colour(photo: &Photo) -> [u8; 3] {
    let mut sums = [0u64; 3];
    for pixel in photo.pixels().chunks_exact(3) {
        sums.iter_mut().zip(pixel).for_each(|(sum, &value)| *sum += u64::from(value));
    }
    let pixels = (photo.pixels().len() as u64 / 3).max(1);
    sums.map(|sum| (sum / pixels) as u8)
}

/// A copy of a drawn region with one square of the grid painted over.
fn painted(drawn: &Photo, column: usize, row: usize, colour: [u8; 3]) -> Photo {
    let mut copy = drawn.clone();
    let (width, height) = (drawn.width() as usize, drawn.height() as usize);
    // Twice the middle of a square, in squares, is odd.
    let edge = |twice: usize, side: usize| twice.min(2 * GRID) * side / (2 * GRID);
    let part = |at: usize, side: usize| {
        edge((2 * at + 1).saturating_sub(HIDDEN), side)..edge(2 * at + 1 + HIDDEN, side)
    };
    let (columns, rows) = (part(column, width), part(row, height));
    for line in copy.pixels_mut().chunks_exact_mut(width * 3).skip(rows.start).take(rows.len()) {
        for pixel in line.chunks_exact_mut(3).skip(columns.start).take(columns.len()) {
            pixel.copy_from_slice(&colour);
        }
    }
    copy
}

/// The rectangle of the cells that hang together with the peak and lie above the middle between the map's mean and its
/// peak.
pub(super) fn around_peak(map: &ResponseMap) -> Rect {
    let (width, height, values) = (map.width(), map.height(), map.values());
    let mean = values.iter().map(|&value| f64::from(value)).sum::<f64>() / values.len() as f64;
    let top = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let least = ((mean + f64::from(top)) / 2.0) as f32;
    let first = values.iter().position(|&value| value == top).unwrap_or(0);
    let mut reached = vec![false; values.len()];
    let mut open = vec![first];
    let (mut left, mut right, mut above, mut below) = (width, 0, height, 0);
    while let Some(at) = open.pop() {
        let inside = values.get(at).is_some_and(|&value| value >= least);
        match reached.get_mut(at) {
            Some(seen) if inside && !*seen => *seen = true,
            _ => continue,
        }
        let (column, row) = (at % width, at / width);
        (left, right) = (left.min(column), right.max(column));
        (above, below) = (above.min(row), below.max(row));
        let sides = [
            (column > 0).then(|| at - 1),
            (column + 1 < width).then(|| at + 1),
            (row > 0).then(|| at - width),
            (row + 1 < height).then(|| at + width),
        ];
        open.extend(sides.into_iter().flatten());
    }
    map.cells().rect(left.min(right)..right + 1, above.min(below)..below + 1)
}
