//! Data sets out and in through the binary: COCO, YOLO, Label Studio, and `data check`. `.ci/datasets` opens them with the tools' own libraries.

use std::fs;

use crate::common::{Stage, output};
use lineament::testing::blocks;
use predicates::prelude::*;
use serde_json::{Value, json};

/// The faces of every image by `--format json`, as left, top, width and height inside of the image, with the attributes that are present.
type Faces = Vec<([f64; 4], Vec<String>)>;

fn faces(page: &Value) -> Faces {
    let size = ["width", "height"].map(|side| page[side].as_f64().unwrap());
    let of = |face: &Value| {
        let [x, y, width, height] =
            ["x", "y", "width", "height"].map(|side| face["box"][side].as_f64().unwrap());
        let (left, top) = (x.max(0.0), y.max(0.0));
        let rect = [left, top, (x + width).min(size[0]) - left, (y + height).min(size[1]) - top];
        let present =
            face["attributes"].as_object().unwrap().iter().filter(|(_, said)| said["value"] == true);
        (rect, present.map(|(name, _)| name.clone()).collect())
    };
    page["faces"].as_array().unwrap().iter().map(of).collect()
}

fn same(found: &[[f64; 4]], expected: &Faces) {
    assert_eq!(found.len(), expected.len());
    for (found, (expected, _)) in found.iter().zip(expected) {
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 0.2), "{found:?} {expected:?}");
    }
}

fn pages(stage: &Stage) -> Vec<Value> {
    serde_json::from_str(&output(&mut stage.with_model(&["predict", "photos", "--format", "json"]))).unwrap()
}

/// The stage with a second photo of one name, and the JSON answers.
fn stage() -> (Stage, Vec<Value>) {
    let stage = Stage::new();
    fs::copy(stage.path("photos/a.png"), stage.path("photos/deep/a.png")).unwrap();
    let pages = pages(&stage);
    (stage, pages)
}

const NAMES: [&str; 4] = ["a.png", "deep/a.png", "deep/b.png", "grey.png"];

#[test]
fn coco_has_images_and_annotations() {
    let (stage, pages) = stage();
    let call =
        ["predict", "photos", "--format", "coco", "--image-prefix", "photos/", "--output", "coco.json"];
    output(&mut stage.with_model(&call));
    let coco: Value = serde_json::from_str(&stage.text("coco.json")).unwrap();
    let images = coco["images"].as_array().unwrap();
    let named: Vec<&str> = images.iter().map(|image| image["file_name"].as_str().unwrap()).collect();
    assert_eq!(named, NAMES.map(|name| format!("photos/{name}")));
    assert_eq!(coco["categories"], json!([{ "id": 1, "name": "face", "supercategory": "person" }]));
    for (image, page) in images.iter().zip(&pages) {
        let own = |annotation: &&Value| annotation["image_id"] == image["id"];
        let own: Vec<&Value> = coco["annotations"].as_array().unwrap().iter().filter(own).collect();
        let bbox = |annotation: &&Value| serde_json::from_value(annotation["bbox"].clone()).unwrap();
        same(&own.iter().map(bbox).collect::<Vec<[f64; 4]>>(), &faces(page));
        for (annotation, face) in own.iter().zip(page["faces"].as_array().unwrap()) {
            for (name, said) in face["attributes"].as_object().unwrap() {
                assert_eq!(annotation["attributes"][name], said["value"]);
                assert_eq!(annotation["probabilities"][name], said["probability"]);
            }
        }
    }
    stage.with_model(&call).assert().code(2).stderr(predicate::str::contains("--force"));
    // And back: the labels of a table.
    let told = output(&mut stage.with_model(&["evaluate", "--data", "coco.json", "--format", "json"]));
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["images"], 4);
    assert_eq!(told["attributes"].as_array().unwrap().len(), 40);
}

