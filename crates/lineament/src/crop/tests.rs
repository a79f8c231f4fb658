//! Crops and warps against plain sums over all pixels, and against one another.

use proptest::prelude::*;

use super::{crop, warp};
use crate::{Affine, Photo, Rect};

fn photos(sides: std::ops::Range<u32>) -> impl Strategy<Value = Photo> {
    (sides.clone(), sides).prop_flat_map(|(width, height)| {
        prop::collection::vec(any::<u8>(), (width * height * 3) as usize)
            .prop_map(move |pixels| Photo::new(width, height, pixels).unwrap())
    })
}

fn rects() -> impl Strategy<Value = Rect> {
    (-40.0f32..40.0, -40.0f32..40.0, 0.0f32..90.0, 0.0f32..90.0)
        .prop_map(|(x, y, w, h)| Rect::new(x, y, w, h))
}

/// A photo without anything sharp in it.
fn smooth(width: u32, height: u32) -> Photo {
    let pixels = (0..height).flat_map(|y| {
        (0..width).flat_map(move |x| {
            let (x, y) = (x as f32 / 37.0, y as f32 / 29.0);
            [x.sin() * y.cos(), (x + y).sin(), (x * 0.7 - y).cos()].map(|value| (127.5 + 120.0 * value) as u8)
        })
    });
    Photo::new(width, height, pixels.collect()).unwrap()
}

fn farthest(a: &Photo, b: &Photo) -> u8 {
    assert_eq!((a.width(), a.height()), (b.width(), b.height()));
    a.pixels().iter().zip(b.pixels()).map(|(a, b)| a.abs_diff(*b)).max().unwrap()
}

/// The definition: triangle weights in both directions, over an image whose edge goes on for ever.
fn plain_crop(photo: &Photo, rect: Rect, width: u32, height: u32) -> Photo {
    let weights = |from: f32, extent: f32, count: u32, index: u32| {
        let step = f64::from(extent) / f64::from(count);
        let (centre, radius) = (f64::from(from) + (f64::from(index) + 0.5) * step, step.abs().max(1.0));
        let weight = move |at: i64| (1.0 - (at as f64 + 0.5 - centre).abs() / radius).max(0.0);
        let reach = (centre - radius).floor() as i64 - 1..=(centre + radius).ceil() as i64 + 1;
        let total: f64 = reach.clone().map(weight).sum();
        reach.map(|at| (at, weight(at) / total)).collect::<Vec<_>>()
    };
    let mut pixels = Vec::new();
    for row in 0..height {
        for column in 0..width {
            let mut sum = [0.0; 3];
            for (y, down) in weights(rect.y, rect.height, height, row) {
                for (x, across) in weights(rect.x, rect.width, width, column) {
                    let inside = |at: i64, length: u32| at.clamp(0, i64::from(length) - 1) as u32;
                    let colour = photo.pixel(inside(x, photo.width()), inside(y, photo.height())).unwrap();
                    for (sum, value) in sum.iter_mut().zip(colour) {
                        *sum += down * across * f64::from(value);
                    }
                }
            }
            pixels.extend(sum.map(|value| (value + 0.5) as u8));
        }
    }
    Photo::new(width, height, pixels).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_crop_is_what_its_definition_says(photo in photos(1..20), rect in rects(), width in 1u32..12, height in 1u32..12) {
        prop_assert!(farthest(&crop(&photo, rect, width, height), &plain_crop(&photo, rect, width, height)) <= 1);
    }

    #[test]
    fn the_whole_image_at_its_size_is_itself(photo in photos(1..20)) {
        prop_assert_eq!(&crop(&photo, photo.rect(), photo.width(), photo.height()), &photo);
        prop_assert_eq!(&warp(&photo, &Affine::IDENTITY, photo.width(), photo.height()), &photo);
    }

    #[test]
    fn constant_images_stay_constant(colour: [u8; 3], rect in rects(), angle in -3.2f32..3.2, width in 1u32..30, height in 1u32..30) {
        let photo = Photo::filled(23, 17, colour);
        let expected = Photo::filled(width, height, colour);
        prop_assert_eq!(&crop(&photo, rect, width, height), &expected);
        prop_assert_eq!(&warp(&photo, &Affine::of_turned(rect, angle, true, width, height), width, height), &expected);
    }

    #[test]
    fn an_upright_warp_is_a_crop(photo in photos(1..40), rect in rects(), side in 1u32..50) {
        prop_assume!(rect.width <= 2.0 * side as f32 && rect.height <= 2.0 * side as f32);
        let warped = warp(&photo, &Affine::of_rect(rect, side, side), side, side);
        prop_assert!(farthest(&warped, &crop(&photo, rect, side, side)) <= 1);
    }

    #[test]
    fn an_upright_warp_below_half_size_is_nearly_a_crop(x in -50.0f32..100.0, y in -50.0f32..100.0, extent in 60.0f32..300.0) {
        let photo = smooth(160, 120);
        let rect = Rect::new(x, y, extent, extent);
        let warped = warp(&photo, &Affine::of_rect(rect, 24, 24), 24, 24);
        prop_assert!(farthest(&warped, &crop(&photo, rect, 24, 24)) <= 6);
    }

    #[test]
    fn a_mirrored_warp_is_the_mirrored_crop(photo in photos(2..30), rect in rects(), side in 1u32..30) {
        prop_assume!(rect.width <= 2.0 * side as f32 && rect.height <= 2.0 * side as f32);
        let warped = warp(&photo, &Affine::of_turned(rect, 0.0, true, side, side), side, side);
        prop_assert!(farthest(&warped, &crop(&photo, rect, side, side).mirrored()) <= 1);
    }

    #[test]
    fn four_quarter_turns_lead_back(photo in photos(4..24)) {
        let side = photo.width().min(photo.height());
        let square = crop(&photo, photo.rect(), side, side);
        let quarter = Affine::of_turned(square.rect(), std::f32::consts::FRAC_PI_2, false, side, side);
        let mut turned = square.clone();
        for _ in 0..4 {
            turned = warp(&turned, &quarter, side, side);
        }
        prop_assert!(farthest(&turned, &square) <= 1);
    }

    #[test]
    fn nothing_asked_for_panics(
        photo in photos(1..6), numbers in prop::array::uniform6(any::<f32>()), width in 0u32..9, height in 0u32..9,
    ) {
        let [x, y, w, h, ..] = numbers;
        let sides = (width.max(1), height.max(1));
        for seen in [crop(&photo, Rect::new(x, y, w, h), width, height), warp(&photo, &Affine(numbers), width, height)] {
            prop_assert_eq!((seen.width(), seen.height()), sides);
        }
    }
}

