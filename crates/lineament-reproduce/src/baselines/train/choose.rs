//! Stage `svms` of the baselines: features of all faces, the settings that answer validation people best, and the SVMs with them.

use std::collections::BTreeMap;
use std::path::Path;

use lineament::attributes::{AttributeCard, LinearSvms};
use lineament_data::Split;
use lineament_fit::{CalibrationError, Plane, ThresholdRule, assign_folds, fit_linear_svm, fit_platt};
use rayon::prelude::*;

use super::choices::{Choice, ChoiceStage, LearnFrom, Scaling};
use super::faces::MarkedFaces;
use lineament_train::TrainError;
use lineament_train::checkpoint::write_whole;
use lineament_train::heads::Heads;

/// Vectors of faces before powers and weights, all of one length.
pub struct Vectors {
    /// Of the training faces.
    pub training: Vec<Vec<f32>>,
    /// Of the validation faces.
    pub validation: Vec<Vec<f32>>,
}

/// What settings are chosen for, and on whom.
pub struct Search<'a> {
    /// All faces.
    pub faces: &'a MarkedFaces,
    /// Their vectors, in the order of [`MarkedFaces::of`].
    pub vectors: Vectors,
    /// The attributes.
    pub names: &'a [String],
    /// What is tried.
    pub stage: &'a ChoiceStage,
    /// Powers and weights, as the extractor applies them.
    pub finish: &'a (dyn Fn(&Choice, &mut [f32]) + Sync),
}

/// Finds the best setting, list by list, and the SVMs with it. What was measured is kept in `log`, so that a search that was stopped goes on
/// where it was.
///
/// # Errors
/// When the log can't be written, or nothing is known of an attribute.
pub fn choose(search: &Search<'_>, log: &Path) -> Result<(Choice, Heads), TrainError> {
    let nothing = || TrainError::Recipe("stage svms: a list is empty".to_owned());
    let mut best = search.stage.first().ok_or_else(nothing)?;
    let mut known = read_log(log)?;
    let folds = folds(search);
    let mut prepared: Option<Prepared> = None;
    for list in 0..5 {
        let mut round = search.stage.round(list, best);
        if round.len() > 1 || list == 4 {
            let mut figures = Vec::new();
            for choice in &round {
                let key = choice.to_string();
                let figure = match known.get(&key) {
                    Some(figure) => *figure,
                    None => {
                        let ready = Prepared::of(search, choice, &mut prepared);
                        let figure = measured(search, ready, choice, &folds)?.figures;
                        tracing::info!(
                            "svms: {key}: accuracy {:.4}, balanced accuracy {:.4} on left-out people",
                            figure[0],
                            figure[1]
                        );
                        known.insert(key, figure);
                        write_log(log, &known)?;
                        figure
                    }
                };
                figures.push(figure.iter().sum::<f64>());
            }
            let most = figures.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let place = figures.iter().position(|figure| *figure == most).ok_or_else(nothing)?;
            best = round.swap_remove(place);
        }
    }
    let ready = Prepared::of(search, &best, &mut prepared);
    let measured = measured(search, ready, &best, &folds)?;
    tracing::info!("svms: chosen {best}, {:?}", measured.rule);
    Ok((best, finished(search, ready, &best, measured)?))
}

/// The fold of every validation face: all images of a person are in one.
fn folds(search: &Search<'_>) -> Vec<usize> {
    let person = |place: u32| {
        let identity = search.faces.faces[place as usize].identity;
        identity.map_or((1 << 32) + u64::from(place), u64::from)
    };
    assign_folds(search.faces.of(Split::Validation).into_iter().map(person), search.stage.folds)
}

/// Rows with powers, weights and scaling applied: training first.
struct Prepared {
    key: (f32, f32, Scaling),
    rows: Vec<Vec<f32>>,
    mean: Vec<f32>,
    factor: Vec<f32>,
}

impl Prepared {
    /// Those at hand if they are of the same kind, else new ones.
    fn of<'p>(search: &Search<'_>, choice: &Choice, kept: &'p mut Option<Self>) -> &'p Self {
        let key = (choice.power, choice.colour_weight, choice.scaling);
        let good = kept.take().filter(|one| one.key == key);
        kept.insert(good.unwrap_or_else(|| Self::new(search, choice, key)))
    }

