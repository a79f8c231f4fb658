//! JPEG of every legal layout, written by a small encoder whose blocks are flat: four coloured quarters.

use lineament::{Note, PhotoError};

use crate::{BLUE, GREEN, GREY, RED, assert_quarters, decode, quarters};

const SIDE: usize = 128;

/// The scans of a file.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Scans {
    Together,
    Apart([usize; 3]),
    LumaThenChroma,
    /// DC in two passes, AC apart.
    Progressive,
}

struct Jpeg {
    /// Sampling factors of each component.
    factors: [(usize, usize); 3],
    scans: Scans,
    /// Units between restart markers.
    restart: usize,
    precision: u8,
}

/// Bits of a scan, with 0xff stuffed.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    held: u32,
    count: u32,
}

impl Bits {
    fn put(&mut self, value: u32, count: u32) {
        for bit in (0..count).rev() {
            self.held = self.held << 1 | value >> bit & 1;
            self.count += 1;
            if self.count == 8 {
                self.bytes.push(self.held as u8);
                if self.held == 0xff {
                    self.bytes.push(0);
                }
                (self.held, self.count) = (0, 0);
            }
        }
    }

    fn marker(&mut self, marker: u8) {
        while self.count > 0 {
            self.put(1, 1);
        }
        self.bytes.extend([0xff, marker]);
    }
}

fn segment(file: &mut Vec<u8>, marker: u8, contents: &[u8]) {
    file.extend([0xff, marker]);
    file.extend((contents.len() as u16 + 2).to_be_bytes());
    file.extend(contents);
}

fn luma([r, g, b]: [u8; 3]) -> [f64; 3] {
    let [r, g, b] = [r, g, b].map(f64::from);
    [
        0.299 * r + 0.587 * g + 0.114 * b,
        128.0 - 0.168736 * r - 0.331264 * g + 0.5 * b,
        128.0 + 0.5 * r - 0.418688 * g - 0.081312 * b,
    ]
}

impl Jpeg {
    fn ordinary() -> Self {
        Self { factors: [(2, 2), (1, 1), (1, 1)], scans: Scans::Together, restart: 0, precision: 8 }
    }

    fn largest(&self) -> (usize, usize) {
        let across = self.factors.iter().map(|factor| factor.0).max().unwrap();
        (across, self.factors.iter().map(|factor| factor.1).max().unwrap())
    }

    /// The DC coefficient of a block, by where its middle lies in the image.
    fn dc(&self, component: usize, x: usize, y: usize) -> i32 {
        let ((h, v), (across, down)) = (self.factors[component], self.largest());
        let right = (x * 8 + 4) * across / h >= SIDE / 2;
        let low = (y * 8 + 4) * down / v >= SIDE / 2;
        let colour = [[RED, GREEN], [BLUE, GREY]][usize::from(low)][usize::from(right)];
        // Steps of 8, so that a coefficient is a level.
        let level = luma(colour)[component] - 128.0;
        (level * if self.precision == 12 { 16.0 } else { 1.0 }).round() as i32
    }

