//! Raw files: the camera's preview is the photo.

use image::codecs::jpeg::JpegEncoder;
use lineament::{Note, Photo};

use crate::tiff::{PLAIN, Page, page};
use crate::{BLUE, GREEN, GREY, RED, assert_quarters, decode};

fn jpeg(side: u32) -> Vec<u8> {
    let image = image::RgbImage::from_fn(side, side, |x, y| {
        image::Rgb([[RED, GREEN], [BLUE, GREY]][usize::from(y >= side / 2)][usize::from(x >= side / 2)])
    });
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, 95).encode_image(&image).unwrap();
    file
}

/// A thumbnail, the sensor's data below it, and a preview.
fn raw(preview: Option<u32>, side: u64, orientation: u64) -> Vec<u8> {
    let mut first = page(8, 8, &[8; 3], 2, 1, vec![0; 192]);
    first.tags.push((274, 3, vec![orientation]));
    first.tags.push((50706, 1, vec![1, 4, 0, 0]));
    first.below.push(page(side, side, &[16], 32803, 1, vec![0x55; (side * side * 2) as usize]));
    if let Some(side) = preview {
        let preview = jpeg(side);
        first.below.push(Page { tags: vec![(259, 3, vec![7])], chunks: vec![preview], below: Vec::new() });
    }
    PLAIN.write(vec![first])
}

#[test]
fn the_preview_is_read_turned_and_said() {
    let photo = decode(&raw(Some(64), 100, 1)).unwrap();
    assert_quarters("raw", &photo, [RED, GREEN, BLUE, GREY], 4);
    assert_eq!(photo.notes(), [Note::Preview { width: 64, height: 64 }]);
    let turned = decode(&raw(Some(64), 100, 6)).unwrap();
    assert_quarters("turned", &turned, [BLUE, RED, GREY, GREEN], 4);
}

#[test]
fn a_raw_file_with_a_thumbnail_alone_is_refused_by_name() {
    let small = decode(&raw(Some(40), 100, 1)).unwrap_err().to_string();
    assert!(small.contains("DNG whose only preview is a thumbnail of 40 x 40 pixels"), "{small}");
    let none = decode(&raw(None, 100, 1)).unwrap_err().to_string();
    assert!(none.contains("DNG without a preview"), "{none}");
}

#[test]
fn makers_with_files_of_their_own_are_known() {
    let preview = jpeg(400);
    let read = |head: &[u8]| decode(&[head, &[0; 64], &preview].concat());
    for head in [&b"FUJIFILMCCD-RAW 0201FF383501"[..], b"\0\0\0\x18ftypcrx \0\0\0\x01", b"FOVb\0\0\x02\0"] {
        let photo: Photo = read(head).unwrap();
        assert_eq!(photo.notes(), [Note::Preview { width: 400, height: 400 }]);
    }
}
