//! TIFF in its kinds, written by a small encoder.

use image::codecs::jpeg::JpegEncoder;
use lineament::{Note, Photo, PhotoError};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use crate::{BLUE, GREEN, GREY, RED, assert_quarters, decode};

/// A directory: tags with values of a type.
pub struct Page {
    pub tags: Vec<(u16, u16, Vec<u64>)>,
    /// What StripOffsets or TileOffsets point to.
    pub chunks: Vec<Vec<u8>>,
    /// Directories below, with their chunks.
    pub below: Vec<Page>,
}

#[derive(Clone, Copy, Debug)]
pub struct Order {
    pub big_endian: bool,
    pub large: bool,
}

pub const PLAIN: Order = Order { big_endian: false, large: false };

const ORDERS: [Order; 4] = [
    PLAIN,
    Order { big_endian: true, large: false },
    Order { big_endian: false, large: true },
    Order { big_endian: true, large: true },
];

impl Order {
    fn put(self, file: &mut Vec<u8>, value: u64, size: usize) {
        let bytes = value.to_be_bytes();
        let bytes = &bytes[8 - size..];
        if self.big_endian { file.extend(bytes) } else { file.extend(bytes.iter().rev()) }
    }

    /// 16 bits in this order.
    fn two(self, values: &[u16]) -> Vec<u8> {
        let mut bytes = Vec::new();
        values.iter().for_each(|&value| self.put(&mut bytes, u64::from(value), 2));
        bytes
    }

    pub fn write(self, pages: Vec<Page>) -> Vec<u8> {
        let mut file = if self.big_endian { b"MM".to_vec() } else { b"II".to_vec() };
        self.put(&mut file, if self.large { 43 } else { 42 }, 2);
        if self.large {
            self.put(&mut file, 8, 2);
            self.put(&mut file, 0, 2);
        }
        let mut link = file.len();
        self.put(&mut file, 0, self.offset());
        for page in pages {
            let at = self.page(&mut file, page);
            let mut pointer = Vec::new();
            self.put(&mut pointer, at.0 as u64, self.offset());
            file[link..link + self.offset()].copy_from_slice(&pointer);
            link = at.1;
        }
        file
    }

    fn offset(self) -> usize {
        if self.large { 8 } else { 4 }
    }

    /// Where the directory is, and where its link to the next one.
    fn page(self, file: &mut Vec<u8>, mut page: Page) -> (usize, usize) {
        let mut offsets = Vec::new();
        for chunk in &page.chunks {
            offsets.push(file.len() as u64);
            file.extend(chunk);
        }
        let tiled = page.tags.iter().any(|tag| tag.0 == 322);
        let lengths = page.chunks.iter().map(|chunk| chunk.len() as u64).collect();
        let (first, second) = if tiled { (324, 325) } else { (273, 279) };
        if !offsets.is_empty() {
            page.tags.push((first, 4, offsets));
            page.tags.push((second, 4, lengths));
        }
        let below: Vec<u64> = page.below.drain(..).map(|below| self.page(file, below).0 as u64).collect();
        if !below.is_empty() {
            page.tags.push((330, 4, below));
        }
        page.tags.sort();
        let mut entries = Vec::new();
        for (tag, kind, values) in page.tags {
            let size = match kind {
                3 => 2,
                4 => 4,
                _ => 1,
            };
            let mut bytes = Vec::new();
            values.iter().for_each(|&value| self.put(&mut bytes, value, size));
            if bytes.len() > self.offset() {
                let at = file.len();
                file.extend(bytes);
                bytes = Vec::new();
                self.put(&mut bytes, at as u64, self.offset());
            }
            bytes.resize(self.offset(), 0);
            entries.push((tag, kind, values.len(), bytes));
        }
        let at = file.len();
        self.put(file, entries.len() as u64, if self.large { 8 } else { 2 });
        for (tag, kind, count, bytes) in entries {
            self.put(file, tag.into(), 2);
            self.put(file, kind.into(), 2);
            self.put(file, count as u64, self.offset());
            file.extend(bytes);
        }
        let link = file.len();
        self.put(file, 0, self.offset());
        (at, link)
    }
}

