//! From the bytes of a file to an upright RGB image.

use std::error::Error;
use std::io::{Cursor, ErrorKind};

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, RgbImage, Rgba};

use super::{Limits, Photo, PhotoError, exif, jpeg, webp};

pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Photo, PhotoError> {
    if bytes.is_empty() {
        return Err(PhotoError::Empty);
    }
    if bytes.len() as u64 > limits.max_bytes {
        return Err(PhotoError::TooManyBytes { bytes: bytes.len() as u64, limit: limits.max_bytes });
    }
    let (format, name) = recognise(bytes)?;
    let upright = if format == ImageFormat::Jpeg {
        let (width, height, pixels, orientation) = jpeg::decode(bytes, limits)?;
        if orientation == Orientation::NoTransforms {
            return Photo::new(width, height, pixels);
        }
        let stored = RgbImage::from_raw(width, height, pixels).ok_or_else(|| PhotoError::Broken {
            format: name,
            reason: "its rows do not fill its size".into(),
        })?;
        turned(stored.into(), orientation)
    } else {
        decode_other(bytes, format, name, limits)?
    };
    upright.try_into()
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

/// The EXIF orientation, 1 to 8.
pub(super) fn orientation(bytes: &[u8], limits: &Limits) -> Result<u8, PhotoError> {
    let (format, name) = recognise(bytes)?;
    let found = if format == ImageFormat::Jpeg {
        jpeg::orientation(bytes)?
    } else {
        orientation_of(&mut decoder(bytes, format, name, limits)?)
    };
    Ok(found.to_exif())
}

fn decode_other(
    bytes: &[u8],
    format: ImageFormat,
    name: &'static str,
    limits: &Limits,
) -> Result<DynamicImage, PhotoError> {
    let mut decoder = decoder(bytes, format, name, limits)?;
    let orientation = orientation_of(&mut decoder);
    let stored = DynamicImage::from_decoder(decoder).map_err(|error| refusal(&error, name))?;
    Ok(turned(stored, orientation))
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

fn orientation_of(decoder: &mut impl ImageDecoder) -> Orientation {
    match decoder.exif_metadata() {
        Ok(Some(block)) => exif::orientation(&block),
        _ => decoder.orientation().unwrap_or(Orientation::NoTransforms),
    }
}

fn turned(mut image: DynamicImage, orientation: Orientation) -> DynamicImage {
    image.apply_orientation(orientation);
    image
}

/// Eight bits of red, green and blue, over white where the image is transparent.
pub(super) fn over_white(image: DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.into_rgb8();
    }
    let image = image.into_rgba8();
    let mut rgb = RgbImage::new(image.width(), image.height());
    for (Rgba([r, g, b, alpha]), to) in image.pixels().zip(rgb.pixels_mut()) {
        let blend = |colour: u8| {
            let (colour, alpha) = (u32::from(colour), u32::from(*alpha));
            ((colour * alpha + 255 * (255 - alpha) + 127) / 255) as u8
        };
        to.0 = [blend(*r), blend(*g), blend(*b)];
    }
    rgb
}

/// The format by its first bytes; what is not read is named as well as can be.
fn recognise(bytes: &[u8]) -> Result<(ImageFormat, &'static str), PhotoError> {
    let unknown = |found: &str| PhotoError::UnknownFormat { found: found.to_owned() };
    let format = match image::guess_format(bytes) {
        Ok(format) => format,
        Err(_) => return Err(unknown(look(bytes))),
    };
    let name = match format {
        ImageFormat::Jpeg => "JPEG",
        ImageFormat::Png => "PNG",
        ImageFormat::Gif => "GIF",
        ImageFormat::WebP => "WebP",
        ImageFormat::Bmp => "BMP",
        ImageFormat::Tiff => "TIFF",
        ImageFormat::Pnm => "PNM",
        other => {
            return Err(unknown(&format!(
                "this is {}",
                other.extensions_str().first().unwrap_or(&"another format")
            )));
        }
    };
    Ok((format, name))
}

/// What files that people take for images begin with.
fn look(bytes: &[u8]) -> &'static str {
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    let brand = bytes.get(4..12).unwrap_or_default();
    match brand {
        b"ftypheic" | b"ftypheix" | b"ftypmif1" | b"ftyphevc" => {
            return "this is HEIC, as telephones write it";
        }
        _ if brand.starts_with(b"ftyp") => return "this is a film",
        _ => {}
    }
    let text = bytes.get(..bytes.len().min(512)).unwrap_or_default().trim_ascii_start();
    if starts(b"%PDF") {
        "this is PDF"
    } else if starts(b"PK\x03\x04") {
        "this is a ZIP archive"
    } else if starts(b"\x1f\x8b") {
        "this is a gzip archive"
    } else if starts(&[0xff, 0x0a]) || starts(b"\0\0\0\x0cJXL ") {
        "this is JPEG XL"
    } else if starts(b"\0\0\0\x0cjP  ") {
        "this is JPEG 2000"
    } else if starts(b"version https://git-lfs") {
        "this is a pointer of Git LFS, fetch the file itself"
    } else if text.starts_with(b"<svg") || text.starts_with(b"<?xml") {
        "this is SVG or XML"
    } else if text.starts_with(b"<") {
        "this is a web page"
    } else if std::str::from_utf8(text).is_ok_and(|text| !text.contains('\0')) {
        "this looks like text"
    } else {
        "its first bytes are not known"
    }
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
