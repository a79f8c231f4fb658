//! The interweaved operation as a graph: the plan of [`Interweave`] with ONNX's operators.
//!
//! A map is a matrix `[values, channels]`, each value that any patch needs once. Where the plan reads through a table, the graph
//! gathers rows by that table; a convolution of the gathered windows is then one product a cell. Padding is a row of zeros
//! behind the last value.

use std::borrow::Cow;

use super::attribute::{Dim, Setting};
use super::graph::{Graph, Value};
use super::layers::relu6;
use super::{Form, OnnxError, proto};
use crate::interweave::number::{PADDING, Table};
use crate::interweave::operation::{Operation, Piece};
use crate::interweave::run::Unrolled;
use crate::kernel::activation::Activation;
use crate::kernel::pooling::Pooling;
use crate::net::fold::Affine;
use crate::net::plan::Slot;
use crate::net::step::{Convolution, Depthwise, Matrix};
use crate::{Interweave, NetSpec, Shape, Weights};

/// A net that reads overlapping patches of one region in one pass, as an ONNX file: `region` `[1, channels, height, width]` to
/// `vectors` `[patches, features]`. Patches have the net's declared input shape and stand at `offsets` (upper left corners, x
/// and y, in pixels of the region), `vectors` is in their order, and each is what [`super::export`] gives of the patch in
/// [`Form::Vectors`], to rounding.
///
/// What patches share is computed once ([`Interweave`]); where they share nothing, or too much would have to be planned, the
/// graph cuts the patches out and reads them one by one.
///
/// ```
/// use lineament_net::onnx::export_interweaved;
/// use lineament_net::{Layer, NetSpec, Shape, Weights};
///
/// let layers = vec![Layer::Conv { name: "c".to_owned(), filters: 5, kernel: 3, stride: 1, padding: [0; 2], groups: 1, bias: true }];
/// let spec = NetSpec { name: "small".to_owned(), input: Shape::new(3, 8, 8), layers };
/// let weights = Weights::random(&spec, 1)?;
/// let file = export_interweaved(&spec, &weights, Shape::new(3, 10, 10), &[[0, 0], [2, 2]])?;
/// assert!(file.len() > 5 * 27 * 4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// A spec that is wrong, weights of another net, no patches or one that reaches out of the region, or a file beyond
/// [`super::MAX_BYTES`].
pub fn export_interweaved(
    spec: &NetSpec,
    weights: &Weights,
    region: Shape,
    offsets: &[[usize; 2]],
) -> Result<Vec<u8>, OnnxError> {
    weights.check(spec)?;
    if offsets.is_empty() {
        return Err(OnnxError::NoPatches { net: spec.name.clone() });
    }
    let interweave = Interweave::new(spec, weights, region, offsets)?;
    let mut graph = Graph::new(&spec.name);
    let dims = [1, region.channels, region.height, region.width].map(Dim::Fixed);
    let input = graph.input("region", &dims)?;
    let vectors = match interweave.plan() {
        Some(plan) => Unroller::new(&mut graph, &input, region)?.run(plan, &interweave)?,
        None => {
            let patches = cut(&mut graph, &input, spec.input, offsets)?;
            graph.layers(spec, weights, Form::Vectors, patches)?
        }
    };
    let sizes = [offsets.len(), interweave.output().elements()];
    graph.output("vectors", &vectors, &sizes.map(Dim::Fixed))?;
    Ok(graph.into_model())
}

/// The patches of a region as a batch.
fn cut(graph: &mut Graph, region: &Value, patch: Shape, offsets: &[[usize; 2]]) -> Result<Value, OnnxError> {
    let axes = graph.ints("/axes", &[2, 3])?;
    let mut patches = Vec::with_capacity(offsets.len());
    for (index, &[x, y]) in offsets.iter().enumerate() {
        let corner = |places: [usize; 2]| places.map(proto::int);
        let starts = graph.ints(&format!("/patch{index}.starts"), &corner([y, x]))?;
        let ends =
            graph.ints(&format!("/patch{index}.ends"), &corner([y + patch.height, x + patch.width]))?;
        patches.push(graph.node(
            &format!("/patch{index}"),
            "Slice",
            &[region, &starts, &ends, &axes],
            &[],
        )?);
    }
    let patches: Vec<&Value> = patches.iter().collect();
    graph.node("/patches", "Concat", &patches, &[("axis", Setting::Int(0))])
}

/// A map at some point of the plan: `[values, channels]`.
#[derive(Debug, Clone)]
struct Rows {
    value: Value,
    values: usize,
    channels: usize,
}

/// Adds the operations of a plan to a graph.
struct Unroller<'a> {
    graph: &'a mut Graph,
    /// What each slot holds; the region's pixels until something else is written there.
    slots: Vec<Rows>,
}

