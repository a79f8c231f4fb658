//! Raw files of cameras: the sensor's data is for developers, but each camera puts a JPEG of the photo into them, mostly in full size.
//!
//! The JPEG is found by its markers and not through each maker's structures, which differ from camera to camera.

use super::decode::Stored;
use super::tiff::{File, tag};
use super::{Limits, Note, PhotoError, jpeg};

const FORMAT: &str = "raw file";

/// How cameras mark the colours of a sensor, and of one that a program has interpolated.
const SENSOR: [u32; 2] = [32803, 34892];

/// A preview shorter than this is a thumbnail, if it is also less than half as long as the photo.
const SHORTEST: u32 = 1000;

/// Where nothing tells the size of the photo: longer than any thumbnail.
const LONGER_THAN_THUMBNAILS: u32 = 320;

/// Places that look like the beginning of a JPEG and are none, at most: the sensor's data has a few by chance.
const MISSES: usize = 64;

/// What kind of raw file it is; `None` for all that is none.
pub(super) fn maker(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(b"FUJIFILMCCD-RAW") {
        return Some("RAF");
    }
    if bytes.get(4..11) == Some(b"ftypcrx") {
        return Some("CR3");
    }
    if bytes.starts_with(b"FOVb") {
        return Some("X3F");
    }
    if bytes.starts_with(b"\0MRM") {
        return Some("MRW");
    }
    if bytes.get(6..14) == Some(b"HEAPCCDR") {
        return Some("CRW");
    }
    let file = File::new(bytes)?;
    match bytes.get(..4)? {
        b"IIRO" | b"IIRS" | b"MMOR" => return Some("ORF"),
        b"IIU\0" => return Some("RW2"),
        _ => {}
    }
    if bytes.get(8..10) == Some(b"CR") {
        return Some("CR2");
    }
    let directories = file.directories();
    let sensor = directories.iter().any(|directory| {
        SENSOR.contains(&directory.number(tag::PHOTOMETRIC, 0))
            || matches!(directory.number(tag::COMPRESSION, 0), 32767 | 32770 | 34713)
    });
    match (sensor, directories.first()?.has(tag::DNG)) {
        (true, true) => Some("DNG"),
        (true, false) => Some("raw"),
        _ => None,
    }
}

/// The largest preview.
pub(super) fn decode(bytes: &[u8], maker: &'static str, limits: &Limits) -> Result<Stored, PhotoError> {
    let refused = |reason: String| PhotoError::Unsupported { format: FORMAT, reason };
    let (width, height, preview) = preview(bytes)
        .ok_or_else(|| refused(format!("{maker} without a preview by the camera; develop it first")))?;
    let side = width.max(height);
    let photo = size(bytes);
    let small = match photo {
        Some(photo) => side < SHORTEST && u64::from(side) * 2 < u64::from(photo),
        None => side <= LONGER_THAN_THUMBNAILS,
    };
    if small {
        return Err(refused(format!(
            "{maker} whose only preview is a thumbnail of {width} x {height} pixels; develop it first"
        )));
    }
    let mut stored = jpeg::decode(preview, limits)?;
    stored.orientation = stored.orientation.or_else(|| orientation(bytes));
    stored.notes.push(Note::Preview { width, height });
    Ok(stored)
}

/// The orientation to show the photo in, 1 to 8.
pub(super) fn orientation(bytes: &[u8]) -> Option<u8> {
    let of_preview = || preview(bytes).and_then(|(.., preview)| jpeg::orientation(preview));
    if let Some(file) = File::new(bytes) {
        return of_preview().or_else(|| file.directories().first()?.orientation());
    }
    // CR3 has its EXIF in a box of that name.
    of_preview().or_else(|| {
        let at = bytes.get(..bytes.len().min(1 << 16))?.windows(4).position(|name| name == b"CMT1")?;
        super::orientation::in_exif(bytes.get(at + 4..)?)
    })
}

/// The longest side of the photo, where directories tell it.
fn size(bytes: &[u8]) -> Option<u32> {
    let directories = File::new(bytes)?.directories();
    let sides = directories.iter().map(|directory| directory.size()).map(|(width, height)| width.max(height));
    sides.max().filter(|&side| side > 0)
}

/// Width, height and bytes of the largest JPEG inside that is an image of eight bits.
fn preview(bytes: &[u8]) -> Option<(u32, u32, &[u8])> {
    let mut best: Option<(u32, u32, &[u8])> = None;
    let (mut from, mut misses) = (0, 0);
    while let Some(at) = find(bytes, from).filter(|_| misses < MISSES) {
        from = at + 2;
        misses += 1;
        let data = bytes.get(at..)?;
        let Some((width, height, length)) = jpeg::size(data) else { continue };
        if best.is_none_or(|(w, h, _)| u64::from(width) * u64::from(height) > u64::from(w) * u64::from(h)) {
            best = Some((width, height, data.get(..length).unwrap_or(data)));
        }
        // Its own thumbnail lies inside.
        from = at + length;
        misses -= 1;
    }
    best
}

/// Where the next JPEG may begin.
fn find(bytes: &[u8], mut from: usize) -> Option<usize> {
    loop {
        let at = from + bytes.get(from..)?.iter().position(|&byte| byte == 0xff)?;
        if bytes.get(at..at + 3) == Some(&[0xff, 0xd8, 0xff]) {
            return Some(at);
        }
        from = at + 1;
    }
}
