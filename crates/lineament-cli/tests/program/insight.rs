//! `lineament insight` through the binary, on drawn faces.

use std::fs;

use crate::common::{Stage, examples, output};
use predicates::str::contains;

fn rows(stage: &Stage, name: &str) -> Vec<csv::StringRecord> {
    let text = stage.text(name);
    csv::Reader::from_reader(text.as_bytes()).into_records().map(Result::unwrap).collect()
}

fn draw(stage: &Stage, people: &str, images: &str) {
    output(&mut stage.lineament(&["draw", "-o", "drawn", "--people", people, "--pictures", images]));
}

const CALL: [&str; 5] = ["insight", "--data", "drawn/celeba", "--region", "landmarks"];

#[test]
fn the_page_stands_alone_and_its_figures_repeat_on_any_number_of_threads() {
    let stage = Stage::new();
    draw(&stage, "180", "3");
    let image = examples().join("astronaut.png");
    for (threads, folder) in [("1", "one"), ("2", "two")] {
        let page = format!("{folder}.html");
        let rest = ["--tables", folder, "--output", &page, "--threads", threads, "--explain"];
        // The default model: what it has learned of real faces is not lost on drawn ones.
        output(stage.lineament(&CALL).args(rest).arg(&image));
    }
    let names = stage.listing("one");
    assert_eq!(names.len(), 11, "{names:?}");
    for name in names {
        assert_eq!(stage.text(&format!("one/{name}")), stage.text(&format!("two/{name}")), "{name}");
    }

    let page = stage.text("one.html");
    for said in [
        "not facts about a person",
        "keep the page out of repositories",
        "Mean face of high response",
        "FC ahead of conv6",
        "HOG+PCA",
        "Group 6:",
        "astronaut.png",
        "Contradictions",
        "second look",
    ] {
        assert!(page.contains(said), "{said}");
    }
    // Nothing is fetched: the only addresses are of images inside of the page and of its own sections.
    let addresses = page.split("src=\"").skip(1).chain(page.split("href=\"").skip(1));
    for address in addresses {
        assert!(
            address.starts_with("data:image/jpeg;base64,") || address.starts_with('#'),
            "{:.60}",
            address
        );
    }
    assert!(!page.contains("<script") && !page.contains("url(") && !page.contains("@import"));

    let layers = rows(&stage, "one/insight-layers.csv");
    let mean = |layer: &str| {
        let of = layers.iter().filter(|row| &row[0] == layer).map(|row| row[5].parse::<f64>().unwrap());
        let values: Vec<f64> = of.collect();
        values.iter().sum::<f64>() / values.len() as f64
    };
    for layer in ["block4c", "conv6", "FC"] {
        assert!(mean(layer) > 0.6, "{layer}: {}", mean(layer));
    }
    let share = rows(&stage, "one/insight-share.csv");
    assert!(share.iter().any(|row| &row[0] == "FC neurons" && &row[2] == "192" && &row[3] == "mean"));
}

#[test]
fn too_few_people_have_no_mean_face_and_that_is_said() {
    let stage = Stage::new();
    draw(&stage, "24", "12");
    let run = stage.with_model(&CALL).args(["--output", "page.html"]).assert().code(0);
    run.stderr(contains("no mean faces: there are 4 people"));
    let page = stage.text("page.html");
    assert!(page.contains("Left out: there are 4 people") && !page.contains("Mean face of"));
    // Nobody's image is shown but drawn faces'.
    assert_eq!(page.matches("<img").count(), 3);
    assert!(page.contains("Drawn face 1"));
}

#[test]
fn calls_that_cannot_give_a_page_are_refused() {
    let stage = Stage::new();
    draw(&stage, "12", "1");
    let refused = |arguments: &[&str], said: &str| {
        let run = stage.with_model(&CALL).args(arguments).args(["--output", "page.html"]).assert();
        run.code(2).stderr(contains(said.to_owned()));
        assert!(!stage.path("page.html").exists());
    };
    refused(&[], "--fit and --split");
    refused(&["--fit", "test"], "must not be what was chosen on");
    refused(&["--by", "Smilng"], "Smiling");
    fs::write(stage.path("no.jpg"), "no picture").unwrap();
    refused(&["--explain", "no.jpg"], "no.jpg");
    stage.lineament(&["insight", "--output", "page.html"]).assert().code(2).stderr(contains("--data"));
}
