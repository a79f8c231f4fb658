//! Works out the shape of every layer, or names the layer that cannot be.

use std::collections::BTreeSet;

use super::{Layer, NetSpec, Parameter, ParameterKind, Shape, SpecError, join};

/// The most values that one map, one parameter or all parameters together may hold (4 GiB of f32).
pub const MAX_ELEMENTS: usize = 1 << 30;
/// The deepest nesting of residuals.
pub const MAX_DEPTH: usize = 16;
/// The most layers in a net, children counted.
pub const MAX_LAYERS: usize = 4096;
/// The longest name of a layer or net, in characters.
pub const MAX_NAME: usize = 64;

/// What [`NetSpec::check`] found: the shapes of every layer, the parameters and the work.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    input: Shape,
    output: Shape,
    layers: Vec<CheckedLayer>,
    parameters: Vec<Parameter>,
    multiply_adds: u64,
    fixed: Option<String>,
}

impl Checked {
    /// Shape of the net's input.
    pub fn input(&self) -> Shape {
        self.input
    }

    /// Shape of the net's output.
    pub fn output(&self) -> Shape {
        self.output
    }

    /// The layers with their shapes, in the order of [`NetSpec::layers`].
    pub fn layers(&self) -> &[CheckedLayer] {
        &self.layers
    }

    /// Every learnt array, in the order of the layers (a residual's body before its shortcut).
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// Multiplications with an addition in all convolutions and matrices, for one input.
    pub fn multiply_adds(&self) -> u64 {
        self.multiply_adds
    }

    /// The first layer that ties the net to its declared input size, if there is one.
    pub fn fixed_by(&self) -> Option<&str> {
        self.fixed.as_deref()
    }
}

/// One layer's place and shapes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedLayer {
    /// Names joined by dots; layers without a name show their kind and place (`block1.max_pool#2`).
    pub path: String,
    /// Shape that comes in.
    pub input: Shape,
    /// Shape that goes out.
    pub output: Shape,
    /// Children of a residual's body.
    pub body: Vec<CheckedLayer>,
    /// Children of a residual's shortcut.
    pub shortcut: Vec<CheckedLayer>,
}

impl NetSpec {
    /// Works out the shapes of all layers for the declared input.
    ///
    /// # Errors
    /// The first thing that is wrong, with the layer's path.
    pub fn check(&self) -> Result<Checked, SpecError> {
        self.check_for(self.input.height, self.input.width)
    }

    /// The same for an input of `height` x `width`.
    ///
    /// # Errors
    /// As [`NetSpec::check`]; [`SpecError::FixedSize`] where another size than the declared one meets a layer made for that.
    pub fn check_for(&self, height: usize, width: usize) -> Result<Checked, SpecError> {
        check_name("net", &self.name)?;
        let input = Shape { height, width, ..self.input };
        for (field, size) in [
            ("channels", input.channels),
            ("height", input.height),
            ("width", input.width),
            ("height", self.input.height),
            ("width", self.input.width),
        ] {
            nonzero("input", field, size)?;
        }
        limited("input", "the input", &[input.channels, height, width])?;
        if self.layers.is_empty() {
            return Err(SpecError::NoLayers { net: self.name.clone() });
        }
        let mut checker = Checker { declared: self.input, given: input, ..Checker::default() };
        let (layers, output) = checker.sequence(&self.layers, "", input, 0)?;
        let Checker { parameters, multiply_adds, fixed, .. } = checker;
        Ok(Checked { input, output, layers, parameters, multiply_adds, fixed })
    }

    /// Shape of the output for the declared input.
    ///
    /// # Errors
    /// As [`NetSpec::check`].
    pub fn output(&self) -> Result<Shape, SpecError> {
        Ok(self.check()?.output)
    }

    /// Shape of the output for an input of `height` x `width`.
    ///
    /// # Errors
    /// As [`NetSpec::check_for`].
    pub fn output_for(&self, height: usize, width: usize) -> Result<Shape, SpecError> {
        Ok(self.check_for(height, width)?.output)
    }

    /// Every learnt array, in the order of the layers (a residual's body before its shortcut).
    ///
    /// # Errors
    /// As [`NetSpec::check`].
    pub fn parameters(&self) -> Result<Vec<Parameter>, SpecError> {
        Ok(self.check()?.parameters)
    }

    /// Multiplications with an addition in all convolutions and matrices, for one input of `height` x `width`.
    ///
    /// # Errors
    /// As [`NetSpec::check_for`].
    pub fn multiply_adds(&self, height: usize, width: usize) -> Result<u64, SpecError> {
        Ok(self.check_for(height, width)?.multiply_adds)
    }
}

struct Checker {
    declared: Shape,
    given: Shape,
    paths: BTreeSet<String>,
    count: usize,
    parameters: Vec<Parameter>,
    learnt: usize,
    multiply_adds: u64,
    fixed: Option<String>,
}

