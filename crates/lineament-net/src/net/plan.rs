//! From a spec to a flat list of steps: normalisations folded into the sums before them, activations into the pass
//! that writes the sums, residual sums into the last convolution of their body.

use std::collections::HashMap;

use super::NetError;
use super::fold::{Affine, convolution, depthwise, is_depthwise, matrix, normalisation, slopes};
use super::step::{Convolution, Depthwise, Matrix};
use crate::kernel::activation::Activation;
use crate::kernel::pooling::Pooling;
use crate::kernel::window::Window;
use crate::{CheckedLayer, Layer, Weights};

/// Number of a buffer that holds one map.
pub(crate) type Slot = usize;

/// One step on the maps of one item.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    /// `accumulate`: onto the map that `output` already holds.
    Convolve {
        convolution: Convolution,
        input: Slot,
        output: Slot,
        accumulate: bool,
    },
    ConvolveCells {
        convolution: Convolution,
        grid: [usize; 2],
        input: Slot,
        output: Slot,
    },
    /// In single precision whatever the others are in: a map is read twice to become bytes, for nine or twenty-five
    /// products a value.
    Depthwise {
        depthwise: Depthwise,
        input: Slot,
        output: Slot,
    },
    Multiply {
        matrix: Matrix,
        input: Slot,
        output: Slot,
    },
    Pool {
        pooling: Pooling,
        window: Window,
        input: Slot,
        output: Slot,
    },
    Copy {
        input: Slot,
        output: Slot,
    },
    /// The map in bytes, for the sums that read it so.
    ToBytes {
        input: Slot,
        output: Slot,
    },
    Normalise {
        affine: Affine,
        activation: Activation,
        slot: Slot,
    },
    Activate {
        activation: Activation,
        slot: Slot,
    },
    Add {
        input: Slot,
        into: Slot,
        activation: Activation,
    },
}

/// A whole net: from slot 0 to slot `output`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plan {
    pub(crate) steps: Vec<Step>,
    pub(crate) slots: usize,
    pub(crate) output: Slot,
}

impl Plan {
    /// Values of all filters and matrices.
    pub(crate) fn weights(&self) -> usize {
        let of = |step: &Step| match step {
            Step::Convolve { convolution, .. } | Step::ConvolveCells { convolution, .. } => {
                convolution.weight.len()
            }
            Step::Depthwise { depthwise, .. } => depthwise.weight.len(),
            Step::Multiply { matrix, .. } => matrix.weight.len(),
            _ => 0,
        };
        self.steps.iter().map(of).sum()
    }

    /// The same with the sums of convolutions in bytes. A map that several of them read becomes bytes once.
    pub(crate) fn in_bytes(self) -> Self {
        let Self { steps, mut slots, output } = self;
        let (mut all, mut known) = (Vec::with_capacity(2 * steps.len()), HashMap::new());
        for mut step in steps {
            if let Step::Convolve { convolution, input, .. } | Step::ConvolveCells { convolution, input, .. } =
                &mut step
                && convolution.fits_bytes()
            {
                *input = *known.entry(*input).or_insert_with_key(|&input| {
                    let output = slots;
                    slots += 1;
                    all.push(Step::ToBytes { input, output });
                    output
                });
            }
            known.remove(&step.slot());
            all.push(step);
        }
        Self { steps: all, slots, output }
    }
}

/// Compiles a whole net.
pub(crate) fn compile(
    layers: &[Layer],
    checked: &[CheckedLayer],
    weights: &Weights,
) -> Result<Plan, NetError> {
    let mut compiler = Compiler { weights, steps: Vec::new(), slots: 1, free: Vec::new() };
    let output = compiler.sequence(layers, checked, 0, false)?;
    Ok(Plan { steps: compiler.steps, slots: compiler.slots, output })
}

/// A normalisation and an activation behind a layer, to be folded into it.
struct Tail {
    affine: Option<Affine>,
    activation: Activation,
    layers: usize,
}

impl Tail {
    fn of(layers: &[Layer], checked: &[CheckedLayer], weights: &Weights) -> Result<Self, NetError> {
        let affine = match (layers.first(), checked.first()) {
            (Some(Layer::BatchNorm { epsilon, .. }), Some(at)) => Some(normalisation(*epsilon, at, weights)?),
            _ => None,
        };
        let skip = usize::from(affine.is_some());
        let activation = activation(&layers[skip..], &checked[skip..], weights)?;
        let layers = skip + usize::from(activation.is_some());
        Ok(Self { affine, activation: activation.unwrap_or(Activation::Identity), layers })
    }
}

/// The first layer, if it is an activation.
fn activation(
    layers: &[Layer],
    checked: &[CheckedLayer],
    weights: &Weights,
) -> Result<Option<Activation>, NetError> {
    Ok(match (layers.first(), checked.first()) {
        (Some(Layer::Relu), _) => Some(Activation::Relu),
        (Some(Layer::Relu6), _) => Some(Activation::Relu6),
        (Some(Layer::HardSwish), _) => Some(Activation::HardSwish),
        (Some(Layer::Prelu { .. }), Some(at)) => Some(Activation::Prelu(slopes(at, weights)?)),
        _ => None,
    })
}

struct Compiler<'a> {
    weights: &'a Weights,
    steps: Vec<Step>,
    slots: usize,
    free: Vec<Slot>,
}

