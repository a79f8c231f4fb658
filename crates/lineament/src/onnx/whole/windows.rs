//! Windows of faces as rows of a matrix: what an LNet makes of them, and one for each face by votes.

use std::f32::consts::PI;

use lineament_net::onnx::{Element, Graph, OnnxError, Setting, Value};

use super::words::Words;
use crate::locate::WindowToBox;

/// Columns of a window: x and y of its centre, side, roll in radians, score.
pub(super) const COLUMNS: usize = 5;
/// Windows that suppression compares at most, the best, and faces that it keeps at most: what bounds its memory.
const COMPARED: i64 = 16_384;
const KEPT: i64 = 1024;
/// A score below all others.
const LOWEST: f32 = -1e30;
/// Farther than photos are large.
const ELSEWHERE: f32 = 1e6;

/// A column of a matrix, `[rows, 1]`.
pub(super) fn column(g: &mut Graph, matrix: &Value, at: i64) -> Result<Value, OnnxError> {
    g.slice(matrix, 1, at, at + 1)
}

/// The face's own windows, by what an LNet says about these, `[windows, COLUMNS]`. LNet_s says how a face is turned, too.
pub(super) fn corrected(
    g: &mut Graph,
    windows: &Value,
    responses: &Value,
    turned: bool,
) -> Result<Value, OnnxError> {
    let moves = g.slice(responses, 1, 1, 4)?;
    let moves = g.clip(&moves, -1.0, 1.0)?;
    let [right, down, size] = [column(g, &moves, 0)?, column(g, &moves, 1)?, column(g, &moves, 2)?];
    let (x, y) = point_at(g, windows, &right, &down)?;
    let growth = g.one("Exp", &size)?;
    let side = column(g, windows, 2)?;
    let side = g.two("Mul", &side, &growth)?;
    let mut roll = column(g, windows, 3)?;
    if turned {
        let [sine, cosine] = [column(g, responses, 4)?, column(g, responses, 5)?];
        let more = angle(g, &sine, &cosine)?;
        let sum = g.two("Add", &roll, &more)?;
        roll = half_turned(g, &sum)?;
    }
    let score = column(g, responses, 0)?;
    g.concat(&[&x, &y, &side, &roll, &score], 1)
}

/// Boxes of the faces that windows stand for: x and y of their centres, width and height, `[windows, 1]` each.
pub(super) fn faces(g: &mut Graph, windows: &Value, to_box: &WindowToBox) -> Result<[Value; 4], OnnxError> {
    let (right, down) = (g.number(to_box.right)?, g.number(to_box.down)?);
    let (x, y) = point_at(g, windows, &right, &down)?;
    let (side, roll) = (column(g, windows, 2)?, column(g, windows, 3)?);
    let (sine, cosine) = (g.one("Sin", &roll)?, g.one("Cos", &roll)?);
    let mut around = |across: f32, down: f32| -> Result<Value, OnnxError> {
        let (a, b) = (g.with("Mul", &cosine, across)?, g.with("Mul", &sine, down)?);
        let (a, b) = (g.two("Mul", &a, &a)?, g.two("Mul", &b, &b)?);
        let sum = g.two("Add", &a, &b)?;
        let sides = g.one("Sqrt", &sum)?;
        g.two("Mul", &sides, &side)
    };
    let (width, height) = (around(to_box.width, to_box.height)?, around(to_box.height, to_box.width)?);
    Ok([x, y, width, height])
}

