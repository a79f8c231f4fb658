//! The loops over channels, rows and tiles of outputs, for registers of any kind.
#![allow(unsafe_code)]

use super::{Filters, Rows};
use crate::kernel::simd::vector::{Plain, Vector, activated};
use crate::kernel::window::Window;

/// Outputs of a tile: sums, a weight and what is read of the map fit into sixteen registers.
const WIDE: usize = 8;
/// The same for rows of 7, 14 and 28 outputs, which it leaves nothing over of.
const ODD: usize = 7;
/// For narrow maps.
const NARROW: usize = 4;

/// All channels, in registers `V` where there are enough of them.
///
/// # Safety
/// The processor has the instructions of `V`; windows and outputs were checked ([`Filters::run`]), and there are some.
#[inline(always)]
pub(super) unsafe fn every_width<V: Vector>(filters: &Filters, rows: Rows<'_>) {
    // SAFETY: as the caller promises; there are as many channels as a register has values.
    unsafe {
        if filters.channels >= V::LANES {
            every_window::<V>(filters, rows);
        } else if filters.channels >= Plain::<4>::LANES {
            every_tile::<Plain<4>, 0, 0>(filters, rows);
        } else {
            every_tile::<Plain<1>, 0, 0>(filters, rows);
        }
    }
}

/// # Safety
/// As [`every_width`]; there are [`Vector::LANES`] channels or more.
#[inline(always)]
unsafe fn every_window<V: Vector>(filters: &Filters, rows: Rows<'_>) {
    let Window { kernel, stride, .. } = filters.window;
    // Loops of constant length for windows of today's nets.
    // SAFETY: as the caller promises.
    unsafe {
        match (kernel, stride) {
            (3, 1) => every_tile::<V, 3, 1>(filters, rows),
            (3, 2) => every_tile::<V, 3, 2>(filters, rows),
            (5, 1) => every_tile::<V, 5, 1>(filters, rows),
            (5, 2) => every_tile::<V, 5, 2>(filters, rows),
            _ => every_tile::<V, 0, 0>(filters, rows),
        }
    }
}

/// Kernel and stride are `K` and `S`, or those of the window where these are zero.
///
/// # Safety
/// As [`every_window`].
#[inline(always)]
unsafe fn every_tile<V: Vector, const K: usize, const S: usize>(filters: &Filters, rows: Rows<'_>) {
    // SAFETY: as the caller promises; a row has as many outputs as a tile.
    unsafe {
        match rows.columns {
            columns if columns >= ODD && columns.is_multiple_of(ODD) && !columns.is_multiple_of(WIDE) => {
                every_row::<V, K, S, ODD>(filters, rows);
            }
            columns if columns >= WIDE => every_row::<V, K, S, WIDE>(filters, rows),
            columns if columns >= NARROW => every_row::<V, K, S, NARROW>(filters, rows),
            _ => every_row::<V, K, S, 1>(filters, rows),
        }
    }
}

/// In tiles of `M` outputs.
///
/// # Safety
/// As [`every_window`]; a row has `M` outputs or more.
#[inline(always)]
unsafe fn every_row<V: Vector, const K: usize, const S: usize, const M: usize>(
    filters: &Filters,
    rows: Rows<'_>,
) {
    let Rows { map, map_line, out, out_line, rows, columns } = rows;
    let stride = if S == 0 { filters.window.stride } else { S };
    let channels = filters.channels;
    for first in (0..channels).step_by(V::LANES) {
        // The last channels overlap those before them, as the last tile does, and are computed once more.
        let first = first.min(channels - V::LANES);
        for row in 0..rows {
            for column in (0..columns).step_by(M) {
                let column = column.min(columns - M);
                let from = row * stride * map_line + column * stride * channels + first;
                let to = row * out_line + column * channels + first;
                // SAFETY: the windows of these outputs lie in the map and the outputs in `out`, as was checked for all.
                unsafe {
                    let (from, to) = (map.as_ptr().add(from), out.as_mut_ptr().add(to));
                    tile::<V, K, S, M>(filters, first, (from, map_line), to);
                }
            }
        }
    }
}

/// Channels from `first` on of `M` neighbouring outputs.
///
/// # Safety
/// The processor has the instructions of `V`; the filters have so many channels from `first` on. `M` windows of them lie in the map from `from` on, whose
/// rows are `line` values apart, and their outputs from `to` on may be written.
#[inline(always)]
unsafe fn tile<V: Vector, const K: usize, const S: usize, const M: usize>(
    filters: &Filters,
    first: usize,
    (from, line): (*const f32, usize),
    to: *mut f32,
) {
    let kernel = if K == 0 { filters.window.kernel } else { K };
    let stride = if S == 0 { filters.window.stride } else { S };
    let channels = filters.channels;
    // SAFETY: as the caller promises.
    unsafe {
        let mut sums = [V::load(filters.bias.as_ptr().add(first)); M];
        for y in 0..kernel {
            let from = from.add(y * line);
            for x in 0..kernel {
                let weight = V::load(filters.weight.as_ptr().add((y * kernel + x) * channels + first));
                for (m, sum) in sums.iter_mut().enumerate() {
                    *sum = sum.add_product(V::load(from.add((m * stride + x) * channels)), weight);
                }
            }
        }
        let slope = V::load(filters.slopes.as_ptr().add(first));
        for (m, sum) in sums.into_iter().enumerate() {
            activated(sum, slope, filters.top).store(to.add(m * channels));
        }
    }
}
