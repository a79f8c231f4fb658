//! What colors, covers and damages an image, pixel by pixel.

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};
use lineament::crop::crop;
use lineament::{Affine, Limits, Photo, Point, Rect};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::change::{Motion, Noise, Side};

/// Another exposure of an image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exposure {
    /// Factor of red, green and blue.
    pub gains: [f32; 3],
    /// Exponent of the value, as a share of white.
    pub gamma: f32,
    /// What is added to all, as a share of white.
    pub lift: f32,
}

pub(super) fn expose(photo: &mut Photo, Exposure { gains, gamma, lift }: Exposure) {
    // The cast saturates.
    let lit = |value: u8, gain: f32| (255.0 * (gain * (f32::from(value) / 255.0).powf(gamma) + lift)) as u8;
    let tables = gains.map(|gain| -> [u8; 256] { std::array::from_fn(|value| lit(value as u8, gain)) });
    for pixel in photo.pixels_mut().chunks_exact_mut(3) {
        for (value, table) in pixel.iter_mut().zip(&tables) {
            *value = table[usize::from(*value)];
        }
    }
}

pub(super) fn recolour(photo: &mut Photo, [brightness, contrast, saturation]: [f32; 3]) {
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

pub(super) fn paint(photo: &mut Photo, rect: Rect, colour: [u8; 3]) {
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
pub(super) fn cut(photo: &mut Photo, side: Side, depth: f32) {
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

/// A square of an image, `width` by `height` pixels large; `part` is how far right and down it lies and how large it
/// is, each from 0 to 1.
fn square(image: &Photo, [right, down, size]: [f32; 3], width: u32, height: u32) -> Photo {
    let side = image.width().min(image.height()) as f32 * (0.1 + 0.9 * size);
    let (x, y) = (right * (image.width() as f32 - side), down * (image.height() as f32 - side));
    crop(image, Rect::new(x, y, side, side), width, height)
}

/// Shows a part of another image wherever `map` leads out of what the photo was drawn from.
pub(super) fn fill_beyond(photo: &mut Photo, map: &Affine, drawn_from: Rect, other: &Photo, part: [f32; 3]) {
    let (width, height) = (photo.width(), photo.height());
    let corners = [(0, 0), (width, 0), (0, height), (width, height)];
    if corners.iter().all(|(x, y)| drawn_from.contains(map.apply(Point::new(*x as f32, *y as f32)))) {
        return;
    }
    let part = square(other, part, width, height);
    let pixels = photo.pixels_mut().chunks_exact_mut(3).zip(part.pixels().chunks_exact(3));
    for (place, (pixel, of_part)) in (0..).zip(pixels) {
        let center = Point::new((place % width) as f32 + 0.5, (place / width) as f32 + 0.5);
        if !drawn_from.contains(map.apply(center)) {
            pixel.copy_from_slice(of_part);
        }
    }
}

/// Draws a part of another image over a rectangle.
pub(super) fn paste(photo: &mut Photo, rect: Rect, other: &Photo, part: [f32; 3]) {
    let (left, columns) = pixels(rect.x, rect.right(), photo.width());
    let (top, rows) = pixels(rect.y, rect.bottom(), photo.height());
    if columns == 0 || rows == 0 {
        return;
    }
    let piece = square(other, part, columns as u32, rows as u32);
    let row = photo.width() as usize * 3;
    let lines = photo.pixels_mut().chunks_exact_mut(row).skip(top);
    for (line, of_piece) in lines.zip(piece.pixels().chunks_exact(columns * 3)) {
        if let Some(target) = line.get_mut(left * 3..(left + columns) * 3) {
            target.copy_from_slice(of_piece);
        }
    }
}

/// The first pixel and the number of pixels between two shares of a side.
fn pixels(from: f32, to: f32, side: u32) -> (usize, usize) {
    let (first, last) = ((from * side as f32) as usize, (to * side as f32) as usize);
    (first, last.min(side as usize).saturating_sub(first))
}

/// Fills a rectangle with even noise.
pub(super) fn fill_with_noise(photo: &mut Photo, rect: Rect, seed: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (left, columns) = pixels(rect.x, rect.right(), photo.width());
    let (top, rows) = pixels(rect.y, rect.bottom(), photo.height());
    let row = photo.width() as usize * 3;
    for line in photo.pixels_mut().chunks_exact_mut(row).skip(top).take(rows) {
        for value in line.iter_mut().skip(left * 3).take(columns * 3) {
            *value = rng.random();
        }
    }
}

pub(super) fn add_noise(photo: &mut Photo, Noise { deviation, seed }: Noise) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    // The sum of two even numbers is near enough to a sensor's noise; its variance is a sixth.
    let scale = deviation * 255.0 * 6.0_f32.sqrt();
    for value in photo.pixels_mut() {
        let noise = (rng.random::<f32>() + rng.random::<f32>() - 1.0) * scale;
        *value = (f32::from(*value) + noise + 0.5) as u8;
    }
}

/// The mean of the image along a line.
pub(super) fn smear(photo: &mut Photo, Motion { right, down }: Motion) {
    let (width, height) = (photo.width(), photo.height());
    let (right, down) = (right * width as f32, down * height as f32);
    // A step a pixel, and as many on both sides of the middle.
    let steps = 2 * (right.hypot(down) / 2.0).round().min(16.0) as i32 + 1;
    let mut sums = vec![0_u32; photo.pixels().len()];
    for step in 0..steps {
        let along = if steps > 1 { step as f32 / (steps - 1) as f32 - 0.5 } else { 0.0 };
        let moved = crop(photo, photo.rect().moved(along * right, along * down), width, height);
        sums.iter_mut().zip(moved.pixels()).for_each(|(sum, value)| *sum += u32::from(*value));
    }
    let steps = steps as u32;
    let means = sums.into_iter().map(|sum| ((sum + steps / 2) / steps) as u8);
    photo.pixels_mut().iter_mut().zip(means).for_each(|(value, mean)| *value = mean);
}

/// The image as it comes back from JPEG at a quality from 1 to 100.
pub(super) fn through_jpeg(photo: &Photo, quality: u8) -> Option<Photo> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality)
        .write_image(photo.pixels(), photo.width(), photo.height(), ExtendedColorType::Rgb8)
        .ok()?;
    Photo::decode(&bytes, &Limits::default()).ok()
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

    #[test]
    fn exposures_darken_brighten_and_tint() {
        let lit = |gains, gamma, lift| {
            let mut one = Photo::filled(1, 1, [64, 128, 255]);
            expose(&mut one, Exposure { gains, gamma, lift });
            one.pixel(0, 0).unwrap()
        };
        assert_eq!(lit([1.0; 3], 1.0, 0.0), [64, 128, 255]);
        assert_eq!(lit([0.25; 3], 1.0, 0.0), [16, 32, 63]);
        assert_eq!(lit([3.0; 3], 1.0, 0.0), [192, 255, 255]);
        assert_eq!(lit([1.0; 3], 2.0, 0.0), [16, 64, 255]);
        assert_eq!(lit([0.5, 1.0, 1.0], 1.0, -1.0), [0, 0, 0]);
    }

    #[test]
    fn a_piece_of_another_image_covers_its_rectangle_alone() {
        let mut covered = Photo::filled(20, 20, [9; 3]);
        paste(
            &mut covered,
            Rect::new(0.25, 0.5, 0.5, 0.25),
            &Photo::filled(7, 5, [200, 1, 2]),
            [0.3, 0.9, 0.5],
        );
        let other = (0..400).filter(|i| covered.pixel(i % 20, i / 20) == Some([200, 1, 2])).count();
        assert_eq!(other, 10 * 5);
        assert_eq!((covered.pixel(5, 10), covered.pixel(4, 10)), (Some([200, 1, 2]), Some([9; 3])));
        // As large as the image, and with nothing to show.
        paste(&mut covered, Rect::new(0.0, 0.0, 1.0, 1.0), &Photo::filled(1, 1, [3; 3]), [1.0; 3]);
        assert_eq!(covered.pixel(19, 19), Some([3; 3]));
        paste(&mut covered, Rect::new(0.5, 0.5, 0.01, 0.01), &Photo::filled(1, 1, [4; 3]), [1.0; 3]);
        assert!(covered.pixels().iter().all(|value| *value == 3));
    }

    #[test]
    fn another_image_fills_what_lies_beyond_the_first() {
        // The output shows the left half of the photo, and as much beyond its left edge.
        let map = Affine::of_rect(Rect::new(-5.0, 0.0, 10.0, 10.0), 20, 20);
        let drawn_from = Rect::new(0.0, 0.0, 10.0, 10.0);
        let mut out = Photo::filled(20, 20, [9; 3]);
        fill_beyond(&mut out, &map, drawn_from, &Photo::filled(7, 5, [200; 3]), [0.5; 3]);
        let other = (0..400).filter(|i| out.pixel(i % 20, i / 20) == Some([200; 3])).count();
        assert_eq!((other, out.pixel(9, 3), out.pixel(10, 3)), (200, Some([200; 3]), Some([9; 3])));
        let mut inside = Photo::filled(20, 20, [9; 3]);
        let map = Affine::of_rect(Rect::new(1.0, 1.0, 5.0, 5.0), 20, 20);
        fill_beyond(&mut inside, &map, drawn_from, &Photo::filled(7, 5, [200; 3]), [0.5; 3]);
        assert!(inside.pixels().iter().all(|value| *value == 9));
    }

    #[test]
    fn noise_has_the_deviation_that_was_asked_for() {
        let mut noisy = Photo::filled(64, 64, [128; 3]);
        add_noise(&mut noisy, Noise { deviation: 0.05, seed: 7 });
        let away = |value: &u8| (f64::from(*value) - 128.0).powi(2);
        let deviation = (noisy.pixels().iter().map(away).sum::<f64>() / (64.0 * 64.0 * 3.0)).sqrt();
        assert!((deviation - 12.75).abs() < 0.5, "{deviation}");
        let mut part = Photo::filled(8, 8, [128; 3]);
        fill_with_noise(&mut part, Rect::new(0.5, 0.0, 0.5, 1.0), 7);
        let still = part.pixels().chunks(24).all(|line| line[..12].iter().all(|value| *value == 128));
        assert!(still && part.pixels() != Photo::filled(8, 8, [128; 3]).pixels());
    }

    #[test]
    fn a_motion_smears_along_its_line() {
        let mut point = Photo::filled(21, 21, [0; 3]);
        point.pixels_mut()[(10 * 21 + 10) * 3..][..3].fill(255);
        smear(&mut point, Motion { right: 0.2, down: 0.0 });
        let lit = |x, y| point.pixel(x, y).is_some_and(|[r, ..]| r > 20);
        assert!(lit(10, 10) && lit(9, 10) && lit(11, 10) && !lit(10, 9) && !lit(10, 11) && !lit(15, 10));
        let before = photo(9, 9);
        let mut still = before.clone();
        smear(&mut still, Motion { right: 0.0, down: 0.0 });
        assert_eq!(still, before);
    }

    #[test]
    fn jpeg_loses_more_at_a_lower_quality() {
        let before = crop(&photo(12, 12), Rect::new(0.0, 0.0, 12.0, 12.0), 48, 48);
        let lost = |quality| {
            let after = through_jpeg(&before, quality).unwrap();
            let pairs = before.pixels().iter().zip(after.pixels());
            pairs.map(|(a, b)| u64::from(a.abs_diff(*b))).sum::<u64>()
        };
        assert!(lost(10) > 2 * lost(90) && lost(90) > 0);
    }
}
