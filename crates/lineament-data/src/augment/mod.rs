//! Random changes of a training image: one warp for all that moves, one pass for all that colours.
//!
//! Every random number comes from the stream that is handed in; with one made from a [`Key`], what an image looks like in an
//! epoch depends neither on threads nor on what was drawn before it, and a resumed training sees the very same images.

mod change;

pub use change::{Change, Side};

use lineament::{Photo, Rect};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::error::DataError;

/// What may be changed, and by how much. All default to no change; a recipe names those it uses.
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
    /// Probability that a rectangle of the output is painted over with one random colour (random erasing, Zhong et al. 2017).
    pub erase: f32,
    /// Smallest and largest share of the output that is painted over.
    pub erase_area: [f32; 2],
    /// Probability that the image seems to end within the region: a strip at one side (the top half of the time) is
    /// replaced by its inner edge, as it comes out for faces at the border of a photo.
    pub cut: f32,
    /// Largest depth of that strip, as a share of the output.
    pub cut_depth: f32,
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
            cut: 0.0,
            cut_depth: 0.15,
        }
    }
}

/// What decides all random numbers of one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The training's seed.
    pub seed: u64,
    /// The epoch.
    pub epoch: u64,
    /// The image's place in the data set (not in the shuffled epoch).
    pub index: u64,
}

impl Key {
    /// The stream of random numbers for one `purpose`, independent of those for others.
    pub fn stream(self, purpose: u64) -> ChaCha8Rng {
        let mut seed = [0_u8; 32];
        let words = [self.seed, self.epoch, self.index, purpose];
        for (bytes, word) in seed.chunks_exact_mut(8).zip(words) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        ChaCha8Rng::from_seed(seed)
    }
}

/// The purposes of streams within this crate.
pub(crate) mod purpose {
    pub(crate) const ORDER: u64 = 2;
    pub(crate) const PERSON: u64 = 3;
    pub(crate) const IMAGE: u64 = 4;
    pub(crate) const BACKGROUND: u64 = 5;
    pub(crate) const OBJECT: u64 = 6;
}

impl Augment {
    /// Whether every setting is in its range.
    ///
    /// # Errors
    /// [`DataError::Setting`] with the first that is not.
    pub fn check(&self) -> Result<(), DataError> {
        let ranges = [
            ("flip", self.flip, 1.0, "a probability from 0 to 1"),
            ("shift", self.shift, 1.0, "a share of the side from 0 to 1"),
            ("scale", self.scale[1] - self.scale[0], 10.0, "two factors, the smaller one first"),
            ("scale", self.scale[1], 10.0, "two factors up to 10"),
            ("stretch", self.stretch, 1.0, "a change from 0 to 1"),
            ("rotation", self.rotation, 180.0, "degrees from 0 to 180"),
            ("brightness", self.brightness, 1.0, "a change from 0 to 1"),
            ("contrast", self.contrast, 1.0, "a change from 0 to 1"),
            ("saturation", self.saturation, 1.0, "a change from 0 to 1"),
            ("erase", self.erase, 1.0, "a probability from 0 to 1"),
            ("erase_area", self.erase_area[0], self.erase_area[1], "two shares, the smaller one first"),
            ("erase_area", self.erase_area[1], 1.0, "two shares from 0 to 1"),
            ("cut", self.cut, 1.0, "a probability from 0 to 1"),
            ("cut_depth", self.cut_depth, 0.5, "a share of the side from 0 to 0.5"),
            ("grey", self.grey, 1.0, "a probability from 0 to 1"),
            ("blur", self.blur, 1.0, "a probability from 0 to 1"),
        ];
        for (name, value, most, expected) in ranges {
            if !(0.0..=most).contains(&value) {
                return Err(DataError::Setting { name, value: value.to_string(), expected });
            }
        }
        if self.scale[0] <= 0.0 {
            let value = self.scale[0].to_string();
            return Err(DataError::Setting { name: "scale", value, expected: "two factors above 0" });
        }
        Ok(())
    }

    /// The choices for one image. All numbers are drawn whatever the settings, so that switching one change off leaves the others as
    /// they were. Settings outside their ranges ([`Self::check`]) are used as far as they make sense.
    pub fn draw(&self, rng: &mut impl Rng) -> Change {
        let mut even = || rng.random::<f32>() * 2.0 - 1.0;
        let shift = [even() * self.shift, even() * self.shift];
        let scale = between(self.scale, even());
        let rotation = even() * self.rotation;
        let stretch = (1.0 + self.stretch.max(0.0)).powf(even());
        let factors = [self.brightness, self.contrast, self.saturation];
        let mut colour = factors.map(|most| (1.0 + even() * most).max(0.0));
        let mut chance = || rng.random::<f32>();
        let mirrored = chance() < self.flip;
        let grey = chance() < self.grey;
        if grey {
            colour[2] = 0.0;
        }
        let blurred = chance() < self.blur;
        let blur = 0.25 + chance() * 0.35;

        let erase = chance() < self.erase;
        let [least, most] = self.erase_area;
        let area = least + chance() * (most - least);
        // An aspect from 1:3 to 3:1, evenly in the logarithm.
        let aspect = 9.0_f32.powf(chance() - 0.5);
        let (width, height) = ((area * aspect).sqrt().min(1.0), (area / aspect).sqrt().min(1.0));
        let rect = Rect::new(chance() * (1.0 - width), chance() * (1.0 - height), width, height);
        let paint = [chance(), chance(), chance()].map(|v| (v * 255.0) as u8);

        let cut = chance() < self.cut;
        let side = match chance() {
            v if v < 0.5 => Side::Top,
            v if v < 2.0 / 3.0 => Side::Bottom,
            v if v < 5.0 / 6.0 => Side::Left,
            _ => Side::Right,
        };
        let depth = chance() * self.cut_depth;
        Change {
            mirrored,
            shift,
            scale,
            rotation,
            stretch,
            colour,
            blur: blurred.then_some(blur),
            erased: erase.then_some((rect, paint)),
            cut: cut.then_some((side, depth)),
        }
    }

