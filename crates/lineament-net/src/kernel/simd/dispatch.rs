//! Plain loops, compiled once for the instructions of each path.
#![allow(unsafe_code)]

use std::sync::OnceLock;

use crate::kernel::aligned::LANES;
use crate::kernel::isa::Path;

/// Loops over neighbouring values, which become vectors by themselves.
pub trait Loops {
    /// What they find.
    type Output;

    /// Runs them, best with `L` values at a time. Has to be `#[inline(always)]`, and so has all that it calls: what stays outside of the function that
    /// is compiled for a path's instructions runs without them, as closures handed to it do.
    fn run<const L: usize>(self) -> Self::Output;
}

/// Runs plain loops compiled for the widest vectors of this processor: what is done to pictures on their way to a net need not have kernels of its own.
///
/// Results are the same to the bit on every processor, since products and sums are not fused.
///
/// ```
/// struct Sum<'a>(&'a [f32]);
///
/// impl lineament_net::Loops for Sum<'_> {
///     type Output = f32;
///
///     #[inline(always)]
///     fn run<const L: usize>(self) -> f32 {
///         let mut sums = [0.0; 8];
///         for values in self.0.as_chunks::<8>().0 {
///             sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
///         }
///         sums.iter().sum()
///     }
/// }
///
/// assert_eq!(lineament_net::vectorised(Sum(&[0.5; 80])), 40.0);
/// ```
pub fn vectorised<T: Loops>(loops: T) -> T::Output {
    static BEST: OnceLock<Path> = OnceLock::new();
    run(*BEST.get_or_init(Path::best), loops)
}

/// Runs `loops`, compiled for `path`. The arithmetic stays that of the plain loops: products and sums are not fused.
pub(crate) fn run<T: Loops>(path: Path, loops: T) -> T::Output {
    match path {
        Path::Portable => loops.run::<LANES>(),
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the path is proof that the processor has the instructions.
        Path::Avx2(_) => unsafe { avx2(loops) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Path::Avx512(_) => unsafe { avx512(loops) },
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2<T: Loops>(loops: T) -> T::Output {
    loops.run::<LANES>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
fn avx512<T: Loops>(loops: T) -> T::Output {
    loops.run::<16>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::value;

    /// Sums of products by lanes, as a crop makes them.
    struct Products<'a>(&'a [f32], &'a [f32]);

    impl Loops for Products<'_> {
        type Output = [f32; LANES];

        #[inline(always)]
        fn run<const L: usize>(self) -> [f32; LANES] {
            let mut sums = [0.0; LANES];
            for (a, b) in self.0.as_chunks::<LANES>().0.iter().zip(self.1.as_chunks::<LANES>().0) {
                for lane in 0..LANES {
                    sums[lane] += a[lane] * b[lane];
                }
            }
            sums
        }
    }

    #[test]
    fn loops_have_the_same_bits_on_every_path() {
        let [a, b]: [Vec<f32>; 2] = [3, 11].map(|from| (from..from + 800).map(|i| value(i) / 3.0).collect());
        let plain = Products(&a, &b).run::<LANES>();
        for path in Path::all() {
            assert_eq!(run(path, Products(&a, &b)), plain, "{path:?}");
        }
        assert_eq!(vectorised(Products(&a, &b)), plain);
    }
}
