//! The paper's localization ([`lineament::locate::paper`]): LNet_o learns the tags of whole photos, LNet_s those of the head-shoulder regions that LNet_o
//! finds.

use std::path::{Path, PathBuf};

use lineament::Rect;
use lineament::locate::{Face, HeadShoulders, PaperLocalizer, PaperParameters};
use lineament_data::{Sample, Split};
use lineament_fit::detection_threshold::least_error;
use lineament_net::{NetSpec, Weights};
use rayon::prelude::*;

use super::given_weights;
use crate::context::Context;
use crate::error::TrainError;
use crate::learner::Learner;
use crate::photos::{PhotoModules, Photos, Tagged};
use crate::recipe::{PaperRecipe, PhotoStage};
use crate::sets::{backgrounds, faceless, open_photo, photos};
use crate::stage::Stage;
use crate::teachers::Teachers;
use crate::trained_lnets::{LEAST, net};
use crate::training_loop;

/// Factors that are tried for the size of LNet_s's window against the face.
const ENLARGE: [f32; 9] = [0.6, 0.7, 0.8, 0.9, 1.0, 1.15, 1.3, 1.5, 1.75];

/// Powers of the size that sums of responses are divided by: 1 is the paper's.
const SIZE_POWERS: [f32; 6] = [1.0, 0.8, 0.6, 0.4, 0.2, 0.0];

/// A head-shoulder region holds a face when at least this share of its box is inside.
const HOLDS: f32 = 0.9;

/// Of the powers with which LNet_o's regions hold about as many faces, as this share of the most, the tightest is taken.
const NEARLY: f64 = 0.95;

/// Stage `lnet_o`: tags of whole photos.
///
/// # Errors
/// When there is nothing to learn from, or the training stops.
pub fn lnet_o(context: &Context<'_>, recipe: &PaperRecipe) -> Result<(), TrainError> {
    let net = &context.recipe.nets.lnet_o;
    let start = match &recipe.lnet_o.weights {
        Some(name) => Some(given_weights(context, name, net, Stage::LnetO)?),
        None => context.object_weights(Stage::LnetO, "trunk")?,
    };
    if recipe.lnet_o.schedule.all_epochs() == 0 {
        return take(context, Stage::LnetO, net, start);
    }
    let of_photo = |s: Sample| Tagged { path: s.path, region: None, tags: s.tags };
    let images = photos(&context.sets, Split::Train).into_iter().map(of_photo).collect();
    learn(context, "lnet_o", &recipe.lnet_o, images, start.as_ref())
}

/// Stage `lnet_s`: tags of the regions that LNet_o finds. Both LNets have one structure (paper section 3.1), so that LNet_s goes on from LNet_o, which
/// knows objects and faces in photos (our choice: the paper begins both from objects); else it begins from objects.
///
/// # Errors
/// When there is nothing to learn from, or the training stops.
pub fn lnet_s(context: &Context<'_>, recipe: &PaperRecipe) -> Result<PaperParameters, TrainError> {
    let lnet_o = context.weights(Stage::LnetS, Stage::LnetO, "trunk", Some(&context.recipe.nets.lnet_o))?;
    let open_doors =
        PaperParameters { candidate_threshold: LEAST, threshold: LEAST, ..recipe.localisation.clone() };
    let open_doors = with_regions_that_hold_faces(context, &lnet_o, open_doors)?;
    let nets = &context.recipe.nets;
    let start = match &recipe.lnet_s.weights {
        Some(name) => Some(given_weights(context, name, &nets.lnet_s, Stage::LnetS)?),
        None if nets.one_lnet() => Some(lnet_o.clone()),
        None => context.object_weights(Stage::LnetS, "lnet_s")?,
    };
    if recipe.lnet_s.schedule.all_epochs() == 0 {
        take(context, Stage::LnetS, &nets.lnet_s, start)?;
    } else {
        let images = head_shoulders(context, &localizer(context, &lnet_o, &lnet_o, &open_doors)?)?;
        learn(context, "lnet_s", &recipe.lnet_s, images, start.as_ref())?;
    }
    calibrate(context, &lnet_o, &open_doors)
}

