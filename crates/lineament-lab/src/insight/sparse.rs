//! How few neurons an answer rests on: scores made of the bias and the strongest contributions alone (`lineament::explain`).

use lineament::{Bundle, OperatingPoint};
use rayon::prelude::*;
use serde::Serialize;

use super::features::Features;

/// Neurons that are kept of each answer.
const KEPT: [usize; 7] = [1, 2, 3, 5, 10, 20, 40];

/// Answers made of few neurons.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SparseFigures {
    /// Neurons kept, of each face and attribute its own strongest.
    pub neurons: usize,
    /// The share of answers that are those of the whole score.
    pub same_answer: f64,
    /// The same among answers that are yes: most are no, and bias alone says so.
    pub same_yes: f64,
    /// The mean part of all that was said for or against.
    pub said: f64,
}

/// Over all faces and attributes.
pub(super) fn figures(bundle: &Bundle, fc: &Features, point: OperatingPoint) -> Vec<SparseFigures> {
    let (card, svms) = (bundle.card(), &bundle.parts().svms);
    let kept: Vec<usize> = KEPT.iter().copied().filter(|kept| *kept < fc.width()).collect();
    // Of each number of neurons: same answers, same answers among yes, part said; and how many answers, how many yes.
    let of_face = |row: usize| {
        let vector = fc.row(row);
        let (mut sums, mut yes, mut all) = (vec![[0.0_f64; 3]; kept.len()], 0.0, 0.0);
        let planes = svms.weight().chunks_exact(svms.features()).zip(svms.bias());
        for ((weight, bias), attribute) in planes.zip(&card.attributes) {
            let mut amounts: Vec<f64> =
                weight.iter().zip(vector).map(|(w, x)| f64::from(*w) * f64::from(*x)).collect();
            amounts.sort_by(|a, b| b.abs().total_cmp(&a.abs()));
            let threshold = attribute.thresholds.at(point);
            let answer = |score: f64| score as f32 > threshold;
            let whole = answer(f64::from(*bias) + amounts.iter().sum::<f64>());
            let said: f64 = amounts.iter().map(|amount| amount.abs()).sum();
            all += 1.0;
            yes += f64::from(u8::from(whole));
            let (mut score, mut so_far, mut next) = (f64::from(*bias), 0.0, amounts.iter());
            let mut taken = 0;
            for (sums, kept) in sums.iter_mut().zip(&kept) {
                for amount in next.by_ref().take(*kept - taken) {
                    score += amount;
                    so_far += amount.abs();
                }
                taken = *kept;
                let same = f64::from(u8::from(answer(score) == whole));
                sums[0] += same;
                sums[1] += if whole { same } else { 0.0 };
                sums[2] += if said > 0.0 { so_far / said } else { 1.0 };
            }
        }
        (sums, yes, all)
    };
    let faces: Vec<_> = (0..fc.len()).into_par_iter().map(of_face).collect();
    let yes: f64 = faces.iter().map(|(_, yes, _)| yes).sum();
    let all: f64 = faces.iter().map(|(_, _, all)| all).sum();
    let total = |at: usize, which: usize| -> f64 {
        faces.iter().filter_map(|(sums, _, _)| sums.get(at)?.get(which)).sum()
    };
    let figures = |(at, neurons): (usize, &usize)| SparseFigures {
        neurons: *neurons,
        same_answer: total(at, 0) / all.max(1.0),
        same_yes: total(at, 1) / yes.max(1.0),
        said: total(at, 2) / all.max(1.0),
    };
    kept.iter().enumerate().map(figures).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use lineament::explain::NeuronShare;
    use lineament::testing::tiny_bundle;

    #[test]
    fn figures_are_those_of_explaining_face_by_face() {
        let bundle = tiny_bundle(5).unwrap();
        let rows = (0..20)
            .map(|row| (0..6).map(|at| ((row * 7 + at * 3) % 11) as f32 / 5.0 - 0.8).collect::<Vec<_>>());
        let fc = Features::of_rows(rows);
        let (card, svms) = (bundle.card(), &bundle.parts().svms);
        let point = OperatingPoint::Accuracy;
        for found in figures(&bundle, &fc, point) {
            let (mut same, mut said, mut all) = (0.0, 0.0, 0.0);
            for vector in fc.rows() {
                for (index, weight) in svms.weight().chunks_exact(6).enumerate() {
                    let threshold = card.attributes[index].thresholds.at(point);
                    let present = |score| score > threshold;
                    let reported =
                        NeuronShare::of(weight, svms.bias()[index], vector, found.neurons, present);
                    same += f64::from(u8::from(reported.same_answer));
                    said += f64::from(reported.share);
                    all += 1.0;
                }
            }
            assert!(
                (found.same_answer - same / all).abs() < 1e-9 && (found.said - said / all).abs() < 1e-5,
                "{found:?}"
            );
        }
    }
}
