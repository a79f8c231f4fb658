//! Numbers for values: two patches share a value when they would compute it from the same values by the same filters.
//!
//! Pixels of the region are numbered first. Layer after layer, each position of each patch then asks for a window of
//! numbers and, where filters are shared locally, names its cell. Equal questions get one number and are answered once.
//! Nothing is assumed about strides, cells or padding, so nothing can be shared wrongly; that congruent offsets share and
//! others do not comes out by itself (`docs/interweave.md`).

use std::collections::HashMap;

use crate::Shape;
use crate::kernel::window::Window;

/// In place of a number: there is padding.
pub(crate) const PADDING: u32 = u32::MAX;

/// What keeping one window costs besides its taps, counted in taps.
const OVERHEAD: usize = 16;

/// A map as all patches see it.
#[derive(Debug, Clone)]
pub(crate) struct Map {
    /// Shape of one patch's map.
    pub(crate) shape: Shape,
    /// Pixels of the region between neighbours.
    stride: usize,
    /// `[patches, height, width]`: which value stands there.
    pub(crate) numbers: Vec<u32>,
    /// Where the values stand, by number.
    coords: Vec<Coord>,
}

/// What values are sorted by, so that neighbours in a row get consecutive numbers.
#[derive(Debug, Clone, Copy)]
struct Coord {
    /// Rank among the combinations of cells that it went through.
    group: u32,
    row: u32,
    column: u32,
}

/// Which values each new value is made of.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Table {
    /// Rows of one window.
    rows: usize,
    /// Columns of one window.
    columns: usize,
    /// `[values, rows, columns]`: numbers in the map below, or [`PADDING`].
    sources: Vec<u32>,
    /// `[values, rows]`: whether a window's row is one run of memory.
    runs: Vec<bool>,
}

/// New values, sorted by cell.
pub(crate) struct Numbered {
    pub(crate) map: Map,
    pub(crate) table: Table,
    /// How many values each cell has.
    pub(crate) cells: Vec<usize>,
    /// For sums: the value of the other map that each is added to.
    pub(crate) addend: Vec<u32>,
}

/// The patches' upper left corners in the region, x and y, and how much numbering may still be spent on them.
pub(crate) struct Numbering<'a> {
    pub(crate) offsets: &'a [[usize; 2]],
    /// Window taps that may still be looked at, [`OVERHEAD`] more a window: it bounds the time and memory of planning.
    pub(crate) budget: usize,
}

impl Map {
    /// Number of different values.
    pub(crate) fn values(&self) -> usize {
        self.coords.len()
    }

    /// The region's pixels, row after row, as patches of shape `patch` at `offsets` see them.
    pub(crate) fn region(region: Shape, patch: Shape, offsets: &[[usize; 2]]) -> Self {
        let coords = (0..region.height).flat_map(|row| {
            (0..region.width).map(move |column| Coord { group: 0, row: row as u32, column: column as u32 })
        });
        let numbers = offsets.iter().flat_map(|&[x, y]| {
            (y..y + patch.height).flat_map(move |row| {
                (x..x + patch.width).map(move |column| (row * region.width + column) as u32)
            })
        });
        Self { shape: patch, stride: 1, numbers: numbers.collect(), coords: coords.collect() }
    }

    /// The number at a place of one patch's map.
    fn number(&self, patch: usize, row: usize, column: usize) -> u32 {
        self.numbers[(patch * self.shape.height + row) * self.shape.width + column]
    }
}

