//! Small LNets that learned from drawn faces find the faces of drawn crowds.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::path::Path;
use std::sync::atomic::AtomicBool;

use lineament::locate::{LnetMethod, Localizer};
use lineament::{Face, Rect, Search, SmallestFace};
use lineament_data::drawn::{
    self, CrowdOptions, DrawnOptions, write_backgrounds, write_celeba, write_objects,
};
use lineament_train::device::TrainingDevice;
use lineament_train::{Base, Recipe, Stage, TrainOptions, train, trained_lnets};

/// Stages `lnet_o` and `lnet_s` of the recipe for drawn faces.
fn trained(folder: &Path) -> Box<dyn Localizer> {
    let (data, output) = (folder.join("data"), folder.join("run"));
    let drawn = DrawnOptions { people: 150, images_each: 6, ..DrawnOptions::default() };
    write_celeba(&data.join("celeba"), &drawn).unwrap();
    write_objects(&data.join("objects"), 24, 64, 1).unwrap();
    write_backgrounds(&data.join("backgrounds"), 300, &drawn).unwrap();
    let stop = AtomicBool::new(false);
    let recipe = Recipe { objects: None, ..Recipe::named("drawn").unwrap() };
    for stage in [Stage::LnetO, Stage::LnetS] {
        let options = TrainOptions {
            recipe: recipe.clone(),
            data: vec![data.clone()],
            output: output.clone(),
            resume: false,
            stage: Some(stage),
            base: Base::Nothing,
            detector: None,
            device: TrainingDevice::cpu(),
            progress: false,
            stop: &stop,
            step_limit: None,
        };
        train(&options).unwrap();
    }
    let nets = &recipe.nets;
    let (lnet_o, lnet_s, method) = trained_lnets::read(&output, nets).unwrap();
    assert!(matches!(method, LnetMethod::Pyramid(_)), "{method:?}");
    let net = |spec, weights| trained_lnets::net(spec, weights).unwrap();
    method.localizer(net(&nets.lnet_o, &lnet_o), net(&nets.lnet_s, &lnet_s), recipe.preprocess).unwrap()
}

/// The faces of a crowd that were missed, and what was found where there is none.
fn errors(localizer: &dyn Localizer, options: &CrowdOptions, number: u32) -> (Vec<Rect>, Vec<Face>) {
    let crowd = drawn::crowd(options, number).unwrap();
    // A face of just the smallest size may be measured a little smaller.
    let smallest = Some(SmallestFace::pixels(0.75 * options.heights[0]).unwrap());
    let found =
        localizer.locate(&crowd.photo, &Search { smallest_face: smallest, ..Search::default() }).unwrap();
    let given: Vec<Rect> = crowd.faces.iter().map(|face| face.rect).collect();
    let missed = given.iter().filter(|rect| found.iter().all(|face| face.rect.iou(**rect) < 0.4));
    let wrong = found.iter().filter(|face| given.iter().all(|rect| face.rect.iou(*rect) < 0.3));
    (missed.copied().collect(), wrong.copied().collect())
}

#[test]
#[ignore = "the small model still misses too many faces of crowds: run it by name to see how many"]
fn faces_of_crowds_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let localizer = trained(folder.path());
    let crowd = CrowdOptions::default;
    let crowds = [
        CrowdOptions { faces: 1, heights: [400.0, 400.0], width: 640, height: 640, ..crowd() },
        CrowdOptions { faces: 1, heights: [24.0, 24.0], ..crowd() },
        CrowdOptions { faces: 12, heights: [24.0, 120.0], tilt: 20.0, ..crowd() },
        CrowdOptions { faces: 20, heights: [24.0, 100.0], tilt: 10.0, cut: 0.4, ..crowd() },
        CrowdOptions { faces: 40, heights: [16.0, 80.0], tilt: 40.0, ..crowd() },
        CrowdOptions { faces: 200, heights: [12.0, 60.0], width: 1200, height: 900, tilt: 30.0, ..crowd() },
    ];
    let (mut faces, mut missed, mut wrong) = (0, 0, 0);
    for (options, number) in crowds.iter().flat_map(|options| (0..2).map(move |number| (options, number))) {
        let (not_found, none) = errors(localizer.as_ref(), options, number);
        let said = format!("crowd {number} of {}: {not_found:?} missed, {none:?} wrong", options.faces);
        assert!(options.faces > 1 || (not_found.is_empty() && none.is_empty()), "{said}");
        eprintln!("crowd {number} of {}: {} missed, {} wrong", options.faces, not_found.len(), none.len());
        faces += options.faces as usize;
        missed += not_found.len();
        wrong += none.len();
    }
    // Two minutes of training miss one face in twelve, and take the eyes of large faces for small ones.
    assert!(missed * 100 < 15 * faces, "{missed} of {faces} faces missed");
    assert!(wrong * 100 < 30 * faces, "{wrong} wrong beside {faces} faces");
}
