//! Landmarks of drawn faces: what a training reaches on strangers, and that it resumes to the same bits.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::path::Path;
use std::sync::atomic::AtomicBool;

use lineament::{Bundle, Face, Limits, Photo, Point, Tagger};
use lineament_data::drawn::{DrawnOptions, write_celeba};
use lineament_data::{Augment, Framing, celeba};
use lineament_train::TrainError;
use lineament_train::additions::{Addition, AdditionOptions};
use lineament_train::folder::Folder;
use lineament_train::landmarks::LandmarkRecipe;

/// The recipe that comes along, for faces that take seconds to learn.
fn recipe() -> Addition {
    let mut recipe = LandmarkRecipe::parse(lineament_recipes::text(LandmarkRecipe::NAME).unwrap()).unwrap();
    recipe.schedule.epochs = 14;
    recipe.schedule.batch = 32;
    recipe.schedule.average = 0.95;
    recipe.augment =
        Augment { flip: 0.5, shift: 0.1, scale: [0.85, 1.2], rotation: 5.0, ..Augment::default() };
    Addition::Landmarks(Box::new(recipe))
}

fn options<'a>(
    data: &Path,
    output: &'a Path,
    stop: &'a AtomicBool,
    step_limit: Option<u64>,
) -> AdditionOptions<'a> {
    AdditionOptions {
        base: Bundle::embedded().unwrap(),
        data: vec![data.to_path_buf()],
        folder: Folder { step_limit, ..Folder::new(output, stop) },
        resume: true,
    }
}

#[test]
fn landmarks_of_drawn_strangers_are_found_and_a_stopped_training_resumes() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    write_celeba(&path("celeba"), &DrawnOptions { people: 60, ..DrawnOptions::default() }).unwrap();
    let stop = AtomicBool::new(false);
    let bundle = recipe().train(&options(&path("celeba"), &path("run"), &stop, None)).unwrap();

    let stopped = recipe().train(&options(&path("celeba"), &path("again"), &stop, Some(7)));
    assert!(matches!(stopped, Err(TrainError::Interrupted { .. })), "{stopped:?}");
    let resumed = recipe().train(&options(&path("celeba"), &path("again"), &stop, None)).unwrap();
    assert_eq!(std::fs::read(&bundle).unwrap(), std::fs::read(resumed).unwrap());

    let bundle = Bundle::open(&bundle).unwrap();
    let lines = &bundle.card().trained_on;
    assert!(lines.last().unwrap().contains("no LNet saw them"), "{lines:?}");
    let tagger = Tagger::new(bundle).unwrap();
    let region = tagger.card().anet().unwrap().region;
    write_celeba(&path("strangers"), &DrawnOptions { people: 12, seed: 99, ..DrawnOptions::default() })
        .unwrap();
    let set = celeba::read(&path("strangers")).unwrap();
    let (mut errors, mut blind) = (0.0, 0.0);
    let mut faces = 0.0;
    for sample in set.samples.iter().filter(|sample| sample.framing == Framing::Aligned) {
        let photo = Photo::open(&sample.path, &Limits::default()).unwrap();
        let given = sample.landmarks.unwrap();
        // The box whose square is that of the landmarks, and the same beside it, as boxes are that are found.
        let square = region.of_landmarks(&given).unwrap();
        let height = square.width / region.enlarge;
        let rect = square.moved(0.0, -region.shift * height).scaled(1.0 / region.enlarge);
        let moved = rect.moved(0.08 * height, 0.06 * height);
        let eyes = given[0].distance(given[1]);
        let away = |found: [Point; 5]| {
            found.iter().zip(&given).map(|(a, b)| a.distance(*b)).sum::<f32>() / 5.0 / eyes
        };
        let found = |rect| tagger.landmarks(&photo, &Face::new(rect, 1.0)).unwrap();
        errors += away(found(moved));
        // What a net would say that goes by the box alone.
        blind += away(found(rect).map(|point| Point::new(point.x + 0.08 * height, point.y + 0.06 * height)));
        faces += 1.0;
    }
    let (error, blind) = (errors / faces, blind / faces);
    assert!(error < 0.85 * blind && error < 0.35, "mean error {error}, {blind} by the box alone");
}

#[test]
fn a_data_set_without_landmarks_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("celeba");
    write_celeba(&data, &DrawnOptions { people: 6, images_each: 2, ..DrawnOptions::default() }).unwrap();
    for name in ["list_landmarks_celeba.txt", "list_landmarks_align_celeba.txt"] {
        std::fs::remove_file(data.join("Anno").join(name)).unwrap();
    }
    let stop = AtomicBool::new(false);
    let output = folder.path().join("run");
    let refused = recipe().train(&options(&data, &output, &stop, None)).unwrap_err().to_string();
    assert!(refused.contains("0 training images with landmarks"), "{refused}");
}
