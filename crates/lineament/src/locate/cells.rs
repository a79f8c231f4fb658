//! Which point of an image each cell of a response map looks at.

use super::error::LocateError;
use crate::geometry::{Point, Rect};
use lineament_net::{Layer, NetSpec};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// A lattice of cells over an image. Cell `(column, row)` looks at the image around the point
/// `origin + (column * stride.x, row * stride.y)` and stands for the stride-sized rectangle about it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Cells {
    /// Centre of the first cell, in pixels of the image.
    pub origin: Point,
    /// Distance of neighbouring cells, in pixels of the image, along x and along y.
    pub stride: Point,
}

impl Cells {
    /// One cell a pixel.
    pub const PIXELS: Self = Self { origin: Point::new(0.5, 0.5), stride: Point::new(1.0, 1.0) };

    /// The cells of a net's output map, in pixels of the net's input: centres of receptive fields.
    ///
    /// # Errors
    /// Where the net has a fully connected layer, behind which there is no map.
    pub fn of_net(spec: &NetSpec) -> Result<Self, LocateError> {
        let mut walk = Walk { first: 0.5, jump: 1.0 };
        walk.through(&spec.name, &spec.layers)?;
        let (first, jump) = (walk.first as f32, walk.jump as f32);
        Ok(Self { origin: Point::new(first, first), stride: Point::new(jump, jump) })
    }

    /// The same cells in pixels of a photo, of which `rect` was shown to the net as `width` by `height` pixels.
    pub fn seen_in(self, rect: Rect, width: u32, height: u32) -> Self {
        let (sx, sy) = (rect.width / width.max(1) as f32, rect.height / height.max(1) as f32);
        Self {
            origin: Point::new(rect.x + self.origin.x * sx, rect.y + self.origin.y * sy),
            stride: Point::new(self.stride.x * sx, self.stride.y * sy),
        }
    }

    /// Centre of a cell.
    pub fn centre(&self, column: usize, row: usize) -> Point {
        Point::new(self.origin.x + column as f32 * self.stride.x, self.origin.y + row as f32 * self.stride.y)
    }

    /// The rectangle that a block of cells stands for; `columns` and `rows` count cells.
    pub fn rect(&self, columns: Range<usize>, rows: Range<usize>) -> Rect {
        let first = self.centre(columns.start, rows.start);
        Rect::new(
            first.x - self.stride.x / 2.0,
            first.y - self.stride.y / 2.0,
            columns.len() as f32 * self.stride.x,
            rows.len() as f32 * self.stride.y,
        )
    }

    /// Where a point lies on the lattice, in cells: whole numbers are centres.
    pub fn position(&self, point: Point) -> (f32, f32) {
        ((point.x - self.origin.x) / self.stride.x, (point.y - self.origin.y) / self.stride.y)
    }

    /// What a rectangle covers, in cells, where cell `(column, row)` fills the unit square from `(column,
    /// row)` on.
    pub fn span(&self, rect: Rect) -> (Range<f64>, Range<f64>) {
        let along = |from: f32, length: f32, origin: f32, stride: f32| {
            let start = (f64::from(from) - f64::from(origin)) / f64::from(stride) + 0.5;
            start..start + f64::from(length) / f64::from(stride)
        };
        (
            along(rect.x, rect.width, self.origin.x, self.stride.x),
            along(rect.y, rect.height, self.origin.y, self.stride.y),
        )
    }
}

/// Centre of the first output and distance of neighbouring outputs, in pixels of the input.
#[derive(Clone, Copy)]
struct Walk {
    first: f64,
    jump: f64,
}

