//! What can be wrong with a spec.

use thiserror::Error;

use super::{MAX_DEPTH, MAX_ELEMENTS, MAX_LAYERS, MAX_NAME, Shape};

/// A spec that cannot be a net. `layer` is the path of the layer at fault: names joined by dots, and for layers without
/// a name their kind and place among their siblings (`block1.max_pool#2`).
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum SpecError {
    /// The net has no layers.
    #[error("net {net} has no layers: add at least one")]
    NoLayers {
        /// The net's name.
        net: String,
    },
    /// A name is empty, too long, or has characters that cannot stand in a parameter's name.
    #[error("layer {layer} is named {name:?}: names are 1 to {MAX_NAME} of the characters A-Z a-z 0-9 _ -")]
    Name {
        /// Kind and place of the layer, or `net` for the net's own name.
        layer: String,
        /// The name, cut short.
        name: String,
    },
    /// Two layers share a path, so their parameters would share names.
    #[error(
        "layer {layer} exists twice: give each layer of a branch (body and shortcut together) its own name"
    )]
    Duplicate {
        /// The path.
        layer: String,
    },
    /// A residual without a body.
    #[error("residual {layer} has an empty body: only the shortcut may be empty (the identity)")]
    EmptyBody {
        /// The path.
        layer: String,
    },
    /// A size that must be at least one is zero.
    #[error("layer {layer}: {field} is zero and must be at least 1")]
    Zero {
        /// The path.
        layer: String,
        /// Which size.
        field: &'static str,
    },
    /// Batch normalisation would divide by zero or by something that is not a number.
    #[error("layer {layer}: epsilon is {epsilon} and must be a positive number such as 1e-5")]
    Epsilon {
        /// The path.
        layer: String,
        /// What was given.
        epsilon: f32,
    },
    /// Some windows would hold nothing but padding.
    #[error("layer {layer}: padding {padding} is too much for kernel {kernel}, at most {most} is allowed")]
    Padding {
        /// The path.
        layer: String,
        /// What was given.
        padding: usize,
        /// The kernel.
        kernel: usize,
        /// The most that is allowed.
        most: usize,
    },
    /// Groups of a convolution that would not be equal.
    #[error(
        "layer {layer}: {groups} groups must divide its {inputs} input channels and its {filters} filters: choose a \
         divisor of both, as many as input channels for a depthwise convolution"
    )]
    Groups {
        /// The path.
        layer: String,
        /// What was given.
        groups: usize,
        /// Input channels.
        inputs: usize,
        /// Filters.
        filters: usize,
    },
    /// The kernel is larger than its padded input.
    #[error(
        "layer {layer}: kernel {kernel} with padding {} and {} does not fit into its {input} input",
        padding[0], padding[1]
    )]
    TooSmall {
        /// The path.
        layer: String,
        /// The kernel.
        kernel: usize,
        /// The padding at the start and the end of a side.
        padding: [usize; 2],
        /// Shape of the layer's input.
        input: Shape,
    },
    /// The cells of a locally shared convolution would not be equal.
    #[error("layer {layer}: a grid of {}x{} cells does not divide its {output} output map", grid[0], grid[1])]
    Grid {
        /// The path.
        layer: String,
        /// Rows and columns of cells.
        grid: [usize; 2],
        /// Shape of the output map.
        output: Shape,
    },
    /// The two branches of a residual cannot be added.
    #[error("residual {layer}: the body gives {body} but the shortcut gives {shortcut}, they must be equal")]
    Branches {
        /// The path.
        layer: String,
        /// Output of the body.
        body: Shape,
        /// Output of the shortcut.
        shortcut: Shape,
    },
    /// Residuals inside residuals inside residuals.
    #[error("residual {layer} is nested more than {MAX_DEPTH} deep")]
    TooDeep {
        /// The path.
        layer: String,
    },
    /// More layers than any net here needs.
    #[error("layer {layer} is beyond the {MAX_LAYERS} layers that a net may have")]
    TooManyLayers {
        /// The first layer too many.
        layer: String,
    },
    /// A map or parameter too large to be meant.
    #[error("layer {layer}: {what} would hold more than {MAX_ELEMENTS} values")]
    TooLarge {
        /// The path, or `input`.
        layer: String,
        /// What is too large.
        what: &'static str,
    },
    /// Another input size asked of a net with layers that are made for one.
    #[error(
        "layer {layer} is made for a {height}x{width} input of the net, {given_height}x{given_width} was given: \
         resize the input"
    )]
    FixedSize {
        /// The first such layer.
        layer: String,
        /// Declared height.
        height: usize,
        /// Declared width.
        width: usize,
        /// Height asked for.
        given_height: usize,
        /// Width asked for.
        given_width: usize,
    },
}
