//! Object pre-training at the paper's scale (paper section 4.1, Figs. 3 and 7): the published localization with LNets that began from ImageNet's labels,
//! from Tiny-ImageNet's, and at random, and then learned the same tags for as long.
//!
//! They learn with PyTorch (`training/teachers/published`); here they are measured.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use lineament::engine::Engine;
use lineament::locate::Responder;
use lineament_train::recipe::LocatingRecipe;
use lineament_train::{Recipe, Stage, folder};

use crate::error::ReproduceError;
use crate::lab::Lab;
use crate::localization::{self, Measured};
use crate::maps;
use crate::results::{Results, Store, percent, share};

/// The experiment, and its table of localization.
pub const NAME: &str = "starts";

const KEPT: &str = "ImageNet kept, then tags";
const IMAGENET: &str = "ImageNet, then tags";
const TINY: &str = "Tiny-ImageNet, then tags";
const RANDOM: &str = "Tags alone";

/// What the page calls a start, and its folder. The first is what `recipes/paper_objects.toml` takes.
const STARTS: [(&str, &str); 4] =
    [(KEPT, "kept"), (IMAGENET, "imagenet"), (TINY, "tiny"), (RANDOM, "random")];

/// What is set against what.
const PAIRS: [(&str, &str); 4] = [(KEPT, RANDOM), (IMAGENET, RANDOM), (IMAGENET, TINY), (TINY, RANDOM)];

/// The recipe of a start, whose LNets lie in `folder`.
fn begun(published: &Recipe, folder: &Path) -> Recipe {
    let mut recipe = Recipe { identities: None, ..published.clone() };
    if let LocatingRecipe::Paper(locating) = &mut recipe.locating {
        let file = |lnet: &str| Some(folder.join(lnet).display().to_string());
        locating.lnet_o.weights = file("lnet_o.safetensors");
        locating.lnet_s.weights = file("lnet_s.safetensors");
    }
    recipe
}

/// The folder of a start's LNets; nothing, and a warning, where they have not been learned.
fn learned(lab: &Lab<'_>, start: &str) -> Result<Option<PathBuf>, ReproduceError> {
    let folder = lab.work(NAME)?.join(start);
    if folder.join("lnet_s.safetensors").is_file() {
        return Ok(Some(folder));
    }
    tracing::warn!(
        "{NAME}: {} has no lnet_o.safetensors and lnet_s.safetensors, which `python -m published` writes (training/teachers/README.md): left out",
        folder.display()
    );
    Ok(None)
}

pub fn run(lab: &Lab<'_>) -> Result<(), ReproduceError> {
    let published = Recipe::named("paper_objects")?;
    let mut measured = Measured::new(lab)?;
    let mut responses = lab.results(&["system", "pictures", "peak_in_box", "contrast"]);
    let mut responders = Vec::new();
    let photos = maps::photos(lab)?;
    for (system, start) in STARTS {
        let Some(folder) = learned(lab, start)? else { continue };
        let recipe = begun(&published, &folder);
        let run = format!("{NAME}_{start}");
        measured.add_lnets(system, lab.lnets(&run, &recipe)?.as_ref())?;
        let responder = responder(lab, &run, &recipe)?;
        responses.push([&[system.to_owned()][..], &maps::answers(&responder, &photos)?].concat());
        responders.push(responder);
    }
    maps::draw(lab, "starts_astronaut.png", &maps::astronaut()?, &responders.iter().collect::<Vec<_>>())?;
    let mut ahead = lab.results(&["system", "of", "set", "ahead", "low", "high"]);
    for (one, other) in PAIRS {
        for (set, figures) in measured.ahead(one, other) {
            ahead.push([&[one, other, set].map(str::to_owned)[..], &figures.map(share)].concat());
        }
    }
    lab.store.write(&ahead_name(), &ahead)?;
    lab.store.write(&responses_name(), &responses)?;
    // Last: it says that the experiment is done.
    lab.store.write(NAME, &measured.results)
}

