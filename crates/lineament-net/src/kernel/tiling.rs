//! How the kernels go over windows and panels, whatever is summed: numbers or bytes, with AVX2 or AVX-512.
#![allow(unsafe_code)]

use std::ops::Range;

use super::indirection::{EVEN, Windows};

/// How far ahead of sums of numbers the filters are asked for, in values: they fill more pages than the processor follows by itself. No harm where there is
/// nothing.
pub(super) const AHEAD: usize = 512;

/// Values of a window from which on twelve at a time are faster than eight: what is done before and after their sums is longer.
const LONG: usize = 96;

/// A panel of filters whose sums are made tile by tile, in the registers of one kind of processor.
pub(crate) trait Tile: Copy {
    /// That the processor has the instructions.
    type Proof: Copy;
    /// What maps hold.
    type Value;

    /// Whether it fills half a panel at most.
    fn narrow(&self) -> bool {
        false
    }

    /// Whether [`Tile::twelve`] is there.
    const TWELVES: bool = false;

    /// The sums of up to `M` windows with the filters of `V` panels.
    ///
    /// # Safety
    /// The processor has the instructions that `Proof` stands for; `places` are 1 to `M`; windows, outputs and panels are as the caller of [`by_sixes`] or
    /// [`by_pairs`] has checked.
    unsafe fn tile<W: Windows, const M: usize, const V: usize>(
        strips: [Self; V],
        map: &[Self::Value],
        windows: &W,
        places: Range<usize>,
        out: &mut [f32],
    );

    /// The sums of twelve windows that have a step ([`Windows::step`]): a third of the addresses, so that there are registers for more sums.
    ///
    /// # Safety
    /// As for [`Tile::tile`]; `places` are twelve, the first a multiple of four.
    unsafe fn twelve<W: Windows, const V: usize>(
        strips: [Self; V],
        map: &[Self::Value],
        windows: &W,
        places: Range<usize>,
        out: &mut [f32],
    ) {
        // SAFETY: as the caller promises.
        unsafe { Self::tile::<W, 12, V>(strips, map, windows, places, out) };
    }
}

/// Sixteen registers: six windows of one panel of two vectors, eight of a narrow one. Where one or two windows are left, two panels go together, so that
/// enough sums are under way. Windows and outputs have to be checked before, here and below.
pub(crate) fn by_sixes<S: Tile, W: Windows>(
    proof: S::Proof,
    mut strips: impl Iterator<Item = S>,
    map: &[S::Value],
    windows: &W,
    places: Range<usize>,
    out: &mut [f32],
) {
    let left = places.len() % 6;
    while let Some(first) = strips.next() {
        let second = strips.next();
        let together = left < 3 && second.is_some_and(|second| !second.narrow());
        let split = if together { places.end - left } else { places.end };
        for strip in [Some(first), second].into_iter().flatten() {
            if strip.narrow() {
                tiles::<S, W, 8, 4, 1>(proof, [strip], map, windows, places.start..split, out);
            } else {
                tiles::<S, W, 6, 4, 1>(proof, [strip], map, windows, places.start..split, out);
            }
        }
        if let Some(second) = second {
            tiles::<S, W, 2, 1, 2>(proof, [first, second], map, windows, split..places.end, out);
        }
    }
}

/// Thirty-two registers of twice the size, each of which holds a panel's sums. Two panels go together: a value of the map that is read once serves both, so
/// that reading keeps up with two units that multiply.
pub(crate) fn by_pairs<S: Tile, W: Windows>(
    proof: S::Proof,
    mut strips: impl Iterator<Item = S>,
    map: &[S::Value],
    windows: &W,
    places: Range<usize>,
    out: &mut [f32],
) {
    let even = S::TWELVES
        && windows.rows().run >= LONG
        && windows.step().is_some()
        && places.start.is_multiple_of(EVEN);
    let twelves = if even { places.len() / 12 * 12 } else { 0 };
    while let Some(first) = strips.next() {
        if let Some(second) = strips.next() {
            let split = places.start + twelves;
            for place in (places.start..split).step_by(12) {
                // SAFETY: the proof is given; windows and outputs were checked, panels are filled as their makers say, and windows have a step.
                unsafe { S::twelve([first, second], map, windows, place..place + 12, out) };
            }
            let places = split..places.end;
            // Four cycles' latency of two units are eight sums under way: four windows of two panels are enough.
            tiles::<S, W, 8, 4, 2>(proof, [first, second], map, windows, places, out);
        } else {
            tiles::<S, W, 12, 6, 1>(proof, [first], map, windows, places.clone(), out);
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
