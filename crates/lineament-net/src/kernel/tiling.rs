//! What a micro-kernel is, and the one loop over windows and panels that runs all of them.
//!
//! A kernel of another processor is one file in `gemm_f32/` or `gemm_u8i8/` that implements [`Kernel`], and one line in the list of kernels there.
#![allow(unsafe_code)]
// The portable kernel alone has small tiles and no more.
#![cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]

use std::array;
use std::ops::Range;

use super::indirection::Windows;
use super::isa::Isa;

/// Windows of a piece of work are a multiple of this where there are many: tiles of 4, 6, 8 and 12 leave nothing over.
pub(crate) const BLOCK: usize = 24;
/// Windows that kernels take at once where there are few.
pub(crate) const FEW_WINDOWS: usize = 4;
/// Windows of a piece of work: few enough for what they read to stay in a core's caches while panel after panel passes by.
pub(crate) const UNIT_WINDOWS: usize = 4 * BLOCK;

/// The order of packed weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Packing {
    /// Outputs of a panel, [`Packing::MOST_OUTPUTS`] at most. The last panel of weights may have half as many, in single precision.
    pub(crate) outputs: usize,
    /// Inputs of an output that stand side by side, because one instruction multiplies them. Rows of windows are read up to a multiple of it.
    pub(crate) inputs: usize,
}

impl Packing {
    pub(crate) const MOST_OUTPUTS: usize = 16;

    /// Groups of inputs that a row of `run` values takes.
    pub(crate) fn steps(self, run: usize) -> usize {
        run.div_ceil(self.inputs)
    }
}

/// A micro-kernel: it multiplies a tile, which is some windows of a map times the weights of one or two panels, in registers.
///
/// # Safety
/// [`Kernel::new`] gives a kernel only where the processor has its instructions.
pub(crate) unsafe trait Kernel: Copy {
    /// What reports and tests call it.
    const NAME: &'static str;
    /// How it wants weights packed.
    const PACKING: Packing;

    /// What maps hold.
    type Value;
    /// One panel of packed weights, and what becomes of its products.
    type Strip<'a>: Copy;

    /// The kernel, if `isa` has its instructions.
    fn new(isa: Isa) -> Option<Self>;

    /// The tiles that fill its registers.
    fn tiles<'a, W: Windows>() -> Tiles<'a, Self, W>;

    /// Whether a panel has half the outputs of [`Kernel::PACKING`], so that more windows fit beside it.
    fn is_narrow(_: &Self::Strip<'_>) -> bool {
        false
    }

