//! Batch normalization as it is after training, and softmax.

use std::sync::Arc;

use super::{Meter, Result};
use crate::value::{Array, axis};

/// Scale, shift, mean and variance of each channel, which is the second side.
pub(super) fn batch(
    mut input: Array<f32>,
    [scales, shifts, means, variances]: &[Array<f32>; 4],
    epsilon: f32,
    meter: &mut Meter,
) -> Result<Array<f32>> {
    let [_, channels, inner] = input.split_at(1);
    if [scales, shifts, means, variances].iter().any(|constants| constants.data.len() != channels) {
        return Err(format!("{channels} channels have not as many constants").into());
    }
    meter.hold(&input.shape)?;
    if inner == 0 {
        return Ok(input);
    }
    for (index, plane) in Arc::make_mut(&mut input.data).chunks_mut(inner).enumerate() {
        let of = |constants: &Array<f32>| constants.data.get(index % channels).copied().unwrap_or_default();
        let factor = of(scales) / (of(variances) + epsilon).sqrt();
        let (mean, shift) = (of(means), of(shifts));
        plane.iter_mut().for_each(|value| *value = (*value - mean) * factor + shift);
    }
    Ok(input)
}

/// Shares that sum to one along a side, or over all sides from it on.
pub(super) fn softmax(
    mut input: Array<f32>,
    along: i64,
    whole: bool,
    meter: &mut Meter,
) -> Result<Array<f32>> {
    let along = axis(along, input.shape.len())?;
    let [_, side, inner] = input.split_at(along);
    let (side, inner) = if whole { (side * inner, 1) } else { (side, inner) };
    meter.hold(&input.shape)?;
    if side * inner == 0 {
        return Ok(input);
    }
    for block in Arc::make_mut(&mut input.data).chunks_mut(side * inner) {
        for from in 0..inner {
            let values = || block.iter().skip(from).step_by(inner).copied();
            // Nothing above one is ever raised.
            let most = values().fold(f32::NEG_INFINITY, f32::max);
            let sum: f32 = values().map(|value| (value - most).exp()).sum();
            block.iter_mut().skip(from).step_by(inner).for_each(|value| *value = (*value - most).exp() / sum);
        }
    }
    Ok(input)
}
