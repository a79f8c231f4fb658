//! Sidecars as exiftool and exiv2 read them, save them again, and as they are merged afterwards. digiKam, darktable and pyexiv2 write by
//! exiv2, Immich reads by exiftool. Without these programs (Debian: libimage-exiftool-perl, exiv2) there is nothing to test.

use std::path::Path;
use std::process::Command;

use crate::common::{Stage, output};

/// Every attribute is present at this threshold.
const ALL: [&str; 7] =
    ["predict", "photos/p.jpg", "--threshold", "0", "--attributes", "Smiling,Young", "--xmp"];
const FEWER: [&str; 7] = ["predict", "photos/p.jpg", "--threshold", "0", "--attributes", "Bald", "--xmp"];

fn is_there(tool: &str, version: &str) -> bool {
    let there = Command::new(tool).arg(version).output().is_ok_and(|run| run.status.success());
    if !there {
        eprintln!("{tool} is not installed: nothing is tested");
    }
    there
}

/// What a tool says, and without a warning.
fn said(tool: &str, arguments: &[&str], file: &Path) -> String {
    let run = Command::new(tool).args(arguments).arg(file).output().unwrap();
    let (out, error) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success() && !error.to_lowercase().contains("warning"), "{tool}: {out}{error}");
    out.into_owned()
}

fn exiftool(file: &Path, tags: &[&str]) -> Vec<String> {
    let text = said("exiftool", &[&["-s3", "-a", "-sep", ";;"], tags].concat(), file);
    text.lines().flat_map(|line| line.split(";;")).map(str::to_owned).collect()
}

/// A photo in which the tiny model finds faces, as JPEG.
fn stage() -> Stage {
    let stage = Stage::new();
    let image = image::open(stage.path("photos/a.png")).unwrap();
    image.to_rgb8().save(stage.path("photos/p.jpg")).unwrap();
    stage
}

fn faces(stage: &Stage) -> usize {
    let text = output(&mut stage.with_model(&["predict", "photos/p.jpg", "--format", "json"]));
    let pages: serde_json::Value = serde_json::from_str(&text).unwrap();
    pages[0]["faces"].as_array().unwrap().len()
}

#[test]
fn both_read_a_new_sidecar_and_our_entries_are_known_after_they_saved_it() {
    if !is_there("exiftool", "-ver") || !is_there("exiv2", "--version") {
        return;
    }
    let stage = stage();
    let count = faces(&stage);
    let sidecar = stage.path("photos/p.jpg.xmp");
    for (tool, save) in [
        ("exiv2", &["-Mset Xmp.xmp.Rating 4"][..]),
        ("exiftool", &["-q", "-overwrite_original", "-XMP-xmp:Rating=4"]),
        ("exiv2", &["-Madd Xmp.dc.subject XmpBag Holiday"]),
    ] {
        output(&mut stage.with_model(&ALL));
        assert_eq!(exiftool(&sidecar, &["-RegionName"]), vec!["Lineament"; count]);
        assert_eq!(exiftool(&sidecar, &["-RegionDescription"]), vec!["Smiling, Young"; count]);
        let read = said("exiv2", &["-PXkv"], &sidecar);
        assert_eq!(read.matches("mwg-rs:Name").count(), count, "{read}");
        said(tool, save, &sidecar);
        // Other answers: nothing of the old ones is left, nothing is doubled, and what was set stays.
        output(&mut stage.with_model(&FEWER));
        let subject = exiftool(&sidecar, &["-XMP-dc:Subject"]);
        assert!(
            subject.contains(&"Bald".to_owned()) && !subject.contains(&"Young".to_owned()),
            "{subject:?}"
        );
        assert_eq!(exiftool(&sidecar, &["-RegionDescription"]), vec!["Bald"; count], "{tool}");
        assert_eq!(exiftool(&sidecar, &["-XMP-lr:HierarchicalSubject"]), ["Lineament|Bald"]);
        assert_eq!(exiftool(&sidecar, &["-XMP-xmp:Rating"]), ["4"], "{tool}");
        let before = stage.text("photos/p.jpg.xmp");
        output(&mut stage.with_model(&FEWER));
        assert_eq!(stage.text("photos/p.jpg.xmp"), before, "a second run changes nothing");
    }
    assert_eq!(exiftool(&sidecar, &["-XMP-dc:Subject"]), ["Holiday", "Bald"]);
}

#[test]
fn what_is_embedded_is_in_the_new_sidecar() {
    if !is_there("exiftool", "-ver") || !is_there("exiv2", "--version") {
        return;
    }
    let stage = stage();
    let photo = stage.path("photos/p.jpg");
    let written = [
        "-overwrite_original",
        "-q",
        "-XMP-dc:Description=At the lake",
        "-XMP-xmp:Rating=5",
        "-XMP-digiKam:TagsList=Trips/Holiday",
        "-IPTC:Keywords=Holiday",
        "-IPTC:City=Zürich",
        "-EXIF:Artist=Ann",
        "-EXIF:Orientation#=6",
        "-RegionInfo={AppliedToDimensions={W=120,H=100,Unit=pixel},RegionList=[{Name=Ann,Type=Face,Area={X=0.5,Y=0.5,W=0.02,H=0.02,Unit=normalized}}]}",
    ];
    said("exiftool", &written, &photo);
    let before = std::fs::read(&photo).unwrap();
    output(&mut stage.with_model(&ALL));
    assert_eq!(std::fs::read(&photo).unwrap(), before);
    let sidecar = stage.path("photos/p.jpg.xmp");
    let tag = |name: &str| exiftool(&sidecar, &[name]);
    assert_eq!(tag("-XMP-dc:Description"), ["At the lake"]);
    assert_eq!(tag("-XMP-xmp:Rating"), ["5"]);
    assert_eq!(tag("-XMP-dc:Subject"), ["Holiday", "Smiling", "Young"]);
    assert_eq!(tag("-XMP-digiKam:TagsList"), ["Trips/Holiday", "Lineament/Smiling", "Lineament/Young"]);
    assert_eq!(tag("-XMP-photoshop:City"), ["Zürich"]);
    assert_eq!(tag("-XMP-dc:Creator"), ["Ann"]);
    assert!(tag("-RegionName").contains(&"Ann".to_owned()));
    said("exiv2", &["-PXkv"], &sidecar);
}
