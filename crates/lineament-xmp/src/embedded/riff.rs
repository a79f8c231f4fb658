//! WebP: chunks of a RIFF file.

use super::{Blocks, part};

/// The blocks of a file.
pub fn blocks(file: &[u8]) -> Blocks {
    let mut blocks = Blocks::default();
    let mut at = 12_usize;
    while let (Some(kind), Some([a, b, c, d])) = (part(file, at, 4), part(file, at + 4, 4)) {
        let length = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
        let Some(content) = part(file, at + 8, length) else { break };
        match kind {
            b"EXIF" => {
                let exif = content.strip_prefix(b"Exif\0\0").unwrap_or(content);
                blocks.exif = Some(exif.to_vec());
            }
            b"XMP " => blocks.xmp.push(content.to_vec()),
            _ => {}
        }
        // Chunks begin at even places.
        at += 8 + length + length % 2;
    }
    blocks.xmp.truncate(1);
    blocks
}
