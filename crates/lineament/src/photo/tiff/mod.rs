//! TIFF as cameras, scanners and editors write it: the photo among its pages, in every kind of sample that is a picture.
//!
//! Raw files are TIFF too: see [`super::raw`].

mod chunks;
mod directory;
mod pixels;
mod unpack;

pub(super) use directory::{Directory, File, tag};

use super::decode::{Stored, check_size};
use super::{Limits, Note, PhotoError, jpeg};

pub(super) const FORMAT: &str = "TIFF";

/// What a directory says of the kind of its image: a mask for another one.
const MASK: u32 = 4;

/// The largest of the images that a file holds, as it is stored.
///
/// Cameras and scanners put a thumbnail before or behind the photo, and only some mark it as one.
pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Stored, PhotoError> {
    let directories = File::new(bytes).map(|file| file.directories()).unwrap_or_default();
    // The photo may be behind the end.
    if directories.iter().any(|directory| directory.cut) {
        return Err(PhotoError::Truncated { format: FORMAT });
    }
    let chosen = largest(&directories)
        .and_then(|at| directories.get(at))
        .ok_or(PhotoError::Truncated { format: FORMAT })?;
    let (width, height) = chosen.size();
    check_size(width, height, limits)?;
    let notes = match pages(&directories, chosen) {
        (1, _) => Vec::new(),
        (page, of) => vec![Note::LargestPage { page, of }],
    };
    let orientation = chosen.orientation();
    if chosen.number(tag::COMPRESSION, 1) == 6 {
        return old_jpeg(chosen, limits, notes);
    }
    let rgb = pixels::rgb(chosen, limits)?;
    Ok(Stored { width, height, rgb, orientation, notes })
}

/// The orientation to show the image in, 1 to 8.
pub(super) fn orientation(bytes: &[u8]) -> Option<u8> {
    let directories = File::new(bytes)?.directories();
    directories.get(largest(&directories)?)?.orientation()
}

/// The first of the largest images.
fn largest(directories: &[Directory]) -> Option<usize> {
    let pixels = |directory: &Directory| {
        let (width, height) = directory.size();
        let mask =
            directory.number(tag::SUBFILE, 0) & MASK != 0 || directory.number(tag::PHOTOMETRIC, 1) == 4;
        if mask { 0 } else { u64::from(width) * u64::from(height) }
    };
    let most = directories.iter().map(pixels).max()?;
    directories.iter().position(|directory| pixels(directory) == most)
}

/// Which page an image is, and how many pages there are.
fn pages(directories: &[Directory], chosen: &Directory) -> (usize, usize) {
    let pages: Vec<_> = directories.iter().filter(|directory| !directory.below).collect();
    let at = pages.iter().position(|page| std::ptr::eq(*page, chosen));
    (at.map_or(pages.len() + 1, |at| at + 1), pages.len())
}

/// A whole JPEG file that a directory points to, as TIFF 6.0 had it.
fn old_jpeg(directory: &Directory, limits: &Limits, notes: Vec<Note>) -> Result<Stored, PhotoError> {
    let refused =
        || PhotoError::Unsupported { format: FORMAT, reason: format!("{} inside", unpack::name(6)) };
    let at = match directory.numbers(tag::JPEG_OFFSET).first() {
        Some(&at) => at,
        None => *directory.numbers(tag::STRIP_OFFSETS).first().ok_or_else(refused)?,
    };
    let data = usize::try_from(at).ok().and_then(|at| directory.file().bytes.get(at..)).unwrap_or_default();
    if !data.starts_with(&[0xff, 0xd8]) {
        return Err(refused());
    }
    let mut stored = jpeg::decode(data, limits)?;
    stored.orientation = directory.orientation().or(stored.orientation);
    stored.notes.extend(notes);
    Ok(stored)
}
