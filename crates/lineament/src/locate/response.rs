//! Response maps: how strongly each point of an image excites a net's last convolution.

use super::cells::Cells;
use crate::geometry::{Point, Rect};
use crate::photo::Photo;
use lineament_net::Tensor;
use thiserror::Error;

/// Why a net's output is no response map.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ResponseError {
    /// The map has no cell, or its values do not fill it.
    #[error("a response map of {width} x {height} cells cannot be made of {values} values")]
    Shape {
        /// Columns.
        width: usize,
        /// Rows.
        height: usize,
        /// How many values there were.
        values: usize,
    },
    /// An item or a channel beyond the tensor.
    #[error(
        "there is no item {item}, channel {channel} in an output of {items} items and {channels} channels"
    )]
    Missing {
        /// Which item was asked for.
        item: usize,
        /// Which channel was asked for.
        channel: usize,
        /// How many items there are.
        items: usize,
        /// How many channels there are.
        channels: usize,
    },
    /// A response is infinite or not a number.
    #[error(
        "the response at column {column}, row {row} is not a finite number: the weights of the net are out of range, train or export it anew"
    )]
    NotFinite {
        /// Column of the first such cell.
        column: usize,
        /// Row of the first such cell.
        row: usize,
    },
}

/// Finite responses on a lattice of cells over an image; at least one.
#[derive(Debug, Clone, PartialEq)]
pub struct ResponseMap {
    width: usize,
    height: usize,
    values: Vec<f32>,
    cells: Cells,
}