impl Default for Checker {
    fn default() -> Self {
        let nothing = Shape::new(0, 0, 0);
        Self {
            declared: nothing,
            given: nothing,
            paths: BTreeSet::new(),
            count: 0,
            parameters: Vec::new(),
            learnt: 0,
            multiply_adds: 0,
            fixed: None,
        }
    }
}

impl Checker {
    fn sequence(
        &mut self,
        layers: &[Layer],
        parent: &str,
        input: Shape,
        depth: usize,
    ) -> Result<(Vec<CheckedLayer>, Shape), SpecError> {
        let mut shape = input;
        let mut checked = Vec::new();
        for (place, layer) in layers.iter().enumerate() {
            let anonymous = join(parent, &format!("{}#{place}", layer.kind()));
            self.count += 1;
            if self.count > MAX_LAYERS {
                return Err(SpecError::TooManyLayers { layer: anonymous });
            }
            let path = match layer.name() {
                None => anonymous,
                Some(name) => {
                    check_name(&anonymous, name)?;
                    let path = join(parent, name);
                    if !self.paths.insert(path.clone()) {
                        return Err(SpecError::Duplicate { layer: path });
                    }
                    path
                }
            };
            let layer = self.layer(layer, path, shape, depth)?;
            shape = layer.output;
            checked.push(layer);
        }
        Ok((checked, shape))
    }

    fn layer(
        &mut self,
        layer: &Layer,
        path: String,
        input: Shape,
        depth: usize,
    ) -> Result<CheckedLayer, SpecError> {
        let (mut children, mut shortcuts) = (Vec::new(), Vec::new());
        let output = match layer {
            Layer::Relu | Layer::Relu6 | Layer::HardSwish => input,
            Layer::Conv { filters, kernel, stride, padding, groups, bias, .. } => {
                let output = convolved(&path, input, *filters, *kernel, *stride, *padding)?;
                let inputs = group(&path, *groups, input.channels, *filters)?;
                self.filters(&path, &[], inputs, output, *kernel, *bias)?;
                output
            }
            Layer::LocalConv { filters, kernel, stride, padding, grid, bias, .. } => {
                self.fixed_size(&path)?;
                let [rows, cols] = *grid;
                nonzero(&path, "grid", rows.min(cols))?;
                let output = convolved(&path, input, *filters, *kernel, *stride, [*padding; 2])?;
                if !output.height.is_multiple_of(rows) || !output.width.is_multiple_of(cols) {
                    return Err(SpecError::Grid { layer: path, grid: *grid, output });
                }
                // Both divide sides of a map within the limit, so their product is within it too.
                self.filters(&path, &[rows * cols], input.channels, output, *kernel, *bias)?;
                output
            }
            Layer::BatchNorm { epsilon, .. } => {
                if !epsilon.is_finite() || *epsilon <= 0.0 {
                    return Err(SpecError::Epsilon { layer: path, epsilon: *epsilon });
                }
                for (word, kind) in [
                    ("scale", ParameterKind::Scale),
                    ("shift", ParameterKind::Shift),
                    ("mean", ParameterKind::Mean),
                    ("variance", ParameterKind::Variance),
                ] {
                    self.learn(&path, word, vec![input.channels], kind)?;
                }
                input
            }
            Layer::Prelu { .. } => {
                self.learn(&path, "slope", vec![input.channels], ParameterKind::Slope)?;
                input
            }
            Layer::MaxPool { kernel, stride, padding } | Layer::AvgPool { kernel, stride, padding } => {
                // Half the kernel is what every other runner of these layers allows.
                pooled(&path, input, *kernel, *stride, [*padding; 2], kernel / 2)?
            }
            Layer::Residual { body, shortcut, .. } => {
                if depth == MAX_DEPTH {
                    return Err(SpecError::TooDeep { layer: path });
                }
                if body.is_empty() {
                    return Err(SpecError::EmptyBody { layer: path });
                }
                let (long, shorts);
                (children, long) = self.sequence(body, &path, input, depth + 1)?;
                (shortcuts, shorts) = self.sequence(shortcut, &path, input, depth + 1)?;
                if long != shorts {
                    return Err(SpecError::Branches { layer: path, body: long, shortcut: shorts });
                }
                long
            }
            Layer::Linear { outputs, bias, .. } => {
                self.fixed_size(&path)?;
                nonzero(&path, "outputs", *outputs)?;
                let inputs = input.elements();
                self.learn(
                    &path,
                    "weight",
                    vec![*outputs, inputs],
                    ParameterKind::Weight { fan_in: inputs },
                )?;
                if *bias {
                    self.learn(&path, "bias", vec![*outputs], ParameterKind::Bias)?;
                }
                self.work(*outputs, inputs);
                Shape::new(*outputs, 1, 1)
            }
        };
        Ok(CheckedLayer { path, input, output, body: children, shortcut: shortcuts })
    }

