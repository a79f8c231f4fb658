//! The photo and its halves in one map, and windows drawn from them.

use lineament_net::onnx::{Element, Graph, OnnxError, Setting, Value};

use super::arithmetic::Arithmetic;
use crate::input::Preprocess;

/// Copies of the photo, each half as large as the one before: 128 pixels of the largest become one.
pub(super) const COPIES: usize = 8;

/// The photo and its copies, one below the other.
pub(super) struct Atlas {
    /// `[1, 3, rows, columns]`, preprocessed; copies are filled up with zeros on the right.
    pub(super) pixels: Value,
    /// Height and width of the photo in pixels, `[2]`; each is 1 at least.
    pub(super) size: Value,
    /// Height and width of each copy, `[COPIES, 2]`.
    pub(super) sizes: Value,
    /// First row of each copy, `[COPIES]`.
    pub(super) tops: Value,
}

impl Atlas {
    /// Of an image `[height, width, 3]` in bytes. One without pixels is a black pixel.
    pub(super) fn new(g: &mut Graph, image: &Value, preprocess: &Preprocess) -> Result<Self, OnnxError> {
        let colours = g.cast(image, Element::Float)?;
        let planes = g.transpose(&colours, &[2, 0, 1])?;
        let axis = g.integers(&[0])?;
        let planes = g.two("Unsqueeze", &planes, &axis)?;
        let (size, one, none) = (size_of(g, &planes)?, g.integers(&[1])?, g.integers(&[0])?);
        let missing = g.two("Sub", &one, &size)?;
        let missing = g.two("Max", &missing, &none)?;
        let planes = padded(g, &planes, &missing, "constant")?;
        let Preprocess { mean, std } = preprocess;
        let factor = g.constant(&[3, 1, 1], &std.map(|std| 1.0 / (255.0 * std)))?;
        let offset: [f32; 3] = std::array::from_fn(|channel| -mean[channel] / std[channel]);
        let offset = g.constant(&[3, 1, 1], &offset)?;
        let scaled = g.two("Mul", &planes, &factor)?;
        let mut copies = vec![g.two("Add", &scaled, &offset)?];
        let mut sizes = vec![size_of(g, &copies[0])?];
        let two = g.integers(&[2])?;
        while let (Some(last), Some(size), true) = (copies.last(), sizes.last(), copies.len() < COPIES) {
            let odd = g.two("Mod", size, &two)?;
            let even = padded(g, last, &odd, "edge")?;
            let half = halved(g, &even)?;
            sizes.push(size_of(g, &half)?);
            copies.push(half);
        }
        // A column more, so that no map is one pixel wide.
        let width = g.slice(&sizes[0], 0, 1, 2)?;
        let columns = g.two("Add", &width, &one)?;
        let mut filled = Vec::new();
        for (copy, size) in copies.iter().zip(&sizes) {
            let width = g.slice(size, 0, 1, 2)?;
            let missing = g.two("Sub", &columns, &width)?;
            let missing = g.concat(&[&none, &missing], 0)?;
            filled.push(padded(g, copy, &missing, "constant")?);
        }
        let pixels = g.concat(&filled.iter().collect::<Vec<_>>(), 2)?;
        let size = g.cast(&sizes[0], Element::Float)?;
        let sizes = g.concat(&sizes.iter().collect::<Vec<_>>(), 0)?;
        let sizes = g.cast(&sizes, Element::Float)?;
        let sizes = g.reshape(&sizes, &[COPIES as i64, 2])?;
        let heights = g.slice(&sizes, 1, 0, 1)?;
        let before: Vec<f32> =
            (0..COPIES * COPIES).map(|at| f32::from(u8::from(at % COPIES < at / COPIES))).collect();
        let before = g.constant(&[COPIES, COPIES], &before)?;
        let tops = g.two("MatMul", &before, &heights)?;
        let tops = g.reshape(&tops, &[-1])?;
        Ok(Self { pixels, size, sizes, tops })
    }

    /// Which copy serves where so many pixels of the photo become one: the smallest in which more than the square root of 2
    /// are left.
    pub(super) fn copy_for(g: &mut Graph, shrink: &Value) -> Result<Value, OnnxError> {
        let power = g.one("Log", shrink)?;
        let power = g.with("Mul", &power, std::f32::consts::LOG2_E)?;
        let power = g.with("Sub", &power, 0.5)?;
        let power = g.one("Floor", &power)?;
        let power = g.clip(&power, 0.0, (COPIES - 1) as f32)?;
        g.cast(&power, Element::Int64)
    }

