//! HEIC, AVIF, JPEG XL and JPEG 2000, as the encoders of Debian 12 write them. `fixtures/make.sh` tells how.

use lineament::{Limits, Photo, PhotoError};

use crate::{BLUE, GREEN, GREY, RED, assert_quarters, bytes, decode, path};

const WHITE: [u8; 3] = [255; 3];
const FILES: [&str; 13] = [
    "alpha.avif",
    "alpha.heic",
    "alpha.j2k",
    "alpha.jxl",
    "colour.avif",
    "colour.jp2",
    "colour.jxl",
    "labelled.heic",
    "mirrored.avif",
    "ten.avif",
    "tiles.avif",
    "turned.avif",
    "unlabelled.heic",
];

#[test]
fn every_kind_shows_its_four_quarters() {
    for name in FILES {
        let photo = Photo::open(path(name), &Limits::default()).unwrap();
        let side = if name.starts_with("tiles") { 128 } else { 64 };
        assert_eq!((photo.width(), photo.height()), (side, side), "{name}");
        let colours = match name.split_once('.').unwrap().0 {
            "alpha" => [WHITE, GREEN, BLUE, GREY],
            // A quarter against the clock.
            "turned" => [GREEN, GREY, RED, BLUE],
            "mirrored" => [GREEN, RED, GREY, BLUE],
            _ => [RED, GREEN, BLUE, GREY],
        };
        assert_quarters(name, &photo, colours, 6);
    }
}

#[test]
fn truncations_are_refused_or_harmless() {
    for name in FILES {
        let whole = bytes(name);
        let photo = decode(&whole).unwrap();
        for length in (0..whole.len()).step_by(9) {
            if let Ok(part) = decode(&whole[..length]) {
                assert_eq!(part, photo, "{name} cut to {length} of {} bytes", whole.len());
            }
        }
    }
}

#[test]
fn changed_bytes_never_panic() {
    for name in FILES {
        let whole = bytes(name);
        for at in (0..whole.len()).step_by(5) {
            let mut changed = whole.clone();
            changed[at] ^= 1 << (at % 8);
            let _ = decode(&changed);
        }
    }
}

#[test]
fn sizes_are_checked_before_pixels() {
    for name in FILES {
        let refused =
            Photo::decode(&bytes(name), &Limits { max_pixels: 4095, max_bytes: 1 << 20 }).unwrap_err();
        assert!(matches!(refused, PhotoError::TooManyPixels { .. }), "{name}: {refused}");
    }
}
