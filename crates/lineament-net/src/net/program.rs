//! A plan for inputs of one shape: its maps laid out, its work cut into units (`work.rs`).

use std::ops::Range;

use super::conversion::{self, OutputPlanes};
use super::layout::{At, Layout};
use super::plan::Plan;
use super::tiled::{self, Tiled};
use super::work::{self, Work};
use crate::Shape;
use crate::scheduler::Schedule;

/// The most values of a step's transforms that are not laid over those of other steps.
const OWN: usize = 64 << 10;
/// The most values of an arena (1 GiB). Windows are listed beside it, so an input may be far smaller than that and still cost as much.
pub(crate) const MOST: usize = 1 << 28;

/// A plan for a group of items of one shape.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) items: usize,
    pub(crate) layout: Layout,
    /// Values of the arena: the maps, and behind them what steps need for themselves.
    pub(crate) len: usize,
    /// In the plan's order; most steps are one of them.
    pub(crate) stages: Vec<Stage>,
    /// What the units of each stage read and write.
    pub(crate) schedule: Schedule,
    /// How the output leaves the arena.
    pub(crate) planes: OutputPlanes,
}

/// A step of the plan, or a part of it that has to be done by all threads before the next begins.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) step: usize,
    /// Whether it is what writes the step's output.
    pub(crate) writes_map: bool,
    pub(crate) work: Work,
}

impl Program {
    /// `None` when it would need more memory than there can be.
    pub(crate) fn new(plan: &Plan, input: Shape, items: usize) -> Option<Self> {
        let layout = Layout::new(plan, input, items, MOST)?;
        let (mut stages, mut parts, mut len) = (Vec::new(), Vec::new(), layout.len);
        if let Some(units) = conversion::inward(layout.input, items) {
            let start = layout.input.offset;
            let written = start..start + items * layout.input.item();
            let starts = units.iter().map(|unit| start + unit.start).collect();
            parts.push(([start..start, written], starts));
            stages.push(Stage { step: 0, writes_map: false, work: Work::Inward { units } });
        }
        for (index, (step, ends)) in plan.steps.iter().zip(&layout.ends).enumerate() {
            let stretch = |at: At| at.offset..at.offset + at.value(items * at.item());
            let written = stretch(ends.output);
            let mut stage = |work: Work, read: Range<usize>, written: Range<usize>, to: Option<At>| {
                let value = |start| to.map_or(start, |at| at.value(start));
                let starts = work.units().iter().map(|unit| written.start + value(unit.start)).collect();
                parts.push(([read, written], starts));
                stages.push(Stage { step: index, writes_map: to.is_some(), work });
            };
            // A step in place has nothing else to read.
            let in_place = ends.input.offset == ends.output.offset;
            let read = if in_place { written.start..written.start } else { stretch(ends.input) };
            match tiled::of(step, ends, items) {
                Some(Tiled::Staged { works: [input, products, output], values: [wide, deep] }) => {
                    // Small transforms have memory of their own: each thread then finds what it wrote in an earlier pass in its cache.
                    let start = if wide + deep <= OWN { len } else { layout.len };
                    let transformed = start..start + wide;
                    let multiplied = transformed.end..transformed.end + deep;
                    len = len.max(multiplied.end);
                    stage(input, read, transformed.clone(), None);
                    stage(products, transformed, multiplied.clone(), None);
                    stage(output, multiplied, written, Some(ends.output));
                }
                Some(Tiled::Fused(work)) => stage(work, read, written, Some(ends.output)),
                None => match work::staged(step, ends, items) {
                    Some(([products, join], values)) => {
                        let parts = len..len + values;
                        len = parts.end;
                        stage(products, read, parts.clone(), None);
                        stage(join, parts, written, Some(ends.output));
                    }
                    None => stage(work::of(step, ends, items), read, written, Some(ends.output)),
                },
            }
        }
        let planes = OutputPlanes::new(layout.output, items);
        Some(Self { items, layout, len, stages, schedule: Schedule::new(parts.into_iter()), planes })
    }

    /// Whether its first stage brings the input to its place.
    pub(crate) fn brings_input(&self) -> bool {
        matches!(self.stages.first(), Some(Stage { work: Work::Inward { .. }, .. }))
    }
}
