#!/bin/sh
# heic-rs 0.1.4 mirrors an image along the other axis than libheif and libavif do.
#
# Seen on 2026-11-30: `imir` with mode 1 exchanges left and right by ISO/IEC 23008-12 (since its amendment of 2021), in libavif and in libheif 1.15.
# heic_rs::props parses it as Mirror::TopBottom, and mode 0 as Mirror::LeftRight, with "axis" for what is called "mode" now.
# crates/lineament/src/photo/heif exchanges the two.
#
# Needs cargo, and the network for the crate. Fails when what is seen changes.
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
heic-rs = { version = "=0.1.4", default-features = false }
TOML
cat > src/main.rs <<'RUST'
use heic_rs::boxes::BoxIter;
use heic_rs::props::simple::parse_imir;

fn main() {
    for mode in [0u8, 1] {
        // A box of nine bytes: its length, its name and the mode.
        let bytes = [0, 0, 0, 9, b'i', b'm', b'i', b'r', mode];
        let found = BoxIter::new(&bytes).require(b"imir", "imir").unwrap();
        println!("{mode} {:?}", parse_imir(&found).unwrap());
    }
}
RUST
cargo run --quiet > seen
cat seen
printf '0 LeftRight\n1 TopBottom\n' | diff - seen
