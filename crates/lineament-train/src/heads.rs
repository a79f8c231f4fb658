//! Stage `svms`: one linear SVM an attribute on FC vectors of people the nets never saw, then threshold and calibration
//! (paper section 3.3; Platt's sigmoid as Lin, Lin and Weng fit it).

use std::collections::BTreeMap;

use lineament::attributes::{Anet, AttributeCard, LinearSvms};
use lineament_data::Split;
use lineament_fit::{CalibrationError, CrossValidation, Plane, ThresholdRule, assign_folds, fit_platt};
use lineament_net::Weights;
use rayon::prelude::*;

use crate::error::TrainError;
use crate::faces::Faces;
use crate::recipe::SvmStage;

/// FC vectors of the validation faces, and whose they are.
pub struct Features {
    /// A vector a face, all of one length.
    pub vectors: Vec<Vec<f32>>,
    /// Fold of every face: all images of a person are in one.
    pub folds: Vec<usize>,
    /// Tags of every face.
    pub tags: Vec<Vec<Option<bool>>>,
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

/// The linear layer that ANet's last stage put behind the FC vector: one plane an attribute.
pub struct NetHead(Vec<Plane>);

impl NetHead {
    /// From the head's weights.
    ///
    /// # Errors
    /// When they are not those of a linear layer named `head`.
    pub fn new(weights: &Weights) -> Result<Self, TrainError> {
        let get = |name: &str| {
            let found = weights.get(name).map(|array| array.data.as_slice());
            found.ok_or_else(|| TrainError::Net(format!("ANet's head lacks {name}")))
        };
        let (weight, bias) = (get("head.weight")?, get("head.bias")?);
        let rows = weight.chunks_exact((weight.len() / bias.len().max(1)).max(1));
        let plane = |(row, bias): (&[f32], &f32)| Plane {
            weight: row.iter().map(|w| f64::from(*w)).collect(),
            bias: f64::from(*bias),
        };
        Ok(Self(rows.zip(bias).map(plane).collect()))
    }

    /// The plane of an attribute.
    pub fn plane(&self, attribute: usize) -> Option<&Plane> {
        self.0.get(attribute)
    }
}

/// Runs ANet over the validation faces, as prediction does: all patches, their FC vectors averaged (which is, for a linear score, the
/// average of the patches' scores).
///
/// # Errors
/// When there are none, or an image can't be read.
pub fn features(faces: &Faces, anet: &Anet, stage: &SvmStage) -> Result<Features, TrainError> {
    let chosen: Vec<usize> = (0..faces.faces.len())
        .filter(|i| {
            faces.faces[*i].split == Split::Validation && faces.faces[*i].tags.iter().any(Option::is_some)
        })
        .collect();
    if chosen.is_empty() {
        let why = "no picture of the validation part (partition 1) has tags".to_owned();
        return Err(TrainError::NoImages { stage: "svms".to_owned(), why });
    }
    let vectors = chosen
        .par_iter()
        .map(|index| {
            let (photo, region) = faces.photo(*index)?;
            anet.vector(&photo, &region.into()).map_err(|e| TrainError::Net(e.to_string()))
        })
        .collect::<Result<_, TrainError>>()?;
    // Without a known person an image stands for itself.
    let people = chosen
        .iter()
        .enumerate()
        .map(|(place, index)| faces.faces[*index].identity.map_or((1 << 32) + place as u64, u64::from));
    let folds = assign_folds(people, stage.folds);
    let tags = chosen.iter().map(|i| faces.faces[*i].tags.clone()).collect();
    Ok(Features { vectors, folds, tags })
}

/// Fits SVM, sigmoid and thresholds of every attribute. One cost and one rule for thresholds serve all attributes: those with which people
/// who were left out (cross-validation over people) are answered best. Chosen for each attribute by itself, they would fit the noise of a
/// few hundred people. Sigmoid and thresholds come from left-out scores too.
///
/// # Errors
/// When nothing is known of an attribute, or the calibration refuses it.
pub fn heads(
    features: &Features,
    head: &NetHead,
    names: &[String],
    stage: &SvmStage,
) -> Result<Heads, TrainError> {
    let validations: Vec<Attribute> = names
        .iter()
        .enumerate()
        .map(|(attribute, name)| {
            let own = head.plane(attribute).filter(|_| stage.with_scores);
            Ok(Attribute { name, validation: validation(features, attribute, name, own)? })
        })
        .collect::<Result<_, TrainError>>()?;
    let chosen = choose(&validations, stage)?;
    let (mut weight, mut bias, mut cards) = (Vec::new(), Vec::new(), Vec::new());
    for (attribute, scores) in validations.iter().zip(&chosen.scores) {
        let plane = attribute.validation.plane(chosen.cost);
        weight.extend(plane.weight.iter().map(|w| *w as f32));
        bias.push(plane.bias as f32);
        cards.push(attribute.card(scores, chosen.rule)?);
    }
    let units = features.vectors.first().map_or(0, Vec::len);
    let svms = LinearSvms::new(units, weight, bias).map_err(|e| TrainError::Net(e.to_string()))?;
    let [accuracy, balanced] = chosen.figures;
    let scores = BTreeMap::from([
        ("validation_mean_accuracy".to_owned(), accuracy),
        ("validation_mean_balanced_accuracy".to_owned(), balanced),
    ]);
    Ok(Heads { svms, cards, scores })
}

/// One attribute and its validation.
struct Attribute<'a> {
    name: &'a str,
    validation: CrossValidation,
}

