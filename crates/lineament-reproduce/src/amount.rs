//! What less data costs: LNets+ANet and PANDA-l from 1,000, 3,000 and 10,000 images (paper section 4.3, Fig. 13). LNets and the images that settings
//! are chosen on are the same everywhere.

use lineament_train::Recipe;

use crate::baselines::train::{BaselineRecipe, System};
use crate::error::ReproduceError;
use crate::figures;
use crate::lab::Lab;
use crate::results::Store;

/// Images that nets learn from, and how often as often they are seen: passes over a few images are few steps.
const AMOUNTS: [(usize, u64); 3] = [(1_000, 3), (3_000, 2), (10_000, 1)];

pub fn run(lab: &Lab<'_>) -> Result<(), ReproduceError> {
    let mut results = figures::table(lab, &["system", "pictures"]);
    for (images, times) in AMOUNTS {
        let name = format!("amount_{images}");
        let mut recipe: Recipe = lab.recipe().clone();
        recipe.anet.images = Some(images);
        recipe.anet.schedule.epochs *= times;
        lab.share_lnets(&name)?;
        let tagger = lab.tagger(&name, &recipe)?;
        let names = ["LNets+ANet".to_owned(), images.to_string()];
        results.push([names.to_vec(), figures::cells(lab, &tagger)?].concat());
    }
    for (images, times) in AMOUNTS {
        let mut recipe = BaselineRecipe { images: Some(images), ..lab.panda().clone() };
        if let System::Panda(panda) = &mut recipe.system {
            panda.parts.schedule.epochs *= times;
        }
        let tagger = lab.system(&format!("panda_{images}"), &recipe.into(), None)?;
        let names = ["PANDA-l".to_owned(), images.to_string()];
        results.push([names.to_vec(), figures::cells(lab, &tagger)?].concat());
    }
    lab.store.write("amount", &results)
}

pub fn section(store: &Store) -> Result<String, ReproduceError> {
    let Some(results) = store.read("amount")? else { return Ok(String::new()) };
    let text = "ANet and PANDA's part nets are trained on a part of the training images, drawn by the seed. LNets, validation images and everything else are the same. 3,000 images are \
                seen twice as often as 10,000, and 1,000 three times as often. Test crops, regions by landmarks.\n\n";
    Ok(text.to_owned() + &figures::section(&results, &[("system", "system"), ("pictures", "images")]))
}