impl<'a> Unroller<'a> {
    fn new(graph: &'a mut Graph, region: &Value, shape: Shape) -> Result<Self, OnnxError> {
        let (channels, values) = (shape.channels, shape.height * shape.width);
        let planes = reshape(graph, "/planes", region, [channels, values])?;
        let value = graph.node("/pixels", "Transpose", &[&planes], &[("perm", Setting::Ints(&[1, 0]))])?;
        Ok(Self { graph, slots: vec![Rows { value, values, channels }] })
    }

    /// All operations, then each patch's values: `[patches, features]`, features in the order channel, row, column.
    fn run(mut self, plan: &Unrolled, interweave: &Interweave) -> Result<Value, OnnxError> {
        for (index, operation) in plan.operations().iter().enumerate() {
            let (slot, rows) = self.operation(index, operation)?;
            if self.slots.len() <= slot {
                let pixels = self.at(0);
                self.slots.resize(slot + 1, pixels);
            }
            self.slots[slot] = rows;
        }
        let (patches, to) = (interweave.offsets().len(), interweave.output());
        let (slot, numbers) = plan.result();
        let last = self.at(slot);
        let places = self.graph.indices("/places.numbers", &[patches, to.height * to.width], numbers)?;
        let axis = [("axis", Setting::Int(0))];
        let places = self.graph.node("/places", "Gather", &[&last.value, &places], &axis)?;
        let perm = [("perm", Setting::Ints(&[0, 2, 1]))];
        let planes = self.graph.node("/places.planes", "Transpose", &[&places], &perm)?;
        reshape(self.graph, "/flat", &planes, [patches, to.elements()])
    }

    fn at(&self, slot: Slot) -> Rows {
        self.slots[slot].clone()
    }

    /// The slot that an operation writes, and what it writes there.
    fn operation(&mut self, index: usize, operation: &Operation) -> Result<(Slot, Rows), OnnxError> {
        // Layers have no slash in their names.
        let name = format!("/step{index}");
        Ok(match operation {
            Operation::Convolve { convolution, table, pieces, addend, input, output, .. } => {
                let addend = addend.as_ref().map(|numbers| (self.at(*output), numbers.as_slice()));
                (*output, self.convolve(convolution, table, pieces, addend, &self.at(*input))?)
            }
            Operation::Depthwise { depthwise, table, input, output, .. } => {
                (*output, self.depthwise(depthwise, table, &self.at(*input))?)
            }
            Operation::Multiply { matrix, table, input, output, .. } => {
                (*output, self.multiply(matrix, table, &self.at(*input))?)
            }
            Operation::Pool { pooling, table, input, output, .. } => {
                (*output, self.pool(&name, *pooling, table, &self.at(*input))?)
            }
            Operation::Copy { input, output, .. } => (*output, self.at(*input)),
            Operation::Normalise { affine, activation, slot, .. } => {
                let rows = self.normalise(&name, affine, self.at(*slot))?;
                (*slot, self.activate(&name, activation, rows)?)
            }
            Operation::Activate { activation, slot, .. } => {
                (*slot, self.activate(&name, activation, self.at(*slot))?)
            }
            Operation::Add { table, addend, input, into, activation, .. } => {
                let added = self.gather(&format!("{name}/added"), &self.at(*input), table.sources(), 1)?;
                let rows = self.add(&name, added, &self.at(*into), addend)?;
                (*into, self.activate(&name, activation, rows)?)
            }
        })
    }

    /// One product a cell, whose values stand together.
    fn convolve(
        &mut self,
        convolution: &Convolution,
        table: &Table,
        pieces: &[Piece],
        addend: Option<(Rows, &[u32])>,
        input: &Rows,
    ) -> Result<Rows, OnnxError> {
        let (path, filters, taps) = (convolution.path.as_str(), convolution.filters, table.taps());
        let inner = taps * input.channels;
        let input = self.padded(path, input, table)?;
        let mut cells = Vec::new();
        for pieces in pieces.chunk_by(|one, next| one.cell == next.cell) {
            let (cell, first) = (pieces[0].cell, pieces[0].first);
            let values = pieces.iter().map(|piece| piece.values).sum::<usize>();
            let name = format!("{path}/cell{cell}");
            let sources = &table.sources()[first * taps..][..values * taps];
            let windows = self.gather(&format!("{name}/windows"), &input, sources, taps)?;
            let bank = match convolution.groups {
                1 => Cow::Borrowed(&convolution.weight[cell * inner * filters..][..inner * filters]),
                _ => Cow::Owned(side_by_side(convolution, [taps, input.channels])),
            };
            let weight = self.graph.floats(&format!("{name}/weight"), &[inner, filters], &bank)?;
            let bias = &convolution.bias[cell * filters..][..filters];
            let bias = self.graph.floats(&format!("{name}/bias"), &[filters], bias)?;
            cells.push(self.graph.node(&name, "Gemm", &[&windows.value, &weight, &bias], &[])?);
        }
        let values = table.sources().len() / taps;
        let cells: Vec<&Value> = cells.iter().collect();
        let value = match cells[..] {
            [one] => one.clone(),
            _ => self.graph.node(&format!("{path}/cells"), "Concat", &cells, &[("axis", Setting::Int(0))])?,
        };
        let mut rows = Rows { value, values, channels: filters };
        if let Some((map, addend)) = addend {
            rows = self.add(path, rows, &map, addend)?;
        }
        self.activate(path, &convolution.activation, rows)
    }