/// The validation of the attribute at `attribute` to the faces of which it is known.
fn validation(
    features: &Features,
    attribute: usize,
    name: &str,
    own: Option<&Plane>,
) -> Result<CrossValidation, TrainError> {
    let (mut vectors, mut answers, mut folds) = (Vec::new(), Vec::new(), Vec::new());
    for ((vector, tags), fold) in features.vectors.iter().zip(&features.tags).zip(&features.folds) {
        if let Some(answer) = tags.get(attribute).copied().flatten() {
            vectors.push(vector.as_slice());
            answers.push(answer);
            folds.push(*fold);
        }
    }
    if vectors.is_empty() {
        let why = format!("no picture of the validation part says anything of {name}");
        return Err(TrainError::NoImages { stage: "svms".to_owned(), why });
    }
    Ok(CrossValidation::new(&vectors, answers, folds, own))
}

impl Attribute<'_> {
    /// Shares of right answers of a rule's thresholds: see [`ThresholdRule::left_out`].
    fn left_out(&self, scores: &[f32], rule: ThresholdRule) -> Result<[f64; 2], TrainError> {
        let found = rule.left_out(scores, self.validation.answers(), self.validation.folds());
        found.map_err(|e| self.refused(&e))
    }

    /// Calibration and thresholds from scores of left-out people.
    fn card(&self, scores: &[f32], rule: ThresholdRule) -> Result<AttributeCard, TrainError> {
        let answers = self.validation.answers();
        let positives = answers.iter().filter(|yes| **yes).count() as f32;
        Ok(AttributeCard {
            name: self.name.to_owned(),
            platt: fit_platt(scores, answers).map_err(|e| self.refused(&e))?,
            thresholds: rule.thresholds(scores, answers).map_err(|e| self.refused(&e))?,
            prevalence: positives / answers.len() as f32,
            provenance: None,
        })
    }

    fn refused(&self, error: &CalibrationError) -> TrainError {
        TrainError::Net(format!("{}: {error}", self.name))
    }
}

/// The cost and the rule that serve left-out people best.
struct Chosen {
    cost: f64,
    rule: ThresholdRule,
    /// Scores of left-out people, a list an attribute.
    scores: Vec<Vec<f32>>,
    /// Mean accuracy and mean balanced accuracy.
    figures: [f64; 2],
}

