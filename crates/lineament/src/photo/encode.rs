//! Photos as bytes of image files.

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};

use super::{Photo, PhotoError};

/// How an image is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Every pixel as it is.
    Png,
    /// At quality 95, colours at full resolution.
    Jpeg,
}

const QUALITY: u8 = 95;

impl Encoding {
    /// How names of such files end.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
        }
    }
}

impl Photo {
    /// The bytes of a file. `software` is who made it: the text `Software` of a PNG, the comment of a JPEG.
    ///
    /// # Errors
    /// A JPEG of more than 65,535 pixels on a side.
    pub fn encode(&self, encoding: Encoding, software: &str) -> Result<Vec<u8>, PhotoError> {
        let encoded = match encoding {
            Encoding::Png => self.encode_png(software).map_err(|error| error.to_string()),
            Encoding::Jpeg => self.encode_jpeg(software).map_err(|error| error.to_string()),
        };
        encoded.map_err(|reason| PhotoError::NotEncoded { reason })
    }

    fn encode_png(&self, software: &str) -> Result<Vec<u8>, png::EncodingError> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width(), self.height());
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        // As the encoder of the crate `image` is set.
        encoder.set_compression(png::Compression::Fast);
        encoder.add_text_chunk("Software".to_owned(), software.to_owned())?;
        let mut writer = encoder.write_header()?;
        writer.write_image_data(self.pixels())?;
        writer.finish()?;
        Ok(bytes)
    }

    fn encode_jpeg(&self, software: &str) -> Result<Vec<u8>, image::ImageError> {
        let mut bytes = Vec::new();
        JpegEncoder::new_with_quality(&mut bytes, QUALITY).write_image(
            self.pixels(),
            self.width(),
            self.height(),
            ExtendedColorType::Rgb8,
        )?;
        Ok(commented(bytes, software))
    }
}

/// The JPEG with a comment behind its first segment, which JFIF wants to stand first.
fn commented(bytes: Vec<u8>, comment: &str) -> Vec<u8> {
    let first = match bytes.as_slice() {
        [0xff, 0xd8, 0xff, 0xe0, high, low, ..] => 4 + usize::from(u16::from_be_bytes([*high, *low])),
        _ => 2,
    };
    let Some((before, after)) = bytes.split_at_checked(first) else { return bytes };
    let Ok(length) = u16::try_from(comment.len() + 2) else { return bytes };
    [before, &[0xff, 0xfe], &length.to_be_bytes(), comment.as_bytes(), after].concat()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::Limits;
    use crate::testing::blocks;

    #[test]
    fn what_is_written_is_read_again() {
        let photo = blocks(90, 70, 3);
        let read = |encoding| {
            let bytes = photo.encode(encoding, "Lineament").unwrap();
            assert!(bytes.windows(9).any(|at| at == b"Lineament"));
            Photo::decode(&bytes, &Limits::default()).unwrap()
        };
        assert_eq!(read(Encoding::Png), photo);
        let jpeg = read(Encoding::Jpeg);
        assert_eq!((jpeg.width(), jpeg.height()), (90, 70));
        let apart = |(a, b): (&u8, &u8)| u64::from(a.abs_diff(*b));
        let mean =
            jpeg.pixels().iter().zip(photo.pixels()).map(apart).sum::<u64>() as f64 / (90.0 * 70.0 * 3.0);
        assert!(mean < 6.0, "{mean}");
    }
}
