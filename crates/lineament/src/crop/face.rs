//! Faces cut out of photos, for other programs and for eyes.

use crate::attributes::{FaceRegion, RegionError};
use crate::bundle::Card;
use crate::crop::{crop, warp};
use crate::geometry::Affine;
use crate::locate::Face;
use crate::photo::Photo;

/// How a crop lies about a face.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// Turned upright, the face box in the middle: the box's longer side is `1 / (1 + 2 margin)` of the crop's. Where the localizer does
    /// not tell how a head is turned, the crop is not turned either.
    #[default]
    Aligned,
    /// The region that the model reads attributes from, as it sees it; a margin adds to it.
    Region,
}

/// Which part of a photo is cut out for a face.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FaceCrop {
    /// How it lies about the face.
    pub framing: Framing,
    /// Width and height of the crop, in pixels.
    pub side: u32,
    /// What is added on each side of the square, in sides of it; below 0 it cuts off.
    pub margin: f32,
}

impl Default for FaceCrop {
    /// Aligned, 256 pixels, a quarter of the face on each side.
    fn default() -> Self {
        Self { framing: Framing::Aligned, side: 256, margin: 0.25 }
    }
}

impl FaceCrop {
    /// The largest side.
    pub const LARGEST: u32 = 4096;

    /// The crop of a face. What lies outside of the photo repeats its edge.
    ///
    /// # Errors
    /// A box without an inside, or, for [`Framing::Region`], a model that looks at landmarks instead of a region.
    pub fn draw(&self, photo: &Photo, face: &Face, card: &Card) -> Result<Photo, RegionError> {
        let region = match self.framing {
            Framing::Aligned => {
                let upright = card.upright_box(face.rect, face.roll);
                if !(upright.area() > 0.0 && upright.is_finite()) {
                    return Err(RegionError::Box(face.rect));
                }
                FaceRegion::turned(upright.squared(), upright, face.roll.unwrap_or(0.0))
            }
            Framing::Region => card.face_region(face)?,
        };
        let scale = 1.0 + 2.0 * self.margin;
        let side = self.side.clamp(1, Self::LARGEST);
        match region {
            FaceRegion::Region(rect) => Ok(crop(photo, rect.scaled(scale), side, side)),
            FaceRegion::Turned { region, roll } => {
                let map = Affine::of_turned(region.scaled(scale), roll.to_radians(), false, side, side);
                Ok(warp(photo, &map, side, side))
            }
            FaceRegion::Landmarks(_) => Err(RegionError::NoRegion),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::geometry::Rect;
    use crate::testing::{blocks, tiny_card};

    /// A white photo with a black box of 40 by 60 pixels.
    fn boxed() -> (Photo, Rect) {
        let rect = Rect::new(50.0, 30.0, 40.0, 60.0);
        let mut photo = Photo::filled(160, 140, [255; 3]);
        for (at, pixel) in photo.pixels_mut().as_chunks_mut::<3>().0.iter_mut().enumerate() {
            let (x, y) = ((at % 160) as f32, (at / 160) as f32);
            if rect.contains(crate::Point::new(x, y)) {
                *pixel = [0; 3];
            }
        }
        (photo, rect)
    }

    #[test]
    fn an_aligned_crop_has_the_box_in_its_middle() {
        let (photo, rect) = boxed();
        let crop = FaceCrop { side: 120, margin: 0.5, ..FaceCrop::default() };
        let drawn = crop.draw(&photo, &Face::new(rect, 1.0), &tiny_card()).unwrap();
        assert_eq!((drawn.width(), drawn.height()), (120, 120));
        // Twice the longer side is shown: the box is 60 of 120 pixels high and 40 wide.
        let dark = |x, y| drawn.pixel(x, y).unwrap()[0] < 128;
        assert!(dark(41, 31) && dark(78, 88), "inside of the box");
        assert!(!dark(38, 60) && !dark(81, 60) && !dark(60, 28) && !dark(60, 91), "outside of the box");
    }

    #[test]
    fn a_turned_face_is_turned_back() {
        let (photo, rect) = boxed();
        let turned = Face { roll: Some(90.0), ..Face::new(rect, 1.0) };
        let crop = FaceCrop { side: 120, margin: 0.5, ..FaceCrop::default() };
        let card = tiny_card();
        let upright = card.upright_box(rect, Some(90.0));
        let drawn = crop.draw(&photo, &turned, &card).unwrap();
        let scale = 120.0 / (2.0 * upright.width.max(upright.height));
        let dark = |x: f32, y: f32| {
            drawn.pixel((60.0 + x * scale) as u32, (60.0 + y * scale) as u32).unwrap()[0] < 128
        };
        // What lay along the photo's columns lies along the crop's rows.
        let middle = rect.centre();
        let offset = crate::Point::new(upright.centre().x - middle.x, upright.centre().y - middle.y);
        assert!(dark(-offset.y - 27.0, offset.x) && dark(-offset.y + 27.0, offset.x));
        assert!(!dark(-offset.y, offset.x - 23.0) && !dark(-offset.y, offset.x + 23.0));
    }

    #[test]
    fn a_region_is_what_the_model_sees() {
        let photo = blocks(120, 100, 1);
        let (card, face) = (tiny_card(), Face::new(Rect::new(30.0, 20.0, 40.0, 50.0), 1.0));
        let region = card.face_region(&face).unwrap().region().unwrap();
        let seen = FaceCrop { framing: Framing::Region, side: 64, margin: 0.0 };
        assert_eq!(seen.draw(&photo, &face, &card).unwrap(), crop(&photo, region, 64, 64));
    }

    #[test]
    fn a_box_without_an_inside_is_refused() {
        let card = tiny_card();
        for rect in [Rect::new(1.0, 1.0, 0.0, 4.0), Rect::new(f32::NAN, 1.0, 4.0, 4.0)] {
            for framing in [Framing::Aligned, Framing::Region] {
                let crop = FaceCrop { framing, ..FaceCrop::default() };
                assert!(crop.draw(&blocks(40, 40, 1), &Face::new(rect, 1.0), &card).is_err(), "{rect:?}");
            }
        }
    }
}
