//! JPEG: what cameras write by zune-jpeg, all else that is legal by a decoder that takes its time.

mod general;
mod outline;

use std::borrow::Cow;

use zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions};
use zune_jpeg::JpegDecoder;

use super::decode::{Stored, check_size};
use super::{Limits, Note, PhotoError, orientation};
use outline::{Outline, outline};

pub(super) use general::from_luma;

const FORMAT: &str = "JPEG";

/// The image as it is stored.
pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Stored, PhotoError> {
    let seen = outline(bytes);
    if let Some(reason) = seen.unsupported() {
        return Err(PhotoError::Unsupported { format: FORMAT, reason: reason.to_owned() });
    }
    if let Some((width, height)) = seen.size() {
        check_size(width, height, limits)?;
    }
    let orientation = orientation::of(seen.exif, seen.xmp);
    if seen.ordinary()
        && let Some((width, height, rgb)) = quick(bytes, &seen)
    {
        return Ok(Stored { width, height, rgb, orientation, notes: Vec::new() });
    }
    // Also where the quick one finds fault: this one knows what is missing, and reads whole images with
    // what it stumbles over.
    let image = general::decode(bytes, limits, None)?;
    let notes = if image.closed { Vec::new() } else { vec![Note::EndMissing { format: FORMAT }] };
    Ok(Stored { width: image.width, height: image.height, rgb: image.rgb, orientation, notes })
}

/// A JPEG inside of another file that says itself what the components are: `luma` for luma and two differences. Its width, and three bytes
/// a pixel.
pub(super) fn strip(bytes: &[u8], limits: &Limits, luma: bool) -> Result<(u32, Vec<u8>), PhotoError> {
    if let Some(reason) = outline(bytes).unsupported() {
        return Err(PhotoError::Unsupported { format: FORMAT, reason: reason.to_owned() });
    }
    general::decode(bytes, limits, Some(luma)).map(|image| (image.width, image.rgb))
}

/// The orientation to show the image in, 1 to 8, from its headers; `None` where they say nothing.
pub(super) fn orientation(bytes: &[u8]) -> Option<u8> {
    let seen = outline(bytes);
    orientation::of(seen.exif, seen.xmp)
}

/// Width, height and length in bytes of a whole JPEG at the beginning of `bytes`, if it is one that [`decode`] reads.
pub(super) fn size(bytes: &[u8]) -> Option<(u32, u32, usize)> {
    let seen = outline(bytes);
    let (width, height) = seen.size()?;
    seen.unsupported().is_none().then_some((width, height, seen.end? + 2))
}

/// Width, height and RGB bytes by zune-jpeg; `None` where it finds fault.
fn quick(bytes: &[u8], seen: &Outline) -> Option<(u32, u32, Vec<u8>)> {
    let data = match seen.end {
        Some(end) => Cow::Owned(guarded(bytes, end, seen.sequential())),
        None => Cow::Borrowed(bytes),
    };
    // Tolerant of stray bytes between headers, which some cameras write and which harm nothing.
    let lenient = DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(usize::MAX)
        .set_max_height(usize::MAX)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(data.as_ref()), lenient);
    decoder.decode_headers().ok()?;
    let (width, height) = decoder.dimensions()?;
    if matches!(decoder.input_colorspace(), Some(ColorSpace::MultiBand(_))) {
        return None;
    }
    // Strict about the scans, so that damaged ones are refused in the place of being painted grey.
    decoder.set_options(lenient.set_strict_mode(true));
    let pixels = decoder.decode().ok()?;
    Some((u32::try_from(width).ok()?, u32::try_from(height).ok()?, pixels))
}

/// The file up to its end-of-image marker, and then bits that are no code.
///
/// Programs that mend truncated files set the marker behind what is left, and zune-jpeg fills the rest of such an image
/// without a word. A whole image ends before these bits: they are only read ahead of it. Where blocks are missing they
/// are decoded, and a row of ones is never a code (ITU T.81, annex C).
fn guarded(bytes: &[u8], end: usize, sequential: bool) -> Vec<u8> {
    // Each byte of ones is stuffed by one of zeros.
    let mut data = bytes.get(..end).unwrap_or_default().to_vec();
    data.extend([0xff, 0].repeat(16));
    // What comes in passes is over when a marker says so; else the end of the input serves better.
    if !sequential {
        data.extend([0xff, 0xd9]);
    }
    data
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn both_decoders_see_the_same_image() {
        for name in ["baseline", "progressive", "restarts", "plain_rgb", "grey", "cmyk", "ycck"] {
            let path = format!("{}/tests/fixtures/{name}.jpg", env!("CARGO_MANIFEST_DIR"));
            let bytes = std::fs::read(path).unwrap();
            let (_, _, quick) = quick(&bytes, &outline(&bytes)).unwrap();
            let general = general::decode(&bytes, &Limits::default(), None).unwrap();
            let apart = quick.iter().zip(&general.rgb).map(|(a, b)| a.abs_diff(*b)).max();
            assert!(quick.len() == general.rgb.len() && apart <= Some(4), "{name}: {apart:?}");
            assert!(general.closed);
        }
    }

    /// The quick decoder alone would show a part of many of these and say nothing.
    #[test]
    fn an_end_marker_behind_a_cut_does_not_make_it_whole() {
        for name in ["baseline", "progressive", "restarts", "plain_rgb", "grey", "cmyk", "ycck"] {
            let path = format!("{}/tests/fixtures/{name}.jpg", env!("CARGO_MANIFEST_DIR"));
            let bytes = std::fs::read(path).unwrap();
            let scan = bytes.windows(2).rposition(|two| two == [0xff, 0xda]).unwrap();
            let scan = scan + 2 + usize::from(u16::from_be_bytes([bytes[scan + 2], bytes[scan + 3]]));
            let end = outline(&bytes).end.unwrap();
            let mut refused = 0;
            for cut in scan..end {
                let file = [&bytes[..cut], &[0xff, 0xd9]].concat();
                let seen = outline(&file);
                let whole = general::decode(&file, &Limits::default(), None).is_ok();
                assert_eq!(
                    quick(&file, &seen).is_some(),
                    whole,
                    "{name}, {} bytes before the end",
                    end - cut
                );
                refused += usize::from(!whole);
            }
            // The last bits may be filling.
            assert!(refused + 2 >= end - scan, "{name}: {refused} of {} cuts", end - scan);
        }
    }
}
