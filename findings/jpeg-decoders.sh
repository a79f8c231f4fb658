#!/bin/sh
# zune-jpeg 0.5.15 and jpeg-decoder 0.3.2 give other pixels than libjpeg for JPEGs that ITU T.81 allows, and report success.
#
# Seen on 2026-11-30, as mean differences to `djpeg` of libjpeg-turbo 2.1.5 in levels of 255, on one image of 133 x 101 pixels:
#
#   file                                          zune-jpeg   jpeg-decoder
#   baseline, 4:2:0, one scan                     below 1     below 1
#   baseline, 4:2:0, a scan for each component    above 10    below 1
#   baseline, luma 1x1, chroma 2x1                above 10    below 2
#   baseline, luma 2x1, chroma 4x3, three scans   refused     above 10
#
# Of 1516 files that cjpeg wrote (luma 1x1 to 4x4, chroma likewise, scans together, apart and progressive, with restarts), zune-jpeg got 305
# wrong without a word and gave 917 up; jpeg-decoder got 43 wrong and refused 136. So crates/lineament/src/photo/jpeg gives zune-jpeg only
# the layouts that it is right about, and decodes all others itself.
#
# Needs cargo, cjpeg and djpeg (libjpeg-turbo-progs), and the network for the two crates. Fails when what is seen changes.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "finding"
version = "0.0.0"
edition = "2024"
[workspace]
[dependencies]
jpeg-decoder = { version = "=0.3.2", default-features = false }
zune-core = "=0.5.3"
zune-jpeg = "=0.5.15"
TOML
cat > src/main.rs <<'RUST'
use zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions};

fn main() {
    let mut arguments = std::env::args().skip(1);
    while let (Some(file), Some(reference)) = (arguments.next(), arguments.next()) {
        let jpeg = std::fs::read(file).unwrap();
        let ppm = std::fs::read(reference).unwrap();
        let distance = |pixels: Vec<u8>| {
            let expected = &ppm[ppm.len() - pixels.len()..];
            let sum: u64 = pixels.iter().zip(expected).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
            match sum / pixels.len() as u64 {
                0..2 => "right",
                10.. => "wrong",
                _ => "near",
            }
        };
        let options = DecoderOptions::default().set_strict_mode(true).jpeg_set_out_colorspace(ColorSpace::RGB);
        let zune = zune_jpeg::JpegDecoder::new_with_options(ZCursor::new(&jpeg), options).decode();
        let other = jpeg_decoder::Decoder::new(&jpeg[..]).decode();
        println!("{} {}", zune.map_or("refused", distance), other.map_or("refused", distance));
    }
}
RUST
# A gradient in each colour, with an edge.
awk 'BEGIN { printf "P3 133 101 255\n"; for (y = 0; y < 101; y++) for (x = 0; x < 133; x++)
    print 1 + x, 1 + y * 2, (x + y > 110) ? 220 : 30 }' > image.ppm
printf '0;\n1;\n2;\n' > apart
printf '2;\n1;\n0;\n' > back
cjpeg -quality 92 -sample 2x2,1x1,1x1 -outfile a.jpg image.ppm
cjpeg -quality 92 -sample 2x2,1x1,1x1 -scans apart -outfile b.jpg image.ppm
cjpeg -quality 92 -sample 1x1,2x1,2x1 -outfile c.jpg image.ppm
cjpeg -quality 92 -sample 2x1,4x3,4x3 -scans back -outfile d.jpg image.ppm
for file in a b c d; do djpeg -ppm -outfile $file.ppm $file.jpg; done
cargo run --quiet --release -- a.jpg a.ppm b.jpg b.ppm c.jpg c.ppm d.jpg d.ppm > seen
cat seen
printf 'right right\nwrong right\nwrong right\nrefused wrong\n' | diff - seen
