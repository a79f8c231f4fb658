//! Pixels of Python, in any object with the buffer protocol: arrays of numpy, memoryviews.

use image::{DynamicImage, GrayAlphaImage, GrayImage, ImageBuffer, RgbImage, RgbaImage};
use lineament::Photo;
use pyo3::buffer::{Element, ElementType, PyBuffer, PyUntypedBuffer};
use pyo3::prelude::*;

/// Height, width and channels.
type Shape = (u32, u32, usize);

/// The photo that a file of the same samples would be: sixteen bits rounded to eight, transparency over white.
///
/// # Errors
/// Says what is read, and what this is.
pub fn photo(given: &Bound<'_, PyAny>) -> Result<Photo, String> {
    let Ok(buffer) = PyUntypedBuffer::get(given) else {
        let kind = given.get_type().name().map_or_else(|_| "something else".into(), |name| name.to_string());
        return Err(format!(
            "a picture is given as a path, the bytes of a file, an array of height x width x channels, or a PIL image; this is {kind}"
        ));
    };
    let shape = shape(buffer.shape())?;
    let py = given.py();
    let image = match element(&buffer) {
        ElementType::UnsignedInteger { bytes: 1 } => eight(shape, values::<u8>(py, &buffer)?),
        ElementType::UnsignedInteger { bytes: 2 } => sixteen(shape, values::<u16>(py, &buffer)?),
        ElementType::Float { bytes: 4 } => floats(shape, values::<f32>(py, &buffer)?)?,
        ElementType::Float { bytes: 8 } => {
            floats(shape, values::<f64>(py, &buffer)?.into_iter().map(|value| value as f32).collect())?
        }
        _ => return Err(format!("values of the kind {:?} {WANTED}", buffer.format().to_string_lossy())),
    };
    let image = image.ok_or("an array of more values than fit its shape")?;
    Photo::try_from(image).map_err(|error| error.to_string())
}

/// What is said of values that are none.
const WANTED: &str =
    "do not say how bright they are; give uint8 (0 to 255), uint16 (0 to 65535), bool, or floats from 0 to 1";

/// What the buffer holds. pyo3 takes big-endian numbers for native ones (`findings/pyo3-buffer-byte-order.sh`), so that only formats
/// without a byte order are asked for.
fn element(buffer: &PyUntypedBuffer) -> ElementType {
    match buffer.format().to_bytes() {
        [_] | [b'@', _] => ElementType::from_format(buffer.format()),
        _ => ElementType::Unknown,
    }
}

fn values<T: Element>(py: Python<'_>, buffer: &PyUntypedBuffer) -> Result<Vec<T>, String> {
    let typed: &PyBuffer<T> = buffer.as_typed().map_err(|error| error.to_string())?;
    typed.to_vec(py).map_err(|error| error.to_string())
}

/// Grey images come with or without an axis for their channel; Ray puts it first.
fn shape(given: &[usize]) -> Result<Shape, String> {
    let (height, width, channels) = match *given {
        [height, width] => (height, width, 1),
        [height, width, channels @ 1..=4] => (height, width, channels),
        [1, height, width] => (height, width, 1),
        [3 | 4, _, _] => {
            return Err(format!(
                "an array of shape {given:?} has its channels first; give height x width x channels: array.transpose(1, 2, 0)"
            ));
        }
        [_, _, _, 1..=4] => {
            return Err(format!(
                "an array of shape {given:?} holds several pictures; give a list of them: list(array)"
            ));
        }
        _ => {
            return Err(format!(
                "an array of shape {given:?} is no picture; give height x width, or height x width x channels (1 to 4: gray or red, green \
                 and blue, each with or without alpha)"
            ));
        }
    };
    let side = |pixels: usize| u32::try_from(pixels).unwrap_or(u32::MAX);
    Ok((side(height), side(width), channels))
}

fn eight((height, width, channels): Shape, values: Vec<u8>) -> Option<DynamicImage> {
    Some(match channels {
        1 => GrayImage::from_raw(width, height, values)?.into(),
        2 => GrayAlphaImage::from_raw(width, height, values)?.into(),
        3 => RgbImage::from_raw(width, height, values)?.into(),
        _ => RgbaImage::from_raw(width, height, values)?.into(),
    })
}

fn sixteen((height, width, channels): Shape, values: Vec<u16>) -> Option<DynamicImage> {
    Some(match channels {
        1 => DynamicImage::ImageLuma16(ImageBuffer::from_raw(width, height, values)?),
        2 => DynamicImage::ImageLumaA16(ImageBuffer::from_raw(width, height, values)?),
        3 => DynamicImage::ImageRgb16(ImageBuffer::from_raw(width, height, values)?),
        _ => DynamicImage::ImageRgba16(ImageBuffer::from_raw(width, height, values)?),
    })
}

/// Floats have no range of their own: from 0 to 1 is what image files hold, and what other values mean is not guessed.
fn floats(shape: Shape, values: Vec<f32>) -> Result<Option<DynamicImage>, String> {
    let (least, most) = values.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(least, most), value| {
        (least.min(*value), most.max(*value))
    });
    if values.iter().any(|value| value.is_nan()) {
        return Err(format!("values that are no numbers (NaN) {WANTED}"));
    }
    if least < 0.0 || most > 1.0 {
        return Err(format!("floats from {least} to {most} {WANTED}"));
    }
    // As files of floats are read.
    Ok(eight(shape, values.into_iter().map(|value| (value * 255.0 + 0.5) as u8).collect()))
}
