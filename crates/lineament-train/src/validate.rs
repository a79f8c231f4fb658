//! Figures of a net on the validation part while it learns.

use lineament_lab::metrics::{Scored, average_precision, mean};
use lineament_net::{Net, Tensor};
use rayon::prelude::*;

use crate::error::TrainError;
use crate::faces::Faces;
use crate::learner::Learner;
use crate::module::Module;
use crate::recipe::Recipe;

/// A net of the learner's averaged weights, ready to run.
///
/// # Errors
/// When the weights don't fit (a bug) or are not finite (it diverged).
pub fn net_of(learner: &Learner, module: &Module) -> Result<Net, TrainError> {
    Net::new(module.spec(), &learner.weights(module)).map_err(|e| TrainError::Net(e.to_string()))
}

/// The name of the figure that stages choose by.
pub const MEAN_AVERAGE_PRECISION: &str = "mean_average_precision";

/// Mean average precision and mean accuracy (at score 0) over the attributes, on the middle patch of each face of `validation`.
///
/// # Errors
/// When an image can't be read or the net can't be run.
pub fn mean_average_precision(
    faces: &Faces,
    validation: &[u32],
    recipe: &Recipe,
    trunk: &Net,
    head: &Net,
) -> Result<Vec<(&'static str, f64)>, TrainError> {
    let failed = |e: lineament_net::ForwardError| TrainError::Net(e.to_string());
    let scores = validation
        .par_iter()
        .map(|place| {
            let (photo, region) = faces.photo(*place as usize)?;
            let share = recipe.patches.size as f32 / recipe.patches.region as f32;
            let patch =
                lineament::crop::crop(&photo, region.scaled(share), recipe.patches.size, recipe.patches.size);
            let input: Tensor = recipe.preprocess.tensor_of(&[patch]);
            let features = trunk.forward(&input).map_err(failed)?;
            Ok(head.forward(&features).map_err(failed)?.into_vec())
        })
        .collect::<Result<Vec<_>, TrainError>>()?;
    let attributes = scores.first().map_or(0, Vec::len);
    let (mut precisions, mut accuracies) = (Vec::new(), Vec::new());
    for attribute in 0..attributes {
        let ranking: Vec<Scored> = validation
            .iter()
            .zip(&scores)
            .filter_map(|(place, scores)| {
                let truth = faces.faces[*place as usize].tags.get(attribute).copied().flatten()?;
                Some(Scored { score: scores[attribute], truth })
            })
            .collect();
        precisions.push(average_precision(&ranking));
        let right = ranking.iter().filter(|s| (s.score > 0.0) == s.truth).count();
        accuracies.push(right as f64 / ranking.len().max(1) as f64);
    }
    Ok(vec![(MEAN_AVERAGE_PRECISION, mean(precisions)), ("mean_accuracy", mean(accuracies))])
}