    /// Products of windows with one filter a channel, summed over taps.
    fn depthwise(&mut self, depthwise: &Depthwise, table: &Table, input: &Rows) -> Result<Rows, OnnxError> {
        let (path, taps, channels) = (depthwise.path.as_str(), table.taps(), input.channels);
        let input = self.padded(path, input, table)?;
        let windows = self.windows(&format!("{path}/windows"), &input, table.sources(), taps)?;
        let weight = self.graph.floats(&format!("{path}/weight"), &[taps, channels], &depthwise.weight)?;
        let products = self.graph.node(&format!("{path}/products"), "Mul", &[&windows, &weight], &[])?;
        let axes = self.graph.ints(&format!("{path}/taps"), &[1])?;
        let keep = [("keepdims", Setting::Int(0))];
        let sums = self.graph.node(&format!("{path}/sums"), "ReduceSum", &[&products, &axes], &keep)?;
        let bias = self.graph.floats(&format!("{path}/bias"), &[channels], &depthwise.bias)?;
        let value = self.graph.node(path, "Add", &[&sums, &bias], &[])?;
        let rows = Rows { value, values: table.sources().len() / taps, channels };
        self.activate(path, &depthwise.activation, rows)
    }

    fn multiply(&mut self, matrix: &Matrix, table: &Table, input: &Rows) -> Result<Rows, OnnxError> {
        let (path, channels) = (matrix.path.as_str(), matrix.outputs);
        let maps = self.gather(&format!("{path}/maps"), input, table.sources(), table.taps())?;
        let weight =
            self.graph.floats(&format!("{path}/weight"), &[matrix.inputs, channels], &matrix.weight)?;
        let bias = self.graph.floats(&format!("{path}/bias"), &[channels], &matrix.bias)?;
        let value = self.graph.node(path, "Gemm", &[&maps.value, &weight, &bias], &[])?;
        self.activate(path, &matrix.activation, Rows { value, channels, ..maps })
    }

    fn pool(&mut self, name: &str, pooling: Pooling, table: &Table, input: &Rows) -> Result<Rows, OnnxError> {
        let (taps, channels) = (table.taps(), input.channels);
        let windows = || table.sources().chunks_exact(taps);
        let values = windows().len();
        let over_taps = [("axes", Setting::Ints(&[1])), ("keepdims", Setting::Int(0))];
        let value = match pooling {
            // The largest value stays the same when one of the others stands in the place of padding.
            Pooling::Max => {
                let real = |window: &[u32]| window.iter().copied().find(|&tap| tap != PADDING).unwrap_or(0);
                let filled = windows().flat_map(|window| {
                    let real = real(window);
                    window.iter().map(move |&tap| if tap == PADDING { real } else { tap })
                });
                let windows = self.windows(name, input, &filled.collect::<Vec<u32>>(), taps)?;
                self.graph.node(name, "ReduceMax", &[&windows], &over_taps)?
            }
            Pooling::Mean => {
                let padded = self.padded(name, input, table)?;
                let all = self.windows(name, &padded, table.sources(), taps)?;
                let mean = self.graph.node(name, "ReduceMean", &[&all], &over_taps)?;
                if !table.sources().contains(&PADDING) {
                    mean
                } else {
                    let count = |window: &[u32]| window.iter().filter(|&&tap| tap != PADDING).count();
                    let more: Vec<f32> = windows().map(|window| taps as f32 / count(window) as f32).collect();
                    let more = self.graph.floats(&format!("{name}/more"), &[values, 1], &more)?;
                    self.graph.node(&format!("{name}/counted"), "Mul", &[&mean, &more], &[])?
                }
            }
        };
        Ok(Rows { value, values, channels })
    }

