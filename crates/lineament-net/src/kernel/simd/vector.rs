//! Neighbouring channels in a register, and what kernels do to sums at their end.
#![allow(unsafe_code)]

use std::array;

use crate::kernel::activation::{GATE, SIX, SIXTH, Top};

/// A register of neighbouring values, of whichever instruction set.
///
/// # Safety
/// All functions need the instructions of the register's set. [`Vector::load`] and [`Vector::store`] touch [`Vector::LANES`] values from the address on.
/// All implementations are `#[inline(always)]`: they become the instructions of the function that they end up in.
pub(crate) unsafe trait Vector: Copy {
    /// Values of a register.
    const LANES: usize;

    unsafe fn load(from: *const f32) -> Self;
    unsafe fn store(self, to: *mut f32);
    unsafe fn splat(value: f32) -> Self;
    /// `self + a * b`, fused where the set does that.
    unsafe fn add_product(self, a: Self, b: Self) -> Self;
    unsafe fn add(self, other: Self) -> Self;
    unsafe fn mul(self, other: Self) -> Self;
    unsafe fn min(self, other: Self) -> Self;
    unsafe fn max(self, other: Self) -> Self;
}

/// Plain values: what any processor has, and what is left over by registers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plain<const N: usize>([f32; N]);

impl<const N: usize> Plain<N> {
    #[inline(always)]
    fn each(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        Self(array::from_fn(|lane| f(self.0[lane], other.0[lane])))
    }
}

// SAFETY: no instructions are needed that a processor may lack.
unsafe impl<const N: usize> Vector for Plain<N> {
    const LANES: usize = N;

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: as the caller promises.
        Self(unsafe { from.cast::<[f32; N]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: as the caller promises.
        unsafe { to.cast::<[f32; N]>().write_unaligned(self.0) };
    }

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Self([value; N])
    }

    #[inline(always)]
    unsafe fn add_product(self, a: Self, b: Self) -> Self {
        Self(array::from_fn(|lane| self.0[lane] + a.0[lane] * b.0[lane]))
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        self.each(other, |a, b| a + b)
    }

    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        self.each(other, |a, b| a * b)
    }

    // Comparisons, as the instructions of processors have them.
    #[inline(always)]
    unsafe fn min(self, other: Self) -> Self {
        self.each(other, |a, b| if a < b { a } else { b })
    }

    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        self.each(other, |a, b| if a > b { a } else { b })
    }
}

/// `slope * sum` where a sum is negative, and what follows the slope, as [`Top::apply`].
///
/// # Safety
/// The processor has the instructions of `V`.
#[inline(always)]
pub(crate) unsafe fn activated<V: Vector>(sum: V, slope: V, top: Top) -> V {
    // SAFETY: as the caller promises.
    unsafe {
        let zero = V::splat(0.0);
        let sum = sum.max(zero).add_product(slope, sum.min(zero));
        match top {
            Top::Open => sum,
            Top::Six => sum.min(V::splat(SIX)),
            Top::Gate => {
                let gate = sum.add(V::splat(GATE)).max(zero).min(V::splat(SIX));
                sum.mul(gate.mul(V::splat(SIXTH)))
            }
        }
    }
}
