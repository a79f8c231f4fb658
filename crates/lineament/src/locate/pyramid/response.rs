//! What an LNet says about a window.

use lineament_net::{Array, Layer, NetError, NetSpec, Weights};

/// An LNet's answer about a window: the first channels of its last convolution, in this order. The others, one for each
/// attribute, serve learning alone.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Response {
    /// How strongly it responds to "the face of a framed window is here", a logit.
    pub face: f32,
    /// How far right of the window's centre that of the face's own window lies, in sides of this one.
    pub right: f32,
    /// How far below.
    pub down: f32,
    /// Logarithm of the side of the face's own window, in sides of this one.
    pub size: f32,
    /// Sine of how far the head is turned clockwise in the window.
    pub sine: f32,
    /// Cosine of it.
    pub cosine: f32,
}

impl Response {
    /// How many channels it is read from.
    pub const CHANNELS: usize = 6;

    /// Of the values of its channels.
    pub const fn of([face, right, down, size, sine, cosine]: [f32; Self::CHANNELS]) -> Self {
        Self { face, right, down, size, sine, cosine }
    }

    /// How far the head is turned clockwise in the window, in degrees; 0 where the net says nothing.
    pub fn roll(&self) -> f32 {
        self.sine.atan2(self.cosine).to_degrees()
    }

    /// Whether all of it are numbers.
    pub(super) fn is_finite(&self) -> bool {
        let Self { face, right, down, size, sine, cosine } = self;
        [face, right, down, size, sine, cosine].iter().all(|value| value.is_finite())
    }
}

/// The net with no more filters in the convolution in which it ends than a [`Response`] has channels: what it says of them
/// keeps its bits. `None` when there is nothing to leave out.
///
/// # Errors
/// Weights that do not belong to the net.
pub(crate) fn without_attributes(
    spec: &NetSpec,
    weights: &Weights,
) -> Result<Option<(NetSpec, Weights)>, NetError> {
    weights.check(spec)?;
    let (mut spec, mut cut) = (spec.clone(), weights.clone());
    let Some(Layer::Conv { name, filters, .. }) = spec.layers.last_mut() else { return Ok(None) };
    if *filters <= Response::CHANNELS {
        return Ok(None);
    }
    *filters = Response::CHANNELS;
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
        Layer::Conv {
            name: name.to_owned(),
            filters,
            kernel: 3,
            stride: 1,
            padding: [0; 2],
            groups: 1,
            bias: true,
        }
    }

    fn net(last: usize) -> (NetSpec, Weights) {
        let layers = vec![conv("conv1", 12), Layer::Relu, conv("responses", last)];
        let spec = NetSpec { name: "lnet".to_owned(), input: Shape::new(3, 9, 9), layers };
        let weights = Weights::random(&spec, 1).unwrap();
        (spec, weights)
    }

    #[test]
    fn the_first_responses_keep_their_bits() {
        let (spec, weights) = net(46);
        let (cut, of_cut) = without_attributes(&spec, &weights).unwrap().unwrap();
        let input = Tensor::from_vec([1, 3, 9, 9], (0..243).map(|i| (i % 17) as f32 / 8.0 - 1.0).collect());
        let run = |spec, weights| Net::new(spec, weights).unwrap().forward(input.as_ref().unwrap()).unwrap();
        let (all, first) = (run(&spec, &weights), run(&cut, &of_cut));
        assert_eq!((all.shape(), first.shape()), ([1, 46, 5, 5], [1, 6, 5, 5]));
        assert_eq!(first.data(), &all.data()[..150]);
    }

    #[test]
    fn nets_with_nothing_to_leave_out_are_left_alone() {
        let (spec, weights) = net(6);
        assert_eq!(without_attributes(&spec, &weights).unwrap(), None);
        let relu = NetSpec { layers: vec![conv("conv1", 12), Layer::Relu], ..spec };
        assert_eq!(without_attributes(&relu, &Weights::random(&relu, 1).unwrap()).unwrap(), None);
        assert!(without_attributes(&relu, &weights).is_err());
    }

    #[test]
    fn the_roll_is_the_angle_of_sine_and_cosine_whatever_their_length() {
        for (sine, cosine, roll) in [(0.0, 0.0, 0.0), (0.0, 3.0, 0.0), (0.2, 0.2, 45.0), (-2.0, 0.0, -90.0)] {
            assert!((Response { sine, cosine, ..Response::default() }.roll() - roll).abs() < 1e-4);
        }
    }
}
