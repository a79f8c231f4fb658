//! The photo and smaller copies of it in one map, and windows drawn from them.

use std::f32::consts::{FRAC_1_SQRT_2, LOG2_E};

use lineament_net::onnx::{Element, Graph, OnnxError, Setting, Value};

use super::words::Words;
use crate::input::Preprocess;

/// The photo and its copies. Each has half the pixels of the one before, the last one a side of a 181st.
const COPIES: usize = 16;
/// Which of them lie side by side, the tallest first; these strips lie one below the other. They are about as wide as the photo.
const STRIPS: [&[usize]; 4] = [&[0], &[1, 4], &[2, 3, 6], &[5, 7, 8, 9, 10, 11, 12, 13, 14, 15]];
/// A pixel that is drawn from a copy by linear interpolation should be `sqrt(1.5)` of the copy's pixels wide: then copy and
/// interpolation together have the variance of a mean with a triangle, the native engine's. In steps from copy to copy.
const FINER: f32 = 0.585;

/// The photo and its copies.
pub(super) struct Atlas {
    /// `[1, 3, rows, columns]`, preprocessed; zeros between copies.
    pub(super) pixels: Value,
    /// Height and width of the photo in pixels, `[2]`; each is 1 at least.
    pub(super) size: Value,
    /// Height and width of each copy, `[COPIES, 2]`.
    pub(super) sizes: Value,
    /// Pixels of the photo to one of each copy, down and across, `[COPIES, 2]`.
    pub(super) scales: Value,
    /// First row and first column of each copy, `[COPIES, 2]`.
    pub(super) corners: Value,
}

impl Atlas {
    /// Of an image `[height, width, 3]` in bytes. One without pixels is a black pixel.
    pub(super) fn new(g: &mut Graph, image: &Value, preprocess: &Preprocess) -> Result<Self, OnnxError> {
        let photo = planes(g, image, preprocess)?;
        let size = size_of(g, &photo)?;
        let size = g.cast(&size, Element::Float)?;
        let second = g.with("Mul", &size, FRAC_1_SQRT_2)?;
        let second = g.one("Round", &second)?;
        let second = g.with("Max", &second, 1.0)?;
        let between = g.two("Div", &size, &second)?;
        let second = g.cast(&second, Element::Int64)?;
        let second = resized(g, &photo, &second)?;
        let mut copies = vec![photo, second];
        for copy in 2..COPIES {
            let half = halved(g, &copies[copy - 2])?;
            copies.push(half);
        }
        let sizes: Vec<Value> = copies.iter().map(|copy| size_of(g, copy)).collect::<Result<_, _>>()?;
        let pixels = laid_out(g, &copies, &sizes)?;
        let sizes = g.concat(&sizes.iter().collect::<Vec<_>>(), 0)?;
        let sizes = g.cast(&sizes, Element::Float)?;
        let sizes = g.reshape(&sizes, &[COPIES as i64, 2])?;
        let powers: [f32; COPIES] = std::array::from_fn(|copy| (1u32 << (copy / 2)) as f32);
        let odd: [f32; COPIES] = std::array::from_fn(|copy| (copy % 2) as f32);
        let (powers, odd) = (g.constant(&[COPIES, 1], &powers)?, g.constant(&[COPIES, 1], &odd)?);
        let between = g.two("Pow", &between, &odd)?;
        let scales = g.two("Mul", &powers, &between)?;
        let corners = corners(g, &sizes)?;
        Ok(Self { pixels, size, sizes, scales, corners })
    }

    /// Which copies serve where so many pixels of the photo become one, in the same shape.
    pub(super) fn copy_for(g: &mut Graph, shrink: &Value) -> Result<Value, OnnxError> {
        let power = g.one("Log", shrink)?;
        let power = g.with("Mul", &power, 2.0 * LOG2_E)?;
        let power = g.with("Sub", &power, FINER)?;
        let power = g.one("Round", &power)?;
        let power = g.clip(&power, 0.0, (COPIES - 1) as f32)?;
        g.cast(&power, Element::Int64)
    }

