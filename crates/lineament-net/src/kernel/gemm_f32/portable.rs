//! Plain loops: the kernel that any processor runs, and the twin of all others.
#![allow(unsafe_code)]

use std::ops::Range;

use super::Strip;
use crate::kernel::indirection::Windows;
use crate::kernel::isa::Isa;
use crate::kernel::tiling::{Kernel, Packing, Tile, Tiles, Two};

/// One window and one panel at a time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Portable;

// SAFETY: it needs no instructions that a processor may lack.
unsafe impl Kernel for Portable {
    const NAME: &'static str = "portable";
    const PACKING: Packing = Packing { outputs: 16, inputs: 1 };

    type Value = f32;
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
        map: &[f32],
        windows: &W,
        range: Range<usize>,
        out: &mut [f32],
    ) {
        for strip in strips {
            let Strip { panel, rows, .. } = strip;
            let wide = panel.bias.len();
            let mut sums = [0.0; Packing::MOST_OUTPUTS];
            for window in range.clone() {
                let sums = &mut sums[..wide];
                sums.fill(0.0);
                for (row, weights) in panel.values.chunks_exact((rows.run * wide).max(1)).enumerate() {
                    let start = windows.input(window, row);
                    for (value, weights) in map[start..][..rows.run].iter().zip(weights.chunks_exact(wide)) {
                        sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += value * weight);
                    }
                }
                strip.finish(sums, &mut out[windows.output(window) + strip.first..][..strip.outputs]);
            }
        }
    }
}
