//! LNet_o over a pyramid of the photo: what it takes for a face.

use lineament_net::onnx::{Carried, Dim, Element, Form, Graph, OnnxError, Setting, Value};

use super::arithmetic::Arithmetic;
use super::atlas::Atlas;
use super::windows::{self, COLUMNS, column, corrected};
use super::{Classifier, Finder};
use crate::locate::pyramid::{FACE, STRIP};

/// The most levels: twice as many as the largest photos have.
const LEVELS: f32 = 64.0;

/// Windows that LNet_o takes for a face, moved and resized as it says, and the best of each level whose windows are as large as
/// the photo, `[windows, COLUMNS]`. `smallest` is the height of the smallest face in pixels, `[]`.
pub(super) fn candidates(
    g: &mut Graph,
    finder: &Finder<'_>,
    atlas: &Atlas,
    smallest: &Value,
) -> Result<Value, OnnxError> {
    let p = finder.parameters;
    let longer = g.op("ReduceMax", &[&atlas.size], &[("keepdims", Setting::Int(0))])?;
    let shorter = g.op("ReduceMin", &[&atlas.size], &[("keepdims", Setting::Int(0))])?;
    // Levels lie at whole powers of the step, the native engine's (`locate::pyramid`).
    let power_of = |g: &mut Graph, face: &Value| -> Result<Value, OnnxError> {
        let steps = g.with("Div", face, FACE as f32)?;
        let steps = g.one("Log", &steps)?;
        g.with("Div", &steps, p.step.ln())
    };
    let finest = power_of(g, smallest)?;
    let finest = g.one("Round", &finest)?;
    let most = g.with("Mul", &longer, (1.0 + 2.0 * p.margin) * p.step.sqrt())?;
    let strip = g.with("Mul", &shorter, STRIP as f32)?;
    let most = g.two("Min", &most, &strip)?;
    let most = g.with("Mul", &most, p.face.height)?;
    let coarsest = power_of(g, &most)?;
    let coarsest = g.one("Floor", &coarsest)?;
    let count = g.two("Sub", &coarsest, &finest)?;
    let count = g.with("Add", &count, 1.0)?;
    let count = g.clip(&count, 0.0, LEVELS)?;
    let count = g.cast(&count, Element::Int64)?;

    let first = windows::none(g)?;
    let dims = [Dim::Free("windows"), Dim::Fixed(COLUMNS)];
    let carried = [Carried { first: &first, element: Element::Float, dims: &dims }];
    let found = g.repeat("levels", &count, &carried, |g, turn, before| {
        // Some runtimes count turns in `[1]`.
        let turn = g.reshape(turn, &[])?;
        let turn = g.cast(&turn, Element::Float)?;
        let power = g.two("Add", &finest, &turn)?;
        let power = g.with("Mul", &power, p.step.ln())?;
        let side = g.one("Exp", &power)?;
        let side = g.with("Mul", &side, FACE as f32 / p.face.height)?;
        let found = level(g, finder, atlas, &side, &longer)?;
        let all: Vec<&Value> = before.iter().chain([&found]).collect();
        Ok::<_, OnnxError>(vec![g.concat(&all, 0)?])
    })?;
    match found.into_iter().next() {
        Some(found) => Ok(found),
        None => windows::none(g),
    }
}

