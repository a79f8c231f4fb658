//! The losses of the stages (paper section 3).

use burn::tensor::activation::{log_sigmoid, log_softmax};
use burn::tensor::{Int, Tensor};

/// Sum over attributes of binary cross-entropy, mean over the batch, p = sigmoid(f) (paper section 3.1).
///
/// `logits`, `targets` (probabilities, so that labels can be smoothed or soft) and `weights` (0 where the tag is unknown) are `N x A`.
pub fn binary_cross_entropy(logits: Tensor<2>, targets: Tensor<2>, weights: Tensor<2>) -> Tensor<1> {
    let [n, _] = logits.dims();
    let yes = log_sigmoid(logits.clone()) * targets.clone();
    let no = log_sigmoid(-logits) * (-targets + 1.0);
    -((yes + no) * weights).sum() / n as f64
}

/// Differences up to which [`smooth_l1`] is a square.
const SMOOTH: f64 = 0.1;

/// Sum over columns of the smooth L1 loss, mean over the batch: a square up to a difference of 0.1, beyond it the difference.
///
/// `values`, `targets` and `weights` (0 where the target is unknown) are `N x K`.
pub fn smooth_l1(values: Tensor<2>, targets: Tensor<2>, weights: Tensor<2>) -> Tensor<1> {
    let [n, _] = values.dims();
    let away = (values - targets).abs();
    let near = away.clone().clamp_max(SMOOTH);
    let loss = near.clone().powf_scalar(2.0) / (2.0 * SMOOTH) + (away - near);
    (loss * weights).sum() / n as f64
}

/// Softmax cross-entropy, mean over the batch, with label smoothing `smoothing` in [0, 1).
///
/// `logits` is `N x K`, `classes` is `N`.
pub fn softmax_cross_entropy(logits: Tensor<2>, classes: Tensor<1, Int>, smoothing: f64) -> Tensor<1> {
    let [n, _] = logits.dims();
    let log = log_softmax(logits, 1);
    let hit = log.clone().gather(1, classes.reshape([n, 1])).mean();
    -(hit * (1.0 - smoothing) + log.mean() * smoothing)
}

/// Similarity loss (paper section 3.2): half the mean squared L2 distance between the FC vectors of pairs of one identity.
///
/// `features` is `N x D`; rows `2i` and `2i + 1` are a pair. The vectors are first scaled to unit
/// length, so that the loss cannot be lowered by shrinking all of them.
pub fn similarity(features: Tensor<2>) -> Tensor<1> {
    let [n, d] = features.dims();
    let length = (features.clone().powf_scalar(2.0).sum_dim(1) + 1e-6).sqrt();
    let unit = (features / length).reshape([n / 2, 2, d]);
    let first = unit.clone().slice([0..n / 2, 0..1, 0..d]);
    let second = unit.slice([0..n / 2, 1..2, 0..d]);
    (first - second).powf_scalar(2.0).sum() / n as f64
}

/// One minus the cosine of the angle between rows, summed and divided by the rows of the batch.
///
/// `vectors`, `targets` and `weights` are `N x K`; rows whose weights are 0 do not count.
pub fn angle(vectors: Tensor<2>, targets: Tensor<2>, weights: Tensor<2>) -> Tensor<1> {
    let [n, _] = vectors.dims();
    let length = |rows: &Tensor<2>| (rows.clone().powf_scalar(2.0).sum_dim(1) + 1e-12).sqrt();
    let lengths = length(&vectors) * length(&targets);
    let cosine = (vectors * targets).sum_dim(1) / lengths;
    ((-cosine + 1.0) * weights.max_dim(1)).sum() / n as f64
}
