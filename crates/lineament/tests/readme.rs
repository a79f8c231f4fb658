//! The README's Rust example is the program `examples/predict.rs`, and finds what it says from the root of the repository.

#![cfg(feature = "default-model")]
#![allow(clippy::unwrap_used)]

use std::path::Path;

use lineament::Tagger;

#[test]
fn the_readme_shows_the_example() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let (_, example) = include_str!("../examples/predict.rs").split_once("\n\n").unwrap();
    assert!(readme.contains(&format!("```rust\n{example}```")), "copy examples/predict.rs to README.md");
    let photo = root.join("examples/astronaut.png");
    let faces = Tagger::embedded().unwrap().predict(photo).unwrap().faces;
    assert!(faces[0]["Smiling"].present && faces[0].present().count() > 1);
}