/// The same of one level, whose windows have this side in the photo.
fn level(
    g: &mut Graph,
    finder: &Finder<'_>,
    atlas: &Atlas,
    side: &Value,
    longer: &Value,
) -> Result<Value, OnnxError> {
    let Finder { lnet_o, parameters: p, .. } = finder;
    let (window, stride) = (lnet_o.window as f32, lnet_o.stride as f32);
    let drawn = Drawn::new(g, lnet_o, atlas, side, p.margin)?;
    let responses = lnet_o.respond(g, &drawn.pixels)?;
    let lattice = g.op("Shape", &[&responses], &[("start", Setting::Int(3))])?;
    let lattice = g.cast(&lattice, Element::Float)?;
    let responses = g.reshape(&responses, &[lnet_o.channels, -1])?;
    let scores = g.slice(&responses, 0, 0, 1)?;
    let above = g.with("Greater", &scores, p.candidate_threshold)?;
    let above = g.one("NonZero", &above)?;
    let above = g.slice(&above, 0, 1, 2)?;
    let above = g.reshape(&above, &[-1])?;
    let best = g.op("ArgMax", &[&scores], &[("axis", Setting::Int(1))])?;
    let best = g.reshape(&best, &[-1])?;
    let numbers = g.concat(&[&above, &best], 0)?;
    let picked = g.gather(&responses, &numbers, 1)?;
    let picked = g.transpose(&picked, &[1, 0])?;

    let numbers = g.cast(&numbers, Element::Float)?;
    let numbers = g.reshape(&numbers, &[-1, 1])?;
    let row = g.two("Div", &numbers, &lattice)?;
    let row = g.one("Floor", &row)?;
    let before = g.two("Mul", &row, &lattice)?;
    let at = g.two("Sub", &numbers, &before)?;
    let places = g.concat(&[&row, &at], 1)?;
    let centres = g.with("Mul", &places, stride)?;
    let centres = g.with("Add", &centres, window / 2.0)?;
    let centres = g.two("Mul", &centres, &drawn.scale)?;
    let centres = g.two("Add", &centres, &drawn.origin)?;
    let [y, x] = [column(g, &centres, 0)?, column(g, &centres, 1)?];
    let nothing = g.with("Mul", &x, 0.0)?;
    let side = g.reshape(side, &[1, 1])?;
    let sides = g.two("Add", &nothing, &side)?;
    // The best of all stands last.
    let above = g.cast(&above, Element::Float)?;
    let above = g.with("Mul", &above, 0.0)?;
    let last = g.constant(&[1], &[1.0])?;
    let kind = g.concat(&[&above, &last], 0)?;
    let kind = g.reshape(&kind, &[-1, 1])?;
    let windows = g.concat(&[&x, &y, &sides, &nothing, &nothing, &kind], 1)?;

    let half = g.with("Mul", &side, 0.5)?;
    let low = g.two("Sub", &half, &centres)?;
    let high = g.two("Add", &half, &centres)?;
    let high = g.two("Sub", &high, &atlas.size)?;
    let beyond = g.two("Max", &low, &high)?;
    let margin = g.with("Mul", &side, p.margin)?;
    let spare = g.two("Sub", &side, &atlas.size)?;
    let spare = g.with("Mul", &spare, 0.5)?;
    let most = g.two("Max", &margin, &spare)?;
    let slack = g.with("Mul", &side, 0.01)?;
    let most = g.two("Add", &most, &slack)?;
    let beyond = g.two("Sub", &beyond, &most)?;
    let beyond = g.reduce("ReduceMax", &beyond, 1)?;
    let wanted = g.with("LessOrEqual", &beyond, 0.0)?;
    let ordinary = g.with("Less", &kind, 0.5)?;
    let wanted = g.two("And", &wanted, &ordinary)?;
    let filling = g.two("GreaterOrEqual", &side, longer)?;
    let last = g.one("Not", &ordinary)?;
    let filling = g.two("And", &filling, &last)?;
    let wanted = g.two("Or", &wanted, &filling)?;
    let moved = corrected(g, &windows, &picked, false)?;
    g.rows(&moved, &wanted)
}

/// A level as LNet_o is shown it.
struct Drawn {
    /// `[1, 3, height, width]`.
    pixels: Value,
    /// Pixels of the photo to one of the level, down and across, `[2]`.
    scale: Value,
    /// Upper left corner in the photo, down and across, `[2]`.
    origin: Value,
}

