//! PNG: what stands outside of the pixels, and files without their end.

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use lineament::{Note, PhotoError};

use crate::{decode, exif};

/// Two pixels, one above the other when turned by 6.
fn two() -> Vec<u8> {
    let mut file = Vec::new();
    PngEncoder::new(&mut file).write_image(&[1, 2, 3, 4, 5, 6], 2, 1, ExtendedColorType::Rgb8).unwrap();
    file
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 };
        }
    }
    !crc
}

fn chunk(name: &[u8; 4], contents: &[u8]) -> Vec<u8> {
    let body = [name, contents].concat();
    [&(contents.len() as u32).to_be_bytes()[..], &body, &crc(&body).to_be_bytes()].concat()
}

/// A chunk before the pixels, or behind them.
fn with(chunk: &[u8], before: bool) -> Vec<u8> {
    let mut file = two();
    let at = if before { 33 } else { file.len() - 12 };
    file.splice(at..at, chunk.iter().copied());
    file
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    miniz_oxide::deflate::compress_to_vec_zlib(bytes, 6)
}

#[test]
fn orientation_is_found_before_and_behind_the_pixels_in_exif_text_and_xmp() {
    let block = exif(6, true);
    let digits: String = block.iter().map(|byte| format!("{byte:02x}")).collect();
    // As ImageMagick 6 writes it.
    let profile = format!("\nexif\n{:8}\n{}\n{}\n", block.len(), &digits[..36], &digits[36..]);
    let xmp = "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF \
               xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description \
               xmlns:tiff='http://ns.adobe.com/tiff/1.0/' tiff:Orientation='6'/></rdf:RDF></x:xmpmeta>";
    let marked = [b"Exif\0\0", &block[..]].concat();
    let chunks = [
        chunk(b"eXIf", &block),
        chunk(b"eXIf", &marked),
        chunk(b"zTXt", &[b"Raw profile type exif\0\0", &zlib(profile.as_bytes())[..]].concat()),
        chunk(b"tEXt", &[b"Raw profile type APP1\0", profile.as_bytes()].concat()),
        chunk(b"iTXt", &[b"XML:com.adobe.xmp\0\0\0\0\0", xmp.as_bytes()].concat()),
        chunk(b"iTXt", &[b"XML:com.adobe.xmp\0\x01\0\0\0", &zlib(xmp.as_bytes())[..]].concat()),
        chunk(b"tEXt", b"exif:Orientation\x006"),
    ];
    for (index, chunk) in chunks.iter().enumerate() {
        for before in [true, false] {
            let photo = decode(&with(chunk, before)).unwrap();
            assert_eq!((photo.width(), photo.height()), (1, 2), "chunk {index}, before: {before}");
            assert_eq!(photo.pixels(), [1, 2, 3, 4, 5, 6]);
        }
    }
}

#[test]
fn broken_text_leaves_the_image_as_it_is() {
    for contents in
        [&b"Raw profile type exif\0\0no zlib"[..], b"Raw profile type exif", b"XML:com.adobe.xmp\0"]
    {
        for name in [b"zTXt", b"tEXt", b"iTXt"] {
            assert_eq!(decode(&with(&chunk(name, contents), true)).unwrap().width(), 2);
        }
    }
}

#[test]
fn without_its_end_chunk_a_whole_image_is_read_and_a_cut_one_refused() {
    let file = with(&chunk(b"tEXt", b"Comment\0something"), false);
    let end = file.len() - 12;
    for length in end..file.len() {
        let photo = decode(&file[..length]).unwrap();
        assert_eq!(photo.pixels(), [1, 2, 3, 4, 5, 6]);
        assert_eq!(photo.notes(), [Note::EndMissing { format: "PNG" }], "{length}");
    }
    assert!(decode(&file).unwrap().notes().is_empty());
    let pixels = file.windows(4).position(|name| name == b"IDAT").unwrap();
    for length in 33..pixels + 8 {
        assert_eq!(decode(&file[..length]), Err(PhotoError::Truncated { format: "PNG" }), "{length}");
    }
}
