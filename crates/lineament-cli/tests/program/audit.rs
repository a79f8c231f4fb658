//! `lineament audit` through the binary, on drawn faces.

use std::fs;

use crate::common::{Stage, output};
use predicates::prelude::*;

fn rows(stage: &Stage, name: &str) -> Vec<csv::StringRecord> {
    let text = stage.text(name);
    csv::Reader::from_reader(text.as_bytes()).into_records().map(Result::unwrap).collect()
}

#[test]
fn an_audit_of_drawn_faces_adds_up_and_repeats() {
    let stage = Stage::new();
    output(&mut stage.lineament(&["draw", "-o", "drawn", "--people", "12", "--pictures", "2"]));
    let data = fs::read_dir(stage.path("drawn")).unwrap().map(|entry| entry.unwrap().path());
    let data = data.into_iter().find(|path| path.join("Anno").exists()).unwrap_or(stage.path("drawn"));
    let data = data.to_str().unwrap();
    let call = |out: &'static str, threads: &'static str| {
        let call = ["audit", "--data", data, "--split", "train", "--region", "landmarks"];
        let rest = ["--threads", threads, "--by", "Male", "--output", out];
        output(stage.with_model(&call).args(rest));
    };
    call("one", "1");
    call("two", "2");
    for table in ["groups", "calibration", "contradictions", "second-look"] {
        let name = |folder: &str| format!("{folder}/audit-{table}.csv");
        assert_eq!(stage.text(&name("one")), stage.text(&name("two")));
    }
    let groups = rows(&stage, "one/audit-groups.csv");
    let images = |by: &str, attribute: &str| -> u64 {
        let own = groups.iter().filter(|row| &row[0] == by && &row[2] == attribute);
        own.map(|row| row[3].parse::<u64>().unwrap()).sum()
    };
    assert!(images("all", "Smiling") > 0);
    assert_eq!(images("all", "Smiling"), images("Male", "Smiling"));
    for row in &groups {
        let known = |at: usize| row[at].parse::<f64>().ok();
        if let (Some(low), Some(value), Some(high)) = (known(7), known(6), known(8)) {
            assert!((0.0..=1.0).contains(&value) && low <= high, "{row:?}");
        }
    }
    let answered: u64 = rows(&stage, "one/audit-contradictions.csv")[0][4].parse().unwrap();
    assert_eq!(answered, images("all", "Smiling"));
}

#[test]
fn what_the_model_does_not_know_is_refused() {
    let stage = Stage::new();
    let call = ["audit", "--data", "photos", "--output", "out", "--by", "Mael"];
    stage
        .with_model(&call)
        .assert()
        .code(2)
        .stderr(predicate::str::contains("no attribute is called \"Mael\""));
}
