//! JPEG: metadata is in application segments before the first scan.

use std::collections::BTreeMap;

use super::{Blocks, MOST_BYTES, iptc, number, part};

const EXIF: &[u8] = b"Exif\0\0";
const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
/// XMP that does not fit a segment: 32 digits that name the whole, its length, an offset, and the part.
const EXTENDED: &[u8] = b"http://ns.adobe.com/xmp/extension/\0";
const PHOTOSHOP: &[u8] = b"Photoshop 3.0\0";

/// The blocks of a file's own image; those of images behind it are not its.
pub fn blocks(file: &[u8]) -> Blocks {
    let mut blocks = Blocks::default();
    let mut resources = Vec::new();
    let mut extended = BTreeMap::new();
    let mut at = 2;
    while let Some([0xff, marker]) = part(file, at, 2) {
        at += 1;
        match marker {
            // A byte to fill.
            0xff => continue,
            // The first scan, or the end.
            0xda | 0xd9 => break,
            // Without a length.
            0x01 | 0xd0..=0xd8 => {
                at += 1;
                continue;
            }
            _ => {}
        }
        let Some(length) = part(file, at + 1, 2).map(number) else { break };
        let Some(content) = length.checked_sub(2).and_then(|length| part(file, at + 3, length)) else {
            break;
        };
        at += 1 + length;
        match marker {
            0xe1 => {
                if let Some(exif) = content.strip_prefix(EXIF) {
                    blocks.exif.get_or_insert_with(|| exif.to_vec());
                } else if let Some(packet) = content.strip_prefix(XMP) {
                    blocks.xmp.push(packet.to_vec());
                } else if let Some(more) = content.strip_prefix(EXTENDED) {
                    add(&mut extended, more);
                }
            }
            0xed => resources.extend_from_slice(content.strip_prefix(PHOTOSHOP).unwrap_or_default()),
            _ => {}
        }
    }
    blocks.iptc = iptc::in_resources(&resources);
    // The main packet names the one that belongs to it.
    let named =
        |name: &[u8]| blocks.xmp.first().is_some_and(|main| memchr::memmem::find(main, name).is_some());
    let whole = extended.into_iter().find(|(name, _)| named(name)).and_then(|(_, parts)| joined(parts));
    blocks.xmp.truncate(1);
    blocks.xmp.extend(whole);
    blocks
}

/// The length of the whole, and parts by their offsets.
type Parts = (usize, BTreeMap<usize, Vec<u8>>);

fn add(extended: &mut BTreeMap<Vec<u8>, Parts>, segment: &[u8]) {
    let Some((name, rest)) = segment.split_at_checked(32) else { return };
    let (Some(length), Some(offset), Some(bytes)) =
        (part(rest, 0, 4).map(number), part(rest, 4, 4).map(number), rest.get(8..))
    else {
        return;
    };
    if length <= MOST_BYTES {
        let parts = extended.entry(name.to_vec()).or_insert((length, BTreeMap::new()));
        parts.1.entry(offset).or_insert_with(|| bytes.to_vec());
    }
}

fn joined((length, parts): Parts) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    for (offset, bytes) in parts {
        if offset != whole.len() {
            return None;
        }
        whole.extend(bytes);
    }
    (whole.len() == length).then_some(whole)
}