/// The best of windows whose faces overlap, best first, each at the mean of itself and those that gave way to it, weighted by
/// their odds. `overlap` is an IoU, `[1]`.
pub(super) fn thinned(
    g: &mut Graph,
    windows: &Value,
    overlap: &Value,
    to_box: &WindowToBox,
) -> Result<Value, OnnxError> {
    // One more, the last of all, so that there always is one; it is taken off again.
    let mut last = [0.0; COLUMNS];
    (last[0], last[2], last[4]) = (-ELSEWHERE, 1.0, LOWEST);
    let last = g.constant(&[1, COLUMNS], &last)?;
    let windows = g.concat(&[windows, &last], 0)?;
    let scores = column(g, &windows, 4)?;
    let scores = g.reshape(&scores, &[-1])?;
    let (count, most) = (g.one("Shape", &scores)?, g.integers(&[COMPARED])?);
    let compared = g.two("Min", &count, &most)?;
    let order = g.second("TopK", &[&scores, &compared])?;
    let windows = g.gather(&windows, &order, 0)?;

    let [x, y, width, height] = faces(g, &windows, to_box)?;
    let (half_width, half_height) = (g.with("Mul", &width, 0.5)?, g.with("Mul", &height, 0.5)?);
    let (left, right) = (g.two("Sub", &x, &half_width)?, g.two("Add", &x, &half_width)?);
    let (top, bottom) = (g.two("Sub", &y, &half_height)?, g.two("Add", &y, &half_height)?);
    let corners = g.concat(&[&top, &left, &bottom, &right], 1)?;
    let scores = column(g, &windows, 4)?;
    let (boxes, ranked) = (g.reshape(&corners, &[1, -1, 4])?, g.reshape(&scores, &[1, 1, -1])?);
    let most = g.integers(&[KEPT])?;
    let chosen = g.op("NonMaxSuppression", &[&boxes, &ranked, &most, overlap], &[])?;
    let chosen = g.slice(&chosen, 1, 2, 3)?;
    let chosen = g.reshape(&chosen, &[-1])?;
    let kept = g.gather(&windows, &chosen, 0)?;

    // The share of each window (column) in each kept one (row): it votes for the best that overlaps it.
    let best = g.gather(&corners, &chosen, 0)?;
    let over = overlaps(g, &best, &corners, overlap)?;
    let own = g.op("ArgMax", &[&over], &[("axis", Setting::Int(0))])?;
    let numbers = rows_of(g, &kept)?;
    let own = g.two("Equal", &own, &numbers)?;
    let over = g.cast(&over, Element::Bool)?;
    let own = g.two("And", &own, &over)?;
    let (of_kept, of_all) = (column(g, &kept, 4)?, g.reshape(&scores, &[1, -1])?);
    let worse = g.two("Sub", &of_all, &of_kept)?;
    let worse = g.with("Min", &worse, 0.0)?;
    let odds = g.one("Exp", &worse)?;
    let own = g.cast(&own, Element::Float)?;
    let votes = g.two("Mul", &odds, &own)?;
    let total = g.reduce("ReduceSum", &votes, 1)?;
    let votes = g.two("Div", &votes, &total)?;

    let (side, roll) = (column(g, &windows, 2)?, column(g, &windows, 3)?);
    let side = g.one("Log", &side)?;
    let centres = g.slice(&windows, 1, 0, 2)?;
    let all = g.concat(&[&centres, &side], 1)?;
    let means = g.two("MatMul", &votes, &all)?;
    let (centres, side) = (g.slice(&means, 1, 0, 2)?, column(g, &means, 2)?);
    let side = g.one("Exp", &side)?;
    let (of_kept, of_all) = (column(g, &kept, 3)?, g.reshape(&roll, &[1, -1])?);
    let turned = g.two("Sub", &of_all, &of_kept)?;
    let turned = half_turned(g, &turned)?;
    let turned = g.two("Mul", &turned, &votes)?;
    let turned = g.reduce("ReduceSum", &turned, 1)?;
    let roll = g.two("Add", &of_kept, &turned)?;
    let roll = half_turned(g, &roll)?;
    let rest = g.slice(&kept, 1, 4, COLUMNS as i64)?;
    let kept = g.concat(&[&centres, &side, &roll, &rest], 1)?;
    // Without the added one.
    let real = column(g, &kept, 4)?;
    let real = g.with("Greater", &real, LOWEST)?;
    g.rows(&kept, &real)
}

