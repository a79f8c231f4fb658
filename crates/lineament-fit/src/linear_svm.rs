//! One linear SVM, solved exactly (paper section 3.3 used LIBLINEAR, which solves the same problem).

/// A hyperplane: score = weight . x + bias.
#[derive(Debug, Clone, PartialEq)]
pub struct Plane {
    /// A weight a feature.
    pub weight: Vec<f64>,
    /// Offset.
    pub bias: f64,
}

impl Plane {
    /// The score of a vector.
    pub fn score(&self, vector: &[f64]) -> f64 {
        dot(&self.weight, vector) + self.bias
    }
}

/// The bias is taken for the weight of a feature of this value and regularised like the others. A large one leaves it as good as free: else a
/// plane for a rare attribute is drawn to "never".
const BIAS: f64 = 30.0;

/// Newton steps at most; a few dozen do even for hard costs.
const STEPS: usize = 200;

/// Fits an L2-regularised SVM with squared hinge loss, `|w|² / 2 + cost · Σ max(0, 1 - y w·x)²`, to rows of features and their answers.
///
/// The loss is quadratic but for which rows are inside the margin, so that Newton's method with a line search ends at the exact plane after a
/// few steps (S. S. Keerthi and D. DeCoste, "A modified finite Newton method for fast solution of large scale linear SVMs", JMLR 6, 2005).
/// No random numbers: the same rows give the same plane. With answers of one kind only the plane is flat: -1 or 1 everywhere.
///
/// Rows of `f64` give the exact plane. Rows of `f32` are for searches over settings with so many rows that memory and time matter: half the
/// memory, and a plane that is right to about three digits, as LIBLINEAR's own limit leaves it. Sums are in `f64` either way.
pub fn fit_linear_svm<T: Feature>(rows: &[&[T]], answers: &[bool], cost: f64) -> Plane {
    let width = rows.first().map_or(0, |row| row.len());
    let positives = answers.iter().filter(|yes| **yes).count();
    if positives == 0 || positives == answers.len() {
        return Plane { weight: vec![0.0; width], bias: if positives == 0 { -1.0 } else { 1.0 } };
    }
    let problem = Problem { rows, answers, cost };
    let mut at = vec![0.0; width + 1];
    let mut margins = problem.margins(&at);
    let mut first = None;
    for _ in 0..STEPS {
        let gradient = problem.gradient(&at, &margins);
        let size = dot(&gradient, &gradient).sqrt();
        let start = *first.get_or_insert(size);
        if size <= T::ENOUGH * start || !size.is_finite() {
            break;
        }
        let step = problem.newton_step(&gradient, &margins, 0.1_f64.min((size / start).sqrt()));
        let slope = dot(&gradient, &step);
        let (before, moved) = (problem.value(&at, &margins), problem.products(&step));
        let mut length = 1.0;
        let mut done = false;
        while length > 1e-10 && !done {
            let next: Vec<f64> = at.iter().zip(&step).map(|(w, d)| w + length * d).collect();
            let next_margins: Vec<f64> = margins.iter().zip(&moved).map(|(m, d)| m - length * d).collect();
            done = problem.value(&next, &next_margins) <= before + 1e-4 * length * slope;
            if done {
                (at, margins) = (next, next_margins);
            }
            length /= 2.0;
        }
        if !done {
            // Rounding is all that is left of the slope.
            break;
        }
    }
    let bias = BIAS * at.pop().unwrap_or_default();
    Plane { weight: at, bias }
}

/// A number of a row.
pub trait Feature: Copy + Into<f64> {
    /// The gradient that is small enough, against the one at the start.
    const ENOUGH: f64;

    /// The product of a row with a direction, which may be longer.
    fn dot(row: &[Self], direction: &[f64]) -> f64;
}

impl Feature for f64 {
    const ENOUGH: f64 = 1e-7;

    fn dot(row: &[Self], direction: &[f64]) -> f64 {
        dot(row, direction)
    }
}

impl Feature for f32 {
    const ENOUGH: f64 = 1e-3;

    /// Sums side by side, so that long rows take several products at a time.
    fn dot(row: &[Self], direction: &[f64]) -> f64 {
        let (chunks, rest) = row.as_chunks::<8>();
        // The direction may be longer than the row.
        let (directions, _) = direction.as_chunks::<8>();
        let mut sums = [0.0_f64; 8];
        for (values, directions) in chunks.iter().zip(directions) {
            for ((sum, value), direction) in sums.iter_mut().zip(values).zip(directions) {
                *sum += f64::from(*value) * direction;
            }
        }
        let behind = direction.iter().skip(chunks.len() * 8);
        sums.iter().sum::<f64>()
            + rest.iter().zip(behind).map(|(value, direction)| f64::from(*value) * direction).sum::<f64>()
    }
}