/// A page of one strip.
pub fn page(
    width: u64,
    height: u64,
    bits: &[u64],
    photometric: u64,
    compression: u64,
    strip: Vec<u8>,
) -> Page {
    let tags = vec![
        (256, 3, vec![width]),
        (257, 4, vec![height]),
        (258, 3, bits.to_vec()),
        (259, 3, vec![compression]),
        (262, 3, vec![photometric]),
        (277, 3, vec![bits.len() as u64]),
        (278, 4, vec![height]),
    ];
    Page { tags, chunks: vec![strip], below: Vec::new() }
}

fn with(mut page: Page, tags: &[(u16, u16, Vec<u64>)]) -> Page {
    page.tags.retain(|tag| tags.iter().all(|new| new.0 != tag.0));
    page.tags.extend_from_slice(tags);
    page
}

/// Four quarters of 16 x 16, as one value a quarter.
fn four<T: Copy>(values: [T; 4]) -> Vec<T> {
    (0..1024).map(|at| values[at / 512 * 2 + at % 32 / 16]).collect()
}

fn rgb() -> Vec<u8> {
    four([RED, GREEN, BLUE, GREY]).concat()
}

fn read(name: &str, file: &[u8]) -> Photo {
    decode(file).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn every_order_and_compression_gives_the_same_image() {
    let expected = Photo::new(32, 32, rgb()).unwrap();
    let packed: Vec<u8> = rgb().chunks(96).flat_map(|row| [&[95][..], row].concat()).collect();
    let lzw = weezl::encode::Encoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8).encode(&rgb()).unwrap();
    let deflated = miniz_oxide::deflate::compress_to_vec_zlib(&rgb(), 6);
    let zstandard = compress_to_vec(rgb().as_slice(), CompressionLevel::Fastest);
    let strips =
        [(1, rgb()), (5, lzw), (8, deflated.clone()), (32946, deflated), (32773, packed), (50000, zstandard)];
    for order in ORDERS {
        for (compression, strip) in &strips {
            let file = order.write(vec![page(32, 32, &[8; 3], 2, *compression, strip.clone())]);
            let name = format!("compression {compression}, {order:?}");
            assert_eq!(read(&name, &file), expected, "{name}");
            let mut short = page(32, 32, &[8; 3], 2, *compression, strip.clone());
            short.chunks[0].truncate(strip.len() / 2);
            let cut = decode(&order.write(vec![short]));
            let refused = matches!(cut, Err(PhotoError::Truncated { .. } | PhotoError::Broken { .. }));
            assert!(refused, "half of {name}: {cut:?}");
        }
    }
}

#[test]
fn grey_in_any_number_of_bits_from_either_end() {
    for order in ORDERS {
        for bits in [1u64, 2, 4, 8, 10, 12, 16] {
            let most = (1u64 << bits) - 1;
            let levels = [0, most, most / 2, most];
            let mut strip = Vec::new();
            for row in four(levels).chunks(32) {
                let whole =
                    row.iter().fold(String::new(), |all, v| all + &format!("{v:0w$b}", w = bits as usize));
                let bytes: Vec<u8> = whole
                    .as_bytes()
                    .chunks(8)
                    .map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap())
                    .collect();
                if bits == 16 && !order.big_endian {
                    strip.extend(bytes.chunks(2).flat_map(|two| [two[1], two[0]]));
                } else {
                    strip.extend(bytes);
                }
            }
            let half = (most / 2 * 255 + most / 2) / most;
            let grey = [0, 255, half as u8, 255].map(|level| [level; 3]);
            for (photometric, expected) in [(1, grey), (0, grey.map(|level| level.map(|v| 255 - v)))] {
                let photo =
                    read("grey", &order.write(vec![page(32, 32, &[bits], photometric, 1, strip.clone())]));
                assert_quarters(&format!("{bits} bits {photometric}"), &photo, expected, 1);
            }
        }
    }
}

