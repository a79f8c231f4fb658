//! Where a changed region lies in what is shown: what a net can learn of position, size and roll without a box.

use super::change::Change;

/// Where a region lies in the window that shows it changed, as a window classifier is asked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Offsets {
    /// From the window's center to the region's, to the right, in sides of the window.
    pub right: f32,
    /// The same downwards.
    pub down: f32,
    /// Logarithm of the region's side over the window's.
    pub size: f32,
    /// How far what stands upright in the region is turned clockwise in the window, in degrees.
    pub roll: f32,
}

impl Offsets {
    /// The five numbers that a net answers with: right, down, size, sine and cosine of the roll.
    pub fn targets(&self) -> [f32; 5] {
        let (sine, cosine) = self.roll.to_radians().sin_cos();
        [self.right, self.down, self.size, sine, cosine]
    }
}

impl Change {
    /// Where the region that the change was applied to lies in the output.
    pub fn offsets(&self) -> Offsets {
        // From the middle of what is shown to the region's middle, in sides of the region; then along the axes of what is shown.
        let [x, y] = self.shift.map(|share| -share);
        let (sine, cosine) = self.rotation.to_radians().sin_cos();
        let root = self.stretch.sqrt();
        let right = (cosine * x + sine * y) / (self.scale * root);
        let down = (cosine * y - sine * x) / self.scale * root;
        // What is shown is turned clockwise, so that its content turns the other way; a mirror turns both around.
        let side = if self.mirrored { -1.0 } else { 1.0 };
        Offsets { right: side * right, down, size: -self.scale.ln(), roll: -side * self.rotation }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use lineament::crop::{crop, warp};
    use lineament::{Affine, Photo, Point, Rect};
    use proptest::prelude::*;

    use super::super::{Augment, Key};
    use super::*;

    fn drawn(seed: u64) -> Change {
        let moves =
            Augment { flip: 0.5, shift: 0.2, scale: [0.7, 1.5], rotation: 50.0, ..Augment::default() };
        moves.draw(&mut Key { seed, epoch: 0, index: 0 }.stream(0))
    }

    /// From `out` pixels of the region to the `size` pixels of the window in which `offsets` say that it lies.
    fn back(offsets: &Offsets, mirrored: bool, size: u32, out: u32) -> Affine {
        let window = size as f32;
        let center = Point::new((0.5 + offsets.right) * window, (0.5 + offsets.down) * window);
        let side = offsets.size.exp() * window;
        Affine::of_turned(Rect::about(center, side, side), offsets.roll.to_radians(), mirrored, out, out)
    }

    proptest! {
        #[test]
        fn targets_lead_back_to_the_unchanged_region(seed: u64) {
            let change = drawn(seed);
            let region = Rect::new(31.0, 47.0, 50.0, 50.0);
            let map = back(&change.offsets(), change.mirrored, 64, 48).then(&change.affine(region, 64));
            let plain = Affine::of_rect(region, 48, 48);
            for corner in [(0.0, 0.0), (48.0, 0.0), (0.0, 48.0), (17.0, 31.0)] {
                let corner = Point::new(corner.0, corner.1);
                prop_assert!(map.apply(corner).distance(plain.apply(corner)) < 1e-2);
            }
            let [.., sine, cosine] = change.offsets().targets();
            prop_assert!((sine.atan2(cosine).to_degrees() - change.offsets().roll).abs() < 1e-3);
        }
    }

    #[test]
    fn a_changed_window_cropped_by_its_targets_is_the_unchanged_crop() {
        // Smooth, so that drawing twice changes little; different in all directions.
        let wave = |i: u32| {
            let (x, y, channel) = ((i / 3 % 160) as f32, (i / 480) as f32, (i % 3) as f32);
            (128.0 + 60.0 * (x / 15.0 + channel).sin() + 60.0 * (y / 21.0 + x / 60.0).cos()) as u8
        };
        let photo = Photo::new(160, 160, (0..160 * 160 * 3).map(wave).collect()).unwrap();
        let region = Rect::new(55.0, 50.0, 50.0, 50.0);
        let (mut mirrored, mut worst) = (0, 0);
        for seed in 0..40 {
            let change = drawn(seed);
            mirrored += usize::from(change.mirrored);
            let window = change.apply(&photo, region, 96);
            let map = back(&change.offsets(), change.mirrored, 96, 32);
            let (again, plain) = (warp(&window, &map, 32, 32), crop(&photo, region, 32, 32));
            for (x, y) in (0..32).flat_map(|x| (0..32).map(move |y| (x, y))) {
                // What lies outside of the window was not seen.
                let at = map.apply(Point::new(x as f32 + 0.5, y as f32 + 0.5));
                if !window.rect().scaled(0.9).contains(at) {
                    continue;
                }
                let (one, other) = (again.pixel(x, y).unwrap(), plain.pixel(x, y).unwrap());
                worst = one.iter().zip(other).map(|(a, b)| a.abs_diff(b)).max().unwrap().max(worst);
            }
        }
        assert!((5..35).contains(&mirrored), "{mirrored}");
        assert!(worst <= 8, "{worst}");
    }
}
