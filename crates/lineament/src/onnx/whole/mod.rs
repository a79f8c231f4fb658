//! Photo in, faces with attributes out, in one graph: the pyramid localizer, ANet on each face, SVMs and calibration.

mod atlas;
mod levels;
mod windows;
mod words;

use std::borrow::Cow;

use lineament_net::onnx::{Carried, Dim, Element, Form, Graph, OnnxError, Setting, Value};
use lineament_net::{Arithmetic, NetSpec, Weights};

use super::{Cascade, ExportError, NAMES, OnnxFile};
use crate::bundle::Bundle;
use crate::engine::EngineError;
use crate::locate::pyramid::{Response, SAME, without_attributes};
use crate::locate::{Cells, LnetMethod, PyramidParameters, WindowToBox};
use atlas::Atlas;
use levels::Proposed;
use windows::{COLUMNS, column, corrected, faces, thinned};
use words::Words;

/// The operator set of `faces.onnx`: the first whose reductions all take their axes as an input.
pub const WHOLE_OPSET: i64 = 18;

/// The whole model as one graph, `faces.onnx`, opset [`WHOLE_OPSET`], in single precision or with its nets' convolutions in eight-bit
/// integers ([`Graph::byte_net_on`]). Sizes in words are free.
///
/// | input | | |
/// |---|---|---|
/// | `image` | uint8 `[height, width, 3]` | RGB, the way up that people see it |
/// | `smallest_face` | float `[1]` | least height of a face box in pixels, 8 at least; 0: 2.5 % of the longer side, 16 at least |
/// | `threshold` | float `[1]` | least score of a face; [`PyramidParameters::threshold`] is the model's own |
///
/// | output | | |
/// |---|---|---|
/// | `boxes` | `[faces, 4]` | x and y of the upper left corner, width and height, in pixels; best face first |
/// | `scores` | `[faces]` | how sure a face is, without a fixed scale |
/// | `roll` | `[faces]` | how far the head is turned clockwise, in degrees |
/// | `probabilities` | `[faces, attributes]` | calibrated |
/// | `attribute_scores` | `[faces, attributes]` | what thresholds of the card are compared with |
/// | `embeddings` | `[faces, features]` | ANet's vectors |
///
/// Boxes are those of the native engine to a few hundredths of their size: windows are drawn with other filters.
///
/// # Errors
/// A model of another kind than LNets and ANet, one whose LNets do not work on a pyramid, or a net too large for a file.
pub fn whole_file(bundle: &Bundle, arithmetic: Arithmetic) -> Result<OnnxFile, ExportError> {
    let model = Cascade::of(bundle).ok_or(ExportError::Kind)?;
    let LnetMethod::Pyramid(parameters) = &model.lnets.method else { return Err(ExportError::NoPyramid) };
    let finder = Finder {
        lnet_o: Classifier::new("lnet_o", &model.lnets.lnet_o, model.weights[0], arithmetic)?,
        lnet_s: Classifier::new("lnet_s", &model.lnets.lnet_s, model.weights[1], arithmetic)?,
        parameters,
    };
    let bytes = graph(&model, &finder, arithmetic)?;
    Ok(OnnxFile { name: "faces.onnx", bytes })
}

/// An LNet of six channels, and how its windows lie.
struct Classifier<'a> {
    /// Under which its layers stand in the graph.
    name: &'static str,
    spec: Cow<'a, NetSpec>,
    weights: Cow<'a, Weights>,
    /// Side of its window, in pixels of its input.
    window: usize,
    /// Distance of neighbouring windows.
    stride: usize,
    channels: i64,
    arithmetic: Arithmetic,
}

impl<'a> Classifier<'a> {
    fn new(
        name: &'static str,
        spec: &'a NetSpec,
        weights: &'a Weights,
        arithmetic: Arithmetic,
    ) -> Result<Self, ExportError> {
        let cut = without_attributes(spec, weights).map_err(EngineError::from)?;
        let (spec, weights) = match cut {
            Some((spec, weights)) => (Cow::Owned(spec), Cow::Owned(weights)),
            None => (Cow::Borrowed(spec), Cow::Borrowed(weights)),
        };
        let output = spec.output().map_err(OnnxError::from)?;
        let one_cell = output.height == 1 && output.width == 1 && spec.input.height == spec.input.width;
        if !one_cell || output.channels < Response::CHANNELS {
            return Err(ExportError::NoPyramid);
        }
        let stride = Cells::of_net(&spec).map_err(|_| ExportError::NoPyramid)?.stride.x as usize;
        let (window, channels) = (spec.input.width, output.channels as i64);
        Ok(Self { name, spec, weights, window, stride: stride.max(1), channels, arithmetic })
    }
}

