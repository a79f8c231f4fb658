//! `lineament draw` and `lineament evaluate` through the binary.

use std::fs;

use crate::common::{Stage, output};
use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;
use serde_json::Value;

/// A stage with drawn faces in CelebA's layout under `drawn/`.
fn drawn() -> Stage {
    let stage = Stage::new();
    stage
        .lineament(&["draw", "--output", "drawn", "--people", "12", "--pictures", "2"])
        .assert()
        .code(0)
        .stdout("")
        .stderr(contains("24 pictures of faces"));
    stage
}

#[test]
fn the_same_seed_draws_the_same_images() {
    let stage = drawn();
    output(&mut stage.lineament(&["draw", "--output", "again", "--people", "12", "--pictures", "2"]));
    let read = |folder: &str| fs::read(stage.path(folder).join("celeba/Img/img_celeba/000003.jpg"));
    assert_eq!(read("drawn").unwrap(), read("again").unwrap());
    stage.lineament(&["draw", "--output", "drawn"]).assert().code(2).stderr(contains("drawn is not empty"));
}

#[test]
fn figures_come_as_text_and_as_json() {
    let stage = drawn();
    let text = output(&mut stage.with_model(&["evaluate", "--data", "drawn/celeba"]));
    for said in ["test part", "mean balanced accuracy", "Localisation", "Smiling", "majority", "tiny 0.0.1"] {
        assert!(text.contains(said), "{said} in\n{text}");
    }
    let call =
        ["evaluate", "--data", "drawn/celeba", "--layout", "celeba", "--split", "test", "--format", "json"];
    for region in ["located", "landmarks"] {
        let json = output(stage.with_model(&call).args(["--region", region]));
        let figures: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(figures["region"], region);
        assert_eq!(figures["split"], "test");
        assert_eq!(figures["images"], 4);
        assert_eq!(figures["attributes"].as_array().unwrap().len(), 40);
        assert_eq!(figures["localisation"].is_object(), region == "located");
    }
}

#[test]
fn the_report_holds_both_regions_and_both_operating_points() {
    let stage = drawn();
    let call = [
        "evaluate",
        "--data",
        "drawn/celeba",
        "--background",
        "drawn/backgrounds",
        "--report",
        "results.md",
        "--output",
        "figures.txt",
    ];
    assert_eq!(output(&mut stage.with_model(&call)), "");
    let report = stage.text("results.md");
    for said in [
        "| given by landmarks | accuracy | 4 |",
        "| given by landmarks | balanced | 4 |",
        "| found in un-cropped photos | balanced | 4 |",
        "1 in 100 photos without a face",
        "`lineament evaluate --data drawn/celeba",
        "| Smiling |",
        "87.30",
    ] {
        assert!(report.contains(said), "{said} in\n{report}");
    }
    assert!(stage.text("figures.txt").contains("mean accuracy"));
}

#[test]
fn images_that_cannot_be_read_are_said_and_left_out() {
    let stage = drawn();
    let test = fs::read_to_string(stage.path("drawn/celeba/Eval/list_eval_partition.txt")).unwrap();
    let name = test.lines().find_map(|line| line.strip_suffix(" 2")).unwrap();
    fs::write(stage.path("drawn/celeba/Img/img_celeba").join(name), b"broken").unwrap();
    let run = stage.with_model(&["evaluate", "--data", "drawn/celeba", "--format", "json"]).assert().code(1);
    let figures: Value = serde_json::from_slice(&run.get_output().stdout).unwrap();
    assert_eq!(figures["images"], 3);
    assert!(figures["skipped"][0]["reason"].as_str().unwrap().contains(name));
    run.stderr(contains(name.to_owned()));
}