impl Numbering<'_> {
    /// Numbers what windows over `map` give, with a filter bank for each cell of `grid`, or for sums onto the values of
    /// another map. `None` when it would take too long.
    pub(crate) fn windows(
        &mut self,
        map: &Map,
        window: Window,
        grid: [usize; 2],
        addend: Option<&Map>,
        channels: usize,
    ) -> Option<Numbered> {
        let to = Shape { channels, ..window.slide(map.shape) };
        let stride = map.stride.saturating_mul(window.stride);
        let ask = |patch: usize, row: usize, column: usize, key: &mut Vec<u32>| {
            let cell = (row * grid[0] / to.height) * grid[1] + column * grid[1] / to.width;
            key.push(cell as u32);
            key.push(addend.map_or(PADDING, |addend| addend.number(patch, row, column)));
            let (rows, top) = window.taps(row, map.shape.height);
            let (columns, left) = window.taps(column, map.shape.width);
            for y in 0..window.kernel {
                for x in 0..window.kernel {
                    let inside = rows.contains(&y) && columns.contains(&x);
                    key.push(if inside {
                        map.number(patch, top + y - rows.start, left + x - columns.start)
                    } else {
                        PADDING
                    });
                }
            }
        };
        self.number(map, to, stride, [window.kernel; 2], grid[0] * grid[1], ask)
    }

    /// Numbers what a function of the whole map gives: a map of one pixel with `channels` values.
    pub(crate) fn whole(&mut self, map: &Map, channels: usize) -> Option<Numbered> {
        let ask = |patch: usize, _: usize, _: usize, key: &mut Vec<u32>| {
            let pixels = map.shape.height * map.shape.width;
            key.extend([0, PADDING]);
            key.extend(&map.numbers[patch * pixels..(patch + 1) * pixels]);
        };
        let size = [map.shape.height, map.shape.width];
        self.number(map, Shape::new(channels, 1, 1), map.stride, size, 1, ask)
    }

    /// `ask` writes what a position of a patch is made of: its cell, what it is added to, and its window.
    fn number(
        &mut self,
        map: &Map,
        to: Shape,
        stride: usize,
        [rows, columns]: [usize; 2],
        cells: usize,
        ask: impl Fn(usize, usize, usize, &mut Vec<u32>),
    ) -> Option<Numbered> {
        let positions = to.height.checked_mul(to.width)?.checked_mul(self.offsets.len())?;
        let taps = rows.checked_mul(columns)?;
        self.budget = self.budget.checked_sub(positions.checked_mul(taps.checked_add(OVERHEAD)?)?)?;
        let mut known = HashMap::<Vec<u32>, u32>::new();
        let (mut coords, mut numbers) = (Vec::new(), Vec::with_capacity(positions));
        let mut key = Vec::with_capacity(taps + 2);
        for (patch, &[x, y]) in self.offsets.iter().enumerate() {
            for row in 0..to.height {
                for column in 0..to.width {
                    key.clear();
                    ask(patch, row, column, &mut key);
                    if let Some(&number) = known.get(&key) {
                        numbers.push(number);
                        continue;
                    }
                    let number = coords.len() as u32;
                    let first = key[2..].iter().find(|&&source| source != PADDING);
                    let group = first.map_or(0, |&source| map.coords[source as usize].group);
                    let at = |offset: usize, index: usize| {
                        offset.saturating_add(index.saturating_mul(stride)).min(u32::MAX as usize) as u32
                    };
                    coords.push(Coord { group, row: at(y, row), column: at(x, column) });
                    numbers.push(number);
                    known.insert(key.clone(), number);
                }
            }
        }
        let mut keys: Vec<(Vec<u32>, u32)> = known.into_iter().collect();
        // Filters of a cell first; then what went through the same cells; then offsets that share a map; then rows.
        let modulus = u32::try_from(stride).unwrap_or(u32::MAX);
        keys.sort_by_key(|(key, number)| {
            let Coord { group, row, column } = coords[*number as usize];
            (key[0], group, row % modulus, column % modulus, row, column, *number)
        });
        let mut numbered = Numbered {
            map: Map { shape: to, stride, numbers, coords: Vec::with_capacity(coords.len()) },
            table: Table { rows, columns, ..Table::default() },
            cells: vec![0; cells],
            addend: Vec::new(),
        };
        let mut renamed = vec![0; coords.len()];
        let (mut group, mut before) = (0, None);
        for (index, (key, number)) in keys.iter().enumerate() {
            let coord = coords[*number as usize];
            let through = (key[0], coord.group);
            group += u32::from(before.is_some_and(|before| before != through));
            before = Some(through);
            numbered.cells[key[0] as usize] += 1;
            numbered.addend.push(key[1]);
            numbered.table.push(&key[2..]);
            numbered.map.coords.push(Coord { group, ..coord });
            renamed[*number as usize] = index as u32;
        }
        numbered.map.numbers.iter_mut().for_each(|number| *number = renamed[*number as usize]);
        Some(numbered)
    }
}

