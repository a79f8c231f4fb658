//! From the bytes of a file to an upright RGB image.

use std::error::Error;
use std::io::{Cursor, ErrorKind};

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, RgbImage, Rgba};

use super::kind::{Kind, recognise};
use super::{Limits, Note, Photo, PhotoError, heif, jp2, jpeg, jxl, orientation, png, raw, tiff, webp};

/// An image as its file stores it.
pub(super) struct Stored {
    pub(super) width: u32,
    pub(super) height: u32,
    /// Three bytes a pixel.
    pub(super) rgb: Vec<u8>,
    /// How it is to be turned, 1 to 8, where the file says so.
    pub(super) orientation: Option<u8>,
    pub(super) notes: Vec<Note>,
}

/// `turned` replaces what the file says of its orientation.
pub(super) fn decode(bytes: &[u8], limits: &Limits, turned: Option<u8>) -> Result<Photo, PhotoError> {
    if bytes.is_empty() {
        return Err(PhotoError::Empty);
    }
    if bytes.len() as u64 > limits.max_bytes {
        return Err(PhotoError::TooManyBytes { bytes: bytes.len() as u64, limit: limits.max_bytes });
    }
    let kind = recognise(bytes)?;
    let stored = match kind {
        Kind::Jpeg => jpeg::decode(bytes, limits)?,
        Kind::Tiff => tiff::decode(bytes, limits)?,
        Kind::Heif(format) => heif::decode(bytes, format, limits)?,
        Kind::JpegXl => jxl::decode(bytes, limits)?,
        Kind::Jpeg2000 => jp2::decode(bytes, limits)?,
        Kind::Raw(maker) => raw::decode(bytes, maker, limits)?,
        Kind::Other(format, name) => decode_other(bytes, format, name, limits)?,
    };
    let Stored { width, height, rgb, orientation, notes } = stored;
    let turned = turned.filter(|_| !kind.is_turned());
    let turn = turned.or(orientation).and_then(Orientation::from_exif).unwrap_or(Orientation::NoTransforms);
    let photo = if turn == Orientation::NoTransforms {
        Photo::new(width, height, rgb)?
    } else {
        let bytes = rgb.len();
        let image = RgbImage::from_raw(width, height, rgb);
        let image = image.ok_or(PhotoError::WrongLength { width, height, bytes })?;
        let mut image = DynamicImage::from(image);
        image.apply_orientation(turn);
        image.into_rgb8().try_into()?
    };
    Ok(photo.with_notes(notes))
}

/// Refuses a size that is nothing or beyond the limit.
pub(super) fn check_size(width: u32, height: u32, limits: &Limits) -> Result<(), PhotoError> {
    if width == 0 || height == 0 {
        return Err(PhotoError::NoPixels { width, height });
    }
    if u64::from(width) * u64::from(height) > limits.max_pixels {
        return Err(PhotoError::TooManyPixels { width, height, limit: limits.max_pixels });
    }
    Ok(())
}

/// The orientation that the file asks for, 1 to 8.
///
/// `turned` replaces it, as in [`decode`].
pub(super) fn orientation(bytes: &[u8], limits: &Limits, turned: Option<u8>) -> Result<u8, PhotoError> {
    let kind = recognise(bytes)?;
    if let Some(turned) = turned.filter(|_| !kind.is_turned()) {
        return Ok(turned);
    }
    let found = match kind {
        Kind::Jpeg => jpeg::orientation(bytes),
        Kind::Tiff => tiff::orientation(bytes),
        Kind::Heif(_) | Kind::JpegXl | Kind::Jpeg2000 => None,
        Kind::Raw(_) => raw::orientation(bytes),
        Kind::Other(ImageFormat::Png, _) => png::orientation(bytes),
        Kind::Other(format, name) => embedded_orientation(&mut decoder(bytes, format, name, limits)?),
    };
    Ok(found.unwrap_or(1))
}

