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