    /// Squares of the photo as images of `pixels` by `pixels`, `[squares, 3, pixels, pixels]`. `centre` holds x and y, `side` is in
    /// pixels of the photo and `roll` in radians, `[squares, 1]` each; edge pixels are repeated.
    ///
    /// The native engine averages with a triangle. Here each pixel is one place of the copy that is blurred about as much.
    pub(super) fn draw(
        &self,
        g: &mut Graph,
        [x, y, side, roll]: [&Value; 4],
        pixels: usize,
    ) -> Result<Value, OnnxError> {
        let shrink = g.with("Div", side, pixels as f32)?;
        let copy = Self::copy_for(g, &shrink)?;
        let copy = g.reshape(&copy, &[-1])?;
        let (sizes, scales) = (g.gather(&self.sizes, &copy, 0)?, g.gather(&self.scales, &copy, 0)?);
        let corners = g.gather(&self.corners, &copy, 0)?;
        let middles: Vec<f32> = (0..pixels).map(|at| (at as f32 + 0.5) / pixels as f32 - 0.5).collect();
        let middles = g.constant(&[pixels], &middles)?;
        let along = g.two("Mul", side, &middles)?;
        let (sine, cosine) = (g.one("Sin", roll)?, g.one("Cos", roll)?);
        let minus = g.one("Neg", &sine)?;
        let lengths = size_of(g, &self.pixels)?;
        let lengths = g.cast(&lengths, Element::Float)?;
        let pixels = pixels as i64;
        let mut places = Vec::new();
        for (axis, centre, factors) in [(1, x, [&cosine, &minus]), (0, y, [&sine, &cosine])] {
            let of_axis = |g: &mut Graph, values: &Value| g.slice(values, 1, axis, axis + 1);
            let (scale, size, corner) = (of_axis(g, &scales)?, of_axis(g, &sizes)?, of_axis(g, &corners)?);
            let length = g.slice(&lengths, 0, axis, axis + 1)?;
            // The near edge of the atlas is -1 and the far one is 1. What can be worked out on rows and columns isn't worked out on
            // places, which are many.
            let unit = g.with("Div", &length, 2.0)?;
            let in_atlas = |g: &mut Graph, place: &Value| -> Result<Value, OnnxError> {
                let place = g.two("Add", place, &corner)?;
                let place = g.two("Div", &place, &unit)?;
                let place = g.with("Sub", &place, 1.0)?;
                g.reshape(&place, &[-1, 1, 1])
            };
            let centre = g.two("Div", centre, &scale)?;
            let centre = in_atlas(g, &centre)?;
            // The middles of the first and of the last pixel of the copy.
            let least = g.with("Mul", &size, 0.0)?;
            let (least, most) = (g.with("Add", &least, 0.5)?, g.with("Sub", &size, 0.5)?);
            let (least, most) = (in_atlas(g, &least)?, in_atlas(g, &most)?);
            let unit = g.two("Mul", &unit, &scale)?;
            let term = |g: &mut Graph, factor: &Value, shape: [i64; 3]| -> Result<Value, OnnxError> {
                let factor = g.two("Div", factor, &unit)?;
                let term = g.two("Mul", &along, &factor)?;
                g.reshape(&term, &shape)
            };
            let across = term(g, factors[0], [-1, 1, pixels])?;
            let down = term(g, factors[1], [-1, pixels, 1])?;
            let across = g.two("Add", &across, &centre)?;
            let place = g.two("Add", &across, &down)?;
            let place = g.two("Min", &place, &most)?;
            let place = g.two("Max", &place, &least)?;
            places.push(g.reshape(&place, &[1, -1, pixels, 1])?);
        }
        let grid = g.concat(&places.iter().collect::<Vec<_>>(), 3)?;
        // No place lies outside, and ONNX Runtime is four times as fast with these settings as with others.
        let settings = [
            ("align_corners", Setting::Int(0)),
            ("mode", Setting::Text("bilinear")),
            ("padding_mode", Setting::Text("zeros")),
        ];
        let drawn = g.op("GridSample", &[&self.pixels, &grid], &settings)?;
        let squares = g.reshape(&drawn, &[3, -1, pixels, pixels])?;
        g.transpose(&squares, &[1, 0, 2, 3])
    }
}

/// The preprocessed colours of an image `[height, width, 3]`, as `[1, 3, height, width]`.
fn planes(g: &mut Graph, image: &Value, preprocess: &Preprocess) -> Result<Value, OnnxError> {
    let (shape, least) = (g.one("Shape", image)?, g.integers(&[1, 1, 3])?);
    let missing = g.two("Sub", &least, &shape)?;
    let none = g.integers(&[0; 3])?;
    let missing = g.two("Max", &missing, &none)?;
    let pads = g.concat(&[&none, &missing], 0)?;
    let image = g.op("Pad", &[image, &pads], &[("mode", Setting::Text("constant"))])?;
    let planes = g.transpose(&image, &[2, 0, 1])?;
    let axis = g.integers(&[0])?;
    let planes = g.two("Unsqueeze", &planes, &axis)?;
    let planes = g.cast(&planes, Element::Float)?;
    let Preprocess { mean, std } = preprocess;
    let factor = g.constant(&[3, 1, 1], &std.map(|std| 1.0 / (255.0 * std)))?;
    let offset: [f32; 3] = std::array::from_fn(|channel| -mean[channel] / std[channel]);
    let offset = g.constant(&[3, 1, 1], &offset)?;
    let scaled = g.two("Mul", &planes, &factor)?;
    g.two("Add", &scaled, &offset)
}

