//! Images made of the astronaut of `examples/`: at any size, as JPEG, with many faces, as folders.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use image::{ExtendedColorType, RgbImage};

use crate::settings::Settings;

/// Different files in a folder: a file system has a limit of links to one.
const DIFFERENT: usize = 10;
/// Left, top and side of the head in the image, with a little around it.
const HEAD: (u32, u32, u32) = (143, 33, 170);

/// The astronaut, 512 x 512.
pub fn astronaut(settings: &Settings) -> Result<RgbImage> {
    let path = settings.root.join("examples/astronaut.png");
    Ok(image::open(&path).with_context(|| path.display().to_string())?.to_rgb8())
}

/// A square image as JPEG.
pub fn square(image: &RgbImage, side: u32) -> Result<Vec<u8>> {
    jpeg(&imageops::resize(image, side, side, FilterType::Triangle))
}

/// `faces` heads side by side, as large as they can be, on a grey image of `side` pixels.
pub fn crowd(image: &RgbImage, side: u32, faces: u32) -> Result<Vec<u8>> {
    let columns = f64::from(faces.max(1)).sqrt().ceil() as u32;
    let cell = side / columns;
    let head = imageops::crop_imm(image, HEAD.0, HEAD.1, HEAD.2, HEAD.2).to_image();
    let head = imageops::resize(&head, cell, cell, FilterType::Triangle);
    let mut scene = RgbImage::from_pixel(side, side, image::Rgb([128; 3]));
    for face in 0..faces {
        let (x, y) = (face % columns * cell, face / columns * cell);
        imageops::replace(&mut scene, &head, i64::from(x), i64::from(y));
    }
    jpeg(&scene)
}

fn jpeg(image: &RgbImage) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let (width, height) = image.dimensions();
    JpegEncoder::new_with_quality(&mut bytes, 90).encode(
        image.as_raw(),
        width,
        height,
        ExtendedColorType::Rgb8,
    )?;
    Ok(bytes)
}

/// A folder of so many JPEGs of 224 x 224: a few different ones, over and over.
pub fn folder(settings: &Settings, path: &Path, count: usize) -> Result<()> {
    let image = astronaut(settings)?;
    fs::create_dir_all(path)?;
    let originals = (0..DIFFERENT.min(count))
        .map(|index| {
            // Another part of the image each, with the face in it.
            let (shift, side) = (4 * index as u32, 512 - 12 * index as u32);
            let part = imageops::crop_imm(&image, shift, 0, side.min(512 - shift), side).to_image();
            let file = path.join(format!("{index:06}.jpg"));
            fs::write(&file, square(&part, 224)?)?;
            Ok(file)
        })
        .collect::<Result<Vec<_>>>()?;
    for index in originals.len()..count {
        let file = path.join(format!("{index:06}.jpg"));
        let original = originals.get(index % DIFFERENT).context("an empty folder")?;
        if fs::hard_link(original, &file).is_err() {
            fs::copy(original, &file)?;
        }
    }
    Ok(())
}
