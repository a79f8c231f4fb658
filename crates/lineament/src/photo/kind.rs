//! What kind of file it is, by its first bytes.

use image::ImageFormat;

use super::{PhotoError, heif, jp2, jxl, raw};

/// A kind of file that is read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    Jpeg,
    Tiff,
    /// HEIC or AVIF, by its name.
    Heif(&'static str),
    JpegXl,
    Jpeg2000,
    /// The sensor's data, with a preview.
    Raw(&'static str),
    /// What the crate `image` reads, and what people call it.
    Other(ImageFormat, &'static str),
}

impl Kind {
    /// Whether its decoder turns it already, by properties that no sidecar repeats.
    pub(super) fn is_turned(self) -> bool {
        matches!(self, Self::Heif(_) | Self::JpegXl)
    }
}

/// The kind of a file; what is not read is named as well as can be.
pub(super) fn recognise(bytes: &[u8]) -> Result<Kind, PhotoError> {
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    if let Some(maker) = raw::maker(bytes) {
        return Ok(Kind::Raw(maker));
    }
    if let Some(name) = heif::recognise(bytes) {
        return Ok(Kind::Heif(name));
    }
    if jxl::recognise(bytes) {
        return Ok(Kind::JpegXl);
    }
    if jp2::recognise(bytes) {
        return Ok(Kind::Jpeg2000);
    }
    // BigTIFF is 43, and `image` does not know it.
    if starts(b"II\x2b\0") || starts(b"MM\0\x2b") {
        return Ok(Kind::Tiff);
    }
    Ok(match image::guess_format(bytes) {
        Ok(ImageFormat::Jpeg) => Kind::Jpeg,
        Ok(ImageFormat::Tiff) => Kind::Tiff,
        Ok(format @ ImageFormat::Png) => Kind::Other(format, "PNG"),
        Ok(format @ ImageFormat::Gif) => Kind::Other(format, "GIF"),
        Ok(format @ ImageFormat::WebP) => Kind::Other(format, "WebP"),
        Ok(format @ ImageFormat::Bmp) => Kind::Other(format, "BMP"),
        Ok(format @ ImageFormat::Pnm) => Kind::Other(format, "PNM"),
        Ok(other) => {
            let ending = other.extensions_str().first().unwrap_or(&"another format");
            return Err(PhotoError::UnknownFormat { found: format!("this is {ending}") });
        }
        Err(_) => return Err(PhotoError::UnknownFormat { found: look(bytes).to_owned() }),
    })
}

/// What files that people take for images begin with.
fn look(bytes: &[u8]) -> &'static str {
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    if bytes.get(4..8) == Some(b"ftyp") {
        return "this is a film";
    }
    let text = bytes.get(..bytes.len().min(512)).unwrap_or_default().trim_ascii_start();
    if starts(b"%PDF") {
        "this is PDF"
    } else if starts(b"PK\x03\x04") {
        "this is a ZIP archive"
    } else if starts(b"\x1f\x8b") {
        "this is a gzip archive"
    } else if starts(b"8BPS") {
        "this is PSD, as Photoshop writes it"
    } else if starts(b"gimp xcf") {
        "this is XCF, as GIMP writes it"
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
