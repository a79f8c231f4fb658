//! Whether ANet does better after it has learned to tell people apart (paper section 3.2; Table 1, "w/o pre-training").

use lineament_net::Layer;
use lineament_train::Recipe;
use lineament_train::recipe::IdentityStage;

use crate::error::ReproduceError;
use crate::figures;
use crate::lab::Lab;
use crate::results::Store;

/// Passes over pairs of one person's images.
const EPOCHS: u64 = 6;
/// Weight of the similarity loss, as in the recipe for drawn faces.
const SIMILARITY: f64 = 0.05;

pub fn run(lab: &Lab<'_>) -> Result<(), ReproduceError> {
    let mut results = figures::table(lab, &["system"]);
    let without = normalised(lab.recipe());
    let mut schedule = without.anet.schedule.clone();
    schedule.epochs = EPOCHS;
    let stage = IdentityStage {
        schedule,
        augment: without.anet.augment,
        similarity: SIMILARITY,
        least: 2,
        smoothing: 0.1,
    };
    let with = Recipe { identities: Some(stage), ..without.clone() };
    for (system, name, recipe) in [
        ("LNets+ANet without identity pre-training", "no_identities", without),
        ("LNets+ANet with identity pre-training", "identities", with),
    ] {
        lab.share_lnets(name)?;
        let tagger = lab.tagger(name, &recipe)?;
        results.push([vec![system.to_owned()], figures::cells(lab, &tagger)?].concat());
    }
    lab.store.write("identities", &results)
}

/// The recipe with a batch norm between the FC layer and its rectifier: without one, the rectified units fall silent before people are told apart.
fn normalised(recipe: &Recipe) -> Recipe {
    let mut recipe = recipe.clone();
    let layers = &mut recipe.nets.anet.layers;
    if let Some(place) = layers.iter().rposition(|layer| matches!(layer, Layer::Linear { .. }))
        && !matches!(layers.get(place + 1), Some(Layer::BatchNorm { .. }))
    {
        layers.insert(place + 1, Layer::BatchNorm { name: "fc_norm".to_owned(), epsilon: 1e-5 });
    }
    recipe
}

pub fn section(store: &Store) -> Result<String, ReproduceError> {
    let Some(results) = store.read("identities")? else { return Ok(String::new()) };
    let text = "Both nets have a batch norm after the FC layer; without it nothing is learned about people. Test crops, regions by landmarks.\n\n";
    Ok(text.to_owned() + &figures::section(&results, &[("system", "system")]))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_fc_layer_gets_one_norm() {
        let once = normalised(&Recipe::named("lab").unwrap());
        once.check().unwrap();
        assert_eq!(once.nets.anet.layers.len(), Recipe::named("lab").unwrap().nets.anet.layers.len() + 1);
        assert_eq!(normalised(&once), once);
    }
}
