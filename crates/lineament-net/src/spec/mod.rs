//! A net as a value: a tree of layers that recipes write, bundles store and every engine reads.

mod check;
mod error;
mod parameters;
mod sides;

use serde::{Deserialize, Deserializer, Serialize};

pub use check::{Checked, CheckedLayer, MAX_DEPTH, MAX_ELEMENTS, MAX_LAYERS, MAX_NAME};
pub use error::SpecError;
pub use parameters::{Parameter, ParameterKind};

/// The size of one map: channels, rows, columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// Number of channels (3 for a colour photo).
    pub channels: usize,
    /// Number of rows.
    pub height: usize,
    /// Number of columns.
    pub width: usize,
}

impl Shape {
    /// A shape of `channels` x `height` x `width`.
    pub const fn new(channels: usize, height: usize, width: usize) -> Self {
        Self { channels, height, width }
    }

    /// Number of values in the map. Meaningful for shapes that [`NetSpec::check`] has worked out: those are
    /// within [`MAX_ELEMENTS`].
    pub const fn elements(&self) -> usize {
        self.channels.saturating_mul(self.height).saturating_mul(self.width)
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}x{}", self.channels, self.height, self.width)
    }
}

/// A net as data. What a reader hands over is unchecked; [`NetSpec::check`] works out every shape or says which
/// layer is wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetSpec {
    /// What the net is called, for messages.
    pub name: String,
    /// The input it is declared for. A net without [`Layer::Linear`] and [`Layer::LocalConv`] takes other heights
    /// and widths too.
    pub input: Shape,
    /// The layers, first to last.
    pub layers: Vec<Layer>,
}

/// One layer. Kernels and strides are square, in pixels of the layer's input, and so are paddings but for those of
/// [`Layer::Conv`], which may differ between the two ends of a side.
///
/// A window layer (convolution, pooling) on a side of `n` pixels gives `(n + padding at both ends - kernel) / stride + 1`,
/// rounded down, as AlexNet and every framework of today do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Layer {
    /// Convolution (cross-correlation), one filter bank for the whole map. Weight
    /// `[filters, inputs / groups, kernel, kernel]`, bias `[filters]`.
    Conv {
        /// Name, unique among its siblings.
        name: String,
        /// Number of output channels.
        filters: usize,
        /// Side of the filters.
        kernel: usize,
        /// Step between neighbouring outputs.
        #[serde(default = "one")]
        stride: usize,
        /// Zeros added above and on the left, and those added below and on the right. A recipe says one number
        /// where they are as many. TensorFlow's "same" with stride 2, on sides of an even number of pixels, is
        /// `[0, 1]` for kernel 3 and `[1, 2]` for kernel 5.
        #[serde(default, with = "sides")]
        padding: [usize; 2],
        /// Filters and input channels are cut into so many groups, and the filters of a group read its channels
        /// alone; it must divide both. As many as there are input channels make a depthwise convolution.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        groups: usize,
        /// Whether a bias is added.
        #[serde(default = "yes")]
        bias: bool,
    },
    /// Locally shared convolution (the paper's C3 and C4 of ANet): the output map is cut in a grid of equal cells and
    /// each cell has its own filter bank. Padding is that of a convolution over the whole map, and neighbourhoods
    /// reach over the borders of cells. Weight `[rows * cols, filters, inputs, kernel, kernel]`, bias
    /// `[rows * cols, filters]`, cells in row-major order.
    LocalConv {
        /// Name, unique among its siblings.
        name: String,
        /// Number of output channels.
        filters: usize,
        /// Side of the filters.
        kernel: usize,
        /// Step between neighbouring outputs.
        #[serde(default = "one")]
        stride: usize,
        /// Zeros added on every side.
        #[serde(default)]
        padding: usize,
        /// Rows and columns of cells; they must divide the height and the width of the output map.
        grid: [usize; 2],
        /// Whether a bias is added.
        #[serde(default = "yes")]
        bias: bool,
    },
    /// Batch normalisation with running statistics: `scale * (x - mean) / sqrt(variance + epsilon) + shift` a channel.
    /// Four parameters of `[channels]`: `scale`, `shift`, `mean`, `variance`.
    BatchNorm {
        /// Name, unique among its siblings.
        name: String,
        /// Added to the variance.
        #[serde(default = "epsilon")]
        epsilon: f32,
    },
    /// `max(x, 0)`.
    #[serde(deserialize_with = "nothing_more")]
    Relu,
    /// `min(max(x, 0), 6)`.
    #[serde(deserialize_with = "nothing_more")]
    Relu6,
    /// `x * min(max(x + 3, 0), 6) / 6`.
    #[serde(deserialize_with = "nothing_more")]
    HardSwish,
    /// `x` where positive, `slope * x` elsewhere, one slope a channel: `slope` `[channels]`.
    Prelu {
        /// Name, unique among its siblings.
        name: String,
    },
    /// The largest value in each window. Padding never wins (it counts as minus infinity).
    MaxPool {
        /// Side of the window.
        kernel: usize,
        /// Step between windows.
        #[serde(default = "one")]
        stride: usize,
        /// Rows and columns added on every side; at most half the kernel.
        #[serde(default)]
        padding: usize,
    },
    /// The mean of each window. Padding is not counted: a window at the border is divided by the values it holds.
    AvgPool {
        /// Side of the window.
        kernel: usize,
        /// Step between windows.
        #[serde(default = "one")]
        stride: usize,
        /// Rows and columns added on every side; at most half the kernel.
        #[serde(default)]
        padding: usize,
    },
    /// The sum of two branches of equal output shape. It has no activation of its own: put one behind it.
    Residual {
        /// Name, unique among its siblings; its children's parameters are called `name.child.weight`.
        name: String,
        /// The long way.
        body: Vec<Layer>,
        /// The short way; empty for the identity.
        #[serde(default)]
        shortcut: Vec<Layer>,
    },
    /// Fully connected: flattens channels x height x width in that order. Output `outputs` x 1 x 1, weight
    /// `[outputs, inputs]`, bias `[outputs]`.
    Linear {
        /// Name, unique among its siblings.
        name: String,
        /// Number of outputs.
        outputs: usize,
        /// Whether a bias is added.
        #[serde(default = "yes")]
        bias: bool,
    },
}

