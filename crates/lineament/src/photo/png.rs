//! The chunks of a PNG that say something of the whole, wherever they stand: its decoder stops at the pixels.

use std::borrow::Cow;

use super::orientation;

const SIGNATURE: usize = 8;

/// The chunk that ends a file, with its checksum.
const END: [u8; 12] = [0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60, 0x82];

/// What text may grow to when it is inflated.
const LARGEST_TEXT: usize = 16 << 20;

/// Name and contents of each whole chunk, up to the end.
struct Chunks<'a> {
    rest: &'a [u8],
}

fn chunks(bytes: &[u8]) -> Chunks<'_> {
    Chunks { rest: bytes.get(SIGNATURE..).unwrap_or_default() }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = (&'a [u8; 4], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (length, rest) = self.rest.split_first_chunk::<4>()?;
        let (name, rest) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let contents = rest.get(..length)?;
        // Four bytes of checksum.
        self.rest = rest.get(length.checked_add(4)?..)?;
        Some((name, contents))
    }
}

/// The file, with the end chunk where that is missing, and whether it was there.
///
/// Whether the pixels are complete is for the decoder to find: their stream has an end of its own.
pub(super) fn closed(bytes: &[u8]) -> (Cow<'_, [u8]>, bool) {
    let mut whole = chunks(bytes);
    if whole.by_ref().any(|(name, _)| name == b"IEND") {
        return (Cow::Borrowed(bytes), true);
    }
    let end = bytes.len() - whole.rest.len();
    let mut mended = bytes.get(..end).unwrap_or_default().to_vec();
    mended.extend(END);
    (Cow::Owned(mended), false)
}

/// The orientation that the file asks for, 1 to 8: in EXIF, before or behind the pixels or as text, in XMP, or
/// in what ImageMagick notes.
pub(super) fn orientation(bytes: &[u8]) -> Option<u8> {
    let (mut exif, mut xmp, mut noted) = (None, None, None);
    for (name, contents) in chunks(bytes) {
        if name == b"eXIf" {
            exif = orientation::in_exif(contents).or(exif);
        }
        let Some((keyword, text)) = text(name, contents) else { continue };
        match keyword {
            b"Raw profile type exif" | b"Raw profile type APP1" | b"Raw profile type xmp" => {
                let Some(profile) = profile(&text) else { continue };
                let block = profile.strip_prefix(b"http://ns.adobe.com/xap/1.0/\0").unwrap_or(&profile);
                exif = exif.or_else(|| orientation::in_exif(block));
                xmp = xmp.or_else(|| orientation::in_xmp(block));
            }
            b"XML:com.adobe.xmp" => xmp = orientation::in_xmp(&text).or(xmp),
            b"exif:Orientation" | b"tiff:Orientation" => {
                let value = std::str::from_utf8(&text).ok().and_then(|text| text.trim().parse().ok());
                noted = value.filter(|value| (1..=8).contains(value));
            }
            _ => {}
        }
    }
    exif.or(xmp).or(noted)
}

/// Keyword and text of a text chunk (PNG, 11.3.3).
fn text<'a>(name: &[u8; 4], contents: &'a [u8]) -> Option<(&'a [u8], Cow<'a, [u8]>)> {
    let until_zero = |bytes: &'a [u8]| {
        let at = bytes.iter().position(|&byte| byte == 0)?;
        Some((bytes.get(..at)?, bytes.get(at + 1..)?))
    };
    if !matches!(name, b"tEXt" | b"zTXt" | b"iTXt") {
        return None;
    }
    let (keyword, rest) = until_zero(contents)?;
    let (packed, text) = match name {
        b"tEXt" => (false, rest),
        b"zTXt" => (true, rest.get(1..)?),
        _ => {
            let (&[packed, _], rest) = rest.split_first_chunk::<2>()?;
            let (_language, rest) = until_zero(rest)?;
            let (_translated, rest) = until_zero(rest)?;
            (packed != 0, rest)
        }
    };
    let text = if packed {
        Cow::Owned(miniz_oxide::inflate::decompress_to_vec_zlib_with_limit(text, LARGEST_TEXT).ok()?)
    } else {
        Cow::Borrowed(text)
    };
    Some((keyword, text))
}

/// A block as ImageMagick writes it into text: a name, a length, and then hexadecimal digits.
fn profile(text: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?.trim_start();
    let mut words = text.split_ascii_whitespace();
    let _name = words.next()?;
    let length: usize = words.next()?.parse().ok()?;
    let digits: String = words.collect();
    let bytes: Option<Vec<u8>> = digits
        .as_bytes()
        .chunks_exact(2)
        .map(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok())
        .collect();
    bytes.filter(|bytes| bytes.len() == length)
}
