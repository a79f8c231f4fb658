//! Neighbouring channels that go together. Plain arithmetic on arrays, which becomes vectors in functions that are compiled for them (`compiled.rs`).
#![allow(unsafe_code)]

use std::ops::{Add, Mul, Sub};
use std::ptr;

use crate::kernel::activation::Top;

/// Neighbouring channels of one pixel or place. Aligned, since they are many: those that registers have no room for are kept in lines of the cache.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(crate) struct Lanes<const L: usize>([f32; L]);

impl<const L: usize> Lanes<L> {
    pub(crate) const ZERO: Self = Self([0.0; L]);

    /// The first `there` of the values from number `at` on; zeros behind them.
    ///
    /// # Safety
    /// They lie within `from`; `there` is `L` at most.
    #[inline(always)]
    pub(crate) unsafe fn read(from: &[f32], at: usize, there: usize) -> Self {
        debug_assert!(there <= L && at + there <= from.len());
        let mut lanes = Self::ZERO;
        // SAFETY: as the caller promises.
        unsafe { ptr::copy_nonoverlapping(from.as_ptr().add(at), lanes.0.as_mut_ptr(), there) };
        lanes
    }

    /// Puts the first `there` values from number `at` on.
    ///
    /// # Safety
    /// They lie within `to`; `there` is `L` at most.
    #[inline(always)]
    pub(crate) unsafe fn write(self, to: &mut [f32], at: usize, there: usize) {
        debug_assert!(there <= L && at + there <= to.len());
        // SAFETY: as the caller promises.
        unsafe { ptr::copy_nonoverlapping(self.0.as_ptr(), to.as_mut_ptr().add(at), there) };
    }

    /// Negative values multiplied with their slope.
    #[inline(always)]
    pub(crate) fn sloped(mut self, slope: Self) -> Self {
        for (value, slope) in self.0.iter_mut().zip(slope.0) {
            let below = if *value > 0.0 { 0.0 } else { *value };
            *value = (if *value > 0.0 { *value } else { 0.0 }) + slope * below;
        }
        self
    }

    /// What follows the slope.
    #[inline(always)]
    pub(crate) fn topped(mut self, top: Top) -> Self {
        if top != Top::Open {
            self.0.iter_mut().for_each(|value| *value = top.apply(*value));
        }
        self
    }
}

impl<const L: usize> Add for Lanes<L> {
    type Output = Self;

    #[inline(always)]
    fn add(mut self, other: Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(value, other)| *value += other);
        self
    }
}

impl<const L: usize> Sub for Lanes<L> {
    type Output = Self;

    #[inline(always)]
    fn sub(mut self, other: Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(value, other)| *value -= other);
        self
    }
}

impl<const L: usize> Mul<f32> for Lanes<L> {
    type Output = Self;

    #[inline(always)]
    fn mul(mut self, factor: f32) -> Self {
        self.0.iter_mut().for_each(|value| *value *= factor);
        self
    }
}