    fn new(search: &Search<'_>, choice: &Choice, key: (f32, f32, Scaling)) -> Self {
        let all = search.vectors.training.par_iter().chain(&search.vectors.validation);
        let mut rows: Vec<Vec<f32>> = all
            .map(|vector| {
                let mut row = vector.clone();
                (search.finish)(choice, &mut row);
                row
            })
            .collect();
        let width = rows.first().map_or(0, Vec::len);
        let count = rows.len().max(1) as f64;
        let sums = |of: &dyn Fn(f32, usize) -> f64| {
            let mut sums = vec![0.0_f64; width];
            for row in &rows {
                sums.iter_mut().zip(row).enumerate().for_each(|(at, (sum, value))| *sum += of(*value, at));
            }
            sums.into_iter().map(|sum| sum / count).collect::<Vec<f64>>()
        };
        let mean = sums(&|value, _| f64::from(value));
        let variance = sums(&|value, at| (f64::from(value) - mean[at]).powi(2));
        let total = variance.iter().sum::<f64>().max(1e-30);
        // A feature that hardly moves is not blown up to the size of the others.
        let least = 1e-3 * total / width.max(1) as f64;
        let factor: Vec<f32> = variance
            .iter()
            .map(|own| match choice.scaling {
                Scaling::Together => total.sqrt().recip() as f32,
                Scaling::Each => ((own.max(least)) * width as f64).sqrt().recip() as f32,
            })
            .collect();
        let mean: Vec<f32> = mean.into_iter().map(|value| value as f32).collect();
        rows.par_iter_mut().for_each(|row| {
            row.iter_mut()
                .zip(&mean)
                .zip(&factor)
                .for_each(|((value, mean), factor)| *value = (*value - mean) * factor);
        });
        Self { key, rows, mean, factor }
    }

    /// The plane for features as they were.
    fn undo(&self, plane: &Plane) -> Plane {
        let weight: Vec<f64> =
            plane.weight.iter().zip(&self.factor).map(|(w, f)| w * f64::from(*f)).collect();
        let bias = plane.bias - weight.iter().zip(&self.mean).map(|(w, m)| w * f64::from(*m)).sum::<f64>();
        Plane { weight, bias }
    }
}

/// What a setting reached.
struct Measured {
    /// Scores of left-out validation people and their answers and folds, an attribute each.
    left_out: Vec<LeftOut>,
    rule: ThresholdRule,
    /// Mean accuracy and mean balanced accuracy.
    figures: [f64; 2],
}

#[derive(Default)]
struct LeftOut {
    scores: Vec<f32>,
    answers: Vec<bool>,
    folds: Vec<usize>,
}

/// Rows of the faces of which an attribute is known: place in [`Prepared::rows`], answer, fold (none for training faces).
fn known_of(search: &Search<'_>, attribute: usize, folds: &[usize]) -> Vec<(usize, bool, Option<usize>)> {
    let (training, validation) = (search.faces.of(Split::Train), search.faces.of(Split::Validation));
    let folds = training.iter().map(|_| None).chain(folds.iter().map(|fold| Some(*fold)));
    let places = training.iter().chain(&validation).zip(folds).enumerate();
    places
        .filter_map(|(row, (place, fold))| {
            let tags = &search.faces.faces[*place as usize].tags;
            Some((row, tags.get(attribute).copied().flatten()?, fold))
        })
        .collect()
}

/// The plane of those rows that the choice learns from, without a fold.
fn plane(
    ready: &Prepared,
    choice: &Choice,
    known: &[(usize, bool, Option<usize>)],
    without: Option<usize>,
) -> Plane {
    let learns = |fold: &Option<usize>| match choice.learn_from {
        LearnFrom::Training => fold.is_none(),
        LearnFrom::Validation => fold.is_some(),
        LearnFrom::Both => true,
    };
    let chosen = known.iter().filter(|(_, _, fold)| learns(fold) && (fold.is_none() || *fold != without));
    let (rows, answers): (Vec<&[f32]>, Vec<bool>) =
        chosen.map(|(row, answer, _)| (ready.rows[*row].as_slice(), *answer)).unzip();
    fit_linear_svm(&rows, &answers, f64::from(choice.cost))
}

