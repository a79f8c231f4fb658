//! Settings to the choices for one image.

use lineament::Rect;
use rand::Rng;

use super::Augment;
use super::change::{Change, Cover, Fill, Motion, Noise, Side};
use super::pixels::Exposure;

impl Augment {
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
        let area = linear(self.erase_area, chance());
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

        // What came later stands at the end, so that earlier recipes draw what they drew.
        let kind = chance();
        let piece = [chance(), chance(), chance()];
        let expose = chance() < self.expose;
        let gain = between(self.gain, chance() * 2.0 - 1.0);
        let gamma = between(self.gamma, chance() * 2.0 - 1.0);
        let gains = [(); 3].map(|()| gain * (1.0 + (chance() * 2.0 - 1.0) * self.tint));
        let lift = (chance() * 2.0 - 1.0) * self.lift;
        let motion = chance() < self.motion;
        let length = chance() * self.motion_length;
        let (sine, cosine) = (chance() * std::f32::consts::PI).sin_cos();
        let noise = chance() < self.noise;
        let deviation = chance() * self.noise_level;
        let low = chance() < self.low;
        let low_side = linear(self.low_side, chance()) as u32;
        let jpeg = chance() < self.jpeg;
        let quality = linear(self.jpeg_quality, chance()) as u8;
        let beyond = chance() < self.beyond;
        let part = [chance(), chance(), chance()];
        let [fill_seed, noise_seed] = [(); 2].map(|()| rng.random::<u64>());

        let fill = match kind {
            v if v < self.erase_noise => Fill::Noise(fill_seed),
            v if v < self.erase_noise + self.erase_piece => Fill::Piece(piece),
            _ => Fill::Color,
        };
        Change {
            mirrored,
            shift,
            scale,
            rotation,
            stretch,
            colour,
            blur: blurred.then_some(blur),
            erased: erase.then_some(Cover { rect, color: paint, fill }),
            beyond: beyond.then_some(part),
            cut: cut.then_some((side, depth)),
            exposure: expose.then_some(Exposure { gains, gamma, lift }),
            motion: motion.then_some(Motion { right: length * cosine, down: length * sine }),
            noise: noise.then_some(Noise { deviation, seed: noise_seed }),
            low: low.then_some(low_side),
            jpeg: jpeg.then_some(quality),
        }
    }
}

/// Between two factors, evenly in the logarithm, for a number from -1 to 1; 1 where they are no factors.
fn between([low, high]: [f32; 2], place: f32) -> f32 {
    if low > 0.0 && high >= low { (low * high).sqrt() * (high / low).sqrt().powf(place) } else { 1.0 }
}

/// Between two numbers, for a number from 0 to 1.
fn linear([low, high]: [f32; 2], place: f32) -> f32 {
    low + place * (high - low)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use lineament::Point;
    use proptest::prelude::*;

    use super::super::Key;
    use super::super::pixels::tests::photo;
    use super::*;

    pub(in super::super) fn everything() -> Augment {
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
            erase_noise: 0.3,
            erase_piece: 0.3,
            beyond: 0.5,
            cut: 1.0,
            cut_depth: 0.4,
            expose: 0.5,
            gain: [0.2, 3.0],
            gamma: [0.5, 2.0],
            tint: 0.2,
            lift: 0.2,
            motion: 0.5,
            motion_length: 0.2,
            noise: 0.5,
            noise_level: 0.1,
            low: 0.5,
            low_side: [8.0, 30.0],
            jpeg: 0.5,
            jpeg_quality: [10.0, 90.0],
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
            let rect = change.erased.unwrap().rect;
            prop_assert!(rect.x >= 0.0 && rect.y >= 0.0 && rect.right() <= 1.0 + 1e-6 && rect.bottom() <= 1.0 + 1e-6);
            prop_assert!((0.0199..=0.1201).contains(&rect.area()));
            prop_assert!((0.0..=0.4).contains(&change.cut.unwrap().1));
            if let Some(Exposure { gains, gamma, lift }) = change.exposure {
                prop_assert!(gains.iter().all(|gain| (0.159..=3.61).contains(gain)));
                prop_assert!((0.499..=2.001).contains(&gamma) && lift.abs() <= 0.2);
            }
            if let Some(Motion { right, down }) = change.motion {
                prop_assert!(right.hypot(down) <= 0.2001);
            }
            prop_assert!(change.noise.is_none_or(|noise| (0.0..=0.1).contains(&noise.deviation)));
            prop_assert!(change.low.is_none_or(|side| (8..=30).contains(&side)));
            prop_assert!(change.jpeg.is_none_or(|quality| (10..=90).contains(&quality)));
            // The middle of the output stays within reach of the region.
            let region = Rect::new(100.0, 100.0, 50.0, 50.0);
            let middle = change.affine(region, 64).apply(Point::new(32.0, 32.0));
            prop_assert!((middle.x - 125.0).abs() <= 3.01 && (middle.y - 125.0).abs() <= 3.01);
        }

        #[test]
        fn switching_changes_off_leaves_the_others(seed: u64) {
            let draw = |settings: Augment| settings.draw(&mut Key { seed, epoch: 1, index: 2 }.stream(0));
            let all = draw(everything());
            let off = Augment { rotation: 0.0, erase: 0.0, expose: 0.0, motion: 0.0, ..everything() };
            let expected = Change { rotation: 0.0, erased: None, exposure: None, motion: None, ..all };
            prop_assert_eq!(draw(off), expected);
            let moved = Augment { flip: 0.5, shift: 0.06, scale: [0.9, 1.2], rotation: 10.0, ..Augment::default() };
            let alone = draw(moved);
            prop_assert_eq!((all.mirrored, all.shift, all.scale, all.rotation), (alone.mirrored, alone.shift, alone.scale, alone.rotation));
            prop_assert!(alone.low.is_none() && alone.jpeg.is_none() && alone.noise.is_none());
        }
    }
}
