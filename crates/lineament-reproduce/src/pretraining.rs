//! What objects are good for before faces (paper section 4.1, Fig. 7): the published localization, whose LNets learn the tags of attributes of photos that
//! all hold a face, and nothing else, with object pre-training and from a random start.
//!
//! The LNets of `recipes/lab.toml` also learn from images without a face, and so can't show it.

use lineament_net::{Layer, NetSpec};
use lineament_train::Recipe;
use lineament_train::recipe::LocatingRecipe;

use crate::error::ReproduceError;
use crate::lab::{Lab, without_objects};
use crate::localization::{self, Measured};
use crate::results::{Store, share};

/// The experiment, and its table of localization.
pub const NAME: &str = "pretraining";

/// Side of what the LNets see, and of the images of objects: a fifteenth of the arithmetic of 227 px with all filters.
const SIDE: usize = 115;
const OBJECT_SIDE: usize = 64;

const OBJECTS: &str = "Objects, then tags";
const TAGS: &str = "Tags alone";
const OBJECTS_LONGER: &str = "Objects, then tags for twice as long";
const TAGS_LONGER: &str = "Tags alone, for twice as long";

/// What is set against what: the same tags, as long, with and without objects before.
const PAIRS: [(&str, &str); 2] = [(OBJECTS, TAGS), (OBJECTS_LONGER, TAGS_LONGER)];

/// The published recipe, small: AlexNet's five convolutions and two poolings at half the size, which end in the same map of 13 x 13 cells.
fn small(paper: &Recipe) -> Recipe {
    let mut recipe = Recipe { identities: None, ..paper.clone() };
    for lnet in [&mut recipe.nets.lnet_o, &mut recipe.nets.lnet_s] {
        narrow(lnet);
    }
    if let Some(objects) = &mut recipe.objects {
        objects.size = OBJECT_SIDE;
        objects.schedule.epochs = 8;
    }
    if let LocatingRecipe::Paper(locating) = &mut recipe.locating {
        locating.lnet_o.schedule.epochs = 8;
        locating.lnet_s.schedule.epochs = 4;
        for stage in [&mut locating.lnet_o, &mut locating.lnet_s] {
            // As in the paper: no image tells what isn't a face.
            stage.negatives = 0.0;
        }
    }
    recipe
}

/// A quarter of the filters, and a first convolution that leaves half the size what it would make of the whole.
fn narrow(lnet: &mut NetSpec) {
    (lnet.input.height, lnet.input.width) = (SIDE, SIDE);
    for layer in &mut lnet.layers {
        if let Layer::Conv { filters, kernel, stride, .. } = layer {
            *filters /= 4;
            if *stride == 4 {
                (*kernel, *stride) = (7, 2);
            }
        }
    }
}

/// The same with twice the epochs of tags.
fn longer(mut recipe: Recipe) -> Recipe {
    if let LocatingRecipe::Paper(locating) = &mut recipe.locating {
        locating.lnet_o.schedule.epochs *= 2;
    }
    recipe
}

pub fn run(lab: &Lab<'_>) -> Result<(), ReproduceError> {
    let recipe = small(lab.paper());
    let variants = [
        (OBJECTS, "published_objects", recipe.clone()),
        (TAGS, "published_tags", without_objects(&recipe)),
        (OBJECTS_LONGER, "published_objects_longer", longer(recipe.clone())),
        (TAGS_LONGER, "published_longer", longer(without_objects(&recipe))),
    ];
    let mut measured = Measured::new(lab)?;
    for (system, name, recipe) in &variants {
        measured.add_lnets(system, lab.lnets(name, recipe)?.as_ref())?;
    }
    let mut ahead = lab.results(&["system", "of", "set", "ahead", "low", "high"]);
    for (one, other) in PAIRS {
        for (set, figures) in measured.ahead(one, other) {
            ahead.push([&[one, other, set].map(str::to_owned)[..], &figures.map(share)].concat());
        }
    }
    lab.store.write(&ahead_name(), &ahead)?;
    // Last: it says that the experiment is done.
    lab.store.write(NAME, &measured.results)
}

fn ahead_name() -> String {
    format!("{NAME}_ahead")
}

pub fn section(store: &Store) -> Result<String, ReproduceError> {
    let (Some(results), Some(ahead)) = (store.read(NAME)?, store.read(&ahead_name())?) else {
        return Ok(String::new());
    };
    let mut page = format!(
        "A small version of the published recipe: AlexNet's layers with a quarter of the filters on {SIDE} px. It trains on attribute tags of photos that all hold a face; no image \
         tells it what is not a face. (The LNets of recipe `lab` above train on such images as well.) With and without 200 classes of objects first, after 8 and 4 epochs of tags for LNet_o \
         and LNet_s, and after 16 and 4.\n"
    );
    localization::tables(&mut page, &results);
    localization::ahead(&mut page, &ahead);
    Ok(page + &results.origin.note())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::results::testing::table;

    #[test]
    fn the_small_nets_end_in_the_map_of_the_large() {
        let paper = Recipe::named("paper").unwrap();
        let small = small(&paper);
        small.check().unwrap();
        let (large, lnet) = (paper.nets.lnet_o.output().unwrap(), small.nets.lnet_o.output().unwrap());
        assert_eq!((lnet.height, lnet.width), (large.height, large.width));
        assert_eq!(4 * lnet.channels, large.channels);
        assert!(small.nets.one_lnet());
        let epochs = |recipe: &Recipe| {
            let LocatingRecipe::Paper(locating) = &recipe.locating else { panic!("another way of locating") };
            locating.lnet_o.schedule.epochs
        };
        assert_eq!(epochs(&longer(small.clone())), 2 * epochs(&small));
    }

    #[test]
    fn the_page_says_how_far_ahead_objects_are() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::beside(&folder.path().join("results.md"));
        assert_eq!(section(&store).unwrap(), "");
        let columns = "system;set;dominant;low;high;mean_iou;tpr_background;recall_0_3;recall_0_5;recall_0_7;tpr_at_0.01;tpr_at_0.1;tpr_at_1";
        store.write(NAME, &table(columns, &["Tags alone;wider;0.2;0.1;0.3;0.4;0;0;0;0;0;0;0"])).unwrap();
        assert_eq!(section(&store).unwrap(), "", "half of it is no result");
        let ahead = table("system;of;set;ahead;low;high", &["Objects;Tags alone;wider;0.125;-0.01;0.25"]);
        store.write(&ahead_name(), &ahead).unwrap();
        let page = section(&store).unwrap();
        assert!(page.contains("| Objects | Tags alone | WIDER FACE | +12.50 | -1.00 – +25.00 |"), "{page}");
        assert!(page.contains("| Tags alone | 20.0 | 10.0 – 30.0 |"), "{page}");
    }
}