#[test]
fn yolo_is_a_folder_of_labels_beside_images() {
    let (stage, pages) = stage();
    stage.photo("photos/a.jpg.png", &blocks(50, 40, 9));
    fs::copy(stage.path("photos/a.png"), stage.path("photos/a.bmp")).unwrap();
    let call = ["predict", "photos", "--format", "yolo", "--output", "yolo"];
    output(&mut stage.with_model(&call));
    assert_eq!(stage.listing("."), ["photos", "tiny.lineament", "yolo"], "nothing half is left");
    assert_eq!(stage.listing("yolo"), ["data.yaml", "images", "labels"]);
    assert!(stage.text("yolo/data.yaml").ends_with("train: images\nval: images\nnames:\n  0: face\n"));
    // Two images of one name but for the ending have labels of their own.
    assert_eq!(stage.listing("yolo/labels"), ["a-2.txt", "a.jpg.txt", "a.txt", "deep", "grey.txt"]);
    assert_eq!(stage.listing("yolo/images"), ["a-2.png", "a.bmp", "a.jpg.png", "deep", "grey.png"]);
    assert_eq!(
        fs::read(stage.path("yolo/images/deep/b.png")).unwrap(),
        fs::read(stage.path("photos/deep/b.png")).unwrap()
    );
    for (name, page) in NAMES.iter().zip(&pages).skip(1) {
        let size = ["width", "height"].map(|side| page[side].as_f64().unwrap());
        let text = stage.text(&format!("yolo/labels/{}", name.replace(".png", ".txt")));
        let boxes: Vec<[f64; 4]> = text
            .lines()
            .map(|line| {
                let numbers: Vec<f64> = line.split(' ').map(|number| number.parse().unwrap()).collect();
                let [class, x, y, width, height] = numbers.try_into().unwrap();
                assert!(
                    class == 0.0 && [x, y, width, height].iter().all(|share| (0.0..=1.0).contains(share))
                );
                let (width, height) = (width * size[0], height * size[1]);
                [x * size[0] - width / 2.0, y * size[1] - height / 2.0, width, height]
            })
            .collect();
        same(&boxes, &faces(page));
    }
    let refused = |arguments: &[&str], what: &str| {
        stage.with_model(arguments).assert().code(2).stderr(predicate::str::contains(what));
    };
    refused(&call, "--force");
    refused(&["predict", "photos", "--format", "yolo"], "--output DIR");
    refused(&["predict", "photos", "--format", "yolo", "--output", "photos/yolo"], "lies in photos");
    refused(
        &["predict", "photos", "--format", "yolo", "--output", "photos/deep", "--force"],
        "lies in photos",
    );
    fs::create_dir(stage.path("mine")).unwrap();
    fs::write(stage.path("mine/diary.txt"), "mine").unwrap();
    refused(&["predict", "photos", "--format", "yolo", "--output", "mine", "--force"], "something else");
    output(&mut stage.with_model(&[&call[..], &["--force"]].concat()));
    assert_eq!(stage.listing("yolo/labels").len(), 5);
}