#[test]
fn palettes_of_four_and_eight_bits_in_wide_and_narrow_colours() {
    for (bits, size) in [(8u64, 256usize), (4, 16)] {
        for wide in [true, false] {
            let mut map = vec![0; size * 3];
            for (index, colour) in [RED, GREEN, BLUE, GREY].iter().enumerate() {
                for (channel, &value) in colour.iter().enumerate() {
                    map[channel * size + index + 3] = u64::from(value) * if wide { 257 } else { 1 };
                }
            }
            let indices = four([3u8, 4, 5, 6]);
            let strip = match bits {
                8 => indices,
                _ => indices.chunks(2).map(|two| two[0] << 4 | two[1]).collect(),
            };
            let file = PLAIN.write(vec![with(page(32, 32, &[bits], 3, 1, strip), &[(320, 3, map)])]);
            assert_eq!(
                read("palette", &file),
                Photo::new(32, 32, rgb()).unwrap(),
                "{bits} bits, wide: {wide}"
            );
        }
    }
}

#[test]
fn planes_tiles_differences_and_wide_samples() {
    let expected = Photo::new(32, 32, rgb()).unwrap();
    let mut planes = page(32, 32, &[8; 3], 2, 1, Vec::new());
    planes.chunks = (0..3).map(|plane| rgb().chunks(3).map(|pixel| pixel[plane]).collect()).collect();
    let planes = with(planes, &[(284, 3, vec![2])]);
    // Four tiles of 16 x 16, one a quarter.
    let mut tiles = page(32, 32, &[8; 3], 2, 1, Vec::new());
    tiles.chunks = [RED, GREEN, BLUE, GREY].iter().map(|colour| colour.repeat(256)).collect();
    tiles.tags.retain(|tag| tag.0 != 278);
    let tiles = with(tiles, &[(322, 3, vec![16]), (323, 3, vec![16])]);
    for (name, page) in [("planes", planes), ("tiles", tiles)] {
        assert_eq!(read(name, &PLAIN.write(vec![page])), expected, "{name}");
    }
    for order in ORDERS {
        let wide: Vec<u16> = rgb().iter().map(|&value| u16::from(value) * 257).collect();
        let mut differences = wide.clone();
        for row in differences.chunks_mut(96) {
            (3..96).rev().for_each(|at| row[at] = row[at].wrapping_sub(row[at - 3]));
        }
        let wide = page(32, 32, &[16; 3], 2, 1, order.two(&wide));
        let differences = page(32, 32, &[16; 3], 2, 1, order.two(&differences));
        for page in [wide, with(differences, &[(317, 3, vec![2])])] {
            assert_eq!(read("wide", &order.write(vec![page])), expected, "{order:?}");
        }
    }
}

#[test]
fn jpeg_in_strips_is_luma_or_red_green_and_blue_as_the_page_says() {
    let mut strip = Vec::new();
    JpegEncoder::new_with_quality(&mut strip, 95)
        .encode(&rgb(), 32, 32, image::ExtendedColorType::Rgb8)
        .unwrap();
    let file = PLAIN.write(vec![page(32, 32, &[8; 3], 6, 7, strip.clone())]);
    assert_quarters("luma", &read("luma", &file), [RED, GREEN, BLUE, GREY], 4);
    let file = PLAIN.write(vec![page(32, 32, &[8; 3], 2, 7, strip)]);
    // The same components, taken for colours.
    let components = [[88, 101, 208], [134, 75, 61], [58, 208, 115], [160, 128, 128]];
    assert_quarters("colours", &read("colours", &file), components, 4);
}

