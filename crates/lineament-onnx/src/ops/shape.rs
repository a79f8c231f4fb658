//! The same numbers in other shapes and orders.

use super::{Meter, Result};
use crate::value::{Array, Value, axis, elements};

fn reshaped(input: Value, shape: Vec<usize>, meter: &mut Meter) -> Result<Value> {
    if elements(&shape)? != input.len() {
        return Err(format!("{:?} cannot become {shape:?}", input.shape()).into());
    }
    meter.hold(&shape)?;
    Ok(input.reshaped(shape))
}

/// 0 keeps a side, and -1 takes what is left.
pub(super) fn reshape(input: Value, wanted: &[i64], meter: &mut Meter) -> Result<Value> {
    let mut open = None;
    let mut shape = Vec::with_capacity(wanted.len());
    for (place, side) in wanted.iter().enumerate() {
        let kept = input.shape().get(place).copied();
        shape.push(match *side {
            0 => kept.ok_or("a side is kept that is not there")?,
            -1 if open.is_none() => {
                open = Some(place);
                1
            }
            side => usize::try_from(side).map_err(|_| format!("{wanted:?} is no shape"))?,
        });
    }
    if let Some(place) = open {
        let (all, others) = (input.len(), elements(&shape)?);
        let left = all.checked_div(others).filter(|left| left * others == all);
        let left = left.ok_or_else(|| format!("{:?} cannot become {wanted:?}", input.shape()))?;
        shape.iter_mut().skip(place).take(1).for_each(|side| *side = left);
    }
    reshaped(input, shape, meter)
}

/// Two sides: those before the axis, and the others.
pub(super) fn flatten(input: Value, at: i64, meter: &mut Meter) -> Result<Value> {
    let rank = input.shape().len();
    let at = axis(at, rank + 1)?;
    let (before, behind) = input.shape().split_at_checked(at).ok_or("the axis is none")?;
    let shape = vec![elements(before)?, elements(behind)?];
    reshaped(input, shape, meter)
}

/// Sides of one more.
pub(super) fn unsqueeze(input: Value, axes: Option<&[i64]>, meter: &mut Meter) -> Result<Value> {
    let axes = axes.ok_or("it has no axes")?;
    let rank = input.shape().len() + axes.len();
    // Measured before there are as many sides.
    elements(&vec![1; rank.min(1 + crate::value::RANK)])?;
    let added = axes.iter().map(|at| axis(*at, rank)).collect::<std::result::Result<Vec<_>, _>>()?;
    let mut own = input.shape().iter().copied();
    let shape: Option<Vec<usize>> =
        (0..rank).map(|at| if added.contains(&at) { Some(1) } else { own.next() }).collect();
    let shape = shape.ok_or_else(|| format!("{axes:?} are no different sides"))?;
    reshaped(input, shape, meter)
}

/// Sides of one less: those that are named, or all.
pub(super) fn squeeze(input: Value, axes: Option<&[i64]>, meter: &mut Meter) -> Result<Value> {
    let rank = input.shape().len();
    let named =
        axes.map(|axes| axes.iter().map(|at| axis(*at, rank)).collect::<std::result::Result<Vec<_>, _>>());
    let named = named.transpose()?;
    let leaves = |(at, side): &(usize, &usize)| match &named {
        Some(named) => named.contains(at),
        None => **side == 1,
    };
    let shape =
        input.shape().iter().enumerate().filter(|side| !leaves(side)).map(|(_, side)| *side).collect();
    reshaped(input, shape, meter)
}

/// The sides in another order; turned round where none is given.
pub(super) fn transpose(input: Value, order: Option<&[i64]>, meter: &mut Meter) -> Result<Value> {
    let rank = input.shape().len();
    let order: Vec<usize> = match order {
        Some(order) => order.iter().map(|at| axis(*at, rank)).collect::<std::result::Result<_, _>>()?,
        None => (0..rank).rev().collect(),
    };
    let mut sorted = order.clone();
    sorted.sort_unstable();
    if !sorted.iter().copied().eq(0..rank) {
        return Err(format!("{order:?} is no order of {rank} sides").into());
    }
    let count = meter.hold(input.shape())?;
    Ok(match input {
        Value::Floats(array) => Value::Floats(ordered(&array, &order, count)?),
        Value::Ints(array) => Value::Ints(ordered(&array, &order, count)?),
    })
}

fn ordered<T: Copy>(array: &Array<T>, order: &[usize], count: usize) -> Result<Array<T>> {
    let own = |axis: &usize| array.shape.get(*axis).copied().unwrap_or(1);
    let shape: Vec<usize> = order.iter().map(own).collect();
    let strides: Vec<usize> = order.iter().map(|axis| array.split_at(*axis)[2]).collect();
    let mut values = Vec::with_capacity(count);
    let (mut at, mut from) = (vec![0; order.len()], 0);
    for _ in 0..count {
        values.push(*array.data.get(from).ok_or("an array is shorter than its shape")?);
        for ((at, side), stride) in at.iter_mut().zip(&shape).zip(&strides).rev() {
            (*at, from) = (*at + 1, from + stride);
            if *at < *side {
                break;
            }
            from -= *at * stride;
            *at = 0;
        }
    }
    Ok(Array::new(shape, values))
}