    fn filters(
        &mut self,
        path: &str,
        cells: &[usize],
        inputs: usize,
        output: Shape,
        kernel: usize,
        bias: bool,
    ) -> Result<(), SpecError> {
        let fan_in = limited(path, "one filter", &[inputs, kernel, kernel])?;
        let weight = [cells, &[output.channels, inputs, kernel, kernel]].concat();
        self.learn(path, "weight", weight, ParameterKind::Weight { fan_in })?;
        if bias {
            self.learn(path, "bias", [cells, &[output.channels]].concat(), ParameterKind::Bias)?;
        }
        self.work(output.elements(), fan_in);
        Ok(())
    }

    fn learn(
        &mut self,
        path: &str,
        word: &str,
        shape: Vec<usize>,
        kind: ParameterKind,
    ) -> Result<(), SpecError> {
        let elements = limited(path, "its parameters", &shape)?;
        self.learnt += elements;
        if self.learnt > MAX_ELEMENTS {
            return Err(SpecError::TooLarge {
                layer: path.to_owned(),
                what: "the parameters up to here together",
            });
        }
        self.parameters.push(Parameter { name: join(path, word), shape, kind });
        Ok(())
    }

    /// Products of two numbers within [`MAX_ELEMENTS`] fit into 60 bits; only their sum can saturate.
    fn work(&mut self, outputs: usize, fan_in: usize) {
        let products = (outputs as u64).saturating_mul(fan_in as u64);
        self.multiply_adds = self.multiply_adds.saturating_add(products);
    }

    fn fixed_size(&mut self, path: &str) -> Result<(), SpecError> {
        if self.given != self.declared {
            return Err(SpecError::FixedSize {
                layer: path.to_owned(),
                height: self.declared.height,
                width: self.declared.width,
                given_height: self.given.height,
                given_width: self.given.width,
            });
        }
        self.fixed.get_or_insert_with(|| path.to_owned());
        Ok(())
    }
}

fn convolved(
    path: &str,
    input: Shape,
    filters: usize,
    kernel: usize,
    stride: usize,
    padding: [usize; 2],
) -> Result<Shape, SpecError> {
    nonzero(path, "filters", filters)?;
    let Shape { height, width, .. } = pooled(path, input, kernel, stride, padding, kernel.saturating_sub(1))?;
    limited(path, "its output map", &[filters, height, width])?;
    Ok(Shape::new(filters, height, width))
}

/// Input channels of a group.
fn group(path: &str, groups: usize, inputs: usize, filters: usize) -> Result<usize, SpecError> {
    nonzero(path, "groups", groups)?;
    if !inputs.is_multiple_of(groups) || !filters.is_multiple_of(groups) {
        return Err(SpecError::Groups { layer: path.to_owned(), groups, inputs, filters });
    }
    Ok(inputs / groups)
}

fn pooled(
    path: &str,
    input: Shape,
    kernel: usize,
    stride: usize,
    padding: [usize; 2],
    most: usize,
) -> Result<Shape, SpecError> {
    nonzero(path, "kernel", kernel)?;
    nonzero(path, "stride", stride)?;
    let [start, end] = padding;
    let larger = start.max(end);
    if larger > most {
        return Err(SpecError::Padding { layer: path.to_owned(), padding: larger, kernel, most });
    }
    let side = |n: usize| Some(start.checked_add(end)?.checked_add(n)?.checked_sub(kernel)? / stride + 1);
    match (side(input.height), side(input.width)) {
        (Some(height), Some(width)) => {
            limited(path, "its output map", &[input.channels, height, width])?;
            Ok(Shape { height, width, ..input })
        }
        _ => Err(SpecError::TooSmall { layer: path.to_owned(), kernel, padding, input }),
    }
}

fn check_name(layer: &str, name: &str) -> Result<(), SpecError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(fits) {
        return Err(SpecError::Name { layer: layer.to_owned(), name: name.chars().take(MAX_NAME).collect() });
    }
    Ok(())
}

fn nonzero(layer: &str, field: &'static str, size: usize) -> Result<(), SpecError> {
    if size == 0 { Err(SpecError::Zero { layer: layer.to_owned(), field }) } else { Ok(()) }
}

/// The product of sizes, within [`MAX_ELEMENTS`].
fn limited(layer: &str, what: &'static str, sizes: &[usize]) -> Result<usize, SpecError> {
    sizes
        .iter()
        .try_fold(1usize, |product, &size| product.checked_mul(size))
        .filter(|&product| product <= MAX_ELEMENTS)
        .ok_or_else(|| SpecError::TooLarge { layer: layer.to_owned(), what })
}
