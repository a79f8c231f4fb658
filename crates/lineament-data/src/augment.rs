//! Random changes of a training picture: one warp for all that moves, one pass for all that colours.
//!
//! Every random number comes from the stream that is handed in; with one made from a [`Key`], what a picture looks like in an
//! epoch depends neither on threads nor on what was drawn before it, and a resumed training sees the very same pictures.

use lineament::crop::{crop, warp};
use lineament::{Affine, Photo, Rect};
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
    /// Probability of a picture without colour.
    pub grey: f32,
    /// Probability that the picture is drawn at 0.25 to 0.6 of the size first, so that it is blurred.
    pub blur: f32,
    /// Probability that a rectangle of the output is painted over with one random colour (random erasing, Zhong et al. 2017).
    pub erase: f32,
    /// Smallest and largest share of the output that is painted over.
    pub erase_area: [f32; 2],
    /// Probability that the picture seems to end within the region: a strip at one side (the top half of the time) is
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

/// What decides all random numbers of one picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The training's seed.
    pub seed: u64,
    /// The epoch.
    pub epoch: u64,
    /// The picture's place in the data set (not in the shuffled epoch).
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
    pub(crate) const PICTURE: u64 = 4;
    pub(crate) const BACKGROUND: u64 = 5;
    pub(crate) const OBJECT: u64 = 6;
}

/// The random choices for one picture.
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

/// A side of a picture.
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

    /// The choices for one picture. All numbers are drawn whatever the settings, so that switching one change off leaves the others as
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
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use lineament::Point;
    use proptest::prelude::*;
    use rand::RngCore as _;

    use super::*;

    fn photo(width: u32, height: u32) -> Photo {
        let pixels = (0..width * height * 3).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        Photo::new(width, height, pixels).unwrap()
    }

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
        fn the_same_key_gives_the_same_picture(
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