#[test]
fn data_that_cannot_be_measured_is_refused() {
    let stage = drawn();
    let refused = |arguments: &[&str], said: &str| {
        stage.with_model(arguments).assert().code(2).stdout("").stderr(contains(said.to_owned()));
    };
    refused(&["evaluate", "--data", "gone"], "gone is not there");
    refused(&["evaluate", "--data", "photos", "--layout", "celeba"], "list_attr_celeba.txt");
    refused(&["evaluate", "--data", "drawn"], "name the layout");
    refused(&["evaluate", "--data", "photos"], "labels none of the attributes");
    let call =
        ["evaluate", "--data", "drawn/celeba", "--region", "landmarks", "--background", "drawn/backgrounds"];
    refused(&call, "--region located");
    refused(&["evaluate", "--data", "drawn/celeba", "--output", "no/folder/x.json"], "cannot be written");
}

/// A folder with `images/` and `boxes.csv` of the drawn photos and their boxes.
fn boxed(stage: &Stage) {
    let (from, to) = (stage.path("drawn/celeba"), stage.path("boxed"));
    fs::create_dir_all(to.join("images")).unwrap();
    let list = fs::read_to_string(from.join("Anno/list_bbox_celeba.txt")).unwrap();
    let mut table = "file,x,y,w,h,invalid\n".to_owned();
    for line in list.lines().skip(2).take(5) {
        let cells: Vec<&str> = line.split_whitespace().collect();
        fs::copy(from.join("Img/img_celeba").join(cells[0]), to.join("images").join(cells[0])).unwrap();
        table += &format!("{},0\n", cells.join(","));
    }
    fs::write(to.join("boxes.csv"), table).unwrap();
}

#[test]
fn photos_with_boxes_are_measured_face_by_face() {
    let stage = drawn();
    boxed(&stage);
    let text = output(&mut stage.with_model(&["evaluate", "--data", "boxed"]));
    for said in [
        "boxed, faces found by the model's LNets",
        "5 pictures",
        "best box meets a face",
        "16 to 24 px",
        "at 0.1",
    ] {
        assert!(text.contains(said), "{said} in\n{text}");
    }
    let json = output(&mut stage.with_model(&["evaluate", "--data", "boxed", "--format", "json"]));
    let figures: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&figures["pictures"], &figures["localizer"]), (&Value::from(5), &Value::from("lnets")));
    assert_eq!(figures["trained_on_boxes"], false);
    let heights = figures["heights"].as_array().unwrap();
    assert_eq!(
        (heights.len(), &heights[0]["height"], &heights[0]["faces"]),
        (7, &Value::from("all"), &Value::from(5))
    );
    let call = ["evaluate", "--data", "boxed", "--format", "json", "--detector", "yunet"];
    let found = stage.with_model(&call).assert().code(0).stderr(contains("trained on boxes"));
    let figures: Value = serde_json::from_slice(&found.get_output().stdout).unwrap();
    assert_eq!(
        (&figures["localizer"], &figures["trained_on_boxes"]),
        (&Value::from("yunet"), &Value::from(true))
    );
    let refused =
        stage.with_model(&["evaluate", "--data", "boxed", "--report", "report.md"]).assert().code(2);
    refused.stderr(contains("--report"));
    fs::write(stage.path("boxed/boxes.csv"), "file,x,y,w,h\na.jpg,1,2,3,4\nb.jpg,1,2,3,wide\n").unwrap();
    stage
        .with_model(&["evaluate", "--data", "boxed"])
        .assert()
        .code(2)
        .stderr(contains("line 3").and(contains("wide")));
}

#[test]
fn a_file_that_is_no_detector_is_refused_before_anything_is_read() {
    let stage = drawn();
    fs::write(stage.path("wrong.onnx"), b"no detector").unwrap();
    for command in ["predict", "locate"] {
        let refused =
            stage.with_model(&[command, "drawn/celeba", "--detector", "wrong.onnx"]).assert().code(2);
        refused.stdout("").stderr(contains("wrong.onnx").and(contains("no ONNX")));
    }
    let found = stage.with_model(&["locate", "drawn/celeba/Img/img_celeba", "--detector", "yunet"]).assert();
    found.code(0).stderr(contains("found by yunet"));
}

