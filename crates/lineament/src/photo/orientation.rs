//! Which way is up: the orientation that cameras and programs leave in EXIF (2.32, tag 0x0112), in XMP
//! (tiff:Orientation) or in a sidecar.

use std::path::{Path, PathBuf};

use quick_xml::events::Event;
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::{NsReader, XmlVersion};

const TIFF: &str = "http://ns.adobe.com/tiff/1.0/";
const PHOTOSHOP: &str = "http://ns.adobe.com/photoshop/1.0/";

/// Sidecars are some kilobytes; what is larger than this is none.
const LARGEST_SIDECAR: u64 = 16 << 20;

/// Orientation 1 to 8 by the blocks that a file holds. EXIF comes first: it is what viewers go by.
pub(super) fn of(exif: Option<&[u8]>, xmp: Option<&[u8]>) -> Option<u8> {
    exif.and_then(in_exif).or_else(|| xmp.and_then(in_xmp))
}

/// Orientation in an EXIF block; nothing where the block is broken, as the pixels are still good.
pub(super) fn in_exif(block: &[u8]) -> Option<u8> {
    // JPEG's marker for the block is often copied along, in whole or in part, to where it does not belong.
    let block = block.strip_prefix(b"Exif\0").unwrap_or(block);
    let block = block.strip_prefix(b"\0").unwrap_or(block);
    let big = match block.get(..4)? {
        b"II\x2a\0" => false,
        b"MM\0\x2a" => true,
        _ => return None,
    };
    let two = |at: usize| {
        let bytes = block.get(at..)?.first_chunk::<2>()?;
        Some(if big { u16::from_be_bytes(*bytes) } else { u16::from_le_bytes(*bytes) })
    };
    let four = |at: usize| {
        let bytes = block.get(at..)?.first_chunk::<4>()?;
        Some(if big { u32::from_be_bytes(*bytes) } else { u32::from_le_bytes(*bytes) })
    };
    let directory = usize::try_from(four(4)?).ok()?;
    for entry in 0..usize::from(two(directory)?) {
        let at = directory.checked_add(2 + entry * 12)?;
        if two(at)? == 0x0112 {
            // A SHORT by the standard; other integers are written too.
            let value = match two(at.checked_add(2)?)? {
                1 | 6 | 7 => u32::from(*block.get(at.checked_add(8)?)?),
                3 | 8 => u32::from(two(at.checked_add(8)?)?),
                4 | 9 => four(at.checked_add(8)?)?,
                _ => return None,
            };
            return known(value);
        }
    }
    None
}

/// Orientation in a block of XMP.
pub(super) fn in_xmp(block: &[u8]) -> Option<u8> {
    known(property(block, TIFF, "Orientation")?.parse().ok()?)
}

/// Orientation in the sidecar of a photo, `photo.jpg.xmp` or `photo.xmp`, if there is one that says so. It
/// counts more than what is in the file: it is there because a program changed its mind about the photo
/// without writing to it.
pub(super) fn in_sidecar(photo: &Path) -> Option<u8> {
    let mut appended = photo.as_os_str().to_owned();
    appended.push(".xmp");
    let own = PathBuf::from(appended);
    if let Some(found) = read(&own).and_then(|block| in_xmp(&block)) {
        return Some(found);
    }
    // Lightroom's belongs to the raw file of that name where it says so.
    let shared = read(&photo.with_extension("xmp"))?;
    let meant = property(&shared, PHOTOSHOP, "SidecarForExtension");
    let ending = photo.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    match meant {
        Some(meant) if !meant.eq_ignore_ascii_case(ending) => None,
        _ => in_xmp(&shared),
    }
}

fn read(path: &Path) -> Option<Vec<u8>> {
    let metadata = std::fs::metadata(path).ok()?;
    if !metadata.is_file() || metadata.len() > LARGEST_SIDECAR {
        return None;
    }
    std::fs::read(path).ok()
}

fn known(value: u32) -> Option<u8> {
    u8::try_from(value).ok().filter(|value| (1..=8).contains(value))
}

/// A simple property of XMP, which is an attribute or an element; the first of that name.
fn property(block: &[u8], space: &str, name: &str) -> Option<String> {
    let text = std::str::from_utf8(block).ok()?;
    let text = text.trim_start_matches('\u{feff}').trim_end_matches(['\0', ' ', '\n', '\r']);
    let mut reader = NsReader::from_str(text);
    let mut inside = false;
    loop {
        match reader.read_event().ok()? {
            Event::Start(element) | Event::Empty(element) => {
                let (of, local) = reader.resolver().resolve_element(element.name());
                inside = is(&of, space) && local.as_ref() == name;
                for attribute in element.attributes().flatten() {
                    let (of, local) = reader.resolver().resolve_attribute(attribute.key);
                    if is(&of, space) && local.as_ref() == name {
                        let value = attribute.normalized_value(XmlVersion::Implicit1_0).ok()?;
                        return Some(value.trim().to_owned());
                    }
                }
            }
            Event::Text(text) if inside => {
                let text = text.trim();
                if !text.is_empty() {
                    return Some(text.to_owned());
                }
            }
            Event::End(_) => inside = false,
            Event::Eof => return None,
            _ => {}
        }
    }
}

fn is(found: &ResolveResult, space: &str) -> bool {
    matches!(found, ResolveResult::Bound(Namespace(bound)) if *bound == space)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orientation_is_read_in_every_integer_type_and_order() {
        for (kind, little, big) in [
            (1u16, [6u8, 0, 0, 0], [6u8, 0, 0, 0]),
            (3, [6, 0, 0, 0], [0, 6, 0, 0]),
            (4, [6, 0, 0, 0], [0, 0, 0, 6]),
            (9, [6, 0, 0, 0], [0, 0, 0, 6]),
        ] {
            let mut block = b"II\x2a\0\x08\0\0\0\x01\0\x12\x01".to_vec();
            block.extend(kind.to_le_bytes());
            block.extend(1u32.to_le_bytes());
            block.extend(little);
            assert_eq!(in_exif(&block), Some(6), "{kind}");
            let mut block = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12".to_vec();
            block.extend(kind.to_be_bytes());
            block.extend(1u32.to_be_bytes());
            block.extend(big);
            assert_eq!(in_exif(&block), Some(6), "{kind}");
            for end in 0..block.len() - 4 {
                assert_eq!(in_exif(&block[..end]), None, "{end}");
            }
        }
    }

    #[test]
    fn xmp_says_it_as_an_attribute_or_an_element_by_any_prefix() {
        let xmp = |inner: &str| {
            format!(
                "\u{feff}<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF \
                 xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>{inner}</rdf:RDF></x:xmpmeta>\0"
            )
        };
        let space = "http://ns.adobe.com/tiff/1.0/";
        let read = |inner: String| in_xmp(xmp(&inner).as_bytes());
        assert_eq!(read(format!("<rdf:Description xmlns:t='{space}' t:Orientation='8'/>")), Some(8));
        let element = format!(
            "<rdf:Description xmlns:tiff='{space}'><tiff:Make>6</tiff:Make>\n<tiff:Orientation> 3\n\
             </tiff:Orientation></rdf:Description>"
        );
        assert_eq!(read(element), Some(3));
        assert_eq!(read(format!("<rdf:Description xmlns:tiff='{space}' tiff:Orientation='9'/>")), None);
        assert_eq!(read("<rdf:Description xmlns:tiff='urn:other' tiff:Orientation='8'/>".into()), None);
    }
}
