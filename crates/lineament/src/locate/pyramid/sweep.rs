//! LNet_o slid over all levels of a photo, tile by tile.

use super::super::error::LocateError;
use super::classifier::{Classifier, Responses};
use super::grounds::Grounds;
use super::levels::{Level, Tile};
use super::response::Response;
use super::turn::Turn;
use super::window::Window;
use crate::photo::Photo;
use rayon::prelude::*;

/// The most windows of a tile in a row and in a column: 207 pixels a side at a stride of 4 and windows of 19. Larger tiles
/// share more work between their windows, but their maps leave the second cache: 96 windows a side cost a tenth more each.
pub(super) const TILE: usize = 48;

/// A net over the levels of a photo.
pub(super) struct Sweep<'a> {
    net: &'a Classifier,
    pub(super) levels: Vec<Level>,
    pub(super) grounds: Grounds<'a>,
    tile: usize,
}

/// What the net says about one tile.
pub(super) struct Seen<'a> {
    pub(super) level: &'a Level,
    /// Which level it is.
    pub(super) number: usize,
    pub(super) tile: &'a Tile,
    turn: Turn,
    responses: Responses,
    /// Of the tile as it lies in the photo.
    pixels: [u32; 2],
    net: &'a Classifier,
}

impl<'a> Sweep<'a> {
    /// Over these levels, finest first, in tiles of so many windows a side.
    pub(super) fn new(net: &'a Classifier, photo: &'a Photo, levels: Vec<Level>, tile: usize) -> Self {
        Self { net, grounds: Grounds::new(photo, &levels), levels, tile }
    }

    /// What `read` makes of each tile, in the photo's orientation and turned, in an order that depends on nothing but the
    /// levels. Only the tiles that are worked on are in memory.
    pub(super) fn read<T: Send>(
        &self,
        turns: &[Turn],
        read: impl Fn(Seen<'_>) -> Result<T, LocateError> + Sync,
    ) -> Result<Vec<T>, LocateError> {
        let numbered = self.levels.iter().enumerate();
        let tiles: Vec<(usize, &Level, Tile)> = numbered
            .flat_map(|(number, level)| level.tiles(self.tile).map(move |tile| (number, level, tile)))
            .collect();
        let look = |(number, level, tile): &(usize, &Level, Tile)| -> Result<Vec<T>, LocateError> {
            let pixels @ [width, height] =
                [tile.columns.len(), tile.rows.len()].map(|windows| self.net.pixels(windows));
            let drawn = self.grounds.draw(*number, level.seen(tile), width, height);
            let one = |turn: &Turn| {
                let responses = self.net.respond(std::slice::from_ref(turn.upright(&drawn).as_ref()))?;
                read(Seen { level, number: *number, tile, turn: *turn, responses, pixels, net: self.net })
            };
            turns.iter().map(one).collect()
        };
        let found: Vec<Vec<T>> = tiles.par_iter().with_max_len(1).map(look).collect::<Result<_, _>>()?;
        Ok(found.into_iter().flatten().collect())
    }
}

impl Seen<'_> {
    /// Responses to "there is a face here", row by row of what the net was shown.
    pub(super) fn faces(&self) -> &[f32] {
        self.responses.faces(0)
    }

    /// The window of this number, with what the net says about it.
    pub(super) fn window(&self, at: usize) -> Result<(Window, Response), LocateError> {
        let [_, columns] = self.responses.lattice();
        let (column, row) = (at % columns.max(1), at / columns.max(1));
        let response = self.net.checked(self.responses.at(0, at), column, row)?;
        let middle =
            |windows: usize| f64::from(self.net.pixels(windows + 1)) - f64::from(self.net.window) / 2.0;
        let (x, y) = self.turn.back([middle(column), middle(row)], self.pixels.map(f64::from));
        let tile = |windows: usize| windows as f64 * f64::from(self.net.stride);
        let centre = self.level.in_photo(tile(self.tile.columns.start) + x, tile(self.tile.rows.start) + y);
        let window = Window { centre, side: self.level.side(), roll: self.turn.roll(), score: response.face };
        Ok((window, response))
    }
}