/// The best head-shoulder region of every tagged training photo, with the photo's tags.
fn head_shoulders(context: &Context<'_>, finder: &PaperLocalizer) -> Result<Vec<Tagged>, TrainError> {
    let of_photo = |sample: &Sample| {
        let found =
            finder.head_shoulders(&open_photo(&sample.path)?).map_err(|e| TrainError::Net(e.to_string()))?;
        let tagged =
            |rect| Tagged { path: sample.path.clone(), region: Some(rect), tags: sample.tags.clone() };
        Ok(found.first().map(|region| tagged(region.rect)))
    };
    let photos = photos(&context.sets, Split::Train);
    let found = photos.par_iter().map(of_photo).collect::<Result<Vec<_>, TrainError>>()?;
    Ok(found.into_iter().flatten().collect())
}

/// A net that was learned elsewhere, as it is.
fn take(context: &Context<'_>, of: Stage, net: &NetSpec, weights: Option<Weights>) -> Result<(), TrainError> {
    let weights = weights.unwrap_or_default();
    weights.check(net).map_err(|e| TrainError::Net(format!("stage {of}, which learns for no epoch: {e}")))?;
    context.save(of, &[("trunk", &weights)])
}

fn learn(
    context: &Context<'_>,
    name: &'static str,
    stage: &PhotoStage,
    images: Vec<Tagged>,
    start: Option<&Weights>,
) -> Result<(), TrainError> {
    let nothing = |why: &str| Err(TrainError::NoImages { stage: name.to_owned(), why: why.to_owned() });
    if images.len() < stage.schedule.batch {
        return nothing("no --data set holds enough tagged photos that were not cropped around their faces");
    }
    let backgrounds = backgrounds(&context.sets, &[]);
    if backgrounds.is_empty() && stage.negatives > 0.0 {
        return nothing(
            "no --data folder holds pictures without a face (a flat folder of them, or object classes)",
        );
    }
    let spec = if name == "lnet_o" { &context.recipe.nets.lnet_o } else { &context.recipe.nets.lnet_s };
    let mut modules = PhotoModules::new(spec, context.attributes.len())?;
    let of = if name == "lnet_o" { Stage::LnetO } else { Stage::LnetS };
    modules.teachers = Teachers::of_stage(context, of, spec.output()?.channels, modules.head.end())?;
    let schedule = &stage.schedule;
    let mut learner = Learner::new(&modules.list(), schedule, context.recipe.seed, &context.folder.device);
    if let Some(start) = start {
        learner.load_matching(&modules.trunk, start);
    }
    tracing::info!("{name}: {} pictures with a face", images.len());
    let task =
        Photos::new(name, context.recipe, stage, &modules, images, backgrounds, context.attributes.len());
    training_loop::run(&task, &mut learner, schedule, &context.folder.around())?;
    context.folder.save(name, &[("trunk", &learner.weights(&modules.trunk))])
}

fn localizer(
    context: &Context<'_>,
    lnet_o: &Weights,
    lnet_s: &Weights,
    parameters: &PaperParameters,
) -> Result<PaperLocalizer, TrainError> {
    let nets = &context.recipe.nets;
    PaperLocalizer::new(
        net(&nets.lnet_o, lnet_o)?,
        net(&nets.lnet_s, lnet_s)?,
        context.recipe.preprocess,
        parameters.clone(),
    )
    .map_err(|e| TrainError::Net(e.to_string()))
}

/// On the validation part: the power with which LNet_o's best regions hold the faces of their photos and little else. Where the sum is divided by the whole
/// size, as in the paper, the best window is the one around the highest cell, and LNet_s would learn from pieces of cheek.
fn with_regions_that_hold_faces(
    context: &Context<'_>,
    lnet_o: &Weights,
    start: PaperParameters,
) -> Result<PaperParameters, TrainError> {
    let samples: Vec<(Sample, Rect)> = photos(&context.sets, Split::Validation)
        .into_iter()
        .filter_map(|s| s.rect.map(|rect| (s, rect)))
        .collect();
    let best_alone = PaperParameters { candidates: 1, ..start.clone() };
    let finder = localizer(context, lnet_o, lnet_o, &best_alone)?;
    let holds = |(sample, given): &(Sample, Rect)| {
        let weighed = finder.head_shoulders_weighed(&open_photo(&sample.path)?, &SIZE_POWERS);
        let weighed = weighed.map_err(|e| TrainError::Net(e.to_string()))?;
        let held = |regions: &Vec<HeadShoulders>| {
            let inside = regions.first().and_then(|region| region.rect.intersection(*given));
            inside.is_some_and(|inside| inside.area() >= HOLDS * given.area())
        };
        Ok(weighed.iter().map(held).collect())
    };
    let images = samples.par_iter().map(holds).collect::<Result<Vec<Vec<bool>>, TrainError>>()?;
    let count = |place: usize| images.iter().filter(|held| held.get(place) == Some(&true)).count();
    let held: Vec<(f32, usize)> = SIZE_POWERS.into_iter().zip((0..).map(count)).collect();
    let most = held.iter().map(|(_, count)| *count).max().unwrap_or(0);
    let enough = |count: usize| count > 0 && count as f64 >= NEARLY * most as f64;
    let Some((power, count)) = held.into_iter().find(|(_, count)| enough(*count)) else { return Ok(start) };
    tracing::info!(
        "lnet_s: validation: with size power {power} LNet_o's best regions hold {count} of {} faces",
        samples.len()
    );
    Ok(PaperParameters { head_shoulder_size_power: power, ..start })
}

