//! The largest number of each window.

use rayon::prelude::*;

use super::{Meter, Result};
use crate::error::OnnxError;
use crate::proto::RawNode;
use crate::value::Array;

/// Windows of a map: rows and columns.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MaxPool {
    kernel: [usize; 2],
    strides: [usize; 2],
    /// Above, left, below, right.
    pads: [usize; 4],
    /// Whether windows that begin inside of the map and end outside count.
    ceil: bool,
}

impl MaxPool {
    pub(crate) fn of(node: &RawNode) -> std::result::Result<Self, OnnxError> {
        let padding = node.text("auto_pad", "NOTSET");
        if padding != "NOTSET" || node.sizes::<2>("dilations", 1, 1)? != [1, 1] {
            return Err(OnnxError::unsupported(format!("{} is dilated or padded by itself", node.label())));
        }
        let kernel = node.sizes("kernel_shape", 1, 1)?;
        let pads: [usize; 4] = node.sizes("pads", 0, 0)?;
        // So that every window has a number of the map in it.
        let [above, left, below, right] = pads;
        let [high, wide] = kernel;
        if above.max(below) >= high || left.max(right) >= wide {
            return Err(OnnxError::unsupported(format!("{} has pads as large as its kernel", node.label())));
        }
        Ok(Self { kernel, strides: node.sizes("strides", 1, 1)?, pads, ceil: node.int("ceil_mode", 0) != 0 })
    }

    pub(super) fn run(&self, input: &Array<f32>, meter: &mut Meter) -> Result<Array<f32>> {
        let &[items, channels, height, width] = input.shape.as_slice() else {
            return Err(format!("{:?} is no batch of maps", input.shape).into());
        };
        let [above, left, below, right] = self.pads;
        let rows = self.windows(height, above, below, 0);
        let columns = self.windows(width, left, right, 1);
        let (Some(rows), Some(columns)) = (rows, columns) else {
            return Err(format!("its windows are larger than the map of {height} x {width}").into());
        };
        let shape = vec![items, channels, rows, columns];
        let mut values = vec![0.0; meter.hold(&shape)?];
        let [high, wide] = self.kernel;
        meter.spend((values.len() as u64).saturating_mul((high * wide) as u64))?;
        let range = |at: usize, stride: usize, pad: usize, kernel: usize, side: usize| {
            let from = at * stride;
            from.saturating_sub(pad).min(side)..(from + kernel).saturating_sub(pad).min(side)
        };
        let plane = (rows * columns).max(1);
        values.par_chunks_mut(plane).zip(input.data.par_chunks((height * width).max(1))).for_each(
            |(pooled, map)| {
                for (row, pooled) in pooled.chunks_mut(columns).enumerate() {
                    let lines = range(row, self.strides[0], above, high, height);
                    for (column, value) in pooled.iter_mut().enumerate() {
                        let across = range(column, self.strides[1], left, wide, width);
                        let windows =
                            lines.clone().filter_map(|line| map.get(line * width..)?.get(across.clone()));
                        *value = windows.flatten().copied().fold(f32::NEG_INFINITY, f32::max);
                    }
                }
            },
        );
        Ok(Array::new(shape, values))
    }

    fn windows(&self, side: usize, before: usize, behind: usize, axis: usize) -> Option<usize> {
        let (kernel, stride) = (self.kernel[axis], self.strides[axis]);
        let room = (side + before + behind).checked_sub(kernel)?;
        if side == 0 {
            return None;
        }
        let windows = if self.ceil { room.div_ceil(stride) } else { room / stride } + 1;
        // None begins behind the map.
        Some(if (windows - 1) * stride >= side + before { windows - 1 } else { windows })
    }
}
