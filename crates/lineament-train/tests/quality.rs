//! The quality of drawn faces: that it falls with what an image lacks, and that it chooses faces whose attributes are right.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::path::Path;
use std::sync::atomic::AtomicBool;

use lineament::{Bundle, Limits, Photo, Tagger};
use lineament_data::drawn::{DrawnOptions, write_celeba};
use lineament_data::{Framing, Split, celeba};
use lineament_train::additions::{Addition, AdditionOptions};
use lineament_train::folder::Folder;
use lineament_train::quality::QualityRecipe;

/// The recipe that comes along, on fewer copies.
fn recipe() -> Addition {
    let mut recipe = QualityRecipe::parse(lineament_recipes::text(QualityRecipe::NAME).unwrap()).unwrap();
    recipe.quality.copies = 3;
    Addition::Quality(Box::new(recipe))
}

fn options<'a>(data: &Path, output: &'a Path, stop: &'a AtomicBool) -> AdditionOptions<'a> {
    AdditionOptions {
        base: Bundle::embedded().unwrap(),
        data: vec![data.to_path_buf()],
        folder: Folder::new(output, stop),
        resume: true,
    }
}

#[test]
fn the_quality_of_drawn_strangers_falls_with_what_their_images_lack() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    write_celeba(&path("celeba"), &DrawnOptions { people: 60, ..DrawnOptions::default() }).unwrap();
    let stop = AtomicBool::new(false);
    let own = Bundle::embedded().unwrap();
    let bundle = recipe().train(&options(&path("celeba"), &path("run"), &stop)).unwrap();
    let again = recipe().train(&options(&path("celeba"), &path("again"), &stop)).unwrap();
    assert_eq!(std::fs::read(&bundle).unwrap(), std::fs::read(again).unwrap());

    let bundle = Bundle::open(&bundle).unwrap();
    // Nets and answers are those of before.
    assert_eq!((&bundle.card().attributes, bundle.parts()), (&own.card().attributes, own.parts()));
    let tagger = Tagger::builder().bundle(bundle).quality(true).build().unwrap();
    write_celeba(&path("strangers"), &DrawnOptions { people: 12, seed: 99, ..DrawnOptions::default() })
        .unwrap();
    let set = celeba::read(&path("strangers")).unwrap();
    let (mut clean, mut small) = (Vec::new(), Vec::new());
    for sample in set.samples.iter().filter(|sample| sample.framing == Framing::Aligned) {
        let photo = Photo::open(&sample.path, &Limits::default()).unwrap();
        let Some(face) = tagger.locate(&photo).unwrap().into_iter().next() else { continue };
        let told = tagger.record(&photo, &face).unwrap().quality.unwrap();
        // The same at a tenth of its size.
        let side = |side: u32| (side / 10).max(1);
        let shrunk = lineament::crop::crop(&photo, photo.rect(), side(photo.width()), side(photo.height()));
        let mut tiny = face;
        let rect = face.rect;
        tiny.rect = lineament::Rect::new(rect.x / 10.0, rect.y / 10.0, rect.width / 10.0, rect.height / 10.0);
        clean.push(told);
        small.push(tagger.record(&shrunk, &tiny).unwrap().quality.unwrap());
    }
    let mean = |values: &[f32]| values.iter().sum::<f32>() / values.len() as f32;
    assert!(clean.len() > 20, "{}", clean.len());
    assert!(mean(&clean) > mean(&small) + 0.02, "{} as they are, {} small", mean(&clean), mean(&small));
    assert!(clean.iter().chain(&small).all(|quality| (0.0..=1.0).contains(quality)));

    // Those below the mean are left out, and counted.
    let least = mean(&clean);
    let strict = Tagger::builder().bundle(Bundle::open(path("run").join("model.lineament")).unwrap());
    let strict = strict.least_quality(least).build().unwrap();
    let sample = set.samples.iter().find(|sample| sample.framing == Framing::Aligned).unwrap();
    let (all, some) = (tagger.predict(&sample.path).unwrap(), strict.predict(&sample.path).unwrap());
    assert_eq!((all.faces_of_low_quality, all.faces_left_out), (None, 0));
    assert_eq!(some.faces.len() + some.faces_of_low_quality.unwrap(), all.faces.len());
    assert!(some.faces.iter().all(|face| face.quality.unwrap() >= least));
}

#[test]
fn data_without_people_to_leave_out_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("celeba");
    write_celeba(&data, &DrawnOptions { people: 6, images_each: 2, ..DrawnOptions::default() }).unwrap();
    let validation =
        celeba::read(&data).unwrap().samples.iter().filter(|s| s.split == Split::Validation).count();
    assert!(validation < 5, "{validation}");
    let stop = AtomicBool::new(false);
    let output = folder.path().join("run");
    let refused = recipe().train(&options(&data, &output, &stop)).unwrap_err().to_string();
    assert!(refused.contains("the validation part"), "{refused}");
}
