//! The figures of one evaluation, in the shape of `lineament evaluate --format json`.

use lineament::Tagger;
use lineament::attributes::{AttributeCard, OperatingPoint};
use lineament_data::{Sample, Split};
use serde::{Deserialize, Serialize};

use crate::background::Background;
use crate::bootstrap::{self, Intervals, People};
use crate::localization::{Localization, Located, localization};
use crate::metrics::{self, Scored, Tally};
use crate::observe::{FaceFrom, Observations, Seen, Skipped};

/// The figures of one split at one operating point. All rates are fractions between 0 and 1, and none is NaN.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The part of the data set.
    pub split: Split,
    /// Where the face regions came from.
    pub region: FaceFrom,
    /// Images that were read.
    pub images: usize,
    /// Images in which no face was found; they count with the majority answer of the split.
    pub faces_missed: usize,
    /// Mean over attributes.
    pub mean_accuracy: f64,
    /// Mean over attributes.
    pub mean_balanced_accuracy: f64,
    /// Mean over attributes.
    pub mean_average_precision: f64,
    /// Mean accuracy of always giving the majority answer of the split.
    pub majority_accuracy: f64,
    /// The attributes with a known label, in the order of the model.
    pub attributes: Vec<AttributeFigures>,
    /// How well boxes fit; there where faces were located and the data has boxes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub localisation: Option<Localization>,
    /// Face photos against images without a face; there where such images were given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub background: Option<Background>,
    /// Which thresholds decided.
    pub operating_point: OperatingPoint,
    /// Which model answered.
    pub model: Model,
    /// Different people on the images; an image of nobody known is a person of its own.
    pub people: usize,
    /// 95 % intervals of the two mean accuracies, over people; absent with fewer than two of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intervals: Option<Intervals>,
    /// Images that were given the usual region of their frame because they have no landmarks.
    pub without_landmarks: usize,
    /// Images that could not be read, background images included.
    pub skipped: Vec<Skipped>,
    /// Attributes of the model that the data does not label.
    pub unlabelled: Vec<String>,
    /// Attributes of the data that the model does not know.
    pub unknown_to_model: Vec<String>,
}

/// The figures of one attribute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttributeFigures {
    /// Its name.
    pub name: String,
    /// The share of right answers.
    pub accuracy: f64,
    /// The mean of the true positive and the true negative rate.
    pub balanced_accuracy: f64,
    /// Over the probabilities, scikit-learn's definition.
    pub average_precision: f64,
    /// The harmonic mean of precision and recall.
    pub f1: f64,
    /// The share of known labels that are positive.
    pub positives: f64,
    /// The area under the ROC curve, over the probabilities.
    pub roc_auc: f64,
    /// The accuracy of always giving the majority answer.
    pub majority_accuracy: f64,
    /// How many labels are known.
    pub labels: u64,
}

/// Which model answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Model {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its bundle.
    pub hash: String,
}

impl Model {
    /// The model of a tagger.
    pub fn of(tagger: &Tagger) -> Self {
        let card = tagger.card();
        Self { name: card.name.clone(), version: card.version.clone(), hash: tagger.hash().to_owned() }
    }
}

/// What was said of one image, and what is so.
struct Answer {
    person: u64,
    truth: bool,
    value: bool,
    probability: f32,
}

/// The answers about each attribute, counted person by person.
fn people(answers: &[Vec<Answer>]) -> People {
    let mut people = People::new(answers.len());
    for (index, answers) in answers.iter().enumerate() {
        for answer in answers {
            if let Some(own) = people.person(answer.person).get_mut(index) {
                own.add(answer.truth, answer.value);
            }
        }
    }
    people
}

