//! The strips or tiles of an image, unpacked into rows of samples.

use super::unpack::{self, Fault};
use super::{Directory, FORMAT, tag};
use crate::photo::{Limits, PhotoError, jpeg, webp};

/// What a directory says of how its samples are stored.
pub(super) struct Layout {
    pub(super) width: u32,
    pub(super) height: u32,
    /// Bits of a sample, the same for all.
    pub(super) bits: u32,
    /// Samples of a pixel, with those beyond its colour.
    pub(super) samples: usize,
    /// 1 unsigned, 3 floating point.
    pub(super) format: u32,
    pub(super) photometric: u32,
    compression: u32,
    predictor: u32,
    /// Each sample in chunks of its own.
    planar: bool,
    /// Size of a strip or tile in pixels.
    across: u32,
    down: u32,
}

/// A strip or tile whose samples are there.
pub(super) struct Chunk {
    pub(super) x: u32,
    pub(super) y: u32,
    /// Pixels in a row.
    pub(super) width: u32,
    /// Which sample, where each has chunks of its own.
    pub(super) plane: Option<usize>,
    pub(super) content: Content,
}

pub(super) enum Content {
    /// Rows of whole bytes, in the layout's bits and the file's byte order.
    Samples(Vec<u8>),
    /// Three bytes a pixel, ready.
    Rgb { rgb: Vec<u8>, width: u32 },
}

pub(super) fn broken(reason: &str) -> PhotoError {
    PhotoError::Broken { format: FORMAT, reason: reason.to_owned() }
}

pub(super) fn unsupported(reason: String) -> PhotoError {
    PhotoError::Unsupported { format: FORMAT, reason }
}

impl Layout {
    pub(super) fn of(directory: &Directory, limits: &Limits) -> Result<Self, PhotoError> {
        let (width, height) = directory.size();
        let bits = directory.numbers(tag::BITS);
        let formats = directory.numbers(tag::SAMPLE_FORMAT);
        let alike = |numbers: &[u64], or: u64| {
            let first = numbers.first().copied().unwrap_or(or);
            numbers.iter().all(|&number| number == first).then_some(first as u32)
        };
        let bits = alike(&bits, 1).ok_or_else(|| unsupported("samples of different sizes".into()))?;
        let format = alike(&formats, 1).ok_or_else(|| unsupported("samples of different types".into()))?;
        let tiled = directory.has(tag::TILE_OFFSETS);
        let (across, down) = if tiled {
            (directory.number(tag::TILE_WIDTH, 0), directory.number(tag::TILE_HEIGHT, 0))
        } else {
            (width, directory.number(tag::ROWS_PER_STRIP, height).min(height))
        };
        let layout = Self {
            width,
            height,
            bits,
            samples: directory.number(tag::SAMPLES, 1) as usize,
            // 4: not said.
            format: if format == 4 { 1 } else { format },
            photometric: directory.number(tag::PHOTOMETRIC, 1),
            compression: directory.number(tag::COMPRESSION, 1),
            predictor: directory.number(tag::PREDICTOR, 1),
            planar: directory.number(tag::PLANAR, 1) == 2,
            across,
            down,
        };
        if across == 0 || down == 0 || !(1..=16).contains(&layout.samples) || !(1..=64).contains(&bits) {
            return Err(broken("its tags contradict each other"));
        }
        // Tiles hang over the edge, but not by more than there may be.
        if u64::from(across) * u64::from(down) > limits.max_pixels.saturating_mul(4) {
            return Err(PhotoError::TooManyPixels { width: across, height: down, limit: limits.max_pixels });
        }
        Ok(layout)
    }

    /// Rows of a strip or tile.
    pub(super) fn down(&self) -> u32 {
        self.down
    }

    /// Bytes of a row of a chunk.
    pub(super) fn row(&self, width: u32, plane: Option<usize>) -> usize {
        let samples = if plane.is_some() { 1 } else { self.samples };
        (width as usize * samples * self.bits as usize).div_ceil(8)
    }
}

/// Unpacks all chunks, one after the other.
pub(super) fn each(
    directory: &Directory,
    layout: &Layout,
    limits: &Limits,
    mut take: impl FnMut(Chunk) -> Result<(), PhotoError>,
) -> Result<(), PhotoError> {
    let file = directory.file();
    let tiled = directory.has(tag::TILE_OFFSETS);
    let (offsets, lengths) = if tiled {
        (directory.numbers(tag::TILE_OFFSETS), directory.numbers(tag::TILE_BYTES))
    } else {
        (directory.numbers(tag::STRIP_OFFSETS), directory.numbers(tag::STRIP_BYTES))
    };
    let (columns, rows) = (layout.width.div_ceil(layout.across), layout.height.div_ceil(layout.down));
    let planes = if layout.planar { layout.samples } else { 1 };
    let wanted = planes as u64 * u64::from(columns) * u64::from(rows);
    if (offsets.len() as u64) < wanted {
        return Err(broken("it has fewer strips or tiles than its size asks for"));
    }
    let mut offsets = offsets.into_iter().zip(lengths.into_iter().map(Some).chain(std::iter::repeat(None)));
    for plane in 0..planes {
        for row in 0..rows {
            for column in 0..columns {
                let Some((offset, length)) = offsets.next() else { break };
                let from = usize::try_from(offset).unwrap_or(usize::MAX);
                let rest = file.bytes.get(from..).unwrap_or_default();
                // Some writers leave the lengths out or set them to nothing, where there is one strip.
                let length = match length {
                    Some(length) if length > 0 => usize::try_from(length).unwrap_or(usize::MAX),
                    _ => rest.len(),
                };
                let data = rest.get(..length).ok_or(PhotoError::Truncated { format: FORMAT })?;
                let (x, y) = (column * layout.across, row * layout.down);
                let height = if tiled { layout.down } else { layout.down.min(layout.height - y) };
                let plane = layout.planar.then_some(plane);
                let content = content(directory, layout, limits, data, height, plane)?;
                take(Chunk { x, y, width: layout.across, plane, content })?;
            }
        }
    }
    Ok(())
}

