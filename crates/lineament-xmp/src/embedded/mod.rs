//! What a photo says of itself: XMP, IPTC and EXIF, in whichever container they are.
//!
//! Programs that find a sidecar read it instead of what is embedded. So a new sidecar begins with all of that ([`crate::carried`]).

mod iptc;
mod jpeg;
mod png;
mod riff;
mod scan;

use std::io::Cursor;

use exif::{Context, Exif, Field, In, Tag, Value};

pub use iptc::{Iptc, Record};

/// The most bytes of one kind that are carried: a packet that is larger holds images or editing steps.
pub(crate) const MOST_BYTES: usize = 16 << 20;

/// Metadata of an image, as far as it is there.
#[derive(Default)]
pub struct Embedded {
    /// XMP packets: the main one first, then what JPEG has no room for in it.
    pub xmp: Vec<Vec<u8>>,
    /// IPTC-IIM records.
    pub iptc: Iptc,
    /// EXIF.
    pub exif: Option<Exif>,
}

/// Bytes of each kind, as a container has them.
#[derive(Debug, Default)]
struct Blocks {
    xmp: Vec<Vec<u8>>,
    iptc: Vec<u8>,
    exif: Option<Vec<u8>>,
}

/// TIFF's tags for XMP, and for IPTC: straight, or within Photoshop's resources.
const XMP_TAG: Tag = Tag(Context::Tiff, 700);
const IPTC_TAG: Tag = Tag(Context::Tiff, 33723);
const PHOTOSHOP_TAG: Tag = Tag(Context::Tiff, 34377);

impl Embedded {
    /// Reads the bytes of an image file. What is broken or of an unknown form is not there.
    pub fn read(file: &[u8]) -> Self {
        let mut blocks = match file {
            [0xff, 0xd8, ..] => jpeg::blocks(file),
            [0x89, b'P', b'N', b'G', ..] => png::blocks(file),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => riff::blocks(file),
            _ => Blocks::default(),
        };
        let exif = match blocks.exif.take() {
            Some(block) => exif::Reader::new().continue_on_error(true).read_raw(block),
            // TIFF, and the boxes of HEIF and AVIF.
            None => exif::Reader::new().continue_on_error(true).read_from_container(&mut Cursor::new(file)),
        };
        // A damaged entry takes nothing from the others.
        let exif = exif.or_else(|error| error.distill_partial_result(|_| {})).ok();
        let bytes =
            |tag: Tag| exif.as_ref().and_then(|exif| exif.get_field(tag, In::PRIMARY)).and_then(bytes);
        if blocks.xmp.is_empty() {
            blocks.xmp.extend(bytes(XMP_TAG));
        }
        if blocks.xmp.is_empty() && !file.starts_with(&[0xff, 0xd8]) {
            blocks.xmp.extend(scan::packet(file));
        }
        if blocks.iptc.is_empty() {
            let resources = || bytes(PHOTOSHOP_TAG).map(|resources| iptc::in_resources(&resources));
            blocks.iptc = bytes(IPTC_TAG).or_else(resources).unwrap_or_default();
        }
        blocks.xmp.retain(|packet| !packet.is_empty() && packet.len() <= MOST_BYTES);
        Self { xmp: blocks.xmp, iptc: Iptc::read(&blocks.iptc), exif }
    }

    /// Whether nothing is there that a sidecar could hide.
    pub fn is_empty(&self) -> bool {
        self.xmp.is_empty() && self.iptc.records.is_empty() && self.exif.is_none()
    }
}

/// The bytes of a field that holds such; numbers of four bytes are how some write a block of them.
fn bytes(field: &Field) -> Option<Vec<u8>> {
    match &field.value {
        Value::Byte(bytes) | Value::Undefined(bytes, _) => Some(bytes.clone()),
        Value::SByte(bytes) => Some(bytes.iter().map(|byte| byte.cast_unsigned()).collect()),
        Value::Ascii(parts) => Some(parts.join(&0)),
        Value::Long(words) => Some(words.iter().flat_map(|word| word.to_le_bytes()).collect()),
        _ => None,
    }
}

/// Text without what XML does not allow, and without white space around it.
pub(crate) fn plain(text: &str) -> String {
    let is_allowed = |c: &char| match c {
        '\t' | '\n' | '\r' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        c => !c.is_control(),
    };
    text.chars().filter(is_allowed).collect::<String>().trim().to_owned()
}

/// A part of a file; nothing where it reaches beyond the end.
fn part(file: &[u8], at: usize, length: usize) -> Option<&[u8]> {
    file.get(at..at.checked_add(length)?)
}

/// A number of bytes, the highest first.
fn number(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |number, byte| number << 8 | usize::from(*byte))
}
