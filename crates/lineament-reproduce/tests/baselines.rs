//! The baselines on drawn faces: each learns them, and a stopped training goes on to the same bits.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use lineament::attributes::Extractor;
use lineament::engine::Engine;
use lineament::locate::{Detector, LocalizerSpec};
use lineament::{Bundle, OperatingPoint};
use lineament_data::drawn::{DrawnOptions, write_celeba, write_objects};
use lineament_data::{Split, celeba};
use lineament_lab::{EvaluateOptions, FaceFrom, evaluate};
use lineament_reproduce::baselines::train::{
    AnyRecipe, BaselineOptions, BaselineRecipe, PandaStages, System, train,
};
use lineament_reproduce::baselines::{self, Baseline};
use lineament_train::device::TrainingDevice;
use lineament_train::folder::Folder;
use lineament_train::{Base, Recipe, TrainError, TrainOptions, detector};

/// Drawn people who are in no training: the seed is another one.
const STRANGERS: u64 = 99;
static STOP: AtomicBool = AtomicBool::new(false);

fn draw(folder: &Path, people: u32) -> PathBuf {
    let data = folder.join("data");
    write_celeba(&data.join("celeba"), &DrawnOptions { people, ..DrawnOptions::default() }).unwrap();
    write_objects(&data.join("objects"), 12, 32, 3).unwrap();
    data
}

/// The recipe that comes along, made small.
fn recipe(name: &str) -> BaselineRecipe {
    let AnyRecipe::Baseline(recipe) = AnyRecipe::named(name).unwrap() else { panic!("{name} is a baseline") };
    let mut recipe = *recipe;
    recipe.svms.costs = vec![1.0, 5.0];
    recipe.svms.powers.truncate(2);
    recipe.svms.colour_weights.truncate(1);
    recipe.svms.scalings.truncate(1);
    recipe.svms.learn_from.truncate(1);
    recipe.svms.folds = 3;
    if let System::Panda(panda) = &mut recipe.system {
        shrink(panda);
    }
    recipe
}

/// Three parts and a third of the filters.
fn shrink(stages: &mut PandaStages) {
    let panda = &mut stages.panda;
    panda.parts.retain(|part| ["face", "eyes", "mouth"].contains(&part.name.as_str()));
    let nets = [&mut panda.net].into_iter().chain(panda.holistic.iter_mut().map(|whole| &mut whole.net));
    for layer in nets.flat_map(|net| &mut net.layers) {
        if let lineament_net::Layer::Conv { filters, .. } | lineament_net::Layer::LocalConv { filters, .. } =
            layer
        {
            *filters /= 3;
        }
    }
    stages.parts.schedule.epochs = 6;
    stages.parts.schedule.batch = 32;
    stages.parts.schedule.average = 0.9;
    if let Some(objects) = &mut stages.objects {
        objects.schedule.epochs = 1;
        objects.schedule.batch = 32;
    }
}

fn options<'a>(
    recipe: BaselineRecipe,
    data: &Path,
    output: &'a Path,
    step_limit: Option<u64>,
) -> BaselineOptions<'a> {
    BaselineOptions {
        recipe,
        detector: None,
        data: vec![data.to_path_buf()],
        folder: Folder { step_limit, ..Folder::new(output, &STOP) },
        resume: step_limit.is_some(),
        stage: None,
    }
}

/// Accuracy and that of the majority's answer, on strangers, of attributes that can be drawn.
fn accuracy(bundle: &Path, folder: &Path, region: FaceFrom) -> [f64; 2] {
    let strangers = folder.join("strangers");
    let drawn = DrawnOptions {
        people: 50,
        images_each: 4,
        seed: STRANGERS,
        most_faces: 1,
        ..DrawnOptions::default()
    };
    write_celeba(&strangers, &drawn).unwrap();
    let mut set = celeba::read(&strangers).unwrap();
    set.samples.iter_mut().for_each(|sample| sample.split = Split::Test);
    let tagger = baselines::builder(Bundle::open(bundle).unwrap(), Engine::Native).unwrap().build().unwrap();
    let options = EvaluateOptions {
        split: Split::Test,
        region,
        operating_points: &[OperatingPoint::Accuracy],
        background: None,
    };
    let found = evaluate(&tagger, &set, &options, &|| {}).unwrap().remove(0);
    assert!(found.skipped.is_empty(), "{:?}", found.skipped);
    let reported = ["Smiling", "Eyeglasses", "Wearing_Hat", "Male", "Blond_Hair"];
    let chosen: Vec<_> =
        found.attributes.iter().filter(|one| reported.contains(&one.name.as_str())).collect();
    let mean = |of: &dyn Fn(f64, f64) -> f64| {
        chosen.iter().map(|one| of(one.accuracy, one.positives)).sum::<f64>() / chosen.len() as f64
    };
    assert_eq!(chosen.len(), reported.len());
    [mean(&|accuracy, _| accuracy), mean(&|_, positives| positives.max(1.0 - positives))]
}