    /// Multiplies up to `M` windows with the weights of `P` panels.
    ///
    /// # Safety
    /// `range` are 1 to `M` windows. Every row of them lies within `map`, read up to a multiple of [`Packing::inputs`], and all outputs of the panels, from
    /// where each window's begin, within `out`. Panels are packed for this kernel and have the windows' rows; two of them are not narrow.
    unsafe fn tile<W: Windows, const M: usize, const P: usize>(
        self,
        strips: &[Self::Strip<'_>; P],
        map: &[Self::Value],
        windows: &W,
        range: Range<usize>,
        out: &mut [f32],
    );

    /// The same for `M` windows of one row that stand evenly ([`Windows::step`]): fewer addresses leave registers for more windows.
    ///
    /// # Safety
    /// As for [`Kernel::tile`]; `range` are `M` windows, the first a multiple of [`EVEN`](super::indirection::EVEN), and the windows have a step.
    unsafe fn even_tile<W: Windows, const M: usize, const P: usize>(
        self,
        strips: &[Self::Strip<'_>; P],
        map: &[Self::Value],
        windows: &W,
        range: Range<usize>,
        out: &mut [f32],
    ) {
        // SAFETY: as the caller promises.
        unsafe { self.tile::<W, M, P>(strips, map, windows, range, out) };
    }
}

/// The tiles of a kernel. What is read of windows and weights and what is summed has to stay in registers.
pub(crate) struct Tiles<'a, K: Kernel, W> {
    /// Of one panel: many windows, and few.
    pub(crate) one: [Tile<'a, K, W, 1>; 2],
    /// Of one narrow panel.
    pub(crate) narrow: [Tile<'a, K, W, 1>; 2],
    /// Of two panels.
    pub(crate) two: Two<'a, K, W>,
}

/// When two panels go together.
pub(crate) enum Two<'a, K: Kernel, W> {
    /// Never.
    Never,
    /// For windows that are left over by tiles of one panel, so that enough sums are under way: as many as the first tile has at most.
    Rest([Tile<'a, K, W, 2>; 2]),
    /// Always: a value of the map that is read once serves both.
    Always {
        tiles: [Tile<'a, K, W, 2>; 2],
        /// For a run of few windows more than the first tile has: no second tile reads all weights again.
        alone: Option<Tile<'a, K, W, 2>>,
        /// Where windows stand evenly.
        even: Option<Even<'a, K, W>>,
    },
}

/// A tile for windows that stand evenly, and how long they have to be: what is done before and after their sums is longer, too.
pub(crate) struct Even<'a, K: Kernel, W> {
    pub(crate) tile: Tile<'a, K, W, 2>,
    pub(crate) least_run: usize,
}

/// A tile of so many windows and `P` panels.
pub(crate) struct Tile<'a, K: Kernel, W, const P: usize> {
    windows: usize,
    multiply: Multiply<'a, K, W, P>,
}

/// [`Kernel::tile`] for a number of windows.
type Multiply<'a, K, W, const P: usize> =
    unsafe fn(K, &[<K as Kernel>::Strip<'a>; P], &[<K as Kernel>::Value], &W, Range<usize>, &mut [f32]);

impl<'a, K: Kernel, W: Windows, const P: usize> Tile<'a, K, W, P> {
    /// Of `M` windows.
    #[inline(always)]
    pub(crate) fn of<const M: usize>() -> Self {
        Self { windows: M, multiply: K::tile::<W, M, P> }
    }

    /// Of `M` windows that stand evenly.
    #[inline(always)]
    pub(crate) fn of_even<const M: usize>() -> Self {
        Self { windows: M, multiply: K::even_tile::<W, M, P> }
    }

    /// All windows of `range`, tile after tile, with `few` where no more are left than that has.
    ///
    /// # Safety
    /// As for [`multiply`].
    // Inlined, the tile is no longer called by its address.
    #[inline(always)]
    unsafe fn cover(
        [many, few]: &[Self; 2],
        kernel: K,
        strips: &[K::Strip<'a>; P],
        map: &[K::Value],
        windows: &W,
        range: Range<usize>,
        out: &mut [f32],
    ) {
        let mut window = range.start;
        while window < range.end {
            let left = range.end - window;
            let first = window;
            // Each tile is called by its name, not by an address that has to be looked up: short sums take little longer than such a call.
            // SAFETY: as the caller promises; the windows are as many as the tile has at most.
            unsafe {
                if left > few.windows {
                    window += left.min(many.windows);
                    (many.multiply)(kernel, strips, map, windows, first..window, out);
                } else {
                    window += left.min(few.windows);
                    (few.multiply)(kernel, strips, map, windows, first..window, out);
                }
            }
        }
    }
}

/// Multiplies the windows of `range` with the weights of some panels, each of which `strip` gives.
///
/// # Safety
/// Windows and outputs were checked ([`indirection::check`](super::indirection::check)), panels are packed for this kernel and have the windows' rows, and
/// all but the last have as many outputs as [`Kernel::PACKING`] says.
pub(crate) unsafe fn multiply<'a, K: Kernel, W: Windows>(
    kernel: K,
    (panels, strip): (Range<usize>, impl Fn(usize) -> K::Strip<'a>),
    map: &[K::Value],
    windows: &W,
    range: Range<usize>,
    out: &mut [f32],
) {
    let Tiles { one, narrow, two } = K::tiles::<W>();
    let single = |strip: &K::Strip<'a>, range: Range<usize>, out: &mut [f32]| {
        let tiles = if K::is_narrow(strip) { &narrow } else { &one };
        // SAFETY: as the caller promises.
        unsafe { Tile::cover(tiles, kernel, array::from_ref(strip), map, windows, range, out) };
    };
    let left = range.len() % one[0].windows;
    let mut next = panels.start;
    while next < panels.end {
        if next + 1 == panels.end {
            return single(&strip(next), range, out);
        }
        let both = [strip(next), strip(next + 1)];
        next += 2;
        // The windows from here on meet both panels together.
        let split = match &two {
            Two::Always { .. } => range.start,
            Two::Rest([most, _]) if left <= most.windows && !K::is_narrow(&both[1]) => range.end - left,
            _ => range.end,
        };
        if split > range.start {
            both.iter().for_each(|strip| single(strip, range.start..split, out));
        }
        let rest = split..range.end;
        // SAFETY: as the caller promises; only the last panel may be narrow.
        unsafe {
            match &two {
                Two::Never => {}
                Two::Rest(tiles) => Tile::cover(tiles, kernel, &both, map, windows, rest, out),
                Two::Always { tiles: [many, _], alone: Some(alone), .. }
                    if (many.windows + 1..=alone.windows).contains(&rest.len()) =>
                {
                    (alone.multiply)(kernel, &both, map, windows, rest, out);
                }
                Two::Always { tiles, even, .. } => {
                    let rest = match even {
                        Some(even) => even.cover(kernel, &both, map, windows, rest, out),
                        None => rest,
                    };
                    Tile::cover(tiles, kernel, &both, map, windows, rest, out);
                }
            }
        }
    }
}

impl<'a, K: Kernel, W: Windows> Even<'a, K, W> {
    /// As many windows of `range` as fill tiles, if they stand evenly and are long enough; gives the others.
    ///
    /// # Safety
    /// As for [`multiply`].
    // Inlined, the tile is no longer called by its address.
    #[inline(always)]
    unsafe fn cover(
        &self,
        kernel: K,
        strips: &[K::Strip<'a>; 2],
        map: &[K::Value],
        windows: &W,
        range: Range<usize>,
        out: &mut [f32],
    ) -> Range<usize> {
        let Self { tile, least_run } = self;
        let evenly = windows.rows().run >= *least_run
            && windows.step().is_some()
            && range.start.is_multiple_of(super::indirection::EVEN);
        let whole = if evenly { range.len() / tile.windows * tile.windows } else { 0 };
        let split = range.start + whole;
        for window in (range.start..split).step_by(tile.windows) {
            // SAFETY: as the caller promises; the windows have a step.
            unsafe { (tile.multiply)(kernel, strips, map, windows, window..window + tile.windows, out) };
        }
        split..range.end
    }
}

/// Lists the kernels of a type of numbers, fastest first: an [`Isa`] runs the first one whose instructions it has. Gives `packing`, how its kernel wants
/// weights packed, `run`, [`multiply`] with that kernel, its `name`, and a module of tests a kernel.
macro_rules! kernels {
    ($strip:ident of $value:ident, else $last:ident: $fallback:ident; $($(#[$target:meta])* $name:ident: $module:ident::$kernel:ident;)*) => {
        /// How the kernel of `isa` wants weights packed.
        #[cfg_attr(not(target_arch = "x86_64"), allow(unused_variables))]
        pub(crate) fn packing(isa: $crate::kernel::isa::Isa) -> $crate::kernel::tiling::Packing {
            $($(#[$target])* if <$module::$kernel as $crate::kernel::tiling::Kernel>::new(isa).is_some() {
                return <$module::$kernel as $crate::kernel::tiling::Kernel>::PACKING;
            })*
            <$fallback as $crate::kernel::tiling::Kernel>::PACKING
        }

        /// [`tiling::multiply`](crate::kernel::tiling::multiply) with the kernel of `isa`.
        ///
        /// # Safety
        /// As there; panels are packed for `isa`.
        #[cfg_attr(not(target_arch = "x86_64"), allow(unused_variables))]
        unsafe fn run<'a, W: $crate::kernel::indirection::Windows>(
            isa: $crate::kernel::isa::Isa,
            strips: (std::ops::Range<usize>, impl Fn(usize) -> $strip<'a>),
            map: &[$value],
            windows: &W,
            range: std::ops::Range<usize>,
            out: &mut [f32],
        ) {
            // SAFETY: as the caller promises.
            unsafe {
                $($(#[$target])* if let Some(kernel) = <$module::$kernel as $crate::kernel::tiling::Kernel>::new(isa) {
                    return $crate::kernel::tiling::multiply(kernel, strips, map, windows, range, out);
                })*
                $crate::kernel::tiling::multiply($fallback, strips, map, windows, range, out);
            }
        }

        /// What the kernel of `isa` is called.
        #[cfg_attr(not(target_arch = "x86_64"), allow(unused_variables))]
        pub(crate) fn name(isa: $crate::kernel::isa::Isa) -> &'static str {
            $($(#[$target])* if <$module::$kernel as $crate::kernel::tiling::Kernel>::new(isa).is_some() {
                return <$module::$kernel as $crate::kernel::tiling::Kernel>::NAME;
            })*
            <$fallback as $crate::kernel::tiling::Kernel>::NAME
        }

        #[cfg(test)]
        mod each {
            $($(#[$target])* mod $name {
                super::super::tests::suite!(super::super::$module::$kernel);
            })*
            mod $last {
                super::super::tests::suite!(super::super::$fallback);
            }
        }
    };
}
pub(crate) use kernels;

/// Where row `row` of every `E`th of up to `M` windows begins: `M / E` addresses. Past the last window there is the last one again, which is multiplied
/// once more and not stored.
///
/// # Safety
/// `range` is not empty, and the windows' rows begin within `map`.
#[inline(always)]
pub(crate) unsafe fn inputs<T, W: Windows, const M: usize, const E: usize>(
    map: &[T],
    windows: &W,
    range: &Range<usize>,
    row: usize,
) -> [*const T; M] {
    let last = range.len() - 1;
    let mut inputs = [map.as_ptr(); M];
    for (m, input) in inputs.iter_mut().enumerate().take(M / E) {
        // SAFETY: as the caller promises.
        *input = unsafe { input.add(windows.input(range.start + (m * E).min(last), row)) };
    }
    inputs
}

/// Where the outputs of up to `M` windows begin; past the last window, those of the last one.
///
/// # Safety
/// `range` is not empty, and the windows' outputs begin within `out`.
#[inline(always)]
pub(crate) unsafe fn outputs<W: Windows, const M: usize>(
    out: &mut [f32],
    windows: &W,
    range: &Range<usize>,
) -> [*mut f32; M] {
    let last = range.len() - 1;
    let mut outputs = [out.as_mut_ptr(); M];
    for (m, output) in outputs.iter_mut().enumerate() {
        // SAFETY: as the caller promises.
        *output = unsafe { output.add(windows.output(range.start + m.min(last))) };
    }
    outputs
}