impl Drawn {
    /// The lattice of the native engine, laid on whole pixels of the copy that it is drawn from.
    fn new(
        g: &mut Graph,
        lnet_o: &Classifier<'_>,
        atlas: &Atlas,
        side: &Value,
        margin: f32,
    ) -> Result<Self, OnnxError> {
        let (window, stride) = (lnet_o.window as f32, lnet_o.stride as f32);
        let shrink = g.with("Div", side, window)?;
        let copy = Atlas::copy_for(g, &shrink)?;
        let scales: Vec<f32> = (0..super::atlas::COPIES).map(|copy| (1u32 << copy) as f32).collect();
        let scales = g.constant(&[scales.len()], &scales)?;
        let of_copy = g.gather(&scales, &copy, 0)?;
        let (size, top) = (g.gather(&atlas.sizes, &copy, 0)?, g.gather(&atlas.tops, &copy, 0)?);

        let reach = g.with("Mul", side, 2.0 * margin)?;
        let spare = g.two("Add", &atlas.size, &reach)?;
        let spare = g.two("Div", &spare, &shrink)?;
        let spare = g.with("Sub", &spare, window)?;
        let spare = g.with("Div", &spare, stride)?;
        let spare = g.with("Max", &spare, 0.0)?;
        let spare = g.one("Floor", &spare)?;
        let windows = g.with("Add", &spare, 1.0)?;
        // As the native engine rounds them up: sizes that it computes fast.
        let few = g.with("Less", &windows, 13.0)?;
        let some = g.with("Less", &windows, 33.0)?;
        let [one, two, four] = [g.number(1.0)?, g.number(2.0)?, g.number(4.0)?];
        let multiple = g.op("Where", &[&some, &two, &four], &[])?;
        let multiple = g.op("Where", &[&few, &one, &multiple], &[])?;
        let windows = g.two("Div", &windows, &multiple)?;
        let windows = g.one("Ceil", &windows)?;
        let windows = g.two("Mul", &windows, &multiple)?;
        let pixels = g.with("Sub", &windows, 1.0)?;
        let pixels = g.with("Mul", &pixels, stride)?;
        let pixels = g.with("Add", &pixels, window)?;

        let extent = g.two("Mul", &pixels, &shrink)?;
        let before = g.two("Sub", &extent, &atlas.size)?;
        let before = g.with("Mul", &before, 0.5)?;
        let after = g.two("Sub", &extent, &before)?;
        let whole = |g: &mut Graph, length: &Value| -> Result<Value, OnnxError> {
            let length = g.two("Div", length, &of_copy)?;
            g.one("Round", &length)
        };
        let (before, after) = (whole(g, &before)?, whole(g, &after)?);
        let before = g.with("Max", &before, 0.0)?;
        let after = g.two("Sub", &after, &size)?;
        let after = g.with("Max", &after, 0.0)?;
        let all = g.two("Add", &size, &before)?;
        let all = g.two("Add", &all, &after)?;
        let scale = g.two("Div", &all, &pixels)?;
        let scale = g.two("Mul", &scale, &of_copy)?;
        let origin = g.two("Mul", &before, &of_copy)?;
        let origin = g.one("Neg", &origin)?;

        let none = g.constant(&[1], &[0.0])?;
        let top = g.reshape(&top, &[1])?;
        let starts = g.concat(&[&top, &none], 0)?;
        let ends = g.two("Add", &starts, &size)?;
        let (starts, ends) = (g.cast(&starts, Element::Int64)?, g.cast(&ends, Element::Int64)?);
        let axes = g.integers(&[2, 3])?;
        let part = g.op("Slice", &[&atlas.pixels, &starts, &ends, &axes], &[])?;
        let none = g.constant(&[2], &[0.0; 2])?;
        let pads = g.concat(&[&none, &before, &none, &after], 0)?;
        let pads = g.cast(&pads, Element::Int64)?;
        let part = g.op("Pad", &[&part, &pads], &[("mode", Setting::Text("edge"))])?;
        let first = g.integers(&[1, 3])?;
        let sizes = g.cast(&pixels, Element::Int64)?;
        let sizes = g.concat(&[&first, &sizes], 0)?;
        let absent = Value::absent();
        let settings = [("mode", Setting::Text("linear")), ("antialias", Setting::Int(1))];
        let pixels = g.op("Resize", &[&part, &absent, &absent, &sizes], &settings)?;
        Ok(Self { pixels, scale, origin })
    }
}

impl Classifier<'_> {
    /// Adds the net on images, `[images, 3, height, width]`.
    pub(super) fn respond(&self, g: &mut Graph, images: &Value) -> Result<Value, OnnxError> {
        g.scope(self.name);
        let responses = g.net_on(&self.spec, &self.weights, Form::Maps, images);
        g.scope("");
        responses
    }
}
