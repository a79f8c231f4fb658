//! What an image looks like from afar, in a few bytes: enough to find it again after it was scaled or compressed anew.
//!
//! It is a difference hash of our own: images are read by the library's decoder, which knows more formats than crates of hashes do, and its crop
//! already shrinks them without aliasing. What is left is to compare neighbors.

use lineament::Photo;
use lineament::crop::crop;

/// Cells of the grid whose neighbors are compared; 128 comparisons.
const GRID: u32 = 9;
/// Side of the small image that confirms what the hash found.
const SIDE: u32 = 16;
/// Comparisons of two hashes that may differ.
pub(super) const MOST_BITS: u32 = 7;
/// Mean difference of two small images, of 255.
const MOST_APART: f64 = 6.0;
/// Difference of one of their pixels at most: more is another face, however much of the picture is the same.
const MOST_LOCAL: u8 = 24;
/// By how much proportions may differ.
const MOST_STRETCHED: f32 = 0.03;

/// An image from afar.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Fingerprint {
    /// Which of two neighboring cells is brighter: across, then down.
    pub(super) hash: u128,
    /// Brightness.
    small: Vec<u8>,
    /// Width over height, in thousandths.
    proportions: u32,
}

impl Fingerprint {
    pub(super) fn of(photo: &Photo) -> Self {
        let cells = brightness(&crop(photo, photo.rect(), GRID, GRID));
        let at = |x: u32, y: u32| cells.get((y * GRID + x) as usize).copied().unwrap_or_default();
        let mut hash = 0_u128;
        for y in 0..GRID - 1 {
            for x in 0..GRID - 1 {
                hash = hash << 2
                    | u128::from(at(x, y) < at(x + 1, y)) << 1
                    | u128::from(at(x, y) < at(x, y + 1));
            }
        }
        let proportions = 1000.0 * photo.width() as f32 / photo.height() as f32;
        Self {
            hash,
            small: brightness(&crop(photo, photo.rect(), SIDE, SIDE)),
            proportions: proportions as u32,
        }
    }

    /// Whether both are of one image, as far as can be seen from afar.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        if (self.hash ^ other.hash).count_ones() > MOST_BITS {
            return false;
        }
        let stretched = (self.proportions as f32 / other.proportions.max(1) as f32 - 1.0).abs();
        let apart = || self.small.iter().zip(&other.small).map(|(a, b)| a.abs_diff(*b));
        let mean = apart().map(f64::from).sum::<f64>() / self.small.len().max(1) as f64;
        stretched <= MOST_STRETCHED && mean <= MOST_APART && apart().max() <= Some(MOST_LOCAL)
    }
}

/// The brightness of every pixel, as television weighs colours.
fn brightness(photo: &Photo) -> Vec<u8> {
    let (pixels, _) = photo.pixels().as_chunks::<3>();
    let of = |[red, green, blue]: &[u8; 3]| {
        ((299 * u32::from(*red) + 587 * u32::from(*green) + 114 * u32::from(*blue) + 500) / 1000) as u8
    };
    pixels.iter().map(of).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use lineament::testing::blocks;
    use lineament::{Encoding, Limits};

    #[test]
    fn an_image_is_known_after_it_was_scaled_and_compressed() {
        let photo = blocks(240, 180, 3);
        let own = Fingerprint::of(&photo);
        let small = crop(&photo, photo.rect(), 120, 90);
        let again = Photo::decode(&small.encode(Encoding::Jpeg, "").unwrap(), &Limits::default()).unwrap();
        assert!(own.is_like(&Fingerprint::of(&small)) && own.is_like(&Fingerprint::of(&again)));
        assert!(!own.is_like(&Fingerprint::of(&blocks(240, 180, 4))));
        assert!(!own.is_like(&Fingerprint::of(&photo.mirrored())));
        // The same, squeezed, is another image; and so is a flat one of another brightness.
        assert!(!own.is_like(&Fingerprint::of(&crop(&photo, photo.rect(), 200, 180))));
        let flat = |value| Fingerprint::of(&Photo::filled(50, 50, [value; 3]));
        assert!(flat(90).is_like(&flat(91)) && !flat(90).is_like(&flat(160)));
    }
}
