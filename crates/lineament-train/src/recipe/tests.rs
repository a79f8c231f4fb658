use super::every_field::every_field_is_checked;
use super::*;
use crate::stage::Stage;

#[test]
fn the_recipes_that_come_along_are_sound_and_keep_their_meaning_when_written() {
    for name in lineament_recipes::CASCADES {
        let recipe = Recipe::named(name).unwrap();
        assert_eq!(recipe.name, name);
        assert_eq!(Recipe::parse(&toml::to_string(&recipe).unwrap()).unwrap(), recipe);
    }
}

#[test]
fn lnets_answer_for_any_number_of_attributes() {
    for name in ["compact", "lab", "drawn"] {
        let recipe = Recipe::named(name).unwrap();
        assert_eq!(recipe.for_attributes(40), recipe, "written for forty");
        let nets = recipe.for_attributes(3).nets;
        assert_eq!([nets.lnet_o, nets.lnet_s].map(|net| net.output().unwrap().channels), [9, 9]);
    }
    let paper = Recipe::named("paper").unwrap();
    assert_eq!(paper.for_attributes(3), paper, "its responses are the last convolution's, of any number");
}

#[test]
fn the_paper_recipe_has_the_papers_nets() {
    let nets = Recipe::named("paper").unwrap().nets;
    let count = |net: &NetSpec, kind: fn(&Layer) -> bool| net.layers.iter().filter(|l| kind(l)).count();
    for lnet in [&nets.lnet_o, &nets.lnet_s] {
        assert_eq!(count(lnet, |l| matches!(l, Layer::Conv { .. })), 5);
        assert_eq!(count(lnet, |l| matches!(l, Layer::MaxPool { .. })), 2);
        assert_eq!((lnet.input.height, lnet.input.width), (227, 227));
        // AlexNet's C5.
        assert_eq!(lnet.output().unwrap(), lineament_net::Shape { channels: 256, height: 13, width: 13 });
    }
    assert_eq!(count(&nets.anet, |l| matches!(l, Layer::Conv { .. })), 2);
    assert_eq!(count(&nets.anet, |l| matches!(l, Layer::LocalConv { .. })), 2);
    assert_eq!(count(&nets.anet, |l| matches!(l, Layer::MaxPool { .. })), 3);
    assert_eq!(count(&nets.anet, |l| matches!(l, Layer::Linear { .. })), 1);
}

#[test]
fn wrong_recipes_are_refused_with_the_place() {
    let text = lineament_recipes::text("drawn").unwrap();
    let refused = |from: &str, to: &str| Recipe::parse(&text.replacen(from, to, 1)).unwrap_err().to_string();
    assert!(refused("seed = 7", "sead = 7").contains("sead"));
    assert!(refused("size = 40", "size = 41").contains("patches.size"));
    assert!(refused("folds = 4", "folds = 1").contains("folds"));
    assert!(refused("batch = 32", "batch = 30").contains("batch"));
    assert!(refused("grid = [2, 2]", "grid = [3, 2]").contains("conv3"));
}

fn parse(text: &str) -> Result<(), String> {
    Recipe::parse(text).map(drop).map_err(|e| e.to_string())
}

