//! How sure a figure is: a 95 % interval by drawing again what it was measured on.
//!
//! What is drawn should be independent of each other: images of one person are alike, so that people are to be drawn where they are known.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Samples drawn for an interval.
pub const RESAMPLES: u64 = 1000;

/// The seed of every interval.
pub const SEED: u64 = 1;

/// The middle 95 % of the resampled figures.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The 2.5th percentile.
    pub low: f64,
    /// The 97.5th percentile.
    pub high: f64,
}

impl Interval {
    /// Whether a figure may be this one.
    pub fn holds(&self, figure: f64) -> bool {
        self.low <= figure && figure <= self.high
    }
}

/// The intervals of `N` figures that `figures` makes of a sample: indices below `groups`, as many of them, drawn with replacement. `None` with
/// fewer than two groups. A figure that a sample does not define is NaN there, and that sample is left out of its interval; `None` where none defines it.
pub fn intervals<const N: usize>(
    groups: usize,
    resamples: u64,
    seed: u64,
    figures: impl Fn(&[usize]) -> [f64; N] + Sync,
) -> Option<[Interval; N]> {
    let all = many_intervals(groups, resamples, seed, |indices| figures(indices).to_vec())?;
    let mut found = [Interval { low: 0.0, high: 0.0 }; N];
    for (index, interval) in found.iter_mut().enumerate() {
        *interval = all.get(index).copied().flatten()?;
    }
    Some(found)
}

/// The same for as many figures as `figures` makes, always equally many: one draw of people serves them all. A figure that no sample defines has
/// no interval.
pub fn many_intervals(
    groups: usize,
    resamples: u64,
    seed: u64,
    figures: impl Fn(&[usize]) -> Vec<f64> + Sync,
) -> Option<Vec<Option<Interval>>> {
    if groups < 2 {
        return None;
    }
    // One generator a resample: the same draws for any number of threads.
    let drawn: Vec<Vec<f64>> = (0..resamples)
        .into_par_iter()
        .map(|resample| {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            random.set_stream(resample);
            let indices: Vec<usize> = (0..groups).map(|_| random.random_range(0..groups)).collect();
            figures(&indices)
        })
        .collect();
    let interval = |index: usize| {
        let mut values: Vec<f64> =
            drawn.iter().filter_map(|figures| figures.get(index).copied()).filter(|v| !v.is_nan()).collect();
        values.sort_by(f64::total_cmp);
        Some(Interval { low: percentile(&values, 0.025)?, high: percentile(&values, 0.975)? })
    };
    Some((0..drawn.first().map_or(0, Vec::len)).map(interval).collect())
}

/// The percentile of sorted values, interpolated linearly between its neighbours.
fn percentile(sorted: &[f64], fraction: f64) -> Option<f64> {
    let index = fraction * sorted.len().checked_sub(1)? as f64;
    let low = sorted.get(index.floor() as usize)?;
    let high = sorted.get(index.ceil() as usize)?;
    Some(low + (high - low) * index.fract())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_interpolated() {
        let sorted: Vec<f64> = (0..=10).map(f64::from).collect();
        assert_eq!(percentile(&sorted, 0.975), Some(9.75));
        assert_eq!(percentile(&[], 0.5), None);
    }

    #[test]
    fn the_interval_of_a_share_has_the_binomial_width() {
        let right = |indices: &[usize]| [indices.iter().filter(|p| *p % 5 != 0).count() as f64 / 400.0];
        let [found] = intervals(400, RESAMPLES, SEED, right).unwrap();
        // 2 x 1.96 x sqrt(0.8 x 0.2 / 400) = 0.0784.
        assert!(found.holds(0.8) && (found.high - found.low - 0.0784).abs() < 0.01, "{found:?}");
        assert_eq!(intervals(1, 10, 1, right), None);
    }
}
