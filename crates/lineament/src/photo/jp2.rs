//! JPEG 2000, by hayro-jpeg2000.

use hayro_jpeg2000::{ColorSpace, DecodeSettings, DecoderContext, Image};

use super::decode::{Stored, blend, check_size};
use super::{Limits, PhotoError};

const FORMAT: &str = "JPEG 2000";

/// What a stream begins with: its start, and the marker of its size.
const STREAM: [u8; 4] = [0xff, 0x4f, 0xff, 0x51];

/// Whether the first bytes are those of a stream, or of a container with one in it.
pub(super) fn recognise(bytes: &[u8]) -> bool {
    bytes.starts_with(&STREAM) || bytes.starts_with(b"\0\0\0\x0cjP  \x0d\x0a\x87\x0a")
}

pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Stored, PhotoError> {
    let broken =
        |error: &dyn std::fmt::Display| PhotoError::Broken { format: FORMAT, reason: error.to_string() };
    if is_high_throughput(bytes) {
        return Err(PhotoError::Unsupported {
            format: FORMAT,
            reason: "high-throughput coding (part 15)".into(),
        });
    }
    let settings = DecodeSettings { strict: true, ..DecodeSettings::default() };
    let image = Image::new(bytes, &settings).map_err(|error| broken(&error))?;
    let (width, height) = (image.width(), image.height());
    check_size(width, height, limits)?;
    // A stream without a container does not say what a second or fourth component is; OpenJPEG takes it for alpha.
    let bare = bytes.starts_with(&STREAM);
    let (inks, unsaid) = match image.color_space() {
        ColorSpace::CMYK if bare => (false, true),
        ColorSpace::Gray | ColorSpace::RGB => (false, false),
        ColorSpace::CMYK => (true, false),
        ColorSpace::Icc { num_channels, .. } => (*num_channels == 4, false),
        ColorSpace::Unknown { num_channels } => (false, matches!(num_channels, 2 | 4)),
    };
    let alpha = image.has_alpha() || unsaid;
    let mut context = DecoderContext::default();
    let decoded = image.decode(&mut context).map_err(|error| broken(&error))?;
    let channels = decoded.components().len();
    let samples = decoded.data_u8();
    let mut rgb = Vec::with_capacity(width as usize * height as usize * 3);
    for pixel in samples.chunks_exact(channels.max(1)) {
        rgb.extend(match (pixel, inks, alpha) {
            ([c, m, y, k, ..], true, _) => {
                [*c, *m, *y].map(|ink| ((255 - u32::from(ink)) * (255 - u32::from(*k)) / 255) as u8)
            }
            ([grey], ..) | ([grey, _], false, false) => [*grey; 3],
            ([grey, a], ..) => [blend(*grey, *a); 3],
            ([r, g, b, a], false, true) => [*r, *g, *b].map(|value| blend(value, *a)),
            ([r, g, b, ..], ..) => [*r, *g, *b],
            ([], ..) => break,
        });
    }
    Ok(Stored { width, height, rgb, orientation: None, notes: Vec::new() })
}

/// Whether the stream's blocks are coded as part 15 of the standard has it (ITU T.814), which its main header says.
fn is_high_throughput(bytes: &[u8]) -> bool {
    let Some(start) = bytes.windows(4).position(|four| four == STREAM) else { return false };
    // Behind the start marker come segments with their lengths, up to the first tile.
    let mut rest = bytes.get(start + 2..).unwrap_or_default();
    while let [0xff, marker, high, low, ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let segment = rest.get(4..2 + length).unwrap_or_default();
        let block_style = match marker {
            // The first tile.
            0x90 => return false,
            // How blocks are coded.
            0x52 => segment.get(8),
            _ => None,
        };
        let capabilities = (*marker == 0x50).then(|| segment.first_chunk::<4>()).flatten();
        if block_style.is_some_and(|style| style & 0x40 != 0)
            || capabilities.is_some_and(|parts| u32::from_be_bytes(*parts) & 1 << 17 != 0)
        {
            return true;
        }
        rest = rest.get(2 + length..).unwrap_or_default();
    }
    false
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn high_throughput_is_refused_by_its_name() {
        for name in ["alpha.j2k", "colour.jp2"] {
            let path = format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
            let bytes = std::fs::read(path).unwrap();
            assert!(decode(&bytes, &Limits::default()).is_ok(), "{name}");
            let refused = |bytes: &[u8]| {
                let said = decode(bytes, &Limits::default()).err().unwrap().to_string();
                assert!(said.contains("high-throughput coding (part 15)"), "{name}: {said}");
            };
            // The bit of each block's style.
            let style = bytes.windows(2).position(|two| two == [0xff, 0x52]).unwrap() + 4 + 8;
            let mut styled = bytes.clone();
            styled[style] |= 0x40;
            refused(&styled);
            // The capability that the whole stream asks for, behind the size.
            let size = bytes.windows(4).position(|four| four == STREAM).unwrap() + 4;
            let length = usize::from(u16::from_be_bytes([bytes[size], bytes[size + 1]]));
            let (before, behind) = bytes.split_at(size + length);
            refused(&[before, &[0xff, 0x50, 0, 8, 0, 2, 0, 0, 0, 0], behind].concat());
        }
    }
}
