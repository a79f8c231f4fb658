//! Nets that pool and do nothing else: their maps stay planes, as callers hold them.

use std::iter;
use std::ops::Range;

use super::plan::{Plan, Step};
use super::work::{evenly, parts};
use crate::Shape;
use crate::kernel::isa::Isa;
use crate::kernel::pooling::Pooling;
use crate::kernel::pooling_planes;
use crate::kernel::window::Window;
use crate::scheduler::{Schedule, Steps};

/// Values of planes that are worth a unit of their own.
const VALUES: usize = 32 << 10;

/// A pooling of so many planes, cut into units.
#[derive(Debug)]
pub(crate) struct Planes {
    pooling: Pooling,
    window: Window,
    /// One plane.
    shape: Shape,
    units: Vec<Range<usize>>,
    /// Where the units' outputs lie.
    pub(crate) schedule: Schedule,
}

impl Planes {
    /// Of `items` inputs of shape `input`, if that is all that the plan asks for.
    pub(crate) fn new(plan: &Plan, input: Shape, items: usize) -> Option<Self> {
        let [Step::Pool { pooling, window, .. }] = plan.steps.as_slice() else { return None };
        let (pooling, window, shape) = (*pooling, *window, Shape { channels: 1, ..input });
        if !pooling_planes::suits(window, shape) {
            return None;
        }
        let planes = items.checked_mul(input.channels)?;
        let values = planes.checked_mul(shape.elements())?;
        let units: Vec<Range<usize>> = parts(planes, evenly(values.div_ceil(VALUES))).collect();
        let each = window.slide(shape).elements();
        let starts = units.iter().map(|unit| unit.start * each).collect();
        let schedule = Schedule::new(iter::once(([0..0, 0..planes * each], starts)));
        Some(Self { pooling, window, shape, units, schedule })
    }
}

/// Planes on their way.
pub(crate) struct Pass<'a> {
    pub(crate) planes: &'a Planes,
    pub(crate) isa: Isa,
    pub(crate) input: &'a [f32],
}

impl Steps for Pass<'_> {
    fn begin(&self, _: &mut [f32]) {}

    fn prepare(&self, _: usize, _: &mut [f32]) {}

    fn unit(&self, _: usize, unit: usize, _: &[f32], output: &mut [f32]) {
        let Planes { pooling, window, shape, ref units, .. } = *self.planes;
        let (each, unit) = (shape.elements(), &units[unit]);
        let planes = &self.input[unit.start * each..unit.end * each];
        pooling_planes::pool(self.isa, pooling, window, (planes, shape), output);
    }
}