    /// Draws the choices and applies them: the changed `region` of the photo as `size` by `size` pixels.
    pub fn patch(&self, photo: &Photo, region: Rect, size: u32, rng: &mut impl Rng) -> Photo {
        self.draw(rng).apply(photo, region, size)
    }
}

/// Between two factors, evenly in the logarithm, for a number from -1 to 1; 1 where they are no factors.
fn between([low, high]: [f32; 2], place: f32) -> f32 {
    if low > 0.0 && high >= low { (low * high).sqrt() * (high / low).sqrt().powf(place) } else { 1.0 }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use lineament::Point;
    use lineament::crop::crop;
    use proptest::prelude::*;
    use rand::RngCore as _;

    use super::change::tests::photo;
    use super::*;

    fn everything() -> Augment {
        Augment {
            flip: 0.5,
            shift: 0.06,
            scale: [0.9, 1.2],
            rotation: 10.0,
            stretch: 0.1,
            brightness: 0.2,
            contrast: 0.2,
            saturation: 0.2,
            grey: 0.2,
            blur: 0.3,
            erase: 1.0,
            erase_area: [0.02, 0.12],
            cut: 1.0,
            cut_depth: 0.4,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_same_key_gives_the_same_image(
            seed: u64, epoch: u64, index: u64, x in -20.0..40.0_f32, y in -20.0..40.0_f32, side in 1.0..60.0_f32,
        ) {
            let photo = photo(40, 30);
            let region = Rect::new(x, y, side, side);
            let patch = || everything().patch(&photo, region, 24, &mut Key { seed, epoch, index }.stream(0));
            let one = patch();
            prop_assert_eq!((one.width(), one.height()), (24, 24));
            prop_assert_eq!(one, patch());
        }

        #[test]
        fn changes_stay_within_their_settings(seed: u64, epoch in 0..9_u64, index in 0..99_u64) {
            let settings = everything();
            let change = settings.draw(&mut Key { seed, epoch, index }.stream(0));
            prop_assert!(change.shift.iter().all(|s| s.abs() <= settings.shift));
            prop_assert!((0.8999..=1.2001).contains(&change.scale));
            prop_assert!(change.rotation.abs() <= settings.rotation);
            prop_assert!(change.colour.iter().take(2).all(|c| (0.8..=1.2).contains(c)));
            prop_assert!((1.0 / 1.1001..=1.1001).contains(&change.stretch));
            let (rect, _) = change.erased.unwrap();
            prop_assert!(rect.x >= 0.0 && rect.y >= 0.0 && rect.right() <= 1.0 + 1e-6 && rect.bottom() <= 1.0 + 1e-6);
            prop_assert!((0.0199..=0.1201).contains(&rect.area()));
            prop_assert!((0.0..=0.4).contains(&change.cut.unwrap().1));
            // The middle of the output stays within reach of the region.
            let region = Rect::new(100.0, 100.0, 50.0, 50.0);
            let middle = change.affine(region, 64).apply(Point::new(32.0, 32.0));
            prop_assert!((middle.x - 125.0).abs() <= 3.01 && (middle.y - 125.0).abs() <= 3.01);
        }

        #[test]
        fn switching_one_change_off_leaves_the_others(seed: u64) {
            let draw = |settings: Augment| settings.draw(&mut Key { seed, epoch: 1, index: 2 }.stream(0));
            let all = draw(everything());
            let without = draw(Augment { rotation: 0.0, erase: 0.0, ..everything() });
            prop_assert_eq!((all.shift, all.scale, all.colour, all.cut), (without.shift, without.scale, without.colour, without.cut));
            prop_assert_eq!(without.erased, None);
        }
    }

    #[test]
    fn without_changes_it_is_a_plain_crop() {
        let photo = photo(40, 30);
        let region = Rect::new(4.0, 2.0, 20.0, 20.0);
        let mut rng = Key { seed: 1, epoch: 2, index: 3 }.stream(0);
        assert_eq!(Augment::default().patch(&photo, region, 20, &mut rng), crop(&photo, region, 20, 20));
    }

    #[test]
    fn keys_differ_in_every_part() {
        let first = |seed, epoch, index| Key { seed, epoch, index }.stream(0).next_u64();
        let base = first(1, 2, 3);
        assert!([first(2, 2, 3), first(1, 3, 3), first(1, 2, 4)].iter().all(|other| *other != base));
    }

    #[test]
    fn settings_out_of_range_are_named() {
        assert!(Augment::default().check().is_ok() && everything().check().is_ok());
        for (wrong, name) in [
            (Augment { flip: 1.5, ..Augment::default() }, "flip"),
            (Augment { rotation: f32::NAN, ..Augment::default() }, "rotation"),
            (Augment { erase_area: [0.5, 0.1], ..Augment::default() }, "erase_area"),
            (Augment { scale: [1.2, 0.9], ..Augment::default() }, "scale"),
            (Augment { scale: [0.0, 0.0], ..Augment::default() }, "scale"),
            (Augment { cut_depth: 0.9, ..Augment::default() }, "cut_depth"),
        ] {
            assert!(wrong.check().unwrap_err().to_string().starts_with(name));
        }
    }
}
