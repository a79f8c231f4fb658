//! Images of every kind, whole, turned, cut and forged. `fixtures/make.py` and `make.sh` tell where the files come from.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod jpeg;
mod phones;
mod png;
mod raw;
mod tiff;
mod turned;

use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::codecs::{jpeg::JpegEncoder, png::PngEncoder, webp::WebPEncoder};
use image::{DynamicImage, ExtendedColorType, ImageEncoder, ImageFormat, RgbImage};
use lineament::{Limits, Photo, PhotoError};
use proptest::prelude::*;

const RED: [u8; 3] = [200, 40, 40];
const GREEN: [u8; 3] = [40, 200, 40];
const BLUE: [u8; 3] = [40, 40, 200];
const GREY: [u8; 3] = [160, 160, 160];

const FIXTURES: [&str; 18] = [
    "animated.gif",
    "animated.png",
    "animated.webp",
    "baseline.jpg",
    "bits.pbm",
    "cmyk.jpg",
    "cmyk.tif",
    "colour.bmp",
    "grey.jpg",
    "lossy.webp",
    "palette.png",
    "palette_clear.png",
    "plain_rgb.jpg",
    "progressive.jpg",
    "restarts.jpg",
    "turned.tif",
    "turned.webp",
    "ycck.jpg",
];

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).unwrap()
}

fn decode(bytes: &[u8]) -> Result<Photo, PhotoError> {
    // Forged headers ask for anything: small limits keep the tests quick.
    Photo::decode(bytes, &Limits { max_pixels: 1 << 20, max_bytes: 1 << 24 })
}

/// The colours in the middle of the four quarters.
fn quarters(photo: &Photo) -> [[u8; 3]; 4] {
    let (w, h) = (photo.width(), photo.height());
    [(w / 4, h / 4), (3 * w / 4, h / 4), (w / 4, 3 * h / 4), (3 * w / 4, 3 * h / 4)]
        .map(|(x, y)| photo.pixel(x, y).unwrap())
}

#[track_caller]
fn assert_quarters(name: &str, photo: &Photo, expected: [[u8; 3]; 4], tolerance: u8) {
    let seen = quarters(photo);
    let close =
        seen.iter().flatten().zip(expected.iter().flatten()).all(|(a, b)| a.abs_diff(*b) <= tolerance);
    assert!(close, "{name}: {seen:?} in the place of {expected:?}");
}

#[test]
fn every_kind_of_file_shows_its_four_quarters() {
    let plain = [RED, GREEN, BLUE, GREY];
    let luma = [[88; 3], [134; 3], [58; 3], [160; 3]];
    let inks = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [128, 128, 128]];
    let turned = [BLUE, RED, GREY, GREEN];
    let expected: [(&str, [[u8; 3]; 4], u8); 17] = [
        ("animated.gif", plain, 0),
        ("animated.png", plain, 0),
        ("animated.webp", plain, 0),
        ("baseline.jpg", plain, 4),
        ("progressive.jpg", plain, 4),
        ("restarts.jpg", plain, 4),
        ("plain_rgb.jpg", plain, 4),
        ("grey.jpg", luma, 3),
        ("cmyk.jpg", inks, 6),
        ("ycck.jpg", inks, 6),
        ("cmyk.tif", inks, 2),
        ("palette.png", plain, 0),
        ("palette_clear.png", [[255; 3], GREEN, BLUE, GREY], 0),
        ("lossy.webp", plain, 8),
        ("colour.bmp", plain, 0),
        ("turned.tif", turned, 0),
        ("turned.webp", turned, 0),
    ];
    for (name, colours, tolerance) in expected {
        let photo = Photo::open(path(name), &Limits::default()).unwrap();
        assert_eq!((photo.width(), photo.height()), (32, 32), "{name}");
        assert_quarters(name, &photo, colours, tolerance);
    }
    let bits = decode(&bytes("bits.pbm")).unwrap();
    assert_quarters("bits.pbm", &bits, [[0; 3], [255; 3], [0; 3], [255; 3]], 0);
}

