//! Images whose metadata is damaged in every way a seed can think of: no panic, and a sidecar that merges as any other, or a refusal.

#![allow(clippy::unwrap_used, missing_docs)]

use std::fs;
use std::path::Path;

use lineament_xmp::{Area, Embedded, Message, Region, carried, merge};
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What containers and blocks begin with, put where it does not belong.
#[rustfmt::skip]
const WORDS: [&[u8]; 8] = [
    b"Exif\0\0II*\0", b"8BIM\x04\x04", b"\x1c\x02\x19", b"XMP ", b"eXIf", b"<rdf:li>", b"</rdf:Bag>", b"\xff\xe1\0\x08",
];

fn mutate(bytes: &mut Vec<u8>, random: &mut ChaCha8Rng) {
    for _ in 0..random.random_range(1..8) {
        if bytes.is_empty() {
            return;
        }
        let at = random.random_range(0..bytes.len());
        let end = (at + random.random_range(1..24)).min(bytes.len());
        match random.random_range(0..7) {
            0 => bytes[at] ^= 1 << random.random_range(0..8),
            1 => bytes[at] = *[0, 1, 0x7f, 0x80, 0xff].choose(random).unwrap(),
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(at..end)),
            4 => bytes[at..(at + 4).min(end)].fill(0xff),
            5 => {
                let part = bytes[at..end].to_vec();
                let to = random.random_range(0..bytes.len());
                bytes.splice(to..to, part);
            }
            _ => drop(bytes.splice(at..at, WORDS.choose(random).unwrap().iter().copied())),
        }
    }
}

fn message() -> Message {
    let attributes = vec!["Smiling".to_owned()];
    let area = Area { x: 0.5, y: 0.5, w: 0.1, h: 0.2 };
    Message {
        regions: vec![Region { area, attributes: attributes.clone() }],
        keywords: attributes,
        stored: [640, 480],
        model_label: "tiny 0.0.1 (0123abcd)".to_owned(),
        digikam: true,
    }
}

fn damaged(seeds: std::ops::Range<u64>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/metadata");
    let originals = ["jpeg", "png", "tiff", "webp"].map(|name| fs::read(folder.join(name)).unwrap());
    let full = message();
    for original in &originals {
        let text = carried(&Embedded::read(original)).unwrap();
        assert!(merge(&text, &full).is_ok() && text.contains("suit"), "{text}");
    }
    let mut merges = 0;
    for seed in seeds.clone() {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut bytes = originals.choose(&mut random).unwrap().clone();
        mutate(&mut bytes, &mut random);
        let embedded = Embedded::read(&bytes);
        match carried(&embedded) {
            Ok(text) => {
                if let Ok(merged) = merge(&text, &full) {
                    assert_eq!(merge(&merged, &full).unwrap(), merged, "seed {seed}");
                    merges += 1;
                }
            }
            Err(_) => assert!(!embedded.xmp.is_empty(), "seed {seed}: only XMP is refused"),
        }
    }
    println!("{merges} of {} merge", seeds.end - seeds.start);
    assert!(merges > 0);
}

#[test]
fn damaged_metadata_is_carried_or_refused() {
    damaged(0..2000);
}

#[test]
#[ignore = "minutes; run by hand: cargo test -p lineament-xmp --test damaged -- --ignored"]
fn half_a_million_damaged_files_are_carried_or_refused() {
    damaged(10_000..510_000);
}
