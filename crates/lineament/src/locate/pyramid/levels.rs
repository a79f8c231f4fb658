//! The sizes in which a photo is looked at, and the lattice of windows over each.
//!
//! Levels lie at fixed scales: those at which faces of so many pixels, times a whole power of the step, fill the window as
//! training faces do. A search for smaller faces sees all that a search for larger ones sees, and more.

use std::ops::Range;

use super::classifier::Classifier;
use super::parameters::PyramidParameters;
use super::window::Window;
use crate::geometry::{Point, Rect};
use crate::photo::Photo;

/// Height of the faces that one of the levels is for, in pixels of the photo; the others follow by the step.
pub(crate) const FACE: f64 = 24.0;
/// The most sides of the photo's shorter side that a window may have. A face in a window that is larger would be cut down to
/// a strip, and photos a few pixels wide would cost as much as if they were as wide as a window.
pub(crate) const STRIP: f64 = 4.0;

/// A photo at one size, and the windows over it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Level {
    /// Pixels of the level to one of the photo.
    pub(super) scale: f64,
    /// Upper left corner of the first window, in pixels of the photo.
    origin: [f64; 2],
    /// Windows in a row.
    pub(super) columns: usize,
    /// Windows in a column.
    pub(super) rows: usize,
    window: u32,
    stride: u32,
}

impl Level {
    /// The levels of a photo for faces from `smallest` pixels on, finest first. None where the photo is too small for a face
    /// of that size.
    pub(super) fn of(photo: &Photo, smallest: f32, net: &Classifier, p: &PyramidParameters) -> Vec<Self> {
        let sides = [photo.width(), photo.height()].map(f64::from);
        let [shorter, longer] = [sides[0].min(sides[1]), sides[0].max(sides[1])];
        let (step, margin) = (f64::from(p.step), f64::from(p.margin));
        // The nearest level: a net answers for faces of half a step more or less anyway.
        let finest = ((f64::from(smallest) / FACE).ln() / step.ln()).round() as i32;
        // Half a step more than all of the photo and its margins: a face that is cut by all four edges is larger than the photo.
        let most = (longer * (1.0 + 2.0 * margin) * step.sqrt()).min(STRIP * shorter);
        (finest..)
            .map(|power| FACE * step.powi(power) / f64::from(p.face.height))
            .take_while(|side| *side <= most)
            .map(|side| Self::new(sides, side, margin, net))
            .collect()
    }

    /// The level in which windows of `side` pixels of the photo fill the net's input, in the middle of photo and margins.
    fn new(sides: [f64; 2], side: f64, margin: f64, net: &Classifier) -> Self {
        let scale = f64::from(net.window) / side;
        let windows = |length: f64| {
            let spare = (length + 2.0 * margin * side) * scale - f64::from(net.window);
            rounded(1 + (spare / f64::from(net.stride)).max(0.0) as usize)
        };
        let [columns, rows] = sides.map(windows);
        let first = |length: f64, windows: usize| (length - f64::from(net.pixels(windows)) / scale) / 2.0;
        let origin = [first(sides[0], columns), first(sides[1], rows)];
        Self { scale, origin, columns, rows, window: net.window, stride: net.stride }
    }

    /// One window over all of a photo.
    pub(super) fn whole(photo: &Photo, net: &Classifier) -> Self {
        let sides = [photo.width(), photo.height()].map(f64::from);
        Self::new(sides, sides[0].max(sides[1]), 0.0, net)
    }

    /// Side of its windows, in pixels of the photo.
    pub(super) fn side(&self) -> f32 {
        (f64::from(self.window) / self.scale) as f32
    }

    /// Whether a window reaches no farther beyond the photo than `margin`, in its sides, or than it has to. Lattices are
    /// somewhat larger than that.
    pub(super) fn is_wanted(window: &Window, photo: &Photo, margin: f32) -> bool {
        let rect = window.rect();
        let within = |low: f32, high: f32, length: u32| {
            let length = length as f32;
            // A hundredth of the side for rounding.
            let most = (margin * window.side).max((window.side - length) / 2.0) + 0.01 * window.side;
            (-low).max(high - length) <= most
        };
        within(rect.x, rect.right(), photo.width()) && within(rect.y, rect.bottom(), photo.height())
    }

    /// A point of the level, counted from the corner of its first window, in pixels of the photo.
    pub(super) fn in_photo(&self, x: f64, y: f64) -> Point {
        let [left, top] = self.origin;
        Point::new((left + x / self.scale) as f32, (top + y / self.scale) as f32)
    }

    /// Its windows in tiles of `most` by `most` at most, and of about the same size.
    pub(super) fn tiles(&self, most: usize) -> impl Iterator<Item = Tile> + use<> {
        let parts = move |windows: usize| {
            let most = most.max(1);
            let each = rounded(windows.div_ceil(windows.div_ceil(most))).min(most);
            (0..windows).step_by(each).map(move |first| first..windows.min(first + each))
        };
        let columns = self.columns;
        parts(self.rows)
            .flat_map(move |rows| parts(columns).map(move |columns| Tile { columns, rows: rows.clone() }))
    }

    /// What the windows of a tile cover, in pixels of the photo.
    pub(super) fn seen(&self, tile: &Tile) -> Rect {
        let from = |at: usize| at as f64 * f64::from(self.stride);
        let Point { x, y } = self.in_photo(from(tile.columns.start), from(tile.rows.start));
        let length =
            |windows: usize| ((f64::from(self.window) + from(windows.saturating_sub(1))) / self.scale) as f32;
        Rect::new(x, y, length(tile.columns.len()), length(tile.rows.len()))
    }
}

/// No less than so many windows, and of few numbers: a net lists the work for each shape that it is shown, which takes half as
/// long as the work.
fn rounded(windows: usize) -> usize {
    windows.next_multiple_of(match windows {
        ..13 => 1,
        13..33 => 2,
        _ => 4,
    })
}

/// Some neighbouring windows of a level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tile {
    pub(super) columns: Range<usize>,
    pub(super) rows: Range<usize>,
}
