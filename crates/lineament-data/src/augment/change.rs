//! The changes of one image, once they are drawn: a warp, then what colours and covers.

use lineament::crop::{crop, warp};
use lineament::{Affine, Photo, Rect};

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
    /// The rectangle painted over, as shares of the output, and its colour.
    pub erased: Option<(Rect, [u8; 3])>,
    /// The side that is cut and how deep, as a share of the output.
    pub cut: Option<(Side, f32)>,
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

    /// The changed `region` of the photo as `size` by `size` pixels. The region may reach outside of the photo, whose
    /// edge is then repeated.
    pub fn apply(&self, photo: &Photo, region: Rect, size: u32) -> Photo {
        self.apply_in(photo, &Affine::IDENTITY, region, size)
    }

    /// The same of a `region` that lies in a frame of its own, which `frame` maps to the photo.
    pub fn apply_in(&self, photo: &Photo, frame: &Affine, region: Rect, size: u32) -> Photo {
        let first = self.blur.map_or(size, |share| ((size as f32 * share) as u32).max(1));
        let mut out = warp(photo, &self.affine(region, first).then(frame), first, first);
        if first != size {
            out = crop(&out, out.rect(), size, size);
        }
        if let Some((side, depth)) = self.cut {
            cut(&mut out, side, depth);
        }
        if self.colour != [1.0; 3] {
            recolour(&mut out, self.colour);
        }
        if let Some((rect, colour)) = self.erased {
            paint(&mut out, rect, colour);
        }
        out
    }
}

fn recolour(photo: &mut Photo, [brightness, contrast, saturation]: [f32; 3]) {
    let grey = |p: &[u8]| match *p {
        [r, g, b] => 0.299 * f32::from(r) + 0.587 * f32::from(g) + 0.114 * f32::from(b),
        _ => 0.0,
    };
    let count = (photo.width() * photo.height()).max(1) as f32;
    // Summed by rows: one running sum would lose the small end of single precision.
    let row = photo.width() as usize * 3;
    let mean =
        photo.pixels().chunks(row).map(|r| r.chunks_exact(3).map(grey).sum::<f32>()).sum::<f32>() / count;
    let mean = mean * brightness;
    for pixel in photo.pixels_mut().chunks_exact_mut(3) {
        let own = grey(pixel);
        for value in pixel {
            let saturated = own + (f32::from(*value) - own) * saturation;
            let lit = saturated * brightness;
            // The cast saturates.
            *value = (mean + (lit - mean) * contrast + 0.5) as u8;
        }
    }
}

fn paint(photo: &mut Photo, rect: Rect, colour: [u8; 3]) {
    let (width, height) = (photo.width() as f32, photo.height() as f32);
    let (left, right) = ((rect.x * width) as usize, (rect.right() * width) as usize);
    let (top, bottom) = ((rect.y * height) as usize, (rect.bottom() * height) as usize);
    let row = photo.width() as usize * 3;
    let rows = photo.pixels_mut().chunks_exact_mut(row).take(bottom).skip(top);
    for pixel in rows.flat_map(|row| row.chunks_exact_mut(3).take(right).skip(left)) {
        pixel.copy_from_slice(&colour);
    }
}

/// Repeats the inner edge of a strip outwards over it.
fn cut(photo: &mut Photo, side: Side, depth: f32) {
    let (width, height) = (photo.width() as usize, photo.height() as usize);
    let row = width * 3;
    let across = matches!(side, Side::Left | Side::Right);
    let length = if across { width } else { height };
    let strip = ((depth * length as f32) as usize).min(length.saturating_sub(1));
    let pixels = photo.pixels_mut();
    if !across {
        let edge = if side == Side::Top { strip } else { height - 1 - strip };
        let Some(line) = pixels.get(edge * row..(edge + 1) * row).map(<[u8]>::to_vec) else { return };
        let lost = if side == Side::Top { 0..strip } else { height - strip..height };
        for target in pixels.chunks_exact_mut(row).take(lost.end).skip(lost.start) {
            target.copy_from_slice(&line);
        }
        return;
    }
    let edge = if side == Side::Left { strip } else { width - 1 - strip };
    let lost = if side == Side::Left { 0..strip } else { width - strip..width };
    for line in pixels.chunks_exact_mut(row) {
        let Some(&[r, g, b]) = line.get(edge * 3..edge * 3 + 3) else { continue };
        for pixel in line.chunks_exact_mut(3).take(lost.end).skip(lost.start) {
            pixel.copy_from_slice(&[r, g, b]);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn photo(width: u32, height: u32) -> Photo {
        let pixels = (0..width * height * 3).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        Photo::new(width, height, pixels).unwrap()
    }

    #[test]
    fn a_cut_repeats_its_inner_edge() {
        for (side, edge, lost) in [
            (Side::Top, (3, 5), (3, 0)),
            (Side::Bottom, (3, 14), (3, 19)),
            (Side::Left, (5, 3), (0, 3)),
            (Side::Right, (14, 3), (19, 3)),
        ] {
            let mut changed = photo(20, 20);
            cut(&mut changed, side, 0.25);
            assert_eq!(changed.pixel(lost.0, lost.1), photo(20, 20).pixel(edge.0, edge.1), "{side:?}");
            assert_eq!(changed.pixel(10, 10), photo(20, 20).pixel(10, 10), "{side:?}");
        }
        let mut whole = photo(4, 4);
        cut(&mut whole, Side::Top, 9.0);
        assert_eq!(whole.pixel(2, 0), whole.pixel(2, 3));
    }

    #[test]
    fn colours_change_as_named() {
        let mut bright = Photo::filled(2, 2, [100, 50, 20]);
        recolour(&mut bright, [1.5, 1.0, 1.0]);
        assert_eq!(bright.pixel(0, 0), Some([150, 75, 30]));
        let mut grey = Photo::filled(2, 2, [100, 50, 20]);
        recolour(&mut grey, [1.0, 1.0, 0.0]);
        assert_eq!(grey.pixel(1, 1), Some([62, 62, 62]));
        let mut flat = photo(8, 8);
        recolour(&mut flat, [1.0, 0.0, 1.0]);
        assert!(flat.pixels().windows(2).all(|w| w[0] == w[1]));
        let mut burnt = Photo::filled(1, 1, [200, 200, 0]);
        recolour(&mut burnt, [2.0, 1.0, 1.0]);
        assert_eq!(burnt.pixel(0, 0), Some([255, 255, 0]));
    }
}