    fn normalise(&mut self, name: &str, affine: &Affine, rows: Rows) -> Result<Rows, OnnxError> {
        let scale = self.graph.floats(&format!("{name}/scale"), &[rows.channels], &affine.scale)?;
        let shift = self.graph.floats(&format!("{name}/shift"), &[rows.channels], &affine.shift)?;
        let scaled = self.graph.node(&format!("{name}/scaled"), "Mul", &[&rows.value, &scale], &[])?;
        let value = self.graph.node(&format!("{name}/shifted"), "Add", &[&scaled, &shift], &[])?;
        Ok(Rows { value, ..rows })
    }

    fn activate(&mut self, name: &str, activation: &Activation, rows: Rows) -> Result<Rows, OnnxError> {
        let name = format!("{name}/activation");
        let value = match activation {
            Activation::Identity => return Ok(rows),
            Activation::Relu => self.graph.node(&name, "Relu", &[&rows.value], &[])?,
            Activation::Relu6 => relu6(self.graph, &name, &rows.value)?,
            Activation::HardSwish => self.graph.node(&name, "HardSwish", &[&rows.value], &[])?,
            Activation::Prelu(slopes) => {
                let slopes = self.graph.floats(&format!("{name}/slopes"), &[rows.channels], slopes)?;
                self.graph.node(&name, "PRelu", &[&rows.value, &slopes], &[])?
            }
        };
        Ok(Rows { value, ..rows })
    }

    /// Adds to each value the one of `map` that is numbered so.
    fn add(&mut self, name: &str, rows: Rows, map: &Rows, addend: &[u32]) -> Result<Rows, OnnxError> {
        let addend = self.gather(&format!("{name}/onto"), map, addend, 1)?;
        let value = self.graph.node(&format!("{name}/sum"), "Add", &[&rows.value, &addend.value], &[])?;
        Ok(Rows { value, ..rows })
    }

    /// A map with a row of zeros behind its last value, if the table has padding.
    fn padded(&mut self, name: &str, rows: &Rows, table: &Table) -> Result<Rows, OnnxError> {
        if !table.sources().contains(&PADDING) {
            return Ok(rows.clone());
        }
        let channels = rows.channels;
        let zeros = self.graph.floats(&format!("{name}/zeros"), &[1, channels], &vec![0.0; channels])?;
        let axis = [("axis", Setting::Int(0))];
        let value = self.graph.node(&format!("{name}/padded"), "Concat", &[&rows.value, &zeros], &axis)?;
        Ok(Rows { value, values: rows.values + 1, channels })
    }

    /// `[windows, taps * channels]`: the values of each window in a row.
    fn gather(&mut self, name: &str, rows: &Rows, sources: &[u32], taps: usize) -> Result<Rows, OnnxError> {
        let (values, channels) = (sources.len() / taps, taps * rows.channels);
        if taps == 1 && sources.iter().copied().eq(0..rows.values as u32) {
            return Ok(rows.clone());
        }
        let windows = self.windows(name, rows, sources, taps)?;
        let value = reshape(self.graph, &format!("{name}/rows"), &windows, [values, channels])?;
        Ok(Rows { value, values, channels })
    }

    /// `[windows, taps, channels]`. Padding is the last value.
    fn windows(&mut self, name: &str, rows: &Rows, sources: &[u32], taps: usize) -> Result<Value, OnnxError> {
        let last = rows.values.saturating_sub(1) as u32;
        let places: Vec<u32> = sources.iter().map(|&tap| if tap == PADDING { last } else { tap }).collect();
        let places = self.graph.indices(&format!("{name}/numbers"), &[places.len() / taps, taps], &places)?;
        let axis = [("axis", Setting::Int(0))];
        self.graph.node(&format!("{name}/gathered"), "Gather", &[&rows.value, &places], &axis)
    }
}

/// Filters in groups as filters of all channels, `[taps, inputs, filters]`, zero for those of other groups: one product makes all
/// sums of gathered windows.
fn side_by_side(convolution: &Convolution, [taps, inputs]: [usize; 2]) -> Vec<f32> {
    let (filters, own) = (convolution.filters, convolution.of_bank());
    let of_group = inputs / convolution.groups;
    let mut all = vec![0.0; taps * inputs * filters];
    for (group, (bank, _)) in convolution.banks().enumerate() {
        for (row, weights) in bank.chunks_exact(own).enumerate() {
            let input = row / of_group * inputs + group * of_group + row % of_group;
            all[input * filters + group * own..][..own].copy_from_slice(weights);
        }
    }
    all
}

fn reshape(graph: &mut Graph, name: &str, value: &Value, sizes: [usize; 2]) -> Result<Value, OnnxError> {
    let shape = graph.ints(&format!("{name}.shape"), &sizes.map(proto::int))?;
    graph.node(name, "Reshape", &[value, &shape], &[])
}