impl Observations<'_> {
    /// The figures at one operating point.
    ///
    /// A missed face is answered with the majority of the split, attribute by attribute; in the ranking for the average
    /// precision it stands at the split's share of positives.
    pub fn evaluate(&self, point: OperatingPoint) -> Evaluation {
        let card = self.tagger.card();
        let answers = self.answers(point);
        let people = people(&answers);
        let mut attributes = Vec::new();
        let mut unlabelled = Vec::new();
        for (attribute, answers) in card.attributes.iter().zip(&answers) {
            if answers.is_empty() {
                unlabelled.push(attribute.name.clone());
                continue;
            }
            let mut tally = Tally::default();
            let mut ranking = Vec::new();
            for &Answer { truth, value, probability, .. } in answers {
                tally.add(truth, value);
                ranking.push(Scored { score: probability, truth });
            }
            attributes.push(AttributeFigures {
                name: attribute.name.clone(),
                accuracy: tally.accuracy(),
                balanced_accuracy: tally.balanced_accuracy(),
                average_precision: metrics::average_precision(&ranking),
                f1: tally.f1(),
                positives: tally.positives(),
                roc_auc: metrics::roc_auc(&ranking),
                majority_accuracy: tally.majority_accuracy(),
                labels: tally.known(),
            });
        }
        let mean = |figure: fn(&AttributeFigures) -> f64| metrics::mean(attributes.iter().map(figure));
        Evaluation {
            split: self.split,
            region: self.face_from,
            images: self.seen.len(),
            faces_missed: self.seen.iter().filter(|seen| seen.scores.is_none()).count(),
            mean_accuracy: mean(|figures| figures.accuracy),
            mean_balanced_accuracy: mean(|figures| figures.balanced_accuracy),
            mean_average_precision: mean(|figures| figures.average_precision),
            majority_accuracy: mean(|figures| figures.majority_accuracy),
            localisation: self.localization(),
            background: None,
            operating_point: point,
            model: Model::of(self.tagger),
            people: people.len(),
            intervals: people.intervals(bootstrap::RESAMPLES, bootstrap::SEED),
            without_landmarks: self.without_landmarks,
            skipped: self.skipped.clone(),
            unlabelled,
            unknown_to_model: self.unknown_to_model.clone(),
            attributes,
        }
    }

    /// The answers at one operating point, person by person: what intervals and paired comparisons are drawn from.
    pub fn people(&self, point: OperatingPoint) -> People {
        people(&self.answers(point))
    }

    /// The answers about each attribute of the model, of every image that is labelled with it.
    fn answers(&self, point: OperatingPoint) -> Vec<Vec<Answer>> {
        let attributes = self.tagger.card().attributes.iter().enumerate();
        attributes.map(|(index, attribute)| self.answers_about(index, attribute, point)).collect()
    }

    fn answers_about(&self, index: usize, attribute: &AttributeCard, point: OperatingPoint) -> Vec<Answer> {
        let mut truths = Tally::default();
        for truth in self.samples.iter().filter_map(|sample| sample.tags.get(index).copied().flatten()) {
            truths.add(truth, truth);
        }
        let answer = |(place, (sample, seen)): (usize, (&Sample, &Seen))| {
            let truth = sample.tags.get(index).copied().flatten()?;
            let (value, probability) = match seen.scores.as_ref().and_then(|scores| scores.get(index)) {
                Some(&score) => {
                    let read = attribute.read(score, point);
                    (read.present, read.probability)
                }
                None => (truths.majority(), truths.positives() as f32),
            };
            // Nobody known: a key that no identity (32 bits) has.
            let person = sample.identity.map_or((1 << 32) + place as u64, u64::from);
            Some(Answer { person, truth, value, probability })
        };
        self.samples.iter().zip(&self.seen).enumerate().filter_map(answer).collect()
    }

    fn localization(&self) -> Option<Localization> {
        if self.face_from == FaceFrom::Landmarks {
            return None;
        }
        let images: Vec<Located> = self
            .samples
            .iter()
            .zip(&self.seen)
            .map(|(sample, Seen { found, .. })| Located {
                found: found.clone(),
                given: sample.rect.into_iter().collect(),
            })
            .collect();
        localization(&images)
    }
}