/// The LNets and how they search.
struct Finder<'a> {
    lnet_o: Classifier<'a>,
    lnet_s: Classifier<'a>,
    parameters: &'a PyramidParameters,
}

fn graph(model: &Cascade<'_>, finder: &Finder<'_>, arithmetic: Arithmetic) -> Result<Vec<u8>, OnnxError> {
    let (card, p) = (model.bundle.card(), finder.parameters);
    let mut graph = Graph::new("faces").with_opset(WHOLE_OPSET);
    let g = &mut graph;
    let dims = [Dim::Free("height"), Dim::Free("width"), Dim::Fixed(3)];
    let image = g.input_of("image", Element::Uint8, &dims)?;
    let asked = g.input("smallest_face", &[Dim::Fixed(1)])?;
    let asked = g.reshape(&asked, &[])?;
    let threshold = g.input("threshold", &[Dim::Fixed(1)])?;
    let atlas = Atlas::new(g, &image, &card.preprocess)?;

    // As `SmallestFace` says.
    let longer = g.op("ReduceMax", &[&atlas.size], &[("keepdims", Setting::Int(0))])?;
    let usual = g.with("Mul", &longer, 0.025)?;
    let usual = g.with("Max", &usual, 16.0)?;
    let given = g.with("Greater", &asked, 0.0)?;
    let bounded = g.clip(&asked, 8.0, 1e6)?;
    let smallest = g.op("Where", &[&given, &bounded, &usual], &[])?;
    let none = g.number(0.0)?;
    let least = g.op("Where", &[&given, &bounded, &none], &[])?;

    let found = found(g, finder, &atlas, &smallest)?;
    let found = chosen(g, finder, &found, &threshold, &least)?;

    let [x, y, width, height] = faces(g, &found, &p.face)?;
    let (half_width, half_height) = (g.with("Mul", &width, 0.5)?, g.with("Mul", &height, 0.5)?);
    let (left, top) = (g.two("Sub", &x, &half_width)?, g.two("Sub", &y, &half_height)?);
    let boxes = g.concat(&[&left, &top, &width, &height], 1)?;
    g.output("boxes", &boxes, &[FACES, Dim::Fixed(4)])?;
    let scores = column(g, &found, 4)?;
    let scores = g.reshape(&scores, &[-1])?;
    g.output("scores", &scores, &[FACES])?;
    let roll = column(g, &found, 3)?;
    let degrees = g.with("Mul", &roll, 180.0 / std::f32::consts::PI)?;
    let degrees = g.reshape(&degrees, &[-1])?;
    g.output("roll", &degrees, &[FACES])?;

    let embeddings = embedded(g, model, &atlas, (&found, &p.face), arithmetic)?;
    let features = model.bundle.parts().svms.features();
    g.output("embeddings", &embeddings, &[FACES, Dim::Fixed(features)])?;
    read(g, model, &embeddings)?;
    g.metadata(NAMES, &card.names().join(","));
    g.metadata("model", &format!("{} {}", card.name, card.version));
    g.metadata("sha256", &model.bundle.hash());
    Ok(graph.into_model())
}

const FACES: Dim = Dim::Free("faces");

/// LNet_s's windows after its second look, `[windows, COLUMNS]`. Windows as large as the photo are looked at where nothing else is a
/// face, since LNet_o does not know one of which no edge is seen. `smallest` is the height of the smallest face in pixels, `[]`.
fn found(g: &mut Graph, finder: &Finder<'_>, atlas: &Atlas, smallest: &Value) -> Result<Value, OnnxError> {
    let Proposed { candidates, filling } = levels::proposed(g, finder, atlas, smallest)?;
    let two = g.integers(&[2])?;
    let two = g.reshape(&two, &[])?;
    let none = g.slice(&candidates, 0, 0, 0)?;
    let [found, windows] = [&none, &candidates].map(of_windows);
    let [found, _] = g.repeat_while("rounds", &two, [found, windows], |g, [found, windows]| {
        let [looked] = g.repeat("looks", &two, [of_windows(&windows)], |g, look, [windows]| {
            Ok::<_, OnnxError>([looked(g, finder, atlas, look, &windows)?])
        })?;
        let scores = column(g, &looked, 4)?;
        let sure = g.with("Greater", &scores, finder.parameters.threshold)?;
        let sure = g.cast(&sure, Element::Float)?;
        let sure = g.op("ReduceSum", &[&sure], &[("keepdims", Setting::Int(0))])?;
        let again = g.with("Less", &sure, 0.5)?;
        Ok::<_, OnnxError>((again, [g.concat(&[&found, &looked], 0)?, filling.clone()]))
    })?;
    Ok(found)
}

