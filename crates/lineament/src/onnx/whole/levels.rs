//! LNet_o over a pyramid of the photo: what it takes for a face.

use lineament_net::onnx::{Carried, Dim, Element, Form, Graph, OnnxError, Setting, Value};

use super::atlas::{Atlas, resized};
use super::windows::{column, corrected};
use super::words::Words;
use super::{Classifier, Finder};
use crate::locate::pyramid::{FACE, STRIP};

/// The most levels: twice as many as the largest photos have.
const LEVELS: usize = 64;

/// What LNet_o has for LNet_s, `[windows, COLUMNS]` each.
pub(super) struct Proposed {
    /// Windows that it takes for a face, moved and resized as it says.
    pub(super) candidates: Value,
    /// The best window of each level whose windows are as large as the photo.
    pub(super) filling: Value,
}

/// LNet_o's windows. `smallest` is the height of the smallest face in pixels, `[]`.
pub(super) fn proposed(
    g: &mut Graph,
    finder: &Finder<'_>,
    atlas: &Atlas,
    smallest: &Value,
) -> Result<Proposed, OnnxError> {
    let Finder { lnet_o, parameters: p, .. } = finder;
    let sides = sides(g, finder, atlas, smallest)?;
    let levels = Levels::new(g, lnet_o, atlas, &sides, p.margin)?;
    let count = g.op("Shape", &[&sides], &[("start", Setting::Int(0)), ("end", Setting::Int(1))])?;
    let count = g.reshape(&count, &[])?;

    let none = Nothing::new(g, lnet_o.channels)?;
    let dims =
        [[Dim::Free("windows"), Dim::Fixed(2)], [Dim::Free("windows"), Dim::Fixed(lnet_o.channels as usize)]];
    let cells = Carried { first: &none.cells, element: Element::Int64, dims: &dims[0] };
    let responses = Carried { first: &none.responses, element: Element::Float, dims: &dims[1] };
    let carried = [cells, responses, cells, responses];
    let found = g.repeat("levels", &count, carried, |g, level, before| {
        let found = levels.look(g, lnet_o, atlas, level, p.candidate_threshold)?;
        let [a, b, c, d] = std::array::from_fn(|at| g.concat(&[&before[at], &found[at]], 0));
        Ok::<_, OnnxError>([a?, b?, c?, d?])
    })?;
    let [cells, responses, of_best, best] = found;

    let windows = levels.windows(g, lnet_o, &cells)?;
    let wanted = within(g, &windows, atlas, p.margin)?;
    let moved = corrected(g, &windows, &responses, false)?;
    let candidates = g.rows(&moved, &wanted)?;
    let windows = levels.windows(g, lnet_o, &of_best)?;
    let side = column(g, &windows, 2)?;
    let longer = g.op("ReduceMax", &[&atlas.size], &[("keepdims", Setting::Int(0))])?;
    let large = g.two("GreaterOrEqual", &side, &longer)?;
    let moved = corrected(g, &windows, &best, false)?;
    let filling = g.rows(&moved, &large)?;
    Ok(Proposed { candidates, filling })
}

/// The sides of each level's windows in pixels of the photo, `[levels, 1]`, finest first. Levels lie at whole powers of the step,
/// the native engine's (`locate::pyramid`).
fn sides(g: &mut Graph, finder: &Finder<'_>, atlas: &Atlas, smallest: &Value) -> Result<Value, OnnxError> {
    let p = finder.parameters;
    let longer = g.op("ReduceMax", &[&atlas.size], &[("keepdims", Setting::Int(0))])?;
    let shorter = g.op("ReduceMin", &[&atlas.size], &[("keepdims", Setting::Int(0))])?;
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
    let count = g.clip(&count, 0.0, LEVELS as f32)?;
    let count = g.cast(&count, Element::Int64)?;
    let count = g.reshape(&count, &[1])?;
    let all: Vec<f32> = (0..LEVELS).map(|level| level as f32).collect();
    let all = g.constant(&[LEVELS, 1], &all)?;
    let [first, axis] = [g.integers(&[0])?, g.integers(&[0])?];
    let powers = g.op("Slice", &[&all, &first, &count, &axis], &[])?;
    let powers = g.two("Add", &powers, &finest)?;
    let powers = g.with("Mul", &powers, p.step.ln())?;
    let sides = g.one("Exp", &powers)?;
    g.with("Mul", &sides, FACE as f32 / p.face.height)
}

/// What a loop that looks for windows begins with.
struct Nothing {
    /// `[0, 2]` of i64.
    cells: Value,
    /// `[0, channels]`.
    responses: Value,
}

