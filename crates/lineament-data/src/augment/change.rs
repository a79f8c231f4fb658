//! The changes of one image, once they are drawn: a warp, then what colours and covers.

use lineament::crop::{crop, warp};
use lineament::{Affine, Photo, Rect};

use super::pixels::{self, Exposure};

/// The random choices for one image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// Whether left and right are swapped.
    pub mirrored: bool,
    /// Shift as shares of the region's side, to the right and down.
    pub shift: [f32; 2],
    /// How many times larger the region is that is shown.
    pub scale: f32,
    /// Rotation in degrees.
    pub rotation: f32,
    /// How many times wider the shown region is than it is high.
    pub stretch: f32,
    /// Factors of brightness, contrast and saturation.
    pub colour: [f32; 3],
    /// The share of the size that it is drawn at first.
    pub blur: Option<f32>,
    /// The rectangle that is painted over.
    pub erased: Option<Cover>,
    /// The part of another image that is shown beyond the edges of the image: how far right and down it lies and how large
    /// it is, each from 0 to 1.
    pub beyond: Option<[f32; 3]>,
    /// The side that is cut and how deep, as a share of the output.
    pub cut: Option<(Side, f32)>,
    /// Another exposure.
    pub exposure: Option<Exposure>,
    /// The line along which it is blurred.
    pub motion: Option<Motion>,
    /// Noise.
    pub noise: Option<Noise>,
    /// The side at which it is made before it is blown up, in pixels.
    pub low: Option<u32>,
    /// The quality of a passage through JPEG, from 1 to 100.
    pub jpeg: Option<u8>,
}

/// A rectangle that covers a part of the image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cover {
    /// Where, as shares of the output.
    pub rect: Rect,
    /// Its color.
    pub color: [u8; 3],
    /// What it shows.
    pub fill: Fill,
}

/// What a covering rectangle shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fill {
    /// Its color.
    Color,
    /// Noise from this seed.
    Noise(u64),
    /// A piece of another image (how far right and down it lies and how large it is, each from 0 to 1); the color where
    /// there is no other image.
    Piece([f32; 3]),
}

/// The line along which an image is blurred, as shares of the output.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Motion {
    /// Its extent to the right.
    pub right: f32,
    /// Its extent downwards.
    pub down: f32,
}

/// Noise of a sensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Noise {
    /// Standard deviation, as a share of white.
    pub deviation: f32,
    /// Where its random numbers come from.
    pub seed: u64,
}

/// A side of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Above.
    Top,
    /// Below.
    Bottom,
    /// On the left.
    Left,
    /// On the right.
    Right,
}

impl Change {
    /// The map from the output to the photo: shift, size, stretch, rotation and mirror image of `region`.
    pub fn affine(&self, region: Rect, size: u32) -> Affine {
        let shown =
            region.moved(self.shift[0] * region.width, self.shift[1] * region.height).scaled(self.scale);
        let root = self.stretch.sqrt();
        let shown = Rect::about(shown.centre(), shown.width * root, shown.height / root);
        Affine::of_turned(shown, self.rotation.to_radians(), self.mirrored, size, size)
    }

    /// Whether it shows a piece of another image.
    pub fn wants_other(&self) -> bool {
        self.beyond.is_some() || matches!(self.erased, Some(Cover { fill: Fill::Piece(_), .. }))
    }

    /// The changed `region` of the photo as `size` by `size` pixels. The region may reach outside of the photo, whose
    /// edge is then repeated.
    pub fn apply(&self, photo: &Photo, region: Rect, size: u32) -> Photo {
        self.apply_in(photo, &Affine::IDENTITY, region, size, None)
    }

    /// The same of a `region` that lies in a frame of its own, which `frame` maps to the photo; `other` is an image of
    /// which a piece may be shown.
    pub fn apply_in(
        &self,
        photo: &Photo,
        frame: &Affine,
        region: Rect,
        size: u32,
        other: Option<&Photo>,
    ) -> Photo {
        let made = self.low.map_or(size, |side| side.clamp(1, size.max(1)));
        let first = self.blur.map_or(made, |share| ((made as f32 * share) as u32).max(1));
        let map = self.affine(region, first).then(frame);
        let mut out = warp(photo, &map, first, first);
        if let (Some(part), Some(other)) = (self.beyond, other) {
            pixels::fill_beyond(&mut out, &map, photo.rect(), other, part);
        }
        if first != made {
            out = crop(&out, out.rect(), made, made);
        }
        self.recolor(&mut out);
        self.cover(&mut out, other);
        if let Some(motion) = self.motion {
            pixels::smear(&mut out, motion);
        }
        if let Some(noise) = self.noise {
            pixels::add_noise(&mut out, noise);
        }
        // Neither writing an image that is there nor reading what was just written fails.
        if let Some(read) = self.jpeg.and_then(|quality| pixels::through_jpeg(&out, quality)) {
            out = read;
        }
        if made == size { out } else { crop(&out, out.rect(), size, size) }
    }

    fn recolor(&self, out: &mut Photo) {
        if let Some((side, depth)) = self.cut {
            pixels::cut(out, side, depth);
        }
        if let Some(exposure) = self.exposure {
            pixels::expose(out, exposure);
        }
        if self.colour != [1.0; 3] {
            pixels::recolour(out, self.colour);
        }
    }

    fn cover(&self, out: &mut Photo, other: Option<&Photo>) {
        let Some(Cover { rect, color, fill }) = self.erased else { return };
        match (fill, other) {
            (Fill::Noise(seed), _) => pixels::fill_with_noise(out, rect, seed),
            (Fill::Piece(piece), Some(other)) => pixels::paste(out, rect, other, piece),
            (Fill::Color | Fill::Piece(_), _) => pixels::paint(out, rect, color),
        }
    }
}
