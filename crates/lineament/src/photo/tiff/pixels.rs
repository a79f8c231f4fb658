//! From samples to red, green and blue in eight bits, over white where the image is transparent.

use super::chunks::{self, Chunk, Content, Layout, broken, number, unsupported};
use super::{Directory, tag, unpack};
use crate::photo::decode::blend;
use crate::photo::{Limits, PhotoError};

/// How a pixel's samples become its colour.
enum Colour {
    /// The first is black or white at zero.
    Grey {
        inverted: bool,
    },
    Rgb,
    Palette(Vec<[u8; 3]>),
    Inks,
    /// Luma and two differences.
    Luma,
}

/// What the samples behind the colour say.
#[derive(Clone, Copy, PartialEq)]
enum Alpha {
    None,
    /// Colours are multiplied by it.
    Multiplied,
    Separate,
}

/// The image of a directory whose size has been checked.
pub(super) fn rgb(directory: &Directory, limits: &Limits) -> Result<Vec<u8>, PhotoError> {
    let layout = Layout::of(directory, limits)?;
    let colour = colour(directory, &layout)?;
    let colours = match colour {
        Colour::Grey { .. } | Colour::Palette(_) => 1,
        Colour::Rgb | Colour::Luma => 3,
        Colour::Inks => 4,
    };
    let ready = matches!(directory.number(tag::COMPRESSION, 1), 7 | 50001);
    if !ready && layout.samples < colours {
        return Err(broken("it has fewer samples than colours"));
    }
    let alpha = match directory.numbers(tag::EXTRA_SAMPLES).first() {
        Some(1) => Alpha::Multiplied,
        Some(2) => Alpha::Separate,
        None if layout.samples > colours => Alpha::Separate,
        _ => Alpha::None,
    };
    let alpha = if layout.samples > colours { alpha } else { Alpha::None };
    let used = colours + usize::from(alpha != Alpha::None);
    let area = layout.width as usize * layout.height as usize;
    let size = if ready { 3 } else { used };
    let mut values = vec![0u8; area * size];
    let mut reader = Reader {
        layout: &layout,
        scaled: !matches!(colour, Colour::Palette(_)),
        big_endian: directory.file().big_endian,
        range: Range::default(),
    };
    chunks::each(directory, &layout, limits, |chunk| reader.place(chunk, &mut values, size))?;
    reader.range.check()?;
    if ready {
        return Ok(values);
    }
    let opaque = alpha == Alpha::None || values.chunks_exact(used).all(|pixel| pixel.last() == Some(&0));
    let mut rgb = Vec::with_capacity(area * 3);
    for pixel in values.chunks_exact(used) {
        let [r, g, b] = match (&colour, pixel) {
            (Colour::Grey { inverted: false }, [v, ..]) => [*v; 3],
            (Colour::Grey { inverted: true }, [v, ..]) => [255 - v; 3],
            (Colour::Palette(map), [v, ..]) => map.get(usize::from(*v)).copied().unwrap_or_default(),
            (Colour::Rgb, [r, g, b, ..]) => [*r, *g, *b],
            (Colour::Luma, [y, cb, cr, ..]) => crate::photo::jpeg::from_luma(*y, *cb, *cr),
            (Colour::Inks, [c, m, y, k, ..]) => {
                [c, m, y].map(|ink| ((255 - u32::from(*ink)) * (255 - u32::from(*k)) / 255) as u8)
            }
            _ => [0; 3],
        };
        let over = match (alpha, pixel.last()) {
            (Alpha::Separate, Some(&a)) if !opaque => [r, g, b].map(|v| blend(v, a)),
            (Alpha::Multiplied, Some(&a)) if !opaque => [r, g, b].map(|v| v.saturating_add(255 - a)),
            _ => [r, g, b],
        };
        rgb.extend(over);
    }
    Ok(rgb)
}

fn colour(directory: &Directory, layout: &Layout) -> Result<Colour, PhotoError> {
    let compression = directory.number(tag::COMPRESSION, 1);
    if !unpack::known(compression) && !matches!(compression, 7 | 50001) {
        return Err(unsupported(unpack::name(compression)));
    }
    if !matches!(layout.format, 1 | 3) {
        return Err(unsupported("samples with a sign, or complex ones".into()));
    }
    if layout.format == 3 && !matches!(layout.bits, 16 | 32 | 64)
        || layout.format == 1 && layout.bits > 16 && layout.bits != 32
    {
        return Err(unsupported(format!("{} bits a sample", layout.bits)));
    }
    Ok(match layout.photometric {
        0 => Colour::Grey { inverted: true },
        1 => Colour::Grey { inverted: false },
        2 => Colour::Rgb,
        3 if layout.bits <= 8 => Colour::Palette(palette(&directory.numbers(tag::COLOUR_MAP))),
        3 => return Err(unsupported(format!("a palette of {} bits", layout.bits))),
        5 => Colour::Inks,
        6 => {
            let sampling = directory.numbers(tag::SUBSAMPLING);
            let full = sampling.iter().all(|&factor| factor == 1) && !sampling.is_empty();
            if compression != 7 && !full {
                return Err(unsupported("chroma of fewer samples outside of JPEG".into()));
            }
            Colour::Luma
        }
        8..=10 => return Err(unsupported("Lab colours".into())),
        32803 | 34892 => return Err(unsupported("the sensor's data, not developed".into())),
        other => return Err(unsupported(format!("colours of kind {other}"))),
    })
}

