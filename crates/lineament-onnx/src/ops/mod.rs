//! What the operators compute. Every result is measured by the [`Meter`] before there is memory for it.

pub(crate) mod binary;
pub(crate) mod conv;
mod normalize;
pub(crate) mod pool;
pub(crate) mod resize;
mod select;
mod shape;
mod unary;

use crate::error::OnnxError;
use crate::model::Limits;
use crate::operator::Operator;
use crate::value::{Array, Value, elements};

/// Why a step fails.
pub(crate) enum Problem {
    /// Its inputs do not fit it; the words say how.
    Misfit(String),
    /// It would leave the limits, which is no matter of the step alone.
    Limit(OnnxError),
}

impl From<String> for Problem {
    fn from(problem: String) -> Self {
        Self::Misfit(problem)
    }
}

impl From<&str> for Problem {
    fn from(problem: &str) -> Self {
        Self::Misfit(problem.to_owned())
    }
}

impl From<OnnxError> for Problem {
    fn from(limit: OnnxError) -> Self {
        Self::Limit(limit)
    }
}

pub(crate) type Result<T> = std::result::Result<T, Problem>;

/// What a run holds and has done, against what it may.
pub(crate) struct Meter {
    limits: Limits,
    held: u64,
    work: u64,
}

impl Meter {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, held: 0, work: 0 }
    }

    /// Counts a result of this shape: how many numbers it has.
    pub(crate) fn hold(&mut self, shape: &[usize]) -> std::result::Result<usize, OnnxError> {
        let numbers = elements(shape)?;
        self.held = self.held.saturating_add(numbers as u64);
        // Every step counts, so that a graph of a thousand shapes has an end, too.
        self.spend(1 + numbers as u64)?;
        if self.held > self.limits.numbers {
            return Err(OnnxError::Limit { what: "numbers at the same time", most: self.limits.numbers });
        }
        Ok(numbers)
    }

    pub(crate) fn release(&mut self, numbers: usize) {
        self.held = self.held.saturating_sub(numbers as u64);
    }

    /// Counts multiply-adds.
    pub(crate) fn spend(&mut self, work: u64) -> std::result::Result<(), OnnxError> {
        self.work = self.work.saturating_add(work);
        if self.work > self.limits.work {
            return Err(OnnxError::Limit { what: "multiply-adds", most: self.limits.work });
        }
        Ok(())
    }
}

/// The inputs of a step, one after another.
struct Inputs(std::vec::IntoIter<Option<Value>>);

impl Inputs {
    fn any(&mut self) -> Result<Value> {
        self.0.next().flatten().ok_or_else(|| "an input is missing".into())
    }

    fn floats(&mut self) -> Result<Array<f32>> {
        match self.any()? {
            Value::Floats(array) => Ok(array),
            Value::Ints(_) => Err("whole numbers stand where floating ones are expected".into()),
        }
    }

    /// An input that may be left out.
    fn optional_floats(&mut self) -> Result<Option<Array<f32>>> {
        match self.0.next().flatten() {
            None => Ok(None),
            Some(Value::Floats(array)) => Ok(Some(array)),
            Some(Value::Ints(_)) => Err("whole numbers stand where floating ones are expected".into()),
        }
    }

    fn optional_ints(&mut self) -> Result<Option<Array<i64>>> {
        match self.0.next().flatten() {
            None => Ok(None),
            Some(Value::Ints(array)) => Ok(Some(array)),
            Some(Value::Floats(_)) => Err("floating numbers stand where whole ones are expected".into()),
        }
    }

    fn ints(&mut self) -> Result<Array<i64>> {
        self.optional_ints()?.ok_or_else(|| "an input is missing".into())
    }
}

