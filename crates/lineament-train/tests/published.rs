//! The published localization (`recipes/paper.toml`) with nets that learn in seconds: its two stages on drawn photos.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::path::Path;
use std::sync::atomic::AtomicBool;

use lineament::locate::Localizer;
use lineament::{Limits, Photo, Search};
use lineament_data::drawn::{DrawnOptions, write_backgrounds, write_celeba};
use lineament_data::{Framing, Sample, Split, celeba};
use lineament_net::{Layer, NetSpec, Precision, Weights};
use lineament_train::device::TrainingDevice;
use lineament_train::recipe::LocatingRecipe;
use lineament_train::{Base, Recipe, Stage, TrainError, TrainOptions, train, trained_lnets};

/// Side of what both LNets see.
const SIDE: usize = 96;

fn small() -> Recipe {
    let mut recipe = Recipe::named("paper").unwrap();
    (recipe.objects, recipe.identities) = (None, None);
    for lnet in [&mut recipe.nets.lnet_o, &mut recipe.nets.lnet_s] {
        (lnet.input.height, lnet.input.width) = (SIDE, SIDE);
        for layer in &mut lnet.layers {
            match layer {
                Layer::Conv { filters, kernel, stride, .. } if *stride > 1 => {
                    (*filters, *kernel, *stride) = (12, 5, 2);
                }
                Layer::Conv { filters, .. } => *filters = 24,
                _ => {}
            }
        }
    }
    let LocatingRecipe::Paper(paper) = &mut recipe.locating else { panic!("another way of locating") };
    paper.localisation.edge_boxes.min_box_area = 100.0;
    paper.localisation.edge_boxes.windows = 100;
    for stage in [&mut paper.lnet_o, &mut paper.lnet_s] {
        stage.schedule.epochs = 4;
        stage.schedule.batch = 16;
    }
    recipe
}

fn run(recipe: &Recipe, stage: Stage, data: &Path, output: &Path) -> Result<(), TrainError> {
    let options = TrainOptions {
        recipe: recipe.clone(),
        data: vec![data.to_path_buf()],
        output: output.to_path_buf(),
        resume: false,
        stage: Some(stage),
        base: Base::Nothing,
        detector: None,
        device: TrainingDevice::cpu(),
        progress: false,
        stop: &AtomicBool::new(false),
        step_limit: None,
    };
    train(&options).map(|_| ())
}

/// The share of photos whose best face meets the given one.
fn met(localizer: &dyn Localizer, samples: &[&Sample]) -> f64 {
    let met = samples.iter().filter(|sample| {
        let photo = Photo::open(&sample.path, &Limits::default()).unwrap();
        let faces = localizer.locate(&photo, &Search::default()).unwrap();
        faces.first().is_some_and(|face| face.rect.iou(sample.rect.unwrap()) >= 0.3)
    });
    met.count() as f64 / samples.len() as f64
}

#[test]
fn both_lnets_learn_and_how_windows_are_weighed_is_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let (data, output) = (folder.path().join("data"), folder.path().join("run"));
    let drawn = DrawnOptions { people: 60, most_faces: 1, ..DrawnOptions::default() };
    write_celeba(&data.join("celeba"), &drawn).unwrap();
    write_backgrounds(&data.join("backgrounds"), 40, &drawn).unwrap();
    for stage in [Stage::LnetO, Stage::LnetS] {
        run(&small(), stage, &data, &output).unwrap();
    }
    let chosen = std::fs::read_to_string(output.join("localisation.json")).unwrap();
    let chosen: serde_json::Value = serde_json::from_str(&chosen).unwrap();
    // Divided by the whole size, the cells around the peak would win.
    let power = chosen["head_shoulder_size_power"].as_f64().unwrap();
    assert!((0.0..1.0).contains(&power), "{chosen}");

    let set = celeba::read(&data.join("celeba")).unwrap();
    let localizer = trained_lnets::open(&output, &small().for_attributes(set.attributes.len())).unwrap();
    let test: Vec<&Sample> = set
        .samples
        .iter()
        .filter(|s| s.framing == Framing::Photo && s.split == Split::Test && s.rect.is_some())
        .collect();
    let share = met(localizer.as_ref(), &test);
    eprintln!("{} photos, met {share:.3}, {chosen}", test.len());
    // Half a minute of training reaches 0.56.
    assert!(share >= 0.2, "only {share:.3} of the drawn faces were met");
}

/// Writes weights of a net into a file.
fn write(weights: &Weights, path: &Path) {
    std::fs::write(path, weights.to_safetensors(Precision::F32).unwrap()).unwrap();
}

#[test]
fn lnets_that_learned_elsewhere_are_taken_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let (data, output) = (folder.path().join("data"), folder.path().join("run"));
    write_celeba(&data.join("celeba"), &DrawnOptions { people: 8, most_faces: 1, ..DrawnOptions::default() })
        .unwrap();
    write_backgrounds(&data.join("backgrounds"), 4, &DrawnOptions::default()).unwrap();
    let mut recipe = small();
    let nets = recipe.nets.clone();
    let random = |spec: &NetSpec, seed| Weights::random(spec, seed).unwrap();
    let (lnet_o, lnet_s) = (random(&nets.lnet_o, 1), random(&nets.lnet_s, 2));
    let LocatingRecipe::Paper(paper) = &mut recipe.locating else { panic!("another way of locating") };
    for (stage, weights, name) in
        [(&mut paper.lnet_o, &lnet_o, "o.safetensors"), (&mut paper.lnet_s, &lnet_s, "s.safetensors")]
    {
        write(weights, &data.join(name));
        stage.schedule.epochs = 0;
        stage.weights = Some(name.to_owned());
    }
    recipe.check().unwrap();
    for stage in [Stage::LnetO, Stage::LnetS] {
        run(&recipe, stage, &data, &output).unwrap();
    }
    let (taken_o, taken_s, _) = trained_lnets::read(&output, &nets).unwrap();
    assert!(taken_o.iter().eq(lnet_o.iter()) && taken_s.iter().eq(lnet_s.iter()), "weights changed");

    // A net that learns nothing must be whole, and a file must be of this net.
    let refused = || run(&recipe, Stage::LnetO, &data, &output).unwrap_err().to_string();
    let mut part = lnet_o;
    part.remove("conv1.weight").unwrap();
    write(&part, &data.join("o.safetensors"));
    assert!(refused().contains("conv1.weight"), "{}", refused());
    write(&random(&nets.anet, 1), &data.join("o.safetensors"));
    assert!(refused().contains("no parameter of net lnet_o"), "{}", refused());
    if let LocatingRecipe::Paper(paper) = &mut recipe.locating {
        paper.lnet_o.weights = None;
    }
    assert!(recipe.check().unwrap_err().to_string().contains("epochs"));
}