/// Windows that a loop carries.
fn of_windows(first: &Value) -> Carried<'_> {
    Carried { first, element: Element::Float, dims: &[Dim::Free("windows"), Dim::Fixed(COLUMNS)] }
}

/// LNet_s looks at windows, the first time or the second: those that it corrects them to.
fn looked(
    g: &mut Graph,
    finder: &Finder<'_>,
    atlas: &Atlas,
    look: &Value,
    windows: &Value,
) -> Result<Value, OnnxError> {
    let p = finder.parameters;
    // Before the first look and before the second.
    let least = g.constant(&[2], &[-1e29, p.second_look])?;
    let overlap = g.constant(&[2], &[p.overlap, p.overlap.max(SAME)])?;
    let look = g.reshape(look, &[1])?;
    let (least, overlap) = (g.gather(&least, &look, 0)?, g.gather(&overlap, &look, 0)?);
    let scores = column(g, windows, 4)?;
    let above = g.two("Greater", &scores, &least)?;
    let windows = g.rows(windows, &above)?;
    let windows = thinned(g, &windows, &overlap, &p.face)?;
    let (windows, count) = one_or_more(g, &windows)?;
    let [x, y, side, roll] =
        [column(g, &windows, 0)?, column(g, &windows, 1)?, column(g, &windows, 2)?, column(g, &windows, 3)?];
    let seen = atlas.draw(g, [&x, &y, &side, &roll], finder.lnet_s.window)?;
    let responses = finder.lnet_s.respond(g, &seen)?;
    let responses = g.reshape(&responses, &[-1, finder.lnet_s.channels])?;
    let windows = corrected(g, &windows, &responses, true)?;
    first(g, &windows, &count)
}

/// Windows, or one of zeros where there is none, since some runtimes pool no batch of nothing, and how many there are, `[1]` of i64.
fn one_or_more(g: &mut Graph, windows: &Value) -> Result<(Value, Value), OnnxError> {
    let count = g.op("Shape", &[windows], &[("start", Setting::Int(0)), ("end", Setting::Int(1))])?;
    let (one, none) = (g.integers(&[1])?, g.integers(&[0])?);
    let missing = g.two("Sub", &one, &count)?;
    let missing = g.two("Max", &missing, &none)?;
    let pads = g.concat(&[&none, &none, &missing, &none], 0)?;
    let windows = g.op("Pad", &[windows, &pads], &[("mode", Setting::Text("constant"))])?;
    Ok((windows, count))
}

/// So many rows of a matrix.
fn first(g: &mut Graph, matrix: &Value, count: &Value) -> Result<Value, OnnxError> {
    let (from, axis) = (g.integers(&[0])?, g.integers(&[0])?);
    g.op("Slice", &[matrix, &from, count, &axis], &[])
}

/// One window a face, best first, above the threshold and as high as is asked for.
fn chosen(
    g: &mut Graph,
    finder: &Finder<'_>,
    found: &Value,
    threshold: &Value,
    least: &Value,
) -> Result<Value, OnnxError> {
    let p = finder.parameters;
    let overlap = g.constant(&[1], &[p.overlap])?;
    let found = thinned(g, found, &overlap, &p.face)?;
    let scores = column(g, &found, 4)?;
    let above = g.two("Greater", &scores, threshold)?;
    let [_, _, _, height] = faces(g, &found, &p.face)?;
    let high = g.two("GreaterOrEqual", &height, least)?;
    let kept = g.two("And", &above, &high)?;
    g.rows(&found, &kept)
}