impl Compiler<'_> {
    fn slot(&mut self) -> Slot {
        self.free.pop().unwrap_or_else(|| {
            self.slots += 1;
            self.slots - 1
        })
    }

    /// A slot with the same map that may be written: the one given when it is `owned`, else a copy.
    fn writable(&mut self, slot: Slot, owned: bool) -> Slot {
        if owned {
            return slot;
        }
        let output = self.slot();
        self.steps.push(Step::Copy { input: slot, output });
        output
    }

    /// The slot with the result of `layers` on slot `input`, which still holds its map afterwards when `keep`.
    fn sequence(
        &mut self,
        layers: &[Layer],
        checked: &[CheckedLayer],
        input: Slot,
        keep: bool,
    ) -> Result<Slot, NetError> {
        let mut current = input;
        let mut owned = !keep;
        let mut at = 0;
        while let (Some(layer), Some(place)) = (layers.get(at), checked.get(at)) {
            at += 1;
            let (behind, places) = (&layers[at..], &checked[at..]);
            let before = current;
            match layer {
                Layer::Conv { .. } | Layer::LocalConv { .. } | Layer::Linear { .. } => {
                    let tail = Tail::of(behind, places, self.weights)?;
                    at += tail.layers;
                    let output = self.slot();
                    self.steps.push(self.sum(layer, place, tail, current, output)?);
                    current = output;
                }
                Layer::MaxPool { kernel, stride, padding } | Layer::AvgPool { kernel, stride, padding } => {
                    let mean = matches!(layer, Layer::AvgPool { .. });
                    let pooling = if mean { Pooling::Mean } else { Pooling::Max };
                    let window = Window { kernel: *kernel, stride: *stride, padding: [*padding; 2] };
                    let output = self.slot();
                    self.steps.push(Step::Pool { pooling, window, input: current, output });
                    current = output;
                }
                Layer::BatchNorm { epsilon, .. } => {
                    let activation = activation(behind, places, self.weights)?;
                    at += usize::from(activation.is_some());
                    let activation = activation.unwrap_or(Activation::Identity);
                    let affine = normalisation(*epsilon, place, self.weights)?;
                    current = self.writable(current, owned);
                    self.steps.push(Step::Normalise { affine, activation, slot: current });
                }
                Layer::Relu | Layer::Relu6 | Layer::HardSwish | Layer::Prelu { .. } => {
                    let activation = activation(&layers[at - 1..], &checked[at - 1..], self.weights)?;
                    current = self.writable(current, owned);
                    if let Some(activation) = activation {
                        self.steps.push(Step::Activate { activation, slot: current });
                    }
                }
                Layer::Residual { body, shortcut, .. } => {
                    let activation = activation(behind, places, self.weights)?;
                    at += usize::from(activation.is_some());
                    let activation = activation.unwrap_or(Activation::Identity);
                    let sum = if shortcut.is_empty() {
                        self.writable(current, owned)
                    } else {
                        self.sequence(shortcut, &place.shortcut, current, true)?
                    };
                    self.body(body, &place.body, current, sum, activation)?;
                    current = sum;
                }
            }
            if before != current {
                if owned {
                    self.free.push(before);
                }
                owned = true;
            }
        }
        Ok(self.writable(current, owned))
    }

    fn sum(
        &self,
        layer: &Layer,
        place: &CheckedLayer,
        tail: Tail,
        input: Slot,
        output: Slot,
    ) -> Result<Step, NetError> {
        Ok(if let Layer::Linear { .. } = layer {
            let matrix = matrix(layer, place, self.weights, tail.affine)?;
            Step::Multiply { matrix: Matrix { activation: tail.activation, ..matrix }, input, output }
        } else if is_depthwise(layer, place) {
            let depthwise = depthwise(layer, place, self.weights, tail.affine)?;
            let depthwise = Depthwise { activation: tail.activation, ..depthwise };
            Step::Depthwise { depthwise, input, output }
        } else {
            let convolution = convolution(layer, place, self.weights, tail.affine)?;
            let convolution = Convolution { activation: tail.activation, ..convolution };
            match layer {
                Layer::LocalConv { grid, .. } => {
                    Step::ConvolveCells { convolution, grid: *grid, input, output }
                }
                _ => Step::Convolve { convolution, input, output, accumulate: false },
            }
        })
    }

    /// Adds a residual's body, run on slot `input`, to the map in slot `sum`, then activates the sum. `input` keeps its
    /// map unless it is `sum`.
    fn body(
        &mut self,
        body: &[Layer],
        checked: &[CheckedLayer],
        input: Slot,
        sum: Slot,
        activation: Activation,
    ) -> Result<(), NetError> {
        // The last convolution can add to the shortcut by itself, unless it would overwrite what it reads.
        let last = match body {
            [.., Layer::Conv { .. }] => body.len() - 1,
            [.., Layer::Conv { .. }, Layer::BatchNorm { .. }] => body.len() - 2,
            _ => body.len(),
        };
        let adds = |(layer, at)| !is_depthwise(layer, at);
        let last = if body.iter().zip(checked).nth(last).is_some_and(adds) { last } else { body.len() };
        let (fused, input) = if last < body.len() && last > 0 {
            (true, self.sequence(&body[..last], &checked[..last], input, true)?)
        } else {
            (last < body.len() && input != sum, input)
        };
        if fused {
            let tail = Tail::of(&body[last + 1..], &checked[last + 1..], self.weights)?;
            let convolution = convolution(&body[last], &checked[last], self.weights, tail.affine)?;
            let convolution = Convolution { activation, ..convolution };
            self.steps.push(Step::Convolve { convolution, input, output: sum, accumulate: true });
            if last > 0 {
                self.free.push(input);
            }
        } else {
            let output = self.sequence(body, checked, input, true)?;
            self.steps.push(Step::Add { input: output, into: sum, activation });
            self.free.push(output);
        }
        Ok(())
    }
}
