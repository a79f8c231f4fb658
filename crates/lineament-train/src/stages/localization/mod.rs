//! Stages `lnet_o` and `lnet_s`: localization from image-level tags (paper section 3.1).
//!
//! What reaches a loss here: the attribute tags of an image, whether it has a face, and regions that an LNet found itself. Given boxes serve, on the
//! validation part, to choose the few constants from response to box; without any the recipe's own stand.

mod paper;
mod pyramid;

use lineament::locate::LnetMethod;
use lineament_net::{NetSpec, Parameter, Weights};

use crate::context::Context;
use crate::error::TrainError;
use crate::recipe::LocatingRecipe;
use crate::stage::Stage;
use crate::trained_lnets::save_localization;

/// Stage `lnet_o`.
///
/// # Errors
/// When there is nothing to learn from, or the training stops.
pub fn lnet_o(context: &Context<'_>) -> Result<(), TrainError> {
    match &context.recipe.locating {
        LocatingRecipe::Paper(recipe) => paper::lnet_o(context, recipe),
        LocatingRecipe::Pyramid(recipe) => pyramid::lnet_o(context, recipe),
    }
}

/// Stage `lnet_s`, and the choice of the localizer's constants on the validation part.
///
/// # Errors
/// When there is nothing to learn from, or the training stops.
pub fn lnet_s(context: &Context<'_>) -> Result<(), TrainError> {
    let chosen = match &context.recipe.locating {
        LocatingRecipe::Paper(recipe) => LnetMethod::Paper(paper::lnet_s(context, recipe)?),
        LocatingRecipe::Pyramid(recipe) => LnetMethod::Pyramid(pyramid::lnet_s(context, recipe)?),
    };
    save_localization(context.folder.path, &chosen)
}

/// The weights that a recipe names for an LNet, which must be something of it at least.
fn given_weights(context: &Context<'_>, name: &str, net: &NetSpec, of: Stage) -> Result<Weights, TrainError> {
    let path = context.file(name);
    let bytes = std::fs::read(&path).map_err(|e| TrainError::io(&path, e))?;
    let weights = Weights::from_safetensors(&bytes, "")
        .map_err(|e| TrainError::Net(format!("{}: {e}", path.display())))?;
    let fits = |p: &Parameter| weights.get(&p.name).is_some_and(|array| array.shape == p.shape);
    if net.parameters()?.iter().any(fits) {
        return Ok(weights);
    }
    let why = format!("stage {of}: `weights`: {} has no parameter of net {}", path.display(), net.name);
    Err(TrainError::Recipe(why))
}
