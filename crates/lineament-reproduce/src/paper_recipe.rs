//! The system as it was published (`recipes/paper.toml`): AlexNet's LNets over whole photos, EdgeBoxes, nine patches, an SVM an attribute. It takes hours
//! to train, and so has an experiment of its own; its rows stand in the tables of whole systems and of localization.

use lineament_lab::FaceFrom::{Landmarks, Located};
use lineament_train::Recipe;

use crate::error::ReproduceError;
use crate::lab::Lab;
use crate::localization::Measured;
use crate::results::Store;
use crate::systems::{self, DEFAULT, Entry, OURS, PAPER};
use crate::tables::{PAPER_RECIPE, PAPER_RECIPE_LOCALISATION};

/// The recipe without identity pre-training, after which its ANet, which has no batch norm, learned attributes more slowly (`docs/results/paper_recipe.md`).
fn recipe(published: &Recipe) -> Recipe {
    Recipe { identities: None, ..published.clone() }
}

pub fn run(lab: &Lab<'_>) -> Result<(), ReproduceError> {
    let recipe = recipe(lab.paper());
    let lnets = lab.lnets(PAPER_RECIPE, &recipe)?;
    let paper = lab.tagger(PAPER_RECIPE, &recipe)?;
    let mut measured = Measured::new(lab)?;
    measured.add_lnets("LNets, the paper's recipe", lnets.as_ref())?;
    lab.store.write(PAPER_RECIPE_LOCALISATION, &measured.results)?;

    let (ours, default) = (systems::ours(lab)?, systems::default_bundle()?);
    let systems = [
        Entry { tagger: paper, roles: &[(PAPER, Located), (PAPER, Landmarks)] },
        Entry { tagger: ours, roles: &[(OURS, Located), (OURS, Landmarks)] },
        Entry { tagger: default, roles: &[(DEFAULT, Located), (DEFAULT, Landmarks)] },
    ];
    systems::measure(lab, &systems, PAPER_RECIPE, |name| name == PAPER)
}

pub fn section(store: &Store) -> Result<String, ReproduceError> {
    let Some(means) = store.read(PAPER_RECIPE)? else { return Ok(String::new()) };
    let text = "The figures of this system are in the tables of whole systems and of localization above. It is trained as `recipes/paper.toml` says, but without identities, which left its \
                ANet behind on validation people.\n";
    Ok(text.to_owned() + &means.origin.note())
}