fn learns(name: &str, people: u32) {
    let folder = tempfile::tempdir().unwrap();
    let (data, output) = (draw(folder.path(), people), folder.path().join("run"));
    let bundle = train(&options(recipe(name), &data, &output, None)).unwrap();
    let [reached, majority] = accuracy(&bundle, folder.path(), FaceFrom::Landmarks);
    eprintln!("{name}: accuracy {reached:.3}, majority {majority:.3}");
    assert!(reached > 0.8 && reached > majority + 0.1, "{name}: {reached:.3}, majority {majority:.3}");
    let card = Bundle::open(&bundle).unwrap().card().clone();
    assert_eq!(card.localizer, LocalizerSpec::Given);
    assert!(card.note.contains("cost"), "the card says what was chosen: {}", card.note);
    let choices = std::fs::read_to_string(output.join("choices.csv")).unwrap();
    assert!(choices.lines().count() > 2, "{choices}");
    let Extractor::Custom(custom) = card.extractor else { panic!("{name} is a baseline") };
    match Baseline::of_card(&custom).unwrap() {
        Baseline::Facetracer(tracer) => assert_eq!((name, tracer.parts.len()), ("facetracer", 10)),
        Baseline::Panda(panda) => assert_eq!((name, panda.parts.len()), ("panda", 3)),
    }
}

#[test]
fn facetracer_learns_drawn_faces() {
    learns("facetracer", 60);
}

#[test]
fn panda_learns_drawn_faces() {
    learns("panda", 60);
}

#[test]
fn a_stopped_panda_goes_on_to_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let data = draw(folder.path(), 24);
    let mut short = recipe("panda");
    if let System::Panda(stages) = &mut short.system {
        stages.panda.parts.truncate(1);
        stages.parts.schedule.epochs = 2;
    }
    let whole = folder.path().join("whole");
    let straight = std::fs::read(train(&options(short.clone(), &data, &whole, None)).unwrap()).unwrap();
    let broken = folder.path().join("broken");
    let mut stops = 0;
    let result = loop {
        match train(&options(short.clone(), &data, &broken, Some(2))) {
            Ok(path) => break std::fs::read(path).unwrap(),
            Err(TrainError::Interrupted { .. }) => stops += 1,
            Err(other) => panic!("{other}"),
        }
        assert!(stops < 100);
    };
    assert!(stops > 2, "only {stops} stops");
    assert!(straight == result, "the stopped training ended in another model");
}

#[test]
fn stages_and_missing_landmarks_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let (data, output) = (draw(folder.path(), 12), folder.path().join("run"));
    let unknown =
        BaselineOptions { stage: Some("anet".to_owned()), ..options(recipe("panda"), &data, &output, None) };
    let said = train(&unknown).unwrap_err().to_string();
    assert!(said.contains("objects, part_face, part_eyes, part_mouth, svms"), "{said}");
    let early =
        BaselineOptions { stage: Some("svms".to_owned()), ..options(recipe("panda"), &data, &output, None) };
    let said = train(&early).unwrap_err().to_string();
    assert!(said.contains("part_face"), "{said}");
    for list in ["list_landmarks_align_celeba.txt", "list_landmarks_celeba.txt"] {
        std::fs::remove_file(data.join("celeba/Anno").join(list)).unwrap();
    }
    let blind = folder.path().join("blind");
    let said = train(&options(recipe("facetracer"), &data, &blind, None)).unwrap_err().to_string();
    assert!(said.contains("landmarks") && said.contains("--detector"), "{said}");
}

/// Where LINEAMENT_DETECTORS names the folder of YuNet's file, as `.ci/detectors` does.
fn yunet() -> Option<(Detector, Vec<u8>)> {
    let folder = PathBuf::from(std::env::var_os("LINEAMENT_DETECTORS")?);
    Some(detector::open(&folder.join("yunet_n_dynamic.onnx")).unwrap())
}

#[test]
fn a_detector_tells_the_landmarks_that_the_data_lacks() {
    let Some(detector) = yunet() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (data, output) = (draw(folder.path(), 60), folder.path().join("run"));
    for list in ["list_landmarks_align_celeba.txt", "list_landmarks_celeba.txt"] {
        std::fs::remove_file(data.join("celeba/Anno").join(list)).unwrap();
    }
    let options =
        BaselineOptions { detector: Some(detector), ..options(recipe("facetracer"), &data, &output, None) };
    let [reached, majority] = accuracy(&train(&options).unwrap(), folder.path(), FaceFrom::Located);
    eprintln!("facetracer behind yunet: accuracy {reached:.3}, majority {majority:.3}");
    assert!(reached > majority + 0.1, "{reached:.3}, majority {majority:.3}");
}

#[test]
fn anet_learns_behind_a_detector() {
    let Some(detector) = yunet() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (data, output) = (draw(folder.path(), 90), folder.path().join("run"));
    let options = TrainOptions {
        recipe: Recipe::named("drawn").unwrap(),
        data: vec![data],
        output: output.clone(),
        resume: false,
        stage: None,
        base: Base::Nothing,
        detector: Some(detector),
        device: TrainingDevice::cpu(),
        progress: false,
        stop: &STOP,
        step_limit: None,
    };
    let bundle = lineament_train::train(&options).unwrap();
    assert!(!output.join("lnet_o.safetensors").exists(), "no LNet is learned");
    let card = Bundle::open(&bundle).unwrap().card().clone();
    assert!(matches!(card.localizer, LocalizerSpec::Detector(_)) && card.anet().is_some());
    let [reached, majority] = accuracy(&bundle, folder.path(), FaceFrom::Located);
    eprintln!("yunet and anet: accuracy {reached:.3}, majority {majority:.3}");
    assert!(reached > majority + 0.1, "{reached:.3}, majority {majority:.3}");
}
