//! Drawn images as folders in the layouts that real data comes in.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};
use lineament::attributes::CELEBA;
use lineament::crop::warp;
use lineament::output::write_whole;
use lineament::{Affine, Photo, Point};
use rayon::prelude::*;

use super::{DrawnFace, DrawnOptions, OBJECTS, background, image, object};
use crate::error::DataError;

/// Width and height of an aligned image: half of CelebA's 178 by 218.
const ALIGNED: [u32; 2] = [89, 109];

/// Where the eyes are put in an aligned image, in its pixels, as in CelebA.
const EYES: [Point; 2] = [Point { x: 34.75, y: 55.75 }, Point { x: 54.0, y: 55.75 }];

/// Writes drawn faces as a folder in CelebA's official layout: each image un-cropped in `Img/img_celeba/` and cut around
/// its largest face in `Img/img_align_celeba/`, with all lists of `Anno/` and `Eval/`. People belong to one split each: the last
/// sixth (at least one person) to test, the sixth before to validation. Returns the number of images. The same options write the same
/// bytes.
///
/// # Errors
/// [`DataError::Setting`] for fewer than three people or no image, [`DataError::Io`] where a file cannot be written.
pub fn write_celeba(dir: &Path, options: &DrawnOptions) -> Result<usize, DataError> {
    options.check()?;
    let photos = folder(dir, "Img/img_celeba")?;
    let aligned = folder(dir, "Img/img_align_celeba")?;
    let (anno, eval) = (folder(dir, "Anno")?, folder(dir, "Eval")?);
    let each = options.images_each as usize;
    let count = options.people as usize * each;
    let rows: Vec<(DrawnFace, DrawnFace)> = (0..count)
        .into_par_iter()
        .map(|place| {
            let drawn = image(options, (place / each) as u32, (place % each) as u32);
            let name = name_of(place);
            write_jpeg(&photos.join(&name), &drawn.photo)?;
            let Some(face) = drawn.faces.into_iter().next() else {
                let value = "a picture without a face".to_owned();
                return Err(DataError::Setting { name: "most_faces", value, expected: "at least 1" });
            };
            let (small, cut_face) = align(&drawn.photo, &face);
            write_jpeg(&aligned.join(&name), &small)?;
            Ok((face, cut_face))
        })
        .collect::<Result<_, DataError>>()?;

    let identity = |place: usize| place / each + 1;
    let landmarks = "lefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y rightmouth_x rightmouth_y";
    let tags = |row: &(DrawnFace, DrawnFace)| join(row.0.tags.iter().map(|tag| if *tag { 1 } else { -1 }));
    let box_of = |row: &(DrawnFace, DrawnFace)| {
        let rect = row.0.rect;
        join([rect.x, rect.y, rect.width, rect.height].map(|v| v.round() as i64))
    };
    let points =
        |face: &DrawnFace| join(face.landmarks.iter().flat_map(|p| [p.x.round() as i64, p.y.round() as i64]));
    let list = |header: &str, row: &dyn Fn(usize, &(DrawnFace, DrawnFace)) -> String| {
        let mut text = if header.is_empty() { String::new() } else { format!("{count}\n{header}\n") };
        for (place, found) in rows.iter().enumerate() {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{} {}", name_of(place), row(place, found));
        }
        text
    };
    write_text(&anno.join("list_attr_celeba.txt"), &list(&CELEBA.join(" "), &|_, row| tags(row)))?;
    write_text(&anno.join("identity_CelebA.txt"), &list("", &|place, _| identity(place).to_string()))?;
    write_text(
        &anno.join("list_bbox_celeba.txt"),
        &list("image_id x_1 y_1 width height", &|_, row| box_of(row)),
    )?;
    write_text(&anno.join("list_landmarks_celeba.txt"), &list(landmarks, &|_, row| points(&row.0)))?;
    write_text(&anno.join("list_landmarks_align_celeba.txt"), &list(landmarks, &|_, row| points(&row.1)))?;
    let partition = |place: usize| partition((place / each) as u32, options.people).to_string();
    write_text(&eval.join("list_eval_partition.txt"), &list("", &|place, _| partition(place)))?;
    Ok(count)
}

