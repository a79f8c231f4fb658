//! Learnt arrays in the order that the steps read them, with normalisations multiplied in.

use super::NetError;
use super::step::{Convolution, Depthwise, Matrix};
use crate::kernel::activation::Activation;
use crate::kernel::window::Window;
use crate::spec::join;
use crate::{CheckedLayer, Layer, Weights, WeightsError};

/// `scale * x + shift` a channel.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Affine {
    pub(crate) scale: Vec<f32>,
    pub(crate) shift: Vec<f32>,
}

/// A batch normalisation with its running statistics put in.
pub(crate) fn normalisation(epsilon: f32, at: &CheckedLayer, weights: &Weights) -> Result<Affine, NetError> {
    let [scale, shift] = [array(at, "scale", weights)?, array(at, "shift", weights)?];
    let [mean, variance] = [array(at, "mean", weights)?, array(at, "variance", weights)?];
    let factor = |c: usize| f64::from(scale[c]) / (f64::from(variance[c]) + f64::from(epsilon)).sqrt();
    let channels = 0..at.input.channels;
    let affine = Affine {
        scale: channels.clone().map(|c| factor(c) as f32).collect(),
        shift: channels.map(|c| (f64::from(shift[c]) - f64::from(mean[c]) * factor(c)) as f32).collect(),
    };
    finite(at, [&affine.scale, &affine.shift])?;
    Ok(affine)
}

/// Slopes of a PReLU.
pub(crate) fn slopes(at: &CheckedLayer, weights: &Weights) -> Result<Vec<f32>, NetError> {
    Ok(array(at, "slope", weights)?.to_vec())
}

/// A convolution, shared or locally shared, without its activation.
pub(crate) fn convolution(
    layer: &Layer,
    at: &CheckedLayer,
    weights: &Weights,
    affine: Option<Affine>,
) -> Result<Convolution, NetError> {
    let (window, biased, cells, groups) = match layer {
        Layer::Conv { kernel, stride, padding, groups, bias, .. } => {
            (Window { kernel: *kernel, stride: *stride, padding: *padding }, *bias, 1, *groups)
        }
        Layer::LocalConv { kernel, stride, padding, grid, bias, .. } => {
            let window = Window { kernel: *kernel, stride: *stride, padding: [*padding; 2] };
            (window, *bias, grid[0] * grid[1], 1)
        }
        other => return Err(NetError::Mismatch { layer: at.path.clone(), kind: other.kind() }),
    };
    let filters = at.output.channels;
    let (inputs, own) = (at.input.channels / groups, filters / groups);
    let taps = window.kernel * window.kernel;
    let given = array(at, "weight", weights)?;
    let mut weight = Vec::with_capacity(given.len());
    for bank in given.chunks_exact(own * inputs * taps) {
        for tap in 0..taps {
            for input in 0..inputs {
                weight.extend((0..own).map(|filter| bank[(filter * inputs + input) * taps + tap]));
            }
        }
    }
    let mut bias = if biased { array(at, "bias", weights)?.to_vec() } else { vec![0.0; cells * filters] };
    if let Some(affine) = affine {
        // Cells have all filters each, groups their own ones.
        let banks = weight.chunks_exact_mut(own * inputs * taps);
        for (bank, scale) in banks.zip(affine.scale.chunks_exact(own).cycle()) {
            for row in bank.chunks_exact_mut(own) {
                row.iter_mut().zip(scale).for_each(|(w, scale)| *w *= scale);
            }
        }
        for row in bias.chunks_exact_mut(filters) {
            offset(row, &affine);
        }
        finite(at, [&weight, &bias])?;
    }
    let path = at.path.clone();
    Ok(Convolution { path, window, filters, groups, weight, bias, activation: Activation::Identity })
}

/// Whether the filters of a layer read one channel each, one filter a channel.
pub(crate) fn is_depthwise(layer: &Layer, at: &CheckedLayer) -> bool {
    let channels = at.input.channels;
    matches!(layer, Layer::Conv { groups, filters, .. } if *groups > 1 && *groups == channels && *filters == channels)
}

/// A depthwise convolution without its activation.
pub(crate) fn depthwise(
    layer: &Layer,
    at: &CheckedLayer,
    weights: &Weights,
    affine: Option<Affine>,
) -> Result<Depthwise, NetError> {
    // A bank is one filter: taps run along it.
    let Convolution { path, window, weight, bias, activation, .. } = convolution(layer, at, weights, affine)?;
    let (taps, channels) = (window.kernel * window.kernel, at.input.channels);
    let value = |tap: usize| (0..channels).map(move |channel| channel * taps + tap);
    let weight = (0..taps).flat_map(value).map(|from| weight[from]).collect();
    Ok(Depthwise { path, window, weight, bias, activation })
}

/// A fully connected layer without its activation.
pub(crate) fn matrix(
    layer: &Layer,
    at: &CheckedLayer,
    weights: &Weights,
    affine: Option<Affine>,
) -> Result<Matrix, NetError> {
    let Layer::Linear { outputs, bias: biased, .. } = layer else {
        return Err(NetError::Mismatch { layer: at.path.clone(), kind: layer.kind() });
    };
    let (outputs, inputs) = (*outputs, at.input.elements());
    let (channels, plane) = (at.input.channels, at.input.height * at.input.width);
    let given = array(at, "weight", weights)?;
    let mut weight = Vec::with_capacity(given.len());
    for pixel in 0..plane {
        for channel in 0..channels {
            let input = channel * plane + pixel;
            weight.extend((0..outputs).map(|output| {
                let scale = affine.as_ref().map_or(1.0, |affine| affine.scale[output]);
                given[output * inputs + input] * scale
            }));
        }
    }
    let mut bias = if *biased { array(at, "bias", weights)?.to_vec() } else { vec![0.0; outputs] };
    if let Some(affine) = affine {
        offset(&mut bias, &affine);
        finite(at, [&weight, &bias])?;
    }
    let path = at.path.clone();
    Ok(Matrix { path, inputs, outputs, weight, bias, activation: Activation::Identity })
}

fn offset(bias: &mut [f32], affine: &Affine) {
    let factors = affine.scale.iter().zip(&affine.shift);
    bias.iter_mut().zip(factors).for_each(|(b, (scale, shift))| *b = *b * scale + shift);
}

fn array<'w>(at: &CheckedLayer, word: &str, weights: &'w Weights) -> Result<&'w [f32], NetError> {
    let name = join(&at.path, word);
    match weights.get(&name) {
        Some(array) => Ok(&array.data),
        None => Err(WeightsError::Missing { name, net: at.path.clone() }.into()),
    }
}

/// Finite numbers can leave f32 when they are multiplied together.
fn finite(at: &CheckedLayer, arrays: [&[f32]; 2]) -> Result<(), NetError> {
    if arrays.into_iter().flatten().all(|value| value.is_finite()) {
        Ok(())
    } else {
        Err(NetError::NotFinite { layer: at.path.clone() })
    }
}
