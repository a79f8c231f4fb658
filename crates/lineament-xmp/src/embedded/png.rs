//! PNG: metadata is in chunks of text, before the pixels or behind them.

use std::io::Read;

use flate2::read::ZlibDecoder;

use super::{Blocks, MOST_BYTES, iptc, number, part};

/// The keyword of XMP, as its specification has it.
const XMP: &[u8] = b"XML:com.adobe.xmp";

/// Keywords of ImageMagick, which keeps blocks of any kind as hexadecimal digits.
const RAW: &[u8] = b"Raw profile type ";

/// The blocks of a file.
pub fn blocks(file: &[u8]) -> Blocks {
    let mut blocks = Blocks::default();
    let mut at = 8;
    while let (Some(length), Some(kind)) = (part(file, at, 4).map(number), part(file, at + 4, 4)) {
        let Some(content) = part(file, at + 8, length) else { break };
        at += length + 12;
        match kind {
            b"eXIf" => blocks.exif = Some(content.to_vec()),
            b"iTXt" | b"zTXt" | b"tEXt" => {
                let Some((keyword, text)) = text(kind, content) else { continue };
                if keyword == XMP {
                    blocks.xmp.push(text);
                } else if let Some(name) = keyword.strip_prefix(RAW) {
                    add_raw(&mut blocks, name, &text);
                }
            }
            b"IEND" => break,
            _ => {}
        }
    }
    blocks.xmp.truncate(1);
    blocks
}

/// Keyword and text of a chunk.
fn text<'a>(kind: &[u8], content: &'a [u8]) -> Option<(&'a [u8], Vec<u8>)> {
    let (keyword, rest) = split(content)?;
    match kind {
        b"tEXt" => Some((keyword, rest.to_vec())),
        b"zTXt" => Some((keyword, inflated(rest.strip_prefix(&[0])?)?)),
        _ => {
            let compressed = *rest.first()? == 1;
            // The language and the translated keyword.
            let (_, rest) = split(rest.get(2..)?)?;
            let (_, rest) = split(rest)?;
            Some((keyword, if compressed { inflated(rest)? } else { rest.to_vec() }))
        }
    }
}

fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(0, bytes)?;
    Some((bytes.get(..at)?, bytes.get(at + 1..)?))
}

fn inflated(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    ZlibDecoder::new(bytes).take(2 * MOST_BYTES as u64 + 64).read_to_end(&mut text).ok()?;
    Some(text)
}

/// Adds a block that is written as a line feed, its name, its length and digits.
fn add_raw(blocks: &mut Blocks, name: &[u8], text: &[u8]) {
    let digits = text.split(|byte| *byte == b'\n').skip(3).flatten();
    let digits: Vec<u8> = digits
        .filter_map(|digit| char::from(*digit).to_digit(16))
        .filter_map(|d| u8::try_from(d).ok())
        .collect();
    let bytes: Vec<u8> = digits.as_chunks().0.iter().map(|[high, low]| high << 4 | low).collect();
    match name {
        b"xmp" => blocks.xmp.push(bytes),
        b"iptc" | b"8bim" => blocks.iptc = iptc::in_resources(&bytes),
        b"exif" | b"APP1" => {
            let exif = bytes.strip_prefix(b"Exif\0\0").unwrap_or(&bytes);
            blocks.exif.get_or_insert_with(|| exif.to_vec());
        }
        _ => {}
    }
}
