//! Parts of arrays, and arrays of parts.

use super::{Meter, Result};
use crate::value::{Array, Value, axis};

/// Arrays one after another along a side.
pub(super) fn concat(inputs: Vec<Value>, along: i64, meter: &mut Meter) -> Result<Value> {
    let floats: Vec<&Array<f32>> =
        inputs.iter().filter_map(|one| if let Value::Floats(one) = one { Some(one) } else { None }).collect();
    let ints: Vec<&Array<i64>> =
        inputs.iter().filter_map(|one| if let Value::Ints(one) = one { Some(one) } else { None }).collect();
    match (floats.is_empty(), ints.is_empty()) {
        (false, true) => Ok(Value::Floats(joined(&floats, along, meter)?)),
        (true, false) => Ok(Value::Ints(joined(&ints, along, meter)?)),
        _ => Err("it has no inputs, or such of different types".into()),
    }
}

fn joined<T: Copy>(inputs: &[&Array<T>], along: i64, meter: &mut Meter) -> Result<Array<T>> {
    let Some(first) = inputs.first() else { return Err("it has no inputs".into()) };
    let along = axis(along, first.shape.len())?;
    let mut shape = first.shape.clone();
    let mut sum = 0_usize;
    for input in inputs {
        let alike = input.shape.len() == shape.len()
            && input.shape.iter().zip(&shape).enumerate().all(|(at, (own, side))| at == along || own == side);
        if !alike {
            return Err(format!("{:?} and {shape:?} do not go together", input.shape).into());
        }
        sum = sum.saturating_add(input.split_at(along)[1]);
    }
    shape.iter_mut().skip(along).take(1).for_each(|side| *side = sum);
    let mut values = Vec::with_capacity(meter.hold(&shape)?);
    for block in 0..first.split_at(along)[0] {
        for input in inputs {
            let [_, side, inner] = input.split_at(along);
            let part = input.data.get(block * side * inner..(block + 1) * side * inner);
            values.extend_from_slice(part.ok_or("an array is shorter than its shape")?);
        }
    }
    Ok(Array::new(shape, values))
}

/// The parts of a side that indices name.
pub(super) fn gather(input: &Value, indices: &Array<i64>, along: i64, meter: &mut Meter) -> Result<Value> {
    let along = axis(along, input.shape().len())?;
    Ok(match input {
        Value::Floats(array) => Value::Floats(gathered(array, indices, along, meter)?),
        Value::Ints(array) => Value::Ints(gathered(array, indices, along, meter)?),
    })
}

fn gathered<T: Copy>(
    array: &Array<T>,
    indices: &Array<i64>,
    along: usize,
    meter: &mut Meter,
) -> Result<Array<T>> {
    let [outer, side, inner] = array.split_at(along);
    let places =
        indices.data.iter().map(|index| axis(*index, side)).collect::<std::result::Result<Vec<_>, _>>()?;
    let (before, behind) = array.shape.split_at_checked(along).ok_or("the axis is none")?;
    let shape: Vec<usize> = [before, &indices.shape, behind.get(1..).unwrap_or_default()].concat();
    let mut values = Vec::with_capacity(meter.hold(&shape)?);
    for block in 0..outer {
        for place in &places {
            let from = (block * side + place) * inner;
            values.extend_from_slice(
                array.data.get(from..from + inner).ok_or("an array is shorter than its shape")?,
            );
        }
    }
    Ok(Array::new(shape, values))
}

/// From `starts` to before `ends` of each of the `axes` (the first ones where they are not named), every `steps`-th.
pub(super) fn slice(
    input: &Value,
    starts: &[i64],
    ends: &[i64],
    axes: Option<&[i64]>,
    steps: Option<&[i64]>,
    meter: &mut Meter,
) -> Result<Value> {
    let rank = input.shape().len();
    let count = starts.len();
    if ends.len() != count
        || axes.is_some_and(|axes| axes.len() != count)
        || steps.is_some_and(|steps| steps.len() != count)
    {
        return Err("starts, ends, axes and steps are not as many".into());
    }
    let mut result = input.clone();
    for (place, (start, end)) in starts.iter().zip(ends).enumerate() {
        let named = axes.and_then(|axes| axes.get(place)).copied();
        let along = axis(named.unwrap_or_else(|| i64::try_from(place).unwrap_or(i64::MAX)), rank)?;
        let step = steps.and_then(|steps| steps.get(place)).copied().unwrap_or(1);
        let step = usize::try_from(step).ok().filter(|step| *step > 0).ok_or("it goes backwards")?;
        let side = i64::try_from(result.shape().get(along).copied().unwrap_or(0)).unwrap_or(i64::MAX);
        let bound = |at: i64| if at < 0 { at.saturating_add(side).max(0) } else { at.min(side) };
        let indices: Vec<i64> = (bound(*start)..bound(*end)).step_by(step).collect();
        result = gather(
            &result,
            &Array::new(vec![indices.len()], indices),
            i64::try_from(along).unwrap_or(0),
            meter,
        )?;
    }
    if count == 0 {
        meter.hold(result.shape())?;
    }
    Ok(result)
}
