//! JPEG by zune-jpeg, with the truncations named that a lenient decoder fills with grey.

use std::borrow::Cow;

use image::metadata::Orientation;
use zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions};
use zune_jpeg::{JpegDecoder, errors::DecodeErrors};

use super::{Limits, PhotoError, decode::check_size, exif};

const FORMAT: &str = "JPEG";

/// Start-of-frame markers of the codings that are read (ITU T.81, table B.1).
const SEQUENTIAL_0: u8 = 0xc0;
const SEQUENTIAL_1: u8 = 0xc1;
const PROGRESSIVE: u8 = 0xc2;

/// Width, height, RGB bytes as stored, and the orientation to show them in.
pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<(u32, u32, Vec<u8>, Orientation), PhotoError> {
    let Outline { frame, end } = outline(bytes);
    if let Some(reason) = frame.and_then(unsupported) {
        return Err(PhotoError::Unsupported { format: FORMAT, reason: reason.to_owned() });
    }
    let data = match (frame, end) {
        (Some(SEQUENTIAL_0 | SEQUENTIAL_1), Some(end)) => Cow::Owned(open_ended(bytes, end)),
        _ => Cow::Borrowed(bytes),
    };
    // Tolerant of stray bytes between headers, which some cameras write and which harm nothing.
    let lenient = DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(usize::MAX)
        .set_max_height(usize::MAX)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(data.as_ref()), lenient);
    let truncated = PhotoError::Truncated { format: FORMAT };
    let refuse = |error: DecodeErrors| if end.is_some() { broken(&error) } else { truncated.clone() };
    decoder.decode_headers().map_err(refuse)?;
    let (width, height) = decoder.dimensions().unwrap_or((0, 0));
    let (width, height) =
        (u32::try_from(width).unwrap_or(u32::MAX), u32::try_from(height).unwrap_or(u32::MAX));
    check_size(width, height, limits)?;
    if end.is_none() {
        return Err(truncated);
    }
    if let Some(ColorSpace::MultiBand(bands)) = decoder.input_colorspace() {
        return Err(PhotoError::Unsupported { format: FORMAT, reason: format!("{bands} colour components") });
    }
    // Strict about the scans, so that damaged ones are refused in the place of being painted grey.
    decoder.set_options(lenient.set_strict_mode(true));
    let pixels = decoder.decode().map_err(|error| broken(&error))?;
    let orientation = decoder.exif().map_or(Orientation::NoTransforms, |block| exif::orientation(block));
    Ok((width, height, pixels, orientation))
}

/// The orientation to show the image in, from its headers.
pub(super) fn orientation(bytes: &[u8]) -> Result<Orientation, PhotoError> {
    let lenient =
        DecoderOptions::default().set_strict_mode(false).set_max_width(usize::MAX).set_max_height(usize::MAX);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), lenient);
    decoder.decode_headers().map_err(|error| broken(&error))?;
    Ok(decoder.exif().map_or(Orientation::NoTransforms, |block| exif::orientation(block)))
}

/// The file up to its end-of-image marker, and then nothing that stops a decoder but the end of the input.
///
/// Programs that mend truncated files set the marker behind what is left, and zune-jpeg fills the rest of
/// such an image without a word; it does complain where the input ends, but for the last row of blocks. The
/// zeros are what it reads ahead of a full image.
fn open_ended(bytes: &[u8], end: usize) -> Vec<u8> {
    let mut data = bytes.get(..end).unwrap_or_default().to_vec();
    data.extend([0; 8]);
    data
}

fn broken(error: &DecodeErrors) -> PhotoError {
    match error {
        DecodeErrors::Unsupported(kind) => PhotoError::Unsupported {
            format: FORMAT,
            reason: format!("{kind:?}").trim_matches('"').to_owned(),
        },
        DecodeErrors::ExhaustedData | DecodeErrors::FormatStatic("Premature end of buffer") => {
            PhotoError::Truncated { format: FORMAT }
        }
        other => PhotoError::Broken {
            format: FORMAT,
            reason: other.to_string().trim().trim_matches('"').to_owned(),
        },
    }
}

/// What the markers of a file say.
#[derive(Debug, Default, PartialEq)]
struct Outline {
    /// The first start-of-frame marker: how the image is coded.
    frame: Option<u8>,
    /// Where the end-of-image marker begins.
    end: Option<usize>,
}

/// Walks from marker to marker (ITU T.81, annex B), over the lengths of segments, so that the markers of a
/// thumbnail inside of one do not count.
fn outline(bytes: &[u8]) -> Outline {
    let mut seen = Outline::default();
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|&byte| byte == 0xff) {
        rest = rest.get(at..).unwrap_or_default();
        let Some(after) = rest.iter().position(|&byte| byte != 0xff) else { break };
        let marker = rest.get(after).copied().unwrap_or_default();
        rest = rest.get(after + 1..).unwrap_or_default();
        match marker {
            0xd9 => {
                seen.end = Some(bytes.len() - rest.len() - 2);
                break;
            }
            // A stuffed 0xff among the coefficients, and the markers without a segment.
            0x00 | 0x01 | 0xd0..=0xd8 => continue,
            // Tables and extensions lie between the frames.
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => seen.frame = seen.frame.or(Some(marker)),
            _ => {}
        }
        let Some(length) = rest.first_chunk::<2>() else { break };
        let Some(next) = rest.get(usize::from(u16::from_be_bytes(*length))..) else { break };
        rest = next;
    }
    seen
}

/// What a start-of-frame marker asks for, where no decoder here gives it (ITU T.81, table B.1).
fn unsupported(frame: u8) -> Option<&'static str> {
    match frame {
        SEQUENTIAL_0 | SEQUENTIAL_1 | PROGRESSIVE => None,
        0xc3 => Some("lossless coding"),
        0xc5..=0xc7 => Some("hierarchical coding"),
        _ => Some("arithmetic coding"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Outline, outline};

    #[test]
    fn only_an_end_outside_of_segments_counts() {
        let ends = |bytes: &[u8]| outline(bytes).end.is_some();
        assert!(ends(&[0xff, 0xd8, 0xff, 0xd9]));
        assert!(ends(&[0xff, 0xd8, 0xff, 0xe1, 0, 4, 0xff, 0xd9, 0xff, 0xff, 0xd9, 7, 7]));
        assert!(!ends(&[0xff, 0xd8, 0xff, 0xe1, 0, 4, 0xff, 0xd9]));
        assert!(!ends(&[0xff, 0xd8, 0xff, 0xe1, 0, 9, 0xff, 0xd9]));
        assert!(!ends(&[0xff, 0xd8, 0xff, 0xda, 0, 2, 1, 0xff, 0x00, 2, 0xff]));
        assert!(!ends(&[]));
        assert_eq!(outline(&[0xff, 0xd8, 0xff, 0xe1, 0, 4, 0xff, 0xd9, 0xff, 0xff, 0xd9, 7]).end, Some(9));
    }

    #[test]
    fn the_first_frame_tells_the_coding_and_tables_do_not() {
        let file = [0xff, 0xd8, 0xff, 0xc4, 0, 2, 0xff, 0xc9, 0, 2, 0xff, 0xc0, 0, 2];
        assert_eq!(outline(&file), Outline { frame: Some(0xc9), end: None });
    }
}
