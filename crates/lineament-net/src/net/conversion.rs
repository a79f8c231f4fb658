//! The way from callers' planes (channels outermost) to maps (channels innermost), and back: by all threads where it is long.

use std::iter;
use std::ops::Range;

use super::layout::At;
use super::work::{Unit, evenly, parts};
use crate::Shape;
use crate::kernel::isa::Isa;
use crate::kernel::transpose::{to_pixels, to_planes};
use crate::scheduler::{Schedule, Steps};

/// Values that are worth a unit of their own: some dozen microseconds.
const VALUES: usize = 64 << 10;
/// Neighbouring channels that are brought out together at least: whole lines of the cache.
const CHANNELS: usize = 16;

/// Units of the input's rows, counted through all items; none where one thread does it as fast.
pub(super) fn inward(to: At, items: usize) -> Option<Vec<Unit>> {
    let height = to.shape.height;
    let count = (items * to.shape.elements()).div_ceil(VALUES);
    let unit = |rows: Range<usize>| Unit {
        start: to.pixel(rows.start / height, 0, rows.start % height, 0),
        first: rows.start,
        end: rows.end,
    };
    (count > 1).then(|| parts(items * height, evenly(count)).map(unit).collect())
}

/// Brings some rows of the input, counted through all items, to their places in `map`, which is what follows `base` of the whole map.
pub(super) fn bring(isa: Isa, to: At, rows: Range<usize>, input: &[f32], (map, base): (&mut [f32], usize)) {
    let Shape { channels, height, width } = to.shape;
    let mut next = rows.start;
    while next < rows.end {
        let (item, row) = (next / height, next % height);
        // Rows that nothing stands between are one run of pixels.
        let together = if to.padding == 0 { (height - row).min(rows.end - next) } else { 1 };
        let count = together * width;
        let planes = &input[item * to.shape.elements() + row * width..];
        let line = &mut map[to.pixel(item, 0, row, 0) - base..][..count * channels];
        to_pixels(isa, (planes, height * width), [channels, count], line);
        next += together;
    }
}

/// How the output is cut into planes that go out together.
#[derive(Debug)]
pub(crate) struct OutputPlanes {
    /// Neighbouring channels, counted through all items.
    units: Vec<Range<usize>>,
    pub(super) schedule: Schedule,
}

impl OutputPlanes {
    pub(super) fn new(from: At, items: usize) -> Self {
        let Shape { channels, height, width } = from.shape;
        let count = (from.shape.elements().div_ceil(VALUES)).min(channels / CHANNELS).max(1);
        let of_item = |item: usize| {
            let blocks = parts(channels.div_ceil(CHANNELS), evenly(count));
            blocks.map(move |blocks| {
                let end = channels.min(blocks.end * CHANNELS);
                item * channels + blocks.start * CHANNELS..item * channels + end
            })
        };
        // Short ways are one thread's.
        let units: Vec<Range<usize>> = if items * from.shape.elements() > VALUES {
            (0..items).flat_map(of_item).collect()
        } else {
            iter::once(0..items * channels).collect()
        };
        let starts = units.iter().map(|unit| unit.start * height * width).collect();
        let whole = 0..items * from.shape.elements();
        Self { units, schedule: Schedule::new(iter::once(([0..0, whole], starts))) }
    }
}

/// The output on its way out of the arena.
pub(super) struct Outward<'a> {
    pub(super) isa: Isa,
    pub(super) planes: &'a OutputPlanes,
    pub(super) from: At,
    pub(super) arena: &'a [f32],
}

impl Steps for Outward<'_> {
    fn begin(&self, _: &mut [f32]) {}

    fn prepare(&self, _: usize, _: &mut [f32]) {}

    fn unit(&self, _: usize, unit: usize, _: &[f32], output: &mut [f32]) {
        let Shape { channels, height, width } = self.from.shape;
        let map = &self.arena[self.from.offset..];
        let plane = height * width;
        let (mut next, end) = (self.planes.units[unit].start, self.planes.units[unit].end);
        let mut output = output;
        while next < end {
            let (item, first) = (next / channels, next % channels);
            let own = (channels - first).min(end - next);
            let (planes, behind) = output.split_at_mut(own * plane);
            let together = if self.from.padding == 0 { height } else { 1 };
            for row in (0..height).step_by(together.max(1)) {
                let count = together * width;
                let pixels = &map[self.from.pixel(item, 0, row, 0) + first..];
                to_planes(self.isa, (pixels, channels), [own, count], (&mut planes[row * width..], plane));
            }
            (output, next) = (behind, next + own);
        }
    }
}
