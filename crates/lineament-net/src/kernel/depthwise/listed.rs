//! Windows whose pixels are listed by number: what interweaved patches read.

use super::Filters;
use crate::kernel::isa::Isa;
use crate::kernel::simd::dispatch::{self, Loops};

/// Channels that are summed at once where there are fewer than a register holds.
const NARROW: usize = 4;

/// Fills `out` with the sums of consecutive windows, whose pixels have the numbers `sources` `[windows, taps]`. Numbers beyond `values` stand for padding
/// and are read at `values`, where the map holds zeros.
pub(crate) fn listed(
    isa: Isa,
    filters: &Filters,
    (map, values): (&[f32], usize),
    sources: &[u32],
    out: &mut [f32],
) {
    dispatch::run(isa, Listed { filters, map, values, sources, out });
}

struct Listed<'a> {
    filters: &'a Filters,
    map: &'a [f32],
    values: usize,
    sources: &'a [u32],
    out: &'a mut [f32],
}

impl Loops for Listed<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const L: usize>(self) {
        match self.filters.channels {
            channels if channels >= L => self.in_lanes::<L>(),
            channels if channels >= NARROW => self.in_lanes::<NARROW>(),
            _ => self.in_lanes::<1>(),
        }
    }
}

impl Listed<'_> {
    /// `L` channels at a time. The last ones overlap those before them, and are found once more.
    #[inline(always)]
    fn in_lanes<const L: usize>(self) {
        let Self { filters, map, values, sources, out } = self;
        let Filters { window, channels, weight, bias, slopes, top } = filters;
        let taps = window.kernel * window.kernel;
        let Some(last) = channels.checked_sub(L) else { return };
        for (out, numbers) in out.chunks_exact_mut(*channels).zip(sources.chunks_exact(taps)) {
            for first in (0..*channels).step_by(L) {
                let first = first.min(last);
                let mut sums = [0.0; L];
                sums.copy_from_slice(&bias[first..][..L]);
                for (number, weights) in numbers.iter().zip(weight.chunks_exact(*channels)) {
                    let pixel = &map[(*number as usize).min(values) * channels + first..][..L];
                    let weights = &weights[first..][..L];
                    sums.iter_mut().zip(pixel).zip(weights).for_each(|((sum, v), w)| *sum += v * w);
                }
                let each = out[first..][..L].iter_mut().zip(sums).zip(&slopes[first..][..L]);
                for ((out, sum), slope) in each {
                    let below = if sum < 0.0 { sum } else { 0.0 };
                    *out = top.apply(if sum > 0.0 { sum } else { 0.0 } + slope * below);
                }
            }
        }
    }
}
