//! Random changes of a training image: one warp for all that moves, one pass for all that colours.
//!
//! Every random number comes from the stream that is handed in; with one made from a [`Key`], what an image looks like in an
//! epoch depends neither on threads nor on what was drawn before it, and a resumed training sees the very same images.

mod change;
mod draw;
mod key;
mod offsets;
mod pixels;

pub use change::{Change, Cover, Fill, Motion, Noise, Side};
pub use key::Key;
pub(crate) use key::purpose;
pub use offsets::Offsets;
pub use pixels::Exposure;

use lineament::{Photo, Rect};
use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::error::DataError;

/// What may be changed, and by how much. All default to no change; a recipe names those it uses. What follows a
/// probability is drawn evenly from its range.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Augment {
    /// Probability of the mirror image.
    pub flip: f32,
    /// Largest shift to each side, as a share of the region's side.
    pub shift: f32,
    /// The region's side is multiplied by something between these two, evenly in its logarithm.
    pub scale: [f32; 2],
    /// Largest rotation to either side, in degrees.
    pub rotation: f32,
    /// Largest stretch of width against height: 0.1 is between 1/1.1 and 1.1 times, evenly in the logarithm.
    pub stretch: f32,
    /// Largest change of brightness: 0.2 multiplies by 0.8 to 1.2.
    pub brightness: f32,
    /// Largest change of the distance from the mean grey, in the same way.
    pub contrast: f32,
    /// Largest change of the distance from each pixel's own grey, in the same way.
    pub saturation: f32,
    /// Probability of an image without colour.
    pub grey: f32,
    /// Probability that the image is drawn at 0.25 to 0.6 of the size first, so that it is blurred.
    pub blur: f32,
    /// Probability that a rectangle of the output is painted over (random erasing, Zhong et al. 2017), with one random
    /// color where the next two say nothing else.
    pub erase: f32,
    /// Smallest and largest share of the output that is painted over.
    pub erase_area: [f32; 2],
    /// Share of those rectangles that show noise.
    pub erase_noise: f32,
    /// Share of those rectangles that show a piece of another image, where there is one.
    pub erase_piece: f32,
    /// Probability that a part of another image, where there is one, is shown beyond the edges of the image, which are
    /// repeated otherwise.
    pub beyond: f32,
    /// Probability that the image seems to end within the region: a strip at one side (the top half of the time) is
    /// replaced by its inner edge, as it comes out for faces at the border of a photo.
    pub cut: f32,
    /// Largest depth of that strip, as a share of the output.
    pub cut_depth: f32,
    /// Probability of another exposure: `gain` times the value to the power of `gamma`, plus `lift`.
    pub expose: f32,
    /// Smallest and largest factor of the light, evenly in the logarithm: what exceeds white is white.
    pub gain: [f32; 2],
    /// Smallest and largest exponent, evenly in the logarithm.
    pub gamma: [f32; 2],
    /// Largest difference of a color's factor from the common one: 0.1 is between 0.9 and 1.1 times.
    pub tint: f32,
    /// Largest value that is added to all, or taken from all, as a share of white.
    pub lift: f32,
    /// Probability of a blur along a line, as of a hand that moved.
    pub motion: f32,
    /// Largest length of that line, as a share of the output.
    pub motion_length: f32,
    /// Probability of noise.
    pub noise: f32,
    /// Its largest standard deviation, as a share of white.
    pub noise_level: f32,
    /// Probability of a low resolution: the image is made with all its changes at this size, and then blown up.
    pub low: f32,
    /// Smallest and largest side at a low resolution, in pixels.
    pub low_side: [f32; 2],
    /// Probability of a passage through JPEG.
    pub jpeg: f32,
    /// Lowest and highest quality of it, from 1 to 100.
    pub jpeg_quality: [f32; 2],
}

impl Default for Augment {
    /// No change at all, and moderate extents for what is switched on by a probability.
    fn default() -> Self {
        Self {
            flip: 0.0,
            shift: 0.0,
            scale: [1.0, 1.0],
            rotation: 0.0,
            stretch: 0.0,
            brightness: 0.0,
            contrast: 0.0,
            saturation: 0.0,
            grey: 0.0,
            blur: 0.0,
            erase: 0.0,
            erase_area: [0.02, 0.12],
            erase_noise: 0.0,
            erase_piece: 0.0,
            beyond: 0.0,
            cut: 0.0,
            cut_depth: 0.15,
            expose: 0.0,
            gain: [0.4, 2.0],
            gamma: [0.6, 1.6],
            tint: 0.1,
            lift: 0.1,
            motion: 0.0,
            motion_length: 0.15,
            noise: 0.0,
            noise_level: 0.06,
            low: 0.0,
            low_side: [8.0, 30.0],
            jpeg: 0.0,
            jpeg_quality: [20.0, 80.0],
        }
    }
}

