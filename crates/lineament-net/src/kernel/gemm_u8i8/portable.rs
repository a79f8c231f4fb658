//! Plain loops: the kernel that any processor runs, and the twin of all others.
#![allow(unsafe_code)]

use std::ops::Range;

use super::Strip;
use crate::kernel::indirection::Windows;
use crate::kernel::isa::Isa;
use crate::kernel::tiling::{Kernel, Packing, Tile, Tiles, Two};

const OUTPUTS: usize = 16;
const INPUTS: usize = 4;

/// One window and one panel at a time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Portable;

// SAFETY: it needs no instructions that a processor may lack.
unsafe impl Kernel for Portable {
    const NAME: &'static str = "portable";
    const PACKING: Packing = Packing { outputs: OUTPUTS, inputs: INPUTS };

    type Value = u8;
    type Strip<'a> = Strip<'a>;

    fn new(_: Isa) -> Option<Self> {
        Some(Self)
    }

    #[inline(always)]
    fn tiles<'a, W: Windows>() -> Tiles<'a, Self, W> {
        let one = || [Tile::of::<1>(), Tile::of::<1>()];
        Tiles { one: one(), narrow: one(), two: Two::Never }
    }

    unsafe fn tile<W: Windows, const M: usize, const P: usize>(
        self,
        strips: &[Strip<'_>; P],
        map: &[u8],
        windows: &W,
        range: Range<usize>,
        out: &mut [f32],
    ) {
        for strip in strips {
            for window in range.clone() {
                let mut sums = strip.begin;
                let rows = strip.panel.values.chunks_exact((strip.steps * OUTPUTS * INPUTS).max(1));
                for (row, weights) in rows.enumerate() {
                    let bytes = &map[windows.input(window, row)..][..strip.steps * INPUTS];
                    for (bytes, weights) in
                        bytes.chunks_exact(INPUTS).zip(weights.chunks_exact(OUTPUTS * INPUTS))
                    {
                        for (sum, weights) in sums.iter_mut().zip(weights.chunks_exact(INPUTS)) {
                            let products =
                                bytes.iter().zip(weights).map(|(&b, &w)| i32::from(b) * i32::from(w));
                            *sum += products.sum::<i32>();
                        }
                    }
                }
                strip.finish(&sums, &mut out[windows.output(window) + strip.first..][..strip.outputs]);
            }
        }
    }
}
