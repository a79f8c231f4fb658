//! Products of matrices: a checked, safe face on the `gemm` crate.
#![allow(unsafe_code)]

use gemm::Parallelism;

/// `out = lhs * rhs`, or `out += lhs * rhs` when `accumulate`; row-major matrices of `rows x inner`, `inner x cols` and
/// `rows x cols`. Runs on the calling thread alone, and the order of every sum depends on the three sizes only, never
/// on the number of threads around it.
///
/// # Panics
/// When a slice is not exactly its matrix: that would be a mistake in a plan, not in an input.
pub(crate) fn multiply(
    out: &mut [f32],
    lhs: &[f32],
    rhs: &[f32],
    [rows, inner, cols]: [usize; 3],
    accumulate: bool,
) {
    assert_eq!(Some(out.len()), rows.checked_mul(cols), "output of a product of {rows}x{inner}x{cols}");
    assert_eq!(Some(lhs.len()), rows.checked_mul(inner), "left of a product of {rows}x{inner}x{cols}");
    assert_eq!(Some(rhs.len()), inner.checked_mul(cols), "right of a product of {rows}x{inner}x{cols}");
    // A slice of f32 holds at most isize::MAX bytes, so strides and offsets below fit into isize.
    let (wide, deep) = (cols as isize, inner as isize);
    // SAFETY: the three pointers come from live slices, `out` exclusively borrowed and so apart from the others. Element
    // (i, j) of a matrix is read or written at `i * row stride + j * column stride` with i and j below the sizes given;
    // with a column stride of one and a row stride of the matrix's width that stays below the length asserted above.
    // f32 has no invalid values and all of it is initialised.
    unsafe {
        gemm::gemm(
            rows,
            cols,
            inner,
            out.as_mut_ptr(),
            1,
            wide,
            accumulate,
            lhs.as_ptr(),
            1,
            deep,
            rhs.as_ptr(),
            1,
            wide,
            1.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::multiply;
    use proptest::prelude::*;

    fn plain(out: &mut [f32], lhs: &[f32], rhs: &[f32], [rows, inner, cols]: [usize; 3], accumulate: bool) {
        for i in 0..rows {
            for j in 0..cols {
                let sum: f64 =
                    (0..inner).map(|k| f64::from(lhs[i * inner + k]) * f64::from(rhs[k * cols + j])).sum();
                let before = if accumulate { out[i * cols + j] } else { 0.0 };
                out[i * cols + j] = before + sum as f32;
            }
        }
    }

    proptest! {
        #[test]
        fn agrees_with_three_loops(
            rows in 0usize..40, inner in 0usize..600, cols in 0usize..70, accumulate: bool, seed in 0u32..1000,
        ) {
            let value = |i: usize| (((i as u32).wrapping_mul(2_654_435_761) ^ seed) % 2001) as f32 / 1000.0 - 1.0;
            let lhs: Vec<f32> = (0..rows * inner).map(value).collect();
            let rhs: Vec<f32> = (0..inner * cols).map(|i| value(i + 77)).collect();
            let mut fast: Vec<f32> = (0..rows * cols).map(|i| value(i + 991)).collect();
            let mut slow = fast.clone();
            multiply(&mut fast, &lhs, &rhs, [rows, inner, cols], accumulate);
            plain(&mut slow, &lhs, &rhs, [rows, inner, cols], accumulate);
            for (a, b) in fast.iter().zip(&slow) {
                prop_assert!((a - b).abs() < 1e-3, "{a} {b}");
            }
        }
    }

    #[test]
    fn overwrites_what_was_there_unless_it_accumulates() {
        let mut out = [f32::NAN; 2];
        multiply(&mut out, &[2.0], &[3.0, 4.0], [1, 1, 2], false);
        assert_eq!(out, [6.0, 8.0]);
        multiply(&mut out, &[2.0], &[3.0, 4.0], [1, 1, 2], true);
        assert_eq!(out, [12.0, 16.0]);
    }

    #[test]
    #[should_panic(expected = "left of a product")]
    fn refuses_a_slice_that_is_not_its_matrix() {
        multiply(&mut [0.0; 4], &[0.0; 3], &[0.0; 4], [2, 2, 2], false);
    }
}
