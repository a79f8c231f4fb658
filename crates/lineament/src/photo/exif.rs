//! The orientation that a camera leaves in the EXIF block of an image (EXIF 2.32, tag 0x0112).

use image::metadata::Orientation;

/// Orientation in an EXIF block; upright where the block is broken or says nothing, as the pixels are still
/// good.
pub(super) fn orientation(block: &[u8]) -> Orientation {
    // JPEG's marker for the block is often copied along into PNG and WebP files, where it does not belong.
    let block = block.strip_prefix(b"Exif\0\0").unwrap_or(block);
    Orientation::from_exif_chunk(block).unwrap_or(Orientation::NoTransforms)
}