impl ResponseMap {
    /// A map of `width` columns and `height` rows, given row by row.
    ///
    /// # Errors
    /// Where the values do not fill the map, there are none, or one is not finite.
    pub fn new(width: usize, height: usize, values: Vec<f32>, cells: Cells) -> Result<Self, ResponseError> {
        if values.is_empty() || width.checked_mul(height) != Some(values.len()) {
            return Err(ResponseError::Shape { width, height, values: values.len() });
        }
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            return Err(ResponseError::NotFinite { column: at % width, row: at / width });
        }
        Ok(Self { width, height, values, cells })
    }

    /// The mean over all channels of one item of a net's output `[N, C, h, w]`: the paper's averaged response
    /// map of C5.
    ///
    /// # Errors
    /// Where there is no such item, the map is empty, or a response is not finite.
    pub fn averaged(output: &Tensor, item: usize, cells: Cells) -> Result<Self, ResponseError> {
        let [items, channels, height, width] = output.shape();
        let size = width * height;
        let missing = ResponseError::Missing { item, channel: 0, items, channels };
        let maps = output.item(item).filter(|_| channels > 0).ok_or(missing)?;
        if size == 0 {
            return Err(ResponseError::Shape { width, height, values: 0 });
        }
        let mut values = vec![0.0f32; size];
        for map in maps.chunks_exact(size) {
            values.iter_mut().zip(map).for_each(|(sum, v)| *sum += v);
        }
        values.iter_mut().for_each(|v| *v /= channels as f32);
        Self::new(width, height, values, cells)
    }

    /// One channel of one item of a net's output `[N, C, h, w]`.
    ///
    /// # Errors
    /// As [`ResponseMap::averaged`], and where there is no such channel.
    pub fn channel(
        output: &Tensor,
        item: usize,
        channel: usize,
        cells: Cells,
    ) -> Result<Self, ResponseError> {
        let [items, channels, height, width] = output.shape();
        let size = width * height;
        let values = output
            .item(item)
            .filter(|_| channel < channels)
            .and_then(|maps| maps.get(channel * size..(channel + 1) * size))
            .ok_or(ResponseError::Missing { item, channel, items, channels })?;
        Self::new(width, height, values.to_vec(), cells)
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// All responses, row by row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Where its cells look.
    pub fn cells(&self) -> Cells {
        self.cells
    }

    /// The same responses on another lattice, as when a crop's map is put back into its photo.
    pub fn on(self, cells: Cells) -> Self {
        Self { cells, ..self }
    }

    /// The map turned clockwise by so many degrees about the middle of its extent, over the same cells: what it knows of an
    /// upright copy, of the turned original. Corners that the turned map does not reach repeat its edge.
    pub fn turned(&self, degrees: f32) -> Self {
        let middle = self.extent().centre();
        let (sine, cosine) = degrees.to_radians().sin_cos();
        let value = |at: usize| {
            let Point { x, y } = self.cells.centre(at % self.width, at / self.width);
            let (x, y) = (x - middle.x, y - middle.y);
            self.sample(Point::new(middle.x + x * cosine + y * sine, middle.y + y * cosine - x * sine))
        };
        Self { values: (0..self.values.len()).map(value).collect(), ..self.clone() }
    }

    /// What all of its cells stand for, in pixels of the image.
    pub fn extent(&self) -> Rect {
        self.cells.rect(0..self.width, 0..self.height)
    }

    /// Least and largest response.
    pub fn range(&self) -> (f32, f32) {
        let first = self.values[0];
        self.values.iter().fold((first, first), |(least, most), &v| (least.min(v), most.max(v)))
    }

    /// The strongest response and the point it looks at; of equal ones the first.
    pub fn peak(&self) -> (Point, f32) {
        let mut best = (0, self.values[0]);
        for (i, &value) in self.values.iter().enumerate() {
            if value > best.1 {
                best = (i, value);
            }
        }
        (self.cells.centre(best.0 % self.width, best.0 / self.width), best.1)
    }

    /// The response at any point: bilinear between the centres of cells, constant beyond the outermost ones.
    pub fn sample(&self, point: Point) -> f32 {
        let (x, y) = self.cells.position(point);
        let axis = |at: f32, length: usize| {
            // What is not a number goes to zero as well.
            let at = if at > 0.0 { at.min((length - 1) as f32) } else { 0.0 };
            let first = at as usize;
            (first, (first + 1).min(length - 1), at - first as f32)
        };
        let (left, right, fx) = axis(x, self.width);
        let (top, bottom, fy) = axis(y, self.height);
        let at = |x: usize, y: usize| self.values[y * self.width + x];
        let above = at(left, top) * (1.0 - fx) + at(right, top) * fx;
        let below = at(left, bottom) * (1.0 - fx) + at(right, bottom) * fx;
        above * (1.0 - fy) + below * fy
    }

    /// For sums of responses over windows.
    pub fn integral(&self) -> edgeboxes::Integral {
        edgeboxes::Integral::of(&self.values, self.width, self.height)
    }

    /// The map as colours, dark violet for the least to yellow for the largest response, for an image of
    /// this size.
    pub fn heat_map(&self, width: u32, height: u32) -> Photo {
        self.over(&Photo::filled(width, height, [0; 3]), 1.0)
    }

    /// The map as colours over the image it belongs to; `opacity` 0 shows the image alone, 1 the map alone.
    pub fn over(&self, image: &Photo, opacity: f32) -> Photo {
        let (least, most) = self.range();
        let scale = if most > least { 1.0 / (most - least) } else { 0.0 };
        let opacity = if opacity.is_nan() { 1.0 } else { opacity.clamp(0.0, 1.0) };
        let mut painted = image.clone();
        let width = image.width() as usize;
        for (i, pixel) in painted.pixels_mut().chunks_exact_mut(3).enumerate() {
            let value = (self.sample(Cells::PIXELS.centre(i % width, i / width)) - least) * scale;
            for (channel, colour) in pixel.iter_mut().zip(heat(value)) {
                *channel = (f32::from(*channel) * (1.0 - opacity) + colour * opacity).round() as u8;
            }
        }
        painted
    }
}

