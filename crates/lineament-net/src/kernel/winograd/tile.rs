//! Sizes of tiles, and where they lie.

use std::ops::Range;

/// A size of tiles for a size of kernels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Form {
    /// Pixels on a side of a tile: 6, or 5 for kernels of 3.
    pub(crate) side: usize,
    /// Results on a side of a tile.
    pub(crate) results: usize,
}

impl Form {
    /// The forms for a kernel; none for most.
    pub(crate) fn of_kernel(kernel: usize) -> impl Iterator<Item = Self> {
        let sides: &[usize] = match kernel {
            3 => &[6, 5],
            5 => &[6],
            _ => &[],
        };
        sides.iter().map(move |&side| Self { side, results: side + 1 - kernel })
    }

    /// Multiplications for one tile of one channel: the points of a transform.
    pub(crate) fn points(self) -> usize {
        self.side * self.side
    }

    /// Tiles down and across a map of so many results.
    pub(crate) fn tiles(self, rows: usize, columns: usize) -> [usize; 2] {
        [rows, columns].map(|side| side.div_ceil(self.results))
    }
}

/// A map in memory, padding included: where its first value stands, values between rows, rows and columns that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grid {
    pub(crate) start: usize,
    pub(crate) line: usize,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
}

/// One tile: which map of the batch, and its row and column among the tiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tile {
    pub(crate) input: Grid,
    pub(crate) output: Grid,
    pub(crate) row: usize,
    pub(crate) column: usize,
}

/// The tiles of tile rows `rows` (counted through all maps of a batch); a map has `down` rows of `across` tiles.
pub(crate) fn tiles(
    rows: Range<usize>,
    grids: impl Fn(usize) -> [Grid; 2],
    [down, across]: [usize; 2],
) -> impl Iterator<Item = Tile> {
    rows.flat_map(move |index| {
        let [input, output] = grids(index / down);
        (0..across).map(move |column| Tile { input, output, row: index % down, column })
    })
}
