//! Drawn scenes for tests: ellipses, rectangles and noise on a ground.

use crate::geometry::{Point, Rect};
use crate::photo::Photo;
use lineament_net::{Array, Layer, Net, NetSpec, Shape, Weights};
use rand::{Rng, SeedableRng};

pub(super) struct Drawing(Photo);

impl Drawing {
    pub(super) fn new(width: u32, height: u32, ground: [u8; 3]) -> Self {
        Self(Photo::filled(width, height, ground))
    }

    /// Fills the ellipse in a rectangle.
    pub(super) fn ellipse(&mut self, rect: Rect, colour: [u8; 3]) -> &mut Self {
        let centre = rect.centre();
        self.fill(colour, |p| {
            let (x, y) = (2.0 * (p.x - centre.x) / rect.width, 2.0 * (p.y - centre.y) / rect.height);
            x * x + y * y <= 1.0
        })
    }

    /// Shifts every channel of every pixel by up to `strength`, either way.
    pub(super) fn noise(&mut self, seed: u64, strength: i16) -> &mut Self {
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        for value in self.0.pixels_mut() {
            *value = (i16::from(*value) + random.random_range(-strength..=strength)).clamp(0, 255) as u8;
        }
        self
    }

    pub(super) fn photo(&self) -> Photo {
        self.0.clone()
    }

    fn fill(&mut self, colour: [u8; 3], inside: impl Fn(Point) -> bool) -> &mut Self {
        let width = self.0.width() as usize;
        for (i, pixel) in self.0.pixels_mut().chunks_exact_mut(3).enumerate() {
            if inside(Point::new((i % width) as f32 + 0.5, (i / width) as f32 + 0.5)) {
                pixel.copy_from_slice(&colour);
            }
        }
        self
    }
}

/// A net with an input of `side` pixels that answers with how red each square of 8 by 8 pixels is, 0 for grey
/// or blue; for photos prepared as colours between -1 and 1.
pub(super) fn red_detector(side: usize) -> Net {
    let conv = Layer::Conv {
        name: "red".into(),
        filters: 1,
        kernel: 8,
        stride: 8,
        padding: [0; 2],
        groups: 1,
        bias: true,
    };
    let spec =
        NetSpec { name: "red".into(), input: Shape::new(3, side, side), layers: vec![conv, Layer::Relu] };
    // Half of red less green in each of 64 pixels.
    let weight = [[0.5f32 / 64.0; 64], [-0.5 / 64.0; 64], [0.0; 64]].concat();
    let mut weights = Weights::new();
    weights.insert("red.weight", Array { shape: vec![1, 3, 8, 8], data: weight });
    weights.insert("red.bias", Array { shape: vec![1], data: vec![0.0] });
    Net::new(&spec, &weights).unwrap()
}
