//! What is done to each number alone.

use std::sync::Arc;

use lineament_net::{Loops, vectorised};
use rayon::prelude::*;

use super::{Meter, Result};
use crate::value::{Array, Value};

/// Numbers that a thread takes at once.
const CHUNK: usize = 1 << 14;

/// A function of one number.
pub(super) trait Function: Copy + Sync {
    /// Its value.
    fn of(self, value: f32) -> f32;
}

#[derive(Clone, Copy)]
pub(super) struct Relu;
#[derive(Clone, Copy)]
pub(super) struct Leaky(pub(super) f32);
#[derive(Clone, Copy)]
pub(super) struct Sigmoid;
#[derive(Clone, Copy)]
pub(super) struct HardSwish;
#[derive(Clone, Copy)]
pub(super) struct Exp;
#[derive(Clone, Copy)]
pub(super) struct Sqrt;
#[derive(Clone, Copy)]
pub(super) struct Clip(pub(super) f32, pub(super) f32);

impl Function for Relu {
    #[inline(always)]
    fn of(self, value: f32) -> f32 {
        if value < 0.0 { 0.0 } else { value }
    }
}

impl Function for Leaky {
    #[inline(always)]
    fn of(self, value: f32) -> f32 {
        if value < 0.0 { self.0 * value } else { value }
    }
}

impl Function for Sigmoid {
    #[inline(always)]
    fn of(self, value: f32) -> f32 {
        1.0 / (1.0 + (-value).exp())
    }
}

impl Function for HardSwish {
    #[inline(always)]
    fn of(self, value: f32) -> f32 {
        value * (value + 3.0).clamp(0.0, 6.0) / 6.0
    }
}

impl Function for Exp {
    #[inline(always)]
    fn of(self, value: f32) -> f32 {
        value.exp()
    }
}

impl Function for Sqrt {
    #[inline(always)]
    fn of(self, value: f32) -> f32 {
        value.sqrt()
    }
}

impl Function for Clip {
    #[inline(always)]
    fn of(self, value: f32) -> f32 {
        // Not `clamp`, which panics where the bounds of a stranger's file are the wrong way round.
        value.max(self.0).min(self.1)
    }
}

struct InPlace<'a, F>(&'a mut [f32], F);

impl<F: Function> Loops for InPlace<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<const L: usize>(self) {
        let function = self.1;
        self.0.iter_mut().for_each(|value| *value = function.of(*value));
    }
}

/// All numbers of an array, in place where nobody else has them.
pub(super) fn map(mut array: Array<f32>, function: impl Function, meter: &mut Meter) -> Result<Array<f32>> {
    meter.hold(&array.shape)?;
    Arc::make_mut(&mut array.data)
        .par_chunks_mut(CHUNK)
        .for_each(|chunk| vectorised(InPlace(chunk, function)));
    Ok(array)
}

/// The same numbers of another type, by ONNX's number of it.
pub(super) fn cast(value: Value, to: i64, meter: &mut Meter) -> Result<Value> {
    meter.hold(value.shape())?;
    Ok(match (value, to) {
        (Value::Ints(ints), 1 | 10 | 11) => {
            Value::Floats(Array::new(ints.shape, ints.data.iter().map(|value| *value as f32).collect()))
        }
        (Value::Floats(floats), 6 | 7) => {
            Value::Ints(Array::new(floats.shape, floats.data.iter().map(|value| *value as i64).collect()))
        }
        (value @ Value::Floats(_), 1 | 10 | 11) | (value @ Value::Ints(_), 6 | 7 | 9) => value,
        (_, other) => return Err(format!("the type {other} is not known").into()),
    })
}