impl Nothing {
    fn new(g: &mut Graph, channels: i64) -> Result<Self, OnnxError> {
        // OpenVINO takes a constant of no rows for one of no axes.
        let channels = channels as usize;
        let row = g.constant(&[1, channels], &vec![0.0; channels])?;
        let responses = g.slice(&row, 0, 0, 0)?;
        let cells = g.slice(&responses, 1, 0, 2)?;
        Ok(Self { cells: g.cast(&cells, Element::Int64)?, responses })
    }
}

/// How the levels are drawn, and where their windows lie. One row a level.
struct Levels {
    /// First row and column of the copy that it is drawn from, and the ones behind its last, in the atlas, `[levels, 2]` of i64.
    starts: Value,
    ends: Value,
    /// Pixels that the copy is widened by, as `Pad` takes them, `[levels, 8]` of i64.
    pads: Value,
    /// Height and width, `[levels, 2]` of i64.
    pixels: Value,
    /// Windows in a row, `[levels, 1]` of i64.
    columns: Value,
    /// Pixels of the photo to one of the level, down and across, `[levels, 2]`.
    scales: Value,
    /// Upper left corner in the photo, down and across, `[levels, 2]`.
    origins: Value,
    /// `[levels, 1]`.
    sides: Value,
}

impl Levels {
    /// The lattices of the native engine, laid on whole pixels of the copies that they are drawn from.
    fn new(
        g: &mut Graph,
        lnet_o: &Classifier<'_>,
        atlas: &Atlas,
        sides: &Value,
        margin: f32,
    ) -> Result<Self, OnnxError> {
        let (window, stride) = (lnet_o.window as f32, lnet_o.stride as f32);
        let shrink = g.with("Div", sides, window)?;
        let copy = Atlas::copy_for(g, &shrink)?;
        let copy = g.reshape(&copy, &[-1])?;
        let (of_copy, size) = (g.gather(&atlas.scales, &copy, 0)?, g.gather(&atlas.sizes, &copy, 0)?);
        let starts = g.gather(&atlas.corners, &copy, 0)?;
        let ends = g.two("Add", &starts, &size)?;

        let reach = g.with("Mul", sides, 2.0 * margin)?;
        let spare = g.two("Add", &atlas.size, &reach)?;
        let spare = g.two("Div", &spare, &shrink)?;
        let spare = g.with("Sub", &spare, window)?;
        let spare = g.with("Div", &spare, stride)?;
        let spare = g.with("Max", &spare, 0.0)?;
        let spare = g.one("Floor", &spare)?;
        let windows = g.with("Add", &spare, 1.0)?;
        // As the native engine rounds them up, so that windows lie where its windows lie.
        let few = g.with("Less", &windows, 13.0)?;
        let some = g.with("Less", &windows, 33.0)?;
        let [one, two, four] = [g.number(1.0)?, g.number(2.0)?, g.number(4.0)?];
        let multiple = g.op("Where", &[&some, &two, &four], &[])?;
        let multiple = g.op("Where", &[&few, &one, &multiple], &[])?;
        let windows = g.two("Div", &windows, &multiple)?;
        let windows = g.one("Ceil", &windows)?;
        let windows = g.two("Mul", &windows, &multiple)?;
        let columns = g.slice(&windows, 1, 1, 2)?;
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
        let all = g.op("Sum", &[&size, &before, &after], &[])?;
        let scales = g.two("Div", &all, &pixels)?;
        let scales = g.two("Mul", &scales, &of_copy)?;
        let origins = g.two("Mul", &before, &of_copy)?;
        let origins = g.one("Neg", &origins)?;
        let none = g.with("Mul", &before, 0.0)?;
        let pads = g.concat(&[&none, &before, &none, &after], 1)?;
        let mut whole = |value: &Value| g.cast(value, Element::Int64);
        Ok(Self {
            starts: whole(&starts)?,
            ends: whole(&ends)?,
            pads: whole(&pads)?,
            pixels: whole(&pixels)?,
            columns: whole(&columns)?,
            scales,
            origins,
            sides: sides.clone(),
        })
    }

