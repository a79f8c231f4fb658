//! The pixels of a image that are edges, and which of them lie side by side: few of all, most of the time.

use crate::edges::Edges;

/// Pixels this close, along a row or a column, are near.
pub(crate) const REACH: usize = 2;

/// Where there is no edge.
const NONE: u32 = u32::MAX;

/// A pixel with an edge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct EdgePixel {
    /// Column.
    pub(crate) x: usize,
    /// Row.
    pub(crate) y: usize,
    pub(crate) magnitude: f32,
    pub(crate) orientation: f32,
}

/// All of them, row by row.
pub(crate) struct EdgePixels {
    list: Vec<EdgePixel>,
    /// The number of each pixel in the list. There is a rim of nothing about the image, so that every pixel has all of its neighbours.
    numbers: Vec<u32>,
    /// Pixels from one row of `numbers` to the next.
    stride: usize,
}

impl EdgePixels {
    pub(crate) fn of(edges: &Edges) -> Self {
        let stride = edges.width() + 2 * REACH;
        let mut numbers = vec![NONE; stride * (edges.height() + 2 * REACH)];
        let mut list = Vec::new();
        let width = edges.width().max(1);
        let rows = edges.magnitude().chunks_exact(width).zip(edges.orientation().chunks_exact(width));
        for (y, (magnitudes, orientations)) in rows.enumerate() {
            for (x, (&magnitude, &orientation)) in magnitudes.iter().zip(orientations).enumerate() {
                if magnitude > 0.0 {
                    // A image has fewer than 2^32 pixels.
                    numbers[(y + REACH) * stride + x + REACH] = list.len() as u32;
                    list.push(EdgePixel { x, y, magnitude, orientation });
                }
            }
        }
        Self { list, numbers, stride }
    }

    pub(crate) fn list(&self) -> &[EdgePixel] {
        &self.list
    }

    /// Numbers of the up to eight pixels about one, row by row.
    pub(crate) fn around(&self, number: usize) -> impl Iterator<Item = usize> {
        let (here, stride) = (self.index_of(number), self.stride);
        let (above, below) = (here - stride, here + stride);
        let indices = [above - 1, above, above + 1, here - 1, here + 1, below - 1, below, below + 1];
        self.numbers_at(indices)
    }

    /// Numbers of the pixels within [`REACH`] of one that come before it: of two near pixels, one is before the other.
    pub(crate) fn near_behind(&self, number: usize) -> impl Iterator<Item = usize> {
        let here = self.index_of(number);
        let first = here - REACH * self.stride - REACH;
        let second = first + self.stride;
        self.numbers_at([
            first,
            first + 1,
            first + 2,
            first + 3,
            first + 4,
            second,
            second + 1,
            second + 2,
            second + 3,
            second + 4,
            here - 2,
            here - 1,
        ])
    }

    fn index_of(&self, number: usize) -> usize {
        let pixel = &self.list[number];
        (pixel.y + REACH) * self.stride + pixel.x + REACH
    }

    fn numbers_at<const N: usize>(&self, indices: [usize; N]) -> impl Iterator<Item = usize> {
        indices.map(|index| self.numbers[index]).into_iter().filter(|&n| n != NONE).map(|n| n as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn neighbours_are_those_that_a_search_of_all_finds(width in 1usize..12, height in 1usize..12, bits: [u64; 3]) {
            let on = |i: usize| bits[i / 64] >> (i % 64) & 1 == 1;
            let magnitude = (0..width * height).map(|i| f32::from(u8::from(on(i)))).collect();
            let orientation = (0..width * height).map(|i| i as f32 / 64.0).collect();
            let pixels = EdgePixels::of(&Edges::from_parts(width, height, magnitude, orientation));
            let all: Vec<usize> = (0..width * height).filter(|&i| on(i)).collect();
            prop_assert_eq!(pixels.list().len(), all.len());
            for (number, &i) in all.iter().enumerate() {
                let pixel = EdgePixel { x: i % width, y: i / width, magnitude: 1.0, orientation: i as f32 / 64.0 };
                prop_assert_eq!(pixels.list()[number], pixel);
                let near = |other: usize, reach: usize| {
                    let other = &pixels.list()[other];
                    other.x.abs_diff(pixel.x) <= reach && other.y.abs_diff(pixel.y) <= reach
                };
                let about: Vec<usize> = (0..all.len()).filter(|&o| o != number && near(o, 1)).collect();
                prop_assert_eq!(pixels.around(number).collect::<Vec<_>>(), about);
                let behind: Vec<usize> = (0..number).filter(|&o| near(o, REACH)).collect();
                prop_assert_eq!(pixels.near_behind(number).collect::<Vec<_>>(), behind);
            }
        }
    }
}
