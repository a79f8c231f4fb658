//! How AVX-512 goes over windows and panels, whatever is summed: numbers (`sums_avx512.rs`) or bytes (`byte_sums_avx512.rs`).
#![allow(unsafe_code)]

use std::ops::Range;

use super::places::Windows;

/// A panel of filters whose sums are made tile by tile.
pub(crate) trait Tile: Copy {
    /// That the processor has the instructions.
    type Proof: Copy;
    /// What maps hold.
    type Value;

    /// The sums of up to `M` windows with the filters of `V` panels.
    ///
    /// # Safety
    /// The processor has the instructions that `Proof` stands for; `places` are 1 to `M`; windows, outputs and panels are as the caller of [`strips`] has
    /// checked.
    unsafe fn tile<W: Windows, const M: usize, const V: usize>(
        strips: [Self; V],
        map: &[Self::Value],
        windows: &W,
        places: Range<usize>,
        out: &mut [f32],
    );
}

/// What `sums` and `byte_sums` call, after they have checked that all windows lie within `map` and all outputs within `out`. Two panels go together: a value
/// of the map that is read once serves both, so that reading keeps up with two units that multiply.
pub(crate) fn strips<S: Tile, W: Windows>(
    proof: S::Proof,
    mut strips: impl Iterator<Item = S>,
    map: &[S::Value],
    windows: &W,
    places: Range<usize>,
    out: &mut [f32],
) {
    while let Some(first) = strips.next() {
        let places = places.clone();
        if let Some(second) = strips.next() {
            // Four cycles' latency of two units are eight sums under way: four windows of two panels are enough.
            tiles::<S, W, 8, 4, 2>(proof, [first, second], map, windows, places, out);
        } else {
            tiles::<S, W, 12, 6, 1>(proof, [first], map, windows, places, out);
        }
    }
}

/// The sums of all windows with the filters of `V` panels: `MANY` windows at a time, `FEW` where no more are left.
fn tiles<S: Tile, W: Windows, const MANY: usize, const FEW: usize, const V: usize>(
    _: S::Proof,
    strips: [S; V],
    map: &[S::Value],
    windows: &W,
    places: Range<usize>,
    out: &mut [f32],
) {
    let mut place = places.start;
    while place < places.end {
        let left = places.end - place;
        let next = place..place + left.min(if left > FEW { MANY } else { FEW });
        place = next.end;
        // SAFETY: the proof is given; the windows and outputs of `places` were checked, and panels are filled as their makers say.
        unsafe {
            if left > FEW {
                S::tile::<W, MANY, V>(strips, map, windows, next, out);
            } else {
                S::tile::<W, FEW, V>(strips, map, windows, next, out);
            }
        }
    }
}
