//! Which convolutions are summed in Winograd's tiles, and how that work is cut.

use std::ops::Range;
use std::sync::Arc;

use super::layout::{At, Ends};
use super::plan::Step;
use super::step::Convolution;
use super::work::{Unit, Work, evenly, parts};
use crate::Shape;
use crate::kernel::tiling::FEW_WINDOWS;
use crate::kernel::winograd::layout::TransformLayout;
use crate::kernel::winograd::{Form, Grid, LEAST_OUTPUTS, Tile, tiles};

/// Multiplications of products that are worth a unit of their own.
const PRODUCTS: usize = 64 << 10;
/// Values that the transforms of one unit's tiles may fill, and how few tiles are worth it.
const TRANSFORMED: usize = 192 << 10;
const FEWEST_TILES: usize = 12;
/// The most values (32 MB) of all transforms of a step that is worked through point by point.
const STAGED: usize = 8 << 20;
/// What it costs to bring one value of a tile there and back, in multiplications: measured on the nets of the compact recipe, with AVX2 and AVX-512.
const TRANSFORM: usize = 16;
/// What it costs to read one filter's value, in multiplications: tiles have up to four times as many of them. Less from a core's own cache, more from memory.
const READ: usize = 4;
/// Windows that are summed at once; fewer take as long.
const AT_ONCE: usize = FEW_WINDOWS;
/// The fewest channels for which transforms pay.
const CHANNELS: usize = 16;

/// A convolution in tiles.
pub(crate) enum Tiled {
    /// Each unit brings its tiles there and back, and reads all filters for them.
    Fused(Work),
    /// First all tiles are transformed, then the products of each place of the transforms are made, then all are transformed back. Filters are read only
    /// once, by one thread or another; transforms go through memory instead.
    Staged {
        /// There, products, and back.
        works: [Work; 3],
        /// Values of the transforms and of the products.
        values: [usize; 2],
    },
}

/// The step in tiles, if it is one that is best summed so.
pub(crate) fn of(step: &Step, ends: &Ends, items: usize) -> Option<Tiled> {
    let Step::Convolve { convolution, .. } = step else { return None };
    let form = form(convolution, ends)?;
    let (inputs, filters) = (ends.input.shape.channels, convolution.filters);
    let (tiles, [down, across]) = cut(ends, convolution.window.room(), form, items);
    let output = ends.output;
    let units = |rows: usize, start: &dyn Fn(usize) -> usize| -> Vec<Unit> {
        let last = items * down;
        let unit = |row| Unit { start: start(row), first: row * across, end: last.min(row + rows) * across };
        (0..last).step_by(rows.max(1)).map(unit).collect()
    };
    let onto_map = |row: usize| output.pixel(row / down, 0, row % down * form.results, 0);
    let most = TRANSFORMED / (form.points() * (inputs + filters.min(LEAST_OUTPUTS)));
    let most = most.max(FEWEST_TILES);
    // Two units at least, where there is enough for two cores.
    let count =
        (items * down).div_ceil(most.div_ceil(across).max(1)).max(if down * items > 1 { 2 } else { 1 });
    let rows = (items * down).div_ceil(count);
    let points = form.points();
    let layout = TransformLayout { all: tiles.len(), each: rows * across, points };
    let whole = TransformLayout::whole(tiles.len(), points);
    let values = [layout.values(inputs), whole.values(filters)];
    // What is read again for each unit against what is written and read in between.
    let again = (count.max(2) - 1) * inputs * filters;
    let between = 2 * tiles.len() * (inputs + filters);
    if again < between || values[0] + values[1] > STAGED {
        return Some(Tiled::Fused(Work::Tiles { form, tiles, units: units(rows, &onto_map) }));
    }
    let count = evenly((points * tiles.len() * inputs * filters).div_ceil(PRODUCTS).min(points));
    let several = |points: Range<usize>| Unit {
        start: points.start * whole.stride(0, filters),
        first: points.start,
        end: points.end,
    };
    let products = parts(points, count).map(several).collect();
    let input = units(rows, &|row| layout.start(row * across, inputs));
    let works = [
        Work::TransformInput { form, tiles: Arc::clone(&tiles), units: input },
        Work::Products { form, layout, units: products },
        Work::TransformOutput { form, tiles, units: units(rows, &onto_map) },
    ];
    Some(Tiled::Staged { works, values })
}