/// ANet on the faces' regions, drawn so that heads are upright: the means of its vectors over patches, `[faces, features]`.
fn embedded(
    g: &mut Graph,
    model: &Cascade<'_>,
    atlas: &Atlas,
    (windows, to_box): (&Value, &WindowToBox),
    arithmetic: Arithmetic,
) -> Result<Value, OnnxError> {
    let height = to_box.height;
    let (region, patches) = (&model.anet.region, &model.anet.patches);
    let (windows, count) = one_or_more(g, windows)?;
    let [x, y, _, _] = faces(g, &windows, to_box)?;
    let (side, roll) = (column(g, &windows, 2)?, column(g, &windows, 3)?);
    let down = g.with("Mul", &side, region.shift * height)?;
    let (sine, cosine) = (g.one("Sin", &roll)?, g.one("Cos", &roll)?);
    let (dx, dy) = (g.two("Mul", &sine, &down)?, g.two("Mul", &cosine, &down)?);
    let (x, y) = (g.two("Sub", &x, &dx)?, g.two("Add", &y, &dy)?);
    let side = g.with("Mul", &side, region.enlarge * height)?;
    let drawn = atlas.draw(g, [&x, &y, &side, &roll], patches.region as usize)?;
    let mut views = Vec::new();
    for ([x, y], mirrored) in patches.views() {
        let [x, y, size] = [i64::from(x), i64::from(y), i64::from(patches.size)];
        let rows = g.slice(&drawn, 2, y, y + size)?;
        let view = g.slice(&rows, 3, x, x + size)?;
        views.push(if mirrored { flipped(g, &view, size)? } else { view });
    }
    let batch = g.concat(&views.iter().collect::<Vec<_>>(), 0)?;
    let vectors = net(g, "anet", arithmetic, (&model.anet.anet, model.weights[2], Form::Vectors), &batch)?;
    let features = model.bundle.parts().svms.features() as i64;
    let vectors = g.reshape(&vectors, &[views.len() as i64, -1, features])?;
    let axes = g.integers(&[0])?;
    let means = g.op("ReduceMean", &[&vectors, &axes], &[("keepdims", Setting::Int(0))])?;
    first(g, &means, &count)
}

/// Adds a net under a name, on images.
fn net(
    g: &mut Graph,
    name: &str,
    arithmetic: Arithmetic,
    (spec, weights, form): (&NetSpec, &Weights, Form),
    images: &Value,
) -> Result<Value, OnnxError> {
    g.scope(name);
    let value = if arithmetic == Arithmetic::EightBit {
        g.byte_net_on(spec, weights, form, images)
    } else {
        g.net_on(spec, weights, form, images)
    };
    g.scope("");
    value
}

/// Mirror images of `[items, channels, size, size]`.
fn flipped(g: &mut Graph, images: &Value, size: i64) -> Result<Value, OnnxError> {
    let [from, to] = [g.integers(&[-1])?, g.integers(&[-size - 1])?];
    let [axis, step] = [g.integers(&[3])?, g.integers(&[-1])?];
    g.op("Slice", &[images, &from, &to, &axis, &step], &[])
}

/// Scores and probabilities of `[faces, features]`.
fn read(g: &mut Graph, model: &Cascade<'_>, embeddings: &Value) -> Result<(), OnnxError> {
    let (card, svms) = (model.bundle.card(), &model.bundle.parts().svms);
    let dims = [FACES, Dim::Fixed(svms.attributes())];
    let weight = g.constant(&[svms.attributes(), svms.features()], svms.weight())?;
    let bias = g.constant(&[svms.attributes()], svms.bias())?;
    let scores = g.op("Gemm", &[embeddings, &weight, &bias], &[("transB", Setting::Int(1))])?;
    g.output("attribute_scores", &scores, &dims)?;
    // Platt's sigmoid is 1 / (1 + exp(a * score + b)), ONNX's 1 / (1 + exp(-x)).
    let platt = || card.attributes.iter().map(|attribute| attribute.platt);
    let slopes: Vec<f32> = platt().map(|platt| -platt.a).collect();
    let offsets: Vec<f32> = platt().map(|platt| -platt.b).collect();
    let (slopes, offsets) = (g.constant(&[slopes.len()], &slopes)?, g.constant(&[offsets.len()], &offsets)?);
    let scaled = g.two("Mul", &scores, &slopes)?;
    let logits = g.two("Add", &scaled, &offsets)?;
    let probabilities = g.one("Sigmoid", &logits)?;
    g.output("probabilities", &probabilities, &dims)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::tiny_bundle;

    #[test]
    fn models_that_localize_in_another_way_are_refused() {
        let refused = whole_file(&tiny_bundle(1).unwrap(), Arithmetic::Single).unwrap_err();
        assert!(matches!(refused, ExportError::NoPyramid), "{refused}");
        assert!(refused.to_string().contains("--whole"));
    }
}