/// A recipe with everything that may be left out.
fn complete() -> Recipe {
    let mut recipe = Recipe::named("compact").unwrap();
    let again = Some(Again { epochs: 3, rate: 1e-3 });
    recipe.note = "Everything that a recipe can hold.".to_owned();
    recipe.without = vec!["Blurry".to_owned()];
    recipe.anet.images = Some(1000);
    recipe.anet.weights = Some("anet.safetensors".to_owned());
    let teacher = Distillation { table: "teacher.csv".to_owned(), stages: vec![Stage::Anet], weight: 0.5 };
    recipe.distillation.insert("teacher".to_owned(), teacher);
    recipe.anet.schedule.again = again;
    recipe.anet.narrow.as_mut().unwrap().schedule.again = again;
    recipe.identities = Some(IdentityStage {
        least: 2,
        schedule: recipe.anet.schedule.clone(),
        augment: recipe.anet.augment,
        similarity: 0.1,
        smoothing: 0.1,
    });
    // Stages that have a figure to judge epochs by.
    recipe.anet.schedule.patience = Some(2);
    recipe.anet.narrow.as_mut().unwrap().schedule.patience = Some(3);
    let objects = recipe.objects.as_mut().unwrap();
    objects.schedule.again = again;
    objects.weights = Some("objects.safetensors".to_owned());
    let LocatingRecipe::Pyramid(pyramid) = &mut recipe.locating else { panic!("compact has a pyramid") };
    pyramid.windows = Some(TaughtWindows { table: "windows.csv".to_owned() });
    pyramid.candidates_lost = Some(0.01);
    pyramid.people = vec!["n02730930".to_owned()];
    pyramid.photos = vec!["party".to_owned()];
    for stage in [&mut pyramid.lnet_o, &mut pyramid.lnet_s] {
        stage.schedule.again = again;
        stage.weights = Some("trunk.safetensors".to_owned());
    }
    // What is added and may be left out belongs above.
    let written = format!("{recipe:?}").replace("patience: None", "");
    assert!(!written.contains("None"), "{written}");
    recipe
}

#[test]
fn every_field_that_a_recipe_can_hold_is_checked() {
    let complete = toml::to_string(&complete()).unwrap();
    every_field_is_checked(&complete, &parse);
}

#[test]
fn every_field_of_the_recipes_that_come_along_is_checked() {
    for text in lineament_recipes::CASCADES.into_iter().filter_map(lineament_recipes::text) {
        // With its defaults, which are values too.
        let whole = toml::to_string(&Recipe::parse(text).unwrap()).unwrap();
        every_field_is_checked(&whole, &parse);
    }
    let tuned =
        |text: &str| Recipe::named("compact").unwrap().tuned(text).map(drop).map_err(|e| e.to_string());
    every_field_is_checked(lineament_recipes::TUNE, &tuned);
}

#[test]
fn patience_is_refused_where_nothing_is_judged() {
    let begun = complete();
    let mut recipes = [begun.clone(), begun.clone(), begun];
    recipes[0].objects.as_mut().unwrap().schedule.patience = Some(2);
    recipes[1].identities.as_mut().unwrap().schedule.patience = Some(2);
    let LocatingRecipe::Pyramid(pyramid) = &mut recipes[2].locating else { panic!("compact has a pyramid") };
    pyramid.lnet_s.schedule.patience = Some(2);
    for (recipe, stage) in recipes.iter().zip(["objects", "identities", "lnet_s"]) {
        let refused = parse(&toml::to_string(recipe).unwrap()).unwrap_err();
        assert!(refused.contains(&format!("stage {stage}")) && refused.contains("patience"), "{refused}");
    }
}

#[test]
fn wrong_augmentations_are_refused_with_their_stage() {
    let text = lineament_recipes::text("drawn").unwrap();
    for (stage, from, to, field) in [
        ("stage objects", "flip = 0.5", "flip = 7", "flip"),
        ("stage lnet_o", "rotation = 45.0", "rotation = 500", "rotation"),
        ("stage anet", "scale = [0.92, 1.08]", "scale = [1.2, 0.9]", "scale"),
    ] {
        let refused = Recipe::parse(&text.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(refused.contains(stage) && refused.contains(field), "{refused}");
    }
}

#[test]
fn recipes_with_the_older_name_of_distillation_are_read() {
    let text = lineament_recipes::text("compact").unwrap();
    let older = text.replace("\ndistillation = 1.0", "\nsoft = 1.0");
    assert_ne!(older, text);
    assert_eq!(Recipe::parse(&older).unwrap(), Recipe::parse(text).unwrap());
}
