//! Stage `svms`: one linear SVM an attribute on FC vectors of people the nets never saw, then threshold and calibration
//! (paper section 3.3; Platt's sigmoid as Lin, Lin and Weng fit it).

use std::collections::BTreeMap;

use lineament::attributes::{Anet, AttributeCard, CalibrationError, LinearSvms, Platt};
use lineament_data::Split;
use lineament_net::Weights;
use rayon::prelude::*;

use crate::error::TrainError;
use crate::faces::Faces;
use crate::recipe::SvmStage;
use crate::svm::{Plane, fit};
use crate::thresholds::{RULES, Rule};

/// Features of the validation faces, and whose they are.
pub struct Features {
    /// A row a face.
    rows: Vec<Vec<f64>>,
    /// Fold of every face: all pictures of a person are in one.
    folds: Vec<usize>,
    /// Tags of every face.
    tags: Vec<Vec<Option<bool>>>,
    /// Length of the FC vector; what a row has beyond it are the net's own scores.
    units: usize,
}

/// What the stage gives.
pub struct Heads {
    /// The SVMs on FC vectors.
    pub svms: LinearSvms,
    /// Calibration and thresholds.
    pub cards: Vec<AttributeCard>,
    /// How well they do on left-out people of the validation part, by the name of the measure.
    pub scores: BTreeMap<String, f64>,
}

/// The linear layer that ANet's last stage put behind the FC vector.
pub struct NetHead {
    /// `A x D`.
    weight: Vec<f32>,
    /// `A`.
    bias: Vec<f32>,
}

impl NetHead {
    /// From the head's weights.
    ///
    /// # Errors
    /// When they are not those of a linear layer named `head`.
    pub fn new(weights: &Weights) -> Result<Self, TrainError> {
        let get = |name: &str| {
            weights
                .get(name)
                .map(|a| a.data.clone())
                .ok_or_else(|| TrainError::Net(format!("ANet's head lacks {name}")))
        };
        Ok(Self { weight: get("head.weight")?, bias: get("head.bias")? })
    }

    fn scores(&self, vector: &[f32]) -> Vec<f32> {
        let rows = self.weight.chunks_exact(vector.len().max(1)).zip(&self.bias);
        rows.map(|(row, bias)| row.iter().zip(vector).map(|(w, x)| w * x).sum::<f32>() + bias).collect()
    }
}

/// Runs ANet over the validation faces, as prediction does: all patches, their FC vectors averaged (which is, for a linear score, the
/// average of the patches' scores).
///
/// # Errors
/// When there are none, or a picture can't be read.
pub fn features(
    faces: &Faces,
    anet: &Anet,
    head: &NetHead,
    stage: &SvmStage,
) -> Result<Features, TrainError> {
    let chosen: Vec<usize> = (0..faces.faces.len())
        .filter(|i| {
            faces.faces[*i].split == Split::Validation && faces.faces[*i].tags.iter().any(Option::is_some)
        })
        .collect();
    if chosen.is_empty() {
        let why = "no picture of the validation part (partition 1) has tags".to_owned();
        return Err(TrainError::NoPictures { stage: "svms".to_owned(), why });
    }
    let rows = chosen
        .par_iter()
        .map(|index| {
            let (photo, region) = faces.photo(*index)?;
            let vector = anet.vector(&photo, region).map_err(|e| TrainError::Net(e.to_string()))?;
            let mut row: Vec<f64> = vector.iter().map(|v| f64::from(*v)).collect();
            if stage.with_scores {
                row.extend(head.scores(&vector).into_iter().map(f64::from));
            }
            Ok(row)
        })
        .collect::<Result<Vec<_>, TrainError>>()?;
    let mut numbers: BTreeMap<u32, usize> = BTreeMap::new();
    let folds = chosen
        .iter()
        .enumerate()
        .map(|(place, index)| {
            // Without a known person a picture stands for itself.
            let person = faces.faces[*index].identity.unwrap_or(u32::MAX - place as u32);
            let next = numbers.len();
            *numbers.entry(person).or_insert(next) % stage.folds
        })
        .collect();
    let tags = chosen.iter().map(|i| faces.faces[*i].tags.clone()).collect();
    Ok(Features { rows, folds, tags, units: anet.features() })
}

