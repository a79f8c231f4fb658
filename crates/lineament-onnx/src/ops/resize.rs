//! Blowing maps up to their nearest neighbors.

use super::{Meter, Result};
use crate::error::OnnxError;
use crate::proto::RawNode;
use crate::value::{Array, Value};

/// How a place of the result is found in the map.
#[derive(Debug, Clone)]
pub(crate) struct Resize {
    coordinates: Coordinates,
    rounding: Rounding,
    /// Of early files, in the node.
    scales: Option<Vec<f32>>,
}

#[derive(Debug, Clone, Copy)]
enum Coordinates {
    Asymmetric,
    HalfPixel,
}

#[derive(Debug, Clone, Copy)]
enum Rounding {
    Floor,
    Ceil,
    PreferFloor,
    PreferCeil,
}

impl Resize {
    pub(crate) fn of(node: &RawNode) -> std::result::Result<Self, OnnxError> {
        let other =
            |what: &str, is: &str| OnnxError::unsupported(format!("{} resizes by {what} {is}", node.label()));
        let upsample = node.operator == "Upsample";
        match node.text("mode", "nearest") {
            "nearest" => {}
            is => return Err(other("mode", is)),
        }
        let coordinates = match node
            .text("coordinate_transformation_mode", if upsample { "asymmetric" } else { "half_pixel" })
        {
            "asymmetric" => Coordinates::Asymmetric,
            "half_pixel" | "pytorch_half_pixel" => Coordinates::HalfPixel,
            is => return Err(other("coordinates", is)),
        };
        let rounding = match node.text("nearest_mode", if upsample { "floor" } else { "round_prefer_floor" })
        {
            "floor" => Rounding::Floor,
            "ceil" => Rounding::Ceil,
            "round_prefer_floor" => Rounding::PreferFloor,
            "round_prefer_ceil" => Rounding::PreferCeil,
            is => return Err(other("rounding", is)),
        };
        Ok(Self { coordinates, rounding, scales: node.floats("scales") })
    }

    /// `given`: the scales last, or sizes, which are whole numbers.
    pub(super) fn run(&self, input: &Array<f32>, given: Vec<Value>, meter: &mut Meter) -> Result<Array<f32>> {
        let &[items, channels, height, width] = input.shape.as_slice() else {
            return Err(format!("{:?} is no batch of maps", input.shape).into());
        };
        let last = given.into_iter().rev().find(|one| one.len() > 0);
        let sides: [(usize, f64); 2] = match (&last, &self.scales) {
            (Some(Value::Ints(sizes)), _) => {
                let &[_, _, rows, columns] = sizes.data.as_slice() else {
                    return Err("it has not four sizes".into());
                };
                let side = |size: i64, own: usize| -> Result<(usize, f64)> {
                    let size = usize::try_from(size).map_err(|_| format!("{size} is no size"))?;
                    Ok((size, size as f64 / own.max(1) as f64))
                };
                [side(rows, height)?, side(columns, width)?]
            }
            (Some(Value::Floats(scales)), _) => Self::scaled(&scales.data, height, width)?,
            (None, Some(scales)) => Self::scaled(scales, height, width)?,
            (None, None) => return Err("it has neither scales nor sizes".into()),
        };
        let [(rows, down), (columns, right)] = sides;
        let shape = vec![items, channels, rows, columns];
        let mut values = Vec::with_capacity(meter.hold(&shape)?);
        if height * width > 0 {
            let across: Vec<usize> = (0..columns).map(|at| self.source(at, right, width)).collect();
            let rows: Vec<usize> = (0..rows).map(|at| self.source(at, down, height)).collect();
            for plane in input.data.chunks_exact(height * width) {
                for row in &rows {
                    let row = plane.get(row * width..(row + 1) * width).unwrap_or_default();
                    values.extend(across.iter().map(|column| row.get(*column).copied().unwrap_or_default()));
                }
            }
        }
        if values.len() != items * channels * rows * columns {
            return Err(format!("{:?} has nothing to be made larger", input.shape).into());
        }
        Ok(Array::new(shape, values))
    }

    fn scaled(scales: &[f32], height: usize, width: usize) -> Result<[(usize, f64); 2]> {
        match scales {
            &[1.0, 1.0, down, right] if [down, right].iter().all(|scale| (0.01..=64.0).contains(scale)) => {
                let side = |own: usize, scale: f32| {
                    ((own as f64 * f64::from(scale)).floor() as usize, f64::from(scale))
                };
                Ok([side(height, down), side(width, right)])
            }
            other => {
                Err(format!("it scales by {other:?}, not by 1, 1 and two factors between 0.01 and 64").into())
            }
        }
    }

    fn source(&self, at: usize, scale: f64, side: usize) -> usize {
        let place = match self.coordinates {
            Coordinates::Asymmetric => at as f64 / scale,
            Coordinates::HalfPixel => (at as f64 + 0.5) / scale - 0.5,
        };
        let rounded = match self.rounding {
            Rounding::Floor => place.floor(),
            Rounding::Ceil => place.ceil(),
            Rounding::PreferFloor => (place - 0.5).ceil(),
            Rounding::PreferCeil => (place + 0.5).floor(),
        };
        (rounded.max(0.0) as usize).min(side - 1)
    }
}