fn measured(
    search: &Search<'_>,
    ready: &Prepared,
    choice: &Choice,
    folds: &[usize],
) -> Result<Measured, TrainError> {
    let left_out: Vec<LeftOut> = (0..search.names.len())
        .into_par_iter()
        .map(|attribute| {
            let known = known_of(search, attribute, folds);
            let planes: Vec<Plane> = match choice.learn_from {
                // Nobody of the validation part is seen: one plane serves all folds.
                LearnFrom::Training => vec![plane(ready, choice, &known, None)],
                _ => (0..search.stage.folds).map(|fold| plane(ready, choice, &known, Some(fold))).collect(),
            };
            let planes: Vec<(Vec<f32>, f32)> = planes
                .into_iter()
                .map(|plane| (plane.weight.iter().map(|w| *w as f32).collect(), plane.bias as f32))
                .collect();
            let mut found = LeftOut::default();
            for (row, answer, fold) in known {
                let Some(fold) = fold else { continue };
                let Some((weight, bias)) = planes.get(fold % planes.len()) else { continue };
                found.scores.push(dot(weight, &ready.rows[row]) + bias);
                found.answers.push(answer);
                found.folds.push(fold);
            }
            found
        })
        .collect();
    let mut best: Option<(ThresholdRule, [f64; 2])> = None;
    for rule in ThresholdRule::ALL {
        let mut figures = [0.0; 2];
        for (one, name) in left_out.iter().zip(search.names) {
            if one.scores.is_empty() {
                let why = format!("no picture of the validation part says anything of {name}");
                return Err(TrainError::NoImages { stage: "svms".to_owned(), why });
            }
            let reached = rule
                .left_out(&one.scores, &one.answers, &one.folds)
                .map_err(|e| TrainError::Net(format!("{name}: {e}")))?;
            figures.iter_mut().zip(reached).for_each(|(sum, one)| *sum += one / search.names.len() as f64);
        }
        if best.is_none_or(|(_, most)| figures.iter().sum::<f64>() > most.iter().sum()) {
            best = Some((rule, figures));
        }
    }
    let (rule, figures) = best.ok_or_else(|| TrainError::Net("no attribute is asked about".to_owned()))?;
    Ok(Measured { left_out, rule, figures })
}

/// The SVMs fitted to everybody that the choice learns from, with calibration and thresholds from left-out scores.
fn finished(
    search: &Search<'_>,
    ready: &Prepared,
    choice: &Choice,
    measured: Measured,
) -> Result<Heads, TrainError> {
    let folds = folds(search);
    let planes: Vec<Plane> = (0..search.names.len())
        .into_par_iter()
        .map(|attribute| {
            let known = known_of(search, attribute, &folds);
            ready.undo(&plane(ready, choice, &known, None))
        })
        .collect();
    let mut cards = Vec::new();
    for (one, name) in measured.left_out.iter().zip(search.names) {
        let refused = |e: CalibrationError| TrainError::Net(format!("{name}: {e}"));
        let positives = one.answers.iter().filter(|yes| **yes).count() as f32;
        cards.push(AttributeCard {
            name: name.clone(),
            platt: fit_platt(&one.scores, &one.answers).map_err(refused)?,
            thresholds: measured.rule.thresholds(&one.scores, &one.answers).map_err(refused)?,
            prevalence: positives / one.answers.len() as f32,
            provenance: None,
        });
    }
    let weight: Vec<f32> = planes.iter().flat_map(|plane| plane.weight.iter().map(|w| *w as f32)).collect();
    let bias = planes.iter().map(|plane| plane.bias as f32).collect();
    let svms = LinearSvms::new(ready.mean.len(), weight, bias).map_err(|e| TrainError::Net(e.to_string()))?;
    let [accuracy, balanced] = measured.figures;
    let scores = BTreeMap::from([
        ("validation_mean_accuracy".to_owned(), accuracy),
        ("validation_mean_balanced_accuracy".to_owned(), balanced),
    ]);
    Ok(Heads { svms, cards, scores })
}

/// Sums side by side, so that several products are made at a time.
fn dot(one: &[f32], other: &[f32]) -> f32 {
    let (ones, rest) = one.as_chunks::<16>();
    let (others, other_rest) = other.as_chunks::<16>();
    let mut sums = [0.0_f32; 16];
    for (a, b) in ones.iter().zip(others) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum::<f32>() + rest.iter().zip(other_rest).map(|(a, b)| a * b).sum::<f32>()
}

fn read_log(path: &Path) -> Result<BTreeMap<String, [f64; 2]>, TrainError> {
    let mut known = BTreeMap::new();
    let Ok(text) = std::fs::read_to_string(path) else { return Ok(known) };
    for line in text.lines().skip(1) {
        let mut fields = line.split(',');
        let row = (fields.next(), fields.next().map(str::parse), fields.next().map(str::parse));
        let (Some(key), Some(Ok(accuracy)), Some(Ok(balanced))) = row else {
            let why =
                format!("{}: the line {line:?} is damaged; delete the file to measure again", path.display());
            return Err(TrainError::Net(why));
        };
        known.insert(key.to_owned(), [accuracy, balanced]);
    }
    Ok(known)
}

fn write_log(path: &Path, known: &BTreeMap<String, [f64; 2]>) -> Result<(), TrainError> {
    let mut text = "setting,accuracy,balanced_accuracy\n".to_owned();
    for (key, [accuracy, balanced]) in known {
        text.push_str(&format!("{key},{accuracy},{balanced}\n"));
    }
    Ok(write_whole(path, text.as_bytes())?)
}
