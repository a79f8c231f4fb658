//! `lineament predict --xmp` through the binary.

use std::fs;

use crate::common::{Stage, output};
use predicates::prelude::*;
use predicates::str::contains;

const SIDECAR: &str = "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\n <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n  <rdf:Description rdf:about=\"\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" dc:format='image/png'>\n   <dc:subject><rdf:Bag><rdf:li>Holidays</rdf:li></rdf:Bag></dc:subject>\n  </rdf:Description>\n </rdf:RDF>\n</x:xmpmeta>";

/// Every attribute is present at this threshold.
const ALL: [&str; 6] = ["predict", "photos", "--threshold", "0", "--attributes", "Smiling,Young"];

#[test]
fn sidecars_stand_beside_the_images_which_are_not_touched() {
    let stage = Stage::new();
    let before = fs::read(stage.path("photos/a.png")).unwrap();
    output(stage.with_model(&ALL).arg("--xmp"));
    assert_eq!(stage.listing("photos"), ["a.png", "a.png.xmp", "deep", "grey.png", "readme.txt"]);
    assert_eq!(stage.listing("photos/deep"), ["b.png", "b.png.xmp"]);
    assert_eq!(fs::read(stage.path("photos/a.png")).unwrap(), before);
    let sidecar = stage.text("photos/a.png.xmp");
    for said in [
        "<rdf:li>Smiling</rdf:li>",
        "<rdf:li>Lineament|Young</rdf:li>",
        "<rdf:li>Lineament/Young</rdf:li>",
        "<stDim:w>120</stDim:w>",
        "<mwg-rs:Type>Face</mwg-rs:Type>",
        "tiny 0.0.1",
    ] {
        assert!(sidecar.contains(said), "{said} in\n{sidecar}");
    }
    // Again: the same bytes, and the file is not even written.
    let written = fs::metadata(stage.path("photos/a.png.xmp")).unwrap().modified().unwrap();
    output(stage.with_model(&ALL).arg("--xmp"));
    assert_eq!(stage.text("photos/a.png.xmp"), sidecar);
    assert_eq!(fs::metadata(stage.path("photos/a.png.xmp")).unwrap().modified().unwrap(), written);

    output(
        stage
            .with_model(&["predict", "photos/a.png", "--threshold", "0", "--attributes", "Male"])
            .arg("--xmp"),
    );
    let sidecar = stage.text("photos/a.png.xmp");
    assert!(sidecar.contains("<rdf:li>Male</rdf:li>") && !sidecar.contains("Smiling"), "{sidecar}");
}

#[test]
fn a_sidecar_that_is_there_is_merged() {
    let stage = Stage::new();
    fs::write(stage.path("photos/a.xmp"), SIDECAR).unwrap();
    output(stage.with_model(&ALL).arg("--xmp=lightroom"));
    let merged = stage.text("photos/a.xmp");
    assert!(merged.starts_with(&SIDECAR[..SIDECAR.find("</rdf:Bag>").unwrap()]), "{merged}");
    assert!(
        merged.contains("<rdf:li>Holidays</rdf:li><rdf:li>Smiling</rdf:li><rdf:li>Young</rdf:li></rdf:Bag>"),
        "{merged}"
    );
    assert!(merged.ends_with("\n </rdf:RDF>\n</x:xmpmeta>") && !merged.contains("digiKam"), "{merged}");
}

#[test]
fn sidecars_that_cannot_be_merged_are_left_as_they_are() {
    let stage = Stage::new();
    let bomb = format!("<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;\">]>{SIDECAR}");
    for (hostile, said) in [
        (SIDECAR.as_bytes()[..200].to_vec(), "cannot be merged"),
        (bomb.into_bytes(), "document type"),
        (vec![0xff, 0xfe, 0x3c, 0x00], "not in UTF-8"),
        (vec![b' '; (16 << 20) + 1], "more than 16 MB"),
        (b"<a>".repeat(50_000), "nested deeper"),
    ] {
        fs::write(stage.path("photos/a.png.xmp"), &hostile).unwrap();
        let run = stage.with_model(&ALL).args(["--xmp", "--format", "jsonl"]).assert().code(1);
        // The image itself was read, and its page is there.
        run.stdout(contains("photos/a.png")).stderr(contains("a.png.xmp").and(contains(said)));
        assert!(fs::read(stage.path("photos/a.png.xmp")).unwrap() == hostile, "{said}");
        let left = stage.listing("photos").into_iter().filter(|name| name.starts_with(".lineament")).count();
        assert_eq!(left, 0);
    }
}

#[test]
fn two_images_do_not_write_to_one_sidecar() {
    let stage = Stage::new();
    fs::copy(stage.path("photos/a.png"), stage.path("photos/a.bmp.png")).unwrap();
    fs::copy(stage.path("photos/a.png"), stage.path("photos/a.jpg")).unwrap();
    let run = stage.with_model(&ALL).arg("--xmp=lightroom").assert().code(1);
    run.stderr(contains("--xmp=digikam gives each its own"));
    output(stage.with_model(&ALL).arg("--xmp=digikam"));
}