    fn scan(&self, file: &mut Vec<u8>, parts: &[usize], band: (u8, u8), bits: u8) {
        let mut header = vec![parts.len() as u8];
        parts.iter().for_each(|part| header.extend([*part as u8 + 1, 0]));
        header.extend([band.0, band.1, bits]);
        segment(file, 0xda, &header);
        let (high, low) = (bits >> 4, bits & 15);
        let (across, down) = self.largest();
        let units = |size: usize| SIDE.div_ceil(8 * size);
        let (columns, rows) = match parts {
            [part] => {
                let (h, v) = self.factors[*part];
                ((SIDE * h).div_ceil(across).div_ceil(8), (SIDE * v).div_ceil(down).div_ceil(8))
            }
            _ => (units(across), units(down)),
        };
        let mut out = Bits::default();
        let (mut last, mut since, mut markers) = ([0; 3], 0, 0);
        for y in 0..rows {
            for x in 0..columns {
                if self.restart > 0 && since == self.restart {
                    out.marker(0xd0 + markers % 8);
                    (last, since, markers) = ([0; 3], 0, markers + 1);
                }
                since += 1;
                for &part in parts {
                    let (h, v) = if parts.len() == 1 { (1, 1) } else { self.factors[part] };
                    for block in 0..h * v {
                        let value = self.dc(part, x * h + block % h, y * v + block / h);
                        if band.0 == 0 && high > 0 {
                            out.put((value >> low & 1) as u32, 1);
                        } else if band.0 == 0 {
                            let difference = (value >> low) - last[part];
                            last[part] = value >> low;
                            let size = 32 - difference.unsigned_abs().leading_zeros();
                            out.put(size, 4);
                            out.put(
                                (difference - i32::from(difference < 0)) as u32 & ((1 << size) - 1),
                                size,
                            );
                        }
                        if band.1 > 0 {
                            // The end of the block.
                            out.put(0, 1);
                        }
                    }
                }
            }
        }
        while out.count > 0 {
            out.put(1, 1);
        }
        file.extend(out.bytes);
    }

    fn write(&self) -> Vec<u8> {
        let mut file = vec![0xff, 0xd8];
        segment(&mut file, 0xdb, &[&[0][..], &[8; 64]].concat());
        let side = (SIDE as u16).to_be_bytes();
        let mut frame = [&[self.precision], &side[..], &side, &[3]].concat();
        for (index, (h, v)) in self.factors.iter().enumerate() {
            frame.extend([index as u8 + 1, (h << 4 | v) as u8, 0]);
        }
        let marker = match (self.scans, self.precision) {
            (Scans::Progressive, _) => 0xc2,
            (_, 12) => 0xc1,
            _ => 0xc0,
        };
        segment(&mut file, marker, &frame);
        // Fifteen codes of four bits for DC, one of one bit for AC.
        let mut dc = vec![0, 0, 0, 0, 15];
        dc.extend([0; 12]);
        dc.extend(0..15);
        segment(&mut file, 0xc4, &dc);
        segment(&mut file, 0xc4, &[&[0x10, 1][..], &[0; 15], &[0]].concat());
        segment(&mut file, 0xdd, &(self.restart as u16).to_be_bytes());
        match self.scans {
            Scans::Together => self.scan(&mut file, &[0, 1, 2], (0, 63), 0),
            Scans::Apart(order) => {
                order.iter().for_each(|&part| self.scan(&mut file, &[part], (0, 63), 0));
            }
            Scans::LumaThenChroma => {
                self.scan(&mut file, &[0], (0, 63), 0);
                self.scan(&mut file, &[1, 2], (0, 63), 0);
            }
            Scans::Progressive => {
                self.scan(&mut file, &[0, 1, 2], (0, 0), 0x01);
                (0..3).for_each(|part| self.scan(&mut file, &[part], (1, 63), 0));
                self.scan(&mut file, &[0, 1, 2], (0, 0), 0x10);
            }
        }
        file.extend([0xff, 0xd9]);
        file
    }
}

