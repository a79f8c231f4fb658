//! The operators that are run, with their settings checked.

use crate::error::OnnxError;
use crate::ops::binary::Arithmetic;
use crate::ops::conv::Conv;
use crate::ops::pool::MaxPool;
use crate::ops::resize::Resize;
use crate::proto::RawNode;
use crate::value::Value;

/// What a step does.
#[derive(Debug, Clone)]
pub(crate) enum Operator {
    Conv(Conv),
    MaxPool(MaxPool),
    Resize(Resize),
    BatchNormalization {
        epsilon: f32,
    },
    Relu,
    LeakyRelu {
        slope: f32,
    },
    PRelu,
    Sigmoid,
    HardSwish,
    Exp,
    Sqrt,
    /// Between two constants of the node, or what the inputs say.
    Clip {
        least: f32,
        most: f32,
    },
    /// `whole`: over all sides from the axis on, as up to version 12.
    Softmax {
        axis: i64,
        whole: bool,
    },
    Binary(Arithmetic),
    Concat {
        axis: i64,
    },
    Reshape,
    Flatten {
        axis: i64,
    },
    Transpose {
        order: Option<Vec<i64>>,
    },
    Shape,
    Gather {
        axis: i64,
    },
    /// Axes of the node where inputs do not give them.
    Unsqueeze {
        axes: Option<Vec<i64>>,
    },
    Squeeze {
        axes: Option<Vec<i64>>,
    },
    Slice {
        fixed: Option<FixedSlice>,
    },
    Cast {
        to: i64,
    },
    Constant(Value),
    Identity,
}

/// A slice whose bounds stand in the node, as up to version 9.
#[derive(Debug, Clone)]
pub(crate) struct FixedSlice {
    pub(crate) starts: Vec<i64>,
    pub(crate) ends: Vec<i64>,
    pub(crate) axes: Option<Vec<i64>>,
}

/// What ONNX calls the operators.
pub(crate) const NAMES: [&str; 31] = [
    "Add",
    "BatchNormalization",
    "Cast",
    "Clip",
    "Concat",
    "Constant",
    "Conv",
    "Div",
    "Dropout",
    "Exp",
    "Flatten",
    "Gather",
    "HardSwish",
    "Identity",
    "LeakyRelu",
    "MaxPool",
    "Mul",
    "PRelu",
    "Relu",
    "Reshape",
    "Resize",
    "Shape",
    "Sigmoid",
    "Slice",
    "Softmax",
    "Sqrt",
    "Squeeze",
    "Sub",
    "Transpose",
    "Unsqueeze",
    "Upsample",
];

impl Operator {
    /// Checks a node.
    pub(crate) fn of(node: &RawNode, opset: i64) -> Result<Self, OnnxError> {
        if !node.domain.is_empty() && node.domain != "ai.onnx" {
            return Err(OnnxError::unsupported(format!(
                "{} is an operator of {}",
                node.operator, node.domain
            )));
        }
        let axes = || node.ints("axes").map(<[i64]>::to_vec);
        Ok(match node.operator.as_str() {
            "Conv" => Self::Conv(Conv::of(node)?),
            "MaxPool" => Self::MaxPool(MaxPool::of(node)?),
            "Resize" | "Upsample" => Self::Resize(Resize::of(node)?),
            "BatchNormalization" => {
                if node.int("training_mode", 0) != 0 || node.outputs.len() > 1 {
                    return Err(OnnxError::unsupported(format!("{} is in training", node.label())));
                }
                Self::BatchNormalization { epsilon: node.float("epsilon", 1e-5) }
            }
            "Relu" => Self::Relu,
            "LeakyRelu" => Self::LeakyRelu { slope: node.float("alpha", 0.01) },
            "PRelu" => Self::PRelu,
            "Sigmoid" => Self::Sigmoid,
            "HardSwish" => Self::HardSwish,
            "Exp" => Self::Exp,
            "Sqrt" => Self::Sqrt,
            "Clip" => Self::Clip {
                least: node.float("min", f32::NEG_INFINITY),
                most: node.float("max", f32::INFINITY),
            },
            "Softmax" => {
                let whole = opset < 13;
                Self::Softmax { axis: node.int("axis", if whole { 1 } else { -1 }), whole }
            }
            "Add" => Self::Binary(Arithmetic::Add),
            "Sub" => Self::Binary(Arithmetic::Sub),
            "Mul" => Self::Binary(Arithmetic::Mul),
            "Div" => Self::Binary(Arithmetic::Div),
            "Concat" => Self::Concat { axis: node.int("axis", 1) },
            "Reshape" if node.int("allowzero", 0) == 0 => Self::Reshape,
            "Flatten" => Self::Flatten { axis: node.int("axis", 1) },
            "Transpose" => Self::Transpose { order: node.ints("perm").map(<[i64]>::to_vec) },
            "Shape" if node.ints("start").is_none() && node.ints("end").is_none() => Self::Shape,
            "Gather" => Self::Gather { axis: node.int("axis", 0) },
            "Unsqueeze" => Self::Unsqueeze { axes: axes() },
            "Squeeze" => Self::Squeeze { axes: axes() },
            "Slice" => {
                let fixed = node.ints("starts").zip(node.ints("ends"));
                let fixed = fixed.map(|(starts, ends)| FixedSlice {
                    starts: starts.to_vec(),
                    ends: ends.to_vec(),
                    axes: axes(),
                });
                Self::Slice { fixed }
            }
            "Cast" => Self::Cast { to: node.int("to", 0) },
            "Constant" => match node.tensor("value") {
                Some(value) => Self::Constant(value.clone()),
                None => {
                    return Err(OnnxError::unsupported(format!("the constant {} is no array", node.label())));
                }
            },
            "Identity" | "Dropout" => Self::Identity,
            other => {
                return Err(OnnxError::unsupported(format!(
                    "its step {} is the operator {other}",
                    node.label()
                )));
            }
        })
    }
}
