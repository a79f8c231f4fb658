//! LNets cut down to what a pyramid asks them: whether there is a face. They learn the other responses for what these teach their layers.

use lineament_net::{Array, Layer, NetError, NetSpec, Weights};

/// The net with the first filter alone of the convolution in which it ends: its response to "there is a face", to the bit. `None` when there is nothing to
/// leave out.
///
/// # Errors
/// Weights that do not belong to the net.
pub(in crate::locate) fn face_response(
    spec: &NetSpec,
    weights: &Weights,
) -> Result<Option<(NetSpec, Weights)>, NetError> {
    weights.check(spec)?;
    let (mut spec, mut cut) = (spec.clone(), weights.clone());
    let Some(Layer::Conv { name, filters, .. }) = spec.layers.last_mut() else { return Ok(None) };
    if *filters < 2 {
        return Ok(None);
    }
    *filters = 1;
    let prefix = format!("{name}.");
    for parameter in spec.parameters()?.iter().filter(|parameter| parameter.name.starts_with(&prefix)) {
        let Some(array) = weights.get(&parameter.name) else { continue };
        // Filters are outermost.
        let values = parameter.shape.iter().product();
        let data = array.data.iter().take(values).copied().collect();
        cut.insert(parameter.name.clone(), Array::new(&parameter.name, parameter.shape.clone(), data)?);
    }
    Ok(Some((spec, cut)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use lineament_net::{Net, Shape, Tensor};

    fn conv(name: &str, filters: usize) -> Layer {
        Layer::Conv { name: name.to_owned(), filters, kernel: 3, stride: 1, padding: 0, bias: true }
    }

    fn net(last: usize) -> (NetSpec, Weights) {
        let layers = vec![conv("conv1", 12), Layer::Relu, conv("responses", last)];
        let spec = NetSpec { name: "lnet".to_owned(), input: Shape::new(3, 9, 9), layers };
        let weights = Weights::random(&spec, 1).unwrap();
        (spec, weights)
    }

    #[test]
    fn the_first_response_keeps_its_bits() {
        let (spec, weights) = net(41);
        let (cut, of_cut) = face_response(&spec, &weights).unwrap().unwrap();
        let input = Tensor::from_vec([1, 3, 9, 9], (0..243).map(|i| (i % 17) as f32 / 8.0 - 1.0).collect());
        let run = |spec, weights| Net::new(spec, weights).unwrap().forward(input.as_ref().unwrap()).unwrap();
        let (all, first) = (run(&spec, &weights), run(&cut, &of_cut));
        assert_eq!((all.shape(), first.shape()), ([1, 41, 5, 5], [1, 1, 5, 5]));
        assert_eq!(first.data(), &all.data()[..25]);
    }

    #[test]
    fn nets_with_nothing_to_leave_out_are_left_alone() {
        let (spec, weights) = net(1);
        assert_eq!(face_response(&spec, &weights).unwrap(), None);
        let relu = NetSpec { layers: vec![conv("conv1", 12), Layer::Relu], ..spec };
        assert_eq!(face_response(&relu, &Weights::random(&relu, 1).unwrap()).unwrap(), None);
        assert!(face_response(&relu, &weights).is_err());
    }
}
