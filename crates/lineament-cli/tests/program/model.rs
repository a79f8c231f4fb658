//! `lineament model`, `export` and `locate` through the binary.

use std::fs;

use crate::common::{Stage, output};
use predicates::str::contains;
use serde_json::Value;

#[test]
fn show_tells_the_card() {
    let stage = Stage::new();
    let text = output(&mut stage.lineament(&["model", "show", "tiny.lineament"]));
    for said in
        ["tiny 0.0.1", "sha256", "CC0-1.0", "LNet_o", "64 × 64 px", "40 attributes", "Smiling", "30.0 %"]
    {
        assert!(text.contains(said), "{said} in\n{text}");
    }
    let card: Value =
        serde_json::from_str(&output(&mut stage.with_model(&["model", "show", "--format", "json"]))).unwrap();
    assert_eq!(card["name"], "tiny");
    stage.with_model(&["model", "show", "tiny.lineament"]).assert().code(2).stderr(contains("given twice"));
}

#[test]
fn verify_checks_the_file_and_its_hash() {
    let stage = Stage::new();
    let text = output(&mut stage.lineament(&["model", "verify", "tiny.lineament"]));
    let hash = text.lines().find_map(|line| line.strip_prefix("sha256 ")).unwrap();
    assert!(text.starts_with("sound: tiny 0.0.1\n"), "{text}");
    output(&mut stage.lineament(&["model", "verify", "tiny.lineament", "--sha256", &hash.to_uppercase()]));
    stage
        .lineament(&["model", "verify", "tiny.lineament", "--sha256", "00ff"])
        .assert()
        .code(2)
        .stderr(contains("not 00ff"));
    fs::write(stage.path("forged.lineament"), b"forged").unwrap();
    stage
        .lineament(&["model", "verify", "forged.lineament"])
        .assert()
        .code(2)
        .stderr(contains("forged.lineament"));
}

#[test]
fn export_writes_the_model_byte_for_byte() {
    let stage = Stage::new();
    stage
        .with_model(&["export", "--bundle", "copy.lineament"])
        .assert()
        .code(0)
        .stderr(contains("tiny 0.0.1"));
    let read = |name: &str| fs::read(stage.path(name)).unwrap();
    assert_eq!(read("copy.lineament"), read("tiny.lineament"));
}

#[test]
fn export_writes_onnx_graphs_and_a_page_about_them() {
    let stage = Stage::new();
    let call = ["export", "--onnx", "deep/graphs", "--bundle", "copy.lineament"];
    let run = stage.with_model(&call).assert().code(0).stdout("");
    run.stderr(contains("copy.lineament")).stderr(contains("tiny 0.0.1")).stderr(contains("deep/graphs"));
    let files = [
        "README.md",
        "anet.onnx",
        "anet_interweaved.onnx",
        "attributes.onnx",
        "heads.onnx",
        "lnet_o.onnx",
        "lnet_s.onnx",
    ];
    assert_eq!(stage.listing("deep/graphs"), files);
    let page = stage.text("deep/graphs/README.md");
    for said in ["tiny 0.0.1", "opset 17", "attributes.onnx", "Eyeglasses", "0.125", "onnxruntime", "CC0-1.0"]
    {
        assert!(page.contains(said), "{said} in\n{page}");
    }
    let sizes = files.map(|name| fs::metadata(stage.path("deep/graphs").join(name)).unwrap().len());
    // Four filters of 3 x 5 x 5 in each LNet; in ANet 6 x 64 numbers more.
    assert!(
        sizes[5] > 1200 && sizes[6] > 1200 && sizes[1] > 2700 && sizes[2] > sizes[1] && sizes[3] > sizes[1],
        "{sizes:?}"
    );
    // Again, over what is there: the same bytes.
    let read = || files.map(|name| fs::read(stage.path("deep/graphs").join(name)).unwrap());
    let first = read();
    stage.with_model(&["export", "--onnx", "deep/graphs"]).assert().code(0);
    assert_eq!(read(), first);
    assert_eq!(stage.listing("deep/graphs"), files);
}

#[test]
fn export_writes_the_whole_model_as_one_graph() {
    let stage = Stage::new();
    let call = ["export", "--onnx", "graph", "--whole"];
    stage.lineament(&call).assert().code(0).stdout("").stderr(contains("compact"));
    assert_eq!(stage.listing("graph"), ["README.md", "faces.onnx", "model.json"]);
    let page = stage.text("graph/README.md");
    for said in ["opset 18", "`image` | uint8 [height, width, 3]", "onnxruntime-node", "Eyeglasses"] {
        assert!(page.contains(said), "{said} in\n{page}");
    }
    let description: Value = serde_json::from_str(&stage.text("graph/model.json")).unwrap();
    assert_eq!(description["attributes"][31]["name"], "Smiling");
    assert!(description["attributes"][31]["thresholds"]["balanced"].is_number());
    let graph = || fs::read(stage.path("graph/faces.onnx")).unwrap();
    let first = graph();
    stage.lineament(&call).assert().code(0);
    assert_eq!(graph(), first);
    let call = ["export", "--onnx", "bytes", "--whole", "--int8"];
    stage.lineament(&call).assert().code(0);
    let small = fs::read(stage.path("bytes/faces.onnx")).unwrap();
    assert!(small.len() < first.len() * 2 / 3, "{} of {}", small.len(), first.len());
    assert!(stage.text("bytes/README.md").contains("eight-bit integers"));
}

#[test]
fn locate_tells_boxes_without_attributes_and_writes_maps() {
    let stage = Stage::new();
    let text = output(&mut stage.with_model(&["locate", "photos", "--format", "json", "--maps", "maps"]));
    let located: Value = serde_json::from_str(&text).unwrap();
    let predicted = output(&mut stage.with_model(&["predict", "photos", "--format", "json"]));
    let mut predicted: Value = serde_json::from_str(&predicted).unwrap();
    for page in predicted.as_array_mut().unwrap() {
        for face in page["faces"].as_array_mut().unwrap() {
            face.as_object_mut().unwrap().remove("attributes");
        }
    }
    assert_eq!(located, predicted);
    assert_eq!(stage.listing("maps"), ["a.map.png", "deep", "grey.map.png"]);
    let map =
        lineament::Photo::open(stage.path("maps/deep/b.map.png"), &lineament::Limits::default()).unwrap();
    assert_eq!((map.width(), map.height()), (160, 90));
    let csv = output(&mut stage.with_model(&["locate", "photos", "--format", "csv"]));
    assert_eq!(
        csv.lines().next(),
        Some("path,width,height,face,x,y,box_width,box_height,score,roll,faces_left_out,error")
    );
    let text = output(&mut stage.with_model(&["locate", "photos/a.png"]));
    assert!(text.contains("face 1  at ") && !text.contains('%'), "{text}");
}