#[test]
fn label_studio_gets_tasks_and_a_page_and_gives_labels_back() {
    let (stage, pages) = stage();
    let call = ["predict", "photos", "--format", "label-studio", "--output", "tasks.json"];
    output(&mut stage.with_model(&call));
    let page = stage.text("tasks.config.xml");
    assert_eq!(page.matches("<Choice value=").count(), 40);
    let tasks: Vec<Value> = serde_json::from_str(&stage.text("tasks.json")).unwrap();
    for ((name, task), page) in NAMES.iter().zip(&tasks).zip(&pages) {
        assert_eq!(task["data"]["image"], format!("/data/local-files/?d={name}"));
        let results = task["predictions"][0]["result"].as_array().unwrap();
        let rect = |result: &&Value| {
            let value = &result["value"];
            let [x, y, width, height] =
                ["x", "y", "width", "height"].map(|side| value[side].as_f64().unwrap());
            let size = ["original_width", "original_height"].map(|side| result[side].as_f64().unwrap());
            [x * size[0] / 100.0, y * size[1] / 100.0, width * size[0] / 100.0, height * size[1] / 100.0]
        };
        let boxes = results.iter().filter(|result| result["type"] == "rectanglelabels");
        same(&boxes.map(|result| rect(&result)).collect::<Vec<_>>(), &faces(page));
        for ((_, present), number) in faces(page).iter().zip(1..) {
            let own =
                |result: &&Value| result["type"] == "choices" && result["id"] == format!("face-{number}");
            let chosen =
                results.iter().find(own).map_or(json!([]), |result| result["value"]["choices"].clone());
            let mut chosen: Vec<String> = serde_json::from_value(chosen).unwrap();
            chosen.sort();
            assert_eq!(&chosen, present);
        }
    }
    // A person looks at each, and corrects one thing.
    let export: Vec<Value> = tasks
        .iter()
        .map(|task| {
            let mut result = task["predictions"][0]["result"].clone();
            for one in result.as_array_mut().unwrap().iter_mut().filter(|one| one["type"] == "choices") {
                let choices = one["value"]["choices"].as_array_mut().unwrap();
                match choices.iter().position(|choice| choice == "Smiling") {
                    Some(place) => drop(choices.remove(place)),
                    None => choices.push(json!("Smiling")),
                }
            }
            json!({ "data": task["data"], "annotations": [{ "result": result }] })
        })
        .collect();
    fs::write(stage.path("export.json"), serde_json::to_string(&export).unwrap()).unwrap();
    let told = output(&mut stage.with_model(&["evaluate", "--data", "export.json", "--format", "json"]));
    let told: Value = serde_json::from_str(&told).unwrap();
    let figures = told["attributes"].as_array().unwrap();
    assert_eq!((told["images"].as_u64(), figures.len()), (Some(4), 40));
    let smiling = figures.iter().find(|row| row["name"] == "Smiling").unwrap();
    assert!(smiling["accuracy"].as_f64().unwrap() < 1.0, "{smiling}");
    stage
        .with_model(&["predict", "photos", "--format", "label-studio", "--output", "tasks.json", "--force"])
        .assert()
        .code(0);
    fs::remove_file(stage.path("tasks.json")).unwrap();
    stage.with_model(&call).assert().code(2).stderr(predicate::str::contains("tasks.config.xml"));
}

#[test]
fn a_check_says_what_would_spoil_a_training() {
    let stage = Stage::new();
    for (name, seed) in [("1.png", 1), ("2.png", 2), ("3.png", 3), ("4.png", 1)] {
        stage.photo(name, &blocks(60, 50, seed));
    }
    let rows = "path,person,split,Smiling,Bald\n1.png,a,train,1,0\n2.png,b,train,0,0\n3.png,c,test,1,1\n";
    fs::write(stage.path("sound.csv"), rows.replace("2.png,b,train,0,0", "2.png,b,train,0,1")).unwrap();
    stage
        .lineament(&["data", "check", "--data", "sound.csv"])
        .assert()
        .code(0)
        .stdout(predicate::str::contains("3 pictures: nothing would spoil a training"));
    fs::write(stage.path("bad.csv"), format!("{rows}4.png,a,test,0,0\nphotos/readme.png,d,train,1,0\n"))
        .unwrap();
    fs::write(stage.path("photos/readme.png"), "no picture").unwrap();
    let said = stage.lineament(&["data", "check", "--data", "bad.csv"]).assert().code(1);
    let said = String::from_utf8(said.get_output().stdout.clone()).unwrap();
    for part in [
        "problem: 1 picture cannot be read",
        "problem: 1 picture is in more than one part",
        "problem: 1 person has pictures in more than one part",
        "Bald cannot be learned: no picture of the part train has it",
        "4.png (test); labelled differently: Smiling",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }
    let both = ["data", "check", "--data", "sound.csv", "bad.csv", "--output", "check.json"];
    stage.lineament(&both).assert().code(1);
    let found: Value = serde_json::from_str(&stage.text("check.json")).unwrap();
    assert_eq!(found["sets"].as_array().unwrap().len(), 2);
    assert_eq!(found["people_in_several_parts"][0]["pictures"], json!({ "train": 1, "test": 1 }));
    stage.lineament(&both).assert().code(2).stderr(predicate::str::contains("--force"));
}

