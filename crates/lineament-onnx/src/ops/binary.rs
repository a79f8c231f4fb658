//! What is done to two arrays number by number, with sides of one spread over those of the other.

use super::{Meter, Result};
use crate::value::{Array, Value};

/// The four of arithmetic.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Arithmetic {
    Add,
    Sub,
    Mul,
    Div,
}

impl Arithmetic {
    pub(super) fn run(self, one: Value, other: Value, meter: &mut Meter) -> Result<Value> {
        match (one, other) {
            (Value::Floats(one), Value::Floats(other)) => {
                let values = match self {
                    Self::Add => floats(&one, &other, |a, b| a + b, meter),
                    Self::Sub => floats(&one, &other, |a, b| a - b, meter),
                    Self::Mul => floats(&one, &other, |a, b| a * b, meter),
                    Self::Div => floats(&one, &other, |a, b| a / b, meter),
                };
                Ok(Value::Floats(values?))
            }
            (Value::Ints(one), Value::Ints(other)) => {
                let of = match self {
                    Self::Add => i64::checked_add,
                    Self::Sub => i64::checked_sub,
                    Self::Mul => i64::checked_mul,
                    Self::Div => i64::checked_div,
                };
                let array = spread(&one, &other, of, meter)?;
                let values: Option<Vec<i64>> = array.data.iter().copied().collect();
                let values = values.ok_or("whole numbers leave their range, or are divided by nought")?;
                Ok(Value::Ints(Array::new(array.shape, values)))
            }
            _ => Err("whole and floating numbers meet".into()),
        }
    }
}

/// Of floating numbers.
pub(super) fn floats(
    one: &Array<f32>,
    other: &Array<f32>,
    of: impl Fn(f32, f32) -> f32,
    meter: &mut Meter,
) -> Result<Array<f32>> {
    spread(one, other, of, meter)
}

/// Pairs numbers by ONNX's rule: shapes are aligned at their last side, and a side of one number is repeated.
fn spread<T: Copy, R>(
    one: &Array<T>,
    other: &Array<T>,
    of: impl Fn(T, T) -> R,
    meter: &mut Meter,
) -> Result<Array<R>> {
    if one.shape == other.shape {
        meter.hold(&one.shape)?;
        let values = one.data.iter().zip(other.data.iter()).map(|(a, b)| of(*a, *b)).collect();
        return Ok(Array::new(one.shape.clone(), values));
    }
    let rank = one.shape.len().max(other.shape.len());
    let side = |shape: &[usize], axis: usize| {
        (axis + shape.len()).checked_sub(rank).and_then(|at| shape.get(at)).copied()
    };
    let mut shape = Vec::with_capacity(rank);
    for axis in 0..rank {
        shape.push(match (side(&one.shape, axis).unwrap_or(1), side(&other.shape, axis).unwrap_or(1)) {
            (a, b) if a == b => a,
            (1, b) => b,
            (a, 1) => a,
            _ => return Err(format!("{:?} and {:?} do not go together", one.shape, other.shape).into()),
        });
    }
    let count = meter.hold(&shape)?;
    // How far a step along each side leads in either array: not at all where it is repeated.
    let strides = |array: &Array<T>| -> Vec<usize> {
        let mut stride = 1;
        let mut strides: Vec<usize> = (0..rank)
            .rev()
            .map(|axis| {
                let own = side(&array.shape, axis).unwrap_or(1);
                let step = if own == 1 { 0 } else { stride };
                stride *= own;
                step
            })
            .collect();
        strides.reverse();
        strides
    };
    let strides: Vec<(usize, usize)> = strides(one).into_iter().zip(strides(other)).collect();
    let mut values = Vec::with_capacity(count);
    let (mut at, mut a, mut b) = (vec![0; rank], 0, 0);
    for _ in 0..count {
        let (Some(left), Some(right)) = (one.data.get(a), other.data.get(b)) else {
            return Err("an array is shorter than its shape".into());
        };
        values.push(of(*left, *right));
        // One step on, the last side first.
        for ((at, side), (left, right)) in at.iter_mut().zip(&shape).zip(&strides).rev() {
            (*at, a, b) = (*at + 1, a + left, b + right);
            if *at < *side {
                break;
            }
            (a, b) = (a - *at * left, b - *at * right);
            *at = 0;
        }
    }
    Ok(Array::new(shape, values))
}
