//! One call from a model and a data set to its figures.

use lineament::{Tagger, attributes::OperatingPoint};
use lineament_data::{Dataset, Split};

use crate::background::background;
use crate::evaluation::Evaluation;
use crate::observe::{EvaluateError, FaceFrom, Observations, best_scores};

/// What to measure.
#[derive(Debug, Clone, Copy)]
pub struct EvaluateOptions<'a> {
    /// The part of the data set.
    pub split: Split,
    /// Where face regions come from.
    pub region: FaceFrom,
    /// Which thresholds decide; each gives an evaluation of its own, from one pass over the images.
    pub operating_points: &'a [OperatingPoint],
    /// Images without a face, to count false alarms in; looked at with [`FaceFrom::Located`] only.
    pub background: Option<&'a Dataset>,
}

/// How many images [`evaluate`] looks at most, for a progress bar.
pub fn images(data: &Dataset, options: &EvaluateOptions<'_>) -> usize {
    let background = options.background.filter(|_| options.region == FaceFrom::Located);
    let framing = options.region.framing();
    let part = |same: bool| {
        let counted = |sample: &&lineament_data::Sample| {
            options.split.holds(sample.split) && (!same || sample.framing == framing)
        };
        data.samples.iter().filter(counted).count()
    };
    let own = if part(true) > 0 { part(true) } else { part(false) };
    own + background.map_or(0, Dataset::len)
}

/// The figures of a model on a split, one evaluation an operating point, on the rayon pool of the caller; `done` is
/// called after each image.
///
/// # Errors
/// A split without images, labels or landmarks, or in which nothing could be read. An image that cannot be read is no
/// error: it is listed in [`Evaluation::skipped`].
pub fn evaluate(
    tagger: &Tagger,
    data: &Dataset,
    options: &EvaluateOptions<'_>,
    done: &(dyn Fn() + Sync),
) -> Result<Vec<Evaluation>, EvaluateError> {
    let observations = Observations::of(tagger, data, options.split, options.region, done)?;
    let mut evaluations: Vec<Evaluation> =
        options.operating_points.iter().map(|&point| observations.evaluate(point)).collect();
    if let Some(empty) = options.background.filter(|_| options.region == FaceFrom::Located) {
        let paths: Vec<_> = empty.samples.iter().map(|sample| sample.path.clone()).collect();
        let (scores, skipped) = best_scores(tagger, &paths, done);
        let figures = background(&observations.best_scores(), &scores);
        for evaluation in &mut evaluations {
            evaluation.background = Some(figures.clone());
            evaluation.skipped.extend(skipped.iter().cloned());
        }
    }
    Ok(evaluations)
}