fn choose(validations: &[Attribute<'_>], stage: &SvmStage) -> Result<Chosen, TrainError> {
    let mut best: Option<Chosen> = None;
    for cost in &stage.costs {
        let scores: Vec<Vec<f32>> =
            validations.iter().map(|attribute| attribute.validation.left_out_scores(*cost)).collect();
        for rule in ThresholdRule::ALL {
            let mut figures = [0.0; 2];
            for (attribute, scores) in validations.iter().zip(&scores) {
                let found = attribute.left_out(scores, rule)?;
                figures.iter_mut().zip(found).for_each(|(sum, one)| *sum += one / validations.len() as f64);
            }
            let [accuracy, balanced] = figures;
            tracing::info!(
                "svms: cost {cost}, {rule:?}: accuracy {accuracy:.4}, balanced accuracy {balanced:.4} on left-out people"
            );
            if best.as_ref().is_none_or(|one| figures.iter().sum::<f64>() > one.figures.iter().sum()) {
                best = Some(Chosen { cost: *cost, rule, scores: scores.clone(), figures });
            }
        }
    }
    best.ok_or_else(|| TrainError::Recipe("stage svms: `costs` is empty".to_owned()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    const UNITS: usize = 6;

    /// A net whose head asks the first FC unit for one attribute and the second for the other, and 300 faces that it reads with noise.
    fn world() -> (Features, NetHead, Vec<String>) {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let asks = |unit: usize, bias| {
            let mut weight = vec![0.0; UNITS];
            weight[unit] = 2.0;
            Plane { weight, bias }
        };
        let head = NetHead(vec![asks(0, 0.25), asks(1, -0.5)]);
        let mut features = Features { vectors: vec![], folds: vec![], tags: vec![] };
        for place in 0..300_usize {
            let vector: Vec<f32> = (0..UNITS).map(|_| rng.random_range(-1.0..1.0)).collect();
            let exact: Vec<f64> = vector.iter().map(|v| f64::from(*v)).collect();
            let mut truth = |plane: &Plane| plane.score(&exact) + rng.random_range(-0.3..0.3) > 0.0;
            let tags: Vec<bool> = head.0.iter().map(&mut truth).collect();
            // Of every tenth face the second attribute is unknown.
            features.tags.push(vec![Some(tags[0]), Some(tags[1]).filter(|_| !place.is_multiple_of(10))]);
            features.vectors.push(vector);
            features.folds.push(place % 5);
        }
        (features, head, vec!["One".to_owned(), "Two".to_owned()])
    }

    #[test]
    fn heads_answer_faces_as_the_net_reads_them() {
        let (features, head, names) = world();
        let stage = SvmStage { costs: vec![0.01, 0.1], folds: 5, with_scores: true };
        let heads = heads(&features, &head, &names, &stage).unwrap();
        assert!(heads.scores["validation_mean_accuracy"] > 0.88, "{:?}", heads.scores);
        let mut right = [0, 0];
        for (vector, tags) in features.vectors.iter().zip(&features.tags) {
            let scores = heads.svms.scores(vector).unwrap();
            for ((right, card), (score, tag)) in
                right.iter_mut().zip(&heads.cards).zip(scores.iter().zip(tags))
            {
                *right += usize::from(tag.is_some_and(|tag| (*score > card.thresholds.accuracy) == tag));
            }
        }
        assert!(right[0] > 265 && right[1] > 240, "{right:?}");
    }

    #[test]
    fn an_attribute_that_nobody_is_asked_about_is_named() {
        let (mut features, head, names) = world();
        features.tags.iter_mut().for_each(|tags| tags[1] = None);
        let stage = SvmStage { costs: vec![0.1], folds: 5, with_scores: true };
        let error = heads(&features, &head, &names, &stage).err().unwrap();
        assert!(error.to_string().contains("Two"), "{error}");
    }
}