#[test]
fn maps_of_any_size_are_drawn() {
    let photo = Photo::filled(3, 2, [7, 8, 9]);
    for size in [9e8, 2e9, 1.5e38, f32::MAX] {
        for map in [[size, 0.0, 0.0, 0.0, size, 0.0], [0.0, size, size, 1.0, 0.0, -size], [size; 6]] {
            assert_eq!(warp(&photo, &Affine(map), 4, 3), Photo::filled(4, 3, [7, 8, 9]), "{map:?}");
        }
    }
}

#[test]
fn outside_of_the_image_its_edge_goes_on() {
    let photo = Photo::new(2, 1, vec![10, 20, 30, 200, 210, 220]).unwrap();
    for (rect, colour) in [
        (Rect::new(-500.0, 3.0, 40.0, 40.0), [10, 20, 30]),
        (Rect::new(5.0, -9.0, 3.0, 2.0), [200, 210, 220]),
        (Rect::new(-1e30, 0.0, 1.0, 1.0), [10, 20, 30]),
    ] {
        assert_eq!(crop(&photo, rect, 4, 4), Photo::filled(4, 4, colour), "{rect:?}");
        assert_eq!(warp(&photo, &Affine::of_rect(rect, 4, 4), 4, 4), Photo::filled(4, 4, colour), "{rect:?}");
    }
}

#[test]
fn shrinking_averages_and_does_not_pick() {
    // Stripes of one pixel become grey at a quarter of the size, whichever way they lie.
    let stripes: Vec<u8> = (0..64 * 64).flat_map(|at| [if at % 2 == 0 { 0 } else { 255 }; 3]).collect();
    let photo = Photo::new(64, 64, stripes).unwrap();
    let inner = Rect::new(16.0, 16.0, 32.0, 32.0);
    for angle in [0.0, 0.5, 1.2] {
        let seen = warp(&photo, &Affine::of_turned(inner, angle, false, 8, 8), 8, 8);
        assert!(seen.pixels().iter().all(|value| value.abs_diff(127) <= 12), "{angle}: {:?}", seen.pixels());
    }
    assert!(crop(&photo, inner, 8, 8).pixels().iter().all(|value| value.abs_diff(127) <= 2));
}

#[test]
fn a_turned_smooth_image_shows_what_lies_under_it() {
    let photo = smooth(200, 150);
    for (extent, tolerance) in [(30.0, 3), (100.0, 4), (120.0, 6)] {
        let map = Affine::of_turned(Rect::new(40.0, 20.0, extent, extent), 0.6, true, 32, 32);
        let seen = warp(&photo, &map, 32, 32);
        for (x, y) in [(16, 16), (12, 20), (20, 11)] {
            let at = map.apply(crate::Point::new(x as f32 + 0.5, y as f32 + 0.5));
            let under = photo.pixel(at.x as u32, at.y as u32).unwrap();
            for (seen, under) in seen.pixel(x, y).unwrap().into_iter().zip(under) {
                assert!(seen.abs_diff(under) <= tolerance + 4, "{extent} at {x}, {y}: {seen} over {under}");
            }
        }
    }
}

/// `cargo test -p lineament --release -- --ignored --nocapture speed_of`
#[test]
#[ignore = "prints times"]
fn speed_of_crops_and_warps() {
    let photo = smooth(400, 400);
    for side in [100.0f32, 160.0, 200.0, 300.0] {
        let rect = Rect::new(50.3, 40.7, side, side);
        let time = |work: &dyn Fn() -> Photo| {
            let start = std::time::Instant::now();
            (0..100).for_each(|_| drop(work()));
            start.elapsed().as_secs_f64() * 10.0
        };
        let turned = Affine::of_turned(rect, 0.2, false, 88, 88);
        println!(
            "{side} -> 88: crop {:.3} ms, warp {:.3} ms",
            time(&|| crop(&photo, rect, 88, 88)),
            time(&|| warp(&photo, &turned, 88, 88))
        );
    }
    let large = smooth(4000, 3000);
    let start = std::time::Instant::now();
    crop(&large, large.rect(), 227, 227);
    println!("4000 x 3000 -> 227: crop {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
}
