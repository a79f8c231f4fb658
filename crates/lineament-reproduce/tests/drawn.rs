//! Experiments on drawn faces: trainings are made once, figures are kept, the page is written from them.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::path::Path;
use std::sync::atomic::AtomicBool;

use lineament_data::drawn::{DrawnOptions, write_backgrounds, write_celeba, write_objects};
use lineament_reproduce::baselines::train::{BaselineRecipe, System};
use lineament_reproduce::{Options, ReproduceError, Store, reproduce};
use lineament_train::Recipe;
use lineament_train::device::TrainingDevice;
use lineament_train::recipe::LocatingRecipe;

/// The recipe for drawn faces, one epoch a stage: what is tested is that experiments run, not what they find.
fn hasty() -> Recipe {
    let mut recipe = Recipe::named("drawn").unwrap();
    recipe.identities = None;
    recipe.anet.schedule.epochs = 1;
    recipe.objects.as_mut().unwrap().schedule.epochs = 1;
    let LocatingRecipe::Pyramid(locating) = &mut recipe.locating else { unreachable!("drawn is a pyramid") };
    locating.lnet_o.schedule.epochs = 1;
    locating.lnet_s.schedule.epochs = 1;
    recipe
}

/// One small net for one part of the face, and one setting of each list.
fn hasty_panda() -> BaselineRecipe {
    let mut recipe = BaselineRecipe::panda().unwrap();
    recipe.svms.costs.truncate(1);
    recipe.svms.powers.truncate(1);
    recipe.svms.scalings.truncate(1);
    recipe.svms.learn_from.truncate(1);
    recipe.svms.folds = 2;
    let System::Panda(stages) = &mut recipe.system else { unreachable!("panda is panda") };
    stages.panda.parts.truncate(1);
    stages.panda.holistic.clear();
    stages.objects = None;
    stages.parts.schedule.epochs = 1;
    stages.parts.schedule.batch = 16;
    recipe
}

fn options<'a>(folder: &Path, only: &str, stop: &'a AtomicBool) -> Options<'a> {
    Options {
        data: folder.join("data"),
        output: folder.join("docs/results.md"),
        work: folder.join("work"),
        only: vec![only.to_owned()],
        again: false,
        page_only: false,
        recipe: hasty(),
        paper: Recipe::named("paper").unwrap(),
        facetracer: BaselineRecipe::facetracer().unwrap(),
        panda: hasty_panda(),
        command: "lineament reproduce".to_owned(),
        device: TrainingDevice::cpu(),
        progress: false,
        stop,
    }
}

#[test]
fn an_experiment_is_run_once_and_told_on_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let (data, drawn) = (folder.path().join("data"), DrawnOptions { people: 24, ..DrawnOptions::default() });
    write_celeba(&data.join("celeba"), &drawn).unwrap();
    write_objects(&data.join("objects"), 12, 32, drawn.seed).unwrap();
    write_backgrounds(&data.join("backgrounds"), 40, &drawn).unwrap();
    std::fs::create_dir_all(folder.path().join("docs")).unwrap();
    let stop = AtomicBool::new(false);

    reproduce(&options(folder.path(), "amount", &stop)).unwrap();
    let store = Store::beside(&folder.path().join("docs/results.md"));
    let results = store.read("amount").unwrap().expect("figures");
    assert_eq!(results.rows.len(), 6);
    for row in &results.rows {
        let accuracy = results.number(row, "accuracy");
        assert!((0.3..=1.0).contains(&accuracy), "{row:?}");
        assert!(results.number(row, "low") <= accuracy && accuracy <= results.number(row, "high"), "{row:?}");
    }
    let page = std::fs::read_to_string(folder.path().join("docs/results.md")).unwrap();
    assert!(
        page.contains("| LNets+ANet | 1000 |")
            && page.contains("| PANDA-l | 3000 |")
            && page.contains("Not run yet."),
        "{page}"
    );

    // Again from the same seed: the same figures, from trainings that are there.
    let model = folder.path().join("work/amount_1000/model.lineament");
    let made = std::fs::metadata(&model).unwrap().modified().unwrap();
    reproduce(&Options { again: true, ..options(folder.path(), "amount", &stop) }).unwrap();
    assert_eq!(std::fs::metadata(&model).unwrap().modified().unwrap(), made);
    assert_eq!(store.read("amount").unwrap().unwrap(), results);

    // Another recipe must not be mixed with what was trained by this one.
    let mut other = Options { again: true, ..options(folder.path(), "amount", &stop) };
    other.recipe.seed += 1;
    let refused = reproduce(&other).unwrap_err();
    assert!(matches!(refused, ReproduceError::OtherRun(_)), "{refused}");
}

#[test]
fn what_cannot_be_run_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let stop = AtomicBool::new(false);
    let unknown = reproduce(&options(folder.path(), "amounts", &stop)).unwrap_err().to_string();
    assert!(unknown.contains("amounts") && unknown.contains("localisation"), "{unknown}");
    let missing = reproduce(&options(folder.path(), "amount", &stop)).unwrap_err().to_string();
    assert!(missing.contains("celeba"), "{missing}");
    // The page is written from what is there, data or none.
    let page = Options { page_only: true, only: Vec::new(), ..options(folder.path(), "amount", &stop) };
    std::fs::create_dir_all(folder.path().join("docs")).unwrap();
    reproduce(&page).unwrap();
    assert!(folder.path().join("docs/results.md").is_file());
}
