//! The chunks of a WebP file, looked at before its decoder does.
//!
//! The decoder takes as much memory as a chunk claims to fill, makes up the missing end of an image, and reads on behind the end of the
//! file's contents.

use std::io::Cursor;

use image::codecs::webp::WebPDecoder;
use image::{DynamicImage, ImageDecoder};

use super::decode::{check_size, over_white};
use super::{Limits, PhotoError};

/// A WebP inside of another file: its width, and three bytes a pixel over white.
pub(super) fn rgb(bytes: &[u8], limits: &Limits) -> Result<(u32, Vec<u8>), PhotoError> {
    const FORMAT: &str = "WebP";
    let broken = |error: image::ImageError| PhotoError::Broken { format: FORMAT, reason: error.to_string() };
    let bytes = whole(bytes).ok_or(PhotoError::Truncated { format: FORMAT })?;
    let decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(broken)?;
    let (width, height) = decoder.dimensions();
    check_size(width, height, limits)?;
    let image = DynamicImage::from_decoder(decoder).map_err(broken)?;
    Ok((width, over_white(image).into_raw()))
}

/// The file up to where it says that it ends; `None` where it, or one of its chunks, says that it is longer than the bytes there are.
pub(super) fn whole(bytes: &[u8]) -> Option<&[u8]> {
    let file = bytes.get(..length(bytes.get(4..8)?)?.checked_add(8)?)?;
    let mut chunks = file.get(12..)?;
    while let Some((head, rest)) = chunks.split_at_checked(8) {
        let length = length(head.get(4..)?)?;
        rest.get(..length)?;
        // Chunks begin at even places; behind the last one there may be nothing.
        chunks = rest.get(length.next_multiple_of(2)..).unwrap_or_default();
    }
    Some(file)
}

fn length(field: &[u8]) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(field.try_into().ok()?)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of chunks that hold what nobody decodes.
    fn file(chunks: &[(&[u8; 4], u32, &[u8])]) -> Vec<u8> {
        let mut body = b"WEBP".to_vec();
        for (name, length, contents) in chunks {
            body.extend_from_slice(*name);
            body.extend_from_slice(&length.to_le_bytes());
            body.extend_from_slice(contents);
        }
        let mut file = b"RIFF".to_vec();
        file.extend_from_slice(&(body.len() as u32).to_le_bytes());
        file.extend_from_slice(&body);
        file
    }

    #[test]
    fn a_file_ends_where_it_says() {
        let bytes = file(&[(b"AAAA", 3, b"abc\0"), (b"BBBB", 0, b""), (b"CCCC", 1, b"x")]);
        assert_eq!(whole(&bytes), Some(bytes.as_slice()));
        let mut longer = bytes.clone();
        longer.extend_from_slice(b"EXIF\xff\xff\xff\xff");
        assert_eq!(whole(&longer), Some(bytes.as_slice()));
    }

    #[test]
    fn a_chunk_that_says_it_is_longer_than_the_file_is_missing_its_end() {
        for length in [5, 0x1000, u32::MAX] {
            assert_eq!(whole(&file(&[(b"AAAA", 2, b"ab"), (b"EXIF", length, b"abcd")])), None, "{length}");
            assert_eq!(whole(&file(&[(b"EXIF", length, b"abcd")])), None, "{length}");
        }
        let bytes = file(&[(b"AAAA", 4, b"abcd")]);
        for end in 0..bytes.len() {
            assert_eq!(whole(&bytes[..end]), None, "{end}");
        }
    }
}