/// The cheapest form of tiles, if one is cheaper than windows. Reckoned for one item, however many there are: a batch must not be summed otherwise than
/// its items alone.
fn form(convolution: &Convolution, ends: &Ends) -> Option<Form> {
    let Ends { input, output, .. } = *ends;
    let (window, to) = (convolution.window, output.shape);
    let (inputs, filters) = (input.shape.channels, convolution.filters);
    let even = window.stride == 1 && window.padding[0] == window.padding[1] && convolution.groups == 1;
    if !even || input.bytes || inputs.min(filters) < CHANNELS {
        return None;
    }
    let products = |windows: usize| (windows.next_multiple_of(AT_ONCE) + READ) * inputs * filters;
    let cost = |form: &Form| {
        let [down, across] = form.tiles(to.height, to.width);
        let tiles = down * across;
        form.points() * (products(tiles) + TRANSFORM * tiles * (inputs + filters))
    };
    let plain = window.kernel * window.kernel * products(to.height * to.width);
    Form::of_kernel(window.kernel).min_by_key(cost).filter(|form| cost(form) < plain)
}

/// The tiles of all items, and how many a map has down and across.
fn cut(ends: &Ends, padding: usize, form: Form, items: usize) -> (Arc<[Tile]>, [usize; 2]) {
    let Ends { input, output, .. } = *ends;
    let Shape { height, width, .. } = output.shape;
    let grid = |at: At, item, margin| Grid {
        start: at.pixel(item, margin, 0, 0),
        line: at.line(),
        rows: at.shape.height + 2 * margin,
        columns: at.shape.width + 2 * margin,
    };
    let grids = |item| [grid(input, item, padding), grid(output, item, 0)];
    let sides = form.tiles(height, width);
    (tiles(0..items * sides[0], grids, sides).collect(), sides)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::net::program::Program;
    use crate::{Layer, Net, NetSpec, Shape, Weights};

    /// How a convolution of 3 x 3 with as many filters as channels is done.
    fn stages(channels: usize, side: usize, items: usize) -> Vec<&'static str> {
        let layer = Layer::Conv {
            name: "conv".into(),
            filters: channels,
            kernel: 3,
            stride: 1,
            padding: [1; 2],
            groups: 1,
            bias: true,
        };
        let input = Shape::new(channels, side, side);
        let spec = NetSpec { name: "one".into(), input, layers: vec![layer] };
        let net = Net::new(&spec, &Weights::random(&spec, 1).unwrap()).unwrap();
        let program = Program::new(&net.plan, input, items).unwrap();
        let kind = |work: &Work| match work {
            Work::Inward { .. } => "inward",
            Work::Sums { .. } => "sums",
            Work::Join { .. } => "join",
            Work::Tiles { .. } => "tiles",
            Work::TransformInput { .. } => "input",
            Work::Products { .. } => "products",
            Work::TransformOutput { .. } => "output",
            Work::Rows { .. } => "rows",
        };
        program.stages.iter().map(|stage| kind(&stage.work)).collect()
    }

    #[test]
    fn many_filters_are_read_once_and_few_with_every_unit() {
        assert_eq!(stages(15, 24, 1), ["sums"]);
        assert_eq!(stages(24, 24, 1), ["tiles"]);
        assert_eq!(stages(128, 12, 1), ["input", "products", "output"]);
        assert_eq!(stages(256, 12, 8), ["inward", "input", "products", "output"]);
        // Transforms of so many pixels fit into no cache.
        assert_eq!(stages(256, 100, 1), ["inward", "tiles"]);
    }
}