/// Whether boxes (top, left, bottom, right; `[rows, 4]` and `[columns, 4]`) overlap by more than an IoU, as 0 or 1.
fn overlaps(g: &mut Graph, rows: &Value, columns: &Value, overlap: &Value) -> Result<Value, OnnxError> {
    let [top, left, bottom, right] = sides(g, rows, [-1, 1])?;
    let [other_top, other_left, other_bottom, other_right] = sides(g, columns, [1, -1])?;
    let from = [g.two("Max", &top, &other_top)?, g.two("Max", &left, &other_left)?];
    let to = [g.two("Min", &bottom, &other_bottom)?, g.two("Min", &right, &other_right)?];
    let both = area(g, [&from[0], &from[1], &to[0], &to[1]])?;
    let own = area(g, [&top, &left, &bottom, &right])?;
    let other = area(g, [&other_top, &other_left, &other_bottom, &other_right])?;
    let sum = g.two("Add", &own, &other)?;
    let either = g.two("Sub", &sum, &both)?;
    let most = g.two("Mul", &either, overlap)?;
    let over = g.two("Greater", &both, &most)?;
    g.cast(&over, Element::Float)
}

/// The columns of boxes, each in this shape.
fn sides(g: &mut Graph, boxes: &Value, shape: [i64; 2]) -> Result<[Value; 4], OnnxError> {
    let mut side = |at: i64| -> Result<Value, OnnxError> {
        let side = column(g, boxes, at)?;
        g.reshape(&side, &shape)
    };
    Ok([side(0)?, side(1)?, side(2)?, side(3)?])
}

/// The area of boxes; 0 of those without an inside.
fn area(g: &mut Graph, [top, left, bottom, right]: [&Value; 4]) -> Result<Value, OnnxError> {
    let (height, width) = (g.two("Sub", bottom, top)?, g.two("Sub", right, left)?);
    let (height, width) = (g.with("Max", &height, 0.0)?, g.with("Max", &width, 0.0)?);
    g.two("Mul", &height, &width)
}

/// The numbers of a matrix's rows, `[rows, 1]` of i64.
fn rows_of(g: &mut Graph, matrix: &Value) -> Result<Value, OnnxError> {
    let first = column(g, matrix, 0)?;
    let ones = g.with("Mul", &first, 0.0)?;
    let ones = g.with("Add", &ones, 1.0)?;
    let axis = g.integers(&[0])?;
    let axis = g.reshape(&axis, &[])?;
    let counted = g.op("CumSum", &[&ones, &axis], &[("exclusive", Setting::Int(1))])?;
    g.cast(&counted, Element::Int64)
}

/// The points so many sides right of the centres and below them, along the windows' own axes.
fn point_at(
    g: &mut Graph,
    windows: &Value,
    right: &Value,
    down: &Value,
) -> Result<(Value, Value), OnnxError> {
    let (side, roll) = (column(g, windows, 2)?, column(g, windows, 3)?);
    let (sine, cosine) = (g.one("Sin", &roll)?, g.one("Cos", &roll)?);
    let (a, b) = (g.two("Mul", &cosine, right)?, g.two("Mul", &sine, down)?);
    let x = g.two("Sub", &a, &b)?;
    let (a, b) = (g.two("Mul", &sine, right)?, g.two("Mul", &cosine, down)?);
    let y = g.two("Add", &a, &b)?;
    let mut moved = |at: i64, sides: &Value| -> Result<Value, OnnxError> {
        let (centre, way) = (column(g, windows, at)?, g.two("Mul", sides, &side)?);
        g.two("Add", &centre, &way)
    };
    Ok((moved(0, &x)?, moved(1, &y)?))
}

/// `atan2(sine, cosine)`, which ONNX does not have: twice the angle at the far end of the circle.
fn angle(g: &mut Graph, sine: &Value, cosine: &Value) -> Result<Value, OnnxError> {
    let (a, b) = (g.two("Mul", sine, sine)?, g.two("Mul", cosine, cosine)?);
    let sum = g.two("Add", &a, &b)?;
    let length = g.one("Sqrt", &sum)?;
    let sum = g.two("Add", &length, cosine)?;
    let sum = g.with("Max", &sum, 1e-12)?;
    let tangent = g.two("Div", sine, &sum)?;
    let half = g.one("Atan", &tangent)?;
    g.with("Mul", &half, 2.0)
}

/// The same direction between minus and plus half a turn, in radians.
fn half_turned(g: &mut Graph, angle: &Value) -> Result<Value, OnnxError> {
    let turns = g.with("Div", angle, 2.0 * PI)?;
    let turns = g.one("Round", &turns)?;
    let full = g.with("Mul", &turns, 2.0 * PI)?;
    g.two("Sub", angle, &full)
}