    /// Squares of the photo as images of `pixels` by `pixels`, `[squares, 3, pixels, pixels]`. `centre` holds x and y, `side` is in
    /// pixels of the photo and `roll` in radians, `[squares, 1]` each; edge pixels are repeated.
    ///
    /// The native engine averages with a triangle. Here each pixel is the mean of four places of a copy, as far apart as
    /// gives the same variance.
    pub(super) fn draw(
        &self,
        g: &mut Graph,
        [x, y, side, roll]: [&Value; 4],
        pixels: usize,
    ) -> Result<Value, OnnxError> {
        let shrink = g.with("Div", side, pixels as f32)?;
        let copy = Self::copy_for(g, &shrink)?;
        let scales: [f32; COPIES] = std::array::from_fn(|copy| (1u32 << copy) as f32);
        // Of a copy, a mean over squares, with linear interpolation between its pixels.
        let variances: Vec<f32> = scales
            .iter()
            .map(|&scale| if scale == 1.0 { 1.0 / 6.0 } else { scale * scale / 4.0 - 1.0 / 12.0 })
            .collect();
        let (scales, variances) = (g.constant(&[COPIES], &scales)?, g.constant(&[COPIES], &variances)?);
        let (scale, variance) = (g.gather(&scales, &copy, 0)?, g.gather(&variances, &copy, 0)?);
        let wanted = g.two("Mul", &shrink, &shrink)?;
        let wanted = g.with("Div", &wanted, 6.0)?;
        let more = g.two("Sub", &wanted, &variance)?;
        let more = g.with("Max", &more, 0.0)?;
        let apart = g.one("Sqrt", &more)?;
        // Along an axis of the square, in pixels of the photo: `[squares, 2 * pixels]`.
        let middles: Vec<f32> =
            (0..2 * pixels).map(|at| ((at / 2) as f32 + 0.5) / pixels as f32 - 0.5).collect();
        let signs: Vec<f32> = (0..2 * pixels).map(|at| if at % 2 == 0 { -1.0 } else { 1.0 }).collect();
        let (middles, signs) = (g.constant(&[2 * pixels], &middles)?, g.constant(&[2 * pixels], &signs)?);
        let middles = g.two("Mul", side, &middles)?;
        let offsets = g.two("Mul", &apart, &signs)?;
        let along = g.two("Add", &middles, &offsets)?;
        let across = g.reshape(&along, &[0, 1, 2 * pixels as i64])?;
        let down = g.reshape(&along, &[0, 2 * pixels as i64, 1])?;
        let (sine, cosine) = (g.one("Sin", roll)?, g.one("Cos", roll)?);
        let sizes = g.gather(&self.sizes, &copy, 0)?;
        let sizes = g.reshape(&sizes, &[-1, 2])?;
        let tops = g.gather(&self.tops, &copy, 0)?;
        let shape = size_of(g, &self.pixels)?;
        let shape = g.cast(&shape, Element::Float)?;
        let minus = g.one("Neg", &sine)?;
        let mut places = Vec::new();
        for (axis, centre, factors) in [(1, x, [&cosine, &minus]), (0, y, [&sine, &cosine])] {
            let [a, b] = [g.reshape(factors[0], &[-1, 1, 1])?, g.reshape(factors[1], &[-1, 1, 1])?];
            let (a, b) = (g.two("Mul", &across, &a)?, g.two("Mul", &down, &b)?);
            let place = g.two("Add", &a, &b)?;
            let centre = g.reshape(centre, &[-1, 1, 1])?;
            let place = g.two("Add", &place, &centre)?;
            let scale = g.reshape(&scale, &[-1, 1, 1])?;
            let place = g.two("Div", &place, &scale)?;
            let place = g.with("Sub", &place, 0.5)?;
            let most = g.slice(&sizes, 1, axis, axis + 1)?;
            let most = g.with("Sub", &most, 1.0)?;
            let most = g.reshape(&most, &[-1, 1, 1])?;
            let place = g.two("Min", &place, &most)?;
            let mut place = g.with("Max", &place, 0.0)?;
            if axis == 0 {
                let tops = g.reshape(&tops, &[-1, 1, 1])?;
                place = g.two("Add", &place, &tops)?;
            }
            // From the first pixel at -1 to the last one at 1.
            let length = g.slice(&shape, 0, axis, axis + 1)?;
            let length = g.with("Sub", &length, 1.0)?;
            let place = g.two("Div", &place, &length)?;
            let place = g.with("Mul", &place, 2.0)?;
            let place = g.with("Sub", &place, 1.0)?;
            places.push(g.reshape(&place, &[1, -1, 2 * pixels as i64, 1])?);
        }
        let grid = g.concat(&places.iter().collect::<Vec<_>>(), 3)?;
        let settings = [
            ("align_corners", Setting::Int(1)),
            ("mode", Setting::Text("bilinear")),
            ("padding_mode", Setting::Text("border")),
        ];
        let drawn = g.op("GridSample", &[&self.pixels, &grid], &settings)?;
        // One plane an item: runtimes pool no items, and nothing else of size 0.
        let pixels = pixels as i64;
        let planes = g.reshape(&drawn, &[-1, 1, 2 * pixels, 2 * pixels])?;
        let mean = halved(g, &planes)?;
        let squares = g.reshape(&mean, &[3, -1, pixels, pixels])?;
        g.transpose(&squares, &[1, 0, 2, 3])
    }
}

/// Height and width of a map, `[2]` of i64.
fn size_of(g: &mut Graph, map: &Value) -> Result<Value, OnnxError> {
    g.op("Shape", &[map], &[("start", Setting::Int(2)), ("end", Setting::Int(4))])
}

/// A map with so many rows and columns more, `[2]` of i64, below and on the right.
fn padded(g: &mut Graph, map: &Value, more: &Value, mode: &str) -> Result<Value, OnnxError> {
    let none = g.integers(&[0; 6])?;
    let pads = g.concat(&[&none, more], 0)?;
    g.op("Pad", &[map, &pads], &[("mode", Setting::Text(mode))])
}

/// The means of squares of two by two pixels.
fn halved(g: &mut Graph, map: &Value) -> Result<Value, OnnxError> {
    let settings = [("kernel_shape", Setting::Ints(&[2, 2])), ("strides", Setting::Ints(&[2, 2]))];
    g.op("AveragePool", &[map], &settings)
}