impl Augment {
    /// Whether every setting is in its range.
    ///
    /// # Errors
    /// [`DataError::Setting`] with the first that is not.
    pub fn check(&self) -> Result<(), DataError> {
        let chances = [
            ("flip", self.flip),
            ("grey", self.grey),
            ("blur", self.blur),
            ("erase", self.erase),
            ("beyond", self.beyond),
            ("cut", self.cut),
            ("expose", self.expose),
            ("motion", self.motion),
            ("noise", self.noise),
            ("low", self.low),
            ("jpeg", self.jpeg),
        ];
        for (name, value) in chances {
            within(name, value, 0.0, 1.0, "a probability from 0 to 1")?;
        }
        let extents = [
            ("shift", self.shift, 1.0, "a share of the side from 0 to 1"),
            ("stretch", self.stretch, 1.0, "a change from 0 to 1"),
            ("rotation", self.rotation, 180.0, "degrees from 0 to 180"),
            ("brightness", self.brightness, 1.0, "a change from 0 to 1"),
            ("contrast", self.contrast, 1.0, "a change from 0 to 1"),
            ("saturation", self.saturation, 1.0, "a change from 0 to 1"),
            ("erase_noise", self.erase_noise, 1.0, "a share from 0 to 1"),
            ("erase_piece", self.erase_piece, 1.0, "a share from 0 to 1"),
            (
                "erase_piece",
                self.erase_noise + self.erase_piece,
                1.0,
                "a share that is at most 1 with erase_noise",
            ),
            ("cut_depth", self.cut_depth, 0.5, "a share of the side from 0 to 0.5"),
            ("tint", self.tint, 1.0, "a change from 0 to 1"),
            ("lift", self.lift, 1.0, "a share of white from 0 to 1"),
            ("motion_length", self.motion_length, 1.0, "a share of the side from 0 to 1"),
            ("noise_level", self.noise_level, 1.0, "a share of white from 0 to 1"),
        ];
        for (name, value, most, expected) in extents {
            within(name, value, 0.0, most, expected)?;
        }
        let pairs = [
            ("scale", self.scale, 1e-3, 10.0, "two factors from 0.001 to 10, the smaller one first"),
            ("erase_area", self.erase_area, 0.0, 1.0, "two shares from 0 to 1, the smaller one first"),
            ("gain", self.gain, 1e-2, 100.0, "two factors from 0.01 to 100, the smaller one first"),
            ("gamma", self.gamma, 1e-1, 10.0, "two exponents from 0.1 to 10, the smaller one first"),
            (
                "low_side",
                self.low_side,
                4.0,
                1024.0,
                "two sides from 4 to 1024 pixels, the smaller one first",
            ),
            (
                "jpeg_quality",
                self.jpeg_quality,
                1.0,
                100.0,
                "two qualities from 1 to 100, the lower one first",
            ),
        ];
        for (name, [low, high], least, most, expected) in pairs {
            within(name, low, least, most, expected)?;
            within(name, high, low, most, expected)?;
        }
        Ok(())
    }

    /// Draws the choices and applies them: the changed `region` of the photo as `size` by `size` pixels.
    pub fn patch(&self, photo: &Photo, region: Rect, size: u32, rng: &mut impl Rng) -> Photo {
        self.draw(rng).apply(photo, region, size)
    }
}

fn within(
    name: &'static str,
    value: f32,
    least: f32,
    most: f32,
    expected: &'static str,
) -> Result<(), DataError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(DataError::Setting { name, value: value.to_string(), expected })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use lineament::crop::crop;

    use super::draw::tests::everything;
    use super::pixels::tests::photo;
    use super::*;

    #[test]
    fn without_changes_it_is_a_plain_crop() {
        let photo = photo(40, 30);
        let region = Rect::new(4.0, 2.0, 20.0, 20.0);
        let mut rng = Key { seed: 1, epoch: 2, index: 3 }.stream(0);
        assert_eq!(Augment::default().patch(&photo, region, 20, &mut rng), crop(&photo, region, 20, 20));
    }

    #[test]
    fn settings_out_of_range_are_named() {
        assert!(Augment::default().check().is_ok() && everything().check().is_ok());
        for (wrong, name) in [
            (Augment { flip: 1.5, ..Augment::default() }, "flip"),
            (Augment { rotation: f32::NAN, ..Augment::default() }, "rotation"),
            (Augment { erase_area: [0.5, 0.1], ..Augment::default() }, "erase_area"),
            (Augment { erase_noise: 0.7, erase_piece: 0.7, ..Augment::default() }, "erase_piece"),
            (Augment { scale: [1.2, 0.9], ..Augment::default() }, "scale"),
            (Augment { scale: [0.0, 0.0], ..Augment::default() }, "scale"),
            (Augment { cut_depth: 0.9, ..Augment::default() }, "cut_depth"),
            (Augment { gain: [0.0, 1.0], ..Augment::default() }, "gain"),
            (Augment { low_side: [1.0, 9.0], ..Augment::default() }, "low_side"),
            (Augment { jpeg_quality: [0.0, 9.0], ..Augment::default() }, "jpeg_quality"),
        ] {
            assert!(wrong.check().unwrap_err().to_string().starts_with(name));
        }
    }
}
