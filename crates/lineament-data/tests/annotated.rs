//! Labels that come back from other programs.
#![allow(clippy::unwrap_used, missing_docs)]

use std::fs;
use std::path::Path;

use lineament::Rect;
use lineament_data::{Dataset, FindingKind, Layout, Split, layout, table};
use serde_json::{Value, json};

fn folder(value: &Value) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("album")).unwrap();
    fs::create_dir_all(dir.path().join("images")).unwrap();
    for name in ["album/a b.jpg", "c.png", "images/d.jpg", "e.jpg"] {
        fs::write(dir.path().join(name), "").unwrap();
    }
    fs::write(dir.path().join("labels.json"), value.to_string()).unwrap();
    dir
}

fn read(dir: &Path) -> Dataset {
    let file = dir.join("labels.json");
    assert_eq!(layout::detect(&file).unwrap(), Layout::Table);
    layout::read(Layout::Table, &file).unwrap()
}

type Said<'a> = (&'a str, Option<Rect>, Vec<Option<bool>>);

/// Name, box, and tags of every image.
fn said(set: &Dataset) -> Vec<Said<'_>> {
    set.samples.iter().map(|sample| (sample.name.as_str(), sample.rect, sample.tags.clone())).collect()
}

fn task(image: &str, annotations: Value) -> Value {
    json!({ "id": 1, "data": { "image": image }, "annotations": annotations })
}

fn rectangle(id: &str, [x, y, width, height, rotation]: [f64; 5]) -> Value {
    let value = json!({ "x": x, "y": y, "width": width, "height": height, "rotation": rotation, "rectanglelabels": ["face"] });
    json!({ "id": id, "type": "rectanglelabels", "original_width": 200, "original_height": 100, "value": value })
}

fn choices(id: &str, names: &[&str]) -> Value {
    json!({ "id": id, "type": "choices", "original_width": 200, "original_height": 100, "value": { "choices": names } })
}

#[test]
fn label_studio_tasks_become_rows() {
    let both = json!([
        { "was_cancelled": true, "updated_at": "2026-03-01", "result": [] },
        { "updated_at": "2026-02-01", "result": [
            rectangle("s", [0.0, 0.0, 5.0, 5.0, 0.0]), choices("s", &["Bald"]),
            rectangle("l", [10.0, 20.0, 30.0, 40.0, 0.0]), choices("l", &["Smiling"]),
        ] },
        { "updated_at": "2026-01-01", "result": [rectangle("o", [1.0, 1.0, 90.0, 90.0, 0.0])] },
    ]);
    let turned = json!([{ "result": [rectangle("t", [50.0, 50.0, 10.0, 10.0, 90.0])] }]);
    let mut own = task("/data/local-files/?d=elsewhere/gone.jpg", json!([{ "result": [] }]));
    own["data"]["path"] = json!("images/d.jpg");
    own["data"]["attributes"] = json!(["Smiling", "Wearing_Hat"]);
    own["data"]["person"] = json!(7);
    own["data"]["split"] = json!("test");
    let dir = folder(&json!([
        task("/data/local-files/?d=photos/album/a%20b.jpg", both),
        task("/data/upload/3/0123abcd-c.png", turned),
        own,
        task("e.jpg", json!([])),
        task("nowhere.jpg", json!([{ "result": [] }])),
    ]));
    let set = read(dir.path());
    assert_eq!(set.attributes, ["Bald", "Smiling", "Wearing_Hat"]);
    let (yes, no) = (Some(true), Some(false));
    // The largest face of the newest annotation that counts; a quarter turn about the upper left corner moves the center.
    let expected = [
        ("album/a b.jpg", Some(Rect::new(20.0, 20.0, 60.0, 40.0)), vec![no, yes, no]),
        ("c.png", Some(Rect::new(85.0, 55.0, 20.0, 10.0)), vec![no, no, no]),
        ("images/d.jpg", None, vec![None; 3]),
    ];
    assert_eq!(said(&set), expected);
    let last = &set.samples[2];
    assert_eq!((last.face, last.identity, last.split), (Some(false), Some(0), Split::Test));
    let count = |kind| set.report.count(kind);
    assert_eq!(count(FindingKind::SmallerFace), 1);
    assert_eq!(count(FindingKind::MalformedRow), 1, "a task that nobody has done");
    assert_eq!(count(FindingKind::RowWithoutImage), 1);
}

#[test]
fn cocos_attributes_become_tags() {
    let annotation = |image: u64, category: u64, bbox: [f64; 4], attributes: Value| json!({ "id": 1, "image_id": image, "category_id": category, "bbox": bbox, "attributes": attributes });
    let dir = folder(&json!({
        "images": [
            { "id": 5, "file_name": "album/a b.jpg", "width": 200, "height": 100 },
            { "id": 6, "file_name": "d.jpg" },
            { "id": 7, "file_name": "c.png" },
            { "id": 8 },
        ],
        "categories": [{ "id": 1, "name": "dog" }, { "id": 2, "name": "Face" }],
        "annotations": [
            annotation(5, 2, [1.5, 2.0, 30.0, 40.0], json!({ "Smiling": true, "Bald": "no", "rotation": 0.0, "note": "dim" })),
            annotation(5, 1, [0.0, 0.0, 90.0, 90.0], json!({ "Furry": true })),
            annotation(6, 2, [3.0, 4.0, 5.0, 6.0], json!({ "Smiling": 0 })),
            annotation(6, 2, [3.0, 4.0, 0.0, 6.0], json!({})),
        ],
    }));
    let set = read(dir.path());
    assert_eq!(set.attributes, ["Bald", "Smiling"]);
    let expected = [
        ("album/a b.jpg", Some(Rect::new(1.5, 2.0, 30.0, 40.0)), vec![Some(false), Some(true)]),
        ("images/d.jpg", Some(Rect::new(3.0, 4.0, 5.0, 6.0)), vec![None, Some(false)]),
        ("c.png", None, vec![None, None]),
    ];
    assert_eq!(said(&set), expected);
    assert_eq!(
        set.report.count(FindingKind::MalformedRow),
        2,
        "an image without a name, a box without an inside"
    );
}

#[test]
fn other_json_is_refused_with_what_is_expected() {
    for (value, part) in [(json!({ "faces": [] }), "Label Studio"), (json!(3), "COCO"), (json!([]), "path")] {
        let dir = folder(&value);
        let refused = table::read(&dir.path().join("labels.json")).unwrap_err().to_string();
        assert!(refused.contains("labels.json") && refused.contains(part), "{refused}");
    }
    let dir = folder(&json!([]));
    fs::write(dir.path().join("labels.json"), "{").unwrap();
    let refused = table::read(&dir.path().join("labels.json")).unwrap_err().to_string();
    assert!(refused.contains("it is no JSON"), "{refused}");
}
