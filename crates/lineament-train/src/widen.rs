//! From a narrow net to a wider one that computes the same (Net2Net: Chen, Goodfellow and Shlens, ICLR 2016): most of a training then runs on
//! the cheaper net.

use lineament_net::{Array, NetSpec, Parameter, ParameterKind, Weights};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::error::TrainError;

/// Weights for `wide` that compute what `weights` compute in `slim`, a net of the same layers with fewer filters. Channel `c` of a wide map is a
/// copy of channel `c mod n` of the slim one. Whoever reads the copies shares the slim weight out between them, by lots drawn from `seed`: the
/// sum stays, but each copy is asked for something else and so learns on its own way.
///
/// # Errors
/// When the two differ in more than widths, or the weights are not those of `slim`.
pub fn widen(slim: &NetSpec, wide: &NetSpec, weights: &Weights, seed: u64) -> Result<Weights, TrainError> {
    let other = |name: &str| {
        TrainError::Net(format!("{name} of net {} is not a wider one of net {}", wide.name, slim.name))
    };
    weights.check(slim).map_err(|e| TrainError::Net(e.to_string()))?;
    let (before, after) = (slim.parameters()?, wide.parameters()?);
    if before.len() != after.len() {
        return Err(other("the list of layers"));
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut wider = Weights::default();
    for (old, new) in before.iter().zip(&after) {
        let array = weights.get(&old.name).filter(|_| fits(old, new)).ok_or_else(|| other(&new.name))?;
        let data = copy(&array.data, old, new, &mut rng);
        wider.insert(new.name.clone(), Array { shape: new.shape.clone(), data });
    }
    Ok(wider)
}

/// Of the same layer, with as many or more channels on either side and the same filters and cells.
fn fits(old: &Parameter, new: &Parameter) -> bool {
    let channels = channels(new);
    let side =
        |(axis, (o, n)): (usize, (&usize, &usize))| if channels.contains(&axis) { o <= n } else { o == n };
    old.name == new.name
        && old.shape.len() == new.shape.len()
        && old.shape.iter().zip(&new.shape).enumerate().all(side)
}

/// The axes of an array that count channels (for a fully connected layer channels x pixels, channels outermost).
fn channels(parameter: &Parameter) -> std::ops::Range<usize> {
    match (parameter.kind, parameter.shape.len()) {
        (ParameterKind::Weight { .. }, 5) => 1..3,
        (ParameterKind::Weight { .. }, _) => 0..2,
        (_, axes) => axes.saturating_sub(1)..axes,
    }
}

fn copy(data: &[f32], old: &Parameter, new: &Parameter, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let inputs = match new.kind {
        ParameterKind::Weight { .. } => channels(new).end - 1,
        _ => new.shape.len(),
    };
    // An array seen as [outer, inputs, inner]: one filter a row of `outer`.
    let outer = |shape: &[usize]| shape[..inputs.min(shape.len())].iter().product::<usize>();
    let inner: usize = new.shape.get(inputs + 1..).unwrap_or_default().iter().product();
    let (few, many) =
        (old.shape.get(inputs).copied().unwrap_or(1), new.shape.get(inputs).copied().unwrap_or(1));
    let mut wide = Vec::with_capacity(outer(&new.shape) * many * inner);
    for row in 0..outer(&new.shape) {
        // Cells keep their place; the filters within one repeat.
        let (fewer, more) =
            (old.shape[inputs.min(old.shape.len()) - 1], new.shape[inputs.min(new.shape.len()) - 1]);
        let source = row / more * fewer + row % more % fewer;
        let lots = lots(few, many, rng);
        for (input, lot) in lots.iter().enumerate() {
            let start = (source * few + input % few) * inner;
            wide.extend(data[start..start + inner].iter().map(|value| value * lot));
        }
    }
    wide
}

/// The share of each of `many` copies of `few` things; the shares of one thing sum to 1.
fn lots(few: usize, many: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
    if few == many {
        return vec![1.0; many];
    }
    let drawn: Vec<f32> = (0..many).map(|_| rng.random_range(0.25..1.0)).collect();
    let mut sums = vec![0.0; few];
    drawn.iter().enumerate().for_each(|(copy, lot)| sums[copy % few] += lot);
    drawn.iter().enumerate().map(|(copy, lot)| lot / sums[copy % few]).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use lineament_net::{Layer, Net, Shape, Tensor};

    use super::*;
    use crate::recipe::{Recipe, narrow};

    fn output(spec: &NetSpec, weights: &Weights) -> Vec<f32> {
        let shape = [2, spec.input.channels, spec.input.height, spec.input.width];
        let values = (0..shape.iter().product()).map(|i: usize| ((i * 7919) % 255) as f32 / 127.0 - 1.0);
        let input = Tensor::from_vec(shape, values.collect()).unwrap();
        Net::new(spec, weights).unwrap().forward(&input).unwrap().data().to_vec()
    }

    #[test]
    fn a_wider_net_computes_the_same() {
        for (recipe, width) in [("compact", [1, 2]), ("paper", [4, 5]), ("drawn", [1, 4])] {
            let wide = Recipe::named(recipe).unwrap().nets.anet;
            let slim = narrow(&wide, width).unwrap();
            let weights = Weights::random(&slim, 5).unwrap();
            let wider = widen(&slim, &wide, &weights, 7).unwrap();
            wider.check(&wide).unwrap();
            let (before, after) = (output(&slim, &weights), output(&wide, &wider));
            assert!(before.iter().any(|v| *v != 0.0));
            for (b, a) in before.iter().zip(&after) {
                assert!((b - a).abs() <= 1e-4 * b.abs().max(1.0), "{recipe}: {b} {a}");
            }
        }
    }

    #[test]
    fn depthwise_convolutions_widen_and_larger_groups_are_refused() {
        let conv = |name: &str, filters, groups| Layer::Conv {
            name: name.to_owned(),
            filters,
            kernel: 3,
            stride: 1,
            padding: [1; 2],
            groups,
            bias: true,
        };
        let net = |groups| {
            let layers = vec![conv("a", 12, 1), conv("b", 12, groups), Layer::Relu6, conv("c", 6, 1)];
            NetSpec { name: "mobile".to_owned(), input: Shape::new(3, 7, 7), layers }
        };
        let wide = net(12);
        let slim = narrow(&wide, [1, 3]).unwrap();
        let weights = Weights::random(&slim, 5).unwrap();
        let wider = widen(&slim, &NetSpec { layers: wide.layers[..3].to_vec(), ..wide.clone() }, &weights, 7);
        assert!(wider.is_err(), "another list of layers");
        let wider = widen(&slim, &wide, &weights, 7).unwrap();
        let (before, after) = (output(&slim, &weights), output(&wide, &wider));
        // The wide net's filters repeat those of the slim one.
        for (item, after) in before.chunks(2 * 49).zip(after.chunks(6 * 49)) {
            for (place, found) in after.iter().enumerate() {
                assert!((found - item[place % (2 * 49)]).abs() < 1e-4);
            }
        }
        let why = narrow(&net(3), [1, 2]).unwrap_err().to_string();
        assert!(why.contains("convolution b has 3 groups"), "{why}");
    }

    #[test]
    fn copies_are_asked_for_different_things() {
        let wide = Recipe::named("drawn").unwrap().nets.anet;
        let slim = narrow(&wide, [1, 2]).unwrap();
        let wider = widen(&slim, &wide, &Weights::random(&slim, 5).unwrap(), 7).unwrap();
        let second = &wider.get("conv2.weight").unwrap();
        let (half, taps) = (second.shape[1] / 2, second.shape[2] * second.shape[3]);
        assert_ne!(second.data[..taps], second.data[half * taps..(half + 1) * taps]);
    }

    #[test]
    fn widths_and_nets_that_do_not_fit_are_refused() {
        let wide = Recipe::named("compact").unwrap().nets.anet;
        for width in [[0, 2], [2, 2], [3, 2], [1, 7]] {
            let why = narrow(&wide, width).unwrap_err().to_string();
            assert!(why.contains("anet.narrow.width"), "{why}");
        }
        let slim = narrow(&wide, [1, 2]).unwrap();
        let weights = Weights::random(&slim, 5).unwrap();
        let paper = Recipe::named("paper").unwrap().nets.anet;
        assert!(widen(&slim, &paper, &weights, 7).is_err());
        assert!(widen(&wide, &wide, &weights, 7).is_err());
    }
}