fn content(
    directory: &Directory,
    layout: &Layout,
    limits: &Limits,
    data: &[u8],
    height: u32,
    plane: Option<usize>,
) -> Result<Content, PhotoError> {
    match layout.compression {
        7 => {
            let (width, rgb) = strip_of_jpeg(directory, layout, limits, data)?;
            return Ok(Content::Rgb { rgb, width });
        }
        50001 => {
            let (width, rgb) = webp::rgb(data, limits)?;
            return Ok(Content::Rgb { rgb, width });
        }
        _ => {}
    }
    let reversed;
    let mut data = data;
    if directory.number(tag::FILL_ORDER, 1) == 2 {
        reversed = data.iter().map(|byte| byte.reverse_bits()).collect::<Vec<u8>>();
        data = &reversed;
    }
    let row = layout.row(layout.across, plane);
    let length = row.checked_mul(height as usize).ok_or_else(|| broken("its tags contradict each other"))?;
    let mut samples = unpack::unpack(layout.compression, data, length, (layout.across, height)).map_err(
        |fault| match fault {
            Fault::Short => PhotoError::Truncated { format: FORMAT },
            Fault::Damaged => broken("its pixels are damaged"),
            Fault::Unknown(reason) => unsupported(reason),
        },
    )?;
    let count = if plane.is_some() { 1 } else { layout.samples };
    for row in samples.chunks_exact_mut(row.max(1)) {
        undo(layout, row, count, directory.file().big_endian)?;
    }
    Ok(Content::Samples(samples))
}

/// JPEG in a strip: with tables of the directory, and colours as the directory says.
fn strip_of_jpeg(
    directory: &Directory,
    layout: &Layout,
    limits: &Limits,
    data: &[u8],
) -> Result<(u32, Vec<u8>), PhotoError> {
    if layout.planar && layout.samples > 1 {
        return Err(unsupported("JPEG in planes".into()));
    }
    let tables = directory.bytes(tag::JPEG_TABLES);
    let tables = tables.strip_suffix(&[0xff, 0xd9]).unwrap_or(tables);
    let whole = match data.strip_prefix(&[0xff, 0xd8]) {
        Some(rest) if !tables.is_empty() => [tables, rest].concat(),
        _ => data.to_vec(),
    };
    jpeg::strip(&whole, limits, layout.photometric == 6)
}

/// Turns differences back into samples (TIFF 6.0, section 14, and its third technical note).
fn undo(layout: &Layout, row: &mut [u8], samples: usize, big_endian: bool) -> Result<(), PhotoError> {
    let bytes = layout.bits as usize / 8;
    match (layout.predictor, layout.bits) {
        (2, 8) => {
            for at in samples..row.len() {
                let before = row.get(at - samples).copied().unwrap_or_default();
                if let Some(to) = row.get_mut(at) {
                    *to = to.wrapping_add(before);
                }
            }
        }
        (2, 16 | 32 | 64) => {
            let mut before = vec![0u64; samples];
            for pixel in row.chunks_mut(bytes * samples) {
                for (sample, before) in pixel.chunks_exact_mut(bytes).zip(&mut before) {
                    *before = before.wrapping_add(number(sample, big_endian));
                    let whole = before.to_be_bytes();
                    let kept = whole.get(8 - bytes..).unwrap_or_default();
                    if big_endian {
                        sample.copy_from_slice(kept);
                    } else {
                        sample.iter_mut().zip(kept.iter().rev()).for_each(|(to, byte)| *to = *byte);
                    }
                }
            }
        }
        (3, 16 | 32 | 64) if layout.format == 3 => {
            for at in samples..row.len() {
                let before = row.get(at - samples).copied().unwrap_or_default();
                if let Some(to) = row.get_mut(at) {
                    *to = to.wrapping_add(before);
                }
            }
            // The high bytes of all samples come first.
            let (from, count) = (row.to_vec(), row.len() / bytes);
            for (index, to) in row.iter_mut().enumerate() {
                let (sample, byte) = (index / bytes, index % bytes);
                let byte = if big_endian { byte } else { bytes - 1 - byte };
                *to = from.get(byte * count + sample).copied().unwrap_or_default();
            }
        }
        (1, _) => {}
        (predictor, bits) => {
            return Err(unsupported(format!("differences of kind {predictor} in {bits} bits")));
        }
    }
    Ok(())
}

/// An integer of any number of bytes.
pub(super) fn number(bytes: &[u8], big_endian: bool) -> u64 {
    let push = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
    if big_endian { bytes.iter().fold(0, push) } else { bytes.iter().rev().fold(0, push) }
}