/// Colours of equal steps in lightness, after matplotlib's "inferno": red, green, blue for a value in 0..=1.
pub fn heat(value: f32) -> [f32; 3] {
    const STOPS: [[f32; 3]; 6] = [
        [0.0, 0.0, 4.0],
        [66.0, 10.0, 104.0],
        [147.0, 38.0, 103.0],
        [221.0, 81.0, 58.0],
        [252.0, 165.0, 10.0],
        [252.0, 255.0, 164.0],
    ];
    let at = value.clamp(0.0, 1.0) * (STOPS.len() - 1) as f32;
    let first = (at as usize).min(STOPS.len() - 2);
    let part = at - first as f32;
    std::array::from_fn(|c| STOPS[first][c] * (1.0 - part) + STOPS[first + 1][c] * part)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CELLS: Cells = Cells { origin: Point::new(8.0, 8.0), stride: Point::new(16.0, 16.0) };

    fn output() -> Tensor {
        Tensor::from_vec([2, 3, 2, 2], (0..24).map(|v| v as f32).collect()).unwrap()
    }

    #[test]
    fn averaging_takes_the_mean_over_channels_of_one_item() {
        let first = ResponseMap::averaged(&output(), 0, CELLS).unwrap();
        assert_eq!(first.values(), [4.0, 5.0, 6.0, 7.0]);
        let second = ResponseMap::averaged(&output(), 1, CELLS).unwrap();
        assert_eq!(second.values(), [16.0, 17.0, 18.0, 19.0]);
        assert_eq!(second.peak(), (Point::new(24.0, 24.0), 19.0));
        assert_eq!(ResponseMap::channel(&output(), 1, 2, CELLS).unwrap().values(), [20.0, 21.0, 22.0, 23.0]);
    }

    #[test]
    fn what_is_not_there_or_not_finite_is_refused() {
        assert!(matches!(
            ResponseMap::averaged(&output(), 2, CELLS),
            Err(ResponseError::Missing { item: 2, .. })
        ));
        assert!(matches!(
            ResponseMap::channel(&output(), 0, 3, CELLS),
            Err(ResponseError::Missing { channel: 3, .. })
        ));
        let broken = Tensor::from_vec([1, 1, 1, 2], vec![0.0, f32::NAN]).unwrap();
        assert_eq!(
            ResponseMap::averaged(&broken, 0, CELLS),
            Err(ResponseError::NotFinite { column: 1, row: 0 })
        );
        for (width, height) in [(0, 0), (2, 2), (usize::MAX, 2)] {
            assert!(matches!(
                ResponseMap::new(width, height, vec![1.0; 3], CELLS),
                Err(ResponseError::Shape { .. })
            ));
        }
        let empty = Tensor::zeros([1, 4, 0, 3]);
        assert!(ResponseMap::averaged(&empty, 0, CELLS).is_err());
    }

    #[test]
    fn sampling_meets_the_centres_and_holds_beyond_the_rim() {
        let map = ResponseMap::new(2, 2, vec![0.0, 1.0, 2.0, 5.0], CELLS).unwrap();
        assert_eq!(map.sample(Point::new(24.0, 8.0)), 1.0);
        assert_eq!(map.sample(Point::new(16.0, 16.0)), 2.0);
        assert_eq!(map.sample(Point::new(-100.0, 24.0)), 2.0);
        assert_eq!(map.sample(Point::new(1e9, 1e9)), 5.0);
        assert!(map.sample(Point::new(f32::NAN, 0.0)).is_finite());
        assert_eq!(map.extent(), Rect::new(0.0, 0.0, 32.0, 32.0));
    }

    #[test]
    fn the_heat_map_is_brightest_at_the_peak() {
        let map = ResponseMap::new(2, 1, vec![-1.0, 3.0], CELLS).unwrap();
        let heat = map.heat_map(32, 16);
        assert_eq!(heat.pixel(0, 0), Some([0, 0, 4]));
        assert_eq!(heat.pixel(31, 8), Some([252, 255, 164]));
        let image = Photo::filled(32, 16, [10, 20, 30]);
        assert_eq!(map.over(&image, 0.0), image);
        let flat = ResponseMap::new(1, 1, vec![2.0], CELLS).unwrap();
        assert_eq!(flat.heat_map(4, 4).pixel(2, 2), Some([0, 0, 4]));
    }

    proptest! {
        #[test]
        fn samples_lie_between_least_and_largest(
            values in prop::collection::vec(-9.0f32..9.0, 20), x in -50.0f32..200.0, y in -50.0f32..200.0,
        ) {
            let map = ResponseMap::new(5, 4, values, CELLS).unwrap();
            let (least, most) = map.range();
            let sample = map.sample(Point::new(x, y));
            prop_assert!(sample >= least - 1e-4 && sample <= most + 1e-4);
        }
    }
}