/// Images whose Smiling label goes with what the random model scores, but for its threshold.
fn labelled(stage: &Stage) -> String {
    let mut table = "path,person,Smiling,Male\n".to_owned();
    for seed in 0..120 {
        stage.photo(&format!("face-{seed}.png"), &blocks(120, 100, seed));
    }
    let photos: Vec<String> = (0..120).map(|seed| format!("face-{seed}.png")).collect();
    let mut call = vec!["predict", "--format", "csv", "--attributes", "Smiling", "--max-faces", "1"];
    call.extend(photos.iter().map(String::as_str));
    let told = output(&mut stage.with_model(&call));
    let mut reader = csv::Reader::from_reader(told.as_bytes());
    let rows: Vec<(String, f32)> = reader
        .records()
        .map(|row| row.unwrap())
        .map(|row| (row[0].to_owned(), row[13].parse().unwrap()))
        .collect();
    let mut sorted: Vec<f32> = rows.iter().map(|(_, probability)| *probability).collect();
    sorted.sort_by(f32::total_cmp);
    let middle = sorted[sorted.len() / 2];
    for (number, (path, probability)) in rows.iter().enumerate() {
        // One in ten is labelled wrongly, so that the sigmoid has something to learn.
        let yes = (*probability > middle) != (number % 10 == 3);
        table += &format!("{path},{},{},{}\n", number / 2, u8::from(yes), u8::from(number == 0));
    }
    fs::write(stage.path("mine.csv"), &table).unwrap();
    table
}

#[test]
fn a_model_is_calibrated_to_ones_own_labels_and_compared() {
    let stage = Stage::new();
    labelled(&stage);
    let call =
        ["calibrate", "--data", "mine.csv", "--output", "my.lineament", "--format", "json", "--name", "mine"];
    let told: Value = serde_json::from_str(&output(&mut stage.with_model(&call))).unwrap();
    let row = |name: &str| {
        told["attributes"].as_array().unwrap().iter().find(|row| row["name"] == name).unwrap().clone()
    };
    assert_eq!(row("Smiling")["change"], "fitted");
    assert_eq!(row("Male")["change"], "too_few");
    let figure = |side: &str, name: &str| row("Smiling")[side][name].as_f64().unwrap();
    assert!(figure("after", "log_loss") <= figure("before", "log_loss"));
    assert!(figure("after", "balanced_accuracy") > 0.75, "{}", row("Smiling"));
    stage.with_model(&call).assert().code(2).stderr(predicate::str::contains("--force"));

    let compared =
        ["compare", "tiny.lineament", "my.lineament", "--data", "mine.csv", "--operating-point", "balanced"];
    let text =
        output(&mut stage.lineament(&[&compared[..], &["--page", "compared.html", "--by", "Male"]].concat()));
    assert!(text.contains("B  mine") && text.contains("where they disagree most"), "{text}");
    let page = stage.text("compared.html");
    assert!(
        page.starts_with("<!doctype html>") && page.contains("<svg") && !page.contains("http"),
        "it stands alone"
    );
    let json: Value =
        serde_json::from_str(&output(&mut stage.lineament(&[&compared[..], &["--format", "json"]].concat())))
            .unwrap();
    let smiling = json["rows"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["by"] == "all" && row["attribute"] == "Smiling")
        .unwrap();
    let difference = &smiling["balanced_accuracy"];
    let [first, second, apart] =
        ["first", "second", "difference"].map(|name| difference[name].as_f64().unwrap());
    assert!((second - first - apart).abs() < 1e-9 && apart > 0.1, "{difference}");
    assert!(difference["interval"]["low"].as_f64().unwrap() <= apart);
    // The other attribute stayed as it is.
    let male = json["rows"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["by"] == "all" && row["attribute"] == "Male")
        .unwrap();
    assert_eq!(male["balanced_accuracy"]["difference"], 0.0);
    let same = output(&mut stage.lineament(&[
        "compare",
        "tiny.lineament",
        "tiny.lineament",
        "--data",
        "mine.csv",
        "--format",
        "json",
    ]));
    let same: Value = serde_json::from_str(&same).unwrap();
    assert_eq!(
        (same["different_answers"].as_u64(), same["disagreements"].as_array().unwrap().len()),
        (Some(0), 0)
    );

    // Nothing to learn from: no model.
    fs::write(stage.path("few.csv"), "path,Smiling\nface-1.png,1\nface-2.png,0\n").unwrap();
    stage
        .with_model(&["calibrate", "--data", "few.csv", "--output", "none.lineament"])
        .assert()
        .code(2)
        .stderr(predicate::str::contains("no model is written"));
    assert!(!stage.path("none.lineament").exists());
}
