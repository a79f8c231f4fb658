//! A locally shared convolution in ONNX, which has none: each cell's neighbourhood is cut out, convolved with the cell's own
//! filters, and the cells' maps are laid side by side.

use super::attribute::Setting;
use super::graph::{Graph, Value};
use super::layers::filters;
use super::{OnnxError, proto};
use crate::{Array, CheckedLayer};

/// What a locally shared convolution is made of.
pub(super) struct LocalConv<'a> {
    pub(super) at: &'a CheckedLayer,
    /// `[rows * cols, filters, inputs, kernel, kernel]`.
    pub(super) weight: &'a Array,
    /// `[rows * cols, filters]`.
    pub(super) bias: Option<&'a Array>,
    /// Kernel, stride, padding.
    pub(super) window: [usize; 3],
    /// Rows and columns of cells.
    pub(super) grid: [usize; 2],
}

/// What one cell reads along one axis: a stretch of the map, and zeros on either side of it.
#[derive(Debug, PartialEq, Eq)]
struct Span {
    start: usize,
    end: usize,
    before: usize,
    after: usize,
}

impl Span {
    /// For cell number `cell` of `outputs` outputs, on a side of `side` values. A window reaches beyond the borders of its
    /// cell; only the border of the map is padded.
    fn new(cell: usize, outputs: usize, side: usize, [kernel, stride, padding]: [usize; 3]) -> Self {
        // Both in the padded map.
        let first = cell * outputs * stride;
        let last = first + outputs.saturating_sub(1) * stride + kernel;
        let end = last.saturating_sub(padding);
        Self {
            start: first.saturating_sub(padding),
            end: end.min(side),
            before: padding.saturating_sub(first),
            after: end.saturating_sub(side),
        }
    }
}

impl LocalConv<'_> {
    /// Adds the layer: `[N, inputs, height, width]` to `[N, filters, out height, out width]`.
    pub(super) fn add(&self, graph: &mut Graph, input: &Value) -> Result<Value, OnnxError> {
        let ([rows, cols], path) = (self.grid, &self.at.path);
        let axes = graph.ints(&format!("{path}/axes"), &[2, 3])?;
        let mut bands = Vec::with_capacity(rows);
        for row in 0..rows {
            let mut band = Vec::with_capacity(cols);
            for col in 0..cols {
                band.push(self.cell(graph, input, &axes, [row, col])?);
            }
            bands.push(side_by_side(graph, &format!("{path}/row{row}"), band, 3)?);
        }
        side_by_side(graph, path, bands, 2)
    }

    fn cell(
        &self,
        graph: &mut Graph,
        input: &Value,
        axes: &Value,
        [row, col]: [usize; 2],
    ) -> Result<Value, OnnxError> {
        let ([rows, cols], [kernel, stride, _]) = (self.grid, self.window);
        let (from, to) = (self.at.input, self.at.output);
        let down = Span::new(row, to.height / rows.max(1), from.height, self.window);
        let across = Span::new(col, to.width / cols.max(1), from.width, self.window);
        let name = format!("{}/cell{row}_{col}", self.at.path);
        let corner = |places: [usize; 2]| places.map(proto::int);
        let starts = graph.ints(&format!("{name}.starts"), &corner([down.start, across.start]))?;
        let ends = graph.ints(&format!("{name}.ends"), &corner([down.end, across.end]))?;
        let cut = graph.node(&format!("{name}.slice"), "Slice", &[input, &starts, &ends, axes], &[])?;

        let (cell, banks) = (row * cols + col, rows * cols);
        let weight = bank(self.weight, cell, banks);
        let shape = [to.channels, from.channels, kernel, kernel];
        let weight = graph.floats(&format!("{name}.weight"), &shape, weight)?;
        let bias = match self.bias {
            Some(bias) => {
                Some(graph.floats(&format!("{name}.bias"), &[to.channels], bank(bias, cell, banks))?)
            }
            None => None,
        };
        let pads = [down.before, across.before, down.after, across.after];
        let inputs: Vec<&Value> = [&cut, &weight].into_iter().chain(&bias).collect();
        filters(graph, &name, &inputs, ([kernel, stride], 1), pads)
    }
}

/// The values of one bank of several.
fn bank(array: &Array, cell: usize, banks: usize) -> &[f32] {
    let size = array.data.len() / banks.max(1);
    array.data.get(cell * size..(cell + 1) * size).unwrap_or_default()
}

fn side_by_side(graph: &mut Graph, name: &str, maps: Vec<Value>, axis: i64) -> Result<Value, OnnxError> {
    let maps: Vec<&Value> = maps.iter().collect();
    graph.node(name, "Concat", &maps, &[("axis", Setting::Int(axis))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_read_over_their_borders_and_pad_at_the_maps() {
        // Six values, kernel 3, padding 1: outputs 0-2 read -1..4, outputs 3-5 read 2..7.
        let window = [3, 1, 1];
        assert_eq!(Span::new(0, 3, 6, window), Span { start: 0, end: 4, before: 1, after: 0 });
        assert_eq!(Span::new(1, 3, 6, window), Span { start: 2, end: 6, before: 0, after: 1 });
    }

    #[test]
    fn what_a_stride_leaves_over_is_not_read() {
        // Eight values, kernel 3, stride 4: windows 0..3 and 4..7.
        assert_eq!(Span::new(1, 1, 8, [3, 4, 0]), Span { start: 4, end: 7, before: 0, after: 0 });
    }

    #[test]
    fn padding_may_reach_over_several_cells() {
        // Two values, kernel 4, padding 3: windows start at -3, -2, -1, 0 and 1; the second cell starts at -2.
        assert_eq!(Span::new(1, 1, 2, [4, 1, 3]), Span { start: 0, end: 2, before: 2, after: 0 });
        assert_eq!(Span::new(4, 1, 2, [4, 1, 3]), Span { start: 1, end: 2, before: 0, after: 3 });
    }
}