/// Fits SVM, sigmoid and thresholds of every attribute. The cost is chosen by cross-validation over people, by how well the calibrated
/// probabilities of left-out people explain their tags; sigmoid and thresholds come from those left-out scores too.
///
/// # Errors
/// When LIBLINEAR or the calibration refuses an attribute.
pub fn heads(
    features: &Features,
    head: &NetHead,
    names: &[String],
    stage: &SvmStage,
) -> Result<Heads, TrainError> {
    let fitted: Vec<Fitted> = (0..names.len())
        .map(|attribute| one_head(features, head, attribute, &names[attribute], stage))
        .collect::<Result<_, _>>()?;
    let (rule, [accuracy, balanced]) = best_rule(&fitted, names, stage)?;
    let weight = fitted.iter().flat_map(|one| one.weight.iter().copied()).collect();
    let bias = fitted.iter().map(|one| one.bias).collect();
    let svms = LinearSvms::new(features.units, weight, bias).map_err(|e| TrainError::Net(e.to_string()))?;
    let cards = fitted
        .iter()
        .zip(names)
        .map(|(one, name)| {
            let calibrated = |e: CalibrationError| TrainError::Net(format!("{name}: {e}"));
            let positives = one.answers.iter().filter(|yes| **yes).count() as f32;
            Ok(AttributeCard {
                name: name.clone(),
                platt: Platt::fit(&one.scores, &one.answers).map_err(calibrated)?,
                thresholds: rule.thresholds(&one.scores, &one.answers).map_err(calibrated)?,
                positives: positives / one.answers.len() as f32,
            })
        })
        .collect::<Result<_, TrainError>>()?;
    let scores = BTreeMap::from([
        ("validation_mean_accuracy".to_owned(), accuracy),
        ("validation_mean_balanced_accuracy".to_owned(), balanced),
    ]);
    Ok(Heads { svms, cards, scores })
}

/// The SVM of one attribute, and how it scores people that it was not fitted on.
struct Fitted {
    weight: Vec<f32>,
    bias: f32,
    scores: Vec<f32>,
    answers: Vec<bool>,
    folds: Vec<usize>,
}

/// The rule for thresholds that, chosen on some people, does best on others: one for all attributes, so that the choice itself does not fit noise.
fn best_rule(fitted: &[Fitted], names: &[String], stage: &SvmStage) -> Result<(Rule, [f64; 2]), TrainError> {
    let mut best = (Rule::BestCut, [f64::MIN; 2]);
    for rule in RULES {
        let mut sums = [0.0; 2];
        for (one, name) in fitted.iter().zip(names) {
            let figures = rule
                .left_out(&one.scores, &one.answers, &one.folds, stage.folds)
                .map_err(|e| TrainError::Net(format!("{name}: {e}")))?;
            sums.iter_mut().zip(figures).for_each(|(sum, figure)| *sum += figure);
        }
        let figures = sums.map(|sum| sum / fitted.len().max(1) as f64);
        let [accuracy, balanced] = figures;
        tracing::info!(
            "svms: {rule:?}: accuracy {accuracy:.4}, balanced accuracy {balanced:.4} on left-out people"
        );
        if figures.iter().sum::<f64>() > best.1.iter().sum() {
            best = (rule, figures);
        }
    }
    Ok(best)
}

fn one_head(
    features: &Features,
    head: &NetHead,
    attribute: usize,
    name: &str,
    stage: &SvmStage,
) -> Result<Fitted, TrainError> {
    let known: Vec<(usize, bool)> = features
        .tags
        .iter()
        .enumerate()
        .filter_map(|(row, tags)| tags.get(attribute).copied().flatten().map(|tag| (row, tag)))
        .collect();
    let answers: Vec<bool> = known.iter().map(|(_, tag)| *tag).collect();
    if answers.is_empty() {
        let why = format!("no picture of the validation part says anything of {name}");
        return Err(TrainError::NoPictures { stage: "svms".to_owned(), why });
    }
    let scale = Scale::of(features, &known, attribute);
    let rows: Vec<Vec<f64>> = known.iter().map(|(row, _)| scale.apply(&features.rows[*row])).collect();

    let mut best: Option<(f64, f64, Vec<f32>)> = None;
    for cost in &stage.costs {
        let scores = left_out_scores(features, &known, &rows, &answers, *cost, stage.folds)?;
        let platt = Platt::fit(&scores, &answers).map_err(|e| TrainError::Net(format!("{name}: {e}")))?;
        let loss = log_loss(platt, &scores, &answers);
        if best.as_ref().is_none_or(|(least, _, _)| loss < *least) {
            best = Some((loss, *cost, scores));
        }
    }
    let Some((_, cost, scores)) = best else {
        return Err(TrainError::Recipe("stage svms: `costs` is empty".to_owned()));
    };
    let all: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
    let plane = scale.undo(&fit(&all, &answers, cost)?);
    let (weight, bias) = fold_scores(&plane, head, features.units);
    let folds = known.iter().map(|(row, _)| features.folds[*row]).collect();
    Ok(Fitted { weight, bias, scores, answers, folds })
}