impl Layer {
    /// The layer's own name; activations without parameters and poolings have none.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Conv { name, .. }
            | Self::LocalConv { name, .. }
            | Self::BatchNorm { name, .. }
            | Self::Prelu { name }
            | Self::Residual { name, .. }
            | Self::Linear { name, .. } => Some(name),
            Self::Relu | Self::Relu6 | Self::HardSwish | Self::MaxPool { .. } | Self::AvgPool { .. } => None,
        }
    }

    /// The word under `kind` in a recipe.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Conv { .. } => "conv",
            Self::LocalConv { .. } => "local_conv",
            Self::BatchNorm { .. } => "batch_norm",
            Self::Relu => "relu",
            Self::Relu6 => "relu6",
            Self::HardSwish => "hard_swish",
            Self::Prelu { .. } => "prelu",
            Self::MaxPool { .. } => "max_pool",
            Self::AvgPool { .. } => "avg_pool",
            Self::Residual { .. } => "residual",
            Self::Linear { .. } => "linear",
        }
    }
}

/// Where a child stands: names joined by dots, the prefix of its parameters' names.
pub(crate) fn join(parent: &str, name: &str) -> String {
    if parent.is_empty() { name.to_owned() } else { format!("{parent}.{name}") }
}

fn one() -> usize {
    1
}

// serde hands over a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_one(groups: &usize) -> bool {
    *groups == 1
}

fn yes() -> bool {
    true
}

fn epsilon() -> f32 {
    1e-5
}

/// serde lets unit variants of a tagged enum carry unknown fields; a recipe with a misspelt key must not pass.
fn nothing_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nothing {}
    Nothing::deserialize(deserializer).map(|_| ())
}
