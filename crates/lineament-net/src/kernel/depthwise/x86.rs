//! The loops with the registers of SSE4.1, AVX2 and AVX-512.
#![allow(unsafe_code)]

use std::arch::x86_64::{__m128, __m256, __m512};

use super::{Filters, Rows, tile};

/// # Safety
/// The processor has SSE4.1; otherwise as [`tile::every_width`], as for the others.
#[target_feature(enable = "sse4.1")]
pub(super) unsafe fn sse41(filters: &Filters, rows: Rows<'_>) {
    // SAFETY: as the caller promises.
    unsafe { tile::every_width::<__m128>(filters, rows) };
}

/// # Safety
/// The processor has AVX2 and FMA.
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn avx2(filters: &Filters, rows: Rows<'_>) {
    // SAFETY: as the caller promises.
    unsafe { tile::every_width::<__m256>(filters, rows) };
}

/// # Safety
/// The processor has AVX-512.
#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
pub(super) unsafe fn avx512(filters: &Filters, rows: Rows<'_>) {
    // SAFETY: as the caller promises.
    unsafe { tile::every_width::<__m512>(filters, rows) };
}