/// Rows with a last feature of [`BIAS`], and what is asked of them.
struct Problem<'a, T> {
    rows: &'a [&'a [T]],
    answers: &'a [bool],
    cost: f64,
}

impl<T: Feature> Problem<'_, T> {
    fn sign(yes: bool) -> f64 {
        if yes { 1.0 } else { -1.0 }
    }

    fn dot_row(row: &[T], at: &[f64]) -> f64 {
        // `at` is longer by the bias, which `zip` leaves out.
        T::dot(row, at) + BIAS * at.last().copied().unwrap_or_default()
    }

    /// `y w·x` of every row.
    fn products(&self, at: &[f64]) -> Vec<f64> {
        let signed = |(row, yes): (&&[T], &bool)| Self::sign(*yes) * Self::dot_row(row, at);
        self.rows.iter().zip(self.answers).map(signed).collect()
    }

    /// `1 - y w·x` of every row: above 0 it costs.
    fn margins(&self, at: &[f64]) -> Vec<f64> {
        self.products(at).into_iter().map(|product| 1.0 - product).collect()
    }

    fn value(&self, at: &[f64], margins: &[f64]) -> f64 {
        dot(at, at) / 2.0 + self.cost * margins.iter().map(|m| m.max(0.0).powi(2)).sum::<f64>()
    }

    fn gradient(&self, at: &[f64], margins: &[f64]) -> Vec<f64> {
        let mut gradient = at.to_vec();
        for ((row, yes), margin) in self.rows.iter().zip(self.answers).zip(margins) {
            if *margin > 0.0 {
                add(&mut gradient, row, -2.0 * self.cost * margin * Self::sign(*yes));
            }
        }
        gradient
    }

    /// The Hessian times a direction; only rows inside the margin bend the loss.
    fn curve(&self, direction: &[f64], margins: &[f64]) -> Vec<f64> {
        let mut product = direction.to_vec();
        for (row, _) in self.rows.iter().zip(margins).filter(|(_, margin)| **margin > 0.0) {
            add(&mut product, row, 2.0 * self.cost * Self::dot_row(row, direction));
        }
        product
    }

    /// Solves `Hessian · step = -gradient` to `enough` by conjugate gradients, preconditioned with the diagonal (the bias is on another scale).
    fn newton_step(&self, gradient: &[f64], margins: &[f64], enough: f64) -> Vec<f64> {
        let mut diagonal = vec![1.0; gradient.len()];
        for (row, _) in self.rows.iter().zip(margins).filter(|(_, margin)| **margin > 0.0) {
            let squares: Vec<f64> = row.iter().map(|x| (*x).into() * (*x).into()).collect();
            add(&mut diagonal, &squares, 2.0 * self.cost);
            // `add` puts BIAS there, not its square.
            if let Some(last) = diagonal.last_mut() {
                *last += 2.0 * self.cost * (BIAS * BIAS - BIAS);
            }
        }
        let scaled = |rest: &[f64]| -> Vec<f64> { rest.iter().zip(&diagonal).map(|(r, d)| r / d).collect() };
        let mut step = vec![0.0; gradient.len()];
        let mut rest: Vec<f64> = gradient.iter().map(|g| -g).collect();
        let mut eased = scaled(&rest);
        let mut direction = eased.clone();
        let mut size = dot(&rest, &eased);
        let small = size * enough * enough;
        for _ in 0..2 * gradient.len() {
            if size <= small {
                break;
            }
            let bent = self.curve(&direction, margins);
            let length = size / dot(&direction, &bent);
            step.iter_mut().zip(&direction).for_each(|(s, d)| *s += length * d);
            rest.iter_mut().zip(&bent).for_each(|(r, b)| *r -= length * b);
            eased = scaled(&rest);
            let next = dot(&rest, &eased);
            let share = next / size;
            direction.iter_mut().zip(&eased).for_each(|(d, e)| *d = e + share * *d);
            size = next;
        }
        step
    }
}

fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(a, b)| a * b).sum()
}