/// On the validation part: the power and the factor with which most given boxes are met, then the decision boundary between the scores of
/// images with and without a face, as the paper takes it.
fn calibrate(
    context: &Context<'_>,
    lnet_o: &Weights,
    start: &PaperParameters,
) -> Result<PaperParameters, TrainError> {
    let lnet_s = context.weights(Stage::LnetS, Stage::LnetS, "trunk", Some(&context.recipe.nets.lnet_s))?;
    let samples = photos(&context.sets, Split::Validation);
    let mut best: Option<(usize, PaperParameters, Vec<f32>)> = None;
    let paths: Vec<&Path> = samples.iter().map(|s| s.path.as_path()).collect();
    let unscaled = PaperParameters { face_enlarge: 1.0, ..start.clone() };
    let weighed = strongest(&localizer(context, lnet_o, &lnet_s, &unscaled)?, &paths, &SIZE_POWERS)?;
    for (size_power, found) in SIZE_POWERS.into_iter().zip(weighed) {
        let tried = PaperParameters { size_power, ..unscaled.clone() };
        let scores: Vec<f32> = found.iter().flatten().map(|face| face.score).collect();
        for face_enlarge in ENLARGE {
            let met = |(sample, face): (&Sample, &Option<Face>)| {
                let (Some(given), Some(face)) = (sample.rect, face) else { return false };
                face.rect.scaled(face_enlarge).iou(given) >= 0.5
            };
            let hits = samples.iter().zip(&found).filter(|pair| met(*pair)).count();
            if best.as_ref().is_none_or(|(most, _, _)| hits > *most) {
                best = Some((hits, PaperParameters { face_enlarge, ..tried.clone() }, scores.clone()));
            }
        }
    }
    let Some((hits, mut chosen, faces)) = best else { return Ok(start.clone()) };
    let backgrounds = faceless(&context.sets);
    let localizer = localizer(context, lnet_o, &lnet_s, &chosen)?;
    let paths: Vec<&Path> = backgrounds.iter().map(PathBuf::as_path).collect();
    let alarms = strongest(&localizer, &paths, &[chosen.size_power])?.into_iter().flatten();
    let alarms: Vec<f32> = alarms.map(|face| face.map_or(LEAST, |face| face.score)).collect();
    if !faces.is_empty() && !alarms.is_empty() {
        chosen.threshold =
            least_error(&faces, &alarms).map_err(|e| TrainError::Net(e.to_string()))?.threshold;
    }
    tracing::info!(
        "lnet_s: validation: {hits} of {} boxes at IoU 0.5 with size power {} and factor {}; threshold {:.4}",
        samples.len(),
        chosen.size_power,
        chosen.face_enlarge,
        chosen.threshold
    );
    Ok(chosen)
}

/// The best face of every image, for each of several powers of the size.
fn strongest(
    localizer: &PaperLocalizer,
    paths: &[&Path],
    powers: &[f32],
) -> Result<Vec<Vec<Option<Face>>>, TrainError> {
    let best = |path: &&Path| {
        let weighed = localizer.faces_weighed(&open_photo(path)?, LEAST, powers);
        let weighed = weighed.map_err(|e| TrainError::Net(e.to_string()))?;
        // A box without an inside can't be drawn or compared.
        Ok(weighed.into_iter().map(|faces| faces.into_iter().find(|face| face.rect.area() > 0.0)).collect())
    };
    let images = paths.par_iter().map(best).collect::<Result<Vec<Vec<Option<Face>>>, TrainError>>()?;
    let of_power = |place: usize| images.iter().map(|faces| faces.get(place).copied().flatten()).collect();
    Ok((0..powers.len()).map(of_power).collect())
}