    /// What LNet_o says of a level: cells (its number and theirs) and responses of those above the threshold, and of the best one.
    fn look(
        &self,
        g: &mut Graph,
        lnet_o: &Classifier<'_>,
        atlas: &Atlas,
        level: &Value,
        threshold: f32,
    ) -> Result<[Value; 4], OnnxError> {
        // Some runtimes count turns in `[1]`.
        let level = g.reshape(level, &[])?;
        let [starts, ends, pads, pixels] =
            [&self.starts, &self.ends, &self.pads, &self.pixels].map(|rows| g.gather(rows, &level, 0));
        let axes = g.integers(&[2, 3])?;
        let part = g.op("Slice", &[&atlas.pixels, &starts?, &ends?, &axes], &[])?;
        let part = g.op("Pad", &[&part, &pads?], &[("mode", Setting::Text("edge"))])?;
        let drawn = resized(g, &part, &pixels?)?;
        let responses = lnet_o.respond(g, &drawn)?;
        let responses = g.reshape(&responses, &[lnet_o.channels, -1])?;
        let scores = g.slice(&responses, 0, 0, 1)?;
        let above = g.with("Greater", &scores, threshold)?;
        let above = g.one("NonZero", &above)?;
        let above = g.slice(&above, 0, 1, 2)?;
        let best = g.op("ArgMax", &[&scores], &[("axis", Setting::Int(1))])?;
        let level = g.reshape(&level, &[1, 1])?;
        let mut picked = |numbers: &Value| -> Result<[Value; 2], OnnxError> {
            let numbers = g.reshape(numbers, &[-1, 1])?;
            let nothing = g.two("Sub", &numbers, &numbers)?;
            let levels = g.two("Add", &nothing, &level)?;
            let cells = g.concat(&[&levels, &numbers], 1)?;
            let numbers = g.reshape(&numbers, &[-1])?;
            let responses = g.gather(&responses, &numbers, 1)?;
            Ok([cells, g.transpose(&responses, &[1, 0])?])
        };
        let ([cells, responses], [best, of_best]) = (picked(&above)?, picked(&best)?);
        Ok([cells, responses, best, of_best])
    }

    /// The windows of cells, which say nothing yet.
    fn windows(&self, g: &mut Graph, lnet_o: &Classifier<'_>, cells: &Value) -> Result<Value, OnnxError> {
        let level = column(g, cells, 0)?;
        let level = g.reshape(&level, &[-1])?;
        let number = column(g, cells, 1)?;
        let [columns, scales, origins, sides] =
            [&self.columns, &self.scales, &self.origins, &self.sides].map(|rows| g.gather(rows, &level, 0));
        let columns = columns?;
        let row = g.two("Div", &number, &columns)?;
        let before = g.two("Mul", &row, &columns)?;
        let at = g.two("Sub", &number, &before)?;
        let places = g.concat(&[&row, &at], 1)?;
        let places = g.cast(&places, Element::Float)?;
        let centres = g.with("Mul", &places, lnet_o.stride as f32)?;
        let centres = g.with("Add", &centres, lnet_o.window as f32 / 2.0)?;
        let centres = g.two("Mul", &centres, &scales?)?;
        let centres = g.two("Add", &centres, &origins?)?;
        let [y, x] = [column(g, &centres, 0)?, column(g, &centres, 1)?];
        let nothing = g.with("Mul", &x, 0.0)?;
        g.concat(&[&x, &y, &sides?, &nothing, &nothing], 1)
    }
}

/// Whether windows reach no farther beyond the photo than a margin, in their sides, or than they have to, `[windows, 1]`.
fn within(g: &mut Graph, windows: &Value, atlas: &Atlas, margin: f32) -> Result<Value, OnnxError> {
    let (x, y, side) = (column(g, windows, 0)?, column(g, windows, 1)?, column(g, windows, 2)?);
    let centres = g.concat(&[&y, &x], 1)?;
    let half = g.with("Mul", &side, 0.5)?;
    let low = g.two("Sub", &half, &centres)?;
    let high = g.two("Add", &half, &centres)?;
    let high = g.two("Sub", &high, &atlas.size)?;
    let beyond = g.two("Max", &low, &high)?;
    let margin = g.with("Mul", &side, margin)?;
    let spare = g.two("Sub", &side, &atlas.size)?;
    let spare = g.with("Mul", &spare, 0.5)?;
    let most = g.two("Max", &margin, &spare)?;
    let slack = g.with("Mul", &side, 0.01)?;
    let most = g.two("Add", &most, &slack)?;
    let near = g.two("LessOrEqual", &beyond, &most)?;
    let (down, across) = (column(g, &near, 0)?, column(g, &near, 1)?);
    g.two("And", &down, &across)
}

impl Classifier<'_> {
    /// Adds the net on images, `[images, 3, height, width]`.
    pub(super) fn respond(&self, g: &mut Graph, images: &Value) -> Result<Value, OnnxError> {
        super::net(g, self.name, self.arithmetic, (&self.spec, &self.weights, Form::Maps), images)
    }
}
