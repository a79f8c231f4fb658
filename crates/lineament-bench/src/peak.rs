//! The most multiplications with an addition that the processor does a second: what every net is measured against.
#![allow(
    unsafe_code,
    reason = "fused multiply-adds are only sure to be emitted where the instructions are named"
)]

use std::time::Instant;

/// GFLOP/s in f32 on so many threads, the best of a few tries; none where there is no AVX2 with FMA. With AVX-512 where that is there.
pub fn gflops(threads: usize, seconds: f64) -> Option<f64> {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
        let begun = Instant::now();
        let mut best = 0.0f64;
        while best == 0.0 || begun.elapsed().as_secs_f64() < seconds {
            best = best.max(once(threads));
        }
        return Some(best);
    }
    let _ = (threads, seconds, Instant::now());
    None
}

#[cfg(target_arch = "x86_64")]
const STEPS: usize = 4_000_000;
/// Registers that are added to: two units of four or five cycles' latency are busy with ten, and two more do no harm.
#[cfg(target_arch = "x86_64")]
const SUMS: usize = 12;

#[cfg(target_arch = "x86_64")]
fn once(threads: usize) -> f64 {
    let wide = std::arch::is_x86_feature_detected!("avx512f");
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(move || {
                let factor = std::hint::black_box(0.999);
                // SAFETY: the processor was asked for AVX-512 just now, and by `gflops`, the only caller, for AVX2 and FMA.
                std::hint::black_box(unsafe {
                    if wide { multiply_add_512(factor) } else { multiply_add(factor) }
                })
            });
        }
    });
    let flops = (threads * STEPS * SUMS * if wide { 16 } else { 8 } * 2) as f64;
    flops / begun.elapsed().as_secs_f64() / 1e9
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn multiply_add(factor: f32) -> f32 {
    use std::arch::x86_64::{_mm256_cvtss_f32, _mm256_fmadd_ps, _mm256_set1_ps};
    let factor = _mm256_set1_ps(factor);
    let mut sums = [_mm256_set1_ps(1.0); SUMS];
    for _ in 0..STEPS {
        for sum in &mut sums {
            *sum = _mm256_fmadd_ps(*sum, factor, factor);
        }
    }
    sums.iter().map(|sum| _mm256_cvtss_f32(*sum)).sum()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn multiply_add_512(factor: f32) -> f32 {
    use std::arch::x86_64::{_mm512_fmadd_ps, _mm512_reduce_add_ps, _mm512_set1_ps};
    let factor = _mm512_set1_ps(factor);
    let mut sums = [_mm512_set1_ps(1.0); SUMS];
    for _ in 0..STEPS {
        for sum in &mut sums {
            *sum = _mm512_fmadd_ps(*sum, factor, factor);
        }
    }
    sums.iter().map(|sum| _mm512_reduce_add_ps(*sum)).sum()
}