/// Scores of every row by an SVM that saw nobody of its fold.
fn left_out_scores(
    features: &Features,
    known: &[(usize, bool)],
    rows: &[Vec<f64>],
    answers: &[bool],
    cost: f64,
    folds: usize,
) -> Result<Vec<f32>, TrainError> {
    let fold_of = |place: usize| features.folds[known[place].0];
    let planes: Vec<Plane> = (0..folds)
        .into_par_iter()
        .map(|fold| {
            let seen: Vec<usize> = (0..rows.len()).filter(|place| fold_of(*place) != fold).collect();
            let seen_rows: Vec<&[f64]> = seen.iter().map(|place| rows[*place].as_slice()).collect();
            let seen_answers: Vec<bool> = seen.iter().map(|place| answers[*place]).collect();
            fit(&seen_rows, &seen_answers, cost)
        })
        .collect::<Result<_, _>>()?;
    Ok((0..rows.len()).map(|place| planes[fold_of(place)].score(&rows[place]) as f32).collect())
}

fn log_loss(platt: Platt, scores: &[f32], answers: &[bool]) -> f64 {
    let one = |(score, yes): (&f32, &bool)| {
        let p = f64::from(platt.probability(*score)).clamp(1e-7, 1.0 - 1e-7);
        if *yes { -p.ln() } else { -(1.0 - p).ln() }
    };
    scores.iter().zip(answers).map(one).sum::<f64>() / scores.len().max(1) as f64
}

/// How much larger the net's own score for an attribute is made than its other scores: the penalty on its weight falls with the square.
const OWN_SCORE: f64 = 10.0;

/// Features to zero mean and comparable size: one scale for all FC units together (so that weak units stay weak), and one for all scores.
struct Scale {
    mean: Vec<f64>,
    factor: Vec<f64>,
}

impl Scale {
    fn of(features: &Features, known: &[(usize, bool)], attribute: usize) -> Self {
        let width = features.rows.first().map_or(0, Vec::len);
        let count = known.len().max(1) as f64;
        let mut mean = vec![0.0; width];
        let mut square = vec![0.0; width];
        for (row, _) in known {
            for (i, v) in features.rows[*row].iter().enumerate() {
                mean[i] += v / count;
                square[i] += v * v / count;
            }
        }
        let variance: Vec<f64> = square.iter().zip(&mean).map(|(s, m)| (s - m * m).max(0.0)).collect();
        let (fc, scores) = variance.split_at(features.units.min(width));
        let factor = |part: &[f64]| {
            let total: f64 = part.iter().sum();
            if total > 0.0 { (part.len() as f64 / total).sqrt() } else { 1.0 }
        };
        // All units together weigh as much as one score: the many units may correct the scores, not drown them.
        let fc_factor = factor(fc) / (fc.len().max(1) as f64).sqrt();
        let mut factors = vec![fc_factor; fc.len()];
        factors.extend(vec![factor(scores); scores.len()]);
        // The net's score for this very attribute is as good as free of the penalty: with the least cost the SVM ranks faces as the net does,
        // and only what the validation people make plain moves it from there.
        if let Some(own) = factors.get_mut(fc.len() + attribute) {
            *own *= OWN_SCORE;
        }
        Self { mean, factor: factors }
    }

    fn apply(&self, row: &[f64]) -> Vec<f64> {
        row.iter().zip(&self.mean).zip(&self.factor).map(|((v, m), f)| (v - m) * f).collect()
    }

    fn undo(&self, plane: &Plane) -> Plane {
        let weight: Vec<f64> = plane.weight.iter().zip(&self.factor).map(|(w, f)| w * f).collect();
        let bias = plane.bias - weight.iter().zip(&self.mean).map(|(w, m)| w * m).sum::<f64>();
        Plane { weight, bias }
    }
}

/// The net's scores are linear in the FC vector, so a plane over both is one over the FC vector alone.
fn fold_scores(plane: &Plane, head: &NetHead, units: usize) -> (Vec<f32>, f32) {
    let (fc, scores) = plane.weight.split_at(units.min(plane.weight.len()));
    let mut weight = fc.to_vec();
    let mut bias = plane.bias;
    for ((share, row), offset) in scores.iter().zip(head.weight.chunks_exact(units.max(1))).zip(&head.bias) {
        for (w, h) in weight.iter_mut().zip(row) {
            *w += share * f64::from(*h);
        }
        bias += share * f64::from(*offset);
    }
    (weight.into_iter().map(|w| w as f32).collect(), bias as f32)
}