/// Writes drawn objects ImageNet-style: `train/CLASS/` with `each` images of `side` pixels and `val/CLASS/` with a fifth of that (at
/// least one). Returns the number of images.
///
/// # Errors
/// [`DataError::Setting`] for no images or a side out of range, [`DataError::Io`] where a file cannot be written.
pub fn write_objects(dir: &Path, each: u32, side: u32, seed: u64) -> Result<usize, DataError> {
    if each == 0 || !(8..=2048).contains(&side) {
        return Err(DataError::Setting {
            name: "pictures of each object and their side",
            value: format!("{each} and {side}"),
            expected: "at least 1 picture, of 8 to 2048 pixels",
        });
    }
    let parts = [("train", 0, each), ("val", each, each.div_ceil(5))];
    let mut jobs = Vec::new();
    for (part, first, count) in parts {
        for (class, name) in OBJECTS.iter().enumerate() {
            let folder = folder(dir, &format!("{part}/{name}"))?;
            jobs.extend((0..count).map(|i| (class, first + i, folder.join(format!("{name}_{i:04}.jpg")))));
        }
    }
    jobs.par_iter()
        .try_for_each(|(class, index, path)| write_jpeg(path, &object(*class, *index, side, seed)))?;
    Ok(jobs.len())
}

/// Writes `count` drawn images without a face into a flat folder, in the sizes of `options`. Returns their number.
///
/// # Errors
/// [`DataError::Setting`] for options out of range, [`DataError::Io`] where a file cannot be written.
pub fn write_backgrounds(dir: &Path, count: u32, options: &DrawnOptions) -> Result<usize, DataError> {
    options.check()?;
    let dir = folder(dir, "")?;
    (0..count).into_par_iter().try_for_each(|index| {
        write_jpeg(&dir.join(format!("background_{index:05}.jpg")), &background(options, index))
    })?;
    Ok(count as usize)
}

fn name_of(place: usize) -> String {
    format!("{:06}.jpg", place + 1)
}

/// CelebA's number of the split of a person.
fn partition(person: u32, people: u32) -> u8 {
    let sixth = (people / 6).max(1);
    match people.saturating_sub(person) {
        rest if rest <= sixth => 2,
        rest if rest <= 2 * sixth => 1,
        _ => 0,
    }
}

fn join<T: ToString>(values: impl IntoIterator<Item = T>) -> String {
    values.into_iter().map(|v| v.to_string()).collect::<Vec<_>>().join(" ")
}

/// Turned and enlarged so that the eyes come where CelebA has them.
fn align(photo: &Photo, face: &DrawnFace) -> (Photo, DrawnFace) {
    let [left, right, ..] = face.landmarks;
    let [to_left, to_right] = EYES;
    // Output to image: a turn and a scale, written as a complex factor.
    let (dx, dy) = (right.x - left.x, right.y - left.y);
    let length = to_right.x - to_left.x;
    let (a, b) = (dx / length, dy / length);
    let map =
        Affine([a, -b, left.x - a * to_left.x + b * to_left.y, b, a, left.y - b * to_left.x - a * to_left.y]);
    let small = warp(photo, &map, ALIGNED[0], ALIGNED[1]);
    let back = map.inverse().unwrap_or(Affine::IDENTITY);
    let landmarks = face.landmarks.map(|point| back.apply(point));
    (small, DrawnFace { landmarks, ..face.clone() })
}

fn folder(dir: &Path, name: &str) -> Result<std::path::PathBuf, DataError> {
    let path = if name.is_empty() { dir.to_path_buf() } else { dir.join(name) };
    fs::create_dir_all(&path).map_err(|e| DataError::writing(&path, e))?;
    Ok(path)
}

fn write_text(path: &Path, text: &str) -> Result<(), DataError> {
    write_whole(path, |file| io::Write::write_all(file, text.as_bytes()))
        .map_err(|e| DataError::writing(path, e))
}

fn write_jpeg(path: &Path, photo: &Photo) -> Result<(), DataError> {
    write_whole(path, |file| {
        let mut writer = io::BufWriter::new(file);
        JpegEncoder::new_with_quality(&mut writer, 90)
            .write_image(photo.pixels(), photo.width(), photo.height(), ExtendedColorType::Rgb8)
            .map_err(io::Error::other)?;
        io::Write::flush(&mut writer)
    })
    .map_err(|e| DataError::writing(path, e))
}