#[test]
fn sixteen_bits_grey_and_alpha_become_eight_bits_over_white() {
    let png = |data: &[u8], colour| {
        let mut file = Vec::new();
        PngEncoder::new(&mut file).write_image(data, 1, 1, colour).unwrap();
        decode(&file).unwrap().pixels().to_vec()
    };
    let wide = |values: &[u16]| values.iter().flat_map(|value| value.to_ne_bytes()).collect::<Vec<u8>>();
    assert_eq!(png(&[77], ExtendedColorType::L8), [77; 3]);
    assert_eq!(png(&[0, 51], ExtendedColorType::La8), [204; 3]);
    assert_eq!(png(&[10, 20, 30, 0], ExtendedColorType::Rgba8), [255; 3]);
    assert_eq!(png(&[10, 20, 30, 255], ExtendedColorType::Rgba8), [10, 20, 30]);
    assert_eq!(png(&wide(&[0x8080]), ExtendedColorType::L16), [128; 3]);
    assert_eq!(png(&wide(&[0xffff, 0x0000, 0x7fff]), ExtendedColorType::Rgb16), [255, 0, 127]);
    assert_eq!(png(&wide(&[0, 0, 0, 0x8080]), ExtendedColorType::Rgba16), [127; 3]);
}

/// A little EXIF block that says nothing but the orientation.
fn exif(orientation: u16, big: bool) -> Vec<u8> {
    let two = |value: u16| if big { value.to_be_bytes() } else { value.to_le_bytes() };
    let four = |value: u32| if big { value.to_be_bytes() } else { value.to_le_bytes() };
    let mut block = if big { b"MM".to_vec() } else { b"II".to_vec() };
    block.extend(two(42));
    block.extend(four(8));
    block.extend(two(1));
    block.extend([two(0x0112), two(3)].concat());
    block.extend(four(1));
    block.extend([two(orientation), two(0)].concat());
    block.extend(four(0));
    block
}

/// Where the pixel (`x`, `y`) of the upright image is stored, in a file of `w` by `h` (EXIF 2.32, table of
/// tag 0x0112).
fn stored_at(orientation: u16, x: u32, y: u32, w: u32, h: u32) -> (u32, u32) {
    match orientation {
        2 => (w - 1 - x, y),
        3 => (w - 1 - x, h - 1 - y),
        4 => (x, h - 1 - y),
        5 => (y, x),
        6 => (y, h - 1 - x),
        7 => (w - 1 - y, h - 1 - x),
        8 => (w - 1 - y, x),
        _ => (x, y),
    }
}

