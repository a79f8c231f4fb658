//! Plain loops, compiled once for the instructions of each isa.
#![allow(unsafe_code)]

use std::sync::OnceLock;

use crate::kernel::aligned::LANES;
use crate::kernel::isa::Isa;

/// Loops over neighbouring values, which become vectors by themselves.
pub trait Loops {
    /// What they find.
    type Output;

    /// Runs them, best with `L` values at a time. Has to be `#[inline(always)]`, and so has all that it calls: what stays outside of the function that
    /// is compiled for a isa's instructions runs without them, as closures handed to it do.
    fn run<const L: usize>(self) -> Self::Output;
}

/// Runs plain loops compiled for the widest vectors of this processor: what is done to images on their way to a net need not have kernels of its own.
///
/// Results are the same to the bit on every processor, since products and sums are not fused. `LINEAMENT_ISA` chooses other vectors ([`Isa::selected`]); a
/// name in it that is none is reported where a net is made, and is of no consequence here.
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
    static ISA: OnceLock<Isa> = OnceLock::new();
    run(*ISA.get_or_init(|| Isa::selected().unwrap_or_else(|_| Isa::best())), loops)
}

/// Runs `loops`, compiled for `isa`. The arithmetic stays that of the plain loops: products and sums are not fused.
#[cfg_attr(not(target_arch = "x86_64"), allow(unused_variables))]
pub(crate) fn run<T: Loops>(isa: Isa, loops: T) -> T::Output {
    #[cfg(target_arch = "x86_64")]
    if isa.avx512().is_some() {
        // SAFETY: the processor has the instructions.
        return unsafe { avx512(loops) };
    } else if isa.avx2().is_some() {
        // SAFETY: as above.
        return unsafe { avx2(loops) };
    } else if isa.sse41().is_some() {
        // SAFETY: as above.
        return unsafe { sse41(loops) };
    }
    loops.run::<LANES>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "sse4.1")]
fn sse41<T: Loops>(loops: T) -> T::Output {
    loops.run::<LANES>()
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
        for isa in Isa::available() {
            assert_eq!(run(isa, Products(&a, &b)), plain, "{isa:?}");
        }
        assert_eq!(vectorised(Products(&a, &b)), plain);
    }
}