/// All copies in one map, strip by strip.
fn laid_out(g: &mut Graph, copies: &[Value], sizes: &[Value]) -> Result<Value, OnnxError> {
    let none = g.integers(&[0])?;
    let mut strips = Vec::new();
    let mut widths = Vec::new();
    for strip in STRIPS {
        let mut parts = Vec::new();
        let mut tallest = None;
        for (copy, size) in strip.iter().filter_map(|&at| copies.get(at).zip(sizes.get(at))) {
            let height = g.slice(size, 0, 0, 1)?;
            let Some(tallest) = &tallest else {
                tallest = Some(height);
                parts.push(copy.clone());
                continue;
            };
            let missing = g.two("Sub", tallest, &height)?;
            let missing = g.concat(&[&missing, &none], 0)?;
            parts.push(padded(g, copy, &missing)?);
        }
        let strip = match parts.as_slice() {
            [one] => one.clone(),
            several => g.concat(&several.iter().collect::<Vec<_>>(), 3)?,
        };
        let size = size_of(g, &strip)?;
        widths.push(g.slice(&size, 0, 1, 2)?);
        strips.push(strip);
    }
    let widest = g.op("Max", &widths.iter().collect::<Vec<_>>(), &[])?;
    let mut filled = Vec::new();
    for (strip, width) in strips.iter().zip(&widths) {
        let missing = g.two("Sub", &widest, width)?;
        let missing = g.concat(&[&none, &missing], 0)?;
        filled.push(padded(g, strip, &missing)?);
    }
    g.concat(&filled.iter().collect::<Vec<_>>(), 2)
}

/// First row and column of each copy, by the sizes of all, `[COPIES, 2]`.
fn corners(g: &mut Graph, sizes: &Value) -> Result<Value, OnnxError> {
    // Which copies' heights, and which widths, are above and on the left.
    let mut before = [vec![0.0; COPIES * COPIES], vec![0.0; COPIES * COPIES]];
    let [above, beside] = &mut before;
    for (row, strip) in STRIPS.iter().enumerate() {
        for (column, copy) in strip.iter().enumerate() {
            let firsts = STRIPS[..row].iter().filter_map(|strip| strip.first());
            firsts.for_each(|first| above[copy * COPIES + first] = 1.0);
            strip[..column].iter().for_each(|other| beside[copy * COPIES + other] = 1.0);
        }
    }
    let mut sums = Vec::new();
    for (axis, before) in (0..).zip(&before) {
        let before = g.constant(&[COPIES, COPIES], before)?;
        let lengths = g.slice(sizes, 1, axis, axis + 1)?;
        sums.push(g.two("MatMul", &before, &lengths)?);
    }
    g.concat(&sums.iter().collect::<Vec<_>>(), 1)
}

/// A map at another size, `[2]` of i64, by linear interpolation.
pub(super) fn resized(g: &mut Graph, map: &Value, size: &Value) -> Result<Value, OnnxError> {
    let first = g.integers(&[1, 3])?;
    let sizes = g.concat(&[&first, size], 0)?;
    let absent = Value::absent();
    g.op("Resize", &[map, &absent, &absent, &sizes], &[("mode", Setting::Text("linear"))])
}

/// Height and width of a map, `[2]` of i64.
fn size_of(g: &mut Graph, map: &Value) -> Result<Value, OnnxError> {
    g.op("Shape", &[map], &[("start", Setting::Int(2)), ("end", Setting::Int(4))])
}

/// A map with so many rows and columns of zeros more, `[2]` of i64, below and on the right.
fn padded(g: &mut Graph, map: &Value, more: &Value) -> Result<Value, OnnxError> {
    let none = g.integers(&[0; 6])?;
    let pads = g.concat(&[&none, more], 0)?;
    g.op("Pad", &[map, &pads], &[("mode", Setting::Text("constant"))])
}

/// The means of squares of two by two pixels; where a side is odd, the last ones are of what there is, since padding doesn't count.
fn halved(g: &mut Graph, map: &Value) -> Result<Value, OnnxError> {
    let settings = [
        ("kernel_shape", Setting::Ints(&[2, 2])),
        ("strides", Setting::Ints(&[2, 2])),
        ("pads", Setting::Ints(&[0, 0, 1, 1])),
    ];
    g.op("AveragePool", &[map], &settings)
}