/// A part of a data set as Hugging Face has it: images as bytes in a struct, tags as truth values.
fn write_part(path: &std::path::Path, images: &[Vec<u8>], first: i64) {
    use std::sync::Arc;

    use parquet::basic::Compression;
    use parquet::data_type::{BoolType, ByteArray, ByteArrayType, Int64Type};
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

    let schema = "message m { optional group image { optional binary bytes; optional binary path (UTF8); }
        optional int64 celeb_id; optional boolean Smiling; optional boolean Young; }";
    let properties =
        WriterProperties::builder().set_compression(Compression::ZSTD(Default::default())).build();
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties)).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let levels = |level: i16| vec![level; images.len()];
    let names: Vec<ByteArray> =
        (0..images.len()).map(|row| format!("{row}.png").into_bytes().into()).collect();
    let bytes: Vec<ByteArray> = images.iter().cloned().map(ByteArray::from).collect();
    for values in [bytes, names] {
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&values, Some(&levels(2)), None).unwrap();
        column.close().unwrap();
    }
    let mut column = group.next_column().unwrap().unwrap();
    let people: Vec<i64> = (first..).take(images.len()).collect();
    column.typed::<Int64Type>().write_batch(&people, Some(&levels(1)), None).unwrap();
    column.close().unwrap();
    for flip in [false, true] {
        let mut column = group.next_column().unwrap().unwrap();
        let tags: Vec<bool> = (0..images.len()).map(|row| (row % 2 == 0) != flip).collect();
        column.typed::<BoolType>().write_batch(&tags, Some(&levels(1)), None).unwrap();
        column.close().unwrap();
    }
    group.close().unwrap();
    fs::write(path, writer.into_inner().unwrap()).unwrap();
}

#[test]
fn images_within_parquet_are_measured() {
    let stage = Stage::new();
    let [a, b] = ["photos/a.png", "photos/deep/b.png"].map(|name| fs::read(stage.path(name)).unwrap());
    fs::create_dir_all(stage.path("hf/data")).unwrap();
    write_part(&stage.path("hf/data/train-00000-of-00001.parquet"), &[a.clone(), b.clone()], 1);
    write_part(&stage.path("hf/data/test-00000-of-00001.parquet"), &[b, a.clone(), a], 3);
    let call = |more: &[&str]| {
        let mut command = stage.with_model(&["evaluate", "--data", "hf", "--format", "json"]);
        command.args(more).env("LINEAMENT_CACHE", stage.path("cache")).assert().code(0)
    };
    let pictures = |more: &[&str]| {
        let run = call(more);
        let figures: Value = serde_json::from_slice(&run.get_output().stdout).unwrap();
        (
            figures["pictures"].as_u64().or(figures["images"].as_u64()).unwrap(),
            figures["people"].as_u64().unwrap(),
        )
    };
    assert_eq!(pictures(&[]), (3, 3), "the test part");
    assert_eq!(pictures(&["--split", "train"]), (2, 2));
    assert_eq!(pictures(&["--split", "all"]), (5, 5));
    // Unpacked once.
    let unpacked = stage.listing("cache");
    assert_eq!(unpacked.len(), 2, "{unpacked:?}");
}

#[test]
fn a_table_of_ones_own_is_measured_whole() {
    let stage = Stage::new();
    fs::create_dir(stage.path("tables")).unwrap();
    let absolute = stage.path("photos/grey.png").display().to_string();
    let table =
        format!("path;Smiling;Young\n../photos/a.png;yes;no\n../photos/deep/b.png;no;yes\n{absolute};-1;1\n");
    fs::write(stage.path("tables/mine.csv"), table).unwrap();
    let run = stage.with_model(&["evaluate", "--data", "tables/mine.csv"]).assert().code(0);
    run.stdout(contains("all parts").and(contains("3 pictures")))
        .stderr(contains("mine: all 3 rows are measured"));
}