fn decode_other(
    bytes: &[u8],
    format: ImageFormat,
    name: &'static str,
    limits: &Limits,
) -> Result<Stored, PhotoError> {
    let (bytes, closed) = match format {
        ImageFormat::Png => png::closed(bytes),
        _ => (bytes.into(), true),
    };
    let cut = |error: PhotoError| match error {
        PhotoError::Broken { format, .. } if !closed => PhotoError::Truncated { format },
        other => other,
    };
    let mut decoder = decoder(&bytes, format, name, limits).map_err(cut)?;
    let orientation = match format {
        ImageFormat::Png => png::orientation(&bytes),
        _ => embedded_orientation(&mut decoder),
    };
    let image = DynamicImage::from_decoder(decoder).map_err(|error| cut(refusal(&error, name)))?;
    let image = if format == ImageFormat::Bmp { opaque(image) } else { image };
    let rgb = over_white(image);
    let notes = if closed { Vec::new() } else { vec![Note::EndMissing { format: name }] };
    Ok(Stored { width: rgb.width(), height: rgb.height(), rgb: rgb.into_raw(), orientation, notes })
}

/// A decoder that has read the header, of a size within the limits.
fn decoder<'a>(
    bytes: &'a [u8],
    format: ImageFormat,
    name: &'static str,
    limits: &Limits,
) -> Result<impl ImageDecoder + use<'a>, PhotoError> {
    let bytes = match format {
        ImageFormat::WebP => webp::whole(bytes).ok_or(PhotoError::Truncated { format: name })?,
        _ => bytes,
    };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    // Sixteen bytes a pixel are the widest that any of the formats stores (four floats), and decoders may
    // hold a copy.
    let mut memory = image::Limits::default();
    memory.max_alloc = Some(limits.max_pixels.saturating_mul(32).saturating_add(16 << 20));
    reader.limits(memory);
    let decoder = reader.into_decoder().map_err(|error| refusal(&error, name))?;
    let (width, height) = decoder.dimensions();
    check_size(width, height, limits)?;
    Ok(decoder)
}

fn embedded_orientation(decoder: &mut impl ImageDecoder) -> Option<u8> {
    let exif = decoder.exif_metadata().ok().flatten();
    let xmp = decoder.xmp_metadata().ok().flatten();
    orientation::of(exif.as_deref(), xmp.as_deref()).or_else(|| {
        let other = decoder.orientation().ok()?;
        (other != Orientation::NoTransforms).then(|| other.to_exif())
    })
}

/// A bitmap whose alpha is zero throughout is one whose writer left the fourth byte alone.
fn opaque(image: DynamicImage) -> DynamicImage {
    match image {
        DynamicImage::ImageRgba8(image) if image.pixels().all(|pixel| pixel.0[3] == 0) => {
            DynamicImage::ImageRgba8(image).into_rgb8().into()
        }
        other => other,
    }
}

/// One value over white.
pub(super) fn blend(value: u8, alpha: u8) -> u8 {
    let (value, alpha) = (u32::from(value), u32::from(alpha));
    ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
}

/// Eight bits of red, green and blue, over white where the image is transparent.
pub(super) fn over_white(image: DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.into_rgb8();
    }
    let image = image.into_rgba8();
    let mut rgb = RgbImage::new(image.width(), image.height());
    for (Rgba([r, g, b, alpha]), to) in image.pixels().zip(rgb.pixels_mut()) {
        to.0 = [*r, *g, *b].map(|value| blend(value, *alpha));
    }
    rgb
}

fn refusal(error: &ImageError, format: &'static str) -> PhotoError {
    if ended_early(error) {
        return PhotoError::Truncated { format };
    }
    match error {
        ImageError::Limits(_) => PhotoError::Unsupported {
            format,
            reason: "decoding it takes far more memory than a picture of its size".into(),
        },
        ImageError::Unsupported(what) => PhotoError::Unsupported { format, reason: what.to_string() },
        other => PhotoError::Broken { format, reason: other.to_string() },
    }
}

/// Whether an end of input lies anywhere below `error`; decoders wrap it in several ways.
fn ended_early(error: &ImageError) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error
            .downcast_ref::<std::io::Error>()
            .is_some_and(|error| error.kind() == ErrorKind::UnexpectedEof)
        {
            return true;
        }
        let says = error.to_string().to_ascii_lowercase();
        if says.contains("unexpected eof")
            || says.contains("unexpected end of")
            || says.contains("failed to fill whole")
        {
            return true;
        }
        cause = error.source();
    }
    false
}