#[test]
fn all_orientations_of_jpeg_png_and_webp_come_upright() {
    let (w, h) = (24u32, 16u32);
    // Every 8 x 8 block has its own grey, so that JPEG keeps it.
    let stored = RgbImage::from_fn(w, h, |x, y| image::Rgb([(20 + x / 8 * 35 + y / 8 * 110) as u8; 3]));
    for orientation in 0..=9 {
        for (big, marked) in [(false, false), (true, false), (false, true)] {
            let mut block = exif(orientation, big);
            if marked {
                block.splice(..0, *b"Exif\0\0");
            }
            let mut png = Vec::new();
            let mut encoder = PngEncoder::new(&mut png);
            encoder.set_exif_metadata(block.clone()).unwrap();
            encoder.write_image(&stored, w, h, ExtendedColorType::Rgb8).unwrap();
            let mut webp = Vec::new();
            let mut encoder = WebPEncoder::new_lossless(&mut webp);
            encoder.set_exif_metadata(block).unwrap();
            encoder.write_image(&stored, w, h, ExtendedColorType::Rgb8).unwrap();
            let mut jpeg = Vec::new();
            let mut encoder = JpegEncoder::new_with_quality(&mut jpeg, 95);
            encoder.set_exif_metadata(exif(orientation, big)).unwrap();
            encoder.write_image(&stored, w, h, ExtendedColorType::Rgb8).unwrap();

            for (file, tolerance) in [(png, 0), (webp, 0), (jpeg, 3)] {
                let photo = decode(&file).unwrap();
                let sides = if (5..=8).contains(&orientation) { (h, w) } else { (w, h) };
                assert_eq!((photo.width(), photo.height()), sides);
                for y in 0..photo.height() {
                    for x in 0..photo.width() {
                        let (sx, sy) = stored_at(orientation, x, y, w, h);
                        let (seen, meant) = (photo.pixel(x, y).unwrap()[0], stored.get_pixel(sx, sy).0[0]);
                        assert!(seen.abs_diff(meant) <= tolerance, "orientation {orientation} at {x}, {y}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_broken_exif_block_leaves_the_image_as_it_is() {
    let mut file = Vec::new();
    let mut encoder = PngEncoder::new(&mut file);
    encoder.set_exif_metadata(exif(6, true)[..11].to_vec()).unwrap();
    encoder.write_image(&[1, 2, 3, 4, 5, 6], 2, 1, ExtendedColorType::Rgb8).unwrap();
    assert_eq!(decode(&file).unwrap().pixels(), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn every_truncation_is_refused_or_harmless() {
    let mut wrong = Vec::new();
    for name in FIXTURES {
        let whole = bytes(name);
        let photo = decode(&whole).unwrap();
        for length in 0..whole.len() {
            match decode(&whole[..length]) {
                Ok(part) => {
                    // Without its end marker an image is whole; another decoder reads it then.
                    let whole_jpeg = !name.ends_with("jpg") || length >= whole.len() - 2;
                    assert!(whole_jpeg, "{name} was read from {length} of {} bytes", whole.len());
                    let apart = part.pixels().iter().zip(photo.pixels()).map(|(a, b)| a.abs_diff(*b)).max();
                    if part.width() != photo.width()
                        || apart > Some(if name.ends_with("jpg") { 4 } else { 0 })
                    {
                        wrong.push(format!("{name} was read wrongly from {length} of {} bytes", whole.len()));
                    }
                }
                Err(PhotoError::Truncated { .. }) => {}
                Err(PhotoError::Empty) => assert_eq!(length, 0),
                Err(PhotoError::UnknownFormat { .. }) => assert!(length < 12, "{name} at {length}"),
                Err(other) => wrong.push(format!("{name} cut to {length} of {} bytes: {other}", whole.len())),
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_truncated_jpeg_with_an_end_put_to_it_is_still_truncated() {
    let image =
        RgbImage::from_fn(96, 96, |x, y| image::Rgb([(x * y) as u8, (x * 7 + y * 3) as u8, (x ^ y) as u8]));
    let mut whole = Vec::new();
    JpegEncoder::new(&mut whole).encode_image(&image).unwrap();
    assert!(decode(&whole).is_ok());
    let scan = whole.windows(2).position(|two| two == [0xff, 0xda]).unwrap() + 14;
    // Within the last row of blocks, a twelfth of this image, the decoder does not tell.
    for length in scan..whole.len() - whole.len() / 6 {
        let mended = [&whole[..length], &[0, 0xff, 0xd9]].concat();
        let refused = decode(&mended);
        assert!(matches!(refused, Err(PhotoError::Truncated { .. } | PhotoError::Broken { .. })), "{length}");
    }
}

#[test]
fn a_jpeg_followed_by_other_bytes_is_read_and_stray_bytes_between_headers_too() {
    let mut file = bytes("baseline.jpg");
    file.extend(b"a film of the same moment");
    assert_quarters("trailing", &decode(&file).unwrap(), [RED, GREEN, BLUE, GREY], 4);
    let mut file = bytes("baseline.jpg");
    let table = file.windows(2).position(|two| two == [0xff, 0xdb]).unwrap();
    file.splice(table..table, [0; 9]);
    assert_quarters("stray", &decode(&file).unwrap(), [RED, GREEN, BLUE, GREY], 4);
}

#[test]
fn bombs_are_refused_from_their_headers() {
    let limits = Limits { max_pixels: 1023, max_bytes: 1 << 20 };
    for name in FIXTURES {
        let refused = Photo::decode(&bytes(name), &limits).unwrap_err();
        assert_eq!(refused, PhotoError::TooManyPixels { width: 32, height: 32, limit: 1023 }, "{name}");
    }
    // 65,535 x 65,535 pixels said, none there: nothing of that size may be reserved before the refusal.
    let mut jpeg = bytes("baseline.jpg");
    let frame = jpeg.windows(2).position(|two| two == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].fill(0xff);
    let refused = Photo::decode(&jpeg, &Limits::default()).unwrap_err();
    assert_eq!(refused, PhotoError::TooManyPixels { width: 65535, height: 65535, limit: 250_000_000 });
    let gif = [
        &b"GIF89a"[..],
        &[0xff; 4],
        &[0, 0, 0],
        b",\0\0\0\0",
        &[0xff; 4],
        &[0x80, 0, 0, 0, 1, 1, 1, 8, 0, 0x3b],
    ]
    .concat();
    let gif = Photo::decode(&gif, &Limits::default());
    assert!(matches!(gif, Err(PhotoError::TooManyPixels { .. })), "{gif:?}");
    let pnm = Photo::decode(b"P6 60000 60000 255\n", &Limits::default()).unwrap_err();
    assert_eq!(pnm, PhotoError::TooManyPixels { width: 60000, height: 60000, limit: 250_000_000 });
    let pnm = Photo::decode(b"P6 4000000000 4000000000 255\n", &Limits::default());
    assert!(pnm.is_err(), "{pnm:?}");
}

#[test]
fn images_without_pixels_are_refused() {
    let mut jpeg = bytes("baseline.jpg");
    let frame = jpeg.windows(2).position(|two| two == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].fill(0);
    assert!(decode(&jpeg).is_err());
    assert!(decode(b"GIF89a\0\0\0\0\0\0\0").is_err());
    assert_eq!(Photo::new(0, 3, vec![]), Err(PhotoError::NoPixels { width: 0, height: 3 }));
    assert_eq!(
        Photo::new(2, 2, vec![0; 11]),
        Err(PhotoError::WrongLength { width: 2, height: 2, bytes: 11 })
    );
    assert!(Photo::new(u32::MAX, u32::MAX, vec![]).is_err());
}

#[test]
fn refusals_name_the_file_the_cause_and_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let refusal = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        let message =
            Photo::open(&path, &Limits { max_bytes: 4096, ..Limits::default() }).unwrap_err().to_string();
        assert!(message.starts_with(&path.display().to_string()), "{message}");
        message
    };
    let jpeg = bytes("baseline.jpg");
    let cases = [
        (refusal("cut.jpg", &jpeg[..jpeg.len() - 20]), "truncated: the JPEG ends before"),
        (refusal("empty.png", b""), "is empty"),
        (refusal("notes.jpg", b"to whom it may concern"), "this looks like text; it reads JPEG, PNG"),
        (refusal("page.jpg", b"<!doctype html><html>"), "this is a web page"),
        (refusal("phone.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"), "HEIC"),
        (refusal("scan.pdf", b"%PDF-1.7\n"), "this is PDF"),
        (refusal("icon.ico", &[0, 0, 1, 0, 1, 0, 16, 16]), "this is ico"),
        (refusal("noise", &[0x91; 40]), "its first bytes are not known"),
        (refusal("big.bmp", &[b'B'; 5000]), "a file of 5000 bytes or more, the limit is 4096"),
    ];
    for (message, part) in cases {
        assert!(message.contains(part), "{message}");
    }
    let missing = Photo::open(folder.path().join("none.png"), &Limits::default()).unwrap_err().to_string();
    assert!(missing.contains("none.png: cannot be read"), "{missing}");
    let inside = Photo::open(folder.path(), &Limits::default()).unwrap_err().to_string();
    assert!(inside.contains("it is a folder"), "{inside}");
    // A scan of arithmetic coding, which no decoder here knows.
    let mut arithmetic = jpeg.clone();
    let frame = arithmetic.windows(2).position(|two| two == [0xff, 0xc0]).unwrap();
    arithmetic[frame + 1] = 0xc9;
    let refused = decode(&arithmetic);
    assert!(matches!(refused, Err(PhotoError::Unsupported { format: "JPEG", .. })), "{refused:?}");
}

#[test]
fn a_saved_image_reads_back_and_a_failed_save_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let photo = Photo::new(3, 2, (0..18).collect()).unwrap();
    let path = folder.path().join("out.png");
    photo.save_png(&path).unwrap();
    photo.mirrored().save_png(&path).unwrap();
    assert_eq!(Photo::open(&path, &Limits::default()).unwrap().mirrored(), photo);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);

    let nowhere = folder.path().join("missing/out.png");
    let message = photo.save_png(&nowhere).unwrap_err().to_string();
    assert!(message.contains("missing/out.png: cannot be written"), "{message}");
}

#[test]
fn every_format_that_the_messages_name_is_read() {
    let image = DynamicImage::ImageRgb8(RgbImage::from_pixel(5, 4, image::Rgb(BLUE)));
    let formats = [ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP, ImageFormat::Bmp, ImageFormat::Pnm];
    for format in formats {
        let mut file = Cursor::new(Vec::new());
        image.write_to(&mut file, format).unwrap();
        assert_eq!(decode(file.get_ref()).unwrap(), Photo::filled(5, 4, BLUE), "{format:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn random_bytes_never_panic(start in prop::sample::select(FIXTURES.to_vec()), keep in 0usize..24, noise in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut file = bytes(start);
        file.truncate(keep);
        file.extend(noise);
        let _ = decode(&file);
    }

    #[test]
    fn forged_files_never_panic(name in prop::sample::select(FIXTURES.to_vec()), changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut file = bytes(name);
        for (at, value) in changes {
            let at = at.index(file.len());
            file[at] = value;
        }
        if let Ok(photo) = decode(&file) {
            prop_assert_eq!(photo.pixels().len() as u64, u64::from(photo.width()) * u64::from(photo.height()) * 3);
        }
    }
}
