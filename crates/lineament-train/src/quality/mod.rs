//! The quality of faces: how much of what a finished model tells of a face is right. It is learned from tags, on people whom no net has
//! learned from, and on copies of their faces that training itself spoils. Nobody says how good an image is.

mod recipe;
mod spoiled;

use std::path::PathBuf;

use lineament::Tagger;
use lineament::attributes::Quality;
use lineament_data::{Dataset, Framing, Split};
use lineament_fit::{Ridge, fit_ridge};

use crate::additions::AdditionOptions;
use crate::error::TrainError;
use crate::faces::mostly_known;
use crate::sets::read_sets;
pub use recipe::{QualityRecipe, QualitySettings};
use spoiled::{LabelledFace, Observation, Spoiler};

/// Learns it and returns the path of the model with it.
///
/// # Errors
/// What stopped it.
pub fn train(recipe: &QualityRecipe, options: &AdditionOptions<'_>) -> Result<PathBuf, TrainError> {
    options.prepare(recipe, QualityRecipe::parse)?;
    let sets = read_sets(&options.data, &[])?;
    // Whatever its score: the tags say that there is a face.
    let builder = Tagger::builder().bundle(options.base.clone()).least_score(-1e30);
    let tagger = builder.build().map_err(|e| TrainError::Net(e.to_string()))?;
    let names = tagger.card().names();
    let places =
        |set: &Dataset| -> Vec<Option<usize>> { names.iter().map(|name| set.attribute(name)).collect() };
    let labelled = |place: usize| sets.iter().any(|set| places(set).get(place).copied().flatten().is_some());
    let certainty_of: Vec<usize> = (0..names.len()).filter(|place| labelled(*place)).collect();
    let once: Vec<Dataset> = sets.iter().map(|set| set.once_each(Framing::Aligned)).collect();
    let faces: Vec<LabelledFace<'_>> = once
        .iter()
        .zip(0_u64..)
        .flat_map(|(set, number)| {
            let places = places(set);
            let samples =
                set.samples.iter().zip(0_u64..).filter(|(sample, _)| sample.split == Split::Validation);
            samples.filter_map(move |(sample, index)| {
                let tag =
                    |place: &Option<usize>| place.and_then(|place| sample.tags.get(place).copied().flatten());
                let tags: Vec<Option<bool>> = places.iter().map(tag).collect();
                // Who is not known is somebody else.
                let person = sample.identity.map_or(1 << 32 | index, u64::from) | number << 40;
                mostly_known(&tags).then_some(LabelledFace { path: &sample.path, person, tags })
            })
        })
        .collect();
    tracing::info!("quality: {} images, {} spoiled copies of each face", faces.len(), recipe.quality.copies);
    let spoiler = Spoiler { tagger: &tagger, recipe, certainty_of: &certainty_of };
    let looks = spoiler.looks(&faces, &options.folder)?;
    let fitted = fit(recipe, &looks)?;
    report(&looks, &fitted);

    let mut weights = fitted.weight.iter().map(|weight| *weight as f32);
    let named = certainty_of.iter().map(|place| names[*place].to_owned());
    let certainty = named.zip(weights.by_ref()).collect();
    let quality = Quality { certainty, size: weights.next().unwrap_or(0.0), bias: fitted.bias as f32 };
    let how = format!(
        "tags of {} faces of people whom nets were chosen on, each as it is and spoiled in {} ways",
        looks.iter().filter(|look| !look.spoiled).count(),
        recipe.quality.copies
    );
    options.joined("Quality", &how, |card, _| card.quality = Some(quality))
}

fn fit(recipe: &QualityRecipe, looks: &[Observation]) -> Result<Ridge, TrainError> {
    let rows: Vec<Vec<f32>> = looks.iter().map(|look| look.inputs.clone()).collect();
    let targets: Vec<f64> = looks.iter().map(|look| look.right).collect();
    let people: Vec<u64> = looks.iter().map(|look| look.person).collect();
    // A face as it is counts as much as all its copies together.
    let own = recipe.quality.copies as f64;
    let weights: Vec<f64> = looks.iter().map(|look| if look.spoiled { 1.0 } else { own }).collect();
    fit_ridge(&rows, &targets, &weights, &people, &recipe.quality.strengths).map_err(|e| {
        TrainError::NoImages {
            stage: QualityRecipe::NAME.to_owned(),
            why: format!("{e}; it learns from tagged images of the validation part"),
        }
    })
}

/// What it is worth on people who were left out: of all looks, of faces as they are, and of spoiled ones.
fn report(looks: &[Observation], fitted: &Ridge) {
    for (what, which) in [("as they are", Some(false)), ("spoiled", Some(true)), ("all", None)] {
        let mut chosen: Vec<(f64, f64)> = looks
            .iter()
            .zip(&fitted.left_out)
            .filter(|(look, _)| which.is_none_or(|spoiled| look.spoiled == spoiled))
            .map(|(look, given)| (*given, look.right))
            .collect();
        chosen.sort_by(|a, b| b.0.total_cmp(&a.0));
        let right = |part: &[(f64, f64)]| {
            100.0 * part.iter().map(|(_, right)| right).sum::<f64>() / part.len().max(1) as f64
        };
        tracing::info!(
            "quality, faces {what}: {:.2} % of tags told, {:.2} % of the better half (people left out, strength {})",
            right(&chosen),
            right(&chosen[..chosen.len() / 2]),
            fitted.strength
        );
    }
}