/// The colours of a palette: all red ones, then green, then blue, in sixteen bits, or by mistake in eight.
fn palette(map: &[u64]) -> Vec<[u8; 3]> {
    let wide = map.iter().any(|&value| value > 255);
    let third = map.len() / 3;
    let value = |at: usize| {
        let value = map.get(at).copied().unwrap_or_default();
        if wide { (value >> 8) as u8 } else { value as u8 }
    };
    (0..third).map(|at| [value(at), value(third + at), value(2 * third + at)]).collect()
}

/// How far floating-point samples reach. Between 0 and 1 is what pictures are in; single lights may be beyond.
#[derive(Default)]
struct Range {
    above_zero: u64,
    above_one: u64,
    greatest: f32,
}

impl Range {
    /// From 0 to 1 to eight bits.
    fn level(&mut self, value: f32) -> u8 {
        self.above_zero += u64::from(value > 0.0);
        self.above_one += u64::from(value > 1.0);
        self.greatest = self.greatest.max(value);
        (value.clamp(0.0, 1.0) * 255.0 + 0.5) as u8
    }

    /// A picture on another scale (0 to 255, say) would come out white.
    fn check(&self) -> Result<(), PhotoError> {
        if self.above_one * 2 <= self.above_zero {
            return Ok(());
        }
        Err(unsupported(format!("floating-point samples up to {} (they must go from 0 to 1)", self.greatest)))
    }
}

/// Brings samples to eight bits.
struct Reader<'l> {
    layout: &'l Layout,
    /// Whether all of a sample's range is meant; else it is a number.
    scaled: bool,
    big_endian: bool,
    range: Range,
}

impl Reader<'_> {
    /// Puts a chunk's samples where they belong.
    fn place(&mut self, chunk: Chunk, values: &mut [u8], size: usize) -> Result<(), PhotoError> {
        let layout = self.layout;
        let row_of = layout.width as usize * size;
        let rows = values.chunks_exact_mut(row_of.max(1)).skip(chunk.y as usize);
        let columns = chunk.width.min(layout.width.saturating_sub(chunk.x)) as usize;
        let from = chunk.x as usize * size;
        match chunk.content {
            Content::Rgb { rgb, width } => {
                if (width as usize) < columns {
                    return Err(broken("a strip or tile is narrower than it should be"));
                }
                let stride = width as usize * 3;
                let wanted = layout.down().min(layout.height.saturating_sub(chunk.y)) as usize;
                if rgb.len() < stride * wanted {
                    return Err(broken("a strip or tile is lower than it should be"));
                }
                for (to, line) in rows.zip(rgb.chunks_exact(stride.max(1))).take(wanted) {
                    let to = to.get_mut(from..from + columns * 3).unwrap_or_default();
                    to.iter_mut().zip(line).for_each(|(to, value)| *to = *value);
                }
            }
            Content::Samples(samples) => {
                let stride = layout.row(chunk.width, chunk.plane);
                let stored = if chunk.plane.is_some() { 1 } else { layout.samples };
                let (first, count) = match chunk.plane {
                    // A plane that nothing shows.
                    Some(plane) if plane >= size => return Ok(()),
                    Some(plane) => (plane, 1),
                    None => (0, size),
                };
                for (to, line) in rows.zip(samples.chunks_exact(stride.max(1))) {
                    let to = to.get_mut(from..from + columns * size).unwrap_or_default();
                    for (x, pixel) in to.chunks_exact_mut(size).enumerate() {
                        for (index, to) in pixel.iter_mut().skip(first).take(count).enumerate() {
                            *to = self.eight(line, x * stored + index);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Sample `at` of a row.
    fn eight(&mut self, row: &[u8], at: usize) -> u8 {
        let (layout, big_endian) = (self.layout, self.big_endian);
        let bits = layout.bits as usize;
        let bytes = |size: usize| row.get(at * size..at * size + size).unwrap_or_default();
        match (layout.format, bits) {
            (1, 8) => row.get(at).copied().unwrap_or_default(),
            (1, 16) => ((number(bytes(2), big_endian) * 255 + 32767) / 65535) as u8,
            (1, 32) => (number(bytes(4), big_endian) >> 24) as u8,
            (3, 16) => self.range.level(half::f16::from_bits(number(bytes(2), big_endian) as u16).to_f32()),
            (3, 32) => self.range.level(f32::from_bits(number(bytes(4), big_endian) as u32)),
            (3, 64) => self.range.level(f64::from_bits(number(bytes(8), big_endian)) as f32),
            _ => {
                // Packed, the high bits first.
                let mut value = 0u32;
                for bit in at * bits..at * bits + bits {
                    let byte = row.get(bit / 8).copied().unwrap_or_default();
                    value = value << 1 | u32::from(byte >> (7 - bit % 8) & 1);
                }
                let most = (1u32 << bits) - 1;
                if self.scaled { ((value * 255 + most / 2) / most) as u8 } else { value as u8 }
            }
        }
    }
}