impl Table {
    fn push(&mut self, window: &[u32]) {
        self.sources.extend(window);
        self.runs.extend(window.chunks_exact(self.columns).map(|row| {
            row[0] != PADDING && row.windows(2).all(|pair| pair[1] != PADDING && pair[1] == pair[0] + 1)
        }));
    }

    /// How many numbers each value is made of.
    pub(crate) fn taps(&self) -> usize {
        self.rows * self.columns
    }

    /// `[values, taps]`: the numbers that the values are made of.
    pub(crate) fn sources(&self) -> &[u32] {
        &self.sources
    }

    /// The numbers that value `value` is made of.
    pub(crate) fn window(&self, value: usize) -> &[u32] {
        let size = self.rows * self.columns;
        &self.sources[value * size..(value + 1) * size]
    }

    /// The runs of memory that a window of values with `channels` each is read in: number of values where each begins `[values, runs]`, how many there
    /// are in a window, and their length. Rows where every one is a run, else single taps.
    pub(crate) fn runs(&self, channels: usize) -> (Vec<u32>, usize, usize) {
        if self.runs.iter().all(|&run| run) {
            let starts = self.sources.iter().step_by(self.columns).copied();
            return (starts.collect(), self.rows, self.columns * channels);
        }
        (self.sources.clone(), self.rows * self.columns, channels)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Windows over patches of one or two rows and five columns in a region of nine columns.
    fn numbered(offsets: &[[usize; 2]], window: Window, grid: [usize; 2]) -> Numbered {
        let [region, patch] = [9, 5].map(|width| Shape::new(1, window.kernel, width));
        let map = Map::region(region, patch, offsets);
        Numbering { offsets, budget: 1000 }.windows(&map, window, grid, None, 1).unwrap()
    }

    #[test]
    fn congruent_offsets_share_and_stand_in_rows_of_their_own() {
        let window = Window { kernel: 1, stride: 2, padding: [0; 2] };
        let numbered = numbered(&[[0, 0], [2, 0], [1, 0]], window, [1, 1]);
        // Pixels 0 2 4 6 of the even patches, then 1 3 5 of the odd one.
        assert_eq!(numbered.table.sources, [0, 2, 4, 6, 1, 3, 5]);
        assert_eq!(numbered.map.numbers, [0, 1, 2, 1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn values_of_different_cells_are_never_shared() {
        let window = Window { kernel: 2, stride: 1, padding: [0; 2] };
        let numbered = numbered(&[[0, 0], [1, 0]], window, [1, 2]);
        // Cells of two: left 0 1 and 1 2, right 2 3 and 3 4.
        assert_eq!(numbered.cells, [3, 3]);
        let lefts: Vec<u32> = (0..6).map(|value| numbered.table.window(value)[0]).collect();
        assert_eq!(lefts, [0, 1, 2, 2, 3, 4]);
        assert_eq!(numbered.table.window(4), [3, 4, 12, 13]);
        assert_eq!(numbered.map.numbers, [0, 1, 3, 4, 1, 2, 4, 5]);
        assert!(numbered.table.runs.iter().all(|&run| run));
    }

    #[test]
    fn padding_keeps_borders_apart() {
        let window = Window { kernel: 3, stride: 1, padding: [1; 2] };
        let map = Map::region(Shape::new(1, 3, 5), Shape::new(1, 3, 4), &[[0, 0], [1, 0]]);
        let mut numbering = Numbering { offsets: &[[0, 0], [1, 0]], budget: 1000 };
        let numbered = numbering.windows(&map, window, [1, 1], None, 1).unwrap();
        // A row of a patch has two interior positions, of which one is the other patch's too.
        assert_eq!(numbered.map.values(), 3 * (2 * 4 - 1));
        let mut short = Numbering { offsets: &[[0, 0]], budget: 100 };
        assert!(short.windows(&map, window, [1, 1], None, 1).is_none());
    }
}