/// LNet_o of a run.
fn responder(lab: &Lab<'_>, run: &str, recipe: &Recipe) -> Result<Responder, ReproduceError> {
    let failed = |e: &dyn std::fmt::Display| ReproduceError::model(run, e);
    let spec = &recipe.nets.lnet_o;
    let weights = folder::weights(&lab.work(run)?, NAME, Stage::LnetO.name(), "trunk", Some(spec))?;
    let net = Engine::Native.runner(spec, &weights).map_err(|e| failed(&e))?;
    Responder::new(net, recipe.preprocess).map_err(|e| failed(&e))
}

fn ahead_name() -> String {
    format!("{NAME}_ahead")
}

fn responses_name() -> String {
    format!("{NAME}_responses")
}

pub fn section(store: &Store) -> Result<String, ReproduceError> {
    let (Some(results), Some(ahead), Some(responses)) =
        (store.read(NAME)?, store.read(&ahead_name())?, store.read(&responses_name())?)
    else {
        return Ok(String::new());
    };
    let mut page = String::from(
        "The published localization of `recipes/paper_objects.toml`: tags of whole photos, maps averaged over the last convolution, EdgeBoxes, sum over size, density peaks. The LNets are the \
         first eleven blocks of EfficientNet-Lite0 and one convolution. They begin from what that net learned of ImageNet, from 200 classes of Tiny-ImageNet, or at random, and then all of \
         their layers learn the same tags for as many steps; where ImageNet is kept, the last convolution alone does, which is what the recipe takes.\n",
    );
    localization::tables(&mut page, &results);
    localization::ahead(&mut page, &ahead);
    responses_table(&mut page, &responses);
    Ok(page + &results.origin.note())
}

fn responses_table(page: &mut String, responses: &Results) {
    *page += "\nWhat LNet_o responds to (as Fig. 3), on whole test photos. `peak in the box` and `contrast` are explained under \"Response maps\". The image shows the photo and the maps in the \
              order of the table.\n\n![Response maps of astronaut.png](results/starts_astronaut.png)\n\n\
              | trained on | number | peak in the box | contrast |\n|---|---:|---:|---:|\n";
    for row in &responses.rows {
        // Writing to a string cannot fail.
        let _ = writeln!(
            page,
            "| {} | {} | {} | {:.2} |",
            responses.cell(row, "system"),
            responses.cell(row, "pictures"),
            percent(responses.number(row, "peak_in_box")),
            responses.number(row, "contrast"),
        );
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::results::testing::table;

    #[test]
    fn the_lnets_of_a_start_are_taken_as_they_are() {
        let recipe = begun(&Recipe::named("paper_objects").unwrap(), Path::new("starts/tiny"));
        recipe.check().unwrap();
        let LocatingRecipe::Paper(locating) = &recipe.locating else { panic!("another way of locating") };
        for (stage, lnet) in [(&locating.lnet_o, "lnet_o"), (&locating.lnet_s, "lnet_s")] {
            assert_eq!(stage.schedule.all_epochs(), 0);
            let file = Path::new("starts/tiny").join(format!("{lnet}.safetensors"));
            assert_eq!(stage.weights.as_deref().map(Path::new), Some(file.as_path()));
        }
    }

    #[test]
    fn the_page_needs_all_three_tables() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::beside(&folder.path().join("results.md"));
        let columns = "system;set;dominant;low;high;mean_iou;tpr_background;recall_0_3;recall_0_5;recall_0_7;tpr_at_0.01;tpr_at_0.1;tpr_at_1";
        store.write(NAME, &table(columns, &["Tags alone;wider;0.2;0.1;0.3;0.4;0;0;0;0;0;0;0"])).unwrap();
        let ahead = table("system;of;set;ahead;low;high", &["ImageNet;Tags alone;wider;0.5;0.4;0.6"]);
        store.write(&ahead_name(), &ahead).unwrap();
        assert_eq!(section(&store).unwrap(), "");
        let responses = table("system;pictures;peak_in_box;contrast", &["ImageNet;9;0.9;1.234"]);
        store.write(&responses_name(), &responses).unwrap();
        let page = section(&store).unwrap();
        assert!(page.contains("| ImageNet | Tags alone | WIDER FACE | +50.00 | +40.00 – +60.00 |"), "{page}");
        assert!(page.contains("| ImageNet | 9 | 90.0 | 1.23 |"), "{page}");
    }
}