impl Walk {
    fn through(&mut self, net: &str, layers: &[Layer]) -> Result<(), LocateError> {
        for layer in layers {
            match layer {
                // Where the ends of a side are padded unlike, the middle of what a filter reads lies beside what it answers for: a net that learned from
                // mirrored images as well answers for the same place in both, which is as far from either end.
                Layer::Conv { kernel, stride, padding: [before, after], .. } => {
                    let padding = (*before + *after) as f64 / 2.0;
                    self.first += ((*kernel as f64 - 1.0) / 2.0 - padding) * self.jump;
                    self.jump *= *stride as f64;
                }
                Layer::LocalConv { kernel, stride, padding, .. }
                | Layer::MaxPool { kernel, stride, padding }
                | Layer::AvgPool { kernel, stride, padding } => {
                    self.first += ((*kernel as f64 - 1.0) / 2.0 - *padding as f64) * self.jump;
                    self.jump *= *stride as f64;
                }
                Layer::BatchNorm { .. }
                | Layer::Relu
                | Layer::Relu6
                | Layer::HardSwish
                | Layer::Prelu { .. } => {}
                // Both branches end in one shape, so that the body speaks for them.
                Layer::Residual { body, .. } => self.through(net, body)?,
                Layer::Linear { name, .. } => {
                    return Err(LocateError::NoMap { net: net.to_owned(), layer: name.clone() });
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use lineament_net::Shape;

    fn conv(name: &str, kernel: usize, stride: usize, padding: usize) -> Layer {
        Layer::Conv {
            name: name.into(),
            filters: 2,
            kernel,
            stride,
            padding: [padding; 2],
            groups: 1,
            bias: true,
        }
    }

    fn spec(layers: Vec<Layer>) -> NetSpec {
        NetSpec { name: "lnet".into(), input: Shape::new(3, 227, 227), layers }
    }

    #[test]
    fn the_last_convolution_of_alexnet_steps_by_sixteen_pixels() {
        let pool = || Layer::MaxPool { kernel: 3, stride: 2, padding: 0 };
        let layers = vec![
            conv("c1", 11, 4, 0),
            Layer::Relu,
            pool(),
            conv("c2", 5, 1, 2),
            pool(),
            conv("c3", 3, 1, 1),
            conv("c4", 3, 1, 1),
            conv("c5", 3, 1, 1),
        ];
        let cells = Cells::of_net(&spec(layers)).unwrap();
        // 13 cells are centred in 227 pixels.
        assert_eq!(cells.stride, Point::new(16.0, 16.0));
        assert_eq!(cells.origin, Point::new(113.5 - 6.0 * 16.0, 113.5 - 6.0 * 16.0));
    }

    #[test]
    fn cells_of_a_net_that_pads_one_end_lie_as_far_from_both() {
        let same = |name: &str| {
            let mut layer = conv(name, 3, 2, 0);
            if let Layer::Conv { padding, .. } = &mut layer {
                *padding = [0, 1];
            }
            layer
        };
        let layers = ["c1", "c2", "c3", "c4"].map(same).to_vec();
        // 224 px make 14 cells of 16, the first of which is the first 16 px.
        let cells = Cells::of_net(&spec(layers)).unwrap();
        assert_eq!(cells.centre(0, 0), Point::new(8.0, 8.0));
        assert_eq!(cells.centre(13, 13), Point::new(216.0, 216.0));
    }

    #[test]
    fn residual_blocks_count_once_and_linear_layers_are_refused() {
        let block = Layer::Residual {
            name: "block".into(),
            body: vec![conv("a", 3, 2, 1), conv("b", 3, 1, 1)],
            shortcut: vec![conv("s", 1, 2, 0)],
        };
        let cells = Cells::of_net(&spec(vec![block.clone()])).unwrap();
        assert_eq!(cells, Cells { origin: Point::new(0.5, 0.5), stride: Point::new(2.0, 2.0) });
        let head = Layer::Linear { name: "tags".into(), outputs: 40, bias: true };
        let error = Cells::of_net(&spec(vec![block, head])).unwrap_err().to_string();
        assert!(error.contains("lnet") && error.contains("tags"), "{error}");
    }

    #[test]
    fn cells_follow_the_part_of_the_photo_that_was_seen() {
        let cells = Cells { origin: Point::new(8.0, 8.0), stride: Point::new(16.0, 16.0) };
        let seen = cells.seen_in(Rect::new(100.0, 50.0, 128.0, 64.0), 64, 64);
        assert_eq!(seen.origin, Point::new(116.0, 58.0));
        assert_eq!(seen.centre(1, 1), Point::new(148.0, 74.0));
        assert_eq!(seen.rect(0..4, 0..4), Rect::new(100.0, 50.0, 128.0, 64.0));
        assert_eq!(seen.span(Rect::new(116.0, 50.0, 32.0, 64.0)), (0.5..1.5, 0.0..4.0));
        assert_eq!(seen.position(Point::new(132.0, 58.0)), (0.5, 0.0));
    }
}
