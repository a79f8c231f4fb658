//! Small LNets that learned from drawn faces find every face of drawn crowds, and nothing else.
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::Path;
use std::sync::atomic::AtomicBool;

use lineament::locate::{LnetMethod, Localizer};
use lineament::{Rect, Search, SmallestFace};
use lineament_data::drawn::{
    self, CrowdOptions, DrawnOptions, write_backgrounds, write_celeba, write_objects,
};
use lineament_train::{Recipe, Stage, TrainOptions, train, trained_lnets};

/// Stages `lnet_o` and `lnet_s` of the recipe for drawn faces.
fn trained(folder: &Path) -> Box<dyn Localizer> {
    let (data, output) = (folder.join("data"), folder.join("run"));
    let drawn = DrawnOptions { people: 150, images_each: 6, ..DrawnOptions::default() };
    write_celeba(&data.join("celeba"), &drawn).unwrap();
    write_objects(&data.join("objects"), 24, 64, 1).unwrap();
    write_backgrounds(&data.join("backgrounds"), 300, &drawn).unwrap();
    let stop = AtomicBool::new(false);
    let named = match std::env::var("LINEAMENT_RECIPE") {
        Ok(path) => Recipe::parse(&std::fs::read_to_string(path).unwrap()).unwrap(),
        Err(_) => Recipe::named("drawn").unwrap(),
    };
    let recipe = Recipe { objects: None, ..named };
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    for stage in [Stage::LnetO, Stage::LnetS] {
        let options = TrainOptions {
            recipe: recipe.clone(),
            data: vec![data.clone()],
            output: output.clone(),
            resume: false,
            stage: Some(stage),
            fine_tune: None,
            detector: None,
            progress: false,
            stop: &stop,
            step_limit: None,
        };
        let begun = std::time::Instant::now();
        train(&options).unwrap();
        eprintln!("{stage}: {:.0} s", begun.elapsed().as_secs_f64());
    }
    let nets = &recipe.nets;
    let (lnet_o, lnet_s, method) = trained_lnets::read(&output, nets).unwrap();
    let LnetMethod::Pyramid(parameters) = &method else { unreachable!("drawn has a pyramid") };
    eprintln!("{parameters:?}");
    let net = |spec, weights| trained_lnets::net(spec, weights).unwrap();
    method.localizer(net(&nets.lnet_o, &lnet_o), net(&nets.lnet_s, &lnet_s), recipe.preprocess).unwrap()
}

/// A crowd's true boxes and those that were found.
fn compared(localizer: &dyn Localizer, options: &CrowdOptions, number: u32) -> (usize, usize, usize) {
    let crowd = drawn::crowd(options, number).unwrap();
    let search = Search {
        smallest_face: Some(SmallestFace::pixels(options.heights[0]).unwrap()),
        ..Search::default()
    };
    let found: Vec<_> = localizer.locate(&crowd.photo, &search).unwrap().into_iter().collect();
    let given: Vec<Rect> = crowd.faces.iter().map(|face| face.rect).collect();
    let meets = |rect: &Rect| found.iter().any(|face| face.rect.iou(*rect) >= 0.4);
    let missed: Vec<&Rect> = given.iter().filter(|rect| !meets(rect)).collect();
    let wrong: Vec<_> =
        found.iter().filter(|face| given.iter().all(|rect| face.rect.iou(*rect) < 0.3)).collect();
    if let Ok(folder) = std::env::var("LINEAMENT_CROWDS") {
        let name = format!("{}_{}_{number}.png", options.faces, options.width);
        crowd.photo.save_png(&Path::new(&folder).join(name)).unwrap();
    }
    for rect in &missed {
        let near = found
            .iter()
            .map(|f| (f.rect.iou(**rect), f.score))
            .fold((0.0, 0.0), |a, b| if b.0 > a.0 { b } else { a });
        eprintln!("missed {rect:?} {near:?}");
    }
    for face in &wrong {
        eprintln!("wrong {:?} {}", face.rect, face.score);
    }
    (given.len(), missed.len(), wrong.len())
}

#[test]
fn every_face_of_a_crowd_is_found_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let localizer = trained(folder.path());
    let crowds = [
        CrowdOptions {
            faces: 1,
            heights: [400.0, 400.0],
            width: 640,
            height: 640,
            ..CrowdOptions::default()
        },
        CrowdOptions { faces: 1, heights: [24.0, 24.0], ..CrowdOptions::default() },
        CrowdOptions { faces: 12, heights: [24.0, 120.0], tilt: 20.0, ..CrowdOptions::default() },
        CrowdOptions { faces: 40, heights: [16.0, 80.0], tilt: 40.0, ..CrowdOptions::default() },
        CrowdOptions { faces: 20, heights: [24.0, 100.0], tilt: 10.0, cut: 0.4, ..CrowdOptions::default() },
        CrowdOptions {
            faces: 200,
            heights: [12.0, 60.0],
            width: 1200,
            height: 900,
            tilt: 30.0,
            ..CrowdOptions::default()
        },
    ];
    for options in &crowds {
        for number in 0..3 {
            let begun = std::time::Instant::now();
            let (faces, missed, wrong) = compared(localizer.as_ref(), options, number);
            eprintln!(
                "{} faces of {:?}: {missed} missed, {wrong} wrong, {:.2} s",
                faces,
                options.heights,
                begun.elapsed().as_secs_f64()
            );
        }
    }
}