#[test]
fn every_sampling_and_order_of_scans_shows_its_four_quarters() {
    let factors: Vec<(usize, usize)> = (1..=4).flat_map(|h| (1..=4).map(move |v| (h, v))).collect();
    let mut chroma: Vec<[(usize, usize); 2]> = factors.iter().map(|&both| [both, both]).collect();
    chroma.extend([[(1, 1), (2, 1)], [(2, 2), (1, 2)], [(1, 4), (3, 1)]]);
    let scans = [
        Scans::Together,
        Scans::Apart([0, 1, 2]),
        Scans::Apart([2, 1, 0]),
        Scans::LumaThenChroma,
        Scans::Progressive,
    ];
    for (index, &luma) in factors.iter().enumerate() {
        for &[cb, cr] in &chroma {
            for scans in scans {
                let factors = [luma, cb, cr];
                let together: &[usize] = match scans {
                    Scans::Together | Scans::Progressive => &[0, 1, 2],
                    Scans::LumaThenChroma => &[1, 2],
                    Scans::Apart(_) => &[],
                };
                // ITU T.81 allows ten blocks in a unit.
                if together.iter().map(|&part| factors[part].0 * factors[part].1).sum::<usize>() > 10 {
                    continue;
                }
                let jpeg = Jpeg { factors, scans, restart: index % 3 * 5, precision: 8 };
                let name = format!("{factors:?} {scans:?}");
                let photo = decode(&jpeg.write()).unwrap_or_else(|error| panic!("{name}: {error}"));
                assert_eq!((photo.width(), photo.height()), (128, 128), "{name}");
                assert!(photo.notes().is_empty(), "{name}");
                assert_quarters(&name, &photo, [RED, GREEN, BLUE, GREY], 4);
            }
        }
    }
}

#[test]
fn twelve_bits_become_eight() {
    for scans in [Scans::Together, Scans::Apart([0, 1, 2]), Scans::Progressive] {
        let photo = decode(&Jpeg { scans, precision: 12, ..Jpeg::ordinary() }.write()).unwrap();
        assert_quarters("twelve bits", &photo, [RED, GREEN, BLUE, GREY], 3);
    }
}

#[test]
fn whole_images_without_an_end_are_read_and_cut_ones_refused() {
    for scans in [Scans::Together, Scans::Apart([1, 0, 2]), Scans::Progressive] {
        let whole = Jpeg { scans, restart: 7, ..Jpeg::ordinary() }.write();
        let photo = decode(&whole).unwrap();
        let open = &whole[..whole.len() - 2];
        // What phones put behind a photo, with markers and an end in it.
        let trailers: [&[u8]; 3] = [
            b"",
            b"\0\0SEFH\x6a\0\0\0 some bytes of a phone",
            b"\0\0\xff\xd8\xff\xdb\0\x04ab\xff\xd9 a film",
        ];
        for trailer in trailers {
            let read = decode(&[open, trailer].concat()).unwrap();
            assert_quarters("open", &read, quarters(&photo), 1);
            assert_eq!(read.notes(), [Note::EndMissing { format: "JPEG" }], "{scans:?}");
            assert_eq!(decode(&[&whole, trailer].concat()).unwrap().notes(), []);
        }
        let scan = whole.windows(2).position(|two| two == [0xff, 0xda]).unwrap();
        for length in scan..open.len() - 1 {
            let refused = decode(&whole[..length]);
            assert!(matches!(refused, Err(PhotoError::Truncated { .. })), "{scans:?} {length}: {refused:?}");
        }
    }
}

#[test]
fn components_named_red_green_and_blue_are_these() {
    // Without JFIF or Adobe's marker the names are all that tells.
    let mut file = Jpeg { factors: [(1, 1); 3], ..Jpeg::ordinary() }.write();
    let luma = quarters(&decode(&file).unwrap());
    let frame = file.windows(2).position(|two| two == [0xff, 0xc0]).unwrap();
    let scan = file.windows(2).position(|two| two == [0xff, 0xda]).unwrap();
    for (index, name) in b"RGB".iter().enumerate() {
        file[frame + 10 + index * 3] = *name;
        file[scan + 5 + index * 2] = *name;
    }
    let named = quarters(&decode(&file).unwrap());
    for (seen, colour) in named.iter().zip([RED, GREEN, BLUE, GREY]) {
        let planes = self::luma(colour).map(|value| value.round() as u8);
        assert!(seen.iter().zip(planes).all(|(a, b)| a.abs_diff(b) <= 1), "{seen:?} for {planes:?}");
    }
    assert_ne!(luma, named);
}