impl Operator {
    pub(crate) fn run(&self, inputs: Vec<Option<Value>>, meter: &mut Meter) -> Result<Value> {
        let mut inputs = Inputs(inputs.into_iter());
        let inputs = &mut inputs;
        let floats = Value::Floats;
        Ok(match self {
            Self::Conv(conv) => {
                let (input, weights) = (inputs.floats()?, inputs.floats()?);
                floats(conv.run(&input, &weights, inputs.optional_floats()?.as_ref(), meter)?)
            }
            Self::MaxPool(pool) => floats(pool.run(&inputs.floats()?, meter)?),
            Self::Resize(resize) => {
                let input = inputs.floats()?;
                let given = inputs.0.by_ref().flatten().collect();
                floats(resize.run(&input, given, meter)?)
            }
            Self::BatchNormalization { epsilon } => {
                let input = inputs.floats()?;
                let constants = [inputs.floats()?, inputs.floats()?, inputs.floats()?, inputs.floats()?];
                floats(normalize::batch(input, &constants, *epsilon, meter)?)
            }
            Self::Relu => floats(unary::map(inputs.floats()?, unary::Relu, meter)?),
            Self::LeakyRelu { slope } => floats(unary::map(inputs.floats()?, unary::Leaky(*slope), meter)?),
            Self::PRelu => {
                let (input, slopes) = (inputs.floats()?, inputs.floats()?);
                floats(binary::floats(
                    &input,
                    &slopes,
                    |value, slope| if value < 0.0 { value * slope } else { value },
                    meter,
                )?)
            }
            Self::Sigmoid => floats(unary::map(inputs.floats()?, unary::Sigmoid, meter)?),
            Self::HardSwish => floats(unary::map(inputs.floats()?, unary::HardSwish, meter)?),
            Self::Exp => floats(unary::map(inputs.floats()?, unary::Exp, meter)?),
            Self::Sqrt => floats(unary::map(inputs.floats()?, unary::Sqrt, meter)?),
            Self::Clip { least, most } => {
                let input = inputs.floats()?;
                let mut bound = |usual: f32| -> Result<f32> {
                    Ok(inputs
                        .optional_floats()?
                        .and_then(|bound| bound.data.first().copied())
                        .unwrap_or(usual))
                };
                let bounds = unary::Clip(bound(*least)?, bound(*most)?);
                floats(unary::map(input, bounds, meter)?)
            }
            Self::Softmax { axis, whole } => {
                floats(normalize::softmax(inputs.floats()?, *axis, *whole, meter)?)
            }
            Self::Binary(arithmetic) => arithmetic.run(inputs.any()?, inputs.any()?, meter)?,
            Self::Concat { axis } => select::concat(inputs.0.by_ref().flatten().collect(), *axis, meter)?,
            Self::Reshape => shape::reshape(inputs.any()?, &inputs.ints()?.data, meter)?,
            Self::Flatten { axis } => shape::flatten(inputs.any()?, *axis, meter)?,
            Self::Transpose { order } => shape::transpose(inputs.any()?, order.as_deref(), meter)?,
            Self::Shape => {
                let sides = inputs
                    .any()?
                    .shape()
                    .iter()
                    .map(|side| i64::try_from(*side).unwrap_or(i64::MAX))
                    .collect();
                let sides = Value::ints(sides);
                meter.hold(sides.shape())?;
                sides
            }
            Self::Gather { axis } => select::gather(&inputs.any()?, &inputs.ints()?, *axis, meter)?,
            Self::Unsqueeze { axes } => {
                let (input, given) = (inputs.any()?, inputs.optional_ints()?);
                shape::unsqueeze(
                    input,
                    given.as_ref().map(|given| given.data.as_slice()).or(axes.as_deref()),
                    meter,
                )?
            }
            Self::Squeeze { axes } => {
                let (input, given) = (inputs.any()?, inputs.optional_ints()?);
                shape::squeeze(
                    input,
                    given.as_ref().map(|given| given.data.as_slice()).or(axes.as_deref()),
                    meter,
                )?
            }
            Self::Slice { fixed: Some(fixed) } => {
                select::slice(&inputs.any()?, &fixed.starts, &fixed.ends, fixed.axes.as_deref(), None, meter)?
            }
            Self::Slice { fixed: None } => {
                let (input, starts, ends) = (inputs.any()?, inputs.ints()?, inputs.ints()?);
                let (axes, steps) = (inputs.optional_ints()?, inputs.optional_ints()?);
                let list = |ints: &Option<Array<i64>>| ints.as_ref().map(|ints| ints.data.to_vec());
                select::slice(
                    &input,
                    &starts.data,
                    &ends.data,
                    list(&axes).as_deref(),
                    list(&steps).as_deref(),
                    meter,
                )?
            }
            Self::Cast { to } => unary::cast(inputs.any()?, *to, meter)?,
            Self::Constant(value) => {
                meter.hold(value.shape())?;
                value.clone()
            }
            Self::Identity => {
                let value = inputs.any()?;
                meter.hold(value.shape())?;
                value
            }
        })
    }
}