/// Adds a row, its bias feature included, so many times.
fn add<T: Feature>(sum: &mut [f64], row: &[T], times: f64) {
    sum.iter_mut().zip(row).for_each(|(s, x)| *s += times * (*x).into());
    if let Some(last) = sum.last_mut() {
        *last += times * BIAS;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ROWS: [[f64; 2]; 8] =
        [[0.0, 1.0], [1.0, 0.5], [2.0, 2.0], [3.0, 1.0], [0.5, -1.0], [2.5, 0.0], [1.5, 1.5], [-1.0, 0.0]];
    const EXPECTED_WEIGHT: [f64; 2] = [0.78774489, 0.34964715];
    const EXPECTED_BIAS: f64 = -1.2465702;
    const ANSWERS: [bool; 8] = [false, false, true, true, false, true, true, false];

    fn rows() -> Vec<&'static [f64]> {
        ROWS.iter().map(<[f64; 2]>::as_slice).collect()
    }

    #[test]
    fn a_plane_is_scikit_learns() {
        // sklearn.svm.LinearSVC(C=0.5, loss="squared_hinge", dual=False, intercept_scaling=30, tol=1e-10).fit(X, y)
        let plane = fit_linear_svm(&rows(), &ANSWERS, 0.5);
        for (found, expected) in plane.weight.iter().zip(EXPECTED_WEIGHT) {
            assert!((found - expected).abs() < 1e-6, "{plane:?}");
        }
        assert!((plane.bias - EXPECTED_BIAS).abs() < 1e-6, "{plane:?}");
    }

    #[test]
    fn rows_of_single_precision_give_nearly_the_same_plane() {
        let wide: Vec<Vec<f32>> = (0..90)
            .map(|row| (0..21).map(|at| ((row * 31 + at * 17) % 64) as f32 / 32.0 - 1.0).collect())
            .collect();
        let exact: Vec<Vec<f64>> =
            wide.iter().map(|row| row.iter().map(|x| f64::from(*x)).collect()).collect();
        let answers: Vec<bool> = wide.iter().map(|row| row[0] + row[20] * row[3] > 0.1).collect();
        let one = fit_linear_svm(&wide.iter().map(Vec::as_slice).collect::<Vec<_>>(), &answers, 0.3);
        let other = fit_linear_svm(&exact.iter().map(Vec::as_slice).collect::<Vec<_>>(), &answers, 0.3);
        let size = dot(&other.weight, &other.weight).sqrt();
        for (one, other) in one.weight.iter().zip(&other.weight).chain([(&one.bias, &other.bias)]) {
            assert!((one - other).abs() < 1e-2 * size, "{one} {other} of {size}");
        }
    }

    #[test]
    fn which_label_comes_first_does_not_matter() {
        let plane = fit_linear_svm(&rows(), &ANSWERS, 0.5);
        let turned = ANSWERS.map(|yes| !yes);
        let mirrored = fit_linear_svm(&rows(), &turned, 0.5);
        for row in rows() {
            assert!((plane.score(row) + mirrored.score(row)).abs() < 1e-6);
        }
    }

    #[test]
    fn answers_of_one_kind_give_a_flat_plane() {
        let plane = fit_linear_svm(&rows(), &[true; 8], 1.0);
        assert_eq!((plane.weight, plane.bias), (vec![0.0; 2], 1.0));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// The loss is strictly convex: where its gradient vanishes is the only minimum.
        #[test]
        fn nothing_is_better_than_the_plane(
            rows in prop::collection::vec((prop::collection::vec(-3.0..3.0_f64, 5), any::<bool>()), 2..60),
            power in -4..4_i32,
        ) {
            let cost = 10_f64.powi(power);
            let (rows, answers): (Vec<Vec<f64>>, Vec<bool>) = rows.into_iter().unzip();
            let rows: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
            prop_assume!(answers.iter().any(|yes| *yes) && answers.iter().any(|yes| !*yes));
            let plane = fit_linear_svm(&rows, &answers, cost);
            let problem = Problem { rows: &rows, answers: &answers, cost };
            let at: Vec<f64> = plane.weight.iter().copied().chain([plane.bias / BIAS]).collect();
            let size = |at: &[f64]| {
                let gradient = problem.gradient(at, &problem.margins(at));
                dot(&gradient, &gradient).sqrt()
            };
            let start = vec![0.0; at.len()];
            prop_assert!(size(&at) <= 1e-6 * size(&start) + 1e-9, "{} of {}", size(&at), size(&start));
        }
    }
}