#[test]
fn the_photo_is_read_and_not_its_thumbnail() {
    let thumbnail = || page(2, 2, &[8; 3], 2, 1, vec![0; 12]);
    let photo = || page(32, 32, &[8; 3], 2, 1, rgb());
    let expected = Photo::new(32, 32, rgb()).unwrap();
    let first = read("first", &PLAIN.write(vec![thumbnail(), photo()]));
    assert_eq!((first.notes(), &first), (&[Note::LargestPage { page: 2, of: 2 }][..], &expected));
    let last = read("last", &PLAIN.write(vec![photo(), thumbnail()]));
    assert_eq!((last.notes(), &last), (&[][..], &expected));
    let below = Page { below: vec![photo()], ..thumbnail() };
    let below = read("below", &PLAIN.write(vec![below]));
    assert_eq!((below.notes(), &below), (&[Note::LargestPage { page: 2, of: 1 }][..], &expected));
    // A mask is as large as its photo.
    let mask = with(page(64, 64, &[1], 4, 1, vec![0; 512]), &[(254, 4, vec![4])]);
    assert_eq!(read("mask", &PLAIN.write(vec![mask, photo()])), expected);
}

#[test]
fn alpha_is_blended_over_white_unless_it_says_nothing() {
    let write = |extra: Option<u64>, pixel: [u8; 4]| {
        let mut page = page(1, 1, &[8; 4], 2, 1, pixel.to_vec());
        page.tags.extend(extra.map(|kind| (338, 3, vec![kind])));
        read("alpha", &PLAIN.write(vec![page])).pixels().to_vec()
    };
    assert_eq!(write(Some(2), [100, 50, 0, 51]), [224, 214, 204]);
    assert_eq!(write(Some(1), [20, 10, 0, 51]), [224, 214, 204]);
    assert_eq!(write(Some(0), [100, 50, 0, 51]), [100, 50, 0]);
    assert_eq!(write(Some(2), [100, 50, 0, 0]), [100, 50, 0]);
}

#[test]
fn floating_point_goes_from_zero_to_one_and_another_scale_is_refused() {
    let image = |scale: f32, light: f32| {
        let values: Vec<f32> = rgb().iter().map(|&value| f32::from(value) / 255.0 * scale).collect();
        // The last row may hold lights that are brighter than white.
        let (dark, last) = values.split_at(values.len() - 96);
        let all = dark.iter().copied().chain(last.iter().map(|value| value + light));
        let strip = all.flat_map(f32::to_le_bytes).collect();
        let page = with(page(32, 32, &[32; 3], 2, 1, strip), &[(339, 3, vec![3; 3])]);
        decode(&PLAIN.write(vec![page]))
    };
    assert_eq!(image(1.0, 0.0).unwrap(), Photo::new(32, 32, rgb()).unwrap());
    let lights = image(1.0, 80.0).unwrap();
    assert_eq!(lights.pixel(3, 31).unwrap(), [255; 3]);
    assert_eq!(lights.pixel(3, 3).unwrap(), RED);
    let refused = image(255.0, 0.0).unwrap_err().to_string();
    assert!(refused.contains("floating-point samples up to 200 (they must go from 0 to 1)"), "{refused}");
}

#[test]
fn kinds_that_are_not_read_are_named() {
    let refusal = |page: Page| decode(&PLAIN.write(vec![page])).unwrap_err().to_string();
    assert!(refusal(page(8, 8, &[8; 3], 8, 1, vec![0; 192])).contains("Lab colours"));
    assert!(refusal(page(8, 8, &[8; 3], 2, 34925, vec![0; 192])).contains("LZMA"));
    assert!(refusal(page(8, 8, &[8; 3], 6, 1, vec![0; 192])).contains("chroma of fewer samples"));
    assert!(refusal(page(60_000, 60_000, &[8; 3], 2, 1, vec![0; 192])).contains("60000 x 60000 pixels"));
    assert!(refusal(page(8, 8, &[8; 3], 6, 6, vec![0; 192])).contains("JPEG in the old style"));
}
